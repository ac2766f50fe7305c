//! An image as bytes: what `docker save` writes, read without any help of the engine.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::Command;

use serde_json::Value;

use super::Ended;
use super::image::path_of;
pub use super::image::{Entry, Image, Kind};
use super::layout::uncompressed;

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
        let saved = Saved::read(bytes);
        let config = saved.json(saved.manifest["Config"].as_str().unwrap())["config"].clone();
        Self::of_layers(config, saved.layers().map(|name| uncompressed(saved.member(name))))
    }
}

/// An archive of one image in the format of `docker save`.
pub struct Saved {
    members: BTreeMap<String, Member>,
    /// The one entry of `manifest.json`.
    pub manifest: Value,
}

enum Member {
    Bytes(Vec<u8>),
    /// A layer that is there under another name.
    Link(String),
}

impl Saved {
    /// All files of the archive; links to layers are followed later.
    pub fn read(bytes: &[u8]) -> Self {
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
        let mut saved = Self { members, manifest: Value::Null };
        saved.manifest = saved.json("manifest.json")[0].take();
        saved
    }

    /// The names of the layers, lowest first.
    pub fn layers(&self) -> impl Iterator<Item = &str> {
        self.manifest["Layers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap())
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(self.member(name)).expect("it is JSON")
    }

    fn member(&self, name: &str) -> &[u8] {
        let path = format!("/{name}");
        match self.members.get(&path).unwrap_or_else(|| panic!("{name} is not in the archive")) {
            Member::Bytes(bytes) => bytes,
            Member::Link(target) => self.member(target.trim_start_matches("../")),
        }
    }
}
