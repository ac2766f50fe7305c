//! Versions in tags: grammars, one total order, and which of them are releases.
//!
//! A tag is an optional `v`, numbers between dots, and suffixes, each after `-`, in any of these forms:
//!
//! | suffix | is | release | stands |
//! |---|---|---|---|
//! | `-alpha.3`, `-rc1`, `-dev` | a pre-release, compared as [SemVer 2 § 11](https://semver.org/#spec-item-11) has it | no | before the version |
//! | `-22-g09fbed34` | what `git describe` says, `-dirty` included | no | after the tag that it counts from, before the next one |
//! | `-f1ea649` | a commit | no | as `git describe` without a count |
//! | `-0`, `-3` | a revision of the packaging, as of `registry.k8s.io/etcd:3.6.8-0` | yes | after the version |
//! | `-build.7` | a build of the version | yes | after the version and its revisions |
//! | `-full`, `-bookworm` | a variant: listed words, and whatever is none of the above | yes | not in the order, but the last word on it |
//!
//! Two of these are not SemVer's, and on purpose: for SemVer, `3.6.8-0` and `1.95-bookworm` are pre-releases of `3.6.8` and
//! `1.95`. Image tags have no `+`, and what registries hold says otherwise.
//!
//! The order is over numbers, pre-release, `git describe`, revision and build, in this sequence. Missing numbers are zeros, and a
//! leading `v` does not matter. Variant and commit only decide between otherwise equal ones, so that the order is total.

mod grammar;
mod suffix;

use std::cmp::Ordering;
use std::fmt;

pub use grammar::{Grammar, GrammarError};
use suffix::Suffixes;
pub(crate) use suffix::is_commit;

/// A tag with a place in the order of its image's tags.
///
/// ```
/// use groupage::policy::Grammar;
/// let grammar: Grammar = "v?3.0.YYYYMMDD".parse()?;
/// let [older, newer] = ["3.0.20220128", "v3.0.20220128-22-g09fbed34"].map(|tag| grammar.parse(tag).unwrap());
/// assert!(older < newer && older.is_release() && !newer.is_release());
/// # Ok::<(), groupage::policy::GrammarError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TagVersion {
    text: String,
    /// As written, leading zeros aside.
    numbers: Vec<u64>,
    suffixes: Suffixes,
}

impl TagVersion {
    fn new(tag: &str, numbers: Vec<u64>, suffixes: Suffixes) -> Self {
        Self { text: tag.to_owned(), numbers, suffixes }
    }

    /// The tag as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Neither a pre-release nor between two tags.
    pub fn is_release(&self) -> bool {
        self.suffixes.is_release()
    }

    /// True for a build of a version (`-build.N`), which never moves.
    pub fn is_build(&self) -> bool {
        self.suffixes.build.is_some()
    }

    /// The variant's suffix with its `-`, empty for the plain image.
    pub fn variant(&self) -> &str {
        &self.suffixes.variant
    }

    /// How many numbers were written: an update keeps this precision.
    pub fn precision(&self) -> usize {
        self.numbers.len()
    }

    /// True when nothing follows the numbers but a variant.
    pub fn is_plain(&self) -> bool {
        self.suffixes.is_plain()
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.numbers.first().copied().unwrap_or_default()
    }

    /// The second number, if there is one.
    pub fn minor(&self) -> Option<u64> {
        self.numbers.get(1).copied()
    }

    /// The moving tags of the series that a release belongs to, `X` and `X.Y`, with its `v` and its variant's suffix; none for
    /// a pre-release, and none that is the tag itself.
    ///
    /// ```
    /// use groupage::policy::Grammar;
    /// let version = Grammar::default().with_variants(["-full"]).parse("5.3.0-full").unwrap();
    /// assert_eq!(version.series(), ["5-full", "5.3-full"]);
    /// ```
    pub fn series(&self) -> Vec<String> {
        let letter = if self.text.starts_with('v') { "v" } else { "" };
        let variant = self.variant();
        let major = self.major();
        let tags = std::iter::once(format!("{letter}{major}{variant}"));
        let tags = tags.chain(self.minor().map(|minor| format!("{letter}{major}.{minor}{variant}")));
        tags.filter(|tag| self.is_release() && *tag != self.text).collect()
    }

    /// The order without the last word of variant and commit: what matters for a floor.
    pub fn compare(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| {
            let used = version.numbers.iter().rposition(|&number| number != 0).map_or(0, |last| last + 1);
            version.numbers[..used].to_vec()
        };
        numbers(self).cmp(&numbers(other)).then_with(|| self.suffixes.compare(&other.suffixes))
    }
}

impl Ord for TagVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(other)
            .then_with(|| self.suffixes.variant.cmp(&other.suffixes.variant))
            .then_with(|| self.suffixes.commit.cmp(&other.suffixes.commit))
    }
}

impl PartialOrd for TagVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for TagVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for TagVersion {}

impl fmt::Display for TagVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.text)
    }
}

/// Compares any two tags of one scheme, whatever the grammar: for floors, where none is given. `None` when one is no version, or
/// when one holds a date where the other does not. Variants and commits do not count.
///
/// ```
/// use std::cmp::Ordering;
/// use groupage::policy::compare;
/// assert_eq!(compare("v1.16.0", "1.15.2"), Some(Ordering::Greater));
/// assert_eq!(compare("v1.24.0-alpha.3", "1.24.0"), Some(Ordering::Less));
/// assert_eq!(compare("latest", "1.24.0"), None);
/// ```
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    let [a, b] = [a, b].map(grammar::lenient);
    let (a, b) = (a?, b?);
    let scheme = |version: &TagVersion| version.numbers.iter().position(|&number| grammar::is_date(number));
    let led_by_year = |version: &TagVersion| grammar::is_year(version.major());
    (scheme(&a) == scheme(&b) && led_by_year(&a) == led_by_year(&b)).then(|| a.compare(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tags of one grammar, in rising order; `=` before one that is equal to the one before.
    fn ascending(grammar: &str, tags: &[&str]) {
        let grammar = grammar.parse::<Grammar>().unwrap().with_variants(["-full", "-dev-full"]);
        let parse = |tag: &str| grammar.parse(tag).unwrap_or_else(|| panic!("{tag} is a version"));
        for (index, tag) in tags.iter().enumerate() {
            let wanted = if tag.starts_with('=') { Ordering::Equal } else { Ordering::Less };
            let Some(before) = index.checked_sub(1).map(|before| tags[before].trim_start_matches('=')) else {
                continue;
            };
            let tag = tag.trim_start_matches('=');
            assert_eq!(parse(before).cmp(&parse(tag)), wanted, "{before} and {tag}");
            assert!(compare(before, tag).is_some(), "{before} and {tag} are of one scheme");
        }
    }

    #[test]
    fn orders() {
        ascending(
            "semver",
            &["1.9.0", "1.10.0-alpha.2", "1.10.0-alpha.10", "1.10.0-beta", "1.10.0-rc9", "1.10.0-rc10"],
        );
        ascending("semver", &["1.10.0-rc.1", "v1.10.0", "=1.10.0", "=1.10", "1.10.0-5-gabcdef1", "1.10.1", "2"]);
        ascending("semver", &["3.6.8", "3.6.8-0", "3.6.8-1", "3.6.8-build.1", "3.6.8-build.10", "3.6.9-0"]);
        ascending("semver", &["1.24.0-alpha.3", "1.24.0-alpha.3-22-g09fbed34", "1.24.0-alpha.4", "1.24.0"]);
        ascending("semver", &["5.3.0-dev", "5.3.0", "5.3.0-dev-full", "5.3.0-full", "5.3.1"]);
        ascending("calendar", &["2023.12.31", "2024.2.1", "2024.10", "2024.10.1", "v2024.10.2"]);
        ascending("calendar", &["v3.0.20220128", "=3.0.20220128", "v3.0.20220128-22-g09fbed34", "v3.0.20220203"]);
        ascending("v?3.0.YYYYMMDD", &["3.0.20210430", "v3.0.20211117", "v3.0.20230119-slim", "v3.0.20230201"]);
    }

    #[test]
    fn releases() {
        let check = |tag: &str, expect: bool| {
            let version = grammar::lenient(tag).unwrap_or_else(|| panic!("{tag} is a version"));
            assert_eq!(version.is_release(), expect, "{tag}");
        };
        for release in
            ["1.2.3", "v1.2", "3.6.8-0", "5.3.0-build.12", "1.95-bookworm", "1.21-alpine3.19", "v3.0.20241012"]
        {
            check(release, true);
        }
        for other in ["1.2.3-rc.1", "1.2.3-beta1", "v3.0.20220128-22-g09fbed34", "1.2.3-f1ea649", "1.2.3-SNAPSHOT"] {
            check(other, false);
        }
        check("1.2.3-dirty", false);
        check("1.2.3-rc.1-bookworm", false);
    }

    #[test]
    fn variants_and_series() {
        let check = |tag: &str, variant: &str, series: &[&str]| {
            let version = Grammar::default().with_variants(["-full"]).parse(tag).unwrap();
            assert_eq!(
                (version.variant(), version.series()),
                (variant, series.iter().map(|s| s.to_string()).collect())
            );
        };
        check("5.3.0", "", &["5", "5.3"]);
        check("v5.3.0-full", "-full", &["v5-full", "v5.3-full"]);
        check("5.3.0-full-build.3", "-full", &["5-full", "5.3-full"]);
        check("5.3.0-build.3-full", "-full", &["5-full", "5.3-full"]);
        check("5.3-slim-bookworm", "-slim-bookworm", &["5-slim-bookworm"]);
        check("5.3.0-rc.1-full", "-full", &[]);
    }

    #[test]
    fn floors() {
        use Ordering::{Equal, Greater, Less};
        let check = |a: &str, b: &str, expect: Option<Ordering>| {
            assert_eq!(compare(a, b), expect, "{a} {b}");
            assert_eq!(compare(b, a), expect.map(Ordering::reverse), "{b} {a}");
        };
        check("v1.16.0", "v1.15.2", Some(Greater));
        check("1.16", "v1.16.0", Some(Equal));
        check("3.0.20230201", "v3.0.20230119-slim", Some(Greater));
        check("5.2.0", "5.10.0", Some(Less));
        check("v1.24.0-alpha.3", "1.24.0", Some(Less));
        check("5.3.0-full", "5.3.0", Some(Equal));
        check("1.2.3.4", "1.2.3", Some(Greater));
        check("latest", "1.0.0", None);
        check("3.0.20230201", "3.0.4", None);
        check("2024.10.1", "1.2.3", None);
        check("f1ea649", "1.2.3", None);
        check("", "1", None);
    }
}
