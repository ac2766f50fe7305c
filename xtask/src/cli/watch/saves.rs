//! What was saved since the last look, and how a round is told in one line.

use std::collections::BTreeSet;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

/// Files after which warnings are shown again.
const TELLING: &[&str] = &["toml", "hbs", "lock"];

/// Why there is a round.
#[derive(Debug, Default)]
pub(super) struct Saves {
    /// The first one.
    pub(super) is_start: bool,
    /// Files that were saved, relative to the workspace.
    pub(super) paths: BTreeSet<Utf8PathBuf>,
    /// Files were saved, and nobody knows which.
    pub(super) lost: bool,
}

impl Saves {
    pub(super) fn start() -> Self {
        Self { is_start: true, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.is_start && !self.lost && self.paths.is_empty()
    }

    /// Whether a file was saved that rules look at.
    pub(super) fn may_warn(&self) -> bool {
        self.is_start || self.paths.iter().any(|path| path.extension().is_some_and(|ending| TELLING.contains(&ending)))
    }

    /// The files that a round is for: those that matter, if there are some. Editors write others beside them.
    pub(super) fn files(&self, matters: &BTreeSet<Utf8PathBuf>) -> Vec<&Utf8Path> {
        let all = || self.paths.iter().map(Utf8PathBuf::as_path);
        let telling = |path: &&Utf8Path| matters.contains(*path);
        if all().any(|path| telling(&path)) { all().filter(telling).collect() } else { all().collect() }
    }

    /// Why a round takes place, in a few words. The one place to say it.
    pub(super) fn reason(&self, matters: &BTreeSet<Utf8PathBuf>) -> String {
        match &self.files(matters)[..] {
            _ if self.is_start => "start".to_owned(),
            [] => "files changed".to_owned(),
            [one] => format!("{one} changed"),
            [first, more @ ..] => format!("{first} and {} more changed", more.len()),
        }
    }
}

/// How a round has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Ending {
    Built,
    /// Everything is as it was.
    Unchanged,
    /// A build has failed.
    Failed,
    /// There was nothing that could be built.
    Refused,
}

/// An image of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Shown {
    pub(super) image: String,
    pub(super) references: Vec<String>,
    pub(super) digest: String,
    /// It was there before this run, and nothing was built.
    pub(super) up_to_date: bool,
}

/// What is told of a round.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    pub(super) reason: &'a str,
    pub(super) changed: Vec<&'a Utf8Path>,
    pub(super) result: Ending,
    pub(super) images: &'a [Shown],
    pub(super) seconds: f64,
}

impl<'a> Line<'a> {
    pub(super) fn new(saves: &'a Saves, reason: &'a str, matters: &BTreeSet<Utf8PathBuf>, took: Duration) -> Self {
        // milliseconds are enough
        let seconds = (took.as_secs_f64() * 1000.0).round() / 1000.0;
        Self { reason, changed: saves.files(matters), result: Ending::Refused, images: &[], seconds }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let names = |up_to_date: bool| {
            let images = self.images.iter().filter(|image| image.up_to_date == up_to_date);
            images.map(|image| image.image.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (made, kept) = (names(false), names(true));
        let what = match (self.result, made.as_str(), kept.as_str()) {
            (Ending::Built, "", _) => "built, and nothing in it is new".to_owned(),
            (Ending::Built, made, "") => format!("{made} built"),
            (Ending::Built, made, kept) => format!("{made} built, {kept} up to date"),
            (Ending::Unchanged, _, "") => "nothing to build".to_owned(),
            (Ending::Unchanged, _, kept) => format!("{kept} up to date"),
            (Ending::Failed, "", _) => "failed".to_owned(),
            (Ending::Failed, failed, _) => format!("{failed} failed"),
            (Ending::Refused, ..) => "not built".to_owned(),
        };
        format!("{} → {what} in {:.1} s\n", self.reason, self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(paths: &[&str], matters: &[&str], expect: &str) {
        let set = |paths: &[&str]| paths.iter().map(Utf8PathBuf::from).collect::<BTreeSet<_>>();
        let saves = Saves { paths: set(paths), ..Saves::default() };
        assert_eq!(saves.reason(&set(matters)), expect);
    }

    #[test]
    fn the_reason_is_the_file_that_matters() {
        check(&["a/b.rs"], &[], "a/b.rs changed");
        check(&["a/.b.rs.swp", "a/4913", "a/b.rs"], &["a/b.rs", "a/c.rs"], "a/b.rs changed");
        check(&["a", "b", "c"], &[], "a and 2 more changed");
        check(&[], &["a"], "files changed");
        assert_eq!(Saves::start().reason(&BTreeSet::new()), "start");
    }

    #[test]
    fn a_round_is_one_line() {
        let saves = Saves { paths: [Utf8PathBuf::from("a")].into(), ..Saves::default() };
        let image = |name: &str, up_to_date| {
            let (references, digest) = (Vec::new(), String::new());
            Shown { image: name.into(), references, digest, up_to_date }
        };
        let images = [image("app", false), image("part=full", false)];
        let kept = [image("kept", true), image("app", false), image("part", true)];
        let matters = BTreeSet::new();
        let line = |result, images| {
            let line = Line::new(&saves, "a changed", &matters, Duration::from_millis(1250));
            Line { result, images, ..line }.text()
        };
        assert_eq!(line(Ending::Built, &images), "a changed → app, part=full built in 1.2 s\n");
        assert_eq!(line(Ending::Built, &kept), "a changed → app built, kept, part up to date in 1.2 s\n");
        assert_eq!(line(Ending::Unchanged, &kept[..1]), "a changed → kept up to date in 1.2 s\n");
        assert_eq!(line(Ending::Failed, &images[..1]), "a changed → app failed in 1.2 s\n");
        assert_eq!(line(Ending::Refused, &[]), "a changed → not built in 1.2 s\n");
        assert_eq!(line(Ending::Unchanged, &[]), "a changed → nothing to build in 1.2 s\n");
    }
}
