//! Which class a reference is of, how its versions are written, and whether its tag moves.

use std::collections::BTreeSet;

use super::pattern::{Glob, ReferencePattern, TagPattern};
use super::version::{Grammar, TagVersion, is_commit};
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{Manifests, PolicySettings, ReferenceClass, RetirementKind};
use crate::oci::Reference;
use crate::source::Spanned;

/// Tags that move where `[tags] moving` says nothing.
const MOVING: [&str; 7] = ["latest", "main", "master", "nightly", "edge", "{major}", "{major}.{minor}"];

/// The tag that a reference without one stands for.
const LATEST: &str = "latest";

/// Patterns of references, classes and tags, ready for use.
#[derive(Debug, Clone, Default)]
pub struct Classes {
    classes: Vec<(ReferenceClass, ReferencePattern)>,
    /// Names that components replace.
    retired: BTreeSet<String>,
    moving: Vec<TagPattern>,
    immutable: Vec<TagPattern>,
    grammars: Vec<(ReferencePattern, Grammar)>,
    /// Where no pattern fits.
    usual: Grammar,
}

impl Classes {
    pub(super) fn new(manifests: &Manifests, problems: &mut Problems) -> Self {
        let settings = &manifests.settings.policy;
        let variants = manifests.images.values().flat_map(|image| image.variants.values());
        let variants: BTreeSet<&String> = variants.map(|variant| &variant.tag_suffix.value).collect();
        let usual = Grammar::default().with_variants(variants.iter().copied());
        let classes = ReferenceClass::ALL
            .into_iter()
            .flat_map(|class| settings.classes.get(&class).into_iter().flatten().map(move |pattern| (class, pattern)));
        let classes = classes.filter_map(|(class, pattern)| Some((class, parsed(pattern, problems)?))).collect();
        let moving = match &settings.moving {
            Some(moving) => moving.iter().filter_map(|pattern| parsed(pattern, problems)).collect(),
            None => MOVING.iter().filter_map(|pattern| pattern.parse().ok()).collect(),
        };
        let immutable = settings.immutable.iter().filter_map(|pattern| parsed(pattern, problems)).collect();
        let grammars = grammars(settings, &variants, problems);
        Self { classes, retired: retired(manifests), moving, immutable, grammars, usual }
    }

    /// The class of a reference; `None` where no pattern fits. Of several classes the first of [`ReferenceClass::ALL`] counts.
    pub fn class(&self, reference: &Reference) -> Option<ReferenceClass> {
        let name = reference.name();
        if self.retired.contains(&name) {
            return Some(ReferenceClass::Retired);
        }
        let fits = |pattern: &ReferencePattern| {
            pattern.name.fits(&name) && pattern.tag.as_ref().is_none_or(|tag| self.has_tag(reference, &name, tag))
        };
        self.classes.iter().find(|(_, pattern)| fits(pattern)).map(|(class, _)| *class)
    }

    /// How the versions of a name are written.
    pub fn grammar(&self, name: &str) -> &Grammar {
        self.grammars.iter().find(|(pattern, _)| pattern.name.fits(name)).map_or(&self.usual, |(_, grammar)| grammar)
    }

    /// The version that the tag of a reference says, if it says one.
    pub fn version(&self, reference: &Reference) -> Option<TagVersion> {
        self.grammar(&reference.name()).parse(reference.tag()?)
    }

    /// Whether a reference may be another image tomorrow: it has no digest, and its tag moves or is left out.
    pub fn is_moving(&self, reference: &Reference) -> bool {
        let name = reference.name();
        let fits = |patterns: &[TagPattern]| patterns.iter().any(|pattern| self.has_tag(reference, &name, pattern));
        reference.digest().is_none() && (reference.tag().is_none() || fits(&self.moving) && !fits(&self.immutable))
    }

    /// Whether a tag is one that only `promote` moves: `latest`, `X` or `X.Y`, with a variant or without. A version that has no
    /// more numbers is its own tag.
    pub fn is_of_promote(&self, name: &str, tag: &str, version: &str) -> bool {
        let grammar = self.grammar(name);
        let own = grammar.parse(version);
        let is_own = |tag: &TagVersion| {
            own.as_ref().is_some_and(|own| own.precision() == tag.precision() && own.compare(tag).is_eq())
        };
        let is_series = |tag: &TagVersion| tag.is_plain() && tag.precision() < 3 && !is_own(tag);
        let is_moved = grammar.is_semver() && grammar.parse(tag).as_ref().is_some_and(is_series);
        is_moved || grammar.without_variant(tag).unwrap_or(tag) == LATEST
    }

    fn has_tag(&self, reference: &Reference, name: &str, pattern: &TagPattern) -> bool {
        let tag = match reference.tag() {
            Some(tag) => tag,
            None if reference.digest().is_none() => LATEST,
            None => return false,
        };
        let grammar = self.grammar(name);
        match pattern {
            TagPattern::Glob(glob) => glob.fits(tag) || grammar.without_variant(tag).is_some_and(|tag| glob.fits(tag)),
            // where versions have no series, two numbers are a version
            TagPattern::Series(numbers) => {
                let version = grammar.is_semver().then(|| grammar.parse(tag)).flatten();
                version.is_some_and(|version| version.is_plain() && version.precision() == *numbers)
            }
            TagPattern::Commit => is_commit(tag),
        }
    }

    /// What references that are meant begin with, for a search: no match of any class begins otherwise, unless its pattern begins
    /// with a wildcard.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        let patterns = self.classes.iter().map(|(_, pattern)| pattern.name.literal());
        patterns.chain(self.retired.iter().map(String::as_str)).filter(|literal| !literal.is_empty())
    }
}

/// Names that components replace. An image that is only dropped for a platform is still there.
fn retired(manifests: &Manifests) -> BTreeSet<String> {
    let replaced = manifests.components.values().flat_map(|component| &component.replaces);
    let gone = replaced.filter(|replaces| replaces.kind.value != RetirementKind::PlatformDropped);
    gone.filter(|replaces| replaces.image.value.tag().is_none()).map(|replaces| replaces.image.value.name()).collect()
}

fn grammars(
    settings: &PolicySettings,
    variants: &BTreeSet<&String>,
    problems: &mut Problems,
) -> Vec<(ReferencePattern, Grammar)> {
    let mut grammars = Vec::new();
    for (pattern, grammar) in &settings.versions {
        let (pattern, grammar) = (parsed(pattern, problems), parsed::<Grammar>(grammar, problems));
        grammars.extend(pattern.zip(grammar.map(|grammar| grammar.with_variants(variants.iter().copied()))));
    }
    // the pattern that says most comes first
    grammars.sort_by_key(|(pattern, _): &(ReferencePattern, _)| std::cmp::Reverse(pattern.name.literal().len()));
    grammars
}

/// A text of the settings that has a grammar of its own.
pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    text: &Spanned<String>,
    problems: &mut Problems,
) -> Option<T> {
    match text.value.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            let error: T::Err = error;
            let text_of_error = error.to_string();
            let (message, hint) = text_of_error.split_once("\nhint: ").unzip();
            let report = Diagnostic::error("invalid-value", message.unwrap_or(&text_of_error)).label(text.span, "");
            problems.push(match hint {
                Some(hint) => report.help(hint),
                None => report,
            });
            None
        }
    }
}

/// A pattern of paths, for what a search leaves out.
pub(super) fn paths(patterns: &[Spanned<String>], problems: &mut Problems) -> Vec<Glob> {
    patterns.iter().filter_map(|pattern| parsed(pattern, problems)).collect()
}
