//! Copies between registries that misbehave, or know nothing of what refers to images.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::json;

use super::content::Kept;
use super::server::{Act, Seen};
use super::shelf::Shelf;
use super::{ATTEMPTS, options, waits, with_events};
use crate::engine::registry::{Copied, CopyRequest, Registry};
use crate::engine::{EngineError, ErrorClass, Event};
use crate::oci::{Digest, Document, Image, media, sample};

/// An index of two images, as `a/b:1`.
fn filled(lists: bool) -> (Shelf, Document, [Image; 2]) {
    let shelf = Shelf::with(lists, |_| None);
    let images = [(1, "linux/amd64"), (2, "linux/arm64")].map(|(number, platform)| {
        let sample = sample::of_layers(platform, [vec![number; 3_000]]);
        let blobs = sample.blobs.values().map(|bytes| Document::from_bytes("", bytes.clone()));
        let documents = [sample.image.config.clone(), sample.image.manifest.clone()];
        for document in blobs.chain(documents) {
            shelf.put("a/b", &document.digest.to_string(), &document);
        }
        sample.image
    });
    let index = crate::oci::index(&images);
    shelf.put("a/b", "1", &index);
    (shelf, index, images)
}

fn request(from: &Shelf, to: &Shelf, repository: &str, tags: &[(&str, bool)]) -> CopyRequest {
    CopyRequest {
        name: "it".into(),
        from: format!("{}/a/b:1", from.name()).parse().unwrap(),
        to: format!("{}/{repository}", to.name()).parse().unwrap(),
        tags: tags.iter().map(|(tag, moves)| ((*tag).to_owned(), *moves)).collect(),
        referrers: true,
    }
}

fn copy(request: &CopyRequest) -> (Result<Copied, EngineError>, Vec<Event>) {
    let (kept, registry) = (Kept::new(), Registry::new(options()));
    with_events(async |events| registry.copy(request, &kept.store, events).await)
}

#[test]
fn children_come_first_and_tags_last_and_a_second_copy_sends_nothing() {
    let ((from, index, images), to) = (filled(false), Shelf::new(|_| None));
    let request = request(&from, &to, "x/y", &[("1.0", false), ("latest", true)]);
    let copied = copy(&request).0.unwrap();
    assert_eq!((copied.digest.clone(), copied.sent_blobs, copied.sent_manifests), (index.digest.clone(), 4, 3));
    assert_eq!(copied.platforms, ["linux/amd64", "linux/arm64"]);
    let puts = to.puts();
    let manifests: Vec<&str> = puts.iter().filter_map(|line| line.strip_prefix("PUT /v2/x/y/manifests/")).collect();
    let digests = [&images[0].manifest, &images[1].manifest, &index].map(|document| document.digest.to_string());
    assert_eq!(manifests, [&*digests[0], &*digests[1], &*digests[2], "1.0", "latest"], "{puts:#?}");
    assert!(puts[..2].iter().all(|line| line.contains("/blobs/")), "{puts:#?}");
    assert_eq!(to.digest("x/y", "latest"), Some(index.digest));

    let again = copy(&request).0.unwrap();
    assert!(again.is_unchanged(), "{again:?}");
    assert_eq!(to.puts().len(), puts.len());
}

#[test]
fn an_index_with_a_hole_is_not_sent() {
    let ((from, _, images), to) = (filled(false), Shelf::new(|_| None));
    let missing = &images[1].manifest.digest;
    from.remove("a/b", &missing.to_string());
    let copied = copy(&request(&from, &to, "x/y", &[("1", false)])).0.unwrap();
    let holes: Vec<(&str, &Digest)> = copied.holes.iter().map(|hole| (&*hole.platform, &hole.digest)).collect();
    assert_eq!(holes, [("linux/arm64", missing)]);
    assert_eq!((copied.platforms, copied.tags.len()), (vec!["linux/amd64".to_owned()], 0));
    assert!(to.digest("x/y", "1").is_none() && to.digest("x/y", &copied.digest.to_string()).is_none());
    assert!(to.digest("x/y", &images[0].manifest.digest.to_string()).is_some());
}

#[test]
fn a_damaged_layer_is_a_hole_too() {
    let ((from, ..), to) = (filled(false), Shelf::new(|_| None));
    let layer = Digest::of(&[2; 3_000]);
    from.damage("a/b", &layer, &[9; 3_000]);
    let copied = copy(&request(&from, &to, "x/y", &[("1", false)])).0.unwrap();
    assert_eq!(copied.holes.len(), 1, "{copied:?}");
    assert!(copied.holes[0].detail.contains(&layer.to_string()), "{copied:?}");
    assert!(to.digest("x/y", "1").is_none());
}

#[test]
fn a_tag_that_may_not_move_is_refused_before_anything_is_sent() {
    let ((from, index, _), to) = (filled(false), Shelf::new(|_| None));
    let other = Document::from_bytes(media::INDEX, b"{\"manifests\":[]}".to_vec());
    to.put("x/y", "1", &other);
    let error = copy(&request(&from, &to, "x/y", &[("1", false)])).0.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Work);
    let text = error.to_string();
    assert!(text.contains(&other.digest.to_string()) && text.contains(&index.digest.to_string()), "{text}");
    assert!(to.puts().is_empty());
    copy(&request(&from, &to, "x/y", &[("1", true)])).0.unwrap();
    assert_eq!(to.digest("x/y", "1"), Some(index.digest));
}

#[test]
fn one_registry_mounts() {
    let (shelf, index, _) = filled(false);
    let copied = copy(&request(&shelf, &shelf, "x/y", &[("1", false)])).0.unwrap();
    assert_eq!((copied.mounted, copied.sent_blobs), (4, 0));
    assert!(!shelf.server.lines().iter().any(|line| line.starts_with("GET") && line.contains("/blobs/")));
    assert_eq!(shelf.digest("x/y", "1"), Some(index.digest));
}

/// Something that refers to a manifest.
fn attach(shelf: &Shelf, subject: &Document, kind: &str) -> Document {
    let config = Document::from_bytes("application/vnd.oci.empty.v1+json", b"{}".to_vec());
    let layer = Document::from_bytes("text/plain", kind.as_bytes().to_vec());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media::MANIFEST, "artifactType": kind, "config": config.descriptor(),
        "layers": [layer.descriptor()], "subject": subject.descriptor(),
    });
    let manifest = Document::new(media::MANIFEST, &manifest);
    for document in [&config, &layer, &manifest] {
        shelf.put("a/b", &document.digest.to_string(), document);
    }
    manifest
}

/// An index of some manifests.
fn index_of(all: &[&Document]) -> Document {
    let entries: Vec<_> = all.iter().map(|document| document.descriptor()).collect();
    Document::new(media::INDEX, &json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": entries }))
}

fn list_tag(subject: &Document) -> String {
    format!("sha256-{}", subject.digest.hex())
}

#[test]
fn what_refers_to_images_is_copied_whatever_either_registry_lists() {
    for (from_lists, to_lists) in [(false, false), (false, true), (true, false), (true, true)] {
        let ((from, index, images), to) = (filled(from_lists), Shelf::with(to_lists, |_| None));
        let (one, two) = (attach(&from, &index, "sbom"), attach(&from, &images[0].manifest, "provenance"));
        let signature = attach(&from, &one, "signature");
        let lists = [(&index, &one), (&images[0].manifest, &two), (&one, &signature)];
        for (subject, document) in lists.iter().filter(|_| !from_lists) {
            from.put("a/b", &list_tag(subject), &index_of(&[document]));
        }
        let what = format!("{from_lists} {to_lists}");
        let copied = copy(&request(&from, &to, "x/y", &[("1", false)])).0.unwrap();
        assert_eq!(copied.referrers, 3, "{what}");
        for (subject, document) in lists {
            assert_eq!(to.digest("x/y", &document.digest.to_string()), Some(document.digest.clone()), "{what}");
            let expect = (!to_lists).then(|| index_of(&[document]).digest);
            assert_eq!(to.digest("x/y", &list_tag(subject)), expect, "{what}");
        }
        let before = to.puts().len();
        assert!(copy(&request(&from, &to, "x/y", &[("1", false)])).0.unwrap().is_unchanged(), "{what}");
        assert_eq!(to.puts().len(), before, "{what}");
    }
}

#[test]
fn lists_are_joined_and_tags_of_cosign_stay() {
    let ((from, index, _), to) = (filled(false), Shelf::new(|_| None));
    let (ours, signature) = (attach(&from, &index, "sbom"), attach(&from, &index, "signature"));
    let tag = list_tag(&index);
    from.put("a/b", &tag, &index_of(&[&ours]));
    from.put("a/b", &format!("{tag}.sig"), &signature);
    from.put("a/b", &format!("{tag}.att"), &signature);
    let theirs = Document::from_bytes(media::MANIFEST, b"{\"layers\":[]}".to_vec());
    to.put("x/y", &tag, &index_of(&[&theirs]));
    to.put("x/y", &format!("{tag}.sig"), &theirs);
    let copied = copy(&request(&from, &to, "x/y", &[])).0.unwrap();
    assert_eq!((copied.kept, copied.referrers), (vec![format!("{tag}.sig")], 2));
    assert_eq!(to.digest("x/y", &format!("{tag}.sig")), Some(theirs.digest.clone()));
    assert_eq!(to.digest("x/y", &format!("{tag}.att")), Some(signature.digest));
    assert_eq!(to.digest("x/y", &tag), Some(index_of(&[&theirs, &ours]).digest));
    assert!(!to.words("x/y").contains(&"1".to_owned()));
}

#[test]
fn registries_that_have_no_time_are_waited_for_within_bounds() {
    // every request that writes, the first time
    let known = Mutex::new(BTreeSet::new());
    let moody = move |seen: &Seen| {
        let status = if seen.method == "PUT" { 500 } else { 429 };
        let writes = ["PUT", "POST"].contains(&seen.method.as_str());
        (writes && known.lock().unwrap().insert(seen.line())).then(|| Act::answer(status).header("Retry-After", "1"))
    };
    let ((from, index, _), to) = (filled(false), Shelf::new(moody));
    let (copied, events) = copy(&request(&from, &to, "x/y", &[("1", false)]));
    assert_eq!(copied.unwrap().digest, index.digest);
    assert_eq!(to.digest("x/y", "1"), Some(index.digest));
    assert!(!waits(&events).is_empty() && waits(&events).iter().all(|wait| *wait <= 20));

    let busy = Shelf::new(|seen| (seen.method == "POST").then(|| Act::answer(429)));
    let (copied, events) = copy(&request(&from, &busy, "x/y", &[("1", false)]));
    let error = copied.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Environment);
    assert!(error.to_string().contains(&format!("429 Too Many Requests ({ATTEMPTS} attempts)")), "{error}");
    assert!(waits(&events).len() >= ATTEMPTS as usize - 1);
    assert!(busy.puts().is_empty());
}

#[test]
fn what_the_destination_has_made_of_it_is_noticed() {
    let (from, index, _) = filled(false);
    let digest = index.digest.to_string();
    let lies = move |seen: &Seen| {
        let back = seen.method == "GET" && seen.path.ends_with(&digest) && seen.path.contains("/manifests/");
        back.then(|| Act::answer(200).header("Content-Type", media::INDEX).body(b"{\"manifests\":[]}"))
    };
    let to = Shelf::new(lies);
    let error = copy(&request(&from, &to, "x/y", &[("1", false)])).0.unwrap_err();
    assert!(matches!(error, EngineError::WrongDigest { .. }), "{error}");
    assert_eq!(to.digest("x/y", "1"), None, "no tag names it");
}

#[test]
fn lists_of_registries_are_read_to_their_end() {
    let first = |number: u8| Document::from_bytes(media::MANIFEST, vec![number]);
    let pages = move |seen: &Seen| {
        let page = |number: u8| Act::answer(200).body(&index_of(&[&first(number)]).bytes);
        match seen.path.split_once("/referrers/")?.1.split_once('?') {
            None => Some(page(1).header("Link", "</v2/x?page=2>; rel=\"next\"")),
            Some((_, "page=2")) => Some(page(2)),
            Some(_) => Some(Act::answer(404)),
        }
    };
    let check = |shelf: &Shelf, expect: &[u8]| {
        let reference = format!("{}/a/b@{}", shelf.name(), Digest::of(b"x")).parse().unwrap();
        let registry = Registry::new(options());
        let found = with_events(async |events| registry.referrers(&reference, events).await).0.unwrap();
        let found: Vec<String> = found.iter().map(|one| one.digest().to_string()).collect();
        assert_eq!(found, expect.iter().map(|number| Digest::of(&[*number]).to_string()).collect::<Vec<_>>());
    };
    check(&Shelf::with(true, pages), &[1, 2]);
    check(&Shelf::new(|_| None), &[]);
    let tagged = Shelf::new(|_| None);
    tagged.put("a/b", &list_tag(&Document::from_bytes("", b"x".to_vec())), &index_of(&[&first(3)]));
    check(&tagged, &[3]);
}
