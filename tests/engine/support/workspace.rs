//! A workspace in a folder of its own, with names for its images that nobody else has.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Ended, unique};

/// A folder with the binary under test beside it.
pub struct Workspace {
    folder: tempfile::TempDir,
    root: PathBuf,
    registry: String,
    /// Whether there may be images to remove.
    has_built: AtomicBool,
}

/// Where the images of one test are named; they go away with it.
pub struct Registry(pub String);

impl Registry {
    pub fn new() -> Self {
        Self(format!("localhost/groupage-test/{}", unique()))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let tags = tags_below(&self.0);
        if !tags.is_empty() {
            let _ = Command::new("docker").arg("rmi").args(tags).output();
        }
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if self.has_built.load(Ordering::Relaxed) {
            drop(Registry(self.registry.clone()));
            self.remove_components();
        }
    }
}

/// All references that exist below a registry, sorted.
fn tags_below(registry: &str) -> Vec<String> {
    tags_of(&format!("{registry}/*"))
}

fn tags_of(pattern: &str) -> Vec<String> {
    let filter = format!("reference={pattern}");
    let mut list = Command::new("docker");
    list.args(["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", &filter]);
    // without a daemon there are none
    let list = list.output().map(|output| output.stdout).unwrap_or_default();
    let mut tags: Vec<String> = String::from_utf8_lossy(&list).lines().map(str::to_owned).collect();
    tags.sort();
    tags
}

/// The images of a component that the daemon has.
pub fn component_images(name: &str) -> Vec<String> {
    tags_of(&format!("groupage.invalid/component/{name}"))
}

impl Workspace {
    /// An empty folder.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("workspace");
        fs::create_dir(&root).unwrap();
        let registry = format!("localhost/groupage-test/{}", unique());
        Self { folder, root, registry, has_built: AtomicBool::new(false) }
    }

    /// Images of components that nobody else can have: their names are [`unique`]. Those of others may be in use.
    fn remove_components(&self) {
        let names = fs::read_dir(self.root.join("components")).into_iter().flatten().flatten();
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        for name in names.filter(|name| name.starts_with('u') && name.contains('x') && name.len() > 20) {
            let tags = component_images(&name);
            if !tags.is_empty() {
                let _ = Command::new("docker").arg("rmi").args(tags).output();
            }
        }
    }

    /// A workspace with settings and, by name, the builder `shell`.
    pub fn new() -> Self {
        let workspace = Self::empty();
        let shell = super::builders::shell();
        workspace.write("groupage.toml", format!("schema = 1\n[builders]\nshell = {shell:?}\n"));
        workspace
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path beside the workspace, for outputs.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Writes a component that takes files as they are.
    pub fn files_component(&self, name: &str, more: &str) -> &Self {
        let text =
            format!("schema = 1\nname = \"{name}\"\nowner = \"@test\"\nversion = \"1.0.0\"\n[build.files]\n{more}");
        self.write(&format!("components/{name}/component.toml"), text)
    }

    /// Writes a component that runs commands with the builder `shell`.
    pub fn script_component(&self, name: &str, commands: &[&str]) -> &Self {
        let text = format!(
            "schema = 1\nname = \"{name}\"\nowner = \"@test\"\nversion = \"1.0.0\"\n\n[build.script]\nbuilder = \"shell\"\n\
             commands = {commands:?}\n\n[build.script.outputs]\nout = \"/out\"\n\n[[install]]\nfrom = \"output:out\"\n\
             to = \"/srv/{name}\"\n"
        );
        self.write(&format!("components/{name}/component.toml"), text)
    }

    /// Writes an image of components on `scratch`.
    pub fn image(&self, name: &str, components: &[&str], more: &str) -> &Self {
        let list: String = components.iter().map(|component| format!("{component} = {{}}\n")).collect();
        let text = format!(
            "schema = 1\nname = \"{name}\"\nversion = \"1.0.0\"\nbase = \"scratch\"\nplatforms = [\"linux/amd64\", \
             \"linux/arm64\"]\n{more}\n[components]\n{list}"
        );
        self.write(&format!("images/{name}/image.toml"), text)
    }

    pub fn set_mode(&self, path: &str, mode: u32) -> &Self {
        fs::set_permissions(self.root.join(path), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// The reference of an image of this workspace.
    pub fn tag(&self, image: &str) -> String {
        // whoever asks for a name may give it to an image
        self.has_built.store(true, Ordering::Relaxed);
        format!("{}/{image}", self.registry)
    }

    /// All references of this workspace that exist, without the registry.
    pub fn tags(&self) -> Vec<String> {
        let prefix = format!("{}/", self.registry);
        tags_below(&self.registry).into_iter().map(|tag| tag.replace(&prefix, "")).collect()
    }

    /// The value of `--set` that gives the images their names. Whoever gives more of them puts all behind the command: clap
    /// takes those before it or those behind it.
    pub fn registry_setting(&self) -> String {
        // whoever asks for a name may give it to an image
        self.has_built.store(true, Ordering::Relaxed);
        format!("registry.default={}", self.registry)
    }

    /// The binary under test, in the workspace. What is built is built by the engine `docker`, unless the arguments say
    /// otherwise: which one `auto` takes is up to the machine.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let arguments: Vec<A> = arguments.into_iter().collect();
        let names_engine = arguments.iter().any(|argument| argument.as_ref() == "--engine");
        let mut command = program(&self.root);
        command.arg("--set").arg(self.registry_setting());
        for argument in &arguments {
            command.arg(argument);
            if argument.as_ref() == "build" && !names_engine {
                command.args(["--engine", "docker"]);
            }
        }
        command
    }

    /// Runs it to its end.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        Ended::of(&mut self.command(arguments))
    }

    /// Starts it, with pipes for what it says.
    pub fn spawn<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// The binary under test, without any setting of whoever runs the tests.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.current_dir(folder).stdin(Stdio::null());
    // which makes `build` insist on a lock file
    command.env_remove("CI");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GROUPAGE_")) {
        command.env_remove(name);
    }
    command
}
