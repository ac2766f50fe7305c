//! A repository at a registry, and the addresses that the distribution protocol gives it.

use std::net::{Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use super::trouble::Trouble;
use crate::oci::Reference;

/// Docker Hub goes by several names.
const HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];
/// Where its registry answers.
const HUB_HOST: &str = "registry-1.docker.io";

/// A repository at a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    /// As in references, such as `docker.io` or `localhost:5000`.
    pub registry: String,
    /// With `library/` where Docker Hub implies it.
    pub repository: String,
}

impl Target {
    /// Where the image of a reference is.
    pub fn of(reference: &Reference) -> Self {
        let (registry, repository) = (reference.registry(), reference.repository());
        let implied = HUB.contains(&registry) && !repository.contains('/');
        let library = if implied { "library/" } else { "" };
        Self { registry: registry.to_owned(), repository: format!("{library}{repository}") }
    }

    /// Where the registry answers.
    pub fn host(&self) -> &str {
        if self.is_hub() { HUB_HOST } else { &self.registry }
    }

    /// Names under which the account of the registry may be kept.
    pub fn account_names(&self) -> Vec<&str> {
        let own = std::iter::once(self.registry.as_str());
        if self.is_hub() { own.chain(HUB).collect() } else { own.collect() }
    }

    /// The command that makes an account known.
    pub fn login(&self) -> String {
        if self.is_hub() { "docker login".to_owned() } else { format!("docker login {}", self.registry) }
    }

    fn is_hub(&self) -> bool {
        HUB.contains(&self.registry.as_str())
    }

    /// The root of the protocol, `…/v2/`.
    pub fn root(&self, plain: bool) -> Result<Url, Trouble> {
        let scheme = if plain { "http" } else { "https" };
        let url = format!("{scheme}://{}/v2/", self.host());
        Url::parse(&url).map_err(|error| Trouble::refused(format!("{} is no host: {error}", self.host())))
    }

    /// An address of this repository, such as `blobs/uploads/`.
    pub fn url(&self, plain: bool, rest: &str) -> Result<Url, Trouble> {
        let root = self.root(plain)?;
        let path = format!("{}/{rest}", self.repository);
        root.join(&path).map_err(|error| Trouble::refused(format!("{path} is no path: {error}")))
    }
}

/// Whether a registry, as in references, is on this machine.
pub(super) fn is_loopback(registry: &str) -> bool {
    if let Some(rest) = registry.strip_prefix('[') {
        let address = rest.split_once(']').map_or(rest, |(address, _)| address);
        return address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    let host = registry.split_once(':').map_or(registry, |(host, _)| host);
    host.eq_ignore_ascii_case("localhost") || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let check = |reference: &str, plain, expect: &str| {
            let target = Target::of(&reference.parse().unwrap());
            assert_eq!(target.url(plain, "manifests/1").unwrap().as_str(), expect);
        };
        check("busybox", false, "https://registry-1.docker.io/v2/library/busybox/manifests/1");
        check("index.docker.io/a/b", false, "https://registry-1.docker.io/v2/a/b/manifests/1");
        check("ghcr.io/busybox", false, "https://ghcr.io/v2/busybox/manifests/1");
        check("localhost:5000/a/b:1", true, "http://localhost:5000/v2/a/b/manifests/1");
        check("[::1]:5000/a", true, "http://[::1]:5000/v2/a/manifests/1");
    }

    #[test]
    fn loopback() {
        let check = |registry: &str, expect| assert_eq!(is_loopback(registry), expect, "{registry}");
        for here in ["localhost", "localhost:5000", "127.0.0.1:80", "127.1.2.3", "[::1]", "[::1]:5000"] {
            check(here, true);
        }
        for there in ["localhost.example", "128.0.0.1", "127.0.0.1.example:80", "[::2]:80", "10.0.0.1", "ghcr.io"] {
            check(there, false);
        }
    }

    #[test]
    fn the_hub_has_one_account() {
        let target = Target::of(&"index.docker.io/a/b".parse().unwrap());
        assert!(target.account_names().contains(&"docker.io"));
        assert_eq!(target.login(), "docker login");
        assert_eq!(Target::of(&"r.example/a".parse().unwrap()).login(), "docker login r.example");
    }
}
