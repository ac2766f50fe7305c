//! One reference put in the place of another in texts of any kind, and the proof that nothing else was changed.
//!
//! A reference is the whole word that stands there: `a/b:1.2` is no part of `a/b:1.2.3`, of `x/a/b:1.2` or of `a/b:1.2@sha256:…`.
//! Two spellings of one name (`rust:1`, `docker.io/library/rust:1`) are one. With neither tag nor digest on both sides, the
//! name is swapped and what stands behind it stays.

use std::ops::Range;

use crate::oci::{Reference, mention_around};

/// What is swapped for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    old: Reference,
    new: Reference,
}

/// Why two references cannot be swapped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwapError {
    /// Nothing would change.
    #[error("`{0}` and the reference in its place are the same")]
    Same(String),
    /// One of them says a version.
    #[error(
        "one of `{0}` and `{1}` has a tag or a digest and the other has none\nhint: write both with, or both without"
    )]
    Half(String, String),
}

/// The change of one text. Nothing but ranges that were the old reference is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swapped {
    /// What stands where.
    ranges: Vec<(Range<usize>, String)>,
    /// References of the same name that are something else, such as another tag: they stay.
    pub others: usize,
}

impl Swap {
    /// Swaps `old` for `new`.
    ///
    /// # Errors
    /// [`SwapError`].
    pub fn new(old: Reference, new: Reference) -> Result<Self, SwapError> {
        if old == new {
            return Err(SwapError::Same(old.to_string()));
        }
        let has_version = |reference: &Reference| reference.tag().or(reference.digest()).is_some();
        if has_version(&old) != has_version(&new) {
            return Err(SwapError::Half(old.to_string(), new.to_string()));
        }
        Ok(Self { old, new })
    }

    /// A text that every file with the old reference holds.
    pub fn needle(&self) -> &str {
        self.old.repository().rsplit('/').next().unwrap_or_default()
    }

    /// What is to be changed in a text.
    ///
    /// ```
    /// use groupage::release::Swap;
    /// let swap = Swap::new("a.io/b:1-rc".parse()?, "c.io/b:1".parse()?)?;
    /// let text = "image: a.io/b:1-rc # not a.io/b:1-rc.2";
    /// assert_eq!(swap.of(text).apply(text), "image: c.io/b:1 # not a.io/b:1-rc.2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(&self, text: &str) -> Swapped {
        let mut swapped = Swapped::default();
        let mut done = 0;
        for (place, _) in text.match_indices(self.needle()) {
            let Some(mention) = (place >= done).then(|| mention_around(text, place)).flatten() else { continue };
            done = mention.range.end;
            match self.is_old(&mention.reference) {
                Some(new) => swapped.ranges.push((mention.range, new)),
                None if mention.reference.name() == self.old.name() => swapped.others += 1,
                None => {}
            }
        }
        swapped
    }

    /// What comes in the place of a reference, if it is the old one.
    fn is_old(&self, found: &Reference) -> Option<String> {
        let same_name = found.name() == self.old.name();
        let version =
            |reference: &Reference| (reference.tag().map(str::to_owned), reference.digest().map(str::to_owned));
        match version(&self.old) {
            _ if !same_name => None,
            (None, None) => {
                let (tag, digest) = version(found);
                let part =
                    |mark: &str, part: Option<String>| part.map(|part| format!("{mark}{part}")).unwrap_or_default();
                Some(format!("{}{}{}", self.new, part(":", tag), part("@", digest)))
            }
            own => (own == version(found)).then(|| self.new.to_string()),
        }
    }

    /// That a text differs from another one in nothing but references that were the old one and are the new one now, and
    /// that the old one is gone. It looks at the two texts only, and at nothing that was used to make the second.
    ///
    /// # Errors
    /// The byte of the first text at which it is not so.
    pub fn prove(&self, before: &str, after: &str) -> Result<usize, usize> {
        let (mut here, mut there, mut count) = (0, 0, 0);
        loop {
            let (rest, new) = (&before.as_bytes()[here..], &after.as_bytes()[there..]);
            let same = rest.iter().zip(new).take_while(|(one, other)| one == other).count();
            if same == rest.len() && same == new.len() {
                break;
            }
            // the words around the first byte that differs
            let old =
                mention_around(before, here + same).or_else(|| mention_around(before, (here + same).checked_sub(1)?));
            let Some(old) = old.filter(|old| old.range.start >= here) else { return Err(here + same) };
            let Some(new) = self.is_old(&old.reference) else { return Err(here + same) };
            let start = there + (old.range.start - here);
            if after.get(start..start + new.len()) != Some(new.as_str()) {
                return Err(here + same);
            }
            (here, there, count) = (old.range.end, start + new.len(), count + 1);
        }
        if self.of(after).is_empty() { Ok(count) } else { Err(before.len()) }
    }
}

impl Swapped {
    /// How many references change.
    pub fn count(&self) -> usize {
        self.ranges.len()
    }

    /// True when none does.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The text afterwards.
    pub fn apply(&self, text: &str) -> String {
        let (mut after, mut done) = (String::with_capacity(text.len()), 0);
        for (range, new) in &self.ranges {
            after.push_str(&text[done..range.start]);
            after.push_str(new);
            done = range.end;
        }
        after + &text[done..]
    }

    /// The changes, one line each, with their lines in the text: `12: OLD → NEW`.
    pub fn display(&self, text: &str) -> String {
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        let shown =
            self.ranges.iter().map(|(range, new)| format!("{}: {} → {new}\n", line(range.start), &text[range.clone()]));
        shown.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "gcr.io/k8s-staging-etcdadm/etcd-manager:v3.0.20220128-22-g09fbed34";
    const NEW: &str = "k8s.gcr.io/etcdadm/etcd-manager:v3.0.20220203";

    fn swap(old: &str, new: &str) -> Swap {
        Swap::new(old.parse().unwrap(), new.parse().unwrap()).unwrap()
    }

    #[track_caller]
    fn check(swap: &Swap, text: &str, expect: &str, count: usize, others: usize) {
        let swapped = swap.of(text);
        assert_eq!((swapped.apply(text).as_str(), swapped.count(), swapped.others), (expect, count, others), "{text}");
        assert_eq!(swap.prove(text, expect), Ok(count), "{text}");
        assert!(swap.of(expect).is_empty(), "a second time changes nothing");
    }

    #[test]
    fn whole_references_are_swapped() {
        let own = swap(OLD, NEW);
        check(&own, &format!("    image: {OLD}\n"), &format!("    image: {NEW}\n"), 1, 0);
        check(&own, &format!("\"{OLD}\",'{OLD}';docker://{OLD}."), &format!("\"{NEW}\",'{NEW}';docker://{NEW}."), 3, 0);
        for other in [
            &format!("{OLD}5"),
            &format!("{OLD}@sha256:{}", "0".repeat(64)),
            "gcr.io/k8s-staging-etcdadm/etcd-manager:v1",
        ] {
            check(&own, other, other, 0, 1);
        }
        for none in [&format!("x/{OLD}"), "etcd-manager", "", "ä etcd-manager:v3.0.20220128-22-g09fbed34"] {
            check(&own, none, none, 0, 0);
        }
        check(
            &swap("rust:1", "rust:2"),
            "docker.io/library/rust:1 rust:1 ghcr.io/rust:1",
            "rust:2 rust:2 ghcr.io/rust:1",
            2,
            0,
        );
        check(&swap("a.io/a:1", "a.io/a:12"), "a.io/a:1 a.io/a:1", "a.io/a:12 a.io/a:12", 2, 0);
    }

    #[test]
    fn names_are_swapped_alone() {
        let own = swap("a.io/x/b", "b.io/y");
        check(&own, "a.io/x/b:1 a.io/x/b a.io/x/b2:1", "b.io/y:1 b.io/y a.io/x/b2:1", 2, 0);
        assert!(matches!(Swap::new("a:1".parse().unwrap(), "b".parse().unwrap()), Err(SwapError::Half(..))));
        assert!(matches!(Swap::new("a:1".parse().unwrap(), "a:1".parse().unwrap()), Err(SwapError::Same(_))));
    }

    #[test]
    fn anything_else_that_has_changed_is_found() {
        let own = swap(OLD, NEW);
        let (before, after) = (format!("a: 1\nb: {OLD}\nc: 2\n"), format!("a: 1\nb: {NEW}\nc: 2\n"));
        assert_eq!(own.prove(&before, &after), Ok(1));
        for wrong in [
            after.replace("c: 2", "c: 3"),
            after.replace("a: 1", "a:  1"),
            format!("{after}x"),
            after.replace("c: 2\n", ""),
            after.replace("v3.0.20220203", "v3.0.20220204"),
            format!("{after}{OLD}"),
        ] {
            assert!(own.prove(&before, &wrong).is_err(), "{wrong}");
        }
        assert!(own.prove(&before, &before).is_err(), "the old one is still there");
    }
}
