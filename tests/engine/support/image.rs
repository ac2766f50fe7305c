//! An image as a file tree and a configuration, put together from the tars of its layers by a small reader of its own: no
//! engine, and none of the code under test, has a hand in it.
//!
//! Layers are laid over each other as the specification has it, with whiteouts and opaque folders:
//! <https://github.com/opencontainers/image-spec/blob/main/layer.md#applying-changesets>

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Files up to this size are kept, not only their digests.
const SMALL: usize = 64 * 1024;
/// The label that engines add to what the Dockerfile says.
const FINGERPRINT: &str = "dev.groupage.fingerprint";
/// What they add beside it.
const ADDED: [&str; 4] = ["dev.groupage.platform", "dev.groupage.stamp", "dev.groupage.inputs", "dev.groupage.files"];

/// Sorted paths, each beginning with `/`. The root itself is left out.
pub type Tree = BTreeMap<String, Entry>;

/// An image: its layers laid over each other, and its configuration.
#[derive(Debug, Clone, Default)]
pub struct Image {
    pub tree: Tree,
    pub layers: usize,
    /// The member `config` of the image configuration.
    pub config: Value,
    small: BTreeMap<String, Vec<u8>>,
}

/// One path of an image. Times are left out: no engine promises them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub mode: u32,
    pub owner: (u64, u64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Folder,
    /// A hard link is a file like the one that it names.
    File {
        digest: String,
    },
    Link {
        target: String,
    },
    /// A device or a pipe.
    Special(String),
}

impl Image {
    /// An image of a configuration and uncompressed layers, lowest first.
    pub fn of_layers<L: AsRef<[u8]>>(config: Value, layers: impl IntoIterator<Item = L>) -> Self {
        let mut image = Self { config, ..Self::default() };
        for layer in layers {
            image.add_layer(layer.as_ref());
        }
        image
    }

    /// Lays a layer over what is there.
    pub fn add_layer(&mut self, bytes: &[u8]) {
        self.layers += 1;
        // whiteouts speak of earlier layers only, wherever in the tar they stand
        for entry in tar::Archive::new(bytes).entries().unwrap() {
            let path = path_of(&entry.unwrap());
            let (folder, name) = path.rsplit_once('/').unwrap();
            let folder = self.resolved(folder);
            if name == ".wh..wh..opq" {
                self.remove_below(&folder);
            } else if let Some(hidden) = name.strip_prefix(".wh.") {
                let hidden = format!("{folder}/{hidden}");
                self.tree.remove(&hidden);
                self.remove_below(&hidden);
            }
        }
        for entry in tar::Archive::new(bytes).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = path_of(&entry);
            let (folder, name) = path.rsplit_once('/').unwrap();
            if name.is_empty() || name.starts_with(".wh.") {
                continue;
            }
            let folder = self.resolved(folder);
            self.add_parents(&folder);
            self.add_entry(format!("{folder}/{name}"), &mut entry);
        }
    }

    fn add_entry<R: Read>(&mut self, path: String, entry: &mut tar::Entry<'_, R>) {
        let header = entry.header().clone();
        let link = || String::from_utf8(entry.link_name_bytes().unwrap().into_owned()).unwrap();
        // an empty number is nought, as in every reader of tars
        let owner = (header.uid().unwrap_or(0), header.gid().unwrap_or(0));
        // some tools write the type of the file above the permission bits
        let mode = header.mode().unwrap_or(0) & 0o7777;
        let new = match header.entry_type() {
            tar::EntryType::Directory => Entry { kind: Kind::Folder, mode, owner },
            // the mode of a link means nothing on Linux
            tar::EntryType::Symlink => Entry { kind: Kind::Link { target: link() }, mode: 0o777, owner },
            tar::EntryType::Link => {
                let target = format!("/{}", link().trim_start_matches("./").trim_start_matches('/'));
                self.tree.get(&target).unwrap_or_else(|| panic!("{path} is a hard link to {target}")).clone()
            }
            tar::EntryType::Regular => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                let digest = hex(&content);
                self.small.remove(&path);
                if content.len() <= SMALL {
                    self.small.insert(path.clone(), content);
                }
                Entry { kind: Kind::File { digest }, mode, owner }
            }
            other => Entry { kind: Kind::Special(format!("{other:?}")), mode, owner },
        };
        if new.kind != Kind::Folder {
            self.remove_below(&path);
        }
        self.tree.insert(path, new);
    }

    /// Folders that no layer names are made by whoever unpacks: 0755, of root.
    fn add_parents(&mut self, folder: &str) {
        for (at, _) in folder.match_indices('/').skip(1).chain([(folder.len(), "")]) {
            if at > 0 {
                let parent = Entry { kind: Kind::Folder, mode: 0o755, owner: (0, 0) };
                self.tree.entry(folder[..at].to_owned()).or_insert(parent);
            }
        }
    }

    /// A folder with the links in its path followed, inside the image, as an unpacker below `chroot` does.
    fn resolved(&self, folder: &str) -> String {
        let mut seen = String::new();
        let mut rest: Vec<String> = folder.split('/').rev().map(str::to_owned).collect();
        for _ in 0..256 {
            let Some(name) = rest.pop() else { return seen };
            match name.as_str() {
                "" | "." => {}
                ".." => seen.truncate(seen.rfind('/').unwrap_or(0)),
                _ => match self.tree.get(&format!("{seen}/{name}")).map(|entry| &entry.kind) {
                    Some(Kind::Link { target }) => {
                        if target.starts_with('/') {
                            seen.clear();
                        }
                        rest.extend(target.split('/').rev().map(str::to_owned));
                    }
                    _ => seen = format!("{seen}/{name}"),
                },
            }
        }
        panic!("links in {folder} go round in a circle");
    }

    fn remove_below(&mut self, folder: &str) {
        let prefix = format!("{folder}/");
        self.tree.retain(|path, _| !path.starts_with(&prefix));
    }

    /// Without a label, where it is expected to differ.
    #[must_use]
    pub fn without_label(mut self, name: &str) -> Self {
        if let Some(labels) = self.config["Labels"].as_object_mut() {
            labels.remove(name);
        }
        self
    }

    /// As other builders make it: what an image is found again by is no line of the Dockerfile.
    #[must_use]
    #[track_caller]
    pub fn without_fingerprint(self) -> Self {
        let fingerprint = &self.config["Labels"][FINGERPRINT];
        assert!(fingerprint.as_str().is_some_and(|text| text.len() == 64), "{fingerprint}");
        ADDED.iter().fold(self.without_label(FINGERPRINT), |image, label| image.without_label(label))
    }

    /// The content of a small file.
    #[track_caller]
    pub fn read(&self, path: &str) -> &[u8] {
        self.small.get(path).unwrap_or_else(|| panic!("no small file {path} in {:#?}", self.tree.keys()))
    }

    /// `/.groupage/manifest.json`.
    pub fn description(&self) -> Value {
        serde_json::from_slice(self.read("/.groupage/manifest.json")).expect("it is JSON")
    }

    /// What decides how a container of this image runs, in one form for all engines.
    pub fn behaviour(&self) -> BTreeMap<&'static str, Value> {
        let names = ["Env", "Entrypoint", "Cmd", "User", "Labels", "ExposedPorts", "WorkingDir", "Volumes"];
        let value = |name: &str| match &self.config[name] {
            Value::Array(list) if list.is_empty() => Value::Null,
            Value::Object(map) if map.is_empty() => Value::Null,
            Value::String(text) if text.is_empty() => Value::Null,
            other => other.clone(),
        };
        names.into_iter().map(|name| (name, value(name))).collect()
    }
}

/// The same paths, types, modes, owners, link targets and contents, and the same configuration; otherwise the differences.
#[track_caller]
pub fn same(title: &str, seen: &Image, expect: &Image) {
    same_tree(title, &seen.tree, &expect.tree);
    assert_eq!(seen.behaviour(), expect.behaviour(), "{title}");
}

/// Trees have many entries: only those that differ are shown.
#[track_caller]
pub fn same_tree(title: &str, seen: &Tree, expect: &Tree) {
    let paths: std::collections::BTreeSet<&String> = seen.keys().chain(expect.keys()).collect();
    let differs = |path: &&String| seen.get(*path) != expect.get(*path);
    let lines = paths.into_iter().filter(differs).map(|path| {
        let show = |tree: &Tree| tree.get(path).map_or("absent".to_owned(), |entry| format!("{entry:?}"));
        format!("{path}\n    seen:     {}\n    expected: {}", show(seen), show(expect))
    });
    let lines: Vec<String> = lines.collect();
    assert!(lines.is_empty(), "{title}: {} paths differ:\n{}", lines.len(), lines.join("\n"));
}

/// The SHA-256 of some bytes, in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `/usr/bin/x`, whether the archive says `usr/bin/x`, `./usr/bin/x` or `usr/bin/x/`.
pub fn path_of<R: Read>(entry: &tar::Entry<'_, R>) -> String {
    let text = String::from_utf8(entry.path_bytes().into_owned()).expect("it is UTF-8");
    format!("/{}", text.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/'))
}
