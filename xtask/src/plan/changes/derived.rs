//! What only follows from another change is not named beside it: labels that list components, the user of the default role, and
//! such. There is always the change that it follows from.

use std::collections::BTreeSet;

use super::{Change, What};

/// The changes that stand for themselves.
pub(super) fn without(all: BTreeSet<Change>) -> BTreeSet<Change> {
    all.iter().filter(|change| !follows(change, &all)).cloned().collect()
}

fn follows(change: &Change, all: &BTreeSet<Change>) -> bool {
    let any = |what: What| all.iter().any(|other| other.what == what);
    let parts = any(What::Component);
    let own_feature = || all.iter().any(|other| other.what == What::Feature && other.component.is_none());
    match (change.what, change.subject.as_str()) {
        (What::Label, "org.opencontainers.image.base.name" | "org.opencontainers.image.base.digest") => any(What::Base),
        (What::Label, "dev.groupage.features") => own_feature(),
        (What::Label, "dev.groupage.components") => parts || any(What::Version),
        (What::Config, "user") => of_role(change, "user", all),
        (What::Config, "entrypoint") => of_role(change, "command", all),
        (What::Config, "cmd") => of_role(change, "args", all),
        (What::Config, key @ ("stop_signal" | "healthcheck")) => of_role(change, key, all),
        (What::Config, "volumes") => parts || any(What::Role) || any_role(all, " volumes"),
        (What::Config, "workdir") => of_role(change, "workdir", all),
        (What::Config, "ports") => parts || any(What::Role) || any_role(all, " ports"),
        (What::Config, key) if key.starts_with("env ") => parts || any(What::Role) || any_role(all, &format!(" {key}")),
        (What::CargoFeature, name) => {
            let same = |other: &Change| other.what == What::Feature && other.subject == name;
            all.iter().any(|other| same(other) && other.component == change.component)
        }
        (What::RoleSetting, key) if key.ends_with(" aliases") => {
            all.iter().any(|other| other.what == What::Link && other.component == change.component)
        }
        _ => false,
    }
}

/// Whether some role changed in this in the same way.
fn of_role(change: &Change, key: &str, all: &BTreeSet<Change>) -> bool {
    let same = |other: &Change| other.before == change.before && other.after == change.after;
    let is_role = |other: &Change| other.what == What::RoleSetting && other.subject.ends_with(&format!(" {key}"));
    all.iter().any(|other| is_role(other) && same(other))
}

fn any_role(all: &BTreeSet<Change>, end: &str) -> bool {
    all.iter().any(|other| other.what == What::RoleSetting && other.subject.ends_with(end))
}
