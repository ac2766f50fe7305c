//! Where a reference goes in another registry. Pure; what was mapped maps to itself.

use crate::manifest::RegistryPath;
use crate::oci::{Reference, ReferenceError};

/// How a reference is put into another registry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MappingMode {
    /// `ghcr.io/a/b` becomes `REGISTRY/a/b`.
    #[default]
    ReplaceHost,
    /// `ghcr.io/a/b` becomes `REGISTRY/ghcr.io/a/b`.
    Prepend,
    /// `ghcr.io/a/b` becomes `REGISTRY/a-b`.
    Flatten,
}

/// The reference in a registry, with the same tag and digest.
///
/// # Errors
/// What comes of it is no reference.
pub fn map(mode: MappingMode, registry: &RegistryPath, reference: &Reference) -> Result<Reference, ReferenceError> {
    let name = reference.name();
    let path = registry.as_str();
    if name.starts_with(&format!("{path}/")) {
        return Ok(reference.clone());
    }
    let repository = name.split_once('/').map_or(name.as_str(), |(_, repository)| repository);
    let below = match mode {
        MappingMode::ReplaceHost => repository.to_owned(),
        // a port is no part of a repository
        MappingMode::Prepend => name.replacen(':', "-", 1),
        MappingMode::Flatten => repository.replace('/', "-"),
    };
    let part = |mark: &str, part: Option<&str>| part.map(|part| format!("{mark}{part}")).unwrap_or_default();
    format!("{path}/{below}{}{}", part(":", reference.tag()), part("@", reference.digest())).parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        let check = |reference: &str, expect: [&str; 3]| {
            let registry: RegistryPath = "my-private-registry:5000/vcluster/".parse().unwrap();
            let modes = [MappingMode::ReplaceHost, MappingMode::Prepend, MappingMode::Flatten];
            for (mode, expect) in modes.into_iter().zip(expect) {
                let mapped = map(mode, &registry, &reference.parse().unwrap()).unwrap();
                assert_eq!(mapped.to_string(), format!("my-private-registry:5000/vcluster/{expect}"));
                assert_eq!(map(mode, &registry, &mapped).unwrap(), mapped, "again");
            }
        };
        check("ghcr.io/a/b:1", ["a/b:1", "ghcr.io/a/b:1", "a-b:1"]);
        check("alpine:3.20", ["library/alpine:3.20", "docker.io/library/alpine:3.20", "library-alpine:3.20"]);
        check("localhost:5000/a", ["a", "localhost-5000/a", "a"]);
    }
}
