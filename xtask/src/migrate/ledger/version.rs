//! The order of versions and tags, and release lines.
//!
//! A version is an optional `v`, numbers between dots, and after `-` what else there is. `-alpha`, `-beta`, `-rc`, `-dev` and the
//! like stand before the version, all other words (`-full`, `-0`) say which build of it and do not matter for a floor.

use std::cmp::Ordering;

/// Words that stand before the version which they belong to.
const BEFORE: [&str; 6] = ["alpha", "beta", "dev", "pre", "rc", "snapshot"];

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parsed<'a> {
    numbers: Vec<u64>,
    /// What comes before a release, `None` for a release.
    before: Option<Vec<&'a str>>,
}

/// Compares two versions; `None` when one of them is none, such as `latest`.
///
/// ```
/// use groupage::migrate::ledger::compare;
/// use std::cmp::Ordering::{Equal, Less};
/// assert_eq!(compare("v1.9.2", "1.16.0"), Some(Less));
/// assert_eq!(compare("1.21.0-beta.2", "1.21"), Some(Less));
/// assert_eq!(compare("5.3.0-full", "v5.3.0"), Some(Equal));
/// assert_eq!(compare("latest", "1.0"), None);
/// ```
pub fn compare(one: &str, other: &str) -> Option<Ordering> {
    let (one, other) = (parse(one)?, parse(other)?);
    let longest = one.numbers.len().max(other.numbers.len());
    let filled = |numbers: &[u64]| (0..longest).map(|at| numbers.get(at).copied().unwrap_or(0)).collect::<Vec<_>>();
    let numbers = filled(&one.numbers).cmp(&filled(&other.numbers));
    Some(numbers.then_with(|| match (&one.before, &other.before) {
        (None, None) => Ordering::Equal,
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(one), Some(other)) => words(one, other),
    }))
}

/// Whether a tag is known to be below a floor.
pub fn is_below(tag: &str, floor: &str) -> bool {
    compare(tag, floor) == Some(Ordering::Less)
}

/// As [SemVer 2 § 11](https://semver.org/#spec-item-11): numbers by value and before words, the longer list last.
fn words(one: &[&str], other: &[&str]) -> Ordering {
    for (one, other) in one.iter().zip(other) {
        let order = match (one.parse::<u64>(), other.parse::<u64>()) {
            (Ok(one), Ok(other)) => one.cmp(&other),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => one.cmp(other),
        };
        if order.is_ne() {
            return order;
        }
    }
    one.len().cmp(&other.len())
}

fn parse(text: &str) -> Option<Parsed<'_>> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let numbers: Option<Vec<u64>> = numbers.split('.').map(|number| number.parse().ok()).collect();
    let rest = match rest.strip_prefix(['-', '+', '_']) {
        Some(rest) => rest,
        None if rest.is_empty() => "",
        // `1.2rc1`, but not `3rd`
        None if BEFORE.iter().any(|word| rest.starts_with(word)) => rest,
        None => return None,
    };
    let is_before = BEFORE.iter().any(|word| {
        let after = rest.strip_prefix(word);
        after.is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_alphabetic()))
    });
    Some(Parsed { numbers: numbers?, before: is_before.then(|| rest.split(['.', '-']).collect()) })
}

/// Whether something that happened first in these versions, one for each release line, has happened in a version. A line that is
/// not named has it when it is newer than all that are. A version that is none is taken for the newest.
pub(super) fn has_happened(since: &[String], version: &str) -> bool {
    let Some(own) = parse(version) else { return true };
    let same_line = |other: &&String| parse(other).is_some_and(|other| line(&other.numbers) == line(&own.numbers));
    let reached = |first: &str| compare(version, first).is_none_or(Ordering::is_ge);
    match since.iter().find(same_line) {
        Some(first) if since.len() > 1 => reached(first),
        _ => since.iter().all(|first| reached(first)),
    }
}

/// The same for a release line such as 1.15, as paths of documents name it: it has happened when it has in the line's last
/// release.
pub(crate) fn has_happened_in_line(since: &[String], numbers: &[u64]) -> bool {
    let mut numbers = numbers.to_vec();
    if numbers.len() < 3 {
        numbers.push(u64::from(u32::MAX));
    }
    let text: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    has_happened(since, &text.join("."))
}

fn line(numbers: &[u64]) -> (u64, u64) {
    (numbers.first().copied().unwrap_or(0), numbers.get(1).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(since: &[&str], version: &str, expect: bool) {
        let since: Vec<String> = since.iter().map(|first| (*first).to_owned()).collect();
        assert_eq!(has_happened(&since, version), expect, "{since:?} at {version}");
    }

    #[test]
    fn release_lines() {
        let kops = ["1.19.3", "1.20.1", "1.21.0-beta.2"];
        for (version, expect) in [
            ("1.18.9", false),
            ("1.19.2", false),
            ("1.19.3", true),
            ("1.20.0", false),
            ("v1.20.1", true),
            ("1.21.0-beta.1", false),
            ("1.21.0-beta.2", true),
            ("1.21.0", true),
            ("1.22.0-alpha.1", true),
        ] {
            check(&kops, version, expect);
        }
        check(&["1.16.0"], "1.15.9", false);
        check(&["1.16.0"], "1.17.0-rc.1", true);
        check(&["v1.16.0"], "main", true);
    }

    #[test]
    fn lines_of_documents() {
        let since = ["1.16.0".to_owned()];
        for (numbers, expect) in [(&[1, 15][..], false), (&[1, 16], true), (&[1, 15, 2], false), (&[2, 0], true)] {
            assert_eq!(has_happened_in_line(&since, numbers), expect, "{numbers:?}");
        }
    }

    #[test]
    fn order() {
        let sorted = ["0.9", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0-rc1", "1.0.0", "v1.0.1", "3.0.20230201"];
        for pair in sorted.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Some(Ordering::Less), "{pair:?}");
        }
        for not in ["", "latest", "main", "v", "3rd", "1..2", "99999999999999999999999.1"] {
            assert_eq!(compare(not, "1.0"), None, "{not}");
        }
    }
}
