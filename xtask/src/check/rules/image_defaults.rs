//! `image-defaults`: an image has one list of default arguments, one stop signal and one health check: those of its default role.
//! A runtime applies them to every container of the image, whichever program it was told to start.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;
use crate::source::Span;

pub(super) const RULE: Rule = Rule {
    code: "image-defaults",
    level: RuleLevel::Warn,
    fixed: false,
    summary: "a role has default arguments, a stop signal or a health check that the image cannot give it",
    reason: "an image has one of each, that of its default role; a container of another role is stopped and asked in its way",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let config = &subject.plan.config;
    for (component, resolved) in subject.image.roles() {
        let (name, role) = (resolved.name, resolved.role);
        let args = || role.args.iter().map(|word| &word.value);
        let signal = role.stop_signal.as_ref();
        let health = role.healthcheck.as_ref();
        let lost: [(bool, &str, Option<Span>, &str); 3] = [
            (
                args().len() > 0 && !args().eq(&config.cmd),
                "default arguments",
                role.args.first().map(|word| word.span),
                "write them into `command`, and have consumers start the role by it",
            ),
            (
                signal.map(|signal| &signal.value) != config.stop_signal.as_ref(),
                "stop signal",
                signal.map(|signal| signal.span),
                "keep the roles in images of their own, or have all programs end on one signal",
            ),
            (
                health.map(|check| &check.value) != config.healthcheck.as_ref(),
                "health check",
                health.map(|check| check.span),
                "have consumers bring their own probes, and leave the health check out",
            ),
        ];
        for (_, what, place, help) in lost.into_iter().filter(|(is_lost, ..)| *is_lost) {
            let message = match place {
                Some(_) => format!("the image does not have the {what} of role `{name}`"),
                None => format!("role `{name}` gets the {what} of the default role"),
            };
            let finding = Diagnostic::error(RULE.code, message).label(place.unwrap_or(role.span), "").help(help);
            findings.push([component.name()], finding);
        }
    }
}
