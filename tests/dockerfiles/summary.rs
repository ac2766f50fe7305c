//! What was read from a Dockerfile, as a text for people.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use groupage::dockerfile::{
    Base, Check, CommandLine, CopyStep, Dockerfile, Fact, Kind, Origin, Ports, RunStep, Setting, Source, StageFacts,
    StepKind, Value, evaluate,
};

/// Stages, and the facts of the last one.
pub fn of(file: &Dockerfile, args: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for directive in file.directives() {
        line(&mut text, format_args!("directive {} = {}", directive.name, directive.value));
    }
    for (_, argument) in file.global_args() {
        let default = argument.default.as_ref().map_or("(none)".to_owned(), |word| format!("{:?}", word.text()));
        line(&mut text, format_args!("global {} = {default}", argument.name.text()));
    }
    for stage in file.stages() {
        let name = stage.name.as_ref().map_or("(no name)", |name| name.text());
        let platform = stage.platform.as_ref().map_or(String::new(), |word| format!(" on {}", word.text()));
        line(&mut text, format_args!("stage {} {name} from {}{platform}", stage.index, stage.base.text()));
        for instruction in file.stage_instructions(stage) {
            let (first, last) = (instruction.lines.start(), instruction.lines.end());
            let mut shown = instruction.keyword.name().to_owned();
            for flag in &instruction.flags {
                let value = flag.value.as_ref().map_or(String::new(), |word| format!("={:?}", word.text()));
                write!(shown, " --{}{value}", flag.name).expect("a text");
            }
            if let Kind::Onbuild(trigger) = &instruction.kind {
                write!(shown, " {}", trigger.keyword.name()).expect("a text");
            }
            let words =
                if let Kind::Onbuild(trigger) = &instruction.kind { trigger.words() } else { instruction.words() };
            words.iter().for_each(|word| write!(shown, " {:?}", word.text()).expect("a text"));
            line(&mut text, format_args!("  {first}-{last} {shown}"));
            for heredoc in &instruction.heredocs {
                let content = heredoc.content(file.text());
                line(&mut text, format_args!("      <<{} expand={} {content:?}", heredoc.name, heredoc.expand));
            }
        }
    }
    match evaluate(file, None, args) {
        Ok(facts) => of_facts(&facts, &mut text),
        Err(errors) => errors.iter().for_each(|error| line(&mut text, format_args!("error: {error}"))),
    }
    text
}

fn line(text: &mut String, line: impl Display) {
    writeln!(text, "{line}").expect("a text");
}

fn of_facts(facts: &StageFacts, text: &mut String) {
    line(text, "the last stage");
    line(text, format_args!("  made of {:?}", facts.chain));
    let base = match &facts.base {
        Base::Image { reference, .. } => value(reference),
        base => format!("{base:?}"),
    };
    line(
        text,
        format_args!("  base {base}{}", facts.platform.as_ref().map_or(String::new(), |p| format!(" on {}", value(p)))),
    );
    line(text, format_args!("  reaches {:?}", facts.reach.stages));
    for image in &facts.reach.images {
        line(text, format_args!("  image {} for {:?} in {}", value(&image.reference), image.role, image.stage));
    }
    configuration(facts, text);
    for step in &facts.steps {
        let user = step.user.as_ref().map_or(String::new(), |user| format!(" as {}", value(user)));
        let what = match &step.kind {
            StepKind::Copy(copy) => of_copy(copy),
            StepKind::Run(run) => format!("{}{user}", of_run(run)),
            StepKind::Workdir(_) => "folder".to_owned(),
        };
        line(text, format_args!("  step {}:{} in {}: {what}", step.stage, step.line, value(&step.workdir)));
    }
}

fn configuration(facts: &StageFacts, text: &mut String) {
    let mut fact = |name: &str, shown: Option<(usize, String)>| {
        if let Some((number, shown)) = shown {
            line(text, format_args!("  {name} {shown} (line {number})"));
        }
    };
    let of = |fact: &Fact<Value>| (fact.line, value(&fact.value));
    fact("entrypoint", facts.entrypoint.as_ref().map(|fact| (fact.line, command(&fact.value))));
    match &facts.cmd {
        Setting::Inherited => {}
        Setting::Reset(_) => fact("cmd", Some((0, "taken away".to_owned()))),
        Setting::Set(set) => fact("cmd", Some((set.line, command(&set.value)))),
    }
    fact("shell", facts.shell.as_ref().map(|fact| (fact.line, format!("{:?}", fact.value))));
    fact("user", facts.user.as_ref().map(of));
    fact("workdir", facts.workdir.as_ref().map(of));
    for variable in &facts.env {
        fact(&format!("env {}", variable.name), Some(of(&variable.value)));
    }
    for (name, argument) in &facts.arguments {
        let shown = argument.value.as_ref().map_or("(not set)".to_owned(), value);
        fact(&format!("argument {name}"), Some((argument.line, shown)));
    }
    for exposed in &facts.exposed {
        let shown = match &exposed.value {
            Ports::Known { first, last, protocol } => format!("{first}-{last}/{protocol}"),
            Ports::Unknown(unknown) => value(unknown),
        };
        fact("port", Some((exposed.line, shown)));
    }
    facts.volumes.iter().for_each(|volume| fact("volume", Some(of(volume))));
    fact("stop signal", facts.stop_signal.as_ref().map(of));
    fact("health", facts.healthcheck.as_ref().map(|fact| (fact.line, check(&fact.value))));
    facts.labels.iter().for_each(|(name, label)| fact(&format!("label {name}"), Some(of(label))));
    for trigger in &facts.triggers {
        fact("trigger", Some((trigger.line, trigger.value.keyword.name().to_owned())));
    }
    fact("maintainer", facts.maintainer.as_ref().map(|fact| (fact.line, fact.value.clone())));
}

fn value(value: &Value) -> String {
    let reasons: Vec<String> = value.because().iter().map(|unknown| unknown.explain()).collect();
    if reasons.is_empty() {
        format!("{:?}", value.otherwise())
    } else {
        format!("?{:?} ({})", value.otherwise(), reasons.join("; "))
    }
}

fn command(command: &CommandLine) -> String {
    format!("{:?}{}", command.words, if command.is_shell { " by a shell" } else { "" })
}

fn check(check: &Check) -> String {
    let times =
        [check.interval, check.timeout, check.start_period, check.start_interval].map(|time| time.unwrap_or_default());
    format!("{:?} {times:?} {}", check.test, check.retries.unwrap_or_default())
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Context => "the context".to_owned(),
        Origin::Stage(number) => format!("stage {number}"),
        Origin::Image(reference) => format!("image {}", value(reference)),
    }
}

fn of_copy(copy: &CopyStep) -> String {
    let mut shown = format!("{} from {}:", if copy.is_add { "add" } else { "copy" }, origin(&copy.from));
    for source in &copy.sources {
        let source = match &source.value {
            Source::Path(path) => value(path),
            Source::Address(address) => format!("address {}", value(address)),
            Source::Git(repository) => format!("git {}", value(repository)),
            Source::Heredoc { name, content } => format!("text {name} {}", value(content)),
        };
        write!(shown, " {source}").expect("a text");
    }
    write!(shown, " to {}{}", if copy.is_folder { "folder " } else { "" }, value(&copy.destination)).expect("a text");
    let valued = [("owner", &copy.owner), ("mode", &copy.mode), ("checksum", &copy.checksum)];
    for (name, set) in valued.into_iter().filter_map(|(name, set)| Some((name, set.as_ref()?))) {
        write!(shown, " {name} {}", value(set)).expect("a text");
    }
    for excluded in &copy.excludes {
        write!(shown, " without {}", value(excluded)).expect("a text");
    }
    let switches = [("link", copy.link), ("parents", copy.parents), ("keep-git-dir", copy.keep_git_dir)];
    for (name, _) in switches.into_iter().filter(|(_, is_on)| *is_on) {
        write!(shown, " {name}").expect("a text");
    }
    shown + &copy.unpack.map_or(String::new(), |unpack| format!(" unpack {unpack}"))
}

fn of_run(run: &RunStep) -> String {
    let mut shown = format!("run {}", command(&run.command));
    for mount in &run.mounts {
        let path = |path: &Option<Value>| path.as_ref().map_or("-".to_owned(), value);
        let (source, target) = (path(&mount.source), path(&mount.target));
        write!(shown, " mount {} {} {source} at {target}", mount.kind, origin(&mount.from)).expect("a text");
    }
    for (name, set) in [("network", &run.network), ("security", &run.security)] {
        set.iter().for_each(|set| write!(shown, " {name} {set}").expect("a text"));
    }
    shown
}
