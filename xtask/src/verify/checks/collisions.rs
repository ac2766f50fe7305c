//! No two components give one path.

use std::collections::BTreeMap;

use super::super::{Check, Declared, Findings, Subject, follow};

pub(super) const CHECK: Check = Check {
    codes: &[("path-collision", "two components give one path, and not the same there")],
    reason: "one of the two is lost, and which one depends on the order of layers",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let mut first: BTreeMap<String, (&str, &Declared)> = BTreeMap::new();
    for (component, path, declared) in subject.contract.files() {
        let place = follow::own(&subject.image.rootfs, path).unwrap_or_else(|| path.to_owned());
        let (other, same) = *first.entry(place.clone()).or_insert((&component.name, declared));
        // the same bytes or the same link, twice, is one file
        if other != component.name && (!declared.is_single() || declared != same) {
            let message = format!("{place} is given by component `{other}` and by component `{}`", component.name);
            findings.error("path-collision", message).at(path).of(&component.name);
        }
    }
}
