//! Names of images as the ledger writes them: a name, or a pattern for several.
//!
//! `{a,b}` stands for either text, `*` for any text within one part of the path. There is no tag and no digest: what happened to
//! an image happened to its name.

use std::fmt;
use std::str::FromStr;

use super::text::Text;
use crate::oci::Reference;

/// Most names that one pattern may stand for: alternatives multiply.
const MAX_NAMES: usize = 256;
/// Registry of names without one.
const HUB: &str = "docker.io";

/// A name of images, or a pattern for several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImagePattern {
    text: String,
    names: Vec<NamePattern>,
}

/// One alternative of a pattern: registry and path, whose parts may hold `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamePattern {
    /// The registry, `docker.io` when none was written.
    pub registry: String,
    /// The path, without `library`.
    pub parts: Vec<String>,
}

impl ImagePattern {
    /// All alternatives, in the order in which they are written.
    pub fn names(&self) -> &[NamePattern] {
        &self.names
    }
}

impl NamePattern {
    /// The last part of the path.
    pub fn last(&self) -> &str {
        self.parts.last().map(String::as_str).unwrap_or_default()
    }

    /// Whether the name is a pattern.
    pub fn is_pattern(&self) -> bool {
        self.parts.iter().any(|part| part.contains('*'))
    }
}

/// As people write it: without `docker.io`.
impl fmt::Display for NamePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.registry != HUB {
            write!(out, "{}/", self.registry)?;
        }
        out.write_str(&self.parts.join("/"))
    }
}

impl fmt::Display for ImagePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.text)
    }
}

impl Text for ImagePattern {}

impl FromStr for ImagePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut names = Vec::new();
        for name in alternatives(text)? {
            names.push(name.parse::<NamePattern>().map_err(|why| {
                let shown: String = text.chars().take(128).collect();
                format!("`{shown}` is not the name of an image: {why}")
            })?);
        }
        Ok(Self { text: text.to_owned(), names })
    }
}

impl Text for NamePattern {}

impl FromStr for NamePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // `*` may stand for any text of a part, so that a name is one when it is with a letter there
        let plain = text.replace('*', "x");
        let reference: Reference = plain.parse().map_err(|error: crate::oci::ReferenceError| error.to_string())?;
        if reference.tag().is_some() || reference.digest().is_some() {
            return Err("a name has no tag and no digest".to_owned());
        }
        let path = text.len() - reference.repository().len();
        let registry = reference.registry().to_owned();
        if text[..path].contains('*') {
            return Err("`*` stands for a part of the path, not of the registry".to_owned());
        }
        Ok(Self::new(&registry, &text[path..]))
    }
}

impl NamePattern {
    /// A name from registry and path.
    pub fn new(registry: &str, path: &str) -> Self {
        let registry = if matches!(registry, "index.docker.io" | "registry-1.docker.io") { HUB } else { registry };
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        if registry == HUB && parts.len() == 2 && parts[0] == "library" {
            parts.remove(0);
        }
        Self { registry: registry.to_owned(), parts }
    }
}

/// Every text that `{a,b}` stands for; braces do not nest.
fn alternatives(text: &str) -> Result<Vec<String>, String> {
    let mut all = vec![String::new()];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, after) = after.split_once('}').ok_or("a `{` has no `}`")?;
        let texts: Vec<&str> = inside.split(',').collect();
        if all.len() * texts.len() > MAX_NAMES {
            return Err(format!("it stands for more than {MAX_NAMES} names"));
        }
        let each = |head: &String| texts.iter().map(move |text| format!("{head}{before}{text}")).collect::<Vec<_>>();
        all = all.iter().flat_map(each).collect();
        rest = after;
    }
    Ok(all.into_iter().map(|head| head + rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let pattern: ImagePattern = text.parse().unwrap_or_else(|why| panic!("{text}: {why}"));
        let names: Vec<String> = pattern.names().iter().map(ToString::to_string).collect();
        assert_eq!(names, expect, "{text}");
    }

    #[test]
    fn patterns() {
        check("velero/velero", &["velero/velero"]);
        check("docker.io/library/rust", &["rust"]);
        check("ghcr.io/b/{x,y}", &["ghcr.io/b/x", "ghcr.io/b/y"]);
        check("{a,b}/{x,y}", &["a/x", "a/y", "b/x", "b/y"]);
        check("r.io:5000/a/*-helper", &["r.io:5000/a/*-helper"]);
    }

    #[test]
    fn not_patterns() {
        for bad in ["", "a:1", "a/{b", "A/b c", "*.io/a", "a//b", "a@sha256:00"] {
            assert!(bad.parse::<ImagePattern>().is_err(), "{bad}");
        }
        let many = "{a,b}".repeat(9);
        assert!(many.parse::<ImagePattern>().is_err());
    }
}
