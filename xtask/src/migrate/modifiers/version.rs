//! Versions of Velero, and what each brought to resource modifiers.

use std::fmt;
use std::str::FromStr;

/// A version of Velero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Velero {
    major: u32,
    minor: u32,
    patch: u32,
}

/// Resource modifiers appear.
pub const FIRST: Velero = Velero::new(1, 12, 0);
/// A value between quotes is text.
pub const ESCAPES: Velero = Velero::new(1, 12, 2);
/// `mergePatches`, `strategicPatches`, `matches`, and globs in `groupResource`.
pub const MERGES: Velero = Velero::new(1, 13, 0);

impl Velero {
    /// A version from its parts.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }
}

/// Why a text is no version of Velero.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version of Velero; write it as 1.13 or v1.13.2")]
pub struct VersionError(String);

impl FromStr for Velero {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let bad = || VersionError(text.to_owned());
        let number = text.strip_prefix('v').unwrap_or(text).split(['-', '+']).next().unwrap_or_default();
        let parts: Vec<&str> = number.split('.').collect();
        let part = |index: usize| match parts.get(index) {
            Some(part) => part.parse().map_err(|_| bad()),
            None if index == 2 => Ok(0),
            None => Err(bad()),
        };
        if parts.len() > 3 {
            return Err(bad());
        }
        Ok(Self::new(part(0)?, part(1)?, part(2)?))
    }
}

impl fmt::Display for Velero {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        for (text, expect) in [("1.13", "1.13.0"), ("v1.12.2", "1.12.2"), ("v1.16.0-rc.1", "1.16.0")] {
            assert_eq!(text.parse::<Velero>().unwrap().to_string(), expect);
        }
        assert!(["", "1", "1.2.3.4", "latest", "v1.x"].iter().all(|text| text.parse::<Velero>().is_err()));
        assert!(FIRST < ESCAPES && ESCAPES < MERGES);
    }
}
