//! Where a reference is behind a mirror: one function for every place that asks, and a check over a whole list.
//!
//! | mode | `ghcr.io/acme/p:1` below `mirror.lan:5000/x` | `alpine:3.20` |
//! |---|---|---|
//! | `replace-host` | `mirror.lan:5000/x/acme/p:1` | `mirror.lan:5000/x/library/alpine:3.20` |
//! | `prepend` | `mirror.lan:5000/x/ghcr.io/acme/p:1` | `mirror.lan:5000/x/docker.io/library/alpine:3.20` |
//! | `flatten` | `mirror.lan:5000/x/acme-p:1` | `mirror.lan:5000/x/library-alpine:3.20` |
//!
//! Tag and digest stay: a mirror holds the same bytes. What is below the mirror already stays as it is, so that mapping twice is
//! mapping once, also where the mirror has a path.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::{Reference, ReferenceError};

/// How a name becomes one below a mirror.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MappingMode {
    /// The mirror stands in place of the registry.
    #[default]
    ReplaceHost,
    /// The mirror stands before the whole name, registry included.
    Prepend,
    /// The mirror stands in place of the registry, and the repository becomes one word.
    Flatten,
}

impl MappingMode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::ReplaceHost, Self::Prepend, Self::Flatten];

    /// The mode as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReplaceHost => "replace-host",
            Self::Prepend => "prepend",
            Self::Flatten => "flatten",
        }
    }
}

impl fmt::Display for MappingMode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for MappingMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|mode| mode.as_str() == text);
        known.ok_or_else(|| "it is \"replace-host\", \"prepend\" or \"flatten\"".to_owned())
    }
}

/// A mirror: registry and path, and how names are found below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// How.
    pub mode: MappingMode,
    registry: String,
    /// Path below the registry, without `/` at its ends; may be empty.
    path: String,
}

/// Two references that would be one behind the mirror.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{first} and {second} would both be {target}")]
pub struct Collision {
    /// The one that sorts first.
    pub first: Reference,
    /// The other one.
    pub second: Reference,
    /// What both would be.
    pub target: Reference,
}

/// Why references cannot be mapped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// The result is no reference.
    #[error("{reference} has no place behind the mirror by `{mode}`: {error}")]
    Invalid {
        /// What was to be mapped.
        reference: Box<Reference>,
        /// How.
        mode: MappingMode,
        /// Why not.
        error: Box<ReferenceError>,
    },
    /// Two would be one.
    #[error(transparent)]
    Collision(#[from] Box<Collision>),
}

impl Mapping {
    /// A mirror from a mode and `HOST[:PORT][/PATH]`; a `/` at its end is dropped.
    ///
    /// # Errors
    /// When a name below it would be no reference.
    pub fn new(mode: MappingMode, mirror: &str) -> Result<Self, ReferenceError> {
        let mirror = mirror.trim_end_matches('/');
        let below: Reference = format!("{mirror}/x").parse()?;
        // `mirror/x` without a dot or port is a path on Docker Hub
        let registry = below.registry().to_owned();
        let path = below.repository().strip_suffix('x').unwrap_or_default().trim_end_matches('/').to_owned();
        Ok(Self { mode, registry, path })
    }

    /// Where a reference is behind the mirror.
    ///
    /// ```
    /// use groupage::oci::{Mapping, MappingMode, Reference};
    /// let mapping = Mapping::new(MappingMode::ReplaceHost, "mirror.lan:5000/x/")?;
    /// let there = mapping.map(&"ghcr.io/acme/p:1".parse::<Reference>()?).unwrap();
    /// assert_eq!(there.to_string(), "mirror.lan:5000/x/acme/p:1");
    /// assert_eq!(mapping.map(&there).unwrap(), there);
    /// # Ok::<(), groupage::oci::ReferenceError>(())
    /// ```
    ///
    /// # Errors
    /// When the result is no reference: a port before the repository, or more than 255 characters.
    pub fn map(&self, reference: &Reference) -> Result<Reference, MappingError> {
        if self.holds(reference) {
            return Ok(reference.clone());
        }
        let name = reference.name();
        let (_, repository) = name.split_once('/').unwrap_or(("", &name));
        let below = match self.mode {
            MappingMode::ReplaceHost => repository.to_owned(),
            MappingMode::Prepend => name.clone(),
            MappingMode::Flatten => repository.replace('/', "-"),
        };
        let path = if self.path.is_empty() { below } else { format!("{}/{below}", self.path) };
        Reference::from_parts(Some(&self.registry), &path, reference.tag(), reference.digest()).map_err(|error| {
            MappingError::Invalid { reference: Box::new(reference.clone()), mode: self.mode, error: Box::new(error) }
        })
    }

    /// Where all references are behind the mirror.
    ///
    /// # Errors
    /// As [`Mapping::map`]; and when two repositories would be one.
    pub fn map_all<'r>(
        &self,
        references: impl IntoIterator<Item = &'r Reference>,
    ) -> Result<BTreeMap<Reference, Reference>, MappingError> {
        let mut sorted: Vec<&Reference> = references.into_iter().collect();
        sorted.sort();
        let mut mapped = BTreeMap::new();
        let mut seen: BTreeMap<String, &Reference> = BTreeMap::new();
        for reference in sorted {
            let target = self.map(reference)?;
            if !self.holds(reference) {
                let first = *seen.entry(target.name()).or_insert(reference);
                if first.name() != reference.name() {
                    let (first, second) = (first.clone(), reference.clone());
                    return Err(Box::new(Collision { first, second, target: target.clone() }).into());
                }
            }
            mapped.insert(reference.clone(), target);
        }
        Ok(mapped)
    }

    /// Whether a reference is below the mirror already.
    pub fn holds(&self, reference: &Reference) -> bool {
        let below = |repository: &str| {
            self.path.is_empty() || repository.strip_prefix(&self.path).is_some_and(|rest| rest.starts_with('/'))
        };
        reference.registry() == self.registry && below(reference.repository())
    }
}

/// `HOST[:PORT][/PATH]`.
impl fmt::Display for Mapping {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.path.is_empty() { "" } else { "/" };
        write!(out, "{}{separator}{}", self.registry, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(mode: MappingMode, mirror: &str) -> Mapping {
        Mapping::new(mode, mirror).unwrap()
    }

    fn check(mode: MappingMode, mirror: &str, reference: &str, expect: Option<&str>) {
        let mapped = mapping(mode, mirror).map(&reference.parse().unwrap());
        assert_eq!(mapped.as_ref().ok().map(Reference::to_string).as_deref(), expect, "{mode} {reference}");
        if let Ok(mapped) = mapped {
            assert_eq!(mapping(mode, mirror).map(&mapped).unwrap(), mapped, "mapping twice is mapping once");
            assert!(!mapped.to_string().contains("//"));
        }
    }

    #[test]
    fn three_modes() {
        use MappingMode::{Flatten, Prepend, ReplaceHost};
        for (reference, host, prepended, flat) in [
            (
                "ghcr.io/loft-sh/vcluster-pro:1",
                "loft-sh/vcluster-pro:1",
                "ghcr.io/loft-sh/vcluster-pro:1",
                "loft-sh-vcluster-pro:1",
            ),
            (
                "coredns/coredns:1.14.2",
                "coredns/coredns:1.14.2",
                "docker.io/coredns/coredns:1.14.2",
                "coredns-coredns:1.14.2",
            ),
            ("alpine:3.20", "library/alpine:3.20", "docker.io/library/alpine:3.20", "library-alpine:3.20"),
            ("registry.k8s.io/etcd:3.6.8-0", "etcd:3.6.8-0", "registry.k8s.io/etcd:3.6.8-0", "etcd:3.6.8-0"),
        ] {
            for mirror in ["my-private-registry:5000/vcluster/", "my-private-registry:5000/vcluster", "mirror.lan"] {
                let below = |name: &str| format!("{}/{name}", mirror.trim_end_matches('/'));
                check(ReplaceHost, mirror, reference, Some(&below(host)));
                check(Prepend, mirror, reference, Some(&below(prepended)));
                check(Flatten, mirror, reference, Some(&below(flat)));
            }
        }
        check(Prepend, "mirror.lan", "localhost:5000/a:1", None);
        check(ReplaceHost, "mirror.lan/x", "mirror.lan/a:1", Some("mirror.lan/x/a:1"));
        check(ReplaceHost, "mirror.lan/x", "mirror.lan/xa/b:1", Some("mirror.lan/x/xa/b:1"));
    }

    #[test]
    fn a_collision_names_both() {
        let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Reference>>();
        let map =
            |mode, texts: &[&str]| mapping(mode, "m.lan").map_all(&list(texts)).map_err(|error| error.to_string());
        let error = map(MappingMode::Flatten, &["quay.io/a-b/c:1", "ghcr.io/a/b-c:2"]).unwrap_err();
        assert_eq!(error, "ghcr.io/a/b-c:2 and quay.io/a-b/c:1 would both be m.lan/a-b-c:1");
        let error = map(MappingMode::ReplaceHost, &["quay.io/a/b:1", "ghcr.io/a/b:1"]).unwrap_err();
        assert_eq!(error, "ghcr.io/a/b:1 and quay.io/a/b:1 would both be m.lan/a/b:1");
        assert_eq!(map(MappingMode::Prepend, &["quay.io/a/b:1", "ghcr.io/a/b:1"]).unwrap().len(), 2);
        // the same repository twice, and one that is there already
        assert!(map(MappingMode::ReplaceHost, &["ghcr.io/a/b:1", "ghcr.io/a/b:2", "m.lan/a/b:1"]).is_ok());
    }
}
