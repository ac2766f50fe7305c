//! The native engine, as whoever builds sees it: the whole process, in a workspace with one component of `files` for each
//! file. Nothing is compiled, so that nothing but the assembly is measured.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::{CommandFactory as _, FromArgMatches as _};
use groupage::cli::{Arguments, execute};
use groupage::oci::Compression;

use crate::MEASURE_MEMORY;
use crate::engine::Planned;
use crate::payload::Payload;

/// A workspace whose image `five` holds the payload.
pub struct Workspace {
    folder: tempfile::TempDir,
    forgotten: Cell<u32>,
}

impl Workspace {
    pub fn new(payload: &Payload) -> Self {
        let folder = tempfile::tempdir_in(crate::disk()).unwrap();
        let write = |path: String, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("groupage.toml".to_owned(), "schema = 1\n[registry]\ndefault = \"localhost/bench\"\n");
        let mut components = String::new();
        for (index, file) in payload.files.iter().enumerate() {
            write(
                format!("components/c{index}/component.toml"),
                &format!(
                    "schema = 1\nname = \"c{index}\"\nowner = \"@bench\"\nversion = \"1.0.0\"\n[build.files]\n[[install]]\n\
                     from = \"program\"\nto = \"/usr/bin/c{index}\"\nmode = \"0755\"\n"
                ),
            );
            // the very same file: one of 1 GB with nothing in it stays one that takes no room
            fs::hard_link(file, folder.path().join(format!("components/c{index}/program"))).unwrap();
            components += &format!("c{index} = {{}}\n");
        }
        let image =
            "schema = 1\nname = \"five\"\nversion = \"1.0.0\"\nbase = \"scratch\"\nplatforms = [\"linux/amd64\"]\n";
        write("images/five/image.toml".to_owned(), &format!("{image}[components]\n{components}"));
        Self { folder, forgotten: Cell::new(0) }
    }

    /// The same for the engine alone.
    pub fn planned(&self) -> Planned {
        Planned::new(self.folder.path())
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("five.tar")
    }

    /// What was made goes out of the way; it is removed with the workspace, see [`Payload::scratch`].
    fn forget(&self) {
        let aside = self.folder.path().join(format!("forgotten-{}", self.forgotten.replace(self.forgotten.get() + 1)));
        fs::create_dir(&aside).unwrap();
        let _ = fs::rename(self.folder.path().join("target"), aside.join("target"));
        let _ = fs::rename(self.archive(), aside.join("five.tar"));
    }

    /// A layout, which is not compressed, or an archive, which is.
    fn arguments(&self, compression: Compression) -> Vec<String> {
        let mut arguments: Vec<String> =
            ["build", "five", "--engine", "native", "--platform", "linux/amd64", "--progress", "quiet"]
                .map(str::to_owned)
                .into();
        if compression != Compression::None {
            let output = format!("type=oci,dest={},compression={}", self.archive().display(), compression.name());
            arguments.extend(["--output".to_owned(), output]);
        }
        arguments
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("DOCKER_HOST", "unix:///nonexistent.sock");
        command.env("SOURCE_DATE_EPOCH", "1700000000").env_remove("CI").env_remove("CARGO_TARGET_DIR");
        command
    }

    /// How long one run of the program takes, with whatever is remembered.
    pub fn assemble(&self, compression: Compression) -> Duration {
        let mut command = self.command(env!("CARGO_BIN_EXE_xtask"));
        command.args(self.arguments(compression));
        let begin = Instant::now();
        let output = command.output().unwrap();
        let time = begin.elapsed();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        time
    }

    /// The same with nothing remembered.
    pub fn assemble_anew(&self, compression: Compression) -> Duration {
        self.forget();
        self.assemble(compression)
    }

    /// The most memory, in bytes, that a process holds which does the same.
    pub fn peak_memory(&self, compression: Compression) -> u64 {
        self.forget();
        let mut command = self.command(std::env::current_exe().unwrap().to_str().unwrap());
        let output = command.arg(MEASURE_MEMORY).args(self.arguments(compression)).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        let kilobytes = text.lines().rev().find_map(|line| line.strip_prefix("VmHWM:")).expect("it was printed");
        kilobytes.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
    }
}

/// Runs the program in this process, with the arguments behind the first; then prints what the kernel knows of its memory.
pub fn measure_memory() -> ExitCode {
    let words = ["xtask".to_owned()].into_iter().chain(std::env::args().skip(2));
    let matches = Arguments::command().get_matches_from(words);
    let arguments = Arguments::from_arg_matches(&matches).expect("they are the arguments of the program");
    let code = execute(&arguments.command, &arguments.global);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM:")).unwrap());
    code
}
