//! `port-collision`: two roles that run together listen on one port.

use std::collections::BTreeMap;

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{ImageDefinition, RoleName, RuleLevel};
use crate::source::Spanned;

pub(super) const RULE: Rule = Rule {
    code: "port-collision",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "two roles that share a pod listen on one port",
    reason: "containers of a pod share a network; the second one to start fails. `pods` of the definition says which roles run together",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let mut open: BTreeMap<(u16, &str), Vec<_>> = BTreeMap::new();
    for (component, role) in subject.image.roles() {
        for port in &role.ports {
            open.entry((port.number.value, port.protocol.as_str())).or_default().push((component, role, port));
        }
    }
    if open.values().all(|listeners| listeners.len() < 2) {
        return;
    }
    let used = open.iter().map(|((number, protocol), listeners)| {
        let mut roles: Vec<&str> = listeners.iter().map(|(_, role, _)| role.name.as_str()).collect();
        roles.dedup();
        format!("{number}/{protocol} ({})", roles.join(", "))
    });
    let used = format!("ports of the roles of this image: {}", used.collect::<Vec<_>>().join(", "));
    for ((number, protocol), listeners) in &open {
        for (index, (component, role, port)) in listeners.iter().enumerate() {
            for (other, other_role, other_port) in &listeners[..index] {
                if !together(subject.image.definition, role.name, other_role.name) {
                    continue;
                }
                let message =
                    format!("roles `{}` and `{}` both listen on port {number}/{protocol}", other_role.name, role.name);
                let finding = Diagnostic::error(RULE.code, message)
                    .label(port.number.span, "")
                    .label(other_port.number.span, "also here")
                    .note(used.as_str());
                findings.push(
                    [component.name(), other.name()],
                    finding.help("change one port, or say with `pods = [[…], […]]` that the two never share a pod"),
                );
            }
        }
    }
}

/// Without `pods` any two roles may share one; so may a role that no pod names. Two ports of one role always do.
fn together(definition: &ImageDefinition, a: &RoleName, b: &RoleName) -> bool {
    let Some(pods) = &definition.pods else { return true };
    let in_pod = |role: &RoleName, pod: &[Spanned<RoleName>]| pod.iter().any(|name| name.value == *role);
    let alone = |role: &RoleName| !pods.iter().any(|pod| in_pod(role, pod));
    a == b || alone(a) || alone(b) || pods.iter().any(|pod| in_pod(a, pod) && in_pod(b, pod))
}
