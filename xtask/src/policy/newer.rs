//! Updates: which of the tags of a repository are newer than the one in use, and of its kind.

use super::{Grammar, TagVersion};

/// The tags that are newer than `current`, from old to new; `None` when `current` is no version, as `latest` is none.
///
/// An update has the same variant and as many numbers (`1.95-bookworm` does not become `1.96.1`), and is a release, unless the
/// current one is none. Of `1.2.3` and `v1.2.3` it is the one that is written as the current one is.
///
/// ```
/// use groupage::policy::{Grammar, newer};
/// let tags = ["1.96-bookworm", "1.96", "1.96.1-bookworm", "latest", "1.97-rc1-bookworm"].map(str::to_owned);
/// let newer = newer(&Grammar::default(), "1.95-bookworm", &tags).unwrap();
/// assert_eq!(newer.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(), ["1.96-bookworm"]);
/// ```
pub fn newer(grammar: &Grammar, current: &str, tags: &[String]) -> Option<Vec<TagVersion>> {
    let current = grammar.parse(current)?;
    let fits = |version: &TagVersion| {
        version.variant() == current.variant()
            && version.precision() == current.precision()
            && version.compare(&current).is_gt()
            && (version.is_release() || !current.is_release())
    };
    let mut newer: Vec<TagVersion> = tags.iter().filter_map(|tag| grammar.parse(tag)).filter(fits).collect();
    let other_letter = |version: &TagVersion| version.as_str().starts_with('v') != current.as_str().starts_with('v');
    newer.sort_by(|a, b| a.cmp(b).then_with(|| other_letter(a).cmp(&other_letter(b))));
    newer.dedup();
    Some(newer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(grammar: &str, current: &str, tags: &[&str], expect: Option<&[&str]>) {
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let found = newer(&grammar.parse().unwrap(), current, &tags);
        let found = found.as_ref().map(|found| found.iter().map(TagVersion::as_str).collect::<Vec<_>>());
        assert_eq!(found.as_deref(), expect, "{current}");
    }

    #[test]
    fn updates() {
        check(
            "semver",
            "1.2.3",
            &["1.2.2", "1.2.3", "1.10.0", "1.3.0", "1.4.0-rc.1", "2", "main"],
            Some(&["1.3.0", "1.10.0"]),
        );
        check("semver", "1.4.0-rc.1", &["1.4.0-rc.2", "1.3.9", "1.4.0"], Some(&["1.4.0-rc.2", "1.4.0"]));
        check("semver", "v1.2.3", &["1.3.0", "v1.3.0", "1.4.0"], Some(&["v1.3.0", "1.4.0"]));
        check("semver", "5.3.0-full", &["5.4.0", "5.4.0-full", "5.4.0-slim"], Some(&["5.4.0-full"]));
        check("semver", "latest", &["1.0.0"], None);
        check(
            "v?3.0.YYYYMMDD",
            "v3.0.20241012",
            &["v3.0.20250628", "v3.0.20250629-3-gabcdef1", "v3.1.20260101"],
            Some(&["v3.0.20250628"]),
        );
        check("calendar", "2024.10", &["2024.9", "2024.11", "2024.10.1"], Some(&["2024.11"]));
        check("semver", "1.2.3", &[], Some(&[]));
    }
}
