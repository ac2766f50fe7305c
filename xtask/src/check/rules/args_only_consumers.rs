//! `args-only-consumers`: consumers pass arguments and name no command, and the image's one ENTRYPOINT is not theirs.
//!
//! A consumer is served when the ENTRYPOINT of the image starts its role, or when `[[replaces]]` says which command it must be
//! given. All roles and contracts with `args-style = "args-only"` count.

use super::super::contracts::{Promise, entrypoint, promises, quoted, role_of, words};
use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{ArgsStyle, ComponentName, RuleLevel};
use crate::resolve::{ResolvedComponent, ResolvedRole};
use crate::source::Span;

pub(super) const RULE: Rule = Rule {
    code: "args-only-consumers",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "consumers of a role pass arguments only, and the ENTRYPOINT of the image is not that role's command",
    reason: "an image has one ENTRYPOINT: a pod that named no command would start another program with its arguments, or none at all",
    check,
};

/// How consumers of one role start it today.
struct Start<'a> {
    component: &'a ComponentName,
    /// The role, if it is clear which one it is.
    role: Option<&'a ResolvedRole<'a>>,
    /// Who is served, as the subject of a sentence.
    who: String,
    /// The ENTRYPOINT that their arguments are for.
    entrypoint: Vec<&'a str>,
    /// What they must now be given.
    given: Option<Vec<&'a str>>,
    place: Span,
}

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let entrypoint = &entrypoint(subject);
    let starts: Vec<Start<'_>> = subject.image.components.iter().flat_map(starts).collect();
    if starts.iter().all(|start| start.is_served(entrypoint)) {
        return;
    }
    let mut finding = Diagnostic::error(RULE.code, message(subject, &starts));
    for start in starts.iter().filter(|start| !start.is_served(entrypoint)) {
        finding = finding.label(start.place, start.who.as_str());
    }
    finding = finding.note(match entrypoint.as_slice() {
        [] => "the image has no ENTRYPOINT, because it has no `default-role`".to_owned(),
        words => format!("the image has the ENTRYPOINT {}", quoted(words.iter().map(String::as_str))),
    });
    finding = starts.iter().fold(finding, |finding, start| finding.note(start.line(entrypoint)));
    findings.push(starts.iter().map(|start| start.component), finding.help(HELP));
}

const HELP: &str = "state in the [[replaces]] of each what its consumers must be given, with `command = […]`; the `default-role` needs none. \
With mode `multicall` the ENTRYPOINT is a dispatcher, and their `args` could begin with the role's name instead";

fn message(subject: &Subject<'_>, starts: &[Start<'_>]) -> String {
    let image = &subject.plan.name;
    let mut distinct: Vec<&[&str]> = starts.iter().map(|start| start.entrypoint.as_slice()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    match starts {
        [only] => {
            format!("{} is started with arguments only, which the ENTRYPOINT of image `{image}` does not do", only.who)
        }
        _ => {
            let entrypoints = match (starts.len(), distinct.len()) {
                (all, 1) => format!("the same one of {all} images"),
                (all, some) if all == some => format!("{all} different entrypoints"),
                (all, some) => format!("{all} entrypoints, of which {some} are distinct"),
            };
            format!(
                "one ENTRYPOINT of image `{image}` cannot serve all consumers that pass arguments only: they rely on {entrypoints}"
            )
        }
    }
}

/// The contracts of a component, then the roles that no contract is about.
fn starts<'a>(component: &'a ResolvedComponent<'a>) -> Vec<Start<'a>> {
    let args_only = |promise: &Promise<'a, 'a>| promise.contract.args_style() == ArgsStyle::ArgsOnly;
    let promised: Vec<Promise<'a, 'a>> = promises(component).filter(args_only).collect();
    let is_promised = |role: &ResolvedRole<'_>| {
        promised.iter().filter_map(|promise| promise.role).any(|promised| promised.name == role.name)
    };
    let roles = component.roles.iter().filter(|role| role.role.args_style() == ArgsStyle::ArgsOnly);
    let roles = roles.filter(|role| !is_promised(role)).map(|role| Start::of_role(component, role));
    let contracts = promised.iter().map(|promise| Start::of_contract(component.name(), promise));
    contracts.chain(roles).collect()
}

impl<'a> Start<'a> {
    fn of_contract(component: &'a ComponentName, promise: &Promise<'a, 'a>) -> Self {
        let (entry, contract) = (promise.entry, promise.contract);
        let style = contract.args_style.as_ref();
        Self {
            component,
            role: promise.role,
            who: match promise.role {
                Some(role) => format!("role `{}`", role.name),
                None => format!("component `{component}`"),
            },
            entrypoint: contract.words(),
            given: entry.command.as_ref().map(|command| words(&command.value).collect()),
            place: style.map_or(contract.id.span, |style| style.span),
        }
    }

    fn of_role(component: &'a ResolvedComponent<'a>, role: &'a ResolvedRole<'a>) -> Self {
        let about = component
            .manifest
            .replaces
            .iter()
            .filter(|entry| role_of(component, entry).is_some_and(|about| about.name == role.name));
        let given = about.filter_map(|entry| entry.command.as_ref()).next();
        Self {
            component: component.name(),
            role: Some(role),
            who: format!("role `{}`", role.name),
            entrypoint: words(&role.role.command).collect(),
            given: given.map(|command| words(&command.value).collect()),
            place: role.role.args_style.as_ref().map_or(role.role.span, |style| style.span),
        }
    }

    /// Whether the ENTRYPOINT of the image starts the role.
    fn is_entrypoint(&self, entrypoint: &[String]) -> bool {
        self.role.is_some_and(|role| words(&role.role.command).eq(entrypoint.iter().map(String::as_str)))
    }

    fn is_served(&self, entrypoint: &[String]) -> bool {
        self.given.is_some() || self.is_entrypoint(entrypoint)
    }

    /// What is to be said about it, in one line.
    fn line(&self, entrypoint: &[String]) -> String {
        let now = match (&self.given, self.role) {
            (Some(given), _) => format!("its consumers are given {}", quoted(given.iter().copied())),
            (None, _) if self.is_entrypoint(entrypoint) => "so does this image".to_owned(),
            (None, Some(role)) => format!("its consumers need `command = {}`", quoted(words(&role.role.command))),
            (None, None) => "its consumers need a command".to_owned(),
        };
        format!("{} was started by the ENTRYPOINT {}; {now}", self.who, quoted(self.entrypoint.iter().copied()))
    }
}
