//! What the image is told to do: user, entry point, environment, ports and labels. It follows from the plans of the
//! components and from what the definition says ([`Given`]), so that it can be computed again when components are left out.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Allowed, ConfigPlan, Given, ImagePlan, RolePlan};
use crate::manifest::ComponentName;
use crate::oci::{ImageSource, Reference};
use crate::resolve::ResolvedImage;

/// <https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys>
const VERSION: &str = "org.opencontainers.image.version";
const DESCRIPTION: &str = "org.opencontainers.image.description";
/// Label with the findings that the definition accepts: a JSON list of rule, components and reason.
const ALLOWED: &str = "dev.groupage.allowed";

/// What the definition of an image says itself.
pub(super) fn given(image: &ResolvedImage<'_>) -> Given {
    let definition = image.definition;
    Given {
        description: definition.description.as_ref().map(|text| text.value.clone()),
        default_role: image.default_role.cloned(),
        labels: definition.labels.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect(),
        allowed: allowed(image),
    }
}

/// What the definition accepts of the components that are in, whatever the order in which it says so.
fn allowed(image: &ResolvedImage<'_>) -> Vec<Allowed> {
    let is_in = |name: &ComponentName| image.components.iter().any(|part| part.name() == name);
    let here = image.definition.allow.iter().filter(|allow| allow.components.iter().all(|own| is_in(&own.value)));
    let allowed = here.map(|allow| {
        let components: BTreeSet<ComponentName> = allow.components.iter().map(|own| own.value.clone()).collect();
        let (rule, reason) = (allow.rule.value.clone(), allow.reason.value.clone());
        Allowed { rule, components: components.into_iter().collect(), reason }
    });
    allowed.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The configuration that follows from the roles of the components.
pub(super) fn plan(image: &ImagePlan) -> ConfigPlan {
    let roles = || image.components.iter().flat_map(|part| &part.roles);
    let default = image.given.default_role.as_ref().and_then(|wanted| roles().find(|(name, _)| *name == wanted));
    let default = default.map(|(_, role)| &**role);
    let roles: Vec<&RolePlan> = roles().map(|(_, role)| &**role).collect();
    let env = roles.iter().flat_map(|role| &role.env).map(|(name, value)| (name.clone(), value.clone()));
    let mut ports: Vec<String> = roles.iter().flat_map(|role| role.ports.clone()).collect();
    ports.sort_by(|a, b| by_number(a).cmp(&by_number(b)));
    ports.dedup();
    let volumes: BTreeSet<_> = roles.iter().flat_map(|role| &role.volumes).collect();
    let entrypoint = default.map(|role| role.command.clone()).or_else(|| dispatcher(image)).unwrap_or_default();
    let replaced = default.filter(|role| role.is_replaced).map(|role| role.command.clone()).unwrap_or_default();
    ConfigPlan {
        user: user(default, &roles),
        entrypoint: if replaced.is_empty() { entrypoint } else { Vec::new() },
        cmd: replaced.into_iter().chain(default.iter().flat_map(|role| role.args.clone())).collect(),
        workdir: default.map_or_else(|| "/".to_owned(), |role| role.workdir.clone()),
        env: env.collect(),
        ports,
        volumes: volumes.into_iter().cloned().collect(),
        stop_signal: default.and_then(|role| role.stop_signal.clone()),
        healthcheck: default.and_then(|role| role.healthcheck.clone()),
        labels: labels(image),
    }
}

/// The program that starts each component by its first argument, in an image without a default role.
fn dispatcher(image: &ImagePlan) -> Option<Vec<String>> {
    let program = image.components.iter().find(|part| part.is_multicall())?;
    program.installs.first().map(|install| vec![install.to.to_string()])
}

/// `9533/tcp` by its number, then by its protocol.
fn by_number(port: &str) -> (u16, &str) {
    let (number, protocol) = port.split_once('/').unwrap_or((port, ""));
    (number.parse().unwrap_or_default(), protocol)
}

/// The default role's user; without a default role the one that all roles agree on.
fn user(default: Option<&RolePlan>, roles: &[&RolePlan]) -> Option<String> {
    if let Some(role) = default {
        return Some(role.user.clone());
    }
    let users: BTreeSet<&String> = roles.iter().map(|role| &role.user).collect();
    users.first().filter(|_| users.len() == 1).map(|user| (*user).clone())
}

/// Labels that say something about the image and decide nothing of what is in it: version, description, and the reasons why
/// findings are accepted, which are prose. One that the definition sets itself is an ordinary label.
pub(super) fn stamp(image: &ImagePlan) -> BTreeMap<String, String> {
    let description = image.given.description.clone().unwrap_or_default();
    let allowed = match image.given.allowed.as_slice() {
        [] => String::new(),
        allowed => serde_json::to_string(allowed).unwrap_or_default(),
    };
    let own = [(VERSION, image.version.clone()), (DESCRIPTION, description), (ALLOWED, allowed)];
    let own = own.into_iter().filter(|(key, value)| !value.is_empty() && !image.given.labels.contains_key(*key));
    own.map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Labels of the OCI specification, of the definition, and our own. Time and revision are not among them: they would make
/// two builds of the same inputs differ.
/// <https://github.com/opencontainers/image-spec/blob/main/annotations.md>
fn labels(image: &ImagePlan) -> BTreeMap<String, String> {
    let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(",");
    let parts = image.components.iter().filter(|part| !part.is_multicall());
    let mut labels = image.given.labels.clone();
    let mut own = |key: &str, value: String| {
        if !value.is_empty() {
            labels.entry(key.to_owned()).or_insert(value);
        }
    };
    let title = image.part.as_ref().map_or_else(|| image.name.to_string(), |part| format!("{}/{part}", image.name));
    own("org.opencontainers.image.title", title);
    // the name is what a rebase asks for again, so the digest stands beside it and not in it; a folder or a daemon of this
    // machine is nobody else's base
    let base = image.base.image.as_ref().and_then(ImageSource::reference);
    own("org.opencontainers.image.base.name", base.map(|base| base.without_digest().canonical()).unwrap_or_default());
    own("org.opencontainers.image.base.digest", base.and_then(Reference::digest).unwrap_or_default().to_owned());
    own("dev.groupage.image", image.name.to_string());
    own("dev.groupage.part", image.part.as_ref().map(ToString::to_string).unwrap_or_default());
    own("dev.groupage.variant", image.variant.as_ref().map(ToString::to_string).unwrap_or_default());
    own("dev.groupage.mode", image.mode.to_string());
    own("dev.groupage.features", list(&mut image.features.iter().map(ToString::to_string)));
    own("dev.groupage.components", list(&mut parts.map(|part| format!("{}@{}", part.name, part.version))));
    labels
}
