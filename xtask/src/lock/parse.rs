//! The text of `groupage.lock` to data, with places; whatever is wrong with it is a diagnostic.

use std::collections::BTreeSet;

use super::file::{VERSION, WITH_CONTRACTS};
use super::{ContractKey, Entry, Key, LockFile, Meaning};
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::decode::{Document, Item, Table};
use crate::oci::{Digest, Reference};
use crate::source::{FileId, SourceFile, Span};

/// How the lines begin that git leaves between two sides that it cannot merge.
const CONFLICT: [&str; 3] = ["<<<<<<<", "=======", ">>>>>>>"];

impl LockFile {
    /// Parses the file; every problem in it is added to `problems`.
    pub fn parse(id: FileId, source: &SourceFile, problems: &mut Problems) -> Option<Self> {
        if let Some(conflict) = conflict(id, &source.text) {
            problems.push(conflict);
            return None;
        }
        Document::read(id, &source.text, problems, |table| {
            // what a later version means by its keys is not known here
            let version = version(table)?;
            let mut file = Self::default();
            let images = table.optional("image").and_then(|item| item.list(|entry| entry.table(decode_entry)));
            for entry in images.unwrap_or_default() {
                let place = entry.place;
                let (name, other) = (entry.name.clone(), file.insert(entry));
                if let Some(other) = other {
                    table.report(duplicate(&name.to_string(), place, other.place));
                }
            }
            // in an older file they are keys that nobody asks for
            if version >= WITH_CONTRACTS {
                contracts(table, &mut file);
            }
            Some(file)
        })
    }
}

fn contracts(table: &mut Table<'_>, file: &mut LockFile) {
    let decode = |entry: &Item<'_>| entry.table(|table| decode_contract(table, entry.span));
    let contracts = table.optional("contract").and_then(|item| item.list(decode));
    for (key, meaning) in contracts.unwrap_or_default() {
        let (name, place) = (key.to_string(), meaning.place);
        if let Some(other) = file.remember(key, meaning) {
            table.report(duplicate(&format!("the contract of {name}"), place, other.place));
        }
    }
}

fn decode_contract(table: &mut Table<'_>, place: Span) -> Option<(ContractKey, Meaning)> {
    let component = table.required("component").and_then(|item| item.parsed());
    let image = table.required("image").and_then(|item| item.parsed::<Reference>());
    let id = table.required("id").and_then(|item| item.parsed());
    let digest = table.required("meaning").and_then(|item| item.parsed::<Digest>());
    let (component, image) = (component?.value, image?.value.to_string());
    let (id, digest) = (id?.value, digest?.value);
    Some((ContractKey { component, image }, Meaning { id, digest, place: Some(place) }))
}

/// A merge that nobody has finished. Which side is taken does not matter: `lock` adds what is missing and drops the rest.
fn conflict(id: FileId, text: &str) -> Option<Diagnostic> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let word = line.split_whitespace().next().unwrap_or_default();
        if CONFLICT.contains(&word) {
            let place = Span::new(id, start..start + line.trim_end().len());
            let message = "this file holds a merge conflict that is not resolved";
            let report = Diagnostic::error("merge-conflict", message).label(place, "");
            return Some(
                report.help("keep either side, then run `lock`: it adds what is missing and removes what is unused"),
            );
        }
        start += line.len();
    }
    None
}

/// The format of the file, if it is known here. One that does not say is read as the first one.
fn version(table: &mut Table<'_>) -> Option<i64> {
    let Some(item) = table.required("version") else { return Some(1) };
    let Some(version) = item.integer(1..=i64::MAX) else { return Some(1) };
    if version.value > VERSION {
        item.report_with_help(
            "lock-version",
            format!("this version of groupage reads the lock file up to version {VERSION}"),
            "update groupage; or remove the file, and run `lock`",
        );
        // its other keys are none of ours
        _ = table.named::<String>();
        return None;
    }
    Some(version.value)
}

fn decode_entry(table: &mut Table<'_>) -> Option<Entry> {
    let used_by = table.optional("used-by").and_then(|item| item.list(Item::parsed::<Key>));
    let (name, digest, place) = table.required("reference").and_then(|item| decode_reference(&item))?;
    let used_by: BTreeSet<Key> = used_by.unwrap_or_default().into_iter().map(|key| key.value).collect();
    Some(Entry { name, digest, used_by, place: Some(place) })
}

fn decode_reference(item: &Item<'_>) -> Option<(Reference, Digest, Span)> {
    let reference = item.parsed::<Reference>()?.value;
    let Some(digest) = reference.digest() else {
        let message = format!("`{reference}` has no digest");
        item.report_with_help("not-pinned", message, "remove this entry, then run `lock`");
        return None;
    };
    match digest.parse() {
        Ok(digest) => Some((reference.without_digest(), digest, item.span)),
        Err(error) => {
            item.report("invalid-value", format!("{error}"));
            None
        }
    }
}

fn duplicate(name: &str, place: Option<Span>, other: Option<Span>) -> Diagnostic {
    let report = Diagnostic::error("duplicate-pin", format!("two entries pin {name}"));
    let places = [(place, ""), (other, "also here")];
    let report = places.into_iter().fold(report, |report, (place, text)| match place {
        Some(place) => report.label(place, text),
        None => report,
    });
    report.help("keep one of them, then run `lock`")
}
