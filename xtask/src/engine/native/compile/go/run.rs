//! One run of `go build`: what it says meanwhile, and the file that comes out.

use std::collections::VecDeque;
use std::process::ExitStatus;
use std::time::Instant;

use camino::Utf8PathBuf;
use tokio::process::Command;

use super::super::elf::Misfit;
use super::super::process::{self, Line};
use super::{GoOptions, GoProgram, flags};
use crate::engine::lines::Lines;
use crate::engine::{EngineError, Event, Events, LOG_TAIL, Step, StepFailure, StepState};

/// A program that is compiled.
#[derive(Debug)]
pub(super) struct GoRun<'a> {
    pub program: &'a GoProgram,
    pub options: &'a GoOptions,
    pub events: &'a Events,
    pub step: Step,
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
    tail: VecDeque<String>,
    /// The first line that is an error.
    error: Option<String>,
}

impl GoRun<'_> {
    /// Compiles; gives the executable, where Go writes it.
    pub(super) async fn compile(&self) -> Result<Utf8PathBuf, EngineError> {
        self.tell(StepState::Started);
        let (started, mut heard) = (Instant::now(), Heard::default());
        let output = self.options.folder.join("bin").join(self.program.key()).join(self.program.file_name());
        let folders = [output.parent().unwrap_or(&output).to_owned(), self.options.folder.join("tmp")];
        for folder in folders {
            fs_err::create_dir_all(&folder).map_err(|error| self.other(&error.to_string()))?;
        }
        let mut command = Command::new(&self.options.go);
        command.args(flags::arguments(self.program, &output));
        command.current_dir(self.options.root.join(&self.program.module));
        command.env_clear().envs(flags::environment(self.options, Some(self.program)));
        let status = process::run(command, |line| self.hear(&mut heard, line)).await;
        let status = status.map_err(|error| self.other(&format!("`{}`: {error}", self.options.go)))?;
        if !status.success() {
            return Err(self.failure(heard, status));
        }
        let millis = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        self.log(format!("{} packages compiled", heard.compiled));
        self.tell(StepState::Done { millis: millis.max(1) });
        Ok(output)
    }

    fn hear(&self, heard: &mut Heard, line: Line) {
        let (Line::Out(mut line) | Line::Err(mut line)) = line;
        line.push(b'\n');
        for line in Lines::default().push(&line) {
            self.log(line.clone());
            heard.line(line);
        }
    }

    fn failure(&self, heard: Heard, status: ExitStatus) -> EngineError {
        let message = heard.error.unwrap_or_else(|| format!("go ended with {status}"));
        self.tell(StepState::Failed { message: message.clone() });
        let hint = HINTS.iter().find(|(word, _)| heard.tail.iter().any(|line| line.contains(word)));
        EngineError::BuildFailed(Box::new(StepFailure {
            image: self.options.job.clone(),
            step: Some(self.step.name.clone()),
            exit_code: status.code().map(i64::from),
            message,
            log: heard.tail.into(),
            hint: hint.map(|(_, hint)| (*hint).to_owned()),
        }))
    }

    fn other(&self, message: &str) -> EngineError {
        EngineError::Other { action: "compile".to_owned(), message: message.to_owned() }
    }

    fn tell(&self, state: StepState) {
        let (image, step) = (self.options.job.clone(), self.step.clone());
        self.events.emit(Event::Step { image, step, state });
    }

    fn log(&self, line: String) {
        let (image, step) = (self.options.job.clone(), self.step.clone());
        self.events.emit(Event::Log { image, step, line });
    }
}

impl Heard {
    fn line(&mut self, line: String) {
        // `# example.com/tool` says whose errors follow
        let is_package = !line.contains([' ', ':']);
        if is_package {
            self.compiled += 1;
        } else if self.error.is_none() && !line.starts_with("# ") && !line.starts_with("go: downloading ") {
            self.error = Some(line.clone());
        }
        if self.tail.len() == LOG_TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }
}

/// A program that is not what was asked for.
pub(super) fn refusal(program: &GoProgram, options: &GoOptions, Misfit { message, hint }: Misfit) -> EngineError {
    EngineError::BuildFailed(Box::new(StepFailure {
        image: options.job.clone(),
        step: Some(program.step_name()),
        message,
        hint: Some(hint),
        ..StepFailure::default()
    }))
}
