//! `image.toml` of a suggested group.

use std::collections::BTreeSet;

use super::{Lines, list, quoted};
use crate::adopt::facts::Facts;
use crate::adopt::group::Group;

/// The platform that is written when nothing tells which were published.
const PLATFORM: &str = "linux/amd64";

/// The text for an image; `base` is its name in `[bases]`.
pub fn image(group: &Group, all: &[Facts], base: &str, program: &str) -> String {
    let mut lines = Lines::default();
    let merged: Vec<&Facts> = all.iter().filter(|facts| group.components.contains(&facts.name)).collect();
    lines.comment(&format!("Suggested by `{program} init`; yours from now on. Why these components:"));
    group.reasons.iter().for_each(|reason| lines.comment(&format!("- {reason}")));
    lines.value("schema", "1", "");
    lines.value("name", &quoted(&group.image), "");
    version(&merged, &mut lines);
    for rejected in &group.rejected {
        lines.comment(&format!("not {}: {}", rejected.reference, rejected.because));
    }
    lines.value("base", &quoted(base), &group.base.reference);
    if !group.unmet.is_empty() {
        let needs = list(group.unmet.iter().map(String::as_str));
        lines.comment(&format!(
            "question: which base gives {needs}? {} is not known to; name one in [bases] of groupage.toml, and say there what it `provides`",
            group.base.reference
        ));
    }
    match group.platforms.as_slice() {
        [] => lines.value("platforms", &list([PLATFORM]), "question: for which platforms is it published?"),
        platforms => lines.value(
            "platforms",
            &list(platforms.iter().map(String::as_str)),
            "those that all of them were published for",
        ),
    }
    default_role(&merged, &mut lines);
    lines.table("components");
    group.components.iter().for_each(|name| lines.value(name, "{}", ""));
    for (name, why) in &group.left_out {
        lines.comment(&format!("{name} = {{}}  # left out: {why}"));
    }
    allow_shells(&merged, &mut lines);
    lines.0
}

/// A command in shell form is started by the shell of the base, which no component installs.
fn allow_shells(merged: &[&Facts], lines: &mut Lines) {
    let is_shell = |facts: &&&Facts| {
        let program = facts.start.command.first().map_or("", String::as_str);
        ["/bin/sh", "/bin/ash", "/bin/dash"].contains(&program) && facts.files.iter().all(|file| file.path != program)
    };
    let names: Vec<&str> = merged.iter().filter(is_shell).map(|facts| facts.name.as_str()).collect();
    if !names.is_empty() {
        lines.table("[allow]");
        lines.value("rule", "\"program-not-installed\"", "");
        lines.value("components", &list(names), "");
        lines.value("reason", "\"the shell that starts it is that of the base\"", "");
    }
}

fn version(merged: &[&Facts], lines: &mut Lines) {
    let versions: BTreeSet<Option<&str>> =
        merged.iter().map(|facts| facts.version.as_ref().map(|version| version.value.as_str())).collect();
    match versions.first() {
        Some(Some(version)) if versions.len() == 1 => {
            lines.value("version", &quoted(version), "that of its components");
        }
        _ => lines.value(
            "version",
            "\"\"",
            "question: which version is the image? `check` refuses it until it is written here",
        ),
    }
}

/// One component is started by its image as before; of several, somebody has to choose.
fn default_role(merged: &[&Facts], lines: &mut Lines) {
    let startable: Vec<&str> =
        merged.iter().filter(|facts| !facts.start.command.is_empty()).map(|facts| facts.name.as_str()).collect();
    match startable.as_slice() {
        [] => {}
        [only] => lines.value("default-role", &quoted(only), "its ENTRYPOINT stays that of the image"),
        [first, ..] => {
            let question =
                "which role does the image start when a consumer names none? Without one it has no ENTRYPOINT";
            lines.question("default-role", &quoted(first), question);
        }
    }
}
