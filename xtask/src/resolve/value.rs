//! Which of several sources decides a value: flag, environment, override file, manifest; in this order, everywhere.
//!
//! Keys are dotted paths into `groupage.toml` and `image.toml`: `bases.NAME`, `builders.NAME`, `registry.default`,
//! `build.network`, `images.NAME.base`, `images.NAME.mode`, `components.NAME.image`. A flag may use `*` inside a segment. Every key also is an
//! environment variable: `GROUPAGE_` and the key in capitals, everything else than letters and digits turned into `_`.
//! An empty value is an error, not "unset".

use std::collections::BTreeMap;
use std::fmt;

use super::look::known_keys;
use crate::diagnostic::{Diagnostic, closest};
use crate::manifest::Manifests;
use crate::source::Span;
use crate::workspace::OverrideEntry;

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
}

impl fmt::Display for ValueSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => out.write_str("--set"),
            Self::Environment(name) => write!(out, "environment variable {name}"),
            Self::OverrideFile => out.write_str("groupage.override.toml"),
            Self::Manifest => out.write_str("manifest"),
            Self::Bootstrap => out.write_str("local stand-in"),
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
    pub file: BTreeMap<String, OverrideEntry>,
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
            self.file.get(key).map(|entry| (&entry.value.value, ValueSource::OverrideFile)),
            self.bootstrapped.get(key).map(|value| (value, ValueSource::Bootstrap)),
        ];
        match sources.into_iter().flatten().next() {
            None => Ok(None),
            Some((value, source)) if value.trim().is_empty() => {
                let empty = Diagnostic::error("empty-value", format!("`{key}` from {source} is empty"))
                    .help("an empty value is not \"unset\": remove the override instead");
                Err(at(empty, self.place(key, &source)))
            }
            Some((value, source)) => Ok(Some(Value { value, source })),
        }
    }

    /// Where the value of a key is written, when `source` is the override file.
    pub(super) fn place(&self, key: &str, source: &ValueSource) -> Option<Span> {
        let entry = self.file.get(key).filter(|_| *source == ValueSource::OverrideFile);
        entry.map(|entry| entry.value.span)
    }

    /// Flags and keys of the override file that match none of the keys that exist.
    pub fn unused(&self, known: &[String]) -> Vec<Diagnostic> {
        if self.flags.is_empty() && self.file.is_empty() {
            return Vec::new();
        }
        let known = self.with_named_bases(known);
        let flags = self.flags.iter().filter(|(pattern, _)| !known.iter().any(|key| matches(pattern, key)));
        let flags = flags.map(|(pattern, _)| unknown(pattern, &ValueSource::Flag, &known));
        let file = self.file.iter().filter(|(key, _)| !known.contains(key));
        let file = file.map(|(key, entry)| unknown(key, &ValueSource::OverrideFile, &known).label(entry.key, ""));
        flags.chain(file).collect()
    }

    /// Environment variables that look like overrides and match none of the keys that exist, as warnings: other programs
    /// may have variables of that name.
    pub fn unknown_variables(&self, manifests: &Manifests) -> Vec<Diagnostic> {
        if self.environment.is_empty() {
            return Vec::new();
        }
        let keys = self.with_named_bases(&known_keys(manifests));
        let known: Vec<String> = keys.iter().map(|key| variable_name(key)).collect();
        let unknown = self.environment.keys().filter(|name| !known.contains(name) && looks_like_override(name, &known));
        let report = |name: &String| {
            let message = format!("environment variable {name} overrides nothing");
            let warning = Diagnostic::warning("unknown-variable", message);
            match closest(name, known.iter().map(String::as_str)) {
                Some(close) => warning.help(format!("did you mean `{close}`?")),
                None => {
                    warning.help("remove it, or name a key that can be set; `--set` refuses a wrong key and lists them")
                }
            }
        };
        unknown.map(report).collect()
    }

    /// The keys that have an override, each with its source, for messages.
    pub fn in_use(&self, manifests: &Manifests) -> Vec<String> {
        let keys = self.with_named_bases(&known_keys(manifests)).into_iter();
        let source = |key: &String| match self.find(key) {
            Ok(Some(Value { source: ValueSource::Bootstrap, .. })) | Err(_) => None,
            Ok(found) => found.map(|value| value.source),
        };
        keys.filter_map(|key| source(&key).map(|source| format!("`{key}` from {source}"))).collect()
    }

    /// Keys that exist, and those of bases that only an override names: `images.i.base=new` makes `bases.new` a key.
    fn with_named_bases(&self, known: &[String]) -> Vec<String> {
        let bases = known.iter().filter(|key| key.starts_with("images.") && key.ends_with(".base"));
        let named = bases.filter_map(|key| self.find(key).ok().flatten());
        let named = named.filter(|base| base.value != super::SCRATCH).map(|base| format!("bases.{}", base.value));
        let mut keys: Vec<String> = known.iter().cloned().chain(named).collect();
        keys.sort();
        keys.dedup();
        keys
    }
}

/// Adds a place, if there is one.
pub(super) fn at(diagnostic: Diagnostic, place: Option<Span>) -> Diagnostic {
    match place {
        Some(place) => diagnostic.label(place, ""),
        None => diagnostic,
    }
}

fn unknown(pattern: &str, source: &ValueSource, known: &[String]) -> Diagnostic {
    let unknown = Diagnostic::error("unknown-key", format!("`{pattern}` from {source} is not a key that can be set"));
    match closest(pattern, known.iter().map(String::as_str)) {
        Some(close) => unknown.help(format!("did you mean `{close}`?")),
        None => unknown.help(format!("keys: {}", known.join(", "))),
    }
}

/// First words of the variables of keys.
const TABLES: [&str; 6] = ["BASES", "BUILDERS", "IMAGES", "COMPONENTS", "REGISTRY", "BUILD"];

/// Whether a variable is meant as an override: it begins as one does, or its first word or all of it nearly is one.
fn looks_like_override(name: &str, known: &[String]) -> bool {
    // without what all of them share, which would make any two look alike
    let bare = |name| str::strip_prefix(name, "GROUPAGE_").unwrap_or(name);
    let rest = bare(name);
    let table = rest.split('_').next().unwrap_or(rest);
    closest(table, TABLES).is_some() || closest(rest, known.iter().map(|known| bare(known))).is_some()
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

    fn entry(value: &str) -> OverrideEntry {
        let file = crate::source::SourceMap::default().add(crate::source::SourceFile::new("o.toml", "a = 'file'"));
        let span = |range| Span::new(file, range);
        OverrideEntry { key: span(0..1), value: crate::source::Spanned::new(value.to_owned(), span(4..10)) }
    }

    fn overrides() -> Overrides {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        Overrides {
            flags: vec![pair("bases.a", "flag"), pair("bases.g*", "glob"), pair("bases.e", "")],
            environment: BTreeMap::from([pair("GROUPAGE_BASES_A", "env"), pair("GROUPAGE_BASES_B", "env")]),
            file: BTreeMap::from(["bases.a", "bases.b", "bases.c"].map(|key| (key.to_owned(), entry("file")))),
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
        assert_eq!(unused[0].labels[0].span, entry("").key);
    }

    #[test]
    fn bases_that_overrides_name_are_keys() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let flags = vec![pair("images.i.base", "new"), pair("bases.new", "q:1"), pair("bases.other", "q:1")];
        let overrides = Overrides { flags, ..Overrides::default() };
        let unused = overrides.unused(&["images.i.base".into(), "bases.old".into()]);
        let messages: Vec<&str> = unused.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages, ["`bases.other` from --set is not a key that can be set"]);
    }

    #[test]
    fn mistyped_variables_are_recognised() {
        let known = ["GROUPAGE_BUILDERS_B".to_owned(), "GROUPAGE_BASES_A".to_owned()];
        let check = |name: &str, expect: bool| assert_eq!(looks_like_override(name, &known), expect, "{name}");
        check("GROUPAGE_BULDERS_B", true);
        check("GROUPAGE_BASES_NONE", true);
        check("GROUPAGE_BUILDERSB", true);
        check("GROUPAGE_TEST_ENGINE", false);
        check("GROUPAGE_LOG", false);
    }

    #[test]
    fn empty_values_of_the_file_have_a_place() {
        let file = BTreeMap::from([("bases.a".to_owned(), entry(" "))]);
        let problem = Overrides { file, ..Overrides::default() }.find("bases.a").unwrap_err();
        assert_eq!(problem.labels[0].span, entry("").value.span);
    }
}
