//! What becomes of a tag when an image is promoted: it is set, stays, moves forward, or is refused.
//!
//! | the tag | names nothing | names this image | names another image |
//! |---|---|---|---|
//! | does not move | set | stays | **refused**, with both digests |
//! | moves | set, unless held | stays | moved, unless held |
//!
//! A tag that moves is held back where it would move back: the image is a pre-release or its tag no version, or the
//! destination has a newer release of the same variant; of a series (`1`, `1.2`), a newer one of that series. So `latest` stays
//! where it is when a patch of an older series is promoted after a newer one, in whatever order they come.

use serde::Serialize;

use crate::oci::Digest;
use crate::policy::{Grammar, TagVersion};

/// What becomes of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Fate {
    /// It names nothing yet, and will name the image.
    Set,
    /// It names the image already.
    Same,
    /// It names another image, and will name this one.
    Move {
        /// The digest that it names.
        was: Digest,
    },
    /// It would move back, and stays.
    Held {
        /// Why.
        reason: String,
    },
    /// It names another image and does not move.
    Taken {
        /// The digest that it names.
        was: Digest,
    },
}

/// A tag that an image shall have.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The tag.
    pub tag: &'a str,
    /// Whether it may be taken from another image.
    pub moves: bool,
    /// The digest of the image.
    pub digest: &'a Digest,
    /// The version of the image, if its own tag says one.
    pub version: Option<&'a TagVersion>,
}

impl Fate {
    /// Whether the tag will be set or moved.
    pub fn is_change(&self) -> bool {
        matches!(self, Self::Set | Self::Move { .. })
    }

    /// Whether the image will have the tag.
    pub fn is_given(&self) -> bool {
        self.is_change() || *self == Self::Same
    }
}

/// What becomes of a tag that names `there` at the destination, which has the tags `known`.
pub fn fate(candidate: Candidate<'_>, there: Option<&Digest>, known: &[String], grammar: &Grammar) -> Fate {
    match there {
        Some(there) if there == candidate.digest => return Fate::Same,
        Some(there) if !candidate.moves => return Fate::Taken { was: there.clone() },
        None if !candidate.moves => return Fate::Set,
        _ => {}
    }
    match (held(candidate, known, grammar), there) {
        (Some(reason), _) => Fate::Held { reason },
        (None, Some(was)) => Fate::Move { was: was.clone() },
        (None, None) => Fate::Set,
    }
}

/// Why a tag that moves must not.
fn held(candidate: Candidate<'_>, known: &[String], grammar: &Grammar) -> Option<String> {
    let Some(version) = candidate.version else {
        return Some("the image's own tag is no version, so that nobody can say which way is forward".to_owned());
    };
    if !version.is_release() {
        return Some(format!("{version} is a pre-release"));
    }
    // a tag of another variant has other images behind it
    let own = candidate.tag.ends_with(version.variant());
    if !own || (version.variant().is_empty() && grammar.without_variant(candidate.tag).is_some()) {
        return Some(format!("{version} is another variant"));
    }
    let series = grammar.parse(candidate.tag).filter(|series| series.is_plain() && series.precision() < 3);
    let in_series = |other: &TagVersion| match &series {
        Some(series) if series.precision() == 1 => other.major() == series.major(),
        Some(series) => other.major() == series.major() && other.minor() == series.minor(),
        None => true,
    };
    if !in_series(version) {
        return Some(format!("{version} is of another series"));
    }
    let others = known.iter().filter_map(|tag| grammar.parse(tag));
    let newer = others.filter(|other| {
        // `1.2` beside `1.2.3` is a series, and no version
        let is_version = other.precision() >= version.precision();
        let newer = other.is_release() && other.variant() == version.variant() && other.compare(version).is_gt();
        is_version && newer && in_series(other)
    });
    newer.max().map(|newer| format!("{newer} is newer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tag of an image of version `own`, with what it names before: `1` is the image, `2` another one, `0` nothing.
    #[track_caller]
    fn check(own: &str, tag: &str, moves: bool, there: u8, known: &[&str], expect: &str) {
        let grammar = Grammar::default().with_variants(["-full"]);
        let (digest, other) = (Digest::of(&[1]), Digest::of(&[there]));
        let version = grammar.parse(own);
        let candidate = Candidate { tag, moves, digest: &digest, version: version.as_ref() };
        let known: Vec<String> = known.iter().map(|tag| (*tag).to_owned()).collect();
        let word = match fate(candidate, (there > 0).then_some(&other), &known, &grammar) {
            Fate::Set => "set".to_owned(),
            Fate::Same => "same".to_owned(),
            Fate::Move { .. } => "move".to_owned(),
            Fate::Held { reason } => reason,
            Fate::Taken { .. } => "taken".to_owned(),
        };
        assert_eq!(word, expect, "{own} as {tag} beside {known:?}");
    }

    #[test]
    fn what_does_not_move() {
        check("1.2.3", "1.2.3", false, 0, &["9.9.9"], "set");
        check("1.2.3", "1.2.3", false, 1, &[], "same");
        check("1.2.3", "1.2.3", false, 2, &["1.2.3"], "taken");
        check("main-abc", "main-abc", false, 0, &[], "set");
    }

    #[test]
    fn what_moves_moves_forward() {
        check("1.2.3", "latest", true, 2, &["1.2.2", "1.2.3", "latest"], "move");
        check("1.2.3", "latest", true, 0, &[], "set");
        check("1.2.3", "latest", true, 1, &["9.9.9"], "same");
        check("1.2.4", "latest", true, 2, &["1.2.3", "1.3.0"], "1.3.0 is newer");
        check("1.2.4", "latest", true, 2, &["1.3.0-rc.1", "1.3.0-full", "2", "main"], "move");
        check("1.2.4", "1.2", true, 2, &["1.2.3", "1.2", "1.3.0"], "move");
        check("1.2.4", "1", true, 2, &["1.2.3", "1.3.0", "2.0.0"], "1.3.0 is newer");
        check("1.2.4", "1.2", true, 2, &["1.2.10"], "1.2.10 is newer");
        check("1.2.4", "1.3", true, 2, &[], "1.2.4 is of another series");
        check("v1.2.4", "v1.2", true, 2, &["v1.2.3"], "move");
        check("1.3.0-rc.1", "latest", true, 0, &[], "1.3.0-rc.1 is a pre-release");
        check("1.3.0-2-gabcdef1", "latest", true, 2, &[], "1.3.0-2-gabcdef1 is a pre-release");
    }

    #[test]
    fn variants_have_tags_of_their_own() {
        check("1.2.3-full", "latest-full", true, 2, &["1.3.0"], "move");
        check("1.2.3-full", "latest-full", true, 2, &["1.3.0-full"], "1.3.0-full is newer");
        check("1.2.3-full", "1.2-full", true, 2, &["1.3.0-full"], "move");
        check("1.2.3-full", "latest", true, 2, &[], "1.2.3-full is another variant");
        check("1.2.3", "latest-full", true, 2, &[], "1.2.3 is another variant");
    }

    #[test]
    fn without_a_version_there_is_no_forward() {
        let why = "the image's own tag is no version, so that nobody can say which way is forward";
        check("main-abc", "latest", true, 2, &[], why);
    }
}
