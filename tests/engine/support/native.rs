//! The native engine as a command, and what every run of it must leave behind.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::Ended;
use super::layout::{Layout, names_are_digests};
use super::workspace::{Workspace, program};

/// A socket that nobody listens on.
pub const NOBODY: &str = "unix:///nonexistent.sock";

/// A time for everything, where the times of files must not count.
pub const EPOCH: &str = "1700000000";

/// `build` in a folder, where no daemon answers.
pub fn build_without_daemon(folder: &Path) -> Command {
    let mut command = program(folder);
    command.arg("build");
    alone(&mut command);
    command
}

fn alone(command: &mut Command) {
    // a test sets the time itself, or it comes from commits
    command.env("DOCKER_HOST", NOBODY).env_remove("SOURCE_DATE_EPOCH");
}

impl Workspace {
    /// `build --engine native` and more arguments, where no daemon answers, with one time for everything.
    pub fn native(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.root());
        command.args(["build", "--engine", "native", "--set", &self.registry_setting()]).args(arguments);
        // small samples have programs that nobody could start; images of this repository are verified when they are built
        command.arg("--no-verify");
        alone(&mut command);
        // a folder of its own, whatever the caller shares with others
        command.env_remove("CARGO_TARGET_DIR").env("SOURCE_DATE_EPOCH", EPOCH);
        command
    }

    /// [`Workspace::native`], where the daemon of the tests answers.
    pub fn with_daemon(&self, arguments: &[&str]) -> Command {
        let mut command = self.native(arguments);
        match std::env::var_os("DOCKER_HOST") {
            Some(host) => command.env("DOCKER_HOST", host),
            None => command.env_remove("DOCKER_HOST"),
        };
        command
    }

    /// Builds by the native engine; the layout of an image, checked as a whole.
    #[track_caller]
    pub fn build_native(&self, id: &str, arguments: &[&str]) -> Layout {
        let ended = Ended::of(&mut self.native(arguments)).expect(0);
        let layout = Layout::of_image(self.root(), id);
        let printed = printed(&ended);
        assert!(printed.values().any(|digest| *digest == layout.digest()), "{printed:?} {}", layout.index);
        layout
    }

    /// What holds at every moment, whoever was killed: every blob is whole under its name, and every layout is complete
    /// or not there.
    pub fn check_invariants(&self) -> Result<(), String> {
        let top = self.root().join("target/groupage");
        names_are_digests(&top.join("cache/blobs/sha256"))?;
        let Ok(layouts) = std::fs::read_dir(top.join("oci")) else { return Ok(()) };
        for layout in layouts {
            let layout = layout.map_err(|error| error.to_string())?;
            let (path, name) = (layout.path(), layout.file_name());
            // what is on its way has a name that no image can have
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            names_are_digests(&path.join("blobs/sha256"))?;
            if path.join("index.json").exists() {
                Layout::problems(&path).map_err(|problem| format!("{}: {problem}", path.display()))?;
            }
        }
        Ok(())
    }
}

/// The lines `<tag> sha256:<digest>` of stdout.
#[track_caller]
pub fn printed(ended: &Ended) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        let (tag, digest) = line.split_once(' ').unwrap_or_else(|| panic!("{line:?} is not a tag and a digest"));
        assert!(digest.starts_with("sha256:") && digest.len() == 71, "{line:?}");
        (tag.to_owned(), digest.to_owned())
    };
    ended.stdout.lines().map(pair).collect()
}
