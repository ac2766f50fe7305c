//! Paths that two components give: the same file twice is one, anything else is a finding. Before a layer is read nobody knows
//! which paths it has, so that this is looked for when all layers of an image are known, and nothing was written yet.
//!
//! Only what a whole layer gives is compared; the paths that manifests list were compared when the plan was checked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use super::super::base::layer_facts;
use super::super::entry::{Content, EntryKind, LayerEntry};
use super::super::shelf::{LayerPlan, Whole};
use crate::engine::store::Store;
use crate::oci::{Attributes, Digest, Hasher, Node, Platform, Rootfs, Source};
use crate::verify::{Finding, LayerFacts, Level};

/// Most paths that are named.
const MAX_NAMED: usize = 20;

/// What stands at a path.
enum What<'p> {
    Folder,
    Link(String),
    Special,
    /// A file of a whole layer, of the component with this position.
    Listed(usize, Source),
    Entry(&'p Content),
}

struct Claim<'p> {
    component: usize,
    own: Attributes,
    what: What<'p>,
}

/// What one component gives.
struct Part<'p> {
    name: &'p str,
    whole: Vec<&'p Arc<Whole>>,
    entries: Vec<&'p LayerEntry>,
}

/// Every path of the layers of an image that two components give in two ways.
pub(in crate::engine::native) fn clashes(layers: &[LayerPlan], platform: &Platform, store: &Store) -> Vec<Finding> {
    if layers.iter().all(|layer| layer.whole.is_none()) {
        return Vec::new();
    }
    let mut parts: BTreeMap<&str, Part<'_>> = BTreeMap::new();
    for layer in layers {
        let Some(name) = layer.component() else { continue };
        let part = parts.entry(name).or_insert_with(|| Part { name, whole: Vec::new(), entries: Vec::new() });
        part.whole.extend(&layer.whole);
        part.entries.extend(&layer.entries);
    }
    let parts: Vec<Part<'_>> = parts.into_values().collect();
    let (mut known, mut read) =
        (BTreeMap::<String, Claim<'_>>::new(), Read { parts: &parts, store, facts: BTreeMap::new() });
    let mut findings = Vec::new();
    for (component, part) in parts.iter().enumerate() {
        for (path, claim) in claims(component, part) {
            let Some(other) = known.get(&path) else {
                known.insert(path, claim);
                continue;
            };
            let is_whole =
                !part.whole.is_empty() || parts.get(other.component).is_some_and(|other| !other.whole.is_empty());
            let Some(how) = (is_whole && other.component != component).then(|| read.differ(other, &claim)).flatten()
            else {
                continue;
            };
            if findings.len() < MAX_NAMED {
                let first = parts.get(other.component).map(|part| part.name).unwrap_or_default();
                let message =
                    format!("/{path} is given by component `{first}` and by component `{}`, {how}", part.name);
                let mut finding = Finding::new(platform, "path-collision", Level::Error, message);
                finding.at(&format!("/{path}")).of(part.name);
                findings.push(finding);
            }
        }
    }
    findings
}

/// All that a component gives, by path.
fn claims<'p>(component: usize, part: &Part<'p>) -> BTreeMap<String, Claim<'p>> {
    let tree = Rootfs::of(part.whole.iter().map(|whole| &whole.listing)).unwrap_or_default();
    let listed = tree.since(0).into_iter().map(|(path, node)| {
        let (own, what) = match node {
            Node::Folder(own) => (own, What::Folder),
            Node::Link(own, target) => (own, What::Link(target.to_owned())),
            Node::Special(own) => (own, What::Special),
            Node::File(own, source) => (own, What::Listed(component, source)),
        };
        (path, Claim { component, own, what })
    });
    let mut claims: BTreeMap<String, Claim<'p>> = listed.collect();
    for entry in &part.entries {
        let number = |id: u64| u32::try_from(id).unwrap_or(u32::MAX);
        let own = Attributes { mode: entry.mode, uid: number(entry.uid), gid: number(entry.gid) };
        let what = match &entry.kind {
            EntryKind::Folder => What::Folder,
            EntryKind::Link { target } => What::Link(target.clone()),
            EntryKind::File(content) => What::Entry(content),
        };
        claims.insert(entry.path.clone(), Claim { component, own, what });
    }
    claims
}

/// The bytes of files, as far as two of them have to be compared.
struct Read<'p> {
    parts: &'p [Part<'p>],
    store: &'p Store,
    facts: BTreeMap<(usize, u16), Option<LayerFacts>>,
}

impl Read<'_> {
    /// In what two claims differ.
    fn differ(&mut self, one: &Claim<'_>, other: &Claim<'_>) -> Option<String> {
        let attributes = || {
            let words = |own: Attributes| format!("mode {:04o} of {}:{}", own.mode & 0o7777, own.uid, own.gid);
            (one.own != other.own).then(|| format!("once with {}, once with {}", words(one.own), words(other.own)))
        };
        match (&one.what, &other.what) {
            (What::Folder, What::Folder) => attributes(),
            // links have no rights of their own
            (What::Link(a), What::Link(b)) if a == b => None,
            (What::Link(_), What::Link(_)) => Some("as links to two places".to_owned()),
            (What::Listed(..) | What::Entry(_), What::Listed(..) | What::Entry(_)) => {
                match (self.digest(&one.what), self.digest(&other.what)) {
                    (Some(a), Some(b)) if a == b => attributes(),
                    _ => Some("with other bytes".to_owned()),
                }
            }
            _ => Some("as two kinds of things".to_owned()),
        }
    }

    fn digest(&mut self, what: &What<'_>) -> Option<Digest> {
        match what {
            What::Listed(component, source) => {
                let whole = self.parts.get(*component)?.whole.get(usize::from(source.layer))?;
                let facts = self.facts.entry((*component, source.layer));
                let facts = facts.or_insert_with(|| layer_facts(&whole.layer, self.store).ok()).as_ref()?;
                facts.get(&source.entry?)?.digest.clone()
            }
            What::Entry(Content::Blob { digest, .. } | Content::Hashed { digest, .. }) => Some(digest.clone()),
            What::Entry(Content::Bytes(bytes)) => Some(Digest::of(bytes)),
            What::Entry(Content::Disk(path)) => {
                let mut file = File::open(path).ok()?;
                let (mut hasher, mut chunk) = (Hasher::default(), vec![0; 1 << 16]);
                loop {
                    match file.read(&mut chunk).ok()? {
                        0 => return Some(hasher.finish().0),
                        read => hasher.update(chunk.get(..read)?),
                    }
                }
            }
            What::Folder | What::Link(_) | What::Special => None,
        }
    }
}
