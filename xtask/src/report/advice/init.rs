//! Where init containers could be one. ovs-cni merged images, and three init containers then became one.
//!
//! Manifests do not say whether a role ends, nor how a pod starts it: they say for whom a role waits, and what it is called.
//! So this tells which roles are started one after the other, and what has to be true for them to become one container.

use super::{ImageFacts, RoleFacts, quoted};

/// Words of a role's name that say that it prepares something for others.
const WORDS: [&str; 4] = ["init", "setup", "wait", "migrate"];

/// Sentences about roles that could be one init container.
pub(super) fn candidates(image: &ImageFacts) -> Vec<String> {
    let roles: Vec<&RoleFacts> = image.started().flat_map(|component| &component.roles).collect();
    let mut all: Vec<String> = roles.iter().filter_map(|role| chain(role, &roles)).collect();
    let named: Vec<&str> = roles.iter().map(|role| role.name.as_str()).filter(|name| is_initial(name)).collect();
    if named.len() > 1 {
        all.push(format!(
            "{} are called like init containers: if a pod runs several of them, one init container of the merged image can run \
             one after the other",
            quoted(named)
        ));
    }
    all
}

/// A role that waits for others of the same image.
fn chain(role: &RoleFacts, roles: &[&RoleFacts]) -> Option<String> {
    let here = role.waits_for.iter().filter(|name| roles.iter().any(|other| other.name == **name));
    let here: Vec<&str> = here.map(String::as_str).collect();
    (!here.is_empty()).then(|| {
        format!(
            "`{}` waits for {}: where those end before it starts, as init containers do, one container of the merged image can \
             run them in a row; manifests do not say whether a role ends",
            role.name,
            quoted(here)
        )
    })
}

fn is_initial(name: &str) -> bool {
    name.split('-').any(|word| WORDS.contains(&word))
}
