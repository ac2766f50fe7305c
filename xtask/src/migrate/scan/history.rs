//! Files that speak of another version than today's: what was true then is no finding.

use crate::migrate::ledger::{Entry, has_happened_in_line};

/// Whether a file is about a time in which a retirement had not happened: a part of its path is a version below it, such as
/// `v1.15`, `version-1.15`, `1.15.2`, `CHANGELOG-1.9.md`; or it is a list of changes.
pub(super) fn is_about_before(path: &str, entry: &Entry) -> bool {
    is_changelog(path)
        || path.split(['/', '\\']).filter_map(version).any(|line| !has_happened_in_line(&entry.since, &line))
}

fn is_changelog(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    // what a lock file promises of retired images is no use of them
    ["changelog", "changes.", "history.", "groupage.lock"].iter().any(|word| name.starts_with(word))
}

/// The version that a part of a path is: at least two numbers, perhaps with words before it.
fn version(part: &str) -> Option<Vec<u64>> {
    let lower = part.to_ascii_lowercase();
    let stem =
        [".md", ".rst", ".adoc", ".txt", ".html"].iter().find_map(|end| lower.strip_suffix(end)).unwrap_or(&lower);
    // the last word with a number in front: `release-1.15`, `velero_v1.15.2`, and `5.3.0-rc.1` as a whole
    let begins = |text: &str| {
        let text = text.strip_prefix('v').unwrap_or(text);
        text.starts_with(|c: char| c.is_ascii_digit())
    };
    let starts = std::iter::once(0).chain(stem.match_indices(['-', '_']).map(|(at, _)| at + 1));
    let start = starts.into_iter().find(|at| begins(&stem[*at..]))?;
    let text = stem[start..].strip_prefix('v').unwrap_or(&stem[start..]);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    // `1.15.x` is a line as well
    let numbers = text[..end].trim_end_matches('.').split('.').map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
    (2..=4).contains(&numbers.len()).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_paths() {
        for (part, expect) in [
            ("v1.15", Some(vec![1, 15])),
            ("version-1.15", Some(vec![1, 15])),
            ("1.15.2", Some(vec![1, 15, 2])),
            ("CHANGELOG-1.9.md", Some(vec![1, 9])),
            ("upgrade-to-1.16.md", Some(vec![1, 16])),
            ("release-1.15.x", Some(vec![1, 15])),
            ("main", None),
            ("v1", None),
            ("docs", None),
            ("a1.2", None),
            ("k8s-1", None),
        ] {
            assert_eq!(version(part), expect, "{part}");
        }
    }
}
