//! A registry in memory, of what it was given; a fault may answer in its place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::server::{Act, Seen, Server};
use crate::oci::{Digest, Document, media};

/// What it holds, by `repository word`: media type and bytes.
type Held = Arc<Mutex<BTreeMap<String, (String, Vec<u8>)>>>;

/// A registry in memory.
pub struct Shelf {
    pub server: Server,
    held: Held,
}

impl Shelf {
    /// One that lists nothing that refers to an image, as docker-registry 2.8.
    pub fn new(fault: impl Fn(&Seen) -> Option<Act> + Send + Sync + 'static) -> Self {
        Self::with(false, fault)
    }

    /// One that lists what refers to an image itself, if `lists` is set.
    pub fn with(lists: bool, fault: impl Fn(&Seen) -> Option<Act> + Send + Sync + 'static) -> Self {
        let held = Held::default();
        let own = Arc::clone(&held);
        let server = Server::start(move |seen| fault(seen).unwrap_or_else(|| serve(seen, &own, lists)));
        Self { server, held }
    }

    /// As a registry is named.
    pub fn name(&self) -> String {
        self.server.name()
    }

    /// Keeps a document under its digest and a word.
    pub fn put(&self, repository: &str, word: &str, document: &Document) {
        let value = (document.media_type.clone(), document.bytes.clone());
        let mut held = self.held.lock().unwrap();
        held.insert(format!("{repository} {}", document.digest), value.clone());
        held.insert(format!("{repository} {word}"), value);
    }

    /// Keeps other bytes under a digest.
    pub fn damage(&self, repository: &str, digest: &Digest, bytes: &[u8]) {
        let mut held = self.held.lock().unwrap();
        held.insert(format!("{repository} {digest}"), (String::new(), bytes.to_vec())).unwrap();
    }

    pub fn remove(&self, repository: &str, word: &str) {
        self.held.lock().unwrap().remove(&format!("{repository} {word}")).unwrap();
    }

    /// The digest of what is there.
    pub fn digest(&self, repository: &str, word: &str) -> Option<Digest> {
        self.held.lock().unwrap().get(&format!("{repository} {word}")).map(|(_, bytes)| Digest::of(bytes))
    }

    /// The words of a repository.
    pub fn words(&self, repository: &str) -> Vec<String> {
        let prefix = format!("{repository} ");
        self.held.lock().unwrap().keys().filter_map(|key| key.strip_prefix(&prefix)).map(str::to_owned).collect()
    }

    /// Requests that brought something, without queries.
    pub fn puts(&self) -> Vec<String> {
        self.server.lines().into_iter().filter(|line| line.starts_with("PUT ")).collect()
    }
}

fn serve(seen: &Seen, held: &Held, lists: bool) -> Act {
    let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    let rest = path.strip_prefix("/v2/").unwrap_or_default();
    let split = |kind: &&'static str| rest.split_once(*kind).map(|(repository, word)| (repository, *kind, word));
    let kinds = ["/manifests/", "/blobs/", "/referrers/"];
    let Some((repository, kind, word)) = kinds.iter().find_map(split) else { return Act::answer(404) };
    let decoded = |text: &str| text.replace("%3A", ":").replace("%2F", "/");
    match (seen.method.as_str(), kind) {
        ("POST", _) => match query.strip_prefix("mount=").and_then(|query| query.split_once("&from=")) {
            Some((digest, from)) => mount(held, repository, &decoded(digest), &decoded(from)),
            None => Act::answer(202).header("Location", format!("{path}one")),
        },
        ("PUT", _) => take(held, repository, query.strip_prefix("digest=").map_or(word.to_owned(), decoded)),
        (_, "/referrers/") if lists => referrers(held, repository, word),
        (_, "/referrers/") => Act::answer(404),
        ("GET" | "HEAD", _) => match held.lock().unwrap().get(&format!("{repository} {word}")) {
            Some((media_type, bytes)) => {
                let act = Act::answer(200).header("Content-Type", media_type).body(bytes);
                act.header("Docker-Content-Digest", Digest::of(bytes).to_string())
            }
            None => Act::answer(404),
        },
        _ => Act::answer(405),
    }
}

/// Keeps a body under its digest and a word.
fn take(held: &Held, repository: &str, word: String) -> Act {
    let (held, repository) = (Arc::clone(held), repository.to_owned());
    Act::Read(Arc::new(move |seen| {
        let value = (seen.header("content-type").unwrap_or_default().to_owned(), seen.body.clone());
        let mut held = held.lock().unwrap();
        held.insert(format!("{repository} {}", Digest::of(&seen.body)), value.clone());
        held.insert(format!("{repository} {word}"), value);
        Act::answer(201)
    }))
}

fn mount(held: &Held, repository: &str, digest: &str, from: &str) -> Act {
    let mut held = held.lock().unwrap();
    match held.get(&format!("{from} {digest}")).cloned() {
        Some(blob) => {
            held.insert(format!("{repository} {digest}"), blob);
            Act::answer(201)
        }
        None => Act::answer(202).header("Location", format!("/v2/{repository}/blobs/uploads/one")),
    }
}

fn referrers(held: &Held, repository: &str, digest: &str) -> Act {
    let held = held.lock().unwrap();
    let own = held.iter().filter(|(key, _)| key.starts_with(&format!("{repository} sha256:")));
    let of = own.filter_map(|(_, (media_type, bytes))| {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        (value["subject"]["digest"] == digest).then(|| Document::from_bytes(media_type, bytes.clone()).descriptor())
    });
    let index = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": of.collect::<Vec<_>>() });
    Act::answer(200).header("Content-Type", media::INDEX).body(index.to_string().as_bytes())
}
