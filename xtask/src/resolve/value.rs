//! Which of several sources decides a value: flag, environment, override file, manifest, built-in; in this order, everywhere.
//!
//! Keys are dotted paths into `groupage.toml` and `image.toml`: `bases.NAME`, `builders.NAME`, `registry.default`,
//! `build.network`, `images.NAME.base`, `components.NAME.image`. A flag may use `*` inside a segment. Every key also is an
//! environment variable: `GROUPAGE_` and the key in capitals, everything else than letters and digits turned into `_`.
//! An empty value is an error, not "unset".

use std::collections::BTreeMap;
use std::fmt;

use crate::diagnostic::{Diagnostic, closest};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueSource {
    /// `--set`.
    Flag,
    /// An environment variable, by name.
    Environment(String),
    /// `groupage.override.toml`.
    OverrideFile,
    /// A manifest or `groupage.toml`.
    Manifest,
    /// Made on this machine, because the wanted image could not be had.
    Bootstrap,
    /// The tool's own default.
    BuiltIn,
}

impl fmt::Display for ValueSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => out.write_str("--set"),
            Self::Environment(name) => write!(out, "environment variable {name}"),
            Self::OverrideFile => out.write_str("groupage.override.toml"),
            Self::Manifest => out.write_str("manifest"),
            Self::Bootstrap => out.write_str("local stand-in"),
            Self::BuiltIn => out.write_str("built-in"),
        }
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub source: ValueSource,
}

/// All overrides of one run, by source.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--set KEY=VALUE`, in order; the last one that matches wins.
    pub flags: Vec<(String, String)>,
    /// Every environment variable that begins with `GROUPAGE_`.
    pub environment: BTreeMap<String, String>,
    /// Keys of the override file.
    pub file: BTreeMap<String, String>,
    /// References that were made on this machine for this run, by key.
    pub bootstrapped: BTreeMap<String, String>,
}

impl Overrides {
    /// The override for a key, if any source has one.
    ///
    /// # Errors
    /// A diagnostic that names the source when the value is empty.
    pub fn find(&self, key: &str) -> Result<Option<Value<&str>>, Diagnostic> {
        let variable = variable_name(key);
        let flag = self.flags.iter().rev().find(|(pattern, _)| matches(pattern, key));
        let sources = [
            flag.map(|(_, value)| (value, ValueSource::Flag)),
            self.environment.get(&variable).map(|value| (value, ValueSource::Environment(variable.clone()))),
            self.file.get(key).map(|value| (value, ValueSource::OverrideFile)),
            self.bootstrapped.get(key).map(|value| (value, ValueSource::Bootstrap)),
        ];
        match sources.into_iter().flatten().next() {
            None => Ok(None),
            Some((value, source)) if value.trim().is_empty() => {
                Err(Diagnostic::error("empty-value", format!("`{key}` from {source} is empty"))
                    .help("an empty value is not \"unset\": remove the override instead"))
            }
            Some((value, source)) => Ok(Some(Value { value, source })),
        }
    }

    /// Flags and keys of the override file that match none of the keys that exist.
    pub fn unused(&self, known: &[String]) -> Vec<Diagnostic> {
        let flags = self.flags.iter().map(|(pattern, _)| (pattern, ValueSource::Flag));
        let file = self.file.keys().map(|key| (key, ValueSource::OverrideFile));
        let unused = flags.chain(file).filter(|(pattern, _)| !known.iter().any(|key| matches(pattern, key)));
        let report = |(pattern, source): (&String, ValueSource)| {
            let unknown =
                Diagnostic::error("unknown-key", format!("`{pattern}` from {source} is not a key that can be set"));
            match closest(pattern, known.iter().map(String::as_str)) {
                Some(close) => unknown.help(format!("did you mean `{close}`?")),
                None => unknown.help(format!("keys: {}", known.join(", "))),
            }
        };
        unused.map(report).collect()
    }
}

/// The environment variable of a key.
///
/// ```
/// assert_eq!(groupage::resolve::variable_name("bases.static-debug"), "GROUPAGE_BASES_STATIC_DEBUG");
/// ```
pub fn variable_name(key: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    std::iter::once("GROUPAGE_".to_owned()).chain(key.chars().map(|c| plain(c).to_string())).collect()
}

/// Whether a pattern with `*` (any characters of one segment) matches a key.
fn matches(pattern: &str, key: &str) -> bool {
    let (patterns, keys): (Vec<&str>, Vec<&str>) = (pattern.split('.').collect(), key.split('.').collect());
    patterns.len() == keys.len() && patterns.iter().zip(&keys).all(|(pattern, key)| segment_matches(pattern, key))
}

fn segment_matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len()).any(|skip| rest.is_char_boundary(skip) && segment_matches(tail, &rest[skip..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides() -> Overrides {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        Overrides {
            flags: vec![pair("bases.a", "flag"), pair("bases.g*", "glob"), pair("bases.e", "")],
            environment: BTreeMap::from([pair("GROUPAGE_BASES_A", "env"), pair("GROUPAGE_BASES_B", "env")]),
            file: BTreeMap::from([pair("bases.a", "file"), pair("bases.b", "file"), pair("bases.c", "file")]),
            bootstrapped: BTreeMap::from([pair("bases.c", "made"), pair("bases.d", "made")]),
        }
    }

    fn check(key: &str, expect: Option<(&str, ValueSource)>) {
        let overrides = overrides();
        let found = overrides.find(key).unwrap();
        assert_eq!(found.map(|value| (value.value, value.source)), expect, "{key}");
    }

    #[test]
    fn precedence() {
        check("bases.a", Some(("flag", ValueSource::Flag)));
        check("bases.b", Some(("env", ValueSource::Environment("GROUPAGE_BASES_B".into()))));
        check("bases.c", Some(("file", ValueSource::OverrideFile)));
        check("bases.d", Some(("made", ValueSource::Bootstrap)));
        check("bases.gx", Some(("glob", ValueSource::Flag)));
        check("bases.x", None);
        check("bases.a.b", None);
    }

    #[test]
    fn empty_is_an_error_and_unknown_keys_are_named() {
        assert!(overrides().find("bases.e").is_err());
        let unused = overrides().unused(&["bases.a".into(), "bases.gx".into(), "bases.e".into(), "bases.b".into()]);
        assert_eq!(unused.len(), 1, "only bases.c of the file: {unused:?}");
    }
}
