//! Accounts of `docker login`, for the registries that a build pulls from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use docker_credential::DockerCredential;

use crate::oci::Reference;

/// Name under which Docker keeps the account of Docker Hub.
const HUB: &str = "https://index.docker.io/v1/";

/// An account of a registry. It prints as its kind only.
#[derive(Clone, PartialEq, Eq)]
pub enum Account {
    /// A user.
    Password {
        /// Name.
        user: String,
        /// Password.
        password: String,
    },
    /// An identity token.
    Token(String),
}

impl fmt::Debug for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Password { .. } => "password",
            Self::Token(_) => "token",
        })
    }
}

/// The accounts for the registries of some references, by registry. A registry without an account, or whose credential
/// helper does not answer, is asked anonymously, as docker does.
pub fn accounts<'a>(references: impl IntoIterator<Item = &'a Reference>) -> BTreeMap<String, Account> {
    let registries: BTreeSet<&str> = references.into_iter().map(Reference::registry).collect();
    registries.into_iter().filter_map(|registry| Some((registry.to_owned(), account(registry)?))).collect()
}

fn account(registry: &str) -> Option<Account> {
    let name = if registry == "docker.io" { HUB } else { registry };
    match docker_credential::get_credential(name).ok()? {
        DockerCredential::UsernamePassword(user, password) => Some(Account::Password { user, password }),
        DockerCredential::IdentityToken(token) => Some(Account::Token(token)),
    }
}
