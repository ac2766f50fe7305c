//! Go components: which build tags are on, and whether the sources know them.

use std::collections::BTreeSet;

use super::component::{is_asked_for, unknown};
use super::package::{GoProblem, GoProgram};
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{ComponentManifest, FeatureName, GoBuild};
use crate::source::Spanned;
use crate::workspace::go::{is_free, is_standard};

/// Tags that are on: those that `[build.go]` always asks for, and features of the component that the sources name as tags.
pub(super) fn tags(go: &GoBuild, program: &GoProgram, features: &[FeatureName]) -> Vec<String> {
    let always = go.tags.iter().map(|tag| tag.value.as_str());
    let own = features.iter().map(FeatureName::as_str).filter(|name| program.tags.contains_key(*name));
    let all: BTreeSet<String> = always.chain(own).map(str::to_owned).collect();
    all.into_iter().collect()
}

/// Checks a component against its sources.
pub(super) fn check(
    component: &ComponentManifest,
    go: &GoBuild,
    program: &Result<GoProgram, GoProblem>,
    problems: &mut Problems,
) {
    let program = match program {
        Ok(program) => program,
        Err(problem) => return problems.push(unreadable(component, go, problem)),
    };
    for tag in &go.tags {
        if let Some(wrong) = wrong_tag(program, tag) {
            problems.push(wrong);
        }
    }
    for (feature, definition) in &component.features.features {
        let name = feature.as_str();
        let does_something =
            !definition.enables.is_empty() || program.tags.contains_key(name) || is_asked_for(component, feature);
        if !does_something && name != "default" {
            let message = format!(
                "feature `{name}` does nothing: no source of program `{}` has a build constraint with this tag",
                program_name(go, program)
            );
            let place = Spanned::new(name.to_owned(), definition.span);
            problems.push(with_tags(program, "unknown-go-tag", &message, &place));
        }
    }
}

/// The program of a component.
pub(super) fn program_name(go: &GoBuild, program: &GoProgram) -> String {
    go.bin.as_ref().map_or_else(|| program.name.clone(), |bin| bin.value.clone())
}

fn wrong_tag(program: &GoProgram, tag: &Spanned<String>) -> Option<Diagnostic> {
    if !is_free(&tag.value) {
        let message = format!("Go sets the tag `{}` itself, by platform, version and settings", tag.value);
        return Some(Diagnostic::error("unknown-go-tag", message).label(tag.span, "").help("leave it out"));
    }
    // what modules name that are fetched later is not known yet
    if program.tags.contains_key(&tag.value) || is_standard(&tag.value) || program.is_fetched {
        return None;
    }
    let message = format!("no source has a build constraint with the tag `{}`", tag.value);
    Some(with_tags(program, "unknown-go-tag", &message, tag))
}

/// A problem with a tag, and which ones there are, with one place of each.
fn with_tags(program: &GoProgram, code: &'static str, message: &str, wrong: &Spanned<String>) -> Diagnostic {
    const MOST: usize = 8;
    let problem = unknown(code, message, wrong, program.tags.keys().map(String::as_str));
    let places: Vec<String> = program.tags.iter().take(MOST).map(|(tag, place)| format!("`{tag}` ({place})")).collect();
    match program.tags.len().saturating_sub(MOST) {
        _ if places.is_empty() => problem.note("no tag is named in the sources"),
        0 => problem.note(format!("tags of the sources: {}", places.join(", "))),
        more => problem.note(format!("tags of the sources: {}, and {more} more", places.join(", "))),
    }
}

fn unreadable(component: &ComponentManifest, go: &GoBuild, problem: &GoProblem) -> Diagnostic {
    let written = if problem.is_of_package { &go.package } else { &go.module };
    let place = written.as_ref().map_or(component.build.span, |written| written.span);
    Diagnostic::error("go", problem.message.clone()).label(place, "").help(problem.help.clone())
}
