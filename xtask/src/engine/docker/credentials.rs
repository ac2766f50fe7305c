//! Who we are at which registry. Given by the caller, shown to nobody.

use std::collections::BTreeMap;
use std::fmt;

use bollard::auth::DockerCredentials;

/// Where Docker Hub keeps its accounts; its registry goes by several names.
const HUB: [&str; 4] = ["docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"];

/// Accounts by host name of the registry.
#[derive(Clone, Default)]
pub struct Credentials {
    by_host: BTreeMap<String, DockerCredentials>,
}

impl Credentials {
    /// Nobody anywhere.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a user and a password.
    pub fn password(self, host: &str, user: impl Into<String>, password: impl Into<String>) -> Self {
        let (username, password) = (Some(user.into()), Some(password.into()));
        self.add(host, DockerCredentials { username, password, ..DockerCredentials::default() })
    }

    /// Adds an identity token, as `docker login` stores it for some registries.
    pub fn identity_token(self, host: &str, token: impl Into<String>) -> Self {
        let identitytoken = Some(token.into());
        self.add(host, DockerCredentials { identitytoken, ..DockerCredentials::default() })
    }

    fn add(mut self, host: &str, account: DockerCredentials) -> Self {
        let names: Vec<&str> = if HUB.contains(&host) { HUB.to_vec() } else { vec![host] };
        for name in names {
            let account = DockerCredentials { serveraddress: Some(name.to_owned()), ..account.clone() };
            self.by_host.insert(name.to_owned(), account);
        }
        self
    }

    /// In the shape of bollard's build, which wants a hash map.
    pub(super) fn for_build<M: FromIterator<(String, DockerCredentials)>>(&self) -> Option<M> {
        (!self.by_host.is_empty()).then(|| self.by_host.clone().into_iter().collect())
    }

    /// The account for one reference.
    pub(super) fn for_reference(&self, reference: &str) -> Option<DockerCredentials> {
        let first = reference.split_once('/').map_or("", |(first, _)| first);
        let is_host = first.contains(['.', ':']) || first == "localhost";
        self.by_host.get(if is_host { first } else { "docker.io" }).cloned()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_host.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_reference_and_never_shown() {
        let credentials =
            Credentials::new().password("docker.io", "u", "secret").password("r.example:5000", "v", "secret");
        let check = |reference: &str, expect: Option<&str>| {
            let account = credentials.for_reference(reference);
            assert_eq!(account.and_then(|account| account.username).as_deref(), expect, "{reference}");
        };
        check("busybox:1", Some("u"));
        check("library/busybox", Some("u"));
        check("r.example:5000/a/b:1", Some("v"));
        check("other.example/a", None);
        assert!(!format!("{credentials:?}").contains("secret"));
    }
}
