//! What a component puts into the image: the entries of its layer.
//!
//! The Docker engine copies each folder of a component into its place (see `render/layout.rs`), and this gives the same:
//!
//! - A folder that is not there is made, with mode 0755 and owner root.
//! - The folder that is copied into stays as the base has it (`/tmp` keeps its sticky bit), and links of the base are
//!   followed on the way to it (`/bin` of Debian leads to `usr/bin`). Folders below it get the mode and owner that they have
//!   in the component, and links of the base are in their way.
//! - A layer does not depend on other components, only on the base: every layer holds all folders above its files that the
//!   base does not have. So it is the same layer in every image on that base, and changes only with its component. The
//!   image's own layer, in which the working folder is made, says again what the components' layers say of folders above it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::entry::{Content, EntryKind, LayerEntry};
use super::user::Owner;
use crate::oci::{Digest, Node, Rootfs};
use crate::plan::{ComponentPlan, FilePlan, Input};

/// Folders of layers between the base and this one, by path.
pub(super) type Folders = BTreeMap<String, LayerEntry>;

/// Entries by path. Later ones replace earlier ones, as a later `COPY` does.
#[derive(Debug)]
pub(super) struct Contents<'a> {
    ground: &'a Rootfs,
    below: &'a Folders,
    entries: BTreeMap<String, LayerEntry>,
}

/// Why a component cannot be put onto a base.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// A path of the base cannot be used as a folder.
    #[error("/{path}: {detail}")]
    Place {
        /// Path in the image.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The plan and what was built for it do not fit.
    #[error("{0}")]
    Plan(String),
}

impl<'a> Contents<'a> {
    pub(super) fn on(ground: &'a Rootfs, below: &'a Folders) -> Self {
        Self { ground, below, entries: BTreeMap::new() }
    }

    /// The entries, sorted.
    pub(super) fn finish(self) -> Vec<LayerEntry> {
        self.entries.into_values().collect()
    }

    /// Files and links that come from the workspace as they are.
    ///
    /// # Errors
    /// A path that the base has as something else.
    pub(super) fn add_workspace_files(&mut self, part: &ComponentPlan, root: &Utf8Path) -> Result<(), ContentsError> {
        for (path, file) in &part.files {
            self.add(workspace_entry(file, root)?, path.as_str(), &file.folder)?;
        }
        for (path, link) in &part.links {
            self.add(LayerEntry::link("", &link.target), path.as_str(), path.folder())?;
        }
        Ok(())
    }

    /// An entry at `to`, an absolute path in or below `folder`, which is what an install copies into. The entry's own path
    /// is not used.
    ///
    /// # Errors
    /// A path that the base has as something else.
    pub(super) fn add(&mut self, entry: LayerEntry, to: &str, folder: &str) -> Result<(), ContentsError> {
        let top = self.make_folders(folder, Owner::ROOT)?;
        let below = to.strip_prefix(folder).unwrap_or(to).trim_matches('/');
        for (end, _) in below.match_indices('/') {
            let path = joined(&top, &below[..end]);
            self.check_folder(&path)?;
            self.entries.entry(path.clone()).or_insert_with(|| LayerEntry::folder(path));
        }
        let path = joined(&top, below);
        match (self.ground.get(&path), &entry.kind) {
            (Some(Node::Folder(_)), EntryKind::Folder) | (None, _) => {}
            (Some(Node::Folder(_)), _) => return Err(place(&path, "the base has a folder there")),
            (Some(_), EntryKind::Folder) => {
                return Err(place(&path, "the base has something else than a folder there"));
            }
            (Some(_), _) => {}
        }
        self.entries.insert(path.clone(), LayerEntry { path, ..entry });
        Ok(())
    }

    /// A folder and all above it, as far as neither the base nor a layer between has them; where it leads through the links
    /// of the base.
    ///
    /// # Errors
    /// Something else than a folder is in the way.
    pub(super) fn make_folders(&mut self, path: &str, owner: Owner) -> Result<String, ContentsError> {
        let resolved = self.ground.resolve(path).map_err(|error| place(path.trim_matches('/'), &error.to_string()))?;
        for (end, _) in resolved.match_indices('/').chain([(resolved.len(), "")]) {
            let folder = &resolved[..end];
            if folder.is_empty() {
                continue;
            }
            self.check_folder(folder)?;
            if self.ground.get(folder).is_none() {
                let made = || LayerEntry { uid: owner.uid, gid: owner.gid, ..LayerEntry::folder(folder) };
                let known = self.below.get(folder);
                self.entries.entry(folder.to_owned()).or_insert_with(|| known.cloned().unwrap_or_else(made));
            }
        }
        Ok(resolved)
    }

    fn check_folder(&self, path: &str) -> Result<(), ContentsError> {
        match self.ground.get(path) {
            None | Some(Node::Folder(_)) => Ok(()),
            Some(_) => Err(place(path, "the base has something else than a folder there")),
        }
    }
}

fn joined(folder: &str, below: &str) -> String {
    match (folder, below) {
        ("", path) | (path, "") => path.to_owned(),
        (folder, below) => format!("{folder}/{below}"),
    }
}

fn place(path: &str, detail: &str) -> ContentsError {
    ContentsError::Place { path: path.to_owned(), detail: detail.to_owned() }
}

fn workspace_entry(file: &FilePlan, root: &Utf8Path) -> Result<LayerEntry, ContentsError> {
    match &file.input {
        Input::File { source, digest, mode, seen } => {
            let digest: Digest = format!("sha256:{digest}")
                .parse()
                .map_err(|error| ContentsError::Plan(format!("{source}: {error}")))?;
            let path: Utf8PathBuf = root.join(source);
            Ok(LayerEntry::file("", Content::Hashed { path, digest, seen: seen.clone() }, *mode))
        }
        Input::Link { target } => Ok(LayerEntry::link("", target)),
        Input::Text { text, .. } => Ok(LayerEntry::file("", Content::Bytes(text.as_bytes().into()), 0o644)),
        Input::Crate { package, .. } => {
            Err(ContentsError::Plan(format!("the crate {package} cannot be a file of an image")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::sample::{Entry, tar};
    use crate::oci::{Listing, TarReader};

    /// A base like Debian's: `/bin` is a link, `/tmp` has a sticky bit.
    fn debian() -> Rootfs {
        let sticky = Entry { mode: 0o1777, ..Entry::folder("tmp") };
        let entries = [
            Entry::folder("usr"),
            Entry::folder("usr/bin"),
            Entry::file("usr/bin/sh", ""),
            Entry::link("bin", "usr/bin"),
            Entry::link("loop", "loop"),
            sticky,
        ];
        let tar = tar(&entries);
        Rootfs::of(&[Listing::read(&mut TarReader::new(tar.as_slice())).unwrap()]).unwrap()
    }

    /// Files given as what an install copies into, and the path: what the layer then holds, or why it cannot.
    fn check(ground: &Rootfs, files: &[(&str, &str)], expect: Result<&[&str], &str>) {
        let none = Folders::new();
        let mut contents = Contents::on(ground, &none);
        let add = |(folder, to): &(&str, &str)| {
            contents.add(LayerEntry::file("", Content::Bytes([].into()), 0o644), to, folder)
        };
        match (files.iter().try_for_each(add), expect) {
            (Ok(()), Ok(expect)) => {
                let mark = |entry: &LayerEntry| if entry.kind == EntryKind::Folder { "/" } else { "" };
                let seen: Vec<String> =
                    contents.finish().iter().map(|entry| format!("{}{}", entry.path, mark(entry))).collect();
                assert_eq!(seen, expect, "{files:?}");
            }
            (Err(error), Err(expect)) => assert_eq!(error.to_string(), expect, "{files:?}"),
            (result, _) => panic!("{files:?}: {result:?}"),
        }
    }

    #[test]
    fn on_scratch_every_folder_is_made() {
        let scratch = Rootfs::default();
        check(&scratch, &[("/usr/bin", "/usr/bin/a")], Ok(&["usr/", "usr/bin/", "usr/bin/a"]));
        check(&scratch, &[("/", "/a"), ("/", "/b/c")], Ok(&["a", "b/", "b/c"]));
    }

    #[test]
    fn a_base_keeps_its_folders_and_its_links_are_followed() {
        let base = debian();
        check(&base, &[("/bin", "/bin/a")], Ok(&["usr/bin/a"]));
        check(&base, &[("/tmp", "/tmp/a")], Ok(&["tmp/a"]));
        check(&base, &[("/usr/lib", "/usr/lib/x/a")], Ok(&["usr/lib/", "usr/lib/x/", "usr/lib/x/a"]));
        check(&base, &[("/bin", "/bin/sh")], Ok(&["usr/bin/sh"]));
        // the link itself is replaced: only the way to the folder is followed
        check(&base, &[("/", "/bin")], Ok(&["bin"]));
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let base = debian();
        check(&base, &[("/", "/usr")], Err("/usr: the base has a folder there"));
        check(&base, &[("/", "/bin/a")], Err("/bin: the base has something else than a folder there"));
        check(
            &base,
            &[("/usr/bin/sh", "/usr/bin/sh/a")],
            Err("/usr/bin/sh: the base has something else than a folder there"),
        );
        check(&base, &[("/loop/x", "/loop/x/a")], Err("/loop/x: /loop/x leads through more than 40 links"));
    }

    #[test]
    fn the_last_one_wins_and_order_is_that_of_paths() {
        let scratch = Rootfs::default();
        check(&scratch, &[("/", "/b"), ("/", "/a"), ("/", "/b")], Ok(&["a", "b"]));
    }
}
