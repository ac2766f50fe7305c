//! The images that stages of a Dockerfile begin with or copy from.
//!
//! Each has a name, by which it is replaced, pinned and listed: the last part of its repository, and with its tag where two
//! images would have one name.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Problems};
use crate::dockerfile::{Extent, ImageRole, ImageUse, Reason, Unknown};
use crate::manifest::name::OutsideName;
use crate::oci::Reference;
use crate::source::{FileId, Spanned};

/// An image that a Dockerfile needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// The reference, its variables replaced, and where it first stands.
    pub image: Spanned<Reference>,
}

/// Every image that is needed, and where each is named.
pub(super) fn collect(
    needed: &[&ImageUse],
    file: FileId,
    problems: &mut Problems,
) -> (BTreeMap<OutsideName, Outside>, BTreeMap<Extent, OutsideName>) {
    let mut found: BTreeMap<String, (Reference, Vec<Extent>)> = BTreeMap::new();
    for used in needed {
        match reference(used) {
            Ok(reference) => {
                let own = found.entry(reference.to_string()).or_insert_with(|| (reference, Vec::new()));
                own.1.push(used.span);
            }
            Err(problem) => problems.push(problem.label(used.span.span(file), "")),
        }
    }
    let (mut outside, mut uses) = (BTreeMap::new(), BTreeMap::new());
    let all: Vec<String> = found.values().map(|(reference, _)| short(reference)).collect();
    for (reference, places) in found.values() {
        let own = short(reference);
        let is_alone = all.iter().filter(|other| **other == own).count() == 1;
        let Some(name) = name(reference, is_alone, &outside) else { continue };
        for place in places {
            uses.insert(*place, name.clone());
        }
        if let Some(first) = places.iter().min() {
            outside.insert(name, Outside { image: Spanned::new(reference.clone(), first.span(file)) });
        }
    }
    (outside, uses)
}

fn reference(used: &ImageUse) -> Result<Reference, Diagnostic> {
    let Some(text) = used.reference.known() else { return Err(unknown(used)) };
    text.parse().map_err(|error: crate::oci::ReferenceError| {
        let report = Diagnostic::error("invalid-value", format!("`{text}` is no image: {error}"));
        report.help("name a stage above, or an image as REGISTRY/REPOSITORY:TAG")
    })
}

fn unknown(used: &ImageUse) -> Diagnostic {
    let what = match used.role {
        ImageRole::Base => "the image that this stage begins with",
        ImageRole::Copy | ImageRole::Mount => "the image that files are taken from",
    };
    let why: Vec<String> = used.reference.because().iter().map(Unknown::explain).collect();
    let message = format!("{what} is not known: {}", why.join(", "));
    let missing: Vec<String> = used.reference.because().iter().filter(is_argument).map(as_argument).collect();
    let report = Diagnostic::error("unknown-image", message);
    match missing.as_slice() {
        [] => report.help("name the image without that variable: it is pinned, mirrored and checked by its name"),
        missing => report.help(format!("write `args = {{ {} }}` under [build.dockerfile]", missing.join(", "))),
    }
}

fn is_argument(why: &&Unknown) -> bool {
    matches!(why.reason, Reason::NotSet { .. } | Reason::Undeclared)
}

fn as_argument(why: &Unknown) -> String {
    format!("{} = \"…\"", why.name)
}

/// The last part of the repository, as a name.
fn short(reference: &Reference) -> String {
    plain(reference.repository().rsplit('/').next().unwrap_or_default())
}

/// Whatever a name may not hold becomes `-`.
fn plain(text: &str) -> String {
    let text: String = text.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let short: String = text.trim_matches('-').chars().take(50).collect();
    match short.trim_matches('-') {
        "" => "image".to_owned(),
        short => short.to_owned(),
    }
}

/// A name that no other image has.
fn name(reference: &Reference, is_alone: bool, taken: &BTreeMap<OutsideName, Outside>) -> Option<OutsideName> {
    let short = short(reference);
    let tagged = || plain(&format!("{short}-{}", reference.tag().or(reference.digest()).unwrap_or_default()));
    let first = if is_alone { short.clone() } else { tagged() };
    let numbered = (2..).map(|number| format!("{}-{number}", first));
    let mut candidates = std::iter::once(first.clone()).chain(numbered);
    candidates.find_map(|name| name.parse().ok().filter(|name| !taken.contains_key(name)))
}
