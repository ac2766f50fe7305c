//! What is known of all files of a layer, read in one pass over its tar.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use super::facts::{CAPABILITY, Contents, Facts, HEAD, MAX_TEXT, Nature, is_text};
use crate::oci::{Hasher, Skip, Source, TarEntry, TarKind, TarReader};

/// Largest ELF file that is looked into: it is in memory as a whole.
const MAX_PROGRAM: u64 = 1 << 29;
/// How much is read at once.
const CHUNK: usize = 1 << 16;

/// Files of a layer, by the position of their entry.
pub type LayerFacts = BTreeMap<u32, Arc<Facts>>;

/// What is known of all layers of an image, lowest first.
#[derive(Debug, Default)]
pub struct Layers(pub Vec<Arc<LayerFacts>>);

impl Contents for Layers {
    fn facts(&self, source: Source) -> Result<Arc<Facts>, String> {
        let layer = self.0.get(usize::from(source.layer));
        let facts = layer.zip(source.entry).and_then(|(layer, entry)| layer.get(&entry));
        facts.cloned().ok_or_else(|| "it is in none of the layers".to_owned())
    }
}

/// Reads a layer to its end mark, or until `goes_on` says no of an entry.
///
/// # Errors
/// It is no tar, or cannot be read.
pub fn read(tar: &mut TarReader<impl Skip>, mut goes_on: impl FnMut(&TarEntry) -> bool) -> io::Result<LayerFacts> {
    let (mut all, mut position) = (LayerFacts::new(), 0);
    while let Some(entry) = tar.next_entry()? {
        if !goes_on(&entry) {
            break;
        }
        if entry.kind == TarKind::File {
            all.insert(position, Arc::new(file(&entry, tar)?));
        }
        position += 1;
    }
    Ok(all)
}

fn file(entry: &TarEntry, bytes: &mut impl Read) -> io::Result<Facts> {
    let mut hasher = Hasher::default();
    let mut head = Vec::new();
    bytes.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let keeps_text = is_text(clean(&String::from_utf8_lossy(&entry.name))) && entry.size <= MAX_TEXT;
    let is_program = Nature::needs_all(&head) && entry.size <= MAX_PROGRAM;
    let whole = if keeps_text || is_program {
        bytes.read_to_end(&mut head)?;
        hasher.update(&head);
        Some(head.as_slice())
    } else {
        hasher.update(&head);
        let mut chunk = vec![0; CHUNK];
        loop {
            match bytes.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => hasher.update(chunk.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        None
    };
    let nature = match whole {
        None if Nature::needs_all(&head) => Nature::Broken(format!("it has more than {MAX_PROGRAM} bytes")),
        _ => Nature::of(&head, head.as_slice()),
    };
    let text = whole.filter(|_| keeps_text).map(<[u8]>::to_vec);
    let (digest, size) = hasher.finish();
    Ok(Facts { size, digest: Some(digest), has_capability: entry.xattrs.contains_key(CAPABILITY), nature, text })
}

/// The name without what stands in front of it in some layers.
fn clean(name: &str) -> &str {
    name.trim_start_matches("./").trim_start_matches('/')
}
