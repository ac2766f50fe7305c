//! Which of several sources decides a value: flag, environment variable, override file, profile of the environment, manifest,
//! built-in; in this order, everywhere.
//!
//! Keys are dotted paths into `groupage.toml`, `component.toml` and `image.toml`; [`super::look::known_keys`] lists those of a
//! workspace. A flag may use `*` inside a segment. Every key also is an environment variable: `GROUPAGE_` and the key in
//! capitals, everything else than letters and digits turned into `_`. An empty value is an error, not "unset".

use std::collections::BTreeMap;
use std::fmt;

use super::look::known_keys;
use crate::diagnostic::{Diagnostic, closest};
use crate::manifest::{EnvironmentName, EnvironmentSettings, Manifests};
use crate::source::{Span, Spanned};
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
    /// `[environments.NAME.values]` of `groupage.toml`.
    Profile(String),
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
            Self::Profile(name) => write!(out, "environment `{name}` of groupage.toml"),
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

/// `[environments.NAME.values]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Name of the environment.
    pub name: String,
    /// Its values, by key.
    pub keys: BTreeMap<String, OverrideEntry>,
}

impl Profile {
    /// The values of an environment.
    pub fn of(name: &EnvironmentName, environment: &EnvironmentSettings) -> Self {
        let entry = |(key, value): (&String, &Spanned<String>)| {
            (key.clone(), OverrideEntry { key: value.span, value: value.clone() })
        };
        Self { name: name.to_string(), keys: environment.values.iter().map(entry).collect() }
    }
}

/// What one source says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The value as it was given.
    pub value: &'a str,
    /// Who gives it.
    pub source: ValueSource,
    /// Where it stands, when that is a file.
    pub place: Option<Span>,
    /// How strong the source is; 0 wins over everything.
    pub rank: u8,
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
    /// Values of the environment that was chosen.
    pub profile: Option<Profile>,
    /// References that were made on this machine for this run, by key.
    pub bootstrapped: BTreeMap<String, String>,
}

impl Overrides {
    /// What each source says of a key, the one that wins first. Of several flags the last one counts.
    pub fn candidates(&self, key: &str) -> impl Iterator<Item = Candidate<'_>> {
        fn of_entry(entry: &OverrideEntry) -> (&str, Option<Span>) {
            (entry.value.value.as_str(), Some(entry.value.span))
        }
        let flag = self.flags.iter().rev().find(|(pattern, _)| matches(canonical(pattern), key));
        let flag = flag.map(|(_, value)| (value.as_str(), None, ValueSource::Flag));
        // a name is made only where there is something to find: this is asked for every image and component
        let variable = (!self.environment.is_empty()).then(|| variable_name(key));
        let environment = variable.and_then(|variable| {
            let value = self.environment.get(&variable)?;
            Some((value.as_str(), None, ValueSource::Environment(variable)))
        });
        let file = entry(&self.file, key).map(of_entry).map(|(value, place)| (value, place, ValueSource::OverrideFile));
        let profile = self.profile.as_ref().and_then(|profile| {
            let (value, place) = of_entry(entry(&profile.keys, key)?);
            Some((value, place, ValueSource::Profile(profile.name.clone())))
        });
        let made = self.bootstrapped.get(key).map(|value| (value.as_str(), None, ValueSource::Bootstrap));
        let by_rank = (0u8..).zip([flag, environment, file, profile, made]);
        by_rank.filter_map(|(rank, found)| found.map(|(value, place, source)| Candidate { value, source, place, rank }))
    }

    /// The override that wins for a key, if any source has one.
    ///
    /// # Errors
    /// A diagnostic that names the source when the value is empty.
    pub fn winner(&self, key: &str) -> Result<Option<Candidate<'_>>, Diagnostic> {
        match self.candidates(key).next() {
            Some(found) if found.value.trim().is_empty() => {
                let empty = Diagnostic::error("empty-value", format!("`{key}` from {} is empty", found.source))
                    .help("an empty value is not \"unset\": remove the override instead");
                Err(at(empty, found.place))
            }
            found => Ok(found),
        }
    }

    /// [`Overrides::winner`], as a value.
    ///
    /// # Errors
    /// As there.
    pub fn find(&self, key: &str) -> Result<Option<Value<&str>>, Diagnostic> {
        Ok(self.winner(key)?.map(|found| Value { value: found.value, source: found.source }))
    }

    /// Whether there is nothing that could replace a value.
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty()
            && self.environment.is_empty()
            && self.file.is_empty()
            && self.profile.is_none()
            && self.bootstrapped.is_empty()
    }

    /// Where the value of a key is written, when a file says it.
    pub(super) fn place(&self, key: &str, source: &ValueSource) -> Option<Span> {
        self.candidates(key).find(|found| found.source == *source)?.place
    }

    /// Flags, and keys of the override file and the profile, that match none of the keys that exist.
    pub fn unused(&self, known: impl FnOnce() -> Vec<String>) -> Vec<Diagnostic> {
        if self.flags.is_empty() && self.file.is_empty() && self.profile.is_none() {
            return Vec::new();
        }
        let known = self.with_named_bases(&known());
        let is_known = |key: &String| known.iter().any(|known| known == canonical(key));
        let of_flag = |pattern: &String| known.iter().any(|key| matches(canonical(pattern), key));
        let flags = self.flags.iter().filter(|(pattern, _)| !of_flag(pattern));
        let flags = flags.map(|(pattern, _)| unknown(pattern, &ValueSource::Flag, &known));
        let file = self.file.iter().map(|(key, entry)| (key, entry, ValueSource::OverrideFile));
        let profile = self.profile.iter().flat_map(|profile| {
            profile.keys.iter().map(|(key, entry)| (key, entry, ValueSource::Profile(profile.name.clone())))
        });
        let files = file.chain(profile).filter(|(key, ..)| !is_known(key));
        let files = files.map(|(key, entry, source)| unknown(key, &source, &known).label(entry.key, ""));
        flags.chain(files).collect()
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
        let named = named.filter(|base| base.value != super::SCRATCH);
        let named = named.flat_map(|base| super::fields::keys(&format!("bases.{}", base.value), None));
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
        None => {
            // the fields of a reference would fill the screen
            let whole = known.iter().filter(|key| !super::fields::is_field(key)).map(String::as_str);
            let fields = "those of references also with .registry, .repository, .tag, .digest and .contract";
            unknown.help(format!("keys: {}; {fields}", whole.collect::<Vec<_>>().join(", ")))
        }
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

/// `bases.NAME.image` is `bases.NAME`, as in `groupage.toml`; `builders.NAME.image` likewise.
fn canonical(key: &str) -> &str {
    let whole = key.strip_suffix(".image").filter(|whole| whole.matches('.').count() == 1);
    whole.filter(|whole| whole.starts_with("bases.") || whole.starts_with("builders.")).unwrap_or(key)
}

/// The entry of a key, written in either way.
fn entry<'a>(keys: &'a BTreeMap<String, OverrideEntry>, key: &str) -> Option<&'a OverrideEntry> {
    keys.get(key).or_else(|| keys.get(&format!("{key}.image")).filter(|_| canonical(&format!("{key}.image")) == key))
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
            profile: Some(Profile {
                name: "dev".to_owned(),
                keys: BTreeMap::from(["bases.c", "bases.p.image"].map(|key| (key.to_owned(), entry("profile")))),
            }),
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
        check("bases.p", Some(("profile", ValueSource::Profile("dev".into()))));
        check("bases.d", Some(("made", ValueSource::Bootstrap)));
        check("bases.gx", Some(("glob", ValueSource::Flag)));
        check("bases.x", None);
        check("bases.a.b", None);
    }

    #[test]
    fn empty_is_an_error_and_unknown_keys_are_named() {
        assert!(overrides().find("bases.e").is_err());
        let known = ["bases.a", "bases.gx", "bases.e", "bases.b", "bases.p"].map(str::to_owned).to_vec();
        let without_profile = Overrides { profile: None, ..overrides() };
        let unused = without_profile.unused(|| known);
        assert_eq!(unused.len(), 1, "only bases.c of the file: {unused:?}");
        assert_eq!(unused[0].labels[0].span, entry("").key);
    }

    #[test]
    fn bases_that_overrides_name_are_keys() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let flags = vec![pair("images.i.base", "new"), pair("bases.new", "q:1"), pair("bases.other", "q:1")];
        let overrides = Overrides { flags, ..Overrides::default() };
        let unused = overrides.unused(|| vec!["images.i.base".into(), "bases.old".into()]);
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
