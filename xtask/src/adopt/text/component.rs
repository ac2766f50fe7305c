//! `component.toml` of what is adopted.

use camino::{Utf8Component, Utf8Path};

use super::{Lines, key, list, quoted};
use crate::adopt::facts::{
    DockerfileOrigin, Facts, HealthFacts, ImageOrigin, Linking, Origin, PortFacts, UNKNOWN_USER,
};
use crate::adopt::group::{Group, needs_alone};
use crate::adopt::text::BaseNames;
use crate::manifest::ImagePath;

/// The text for a component, whose file is in `folder`; `group` is the image that it goes into.
pub fn component(facts: &Facts, group: Option<&Group>, bases: &BaseNames, folder: &str, program: &str) -> String {
    let mut lines = Lines::default();
    let from = match &facts.origin {
        Origin::Dockerfile(origin) => &origin.path,
        Origin::Image(origin) => &origin.reference,
    };
    let about = if facts.dockerfile().is_some() { " Lines are those of the Dockerfile." } else { "" };
    lines.comment(&format!("Written by `{program} init` from {from}; yours from now on.{about}"));
    if let Some(obstacle) = &facts.obstacle {
        lines.comment(&format!("It is no component yet: {obstacle}"));
        lines.comment(
            "Answer the questions below, rename this file to component.toml, and add it to [components] of an image.",
        );
    }
    head(facts, &mut lines);
    match &facts.origin {
        Origin::Dockerfile(origin) => build_dockerfile(facts, origin, group, folder, &mut lines),
        Origin::Image(origin) => build_image(origin, bases, &mut lines),
    }
    role(facts, group, &mut lines);
    replaces(facts, &mut lines);
    lines.0
}

fn head(facts: &Facts, lines: &mut Lines) {
    lines.value("schema", "1", "");
    lines.value("name", &quoted(&facts.name), "");
    match &facts.description {
        Some(text) => lines.value("description", &quoted(text), ""),
        None => lines.question("description", "\"…\"", "what is it for, in one line?"),
    }
    match &facts.owner {
        Some(owner) => lines.value("owner", &quoted(&owner.value), &owner.from),
        None => lines.value(
            "owner",
            "\"?\"",
            "question: who answers for its size and its vulnerabilities? No CODEOWNERS says it",
        ),
    }
    match &facts.version {
        Some(version) => lines.value("version", &quoted(&version.value), &version.from),
        None => lines.value(
            "version",
            "\"\"",
            "question: which version is this? `check` refuses it until it is written here",
        ),
    }
    facts.asked("manifest").for_each(|question| lines.comment(&format!("question: {question}")));
}

/// The path from a folder to another path, both relative to the same root.
fn relative(folder: &str, to: &str) -> String {
    let normal = |path| {
        let parts = Utf8Path::new(path).components();
        parts.filter(|part| matches!(part, Utf8Component::Normal(_))).map(|part| part.as_str()).collect::<Vec<_>>()
    };
    let (from, to): (Vec<&str>, Vec<&str>) = (normal(folder), normal(to));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - shared);
    let path: Vec<&str> = up.chain(to[shared..].iter().copied()).collect();
    if path.is_empty() { ".".to_owned() } else { path.join("/") }
}

fn build_dockerfile(facts: &Facts, origin: &DockerfileOrigin, group: Option<&Group>, folder: &str, lines: &mut Lines) {
    lines.table("build.dockerfile");
    lines.value("path", &quoted(&relative(folder, &origin.path)), "");
    lines.value("context", &quoted(&relative(folder, &origin.context)), "the folder that it copies from");
    facts.asked("context").for_each(|question| lines.comment(&format!("question: {question}")));
    if let Some(target) = &origin.target {
        lines.value("target", &quoted(target), "");
    }
    for question in facts.asked("args") {
        lines.question("args", "{ NAME = \"value\" }", question);
    }
    if group.is_some_and(|group| group.takes_stage_of(facts)) {
        lines.value(
            "take",
            "\"stage\"",
            "the commands of its last stage run again on the base, which is the same distribution",
        );
    } else if !facts.installs.is_empty() && facts.runs.is_empty() {
        let begins = list(facts.installs.iter().map(|install| install.text.as_str()));
        lines.value("ignore-runs", &begins, "what these install is asked of the base, by `needs` below");
    }
}

fn build_image(origin: &ImageOrigin, bases: &BaseNames, lines: &mut Lines) {
    lines.table("build.image");
    lines.value("image", &quoted(&origin.reference), "");
    lines.value("take", "\"above-base\"", "all files of the layers above its base");
    match &origin.base {
        Some(base) => lines.value("base", &quoted(bases.get(base)), "by the labels of the image"),
        None => lines.question("base", "\"…\"", "which of [bases] was it made from? Its labels do not say"),
    }
}

/// The role, or what is missing for one.
fn role(facts: &Facts, group: Option<&Group>, lines: &mut Lines) {
    let at = |line: Option<usize>| line.map(|line| format!("line {line}")).unwrap_or_default();
    if facts.start.command.is_empty() {
        lines.free();
        lines.comment(&format!("[roles.{}]", facts.name));
        let question = facts.asked("command").next().unwrap_or("how is it started?");
        lines.question("command", "[\"/…\"]", question);
        lines.question("user", &quoted(facts.user.shown()), &facts.user.because);
        return;
    }
    lines.table(&format!("roles.{}", facts.name));
    lines.value("command", &list(facts.start.command.iter().map(String::as_str)), &at(facts.start.line));
    facts.asked("command").for_each(|question| lines.comment(&format!("question: {question}")));
    if !facts.start.args.is_empty() {
        lines.value("args", &list(facts.start.args.iter().map(String::as_str)), "the CMD: what consumers replace");
    }
    if facts.start.is_entrypoint {
        let why = "question: do consumers pass arguments only? If all of them name the command, remove this line";
        lines.value("args-style", "\"args-only\"", why);
    }
    user(facts, lines);
    if let Some(workdir) = facts.workdir.as_deref().filter(|workdir| *workdir != "/") {
        lines.value("workdir", &quoted(workdir), "");
    }
    if !facts.ports.is_empty() {
        let port = |port: &PortFacts| match port.protocol.as_str() {
            "tcp" => format!("{{ port = {} }}", port.port),
            other => format!("{{ port = {}, protocol = {} }}", port.port, quoted(other)),
        };
        lines.value("ports", &format!("[{}]", facts.ports.iter().map(port).collect::<Vec<_>>().join(", ")), "EXPOSE");
    } else {
        lines.question("ports", "[{ port = 8080 }]", "which ports does it listen on? Nothing says EXPOSE");
    }
    needs(facts, group, lines);
    more(facts, lines);
    facts.asked("role").for_each(|question| lines.comment(&format!("question: {question}")));
    if !facts.env.is_empty() {
        lines.table(&format!("roles.{}.env", facts.name));
        facts.env.iter().for_each(|(name, value)| lines.value(&key(name), &quoted(value), ""));
    }
}

fn user(facts: &Facts, lines: &mut Lines) {
    let user = &facts.user;
    let why = match (&user.numbers, user.shown()) {
        (Some(_), _) => user.because.clone(),
        (None, UNKNOWN_USER) => format!("question: which uid:gid? {}", user.because),
        (None, _) => format!("question: which uid:gid is that? {}", user.because),
    };
    lines.value("user", &quoted(user.shown()), &why);
}

fn needs(facts: &Facts, group: Option<&Group>, lines: &mut Lines) {
    let mut needs = group.map_or_else(|| needs_alone(facts), |group| group.needs_of(facts));
    if let Linking::Libc(libc) = facts.libc {
        let why = format!("its programs may be linked with that of {}", facts.base.reference);
        needs.entry(format!("libc:{libc}")).or_insert(why);
    }
    // what programs use without being told to
    let given = crate::adopt::base::provides(&facts.base.reference);
    let given = given.into_iter().filter(|given| ["ca-certificates", "tzdata"].contains(given));
    needs.iter().for_each(|(need, why)| lines.comment(&format!("{need}: {why}")));
    if !needs.is_empty() {
        lines.value("needs", &list(needs.keys().map(String::as_str)), "");
    }
    let unused: Vec<&str> = given.filter(|given| !needs.contains_key(*given)).collect();
    if !unused.is_empty() {
        let text = format!("{} also gives {}; which of them does it need?", facts.base.reference, unused.join(", "));
        lines.question("needs", &list(unused), &text);
    }
}

/// Volumes, the signal and the health check.
fn more(facts: &Facts, lines: &mut Lines) {
    if let Some(signal) = &facts.stop_signal {
        lines.value("stop-signal", &quoted(signal), "");
    }
    if let Some(check) = &facts.healthcheck {
        healthcheck(check, lines);
    }
    if !facts.volumes.is_empty() {
        lines.value("volumes", &list(facts.volumes.iter().map(String::as_str)), "");
    }
}

fn healthcheck(check: &HealthFacts, lines: &mut Lines) {
    let test = match check.test.as_slice() {
        [word, ..] if word == "NONE" => "disabled = true".to_owned(),
        [word, line] if word == "CMD-SHELL" && !line.contains(char::is_control) => format!("shell = {}", quoted(line)),
        [word, program, ..] if word == "CMD" && program.parse::<ImagePath>().is_ok() => {
            format!("command = {}", list(check.test[1..].iter().map(String::as_str)))
        }
        _ => {
            return lines.question(
                "healthcheck",
                "{ command = [\"/…\"] }",
                "by which absolute path is it asked whether it is well?",
            );
        }
    };
    let settings: String = check.settings.iter().map(|(key, value)| format!(", {key} = {value}")).collect();
    lines.value("healthcheck", &format!("{{ {test}{settings} }}"), "HEALTHCHECK");
}

/// What consumers of the image that exists today have to be told.
fn replaces(facts: &Facts, lines: &mut Lines) {
    let Origin::Dockerfile(_) = &facts.origin else {
        return replaces_image(facts, lines);
    };
    lines.free();
    lines.comment("question: under which name is it published today? Its consumers are then given the command:");
    lines.comment("[[replaces]]");
    entry(facts, &format!("registry.example/{}", facts.name), lines);
}

fn replaces_image(facts: &Facts, lines: &mut Lines) {
    let Origin::Image(origin) = &facts.origin else { return };
    let name = origin.reference.split('@').next().unwrap_or_default();
    let name = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(name, |(name, _)| name);
    lines.free();
    lines.comment("question: is the image retired by the merged one? Its consumers are then given the command:");
    lines.comment("[[replaces]]");
    entry(facts, name, lines);
}

fn entry(facts: &Facts, image: &str, lines: &mut Lines) {
    lines.comment(&format!("image = {}", quoted(image)));
    lines.comment("kind = \"folded\"");
    lines.comment("since = \"1.0.0\"  # the first release without it");
    lines.comment("floor = \"1.0.0\"  # the lowest tag of the merged image");
    match facts.start.command.as_slice() {
        [] => lines.comment("command = [\"/…\"]"),
        command => lines.comment(&format!("command = {}", list(command.iter().map(String::as_str)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_between_folders() {
        for (folder, to, expect) in [
            ("components/a", "a/Dockerfile", "../../a/Dockerfile"),
            ("components/a", "components/a/Dockerfile", "Dockerfile"),
            ("components/a", "components/a", "."),
            ("components/a", "", "../.."),
            ("components/a", "components/b", "../b"),
        ] {
            assert_eq!(relative(folder, to), expect, "{folder} {to}");
        }
    }
}
