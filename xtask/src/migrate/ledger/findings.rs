//! What is wrong with a ledger itself, whatever its consumers do.
//!
//! | code | is |
//! |---|---|
//! | `ledger-cycle` | a chain of replacements bites its tail |
//! | `ledger-two-answers` | two entries of one product say different things of one reference |
//! | `ledger-floor` | a floor is above the newest release, or a fixed tag is below the floor |
//! | `ledger-no-answer` | an entry with neither replacement nor a kind that needs none |
//! | `ledger-window` | the old name is no longer published before it is retired |
//! | `ledger-lines` | two first versions of one release line |

use std::collections::BTreeSet;

use super::chain::Wanted;
use super::entry::{At, Entry, Ledger};
use super::name::{Found, Written};
use super::version;
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{NamePattern, RetirementKind, TagRule};

/// Every problem of a ledger.
pub fn findings(ledger: &Ledger) -> Vec<Diagnostic> {
    let mut problems = Problems::default();
    for entry in &ledger.entries {
        single(ledger, entry).into_iter().flatten().for_each(|problem| problems.push(problem));
    }
    cycles(ledger, &mut problems);
    two_answers(ledger, &mut problems);
    problems.into_list()
}

fn single(ledger: &Ledger, entry: &Entry) -> [Option<Diagnostic>; 5] {
    [floor_above(ledger, entry), fixed_below(entry), no_answer(entry), window(entry), lines(entry)]
}

fn floor_above(ledger: &Ledger, entry: &Entry) -> Option<Diagnostic> {
    // tags of an image that keeps its own scheme say nothing about the product's releases
    if !matches!(entry.tag, TagRule::AppVersion(_)) {
        return None;
    }
    let of_product = || ledger.newest.get(entry.product.as_ref()?);
    let newest = entry.newest.as_ref().or_else(of_product)?;
    let all = entry.floor.iter().chain(entry.platform_floors.values());
    let above = all.into_iter().find(|floor| version::is_below(newest, floor))?;
    let message = format!("the floor {above} of `{}` is above the newest release {newest}", entry.text);
    let problem = Diagnostic::error("ledger-floor", message).label(entry.span, "");
    Some(problem.help("nothing can be migrated to a tag that does not exist: lower the floor, or release first"))
}

fn fixed_below(entry: &Entry) -> Option<Diagnostic> {
    let TagRule::Fixed(tag) = &entry.tag else { return None };
    let floor = entry.floor.as_ref().filter(|floor| version::is_below(tag, floor))?;
    let message = format!("the tag {tag} for `{}` is below its floor {floor}", entry.text);
    Some(
        Diagnostic::error("ledger-floor", message).label(entry.span, "").help("name a tag that is not below the floor"),
    )
}

fn no_answer(entry: &Entry) -> Option<Diagnostic> {
    let needs_none = matches!(
        entry.kind,
        RetirementKind::Withdrawn | RetirementKind::PlatformDropped | RetirementKind::MustBeAbsent
    );
    let missing = entry.replacement.is_none() && !needs_none;
    missing.then(|| {
        let message = format!("`{}` is {} and has no replacement", entry.text, entry.kind.as_str());
        Diagnostic::error("ledger-no-answer", message)
            .label(entry.span, "")
            .help("name it with `replacement`: of a component in several images nobody can tell which one is meant")
    })
}

fn window(entry: &Entry) -> Option<Diagnostic> {
    let until = entry.until.as_ref()?;
    let before = entry.since.iter().all(|since| version::is_below(until, since));
    before.then(|| {
        let message = format!("`{}` is published until {until}, before it is retired", entry.text);
        Diagnostic::error("ledger-window", message).label(entry.span, "").help("`until` is not before `since`")
    })
}

fn lines(entry: &Entry) -> Option<Diagnostic> {
    let line = |version: &String| {
        let plain = version.strip_prefix('v').unwrap_or(version);
        plain.split('.').take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut seen = BTreeSet::new();
    let twice = entry.since.iter().find(|since| !seen.insert(line(since)))?;
    let message = format!("`{}` has two first versions in the release line of {twice}", entry.text);
    Some(Diagnostic::error("ledger-lines", message).label(entry.span, "").help("keep the lower one"))
}

fn plain_name(name: &NamePattern) -> NamePattern {
    let parts = name.parts.iter().map(|part| part.replace('*', "x")).collect();
    NamePattern { registry: name.registry.clone(), parts }
}

fn written(name: &NamePattern) -> Written<'_> {
    Written { registry: Some(&name.registry), parts: name.parts.iter().map(String::as_str).collect() }
}

fn cycles(ledger: &Ledger, problems: &mut Problems) {
    let at = At::default();
    for entry in &ledger.entries {
        let Some(name) = entry.names.first() else { continue };
        let found = Found { entry, name: plain_name(name), mirrored: None };
        let answer = ledger.resolve(&found, None, Wanted { at: &at, platforms: &[] });
        if answer.is_cycle {
            let chain: Vec<&str> = answer.steps.iter().map(|step| step.text.as_str()).collect();
            let message = format!("the chain of `{}` bites its tail: {}", entry.text, chain.join(" → "));
            let help = "a chain ends at a name that is not retired: remove one of these entries";
            problems.push(Diagnostic::error("ledger-cycle", message).label(entry.span, "").help(help));
        }
    }
}

fn two_answers(ledger: &Ledger, problems: &mut Problems) {
    let at = At::default();
    for entry in &ledger.entries {
        for name in entry.names.iter().map(plain_name) {
            let all = ledger.find_all(&written(&name), &at);
            let other = all.iter().map(|found| found.entry).find(|other| differs(entry, other, name.last()));
            if let Some(other) = other.filter(|other| other.span > entry.span) {
                let message = format!("two entries say what became of `{name}`");
                problems.push(
                    Diagnostic::error("ledger-two-answers", message)
                        .label(entry.span, "")
                        .label(other.span, "the other one")
                        .help("one reference of one product has one answer: remove an entry, or name their products"),
                );
            }
        }
    }
}

fn differs(one: &Entry, other: &Entry, last: &str) -> bool {
    let answer = |entry: &Entry| {
        let name = entry.replacement_of(last);
        (entry.kind, name, entry.since.clone(), entry.floor.clone(), entry.tag.clone(), entry.command.clone())
    };
    one.product == other.product && answer(one) != answer(other)
}
