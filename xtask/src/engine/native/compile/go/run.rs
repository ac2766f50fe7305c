//! One run of `go build`: what it says meanwhile, and the file that comes out.

use std::io;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::process::Command;

use super::super::process::{self, Line};
use super::super::teller::{Said, Teller, done, other};
use super::{GoOptions, GoProgram, flags};
use crate::engine::{EngineError, StepState};
use crate::workspace::state;

/// A program that is compiled.
#[derive(Debug)]
pub(super) struct GoRun<'a> {
    pub program: &'a GoProgram,
    pub options: &'a GoOptions,
    pub teller: Teller<'a>,
}

/// What a line of the log may mean.
const HINTS: &[(&str, &str)] = &[
    ("inconsistent vendoring", "run `go mod vendor` and commit the folder"),
    ("updates to go.mod needed", "run `go mod tidy` and commit go.mod and go.sum"),
    ("missing go.sum entry", "run `go mod tidy` and commit go.mod and go.sum"),
    ("no required module provides package", "run `go mod tidy` and commit go.mod and go.sum"),
    ("module lookup disabled by GOPROXY=off", "run `go mod download` once with a network, or leave out --offline"),
    ("dial tcp", "modules cannot be fetched; `go mod vendor` brings them into the workspace"),
    ("note: module requires Go", "the module wants a newer Go than this machine has"),
    ("requires go >=", "the module wants a newer Go than this machine has"),
    ("build constraints exclude all Go files", "a package has no file for this platform and these tags"),
    ("signal: killed", "something ended the compiler, such as a machine out of memory"),
];

/// What Go said so far.
#[derive(Debug, Default)]
struct Heard {
    /// Packages that were compiled: with `-v` Go names nothing else, one on a line.
    compiled: usize,
    said: Said,
}

impl GoRun<'_> {
    /// Compiles; gives the executable, where Go writes it.
    pub(super) async fn compile(&self) -> Result<Utf8PathBuf, EngineError> {
        self.teller.tell(StepState::Started);
        let (started, mut heard) = (Instant::now(), Heard::default());
        let output = self.output().map_err(other)?;
        let mut command = Command::new(&self.options.go);
        command.args(flags::arguments(self.program, &output));
        command.current_dir(self.options.root.join(&self.program.module));
        command.env_clear().envs(flags::environment(self.options, Some(self.program)));
        let status = process::run(command, |line| self.hear(&mut heard, line)).await;
        let status = status.map_err(|error| other(format!("`{}`: {error}", self.options.go)))?;
        if !status.success() {
            let failure = self.teller.failed("go", status, heard.said, HINTS);
            return Err(EngineError::BuildFailed(Box::new(failure)));
        }
        self.teller.log(format!("{} packages compiled", heard.compiled));
        self.teller.tell(done(started));
        Ok(output)
    }

    /// Where Go writes the executable, and a place for what it writes before.
    fn output(&self) -> io::Result<Utf8PathBuf> {
        state::folder(&self.options.folder, "tmp")?;
        let folder = state::folder(&self.options.folder, Utf8Path::new("bin").join(self.program.key()))?;
        let output = folder.join(self.program.file_name());
        // Go would write what a link leads to
        if output.is_symlink() {
            fs_err::remove_file(&output)?;
        }
        Ok(output)
    }

    fn hear(&self, heard: &mut Heard, line: Line) {
        let (Line::Out(line) | Line::Err(line)) = line;
        self.teller.pass_on(line).into_iter().for_each(|line| heard.line(line));
    }
}

impl Heard {
    fn line(&mut self, line: String) {
        // `# example.com/tool` says whose errors follow
        let is_package = !line.contains([' ', ':']);
        if is_package {
            self.compiled += 1;
        }
        let is_error = !is_package && !line.starts_with("# ") && !line.starts_with("go: downloading ");
        self.said.line(line, is_error);
    }
}
