//! Accounts of `docker login`, for the registries that a build pulls from.

use std::collections::BTreeSet;

use docker_credential::DockerCredential;

use crate::engine::docker::Credentials;
use crate::oci::Reference;

/// Name under which Docker keeps the account of Docker Hub.
const HUB: &str = "https://index.docker.io/v1/";

/// The accounts for the registries of some references. A registry without an account, or whose credential helper does not
/// answer, is asked anonymously, as docker does.
pub fn accounts<'a>(references: impl IntoIterator<Item = &'a Reference>) -> Credentials {
    let registries: BTreeSet<&str> = references.into_iter().map(Reference::registry).collect();
    registries.into_iter().fold(Credentials::new(), |all, registry| {
        let name = if registry == "docker.io" { HUB } else { registry };
        match docker_credential::get_credential(name) {
            Ok(DockerCredential::UsernamePassword(user, password)) => all.password(registry, user, password),
            Ok(DockerCredential::IdentityToken(token)) => all.identity_token(registry, token),
            Err(_) => all,
        }
    })
}
