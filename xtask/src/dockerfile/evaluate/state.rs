//! What a stage is, one instruction after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chain::{Base, Chain, Reach};
use super::facts::{Check, CommandLine, EnvironmentVariable, Fact, Setting, StageFacts, Step, StepKind};
use super::{paths, ports};
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::expand::{Expanded, expand};
use crate::dockerfile::lines::MAX_ERRORS;
use crate::dockerfile::scope::{Outside, Scope};
use crate::dockerfile::{
    Argument, Command, Dockerfile, Healthcheck, Instruction, Keyword, Kind, Pair, Reason, Unknown, Value, Word, time,
};

/// The most bytes that all values of a stage have together.
const MAX_TOTAL: usize = 64 << 20;
/// The longest path that Linux opens.
const MAX_PATH: usize = 4096;

/// Evaluates a stage and its parents.
pub(super) fn run(
    dockerfile: &Dockerfile,
    chain: &Chain,
    reach: Reach,
    global: &Scope,
    args: &BTreeMap<String, String>,
) -> Result<StageFacts, Vec<DockerfileError>> {
    let outside = if chain.base == Base::Scratch { Outside::Nobody } else { Outside::Image };
    let root = &dockerfile.stages()[chain.stages[0]];
    let mut state = State {
        dockerfile,
        args,
        global,
        scope: Scope::stage(outside),
        facts: facts(chain, reach),
        workdir: workdir(&chain.base, root.base.span),
        user: None,
        shell: vec!["/bin/sh".to_owned(), "-c".to_owned()],
        stage: 0,
        number: 0,
        triggers: Vec::new(),
        is_cmd_set: false,
        variables: BTreeMap::new(),
        total: 0,
    };
    state.platform(root.platform.as_ref()).map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    for stage in &chain.stages {
        let Some(stage) = dockerfile.stages().get(*stage) else { continue };
        (state.stage, state.is_cmd_set) = (stage.index, false);
        let numbers = std::mem::take(&mut state.triggers);
        for (number, trigger) in numbers.into_iter().zip(std::mem::take(&mut state.facts.triggers)) {
            state.number = number;
            errors.extend(state.apply(&trigger.value).err());
        }
        for (number, instruction) in stage.instructions.clone().zip(dockerfile.stage_instructions(stage)) {
            if errors.len() >= MAX_ERRORS {
                return Err(errors);
            }
            state.number = number;
            errors.extend(state.apply(instruction).err());
        }
    }
    if errors.is_empty() { Ok(state.facts) } else { Err(errors) }
}

fn facts(chain: &Chain, reach: Reach) -> StageFacts {
    StageFacts {
        stage: chain.stages.last().copied().unwrap_or_default(),
        chain: chain.stages.clone(),
        base: chain.base.clone(),
        platform: None,
        entrypoint: None,
        cmd: Setting::Inherited,
        shell: None,
        user: None,
        workdir: None,
        env: Vec::new(),
        arguments: BTreeMap::new(),
        exposed: Vec::new(),
        volumes: Vec::new(),
        stop_signal: None,
        healthcheck: None,
        labels: BTreeMap::new(),
        triggers: Vec::new(),
        maintainer: None,
        steps: Vec::new(),
        reach,
    }
}

/// The folder that a stage begins in.
fn workdir(base: &Base, span: crate::dockerfile::Extent) -> Arc<Value> {
    let known = Value::Known("/".to_owned());
    Arc::new(match base {
        Base::Scratch => known,
        _ => Value::new("/".to_owned(), vec![Unknown { name: "WORKDIR".to_owned(), span, reason: Reason::Base }]),
    })
}

pub(super) struct State<'d> {
    pub dockerfile: &'d Dockerfile,
    args: &'d BTreeMap<String, String>,
    global: &'d Scope,
    pub scope: Scope,
    pub facts: StageFacts,
    pub workdir: Arc<Value>,
    user: Option<Arc<Value>>,
    shell: Vec<String>,
    /// The stage that is being built.
    pub stage: usize,
    /// The instruction.
    number: usize,
    /// Those of `facts.triggers`.
    triggers: Vec<usize>,
    is_cmd_set: bool,
    /// Where each name stands in `facts.env`.
    variables: BTreeMap<String, usize>,
    total: usize,
}

impl State<'_> {
    fn platform(&mut self, platform: Option<&Word>) -> Result<(), DockerfileError> {
        let Some(platform) = platform else { return Ok(()) };
        let value = expand(platform, self.global, self.dockerfile.escape())?.value;
        if value.otherwise().starts_with("windows") {
            self.shell = ["cmd", "/S", "/C"].map(str::to_owned).to_vec();
        }
        self.facts.platform = Some(value);
        Ok(())
    }

    fn expanded(&mut self, word: &Word) -> Result<Expanded, DockerfileError> {
        let expanded = expand(word, &self.scope, self.dockerfile.escape())?;
        self.count(expanded.value.otherwise().len(), word)?;
        Ok(expanded)
    }

    /// Adds to the size of all values; files that were made to grow end here.
    pub fn count(&mut self, bytes: usize, word: &Word) -> Result<(), DockerfileError> {
        self.total += bytes;
        if self.total > MAX_TOTAL {
            let error = DockerfileError::new(word.span, "the values of this stage grow beyond 64 megabytes");
            return Err(error.help("write them shorter"));
        }
        Ok(())
    }

    pub fn value(&mut self, word: &Word) -> Result<Value, DockerfileError> {
        Ok(self.expanded(word)?.value)
    }

    fn apply(&mut self, instruction: &Instruction) -> Result<(), DockerfileError> {
        match &instruction.kind {
            Kind::From { .. } => {}
            Kind::Arg(arguments) => arguments.iter().try_for_each(|argument| self.argument(instruction, argument))?,
            Kind::Env(pairs) => self.environment(instruction, pairs)?,
            Kind::Label(pairs) => {
                for Pair { name, value } in pairs {
                    let (name, value) = (self.value(name)?, self.value(value)?);
                    self.facts.labels.insert(name.otherwise().to_owned(), fact(instruction, value));
                }
            }
            Kind::Cmd(command) => {
                self.is_cmd_set = true;
                self.facts.cmd = Setting::Set(fact(instruction, self.command_line(command)));
            }
            Kind::Entrypoint(command) => {
                self.facts.entrypoint = Some(fact(instruction, self.command_line(command)));
                if !self.is_cmd_set {
                    self.facts.cmd = Setting::Reset(instruction.span);
                }
            }
            Kind::Shell(words) => {
                self.shell = words.iter().map(|word| word.text().to_owned()).collect();
                self.facts.shell = Some(fact(instruction, self.shell.clone()));
            }
            Kind::Expose(words) => words.iter().try_for_each(|word| self.expose(instruction, word))?,
            Kind::User(word) => {
                let value = self.value(word)?;
                self.user = Some(Arc::new(value.clone()));
                self.facts.user = Some(fact(instruction, value));
            }
            Kind::Workdir(word) => self.enter(instruction, word)?,
            Kind::Volume(words) => {
                for word in words {
                    let value = self.value(word)?;
                    self.facts.volumes.push(fact(instruction, value));
                }
            }
            Kind::Stopsignal(word) => self.facts.stop_signal = Some(fact(instruction, self.value(word)?)),
            Kind::Healthcheck(check) => self.facts.healthcheck = Some(fact(instruction, check_of(instruction, check))),
            Kind::Onbuild(trigger) => {
                // the texts of its heredocs stand with the ONBUILD
                let trigger = Instruction { heredocs: instruction.heredocs.clone(), ..(**trigger).clone() };
                self.triggers.push(self.number);
                self.facts.triggers.push(fact(instruction, trigger));
            }
            Kind::Maintainer(word) => self.facts.maintainer = Some(fact(instruction, word.text().to_owned())),
            Kind::Run(run) => {
                let step = self.run_step(instruction, run)?;
                self.step(instruction, StepKind::Run(Box::new(step)));
            }
            Kind::Copy(transfer) | Kind::Add(transfer) => {
                let step = self.copy_step(instruction, transfer, instruction.keyword == Keyword::Add)?;
                self.step(instruction, StepKind::Copy(Box::new(step)));
            }
        }
        Ok(())
    }

    fn step(&mut self, instruction: &Instruction, kind: StepKind) {
        self.facts.steps.push(Step {
            stage: self.stage,
            instruction: self.number,
            span: instruction.span,
            line: *instruction.lines.start(),
            workdir: self.workdir.clone(),
            user: self.user.clone(),
            kind,
        });
    }

    fn argument(&mut self, instruction: &Instruction, argument: &Argument) -> Result<(), DockerfileError> {
        let name = self.value(&argument.name)?.otherwise().to_owned();
        let value = match (self.args.get(&name), &argument.default) {
            (Some(given), _) => Some(Value::Known(given.clone())),
            (None, Some(default)) => Some(self.value(default)?),
            (None, None) => self.global.value(&name).cloned(),
        };
        match &value {
            Some(value) => self.scope.set(&name, value.clone()),
            None => self.scope.declare(&name, argument.name.span),
        }
        let value = value.or_else(|| self.scope.value(&name).cloned());
        self.facts.arguments.insert(name, fact(instruction, value));
        Ok(())
    }

    /// No value of an `ENV` sees the others of the same line.
    fn environment(&mut self, instruction: &Instruction, pairs: &[Pair]) -> Result<(), DockerfileError> {
        let mut values = Vec::new();
        for Pair { name, value } in pairs {
            values.push((self.value(name)?.otherwise().to_owned(), self.value(value)?));
        }
        for (name, value) in values {
            self.scope.set(&name, value.clone());
            let value = fact(instruction, value);
            let next = self.facts.env.len();
            let index = *self.variables.entry(name.clone()).or_insert(next);
            match self.facts.env.get_mut(index) {
                Some(variable) => variable.value = value,
                None => self.facts.env.push(EnvironmentVariable { name, value }),
            }
        }
        Ok(())
    }

    fn expose(&mut self, instruction: &Instruction, word: &Word) -> Result<(), DockerfileError> {
        let expanded = self.expanded(word)?;
        if expanded.value.known().is_none() {
            self.facts.exposed.push(fact(instruction, super::Ports::Unknown(expanded.value)));
            return Ok(());
        }
        for text in expanded.words {
            let ports = ports::read(&text).map_err(|problem| {
                let error = DockerfileError::new(word.span, format!("`{text}` {problem}"));
                error.help("write a port as `8080`, `8080/udp` or `8000-8010`")
            })?;
            self.facts.exposed.push(fact(instruction, ports));
        }
        Ok(())
    }

    fn enter(&mut self, instruction: &Instruction, word: &Word) -> Result<(), DockerfileError> {
        let written = self.value(word)?;
        let workdir = self.below_workdir(&written);
        if workdir.otherwise().len() > MAX_PATH {
            return Err(DockerfileError::new(word.span, "this path is longer than 4096 bytes").help("write it shorter"));
        }
        self.workdir = Arc::new(workdir.clone());
        self.facts.workdir = Some(fact(instruction, workdir));
        self.step(instruction, StepKind::Workdir(self.workdir.clone()));
        Ok(())
    }

    /// A path made absolute: unknown when it is, or when the folder is that it is below.
    pub fn below_workdir(&self, path: &Value) -> Value {
        let joined = paths::join(self.workdir.otherwise(), path.otherwise());
        if path.known().is_some_and(paths::is_absolute) {
            return Value::Known(joined);
        }
        let because = path.because().iter().chain(self.workdir.because());
        let is_absolute = paths::is_absolute(path.otherwise());
        Value::new(joined, if is_absolute { path.because().to_vec() } else { because.cloned().collect() })
    }

    pub fn command_line(&self, command: &Command) -> CommandLine {
        match command {
            Command::Exec(words) => {
                CommandLine { words: words.iter().map(|word| word.text().to_owned()).collect(), is_shell: false }
            }
            Command::Shell(line) => {
                let words = self.shell.iter().map(String::as_str).chain([line.text()]);
                CommandLine { words: words.map(str::to_owned).collect(), is_shell: true }
            }
        }
    }
}

pub(super) fn fact<T>(instruction: &Instruction, value: T) -> Fact<T> {
    Fact { value, span: instruction.span, line: *instruction.lines.start() }
}

fn check_of(instruction: &Instruction, check: &Healthcheck) -> Check {
    let time = |name| {
        let time = instruction.flag(name).and_then(|word| time::duration(word.text()).ok());
        time.filter(|nanoseconds| *nanoseconds > 0)
    };
    let test = match check {
        Healthcheck::None => vec!["NONE".to_owned()],
        Healthcheck::Command(Command::Shell(line)) => vec!["CMD-SHELL".to_owned(), line.text().to_owned()],
        Healthcheck::Command(Command::Exec(words)) => {
            ["CMD"].into_iter().chain(words.iter().map(Word::text)).map(str::to_owned).collect()
        }
    };
    Check {
        test,
        interval: time("interval"),
        timeout: time("timeout"),
        start_period: time("start-period"),
        start_interval: time("start-interval"),
        retries: instruction.flag("retries").and_then(|word| word.text().parse().ok()),
    }
}
