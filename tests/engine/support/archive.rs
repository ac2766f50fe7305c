//! An image as bytes: what `docker save` writes, read without any help of the engine.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::Command;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Ended;

/// Files up to this size are kept, not only their digests.
const SMALL: usize = 64 * 1024;

/// An image: its layers laid over each other, and its configuration.
#[derive(Debug)]
pub struct Image {
    pub tree: BTreeMap<String, Entry>,
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
    File { digest: String },
    Link { target: String },
}

impl Image {
    /// An image of the daemon.
    #[track_caller]
    pub fn of_daemon(reference: &str) -> Self {
        let output = Command::new("docker").args(["save", reference]).output().expect("the docker program is there");
        assert!(output.status.success(), "{:?}", Ended::from(output));
        Self::of_bytes(&output.stdout)
    }

    /// The format of `docker save`.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let members = members(bytes);
        let json = |name: &str| -> Value { serde_json::from_slice(member(&members, name)).expect("it is JSON") };
        let manifest = json("manifest.json");
        let config = json(manifest[0]["Config"].as_str().unwrap())["config"].clone();
        let layers: Vec<&str> =
            manifest[0]["Layers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let mut image = Self { tree: BTreeMap::new(), layers: layers.len(), config, small: BTreeMap::new() };
        for layer in layers {
            image.add_layer(member(&members, layer));
        }
        image
    }

    fn add_layer(&mut self, bytes: &[u8]) {
        let mut archive = tar::Archive::new(bytes);
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = path_of(&entry);
            let name = path.rsplit('/').next().unwrap();
            assert!(!name.starts_with(".wh."), "{path} hides something of an earlier layer");
            let header = entry.header().clone();
            let kind = match header.entry_type() {
                tar::EntryType::Directory => Kind::Folder,
                tar::EntryType::Symlink => {
                    let target = entry.link_name_bytes().unwrap();
                    Kind::Link { target: String::from_utf8(target.into_owned()).unwrap() }
                }
                tar::EntryType::Regular => {
                    let mut content = Vec::new();
                    entry.read_to_end(&mut content).unwrap();
                    let digest = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
                    if content.len() <= SMALL {
                        self.small.insert(path.clone(), content);
                    }
                    Kind::File { digest }
                }
                other => panic!("{path} is {other:?}"),
            };
            // some tools write the type of the file above the permission bits
            let mode = header.mode().unwrap() & 0o7777;
            let owner = (header.uid().unwrap(), header.gid().unwrap());
            self.tree.insert(path, Entry { kind, mode, owner });
        }
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
            other => other.clone(),
        };
        names.into_iter().map(|name| (name, value(name))).collect()
    }
}

/// All files of an archive; links to layers are followed later.
fn members(bytes: &[u8]) -> BTreeMap<String, Member> {
    let mut members = BTreeMap::new();
    for entry in tar::Archive::new(bytes).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = path_of(&entry);
        let member = match entry.link_name().unwrap() {
            Some(target) => Member::Link(target.to_string_lossy().into_owned()),
            None => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                Member::Bytes(content)
            }
        };
        members.insert(path, member);
    }
    members
}

enum Member {
    Bytes(Vec<u8>),
    /// A layer that is there under another name.
    Link(String),
}

fn member<'a>(members: &'a BTreeMap<String, Member>, name: &str) -> &'a [u8] {
    let path = format!("/{name}");
    match members.get(&path).unwrap_or_else(|| panic!("{name} is not in the archive")) {
        Member::Bytes(bytes) => bytes,
        Member::Link(target) => member(members, target.trim_start_matches("../")),
    }
}

/// `/usr/bin/x`, whether the archive says `usr/bin/x`, `./usr/bin/x` or `usr/bin/x/`.
fn path_of<R: std::io::Read>(entry: &tar::Entry<'_, R>) -> String {
    let text = String::from_utf8(entry.path_bytes().into_owned()).expect("it is UTF-8");
    format!("/{}", text.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/'))
}
