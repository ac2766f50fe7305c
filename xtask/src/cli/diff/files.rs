//! Files of two images.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::side::ImageSide;
use crate::engine::native::base::{Tree, TreeEntry, TreeKind};

/// One path that is not the same.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct FileDiff {
    /// Absolute path in the image.
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Entry>,
}

/// What is at a path.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    kind: &'static str,
    /// Permission bits in octal.
    mode: String,
    owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// Bytes of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

/// Bytes of two images.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Sizes {
    /// Of all files.
    files: [u64; 2],
    /// Of all layers as they are stored, compressed or not.
    layers: [u64; 2],
    /// Of layers of the second that the first does not have, as they are stored: what is fetched by whoever has the first.
    new_layers: u64,
}

/// All paths that differ, sorted.
pub(super) fn compare(old: &Tree, new: &Tree) -> Vec<FileDiff> {
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differs = |path: &&String| old.get(*path) != new.get(*path);
    let diff = |path: &String| FileDiff {
        path: path.clone(),
        before: old.get(path).map(Entry::of),
        after: new.get(path).map(Entry::of),
    };
    paths.into_iter().filter(differs).map(diff).collect()
}

impl Entry {
    fn of(entry: &TreeEntry) -> Self {
        let own = entry.attributes;
        let (kind, digest, size, target) = match &entry.kind {
            TreeKind::Folder => ("folder", None, None, None),
            TreeKind::File { digest, size } => ("file", Some(digest.to_string()), Some(*size), None),
            TreeKind::Link(target) => ("link", None, None, Some(target.clone())),
            TreeKind::Special => ("device", None, None, None),
        };
        let (mode, owner) = (format!("{:04o}", own.mode), format!("{}:{}", own.uid, own.gid));
        Self { kind, mode, owner, digest, size, target }
    }

    fn words(&self) -> String {
        match (&self.size, &self.target) {
            (Some(size), _) => format!("{size} bytes"),
            (None, Some(target)) => format!("link to {target}"),
            (None, None) => self.kind.to_owned(),
        }
    }

    /// What is another one, in words.
    fn change(&self, after: &Self) -> String {
        let mut words = Vec::new();
        if (self.kind, &self.size, &self.target) != (after.kind, &after.size, &after.target) {
            words.push(format!("{} → {}", self.words(), after.words()));
        } else if self.digest != after.digest {
            words.push(format!("other {}", after.words()));
        }
        if self.mode != after.mode {
            words.push(format!("mode {} → {}", self.mode, after.mode));
        }
        if self.owner != after.owner {
            words.push(format!("owner {} → {}", self.owner, after.owner));
        }
        words.join(", ")
    }
}

impl fmt::Display for FileDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // a name of a stranger may hold anything
        let path: String = self.path.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "~ {path} ({})", before.change(after)),
            (Some(before), None) => write!(f, "- {path} ({})", before.words()),
            (None, Some(after)) => write!(f, "+ {path} ({})", after.words()),
            (None, None) => Ok(()),
        }
    }
}

impl Sizes {
    pub(super) fn of(old: &ImageSide, new: &ImageSide) -> Self {
        let files = |side: &ImageSide| {
            let size = |entry: &TreeEntry| match entry.kind {
                TreeKind::File { size, .. } => size,
                _ => 0,
            };
            side.tree.values().map(size).sum()
        };
        let layers = |side: &ImageSide| side.layers.iter().map(|layer| layer.size).sum();
        let has = |digest| old.layers.iter().any(|layer| layer.digest == digest);
        let new_layers = new.layers.iter().filter(|layer| !has(layer.digest.clone())).map(|layer| layer.size).sum();
        Self { files: [files(old), files(new)], layers: [layers(old), layers(new)], new_layers }
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files: [old, new], layers: [stored, stored_new], new_layers } = self;
        write!(f, "bytes: files {old} → {new} ({:+}), ", i128::from(*new) - i128::from(*old))?;
        write!(f, "layers as stored {stored} → {stored_new} ({new_layers} in other layers)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::{Attributes, Digest};

    fn entry(kind: TreeKind, mode: u32) -> TreeEntry {
        TreeEntry { attributes: Attributes { mode, uid: 0, gid: 0 }, kind }
    }

    fn file(text: &str) -> TreeKind {
        TreeKind::File { digest: Digest::of(text.as_bytes()), size: text.len() as u64 }
    }

    fn check(old: Option<TreeEntry>, new: Option<TreeEntry>, expect: &[&str]) {
        let tree = |entry: Option<TreeEntry>| entry.map(|entry| ("/a\n".to_owned(), entry)).into_iter().collect();
        let lines: Vec<String> = compare(&tree(old), &tree(new)).iter().map(ToString::to_string).collect();
        assert_eq!(lines, expect);
    }

    #[test]
    fn each_path_is_one_line() {
        let plain = |text: &str| Some(entry(file(text), 0o644));
        check(plain("x"), plain("x"), &[]);
        check(None, plain("x"), &["+ /a? (1 bytes)"]);
        check(plain("x"), None, &["- /a? (1 bytes)"]);
        check(plain("x"), plain("xy"), &["~ /a? (1 bytes → 2 bytes)"]);
        check(plain("x"), plain("y"), &["~ /a? (other 1 bytes)"]);
        check(plain("x"), Some(entry(file("x"), 0o755)), &["~ /a? (mode 0644 → 0755)"]);
        let link = Some(entry(TreeKind::Link("b".to_owned()), 0o777));
        check(plain("x"), link, &["~ /a? (1 bytes → link to b, mode 0644 → 0777)"]);
        check(
            Some(entry(TreeKind::Folder, 0o755)),
            Some(entry(TreeKind::Special, 0o755)),
            &["~ /a? (folder → device)"],
        );
    }
}
