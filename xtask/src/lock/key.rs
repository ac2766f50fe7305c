//! Keys of what is locked: those of overrides, so that one word names a value everywhere.

use std::fmt;
use std::str::FromStr;

use crate::manifest::{BaseName, BuilderName, ComponentName, OutsideName};

/// A value of the workspace that is a reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `bases.NAME`.
    Base(BaseName),
    /// `builders.NAME`.
    Builder(BuilderName),
    /// `components.NAME.image`.
    Component(ComponentName),
    /// `components.NAME.images.IMAGE`.
    Outside(ComponentName, OutsideName),
}

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of bases.NAME, builders.NAME, components.NAME.image, components.NAME.images.IMAGE")]
pub struct KeyError(String);

impl Key {
    /// The name in it.
    pub fn name(&self) -> &str {
        match self {
            Self::Base(name) => name.as_str(),
            Self::Builder(name) => name.as_str(),
            Self::Component(name) | Self::Outside(name, _) => name.as_str(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base(name) => write!(out, "bases.{name}"),
            Self::Builder(name) => write!(out, "builders.{name}"),
            Self::Component(name) => write!(out, "components.{name}.image"),
            Self::Outside(component, name) => write!(out, "components.{component}.images.{name}"),
        }
    }
}

impl crate::manifest::Text for Key {}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let parts: Vec<&str> = text.split('.').collect();
        let key = match parts[..] {
            ["bases", name] => name.parse().ok().map(Self::Base),
            ["builders", name] => name.parse().ok().map(Self::Builder),
            ["components", name, "image"] => name.parse().ok().map(Self::Component),
            ["components", component, "images", name] => match (component.parse(), name.parse()) {
                (Ok(component), Ok(name)) => Some(Self::Outside(component, name)),
                _ => None,
            },
            _ => None,
        };
        key.ok_or_else(|| KeyError(text.chars().take(128).collect()))
    }
}

impl serde::Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_print_what_they_parse() {
        let check = |text: &str, expect: bool| {
            let parsed = text.parse::<Key>();
            assert_eq!(parsed.as_ref().is_ok_and(|key| key.to_string() == text), expect, "{text}: {parsed:?}");
        };
        check("bases.static", true);
        check("builders.rust-1", true);
        check("components.ca.image", true);
        check("components.ca.images.golang", true);
        for bad in [
            "",
            "bases",
            "bases.",
            "bases.A",
            "bases.a.b",
            "base.a",
            "components.a",
            "components.a.base",
            "images.a.base",
            "components.a.images",
            "components.a.images.B",
        ] {
            check(bad, false);
        }
    }
}
