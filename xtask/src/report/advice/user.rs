//! `user`: an image has one user; roles that run as others depend on their pods to say so.

use std::collections::BTreeMap;

use super::{ImageFacts, Reason};

const KIND: &str = "user";

pub(super) fn reasons(image: &ImageFacts) -> Option<Reason> {
    let mut users: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for role in image.started().flat_map(|component| &component.roles) {
        users.entry(&role.user).or_default().push(role.name.clone());
    }
    let each: Vec<String> = users.iter().map(|(user, roles)| format!("{user} ({})", roles.join(", "))).collect();
    let text = || {
        format!("roles run as different users, and an image has one: {}; each pod has to say its own", each.join(", "))
    };
    (users.len() > 1).then(|| Reason::neither(KIND, text()))
}
