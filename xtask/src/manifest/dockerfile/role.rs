//! The role that follows from the target stage of a Dockerfile.

use std::collections::BTreeMap;

use super::users::Users;
use super::{ReadDockerfile, program};
use crate::diagnostic::{Diagnostic, Problems};
use crate::dockerfile::{Base, Check, CommandLine, Extent, Fact, Ports, Reason, Setting, Unknown, Value};
use crate::manifest::lifecycle::{HealthTest, Healthcheck, Nanoseconds, means_something_else};
use crate::manifest::name::{Need, RoleName};
use crate::manifest::path::ImagePath;
use crate::manifest::role::{Port, Role, User, is_variable_name};
use crate::source::{Span, Spanned};

/// The most ports of one range.
const MAX_PORTS: u16 = 100;

pub(super) struct Context<'a> {
    pub(super) read: &'a ReadDockerfile,
    pub(super) users: &'a Users,
    pub(super) component: &'a str,
}

/// How the image of the stage is started.
struct Start<'f> {
    command: &'f Fact<CommandLine>,
    args: Option<&'f Fact<CommandLine>>,
    is_replaced: bool,
}

impl Context<'_> {
    /// Adds what the Dockerfile says to the roles that leave it open, or its own role where there is none. `place` is that of
    /// the component's name.
    pub(super) fn fill(&self, roles: &mut BTreeMap<RoleName, Box<Role>>, place: Span, problems: &mut Problems) {
        let start = self.start();
        if roles.is_empty()
            && start.is_some()
            && let Ok(name) = self.component.parse::<RoleName>()
        {
            roles.insert(name, Box::new(empty(place)));
        }
        for (name, role) in roles.iter_mut().filter(|(_, role)| role.command.is_empty()) {
            let Some(start) = &start else {
                let message =
                    format!("role `{name}` has no command, and the Dockerfile has neither ENTRYPOINT nor CMD");
                let report = Diagnostic::error("missing-key", message).label(role.span, "");
                problems.push(report.help("write `command = [\"/…\"]`; what the base image starts is not known here"));
                continue;
            };
            self.fill_role(name, role, start, problems);
        }
    }

    fn start(&self) -> Option<Start<'_>> {
        let facts = &self.read.facts;
        let cmd = match &facts.cmd {
            Setting::Set(cmd) if !cmd.value.words.is_empty() => Some(cmd),
            _ => None,
        };
        match facts.entrypoint.as_ref().filter(|entrypoint| !entrypoint.value.words.is_empty()) {
            Some(command) => Some(Start { command, args: cmd, is_replaced: false }),
            None => cmd.map(|command| Start { command, args: None, is_replaced: true }),
        }
    }

    fn span(&self, extent: Extent) -> Span {
        self.read.span(extent)
    }

    fn fill_role(&self, name: &RoleName, role: &mut Role, start: &Start<'_>, problems: &mut Problems) {
        let workdir = self.workdir(problems);
        role.command = self.command(name, start, workdir.as_ref(), problems);
        role.is_replaced = start.is_replaced;
        if role.args.is_empty()
            && let Some(args) = start.args
        {
            role.args = self.words(args, problems);
        }
        if role.workdir.is_none() {
            role.workdir = workdir;
        }
        if matches!(&role.user.value, User::Named(name) if name.is_empty())
            && let Some(user) = self.user(name, problems)
        {
            role.user = user;
        }
        if role.ports.is_empty() {
            role.ports = self.ports(problems);
        }
        self.env(name, role, problems);
        if role.volumes.is_empty() {
            role.volumes = self.volumes(problems);
        }
        if role.stop_signal.is_none()
            && let Some(signal) = &self.read.facts.stop_signal
        {
            role.stop_signal = self.parsed(signal, "STOPSIGNAL", problems);
        }
        if role.healthcheck.is_none()
            && let Some(check) = &self.read.facts.healthcheck
        {
            role.healthcheck = self.healthcheck(check, problems);
        }
        self.needs(role, start);
    }

    /// A known text that another type parses; whatever is wrong is reported at its line.
    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        fact: &Fact<Value>,
        what: &str,
        problems: &mut Problems,
    ) -> Option<Spanned<T>> {
        let span = self.span(fact.span);
        let text = self.known(fact, what, problems)?;
        match text.parse() {
            Ok(value) => Some(Spanned::new(value, span)),
            Err(error) => {
                let error: T::Err = error;
                problems.push(Diagnostic::error("invalid-value", format!("{what}: {error}")).label(span, ""));
                None
            }
        }
    }

    fn known<'f>(&self, fact: &'f Fact<Value>, what: &str, problems: &mut Problems) -> Option<&'f str> {
        if let Some(text) = fact.value.known() {
            return Some(text);
        }
        let why: Vec<String> = fact.value.because().iter().map(Unknown::explain).collect();
        let message = format!("what {what} is here is not known: {}", why.join(", "));
        let report = Diagnostic::error("unknown-value", message).label(self.span(fact.span), "");
        let help = format!("set the argument with `args`, or say it under [roles.{}]", self.component);
        problems.push(report.help(help));
        None
    }

    fn command(
        &self,
        name: &RoleName,
        start: &Start<'_>,
        workdir: Option<&Spanned<ImagePath>>,
        problems: &mut Problems,
    ) -> Vec<Spanned<String>> {
        let mut words = self.words(start.command, problems);
        let Some(first) = words.first_mut() else { return words };
        let folder = workdir.map_or("/", |workdir| workdir.value.as_str());
        let found = program::absolute(&first.value, folder, &self.read.facts);
        match found.filter(|path| path.parse::<ImagePath>().is_ok()) {
            Some(path) => first.value = path,
            None => {
                let message = format!("the program `{}` is not an absolute path", first.value);
                let report = Diagnostic::error("relative-command", message).label(first.span, "");
                let help = format!("write `command = [\"/…\"]` and `user` under [roles.{name}] of the component");
                problems.push(report.help(help));
            }
        }
        words
    }

    fn words(&self, line: &Fact<CommandLine>, problems: &mut Problems) -> Vec<Spanned<String>> {
        let span = self.span(line.span);
        if line.value.words.iter().any(|word| word.chars().any(char::is_control)) {
            let message = "a command of a role has no line breaks or other control characters";
            let report = Diagnostic::error("control-character", message).label(span, "");
            problems.push(report.help("put the lines into a script, and start that"));
        }
        line.value.words.iter().map(|word| Spanned::new(word.clone(), span)).collect()
    }

    fn workdir(&self, problems: &mut Problems) -> Option<Spanned<ImagePath>> {
        let fact = self.read.facts.workdir.as_ref().filter(|fact| fact.value.known() != Some("/"))?;
        self.parsed(fact, "WORKDIR", problems)
    }

    fn user(&self, name: &RoleName, problems: &mut Problems) -> Option<Spanned<User>> {
        let facts = &self.read.facts;
        let Some(fact) = &facts.user else { return self.inherited_user(name, problems) };
        let text = self.known(fact, "USER", problems)?;
        let span = self.span(fact.span);
        let user = self.users.user(text);
        if user.is_none() {
            let message = format!("nothing says the number of the user `{text}`, and a name is not enough");
            let report = Diagnostic::error("unknown-user", message).label(span, "");
            let plain = text.split(':').next().unwrap_or_default();
            let help = format!(
                "write `users = {{ {plain:?} = \"65534:65534\" }}` with its numbers under [build.dockerfile], or `user` under [roles.{name}]"
            );
            problems.push(report.help(help));
        }
        Some(Spanned::new(user?, span))
    }

    /// Without `USER` it is the one of the base image, which is root unless that is known to be otherwise.
    fn inherited_user(&self, name: &RoleName, problems: &mut Problems) -> Option<Spanned<User>> {
        let facts = &self.read.facts;
        let stage = facts.chain.first().and_then(|first| self.read.dockerfile.stages().get(*first));
        let span = self.span(stage.map_or(Extent::new(0, 0), |stage| stage.base.span));
        let reference = match &facts.base {
            Base::Image { reference, .. } => reference.known().unwrap_or_default(),
            Base::Scratch | Base::Stage(_) => "scratch",
        };
        match user_of(reference) {
            Some(number) => Some(Spanned::new(User::Numeric { uid: number, gid: Some(number) }, span)),
            None => {
                let message = format!("the Dockerfile has no USER, and nothing says as whom `{reference}` runs");
                let report = Diagnostic::error("unknown-user", message).label(span, "");
                let help = format!("write `user = \"0:0\"` (or whoever it is) under [roles.{name}] of the component");
                problems.push(report.help(help));
                None
            }
        }
    }

    fn ports(&self, problems: &mut Problems) -> Vec<Port> {
        let mut ports = Vec::new();
        for fact in &self.read.facts.exposed {
            let span = self.span(fact.span);
            match &fact.value {
                Ports::Known { first, last, protocol } if last.saturating_sub(*first) < MAX_PORTS => {
                    let protocol = protocol.parse().unwrap_or_default();
                    let port = |number| Port { number: Spanned::new(number, span), name: None, protocol, when: None };
                    ports.extend((*first..=*last).map(port));
                }
                Ports::Known { .. } => {
                    let message = format!("a role has at most {MAX_PORTS} ports in one range");
                    problems.push(Diagnostic::error("out-of-range", message).label(span, ""));
                }
                Ports::Unknown(value) => {
                    let fact = Fact { value: value.clone(), span: fact.span, line: fact.line };
                    self.known(&fact, "EXPOSE", problems);
                }
            }
        }
        ports.sort_by_key(|port| (port.number.value, port.protocol));
        ports.dedup_by_key(|port| (port.number.value, port.protocol));
        ports
    }

    fn env(&self, name: &RoleName, role: &mut Role, problems: &mut Problems) {
        for variable in &self.read.facts.env {
            let key = &variable.name;
            if role.env.contains_key(key) {
                continue;
            }
            let span = self.span(variable.value.span);
            if !is_variable_name(key) {
                let message = format!("`{key}` is not the name of an environment variable");
                problems.push(Diagnostic::error("invalid-name", message).label(span, ""));
                continue;
            }
            // what nobody can have set is empty, as Docker has it
            let found = &variable.value.value;
            let is_empty = |why: &Unknown| why.reason == Reason::Undeclared;
            let known = found.known().or_else(|| found.because().iter().all(is_empty).then(|| found.otherwise()));
            let Some(value) = known else {
                let why: Vec<String> = variable.value.value.because().iter().map(Unknown::explain).collect();
                let message = format!("the value of `{key}` is not known: {}", why.join(", "));
                let report = Diagnostic::error("unknown-value", message).label(span, "");
                problems.push(report.help(format!("write `env = {{ {key} = \"…\" }}` under [roles.{name}]")));
                continue;
            };
            if value.chars().any(char::is_control) {
                let message = format!("the value of `{key}` has a line break or another control character");
                problems.push(Diagnostic::error("control-character", message).label(span, ""));
                continue;
            }
            role.env.insert(key.clone(), Spanned::new(value.to_owned(), span));
        }
    }

    fn volumes(&self, problems: &mut Problems) -> Vec<Spanned<ImagePath>> {
        self.read.facts.volumes.iter().filter_map(|fact| self.parsed(fact, "VOLUME", problems)).collect()
    }

    fn healthcheck(&self, fact: &Fact<Check>, problems: &mut Problems) -> Option<Spanned<Healthcheck>> {
        let (check, span) = (&fact.value, self.span(fact.span));
        let rest = || check.test.iter().skip(1).cloned().collect::<Vec<_>>();
        let test = match check.test.first().map(String::as_str) {
            Some("CMD") => HealthTest::Command(rest()),
            Some("CMD-SHELL") => HealthTest::Shell(rest().join(" ")),
            _ => HealthTest::Disabled,
        };
        let lines = check.test.iter().any(|word| word.chars().any(char::is_control));
        let is_wrong = lines || matches!(&test, HealthTest::Shell(line) if means_something_else(line));
        if is_wrong {
            let message = "this health check cannot be written again on one line";
            let report = Diagnostic::error("control-character", message).label(span, "");
            problems.push(report.help("put it into a script, and run that"));
            return None;
        }
        Some(Spanned::new(
            Healthcheck {
                test,
                interval: check.interval.map(Nanoseconds),
                timeout: check.timeout.map(Nanoseconds),
                start_period: check.start_period.map(Nanoseconds),
                retries: check.retries,
            },
            span,
        ))
    }

    /// A shell form needs a shell.
    fn needs(&self, role: &mut Role, start: &Start<'_>) {
        let commands = std::iter::once(start.command).chain(start.args).filter(|line| line.value.is_shell);
        let health = self.read.facts.healthcheck.as_ref();
        let health = health.filter(|check| check.value.test.first().is_some_and(|kind| kind == "CMD-SHELL"));
        let places = commands.map(|line| line.span).chain(health.map(|check| check.span));
        let Some(place) = places.min() else { return };
        if let Ok(shell) = "shell".parse::<Need>()
            && !role.needs.iter().any(|need| need.value == shell)
        {
            role.needs.push(Spanned::new(shell, self.span(place)));
        }
    }
}

/// A role that says nothing yet.
fn empty(span: Span) -> Role {
    Role {
        span,
        command: Vec::new(),
        is_replaced: false,
        args: Vec::new(),
        args_style: None,
        probe: None,
        user: Spanned::new(User::Named(String::new()), span),
        workdir: None,
        ports: Vec::new(),
        env: BTreeMap::new(),
        volumes: Vec::new(),
        stop_signal: None,
        healthcheck: None,
        needs: Vec::new(),
        aliases: Vec::new(),
        boundary: None,
        waits_for: Vec::new(),
        when: None,
    }
}

/// The user of images that everybody knows: those of distributions and languages run as root, those that say `nonroot` as the
/// user that distroless images have. <https://github.com/GoogleContainerTools/distroless#debian-based-images>
fn user_of(reference: &str) -> Option<u32> {
    const ROOT: [&str; 22] = [
        "almalinux",
        "alpine",
        "amazonlinux",
        "archlinux",
        "busybox",
        "centos",
        "debian",
        "eclipse-temurin",
        "fedora",
        "golang",
        "node",
        "openjdk",
        "php",
        "python",
        "rockylinux",
        "ruby",
        "rust",
        "scratch",
        "ubi",
        "ubi-micro",
        "ubi-minimal",
        "ubuntu",
    ];
    if reference == "scratch" {
        return Some(0);
    }
    let reference: crate::oci::Reference = reference.parse().ok()?;
    if reference.tag().is_some_and(|tag| tag.contains("nonroot")) {
        return Some(65532);
    }
    let name = reference.repository().rsplit('/').next().unwrap_or_default();
    let distroless = reference.repository().starts_with("distroless/");
    (ROOT.contains(&name) || distroless).then_some(0)
}
