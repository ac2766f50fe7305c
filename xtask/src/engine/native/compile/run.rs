//! One run of cargo: what it is told, what it says meanwhile, which files come out.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::time::Instant;

use camino::Utf8PathBuf;
use cargo_metadata::{Artifact, Message};
use tokio::process::Command;

use super::flags::{self, Places};
use super::process::{self, Line};
use super::reads::{self, Reads};
use super::teller::{Said, Teller, done, other};
use super::toolchain::{Toolchain, triple};
use super::{CompileOptions, Program};
use crate::engine::{EngineError, StepFailure, StepState};
use crate::workspace::cargo::CargoWorkspace;

/// Programs that cargo compiles at once.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub programs: Vec<&'a Program>,
    pub workspace: &'a CargoWorkspace,
    pub toolchain: &'a Toolchain,
    pub options: &'a CompileOptions,
    pub teller: Teller<'a>,
}

/// What a line of the log may mean.
const HINTS: &[(&str, &str)] = &[
    ("SIGKILL", "something ended the compiler, such as a machine out of memory; fewer at once need less: -j 1"),
    ("cannot find -l", NO_LIBRARY),
    ("unable to find library -l", NO_LIBRARY),
    (
        "groupage-multicall",
        "each component of a multi-call program offers a function `run` in its library, as README.md shows it, or names another one with `run` in [build.cargo]",
    ),
    ("--offline was specified", "run `cargo fetch --locked` once with a network, or leave out --offline"),
];
/// Of both linkers' messages.
const NO_LIBRARY: &str =
    "the linker lacks a library; with `link = \"static\"` its lib….a must be there, which Debian has in -dev packages";

/// What cargo said so far.
#[derive(Debug, Default)]
struct Heard {
    artifacts: Vec<Artifact>,
    /// Folders of what build scripts have made.
    made: Vec<Utf8PathBuf>,
    said: Said,
    /// The package that could not be compiled.
    failed: Option<String>,
}

impl Run<'_> {
    /// Compiles; gives the executable of every program, where cargo puts it, and what it was compiled from.
    pub(super) async fn compile(&self) -> Result<BTreeMap<&Program, (Utf8PathBuf, Reads)>, EngineError> {
        self.teller.tell(StepState::Started);
        let started = Instant::now();
        let mut heard = Heard::default();
        let status = process::run(self.command()?, |line| self.hear(&mut heard, line)).await;
        let status = status.map_err(|error| other(format!("`{}`: {error}", self.options.cargo)))?;
        if !status.success() {
            return Err(self.failure(heard, status));
        }
        let fresh = heard.artifacts.iter().filter(|artifact| artifact.fresh).count();
        self.teller.log(format!("{} crates compiled, {fresh} up to date", heard.artifacts.len() - fresh));
        let is_fresh = fresh == heard.artifacts.len();
        self.teller.tell(if is_fresh { StepState::Cached } else { done(started) });
        let executables = self.programs.iter().map(|program| {
            let found = heard.artifacts.iter().find_map(|artifact| self.executable(program, artifact));
            let none = || other(format!("cargo gave no program `{}` of package {}", program.bin, program.package));
            let executable = found.ok_or_else(none)?;
            let paths = reads::listed(&executable).map_err(other)?;
            let made = [&self.options.target_dir].into_iter().chain(&heard.made).cloned().collect();
            Ok((*program, (executable, Reads { root: self.workspace.root.clone(), made, paths })))
        });
        executables.collect()
    }

    fn command(&self) -> Result<Command, EngineError> {
        let Self { workspace, toolchain, options, .. } = self;
        let mut environment = flags::environment(&options.environment);
        let home = flags::cargo_home(&environment);
        let places = Places {
            workspace,
            target_dir: &options.target_dir,
            cargo_home: home.as_deref(),
            library: toolchain.library.as_ref().map(|(folder, name)| (folder.as_path(), name.as_str())),
        };
        let (program, rest) = self.first()?;
        let rustflags = flags::rustflags(&places, program.link, program.vendored);
        environment.extend(toolchain.linkers.clone());
        // unlike RUSTFLAGS it can hold paths with spaces
        environment.insert("CARGO_ENCODED_RUSTFLAGS".to_owned(), rustflags.join("\u{1f}"));
        environment.insert(reads::BASE.0.to_owned(), reads::BASE.1.to_owned());
        if options.rustc != "rustc" {
            environment.insert("RUSTC".to_owned(), options.rustc.clone());
        }
        let mut command = Command::new(&options.cargo);
        command.args(["build", "--release", "--locked", "--color", "never", "--target", rest]);
        command.args(["--message-format", "json-render-diagnostics", "--target-dir", options.target_dir.as_str()]);
        command.args(options.offline.then_some("--offline"));
        command.args(options.jobs.map(|jobs| format!("--jobs={jobs}")));
        command.args(flags::selection(workspace, &self.programs));
        command.current_dir(&workspace.root).env_clear().envs(environment);
        Ok(command)
    }

    /// A program that speaks for all, because platform and flags are the same, and its target.
    fn first(&self) -> Result<(&Program, &'static str), EngineError> {
        let first = self.programs.first().ok_or_else(|| other("there is no program"))?;
        Ok((first, triple(&first.platform)?))
    }

    fn hear(&self, heard: &mut Heard, line: Line) {
        match line {
            Line::Out(line) => match serde_json::from_slice(&line) {
                Ok(Message::CompilerArtifact(artifact)) => heard.artifacts.push(artifact),
                Ok(Message::BuildScriptExecuted(script)) => heard.made.push(script.out_dir),
                _ => {}
            },
            Line::Err(line) => self.teller.pass_on(line).into_iter().for_each(|line| heard.line(line)),
        }
    }

    fn executable(&self, program: &Program, artifact: &Artifact) -> Option<Utf8PathBuf> {
        let key = self.workspace.members.iter().find(|key| key.name == program.package)?;
        let is_own = artifact.manifest_path == self.workspace.packages.get(key)?.folder.join("Cargo.toml");
        let is_bin = artifact.target.is_bin() && artifact.target.name == program.bin;
        artifact.executable.clone().filter(|_| is_own && is_bin)
    }

    fn failure(&self, heard: Heard, status: ExitStatus) -> EngineError {
        let failure = self.teller.failed("cargo", status, heard.said, HINTS);
        let blamed: Vec<&Program> =
            self.programs.iter().filter(|program| heard.failed.as_ref() == Some(&program.package)).copied().collect();
        let step = match blamed[..] {
            // of several programs, the one whose own package failed
            [only] => Some(super::step_name(self.workspace, &[only], None)),
            _ => failure.step,
        };
        EngineError::BuildFailed(Box::new(StepFailure { step, ..failure }))
    }
}

impl Heard {
    fn line(&mut self, line: String) {
        if let Some(rest) = line.strip_prefix("error: could not compile `") {
            self.failed = rest.split_once('`').map(|(package, _)| package.to_owned());
        }
        let is_error = line.starts_with("error");
        self.said.line(line, is_error);
    }
}
