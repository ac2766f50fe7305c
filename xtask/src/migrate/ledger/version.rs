//! Release lines, over the order of versions that [`crate::policy::compare`] gives.

use std::cmp::Ordering;

pub use crate::policy::compare;

/// Whether a tag is known to be below a floor.
pub fn is_below(tag: &str, floor: &str) -> bool {
    compare(tag, floor) == Some(Ordering::Less)
}

/// The numbers of a version, `None` for what is none, such as `latest`.
fn numbers(text: &str) -> Option<Vec<u64>> {
    compare(text, text)?;
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text[..end].trim_end_matches('.').split('.').map(|number| number.parse().ok()).collect()
}

/// Whether something that happened first in these versions, one for each release line, has happened in a version. A line that is
/// not named has it when it is newer than all that are. A version that is none is taken for the newest.
pub(super) fn has_happened(since: &[String], version: &str) -> bool {
    let Some(own) = numbers(version) else { return true };
    let same_line = |other: &&String| numbers(other).is_some_and(|other| line(&other) == line(&own));
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
        let sorted = ["0.9", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0-rc1", "1.0.0", "v1.0.1"];
        for pair in sorted.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Some(Ordering::Less), "{pair:?}");
        }
        // dates and semantic versions are two schemes, and no floor of the one can be below the other
        for not in ["3.0.20230201", "", "latest", "main", "v", "3rd", "1..2", "99999999999999999999999.1"] {
            assert_eq!(compare(not, "1.0"), None, "{not}");
        }
    }
}
