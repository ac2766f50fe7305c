//! Images for tests: an empty one, and ones of random bytes that are the same on every machine.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Compression, DiffId, Digest, Image, Layer, Platform, empty_configuration};

/// An image and the bytes of its layers.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The image.
    pub image: Image,
    /// Stored bytes of every layer, by their digest.
    pub blobs: BTreeMap<Digest, Vec<u8>>,
}

/// An image without layers.
pub fn empty(platform: Platform) -> Image {
    Image::new(platform.clone(), empty_configuration(&platform), Vec::new())
}

/// An image for `linux/amd64` with layers of one file each, `folder/<layer>`, of so many random bytes.
pub fn random(seed: u64, layers: usize, bytes: usize) -> Sample {
    let mut numbers = Numbers(seed);
    let tars = (0..layers).map(|layer| {
        let content: Vec<u8> = std::iter::repeat_with(|| numbers.next() as u8).take(bytes).collect();
        tar(&[Entry::folder("folder"), Entry { content, ..Entry::file(&format!("folder/{layer}"), "") }])
    });
    of_layers("linux/amd64", tars)
}

/// An image of layers that are given as tars, not compressed.
///
/// # Panics
/// The platform is none.
#[allow(clippy::expect_used, reason = "a helper of tests")]
pub fn of_layers(platform: &str, tars: impl IntoIterator<Item = Vec<u8>>) -> Sample {
    let platform: Platform = platform.parse().expect("a platform");
    let mut blobs = BTreeMap::new();
    let layers = tars.into_iter().map(|tar| {
        let digest = Digest::of(&tar);
        let size = tar.len() as u64;
        blobs.insert(digest.clone(), tar);
        Layer { diff_id: DiffId(digest.clone()), digest, size, compression: Compression::None }
    });
    let layers = layers.collect();
    Sample { image: Image::new(platform.clone(), empty_configuration(&platform), layers), blobs }
}

/// Files of an image, by name.
pub type Tree = BTreeMap<String, Vec<u8>>;

fn blob(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// A layout with an index of some descriptors, and the files of some images.
pub fn layout(manifests: &[Value], images: &[&Sample]) -> Tree {
    let index = json!({ "schemaVersion": 2, "manifests": manifests });
    let mut tree = Tree::from([
        ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        ("index.json".to_owned(), index.to_string().into_bytes()),
    ]);
    for Sample { image, blobs } in images {
        tree.extend(blobs.iter().map(|(digest, bytes)| (blob(digest), bytes.clone())));
        for document in [&image.config, &image.manifest] {
            tree.insert(blob(&document.digest), document.bytes.clone());
        }
    }
    tree
}

/// The archive of a tree, as `tar` makes it.
pub fn archive(tree: &Tree) -> Vec<u8> {
    let entry =
        |(name, bytes): (&String, &Vec<u8>)| Entry { content: bytes.clone(), ..Entry::file(&format!("./{name}"), "") };
    tar(&tree.iter().map(entry).collect::<Vec<_>>())
}

/// One entry of a tar.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name, as it gets into the tar.
    pub name: String,
    /// The type, as it stands in the header.
    pub kind: u8,
    /// Where a link points to.
    pub target: String,
    /// The bytes of a file.
    pub content: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u64, u64),
    /// PAX records.
    pub pax: Vec<(String, Vec<u8>)>,
}

impl Entry {
    /// A file.
    pub fn file(name: &str, content: &str) -> Self {
        let (name, content) = (name.to_owned(), content.as_bytes().to_vec());
        Self { name, kind: b'0', target: String::new(), content, mode: 0o644, owner: (0, 0), pax: Vec::new() }
    }

    /// A folder.
    pub fn folder(name: &str) -> Self {
        Self { kind: b'5', mode: 0o755, ..Self::file(name, "") }
    }

    /// A symbolic link.
    pub fn link(name: &str, target: &str) -> Self {
        Self { kind: b'2', mode: 0o777, target: target.to_owned(), ..Self::file(name, "") }
    }

    /// Another name of a file.
    pub fn hard_link(name: &str, target: &str) -> Self {
        Self { kind: b'1', target: target.to_owned(), ..Self::file(name, "") }
    }
}

/// A tar with these entries, one by one, whatever they are: names are not cleaned. Long names become PAX records.
pub fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut tar = Vec::new();
    for entry in entries {
        let mut pax = entry.pax.clone();
        for (key, text) in [("path", &entry.name), ("linkpath", &entry.target)] {
            if text.len() > 100 {
                pax.push((key.to_owned(), text.as_bytes().to_vec()));
            }
        }
        if !pax.is_empty() {
            let records: Vec<u8> = pax.iter().flat_map(|(key, value)| record(key, value)).collect();
            append(&mut tar, b'x', &Entry { content: records, ..Entry::file("pax", "") });
        }
        append(&mut tar, entry.kind, entry);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// A PAX record, whose length counts itself.
pub fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
    let length =
        (1..20).map(|digits| digits + rest.len()).find(|length| length.to_string().len() + rest.len() == *length);
    [length.unwrap_or_default().to_string().as_bytes(), &rest].concat()
}

fn append(tar: &mut Vec<u8>, kind: u8, entry: &Entry) {
    let mut header = [0_u8; 512];
    let mut text = |at: usize, text: &[u8], most: usize| {
        let length = text.len().min(most);
        header[at..at + length].copy_from_slice(&text[..length]);
    };
    text(0, entry.name.as_bytes(), 100);
    for (at, number, width) in [
        (100, u64::from(entry.mode), 7),
        (108, entry.owner.0, 7),
        (116, entry.owner.1, 7),
        (124, entry.content.len() as u64, 11),
        (136, 0, 11),
    ] {
        text(at, format!("{number:0width$o}").as_bytes(), width);
    }
    text(148, b"        ", 8);
    text(156, &[kind], 1);
    text(157, entry.target.as_bytes(), 100);
    text(257, b"ustar\x0000", 8);
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(&entry.content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// A small generator of numbers: SplitMix64, which is the same everywhere. <https://prng.di.unimi.it/splitmix64.c>
#[derive(Debug, Clone)]
pub struct Numbers(
    /// Where it begins.
    pub u64,
);

impl Numbers {
    /// The next number.
    #[allow(clippy::should_implement_trait, reason = "it never ends, and an iterator would need an import everywhere")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
