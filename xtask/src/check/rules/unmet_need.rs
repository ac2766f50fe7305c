//! `unmet-need`: a role needs something that neither the base nor a component gives.

use std::collections::BTreeSet;

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{BuildKind, Link, Need, RuleLevel};
use crate::resolve::ResolvedComponent;
use crate::source::Span;

pub(super) const RULE: Rule = Rule {
    code: "unmet-need",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "a role needs what the base does not give",
    reason: "a sidecar that needed a shell was once shipped on `scratch` and never started",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let base = subject.image.base.provides.iter().map(|need| need.value.as_str());
    let parts =
        subject.image.components.iter().flat_map(|part| &part.manifest.provides).map(|need| need.value.as_str());
    let given: BTreeSet<&str> = base.chain(parts).collect();
    for component in &subject.image.components {
        for (what, place, who) in needs(component).into_iter().filter(|(what, ..)| !given.contains(what.as_str())) {
            let message = format!(
                "{who} needs `{what}`, which the base `{}` of image `{}` does not give",
                subject.image.base.name.value, subject.plan.name
            );
            let mut finding = Diagnostic::error(RULE.code, message)
                .label(place, "")
                .label(subject.image.definition.base.span, "the base");
            if let Some(base) = subject.image.base.definition {
                finding = finding.label(base.span, "what it gives is said here, with `provides = […]`");
            }
            findings.push([component.name()], finding.help("choose a base that gives it, add a component that does (`provides`), or say in [bases] that this base does"));
        }
    }
}

fn needs(component: &ResolvedComponent<'_>) -> Vec<(String, Span, String)> {
    let written = |role: &crate::resolve::ResolvedRole<'_>| {
        let who = format!("role `{}`", role.name);
        role.role
            .needs
            .iter()
            .map(|need| (Need::as_str(&need.value).to_owned(), need.span, who.clone()))
            .collect::<Vec<_>>()
    };
    let mut needs: Vec<_> = component.roles.iter().flat_map(written).collect();
    if let BuildKind::Cargo(cargo) = &component.manifest.build.kind
        && cargo.link == Link::Dynamic
    {
        let who = format!("the dynamically linked program of component `{}`", component.name());
        needs.push(("libc:glibc".to_owned(), component.manifest.build.span, who));
    }
    needs
}
