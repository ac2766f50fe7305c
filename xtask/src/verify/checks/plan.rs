//! The image is the one that the plan of this workspace asks for.

use std::collections::BTreeMap;

use super::super::{Check, Contract, Findings, Level, Subject};
use crate::plan::fingerprint;

pub(super) const CHECK: Check = Check {
    codes: &[
        ("other-contract", "the image promises something else than the manifests of this workspace"),
        ("other-fingerprint", "the image was built from other inputs than those of this workspace"),
        (
            "unknown-fingerprint",
            "the image was not built here, and it is not known with what: inputs cannot be compared",
        ),
    ],
    reason: "an image that keeps the promises of last week may break those of today",
    check,
};

/// Most differences that are named.
const MAX_NAMED: usize = 20;

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let Some(planned) = subject.planned else { return };
    let (own, wanted) = (promises(subject.contract), promises(&planned.contract));
    let keys: std::collections::BTreeSet<&Key> = own.keys().chain(wanted.keys()).collect();
    let differing = keys.into_iter().filter(|key| own.get(*key) != wanted.get(*key));
    for key in differing.take(MAX_NAMED) {
        let word = |side: &BTreeMap<Key, String>| side.get(key).cloned().unwrap_or_else(|| "nothing".to_owned());
        let Key { component, role, what } = key;
        let message = format!("{what} is {} in the image, and {} in the manifests", word(&own), word(&wanted));
        let finding = findings.error("other-contract", message);
        finding.component = Some(component.clone()).filter(|name| !name.is_empty());
        finding.role = Some(role.clone()).filter(|name| !name.is_empty());
    }
    let label = subject.image.config.label(fingerprint::LABEL);
    let wanted = &planned.fingerprint;
    if wanted != label {
        let own = if label.is_empty() { "no fingerprint" } else { label };
        let message = format!("the image has {own}; the inputs of this workspace give {wanted}");
        // of an image that was built elsewhere it is not known what its engine found
        let code = if planned.is_known { "other-fingerprint" } else { "unknown-fingerprint" };
        findings.push(code, if planned.is_known { Level::Error } else { Level::Note }, message);
    }
}

/// What a promise is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    component: String,
    role: String,
    what: String,
}

/// All promises, one by one.
fn promises(contract: &Contract) -> BTreeMap<Key, String> {
    let mut all = BTreeMap::new();
    let mut add = |component: &str, role: &str, what: &str, value: String| {
        let key = Key { component: component.to_owned(), role: role.to_owned(), what: what.to_owned() };
        all.insert(key, value);
    };
    add("", "", "the image", contract.id());
    add("", "", "the mode", contract.mode.clone());
    add("", "", "the base", if contract.base.is_empty() { "not empty".to_owned() } else { contract.base.clone() });
    add("", "", "the list of features", format!("{:?}", contract.features));
    for part in &contract.components {
        add(
            &part.name,
            "",
            &format!("component `{}`", part.name),
            format!("version {} with {:?}", part.version, part.features),
        );
    }
    for (part, name, role) in contract.roles() {
        let mut of_role = |what: &str, value: String| add(&part.name, name, &format!("{what} of role `{name}`"), value);
        of_role("the command", format!("{:?}", role.command));
        of_role("the list of default arguments", format!("{:?}", role.args));
        of_role("the list of volumes", format!("{:?}", role.volumes));
        of_role("the stop signal", role.stop_signal.clone().unwrap_or_default());
        of_role("the health check", role.healthcheck.as_ref().map(ToString::to_string).unwrap_or_default());
        of_role("the user", role.user.clone());
        of_role("the working folder", role.workdir.clone());
        of_role("the list of ports", format!("{:?}", role.ports));
        of_role("the list of aliases", format!("{:?}", role.aliases));
        of_role("the list of needs", format!("{:?}", role.needs));
        of_role("the boundary", role.boundary.clone().unwrap_or_default());
        of_role("the probe", format!("{:?}", role.probe));
        for (variable, value) in &role.env {
            // values may be secrets of somebody
            of_role(
                &format!("the variable {variable}"),
                format!("a value of {} bytes, {:.8}", value.len(), fingerprint::text(value)),
            );
        }
    }
    for (part, path, declared) in contract.files() {
        let facts = [("mode", &declared.mode), ("a link to", &declared.link)];
        let facts = facts.iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
        let facts: Vec<String> = std::iter::once("declared".to_owned()).chain(facts).collect();
        add(&part.name, "", path, facts.join(" "));
    }
    all
}
