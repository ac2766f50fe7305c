//! `cadence-crossing`: components that are released at different times are merged.

use std::collections::BTreeMap;

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "cadence-crossing",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "components of different release cadences are merged into one image",
    reason: "the image is released whenever one of them is, so consumers of the slow one restart as often as those of the fast one",
    check,
};

/// What a component without a cadence is said to have, once others state theirs.
const UNSTATED: &str = "none stated";

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let components = &subject.image.components;
    if !components.iter().any(|part| part.manifest.cadence.is_some()) {
        return;
    }
    let mut cadences = BTreeMap::new();
    for part in components {
        let stated = part.manifest.cadence.as_ref();
        let cadence = stated.map_or(UNSTATED, |cadence| cadence.value.as_str());
        let place = stated.map_or(part.manifest.name.span, |cadence| cadence.span);
        cadences.entry(cadence).or_insert((part.name(), place));
    }
    let mut sorted = cadences.iter();
    let Some((first, (first_component, first_place))) = sorted.next() else { return };
    for (cadence, (component, place)) in sorted {
        let message = format!(
            "image `{}` merges component `{first_component}` (cadence: {first}) with component `{component}` (cadence: {cadence})",
            subject.plan.name
        );
        let finding = Diagnostic::error(RULE.code, message).label(*place, "").label(*first_place, "other cadence");
        let help = format!(
            "state the same `cadence`, keep them in two images, or accept it in image.toml: [[allow]] rule = \"{}\", components, reason",
            RULE.code
        );
        findings.push([*component, *first_component], finding.help(help));
    }
}
