//! One retirement, as meant, and the versions that are asked about.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::version;
use crate::manifest::{Mirrors, NamePattern, RetirementKind, TagRule};
use crate::source::Span;

/// One retirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is written.
    pub span: Span,
    /// Whose versions `since` and `until` are.
    pub product: Option<String>,
    /// The retired name as written, perhaps a pattern.
    pub text: String,
    /// All names that it stands for, aliases included.
    pub names: Vec<NamePattern>,
    /// Which other names are mirrors of them.
    pub mirrors: Mirrors,
    /// What happened.
    pub kind: RetirementKind,
    /// First version in which it happened, for each release line.
    pub since: Vec<String>,
    /// What to use instead; `{name}` is the last part of the old path. None when there is nothing.
    pub replacement: Option<String>,
    /// Lowest tag of the replacement that will do.
    pub floor: Option<String>,
    /// The same for operating systems or platforms that need a higher one.
    pub platform_floors: BTreeMap<String, String>,
    /// What becomes of the tag.
    pub tag: TagRule,
    /// Variants that a tag keeps; the first is that of tags without one.
    pub suffixes: Vec<String>,
    /// The command that consumers must name.
    pub command: Option<Vec<String>>,
    /// The arguments that consumers must give.
    pub args: Option<Vec<String>>,
    /// The command that consumers named before.
    pub old_command: Option<Vec<String>>,
    /// Version until which the old name is published.
    pub until: Option<String>,
    /// Overrides are removed: consumers find the replacement by themselves.
    pub consumer_default: bool,
    /// Keys of values that hold a part of the reference and never its name.
    pub keys: Vec<String>,
    /// The key that several old keys fold into.
    pub slot: Option<String>,
    /// A line for people.
    pub note: Option<String>,
    /// Version of the image that it became a part of, for components of a workspace.
    pub newest: Option<String>,
}

/// All retirements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Entries, in the order in which they are written.
    pub entries: Vec<Entry>,
    /// The newest release of products.
    pub newest: BTreeMap<String, String>,
}

impl Entry {
    /// The replacement for a name with this last part.
    pub fn replacement_of(&self, last: &str) -> Option<NamePattern> {
        self.replacement.as_ref()?.replace("{name}", last).parse().ok()
    }

    /// The floor on some platforms, `OS` or `OS/ARCH`: the highest of all that apply.
    pub fn floor_on(&self, platforms: &[String]) -> Option<&str> {
        let applies = |key: &str| {
            platforms.iter().any(|own| own == key || own.strip_prefix(key).is_some_and(|rest| rest.starts_with('/')))
        };
        let all = self.platform_floors.iter().filter(|(key, _)| applies(key)).map(|(_, floor)| floor.as_str());
        all.chain(self.floor.as_deref()).reduce(|high, floor| if version::is_below(high, floor) { floor } else { high })
    }

    /// True when the same contract cannot be kept: another program, or another way to start it.
    pub fn changes_contract(&self) -> bool {
        self.kind == RetirementKind::Replaced && (self.command.is_some() || self.args.is_some())
    }

    /// True when several retired images became one, so that values of several keys must agree.
    pub fn folds_several(&self) -> bool {
        self.kind == RetirementKind::Folded && self.slot.is_some()
    }

    /// The product's name in sentences.
    pub fn product_name(&self) -> &str {
        self.product.as_deref().unwrap_or("the product")
    }
}

impl Ledger {
    /// The products that entries name.
    pub fn products(&self) -> BTreeSet<&str> {
        self.entries.iter().filter_map(|entry| entry.product.as_deref()).collect()
    }

    /// Whether an entry applies at the versions that are asked about; always, when its product's is not among them.
    pub fn is_retired(&self, entry: &Entry, at: &At) -> bool {
        self.version_of(entry, at).is_none_or(|version| version::has_happened(&entry.since, version))
    }

    /// The version of an entry's product that is asked about.
    pub fn version_of<'a>(&self, entry: &Entry, at: &'a At) -> Option<&'a str> {
        match &entry.product {
            Some(product) => {
                let plain = at.plain.as_deref().filter(|_| self.products().len() == 1);
                at.products.get(product).map(String::as_str).or(plain)
            }
            None => at.plain.as_deref(),
        }
    }

    /// Why the versions that are asked about make no sense with this ledger, if they do not.
    pub fn wrong_at(&self, at: &At) -> Option<String> {
        let products = self.products();
        let named: Vec<&str> = products.iter().copied().collect();
        if let Some(unknown) = at.products.keys().find(|name| !products.contains(name.as_str())) {
            let known = if named.is_empty() { "it names none".to_owned() } else { named.join(", ") };
            return Some(format!("the ledger has no product `{unknown}`\nhint: products: {known}"));
        }
        let alone = self.entries.iter().any(|entry| entry.product.is_none()) || products.len() <= 1;
        let ambiguous = at.plain.is_some() && !alone;
        ambiguous.then(|| {
            format!(
                "the ledger has several products\nhint: say whose version: --at PRODUCT=VERSION, for {}",
                named.join(", ")
            )
        })
    }
}

/// The versions that are asked about: one for the product, or one for each of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct At {
    /// Of whatever names no product.
    pub plain: Option<String>,
    /// By product.
    pub products: BTreeMap<String, String>,
}

/// A text that is no version and no `PRODUCT=VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version, nor PRODUCT=VERSION")]
pub struct AtError(String);

impl At {
    /// Joins several words of a command line; the last one counts.
    pub fn all(words: &[At]) -> At {
        words.iter().fold(At::default(), |mut all, word| {
            all.plain = word.plain.clone().or(all.plain);
            all.products.extend(word.products.clone());
            all
        })
    }
}

impl FromStr for At {
    type Err = AtError;

    fn from_str(text: &str) -> Result<Self, AtError> {
        let (product, version) = match text.split_once('=') {
            Some((product, version)) => (Some(product), version),
            None => (None, text),
        };
        if version::compare(version, version).is_none() || product.is_some_and(str::is_empty) {
            return Err(AtError(text.chars().take(128).collect()));
        }
        Ok(match product {
            Some(product) => Self { plain: None, products: [(product.to_owned(), version.to_owned())].into() },
            None => Self { plain: Some(version.to_owned()), products: BTreeMap::new() },
        })
    }
}
