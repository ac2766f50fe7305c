//! Files, links and texts that a component reads or installs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::recorded::LOCK;
use super::{Changes, What, text};

/// Below this path of a pruned workspace are the crates of a build without network.
const VENDOR: &str = ".cargo/vendor/";

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    /// The component.
    pub(super) component: &'a str,
    /// Whether paths are those in the image, and not those in the folder of the build.
    pub(super) is_installed: bool,
    /// Whether the crates of the lock file are named already, so that what follows from them is not.
    pub(super) crates_are_named: bool,
}

/// Adds what differs in two maps of inputs by path.
pub(super) fn compare(side: Side<'_>, before: Option<&Value>, after: Option<&Value>, all: &mut Changes) {
    let (mut removed, mut added) = (BTreeMap::new(), BTreeMap::new());
    all.map(before, after, |all, path, old, new| {
        if side.crates_are_named && (path == LOCK || path.starts_with(VENDOR)) {
            return;
        }
        match (old, new) {
            (Some(old), Some(new)) if old["input"] == new["input"] => side.changed(path, old, new, all),
            (old, new) => {
                old.map(|old| removed.insert(path.to_owned(), old));
                new.map(|new| added.insert(path.to_owned(), new));
            }
        }
    });
    if side.is_installed {
        side.moved(&mut removed, &mut added, all);
    }
    for (path, input) in removed {
        all.push(Some(side.component), what(input), &subject(&path, input), Some(content(input)), None);
    }
    for (path, input) in added {
        all.push(Some(side.component), what(input), &subject(&path, input), None, Some(content(input)));
    }
}

impl Side<'_> {
    /// What is at the same path and not the same.
    fn changed(self, path: &str, old: &Value, new: &Value, all: &mut Changes) {
        let (name, subject) = (Some(self.component), subject(path, new));
        all.push(name, what(new), &subject, Some(content(old)), Some(content(new)));
        all.push(name, What::FileMode, &subject, mode(old), mode(new));
        let source = |input: &Value| text(input.get("source"));
        all.push(name, What::FileSource, path, source(old), source(new));
        let folder = |input: &Value| text(input.get("folder"));
        all.push(name, What::Install, path, folder(old), folder(new));
    }

    /// A file that is installed elsewhere is not another file.
    fn moved(self, removed: &mut BTreeMap<String, &Value>, added: &mut BTreeMap<String, &Value>, all: &mut Changes) {
        let gone: Vec<(String, &Value)> = removed.iter().map(|(path, input)| (path.clone(), *input)).collect();
        for (from, old) in gone {
            let same = |new: &Value| new["input"] == "file" && new["source"] == old["source"];
            let Some(to) = added.iter().find(|(_, new)| same(new)).map(|(path, _)| path.clone()) else { continue };
            let Some(new) = added.remove(&to) else { continue };
            removed.remove(&from);
            let (name, subject) = (Some(self.component), subject(&to, new));
            all.push(name, What::Install, &subject, Some(from), Some(to));
            all.push(name, What::File, &subject, Some(content(old)), Some(content(new)));
            all.push(name, What::FileMode, &subject, mode(old), mode(new));
        }
    }
}

fn what(input: &Value) -> What {
    match input["input"].as_str() {
        Some("file") => What::File,
        Some("link") => What::Link,
        Some("crate") => What::Crate,
        _ => What::Generated,
    }
}

/// What people call it: the file of the workspace, or its path where it goes.
fn subject(path: &str, input: &Value) -> String {
    text(input.get("source")).unwrap_or_else(|| path.to_owned())
}

fn content(input: &Value) -> String {
    let content = input.get("digest").or_else(|| input.get("target")).or_else(|| input.get("package"));
    text(content).unwrap_or_default()
}

fn mode(input: &Value) -> Option<String> {
    input["mode"].as_u64().map(|mode| format!("{mode:04o}"))
}
