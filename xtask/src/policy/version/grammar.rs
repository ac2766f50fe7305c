//! Grammars: how the versions of one image are written.

use std::fmt;
use std::str::FromStr;

use super::TagVersion;
use super::suffix::Suffixes;

/// How the versions of an image are written.
///
/// | text | numbers |
/// |---|---|
/// | `semver` | one to three, without leading zeros: `1.24.0`, `v1.24`, `17` |
/// | `calendar` | a date among them: `2024.10.1`, `v3.0.20241012`, `24.04` |
/// | a pattern | literal numbers, `N` for any, `YYYYMMDD`, `YYYY`, `YY`, `MM`, `DD`, with `.` or `-` between; `v?` before it allows a `v`, `v` asks for it |
///
/// Suffixes are the same in every grammar: pre-releases, `git describe`, commits, revisions, builds, variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grammar {
    form: Form,
    /// Suffixes of variants with their `-`, longest first.
    variants: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// Any numbers.
    Lenient,
    Semver,
    Calendar,
    Pattern {
        text: String,
        letter: Letter,
        parts: Vec<(Part, Option<char>)>,
    },
}

/// The `v` of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letter {
    None,
    Allowed,
    Required,
}

/// One number of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Any,
    Date,
    Year,
    ShortYear,
    Month,
    Day,
}

/// Why a text is no grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a version grammar: {reason}\nhint: write `semver`, `calendar`, or a pattern such as `v?3.0.YYYYMMDD`"
)]
pub struct GrammarError {
    text: String,
    reason: String,
}

impl Default for Grammar {
    fn default() -> Self {
        Self { form: Form::Semver, variants: Vec::new() }
    }
}

impl Grammar {
    /// The same grammar with these suffixes of variants, such as `-full`: they are variants even where they look like
    /// something else (`-dev`).
    #[must_use]
    pub fn with_variants<S: Into<String>>(mut self, variants: impl IntoIterator<Item = S>) -> Self {
        self.variants.extend(variants.into_iter().map(Into::into).filter(|variant| !variant.is_empty()));
        self.variants.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.variants.dedup();
        self
    }

    /// The version that a tag says, if it says one in this grammar.
    pub fn parse(&self, tag: &str) -> Option<TagVersion> {
        let (numbers, rest) = self.form.numbers(tag)?;
        Some(TagVersion::new(tag, numbers, Suffixes::parse(rest, &self.variants)?))
    }

    /// True for versions that have series: `1` and `1.24` are not versions like others then.
    pub fn is_semver(&self) -> bool {
        self.form == Form::Semver
    }

    /// The tag without its variant's suffix, if it ends with one that is listed.
    pub fn without_variant<'a>(&self, tag: &'a str) -> Option<&'a str> {
        self.variants.iter().find_map(|variant| tag.strip_suffix(variant.as_str())).filter(|rest| !rest.is_empty())
    }
}

impl fmt::Display for Grammar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match &self.form {
            Form::Lenient => "any",
            Form::Semver => "semver",
            Form::Calendar => "calendar",
            Form::Pattern { text, .. } => text,
        })
    }
}

impl FromStr for Grammar {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        let form = match text {
            "semver" => Form::Semver,
            "calendar" => Form::Calendar,
            _ => pattern(text).map_err(|reason| GrammarError { text: text.chars().take(128).collect(), reason })?,
        };
        Ok(Self { form, variants: Vec::new() })
    }
}

/// A tag of which no more is known than that it may be a version.
pub(super) fn lenient(tag: &str) -> Option<TagVersion> {
    Grammar { form: Form::Lenient, variants: Vec::new() }.parse(tag)
}

/// True for `YYYYMMDD` of this or the next decades.
pub(super) fn is_date(number: u64) -> bool {
    is_year(number / 10_000) && (1..=12).contains(&(number / 100 % 100)) && (1..=31).contains(&(number % 100))
}

/// True for a year that a release can have.
pub(super) fn is_year(number: u64) -> bool {
    (2000..2100).contains(&number)
}

impl Form {
    /// The numbers of a tag and what follows them.
    fn numbers<'a>(&self, tag: &'a str) -> Option<(Vec<u64>, &'a str)> {
        if let Self::Pattern { letter, parts, .. } = self {
            return pattern_numbers(*letter, parts, tag);
        }
        let (texts, rest) = dotted(tag.strip_prefix('v').unwrap_or(tag))?;
        let numbers: Vec<u64> = texts.iter().map(|text| text.parse().ok()).collect::<Option<_>>()?;
        let fits = match self {
            Self::Semver => is_semver(&texts),
            Self::Calendar => is_calendar(&texts, &numbers),
            // one long number may be anything, a commit of digits among them
            Self::Lenient | Self::Pattern { .. } => texts.len() > 1 || texts[0].len() <= 3 || is_date(numbers[0]),
        };
        fits.then_some((numbers, rest))
    }
}

/// Numbers between dots, and what follows: nothing, or a suffix.
fn dotted(text: &str) -> Option<(Vec<&str>, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let numbers: Vec<&str> = numbers.split('.').collect();
    let fits = numbers.iter().all(|number| !number.is_empty()) && (rest.is_empty() || rest.starts_with('-'));
    fits.then_some((numbers, rest))
}

fn is_semver(texts: &[&str]) -> bool {
    let no_zero_before = texts.iter().all(|text| text.len() == 1 || !text.starts_with('0'));
    no_zero_before && texts.len() <= 3 && (texts.len() > 1 || texts[0].len() <= 3)
}

fn is_calendar(texts: &[&str], numbers: &[u64]) -> bool {
    let month_follows = numbers.get(1).is_some_and(|month| (1..=12).contains(month));
    let short = texts.len() > 1 && texts[0].len() == 2 && texts[1].len() == 2;
    numbers.iter().any(|&number| is_date(number)) || month_follows && (is_year(numbers[0]) || short)
}

fn pattern_numbers<'a>(letter: Letter, parts: &[(Part, Option<char>)], tag: &'a str) -> Option<(Vec<u64>, &'a str)> {
    let mut rest = match (letter, tag.strip_prefix('v')) {
        (Letter::None, Some(_)) | (Letter::Required, None) => return None,
        (_, after) => after.unwrap_or(tag),
    };
    let mut numbers = Vec::new();
    for (part, separator) in parts {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (text, after) = rest.split_at(digits);
        numbers.push(part.number(text)?);
        rest = separator.map_or(Some(after), |separator| after.strip_prefix(separator))?;
    }
    (rest.is_empty() || rest.starts_with('-')).then_some((numbers, rest))
}

impl Part {
    fn number(&self, text: &str) -> Option<u64> {
        let number: u64 = text.parse().ok()?;
        let fits = match self {
            Self::Literal(literal) => literal == text,
            Self::Any => true,
            Self::Date => text.len() == 8 && is_date(number),
            Self::Year => text.len() == 4 && is_year(number),
            Self::ShortYear => text.len() == 2,
            Self::Month => text.len() <= 2 && (1..=12).contains(&number),
            Self::Day => text.len() <= 2 && (1..=31).contains(&number),
        };
        fits.then_some(number)
    }
}

fn pattern(text: &str) -> Result<Form, String> {
    let (letter, mut rest) = match (text.strip_prefix("v?"), text.strip_prefix('v')) {
        (Some(rest), _) => (Letter::Allowed, rest),
        (None, Some(rest)) => (Letter::Required, rest),
        (None, None) => (Letter::None, text),
    };
    let mut parts = Vec::new();
    loop {
        let end = rest.find(['.', '-']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let separator = after.chars().next();
        parts.push((part(word)?, separator));
        let Some(separator) = separator else { break };
        rest = &after[separator.len_utf8()..];
    }
    if parts.iter().all(|(part, _)| matches!(part, Part::Literal(_))) {
        return Err("it has only one version".to_owned());
    }
    Ok(Form::Pattern { text: text.to_owned(), letter, parts })
}

fn part(word: &str) -> Result<Part, String> {
    Ok(match word {
        "N" => Part::Any,
        "YYYYMMDD" => Part::Date,
        "YYYY" => Part::Year,
        "YY" => Part::ShortYear,
        "MM" => Part::Month,
        "DD" => Part::Day,
        "" => return Err("a number is missing".to_owned()),
        _ if word.len() <= 18 && word.bytes().all(|byte| byte.is_ascii_digit()) => Part::Literal(word.to_owned()),
        _ => return Err(format!("`{word}` is neither a number nor one of N, YYYYMMDD, YYYY, YY, MM, DD")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(grammar: &str, tags: &[&str], others: &[&str]) {
        let parsed: Grammar = grammar.parse().unwrap();
        assert_eq!(parsed.to_string(), grammar);
        for tag in tags {
            assert!(parsed.parse(tag).is_some(), "{tag} is of {grammar}");
        }
        for tag in others {
            assert!(parsed.parse(tag).is_none(), "{tag} is not of {grammar}");
        }
    }

    #[test]
    fn tags_of_grammars() {
        let words = ["latest", "main", "", "v", "f1ea649", "1..2", "1.2.", ".1", "1.2.3_4", "1.2.3-", "1.2.3--a"];
        check("semver", &["1.24.0", "v1.24", "17", "v1.24.0-alpha.3", "3.6.8-0"], &words);
        check("semver", &[], &["1.2.3.4", "20241012", "24.04", "99999999999999999999.1"]);
        check("calendar", &["2024.10.1", "v3.0.20241012", "24.04", "20241012"], &words);
        check("calendar", &[], &["1.24.0", "2024.13.1", "3.0.20241301"]);
        check("v?3.0.YYYYMMDD", &["v3.0.20241012", "3.0.20200531", "v3.0.20220128-22-g09fbed34"], &words);
        check("v?3.0.YYYYMMDD", &[], &["v3.1.20241012", "3.0.2024", "03.0.20241012", "3.0.20241012.1"]);
        check("vN.N", &["v1.2", "v10.20-rc1"], &["1.2", "v1.2.3"]);
        check("YYYY-MM-DD", &["2024-10-12", "2024-10-12-3-gabcdef1"], &["2024-10", "v2024-10-12"]);
    }

    #[test]
    fn not_grammars() {
        for bad in ["", "v", "1.2.3", "x", "semverr", "N..N", "N.", "v?", "YYYYMM", "N/N", "ä.N"] {
            assert!(bad.parse::<Grammar>().is_err(), "{bad:?}");
        }
    }
}
