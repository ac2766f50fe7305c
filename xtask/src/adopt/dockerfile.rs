//! From a Dockerfile to facts: what its last stage is, by the reader of Dockerfiles, with what is around it.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::base::{self, Family};
use super::context::Context;
use super::facts::{
    BaseFacts, DockerfileOrigin, Facts, HealthFacts, Inferred, Linking, Origin, PackageInstall, PortFacts, RunFacts,
    Start, UserFacts,
};
use super::image::is_version;
use super::start::{Place, absolute};
use super::user::{KnownAccounts, user};
use super::{name, packages};
use crate::dockerfile::{
    self, Accounts, Base, Check, Dockerfile, Kind, Ports, Setting, StageFacts, StepKind, Value, evaluate,
};
use crate::workspace::Copied;

/// Labels that say what an image is, by the OCI image specification.
const VERSION: &str = "org.opencontainers.image.version";
const DESCRIPTION: &str = "org.opencontainers.image.description";
/// Arguments and variables that hold the version of what is built.
const VERSIONS: [&str; 3] = ["VERSION", "APP_VERSION", "RELEASE_VERSION"];
/// How much of a command tells which one it is, in characters.
const BEGIN: usize = 60;

/// A Dockerfile that was read.
#[derive(Debug, Clone)]
pub struct AdoptedDockerfile {
    /// Relative to the root of the workspace.
    pub path: String,
    /// What stands in it.
    pub file: Dockerfile,
}

/// What is around a Dockerfile.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// What is at the paths of [`wanted`], relative to the root of the workspace.
    pub copied: &'a BTreeMap<Utf8PathBuf, Copied>,
    /// What the workspace is called.
    pub root: &'a str,
}

/// Paths to look at, relative to the root of the workspace.
pub fn wanted(adopted: &AdoptedDockerfile) -> Vec<Utf8PathBuf> {
    let stage = evaluate(&adopted.file, None, &BTreeMap::new());
    stage.map(|stage| Context::wanted(&adopted.path, &adopted.file, &stage)).unwrap_or_default()
}

/// What is known of the component that a Dockerfile makes. Its name is not yet unique.
///
/// # Errors
/// Why no build of it can begin.
pub fn facts(adopted: &AdoptedDockerfile, around: &Surroundings<'_>) -> Result<Facts, String> {
    let name = name::of_dockerfile(&adopted.path, around.root);
    let stage = evaluate(&adopted.file, None, &BTreeMap::new()).map_err(|errors| {
        let line = |at: usize| adopted.file.text().get(..at).unwrap_or_default().matches('\n').count() + 1;
        let first = errors.first().map(|error| format!("line {}: {error}", line(error.span.start)));
        first.unwrap_or_else(|| "it cannot be evaluated".to_owned())
    })?;
    Ok(of_stage(name, adopted, &stage, around))
}

/// Nothing but the name and the path.
fn plain(name: String, adopted: &AdoptedDockerfile) -> Facts {
    let folder = adopted.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    Facts {
        name,
        origin: Origin::Dockerfile(DockerfileOrigin {
            path: adopted.path.clone(),
            context: folder.to_owned(),
            target: None,
        }),
        description: None,
        owner: None,
        version: None,
        base: BaseFacts { reference: String::new(), family: Family::Other },
        start: Start::default(),
        user: UserFacts { written: None, numbers: None, because: String::new(), line: None },
        workdir: None,
        ports: BTreeSet::new(),
        env: BTreeMap::new(),
        volumes: BTreeSet::new(),
        stop_signal: None,
        healthcheck: None,
        libc: Linking::Unknown,
        needs: BTreeMap::new(),
        installs: Vec::new(),
        runs: Vec::new(),
        files: Vec::new(),
        questions: Vec::new(),
        obstacle: None,
    }
}

fn of_stage(name: String, adopted: &AdoptedDockerfile, stage: &StageFacts, around: &Surroundings<'_>) -> Facts {
    let mut facts = plain(name, adopted);
    let context = Context::of(&adopted.path, &adopted.file, around.copied);
    if let Origin::Dockerfile(origin) = &mut facts.origin {
        origin.context = context.folder.to_string();
    }
    if let Some(question) = &context.question {
        facts.ask("context", question.clone());
    }
    if adopted.file.escape() != '\\' {
        facts.ask("manifest", "write it with `\\` at the ends of continued lines, and without `# escape`: a merged Dockerfile has one escape character");
        facts.obstacle =
            Some("it has another escape character than the Dockerfile that it would become part of".to_owned());
    }
    base_of(&mut facts, adopted, stage);
    labels(&mut facts, stage);
    environment(&mut facts, stage);
    commands(&mut facts, stage);
    facts.files = context.files(stage);
    facts.libc = if context.has_linked_programs(stage) { facts.base.family.libc() } else { Linking::None };
    facts.needs = context.scripts(stage);
    context.other_scripts(stage).into_iter().for_each(|question| facts.ask("role", question));
    start(&mut facts, stage);
    let accounts = accounts(adopted, stage, &context);
    facts.user = user_of(stage, &facts.base.reference, &accounts);
    rest(&mut facts, stage);
    facts
}

fn base_of(facts: &mut Facts, adopted: &AdoptedDockerfile, stage: &StageFacts) {
    let reference = match &stage.base {
        Base::Scratch => "scratch".to_owned(),
        Base::Image { reference, span } => {
            if let Some(reasons) = unknown(reference) {
                let line = stage.chain.first().and_then(|first| adopted.file.stages().get(*first));
                let line = line.and_then(|first| adopted.file.stage_instructions(first).first());
                let at = line.map_or(0, |from| *from.lines.start());
                facts.ask("args", format!("line {at}: what is it built from? {reasons}"));
                facts.obstacle.get_or_insert(format!(
                    "line {at} of its Dockerfile does not say what it is built from: {reasons}"
                ));
            }
            reference.known().unwrap_or_else(|| span.of(adopted.file.text())).to_owned()
        }
        // a chain ends with what is no stage
        Base::Stage(number) => number.to_string(),
    };
    facts.base = BaseFacts { family: Family::of(&reference), reference };
}

/// Why a value is not known.
fn unknown(value: &Value) -> Option<String> {
    let reasons: Vec<String> = value.because().iter().map(dockerfile::Unknown::explain).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// A known value of one line.
fn line_of(value: &Value) -> Option<&str> {
    value.known().filter(|text| !text.is_empty() && !text.contains(char::is_control))
}

fn labels(facts: &mut Facts, stage: &StageFacts) {
    let label =
        |key: &str| stage.labels.get(key).and_then(|label| Some((line_of(&label.value)?.to_owned(), label.line)));
    facts.description = label(DESCRIPTION).map(|(text, _)| text);
    facts.owner =
        label("maintainer").map(|(value, line)| Inferred { value, from: format!("line {line}, the maintainer") });
    let by_label =
        label(VERSION).map(|(value, line)| Inferred { value, from: format!("line {line}, LABEL {VERSION}") });
    let by_argument = VERSIONS.iter().find_map(|name| {
        let argument = stage.arguments.get(*name)?;
        let value = line_of(argument.value.as_ref()?)?.to_owned();
        Some(Inferred { value, from: format!("line {}, ARG {name}", argument.line) })
    });
    let by_variable = VERSIONS.iter().find_map(|name| {
        let variable = stage.env.iter().find(|variable| variable.name == *name)?;
        let value = line_of(&variable.value.value)?.to_owned();
        Some(Inferred { value, from: format!("line {}, ENV {name}", variable.value.line) })
    });
    facts.version = by_label.or(by_argument).or(by_variable).filter(|version| is_version(&version.value));
}

fn environment(facts: &mut Facts, stage: &StageFacts) {
    for variable in &stage.env {
        let (name, line) = (&variable.name, variable.value.line);
        match (variable.value.value.known(), unknown(&variable.value.value)) {
            (Some(value), _) if !value.contains(char::is_control) => {
                facts.env.insert(name.clone(), value.to_owned());
            }
            (Some(_), _) => {
                facts.ask("role", format!("line {line}: the variable {name} has several lines; who sets it?"))
            }
            (None, reasons) => {
                let reasons = reasons.unwrap_or_default();
                facts.ask("role", format!("line {line}: what is the variable {name}? {reasons}"));
            }
        }
    }
}

/// What its RUNs do: those of the last stage, and of the stages that it is made of.
fn commands(facts: &mut Facts, stage: &StageFacts) {
    for step in &stage.steps {
        let StepKind::Run(run) = &step.kind else { continue };
        let text = run.command.words.last().map_or("", |text| text.trim());
        let begin: String = text.lines().next().unwrap_or_default().chars().take(BEGIN).collect();
        let begin = begin.trim_end_matches(['\\', '&', ' ']).to_owned();
        let is_plain = run.command.is_shell && run.heredocs.is_empty();
        match packages::installed(text).filter(|_| is_plain) {
            Some((manager, packages)) => facts.installs.push(PackageInstall {
                manager: manager.to_owned(),
                packages,
                text: begin,
                line: step.line,
            }),
            None => facts.runs.push(RunFacts { text: begin, line: step.line }),
        }
    }
}

fn start(facts: &mut Facts, stage: &StageFacts) {
    let entrypoint = stage.entrypoint.as_ref().filter(|fact| !fact.value.words.is_empty());
    let cmd = match &stage.cmd {
        Setting::Set(fact) if !fact.value.words.is_empty() => Some(fact),
        _ => None,
    };
    let Some(fact) = entrypoint.or(cmd) else {
        let base = &facts.base.reference;
        let text = format!("neither ENTRYPOINT nor CMD says how it is started, and those of {base} are not known here");
        facts.ask("command", text.clone());
        facts.obstacle.get_or_insert(format!("{text}: write [roles.{}]", facts.name));
        return;
    };
    if entrypoint.is_none() && !base::has_no_entrypoint(&facts.base.reference) {
        facts.ask("command", format!("the CMD is taken for all of it; has {} an ENTRYPOINT?", facts.base.reference));
    }
    if fact.value.is_shell {
        facts.needs.insert("shell".to_owned(), format!("line {}: its command is in shell form", fact.line));
    }
    let paths: BTreeSet<&str> = facts.files.iter().map(|file| file.path.as_str()).collect();
    let workdir = stage.workdir.as_ref().and_then(|workdir| workdir.value.known());
    let place = Place { workdir, env: &facts.env, files: &paths };
    let mut words = fact.value.words.clone();
    let args = cmd.filter(|_| entrypoint.is_some() && !fact.value.is_shell).map(|cmd| cmd.value.words.clone());
    let args = args.unwrap_or_default();
    let has_controls = words.iter().chain(&args).any(|word| word.contains(char::is_control));
    let program = match absolute(&words[0], place) {
        Ok(program) if !has_controls => program,
        Ok(_) => return refuse_start(facts, format!("line {}: its command has several lines", fact.line)),
        Err(why) => return refuse_start(facts, format!("line {}: {why}", fact.line)),
    };
    words[0].clone_from(&program);
    if program.ends_with(".sh") {
        facts.needs.entry("shell".to_owned()).or_insert_with(|| format!("{program} is a script, by its name"));
    }
    if matches!(program.as_str(), "/bin/sh" | "/bin/ash" | "/bin/dash" | "/bin/busybox") {
        facts
            .needs
            .entry("shell".to_owned())
            .or_insert_with(|| format!("line {}: it is started by {program}", fact.line));
    }
    facts.start = Start { command: words, args, is_entrypoint: entrypoint.is_some(), line: Some(fact.line) };
}

fn refuse_start(facts: &mut Facts, why: String) {
    facts.ask("command", why.clone());
    facts.obstacle.get_or_insert(why);
}

/// The accounts that are in the image, as far as the Dockerfile tells.
fn accounts(adopted: &AdoptedDockerfile, stage: &StageFacts, context: &Context<'_>) -> KnownAccounts {
    let mut made = Accounts::default();
    if context.copies_accounts_of_a_stage(stage) {
        for instruction in adopted.file.instructions() {
            if let Kind::Run(dockerfile::Run { command: dockerfile::Command::Shell(text), .. }) = &instruction.kind {
                made.learn(text.text());
            }
        }
    }
    for step in &stage.steps {
        if let StepKind::Run(run) = &step.kind {
            made.learn(run.command.words.last().map_or("", String::as_str));
        }
    }
    let copied = |path| context.text_at(stage, path);
    KnownAccounts { made, passwd: copied("/etc/passwd"), groups: copied("/etc/group") }
}

fn user_of(stage: &StageFacts, base: &str, accounts: &KnownAccounts) -> UserFacts {
    match &stage.user {
        None => user(None, None, base, accounts),
        Some(fact) => match (line_of(&fact.value), unknown(&fact.value)) {
            (Some(written), _) => user(Some(written), Some(fact.line), base, accounts),
            (None, reasons) => {
                let because = format!("line {}: {}", fact.line, reasons.unwrap_or_else(|| "USER is empty".to_owned()));
                UserFacts { written: None, numbers: None, because, line: Some(fact.line) }
            }
        },
    }
}

/// Times as durations, each in the largest unit without a rest.
fn health(check: &Check) -> HealthFacts {
    let time = |nanoseconds: Option<u64>| {
        nanoseconds.filter(|time| *time > 0).map(|time| match (time % 1_000_000_000, time % 1_000_000) {
            (0, _) => format!("\"{}s\"", time / 1_000_000_000),
            (_, 0) => format!("\"{}ms\"", time / 1_000_000),
            _ => format!("\"{time}ns\""),
        })
    };
    let settings = [
        ("interval", time(check.interval)),
        ("timeout", time(check.timeout)),
        ("start-period", time(check.start_period)),
        ("retries", check.retries.filter(|retries| *retries > 0).map(|retries| retries.to_string())),
    ];
    let settings = settings.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    HealthFacts { test: check.test.clone(), settings }
}

/// Folder, ports, volumes, the signal and the health check.
fn rest(facts: &mut Facts, stage: &StageFacts) {
    if let Some(workdir) = &stage.workdir {
        match workdir.value.known() {
            Some(path) => facts.workdir = Some(path.to_owned()),
            None => {
                let base = facts.base.reference.clone();
                facts.ask(
                    "role",
                    format!("line {}: which folder is it started in? That of {base} is part of it", workdir.line),
                );
            }
        }
    }
    for ports in &stage.exposed {
        match &ports.value {
            Ports::Known { first, last, protocol } => {
                let all = (*first..=*last).filter(|port| *port > 0);
                facts.ports.extend(all.map(|port| PortFacts { port, protocol: protocol.clone() }));
            }
            Ports::Unknown(value) => {
                let reasons = unknown(value).unwrap_or_default();
                facts.ask("role", format!("line {}: which port is exposed? {reasons}", ports.line));
            }
        }
    }
    for volume in &stage.volumes {
        match line_of(&volume.value) {
            Some(path) if path.starts_with('/') => _ = facts.volumes.insert(path.to_owned()),
            _ => facts.ask("role", format!("line {}: which folder is the volume?", volume.line)),
        }
    }
    facts.stop_signal = stage.stop_signal.as_ref().and_then(|signal| line_of(&signal.value)).map(str::to_owned);
    if let Some(check) = &stage.healthcheck {
        facts.healthcheck = Some(health(&check.value));
        if check.value.test.first().is_some_and(|first| first == "CMD-SHELL") {
            let why = format!("line {}: its HEALTHCHECK is in shell form", check.line);
            facts.needs.entry("shell".to_owned()).or_insert(why);
        }
    }
    if let Some(trigger) = stage.triggers.first() {
        facts.ask(
            "role",
            format!("line {}: ONBUILD is for images that are made from this one; is it still wanted?", trigger.line),
        );
    }
}
