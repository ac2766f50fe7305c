//! What the image is told to do: user, entry point, environment, ports and labels.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{ComponentPlan, ConfigPlan};
use crate::resolve::{ResolvedImage, ResolvedRole};

/// The configuration that follows from the roles.
pub(super) fn plan(image: &ResolvedImage<'_>, components: &[ComponentPlan]) -> ConfigPlan {
    let default = image
        .default_role
        .and_then(|wanted| image.roles().map(|(_, role)| role).find(|role| *role.name == wanted.value));
    let roles: Vec<&ResolvedRole<'_>> = image.roles().map(|(_, role)| role).collect();
    let env = roles.iter().flat_map(|role| &role.role.env).map(|(name, value)| (name.clone(), value.value.clone()));
    let ports: BTreeSet<(u16, String)> =
        roles.iter().flat_map(|role| &role.ports).map(|port| (port.number.value, port.protocol.to_string())).collect();
    ConfigPlan {
        user: user(default, &roles),
        entrypoint: default.map(|role| command(role)).unwrap_or_default(),
        workdir: default
            .and_then(|role| role.role.workdir.as_ref())
            .map_or_else(|| "/".to_owned(), |workdir| workdir.value.to_string()),
        env: env.collect(),
        ports: ports.into_iter().map(|(number, protocol)| format!("{number}/{protocol}")).collect(),
        labels: labels(image, components),
    }
}

pub(super) fn command(role: &ResolvedRole<'_>) -> Vec<String> {
    role.role.command.iter().map(|word| word.value.clone()).collect()
}

/// The default role's user; without a default role the one that all roles agree on.
fn user(default: Option<&ResolvedRole<'_>>, roles: &[&ResolvedRole<'_>]) -> Option<String> {
    if let Some(role) = default {
        return Some(role.role.user.value.to_string());
    }
    let users: BTreeSet<String> = roles.iter().map(|role| role.role.user.value.to_string()).collect();
    users.into_iter().next().filter(|first| roles.iter().all(|role| role.role.user.value.to_string() == *first))
}

/// Labels of the OCI specification, of the definition, and our own. Time and revision are not among them: they would make
/// two builds of the same inputs differ.
/// <https://github.com/opencontainers/image-spec/blob/main/annotations.md>
fn labels(image: &ResolvedImage<'_>, components: &[ComponentPlan]) -> BTreeMap<String, String> {
    let definition = image.definition;
    let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(",");
    let mut labels: BTreeMap<String, String> =
        definition.labels.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect();
    let mut own = |key: &str, value: String| {
        if !value.is_empty() {
            labels.entry(key.to_owned()).or_insert(value);
        }
    };
    own("org.opencontainers.image.title", definition.name.value.to_string());
    own("org.opencontainers.image.version", image.version.clone());
    own(
        "org.opencontainers.image.description",
        definition.description.as_ref().map(|text| text.value.clone()).unwrap_or_default(),
    );
    own(
        "org.opencontainers.image.base.name",
        image.base.image.as_ref().map(|base| base.value.canonical()).unwrap_or_default(),
    );
    own("dev.groupage.image", definition.name.value.to_string());
    own("dev.groupage.variant", image.variant.map(ToString::to_string).unwrap_or_default());
    own("dev.groupage.mode", "colocated".to_owned());
    own("dev.groupage.features", list(&mut image.features.iter().map(ToString::to_string)));
    own(
        "dev.groupage.components",
        list(&mut components.iter().map(|component| format!("{}@{}", component.name, component.version))),
    );
    labels
}
