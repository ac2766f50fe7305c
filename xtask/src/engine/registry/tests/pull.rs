//! Pulls from registries that misbehave.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::content::{Content, Kept};
use super::server::{Act, Seen, Server};
use super::{ATTEMPTS, LONGEST, options, waits, with_events};
use crate::engine::registry::{Fetched, Registry, RegistryOptions};
use crate::engine::{EngineError, ErrorClass, Event, block_on};
use crate::oci::{Compression, Digest, media};

/// Which document a fault is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Manifest,
    Layer,
}

/// What came of a pull.
struct Pulled {
    result: Result<Fetched, EngineError>,
    events: Vec<Event>,
    /// Requests for the place that has the fault.
    seen: Vec<Seen>,
    kept: Kept,
}

/// Pulls `a/b:TAG` from a server that answers `fault` to the requests for a place, counted from 0, where it is not `None`.
fn pull(
    options: RegistryOptions,
    tag: &str,
    place: Place,
    fault: impl Fn(&Content, usize, &Seen) -> Option<Act> + Send + Sync + 'static,
) -> Pulled {
    let content = Arc::new(Content::new());
    let path = match place {
        Place::Manifest => format!("/v2/a/b/manifests/{tag}"),
        Place::Layer => format!("/v2/a/b/blobs/{}", content.layer_digest()),
    };
    let (wanted, count) = (path.clone(), AtomicUsize::new(0));
    let server = Server::start(move |seen| {
        let planned = (seen.path == wanted).then(|| fault(&content, count.fetch_add(1, Ordering::SeqCst), seen));
        planned.flatten().unwrap_or_else(|| content.serve(seen))
    });
    let kept = Kept::new();
    let reference = format!("{}/a/b:{tag}", server.name()).parse().unwrap();
    let registry = Registry::new(options);
    let (result, events) = with_events(async |events| {
        registry.fetch(&reference, &"linux/amd64".parse().unwrap(), &kept.store, events).await
    });
    let seen = server.seen().into_iter().filter(|seen| seen.path == path).collect();
    Pulled { result, events, seen, kept }
}

/// The pull succeeds after so many requests.
#[track_caller]
fn succeeds(pulled: &Pulled, requests: usize) {
    let content = Content::new();
    let fetched = pulled.result.as_ref().unwrap();
    assert_eq!(fetched.manifest.bytes, content.image.manifest.bytes);
    assert_eq!(fetched.config.bytes, content.image.config.bytes);
    assert_eq!(std::fs::read(&fetched.layers[0].1).unwrap(), content.layer);
    assert_eq!(pulled.seen.len(), requests);
    assert_eq!(pulled.kept.count(), (3, 0), "manifest, configuration and layer");
}

/// The pull fails after so many requests, says this, and leaves nothing of the place.
#[track_caller]
fn fails(pulled: &Pulled, requests: usize, class: ErrorClass, words: &str) {
    let error = pulled.result.as_ref().unwrap_err();
    let text = error.to_string();
    assert!(text.contains(words), "{text}");
    assert_eq!(error.class(), class, "{text}");
    assert_eq!(pulled.seen.len(), requests, "{text}");
    let layer = Content::new().layer_digest().clone();
    assert!(!pulled.kept.store.path(&layer).exists(), "{text}");
    assert_eq!(pulled.kept.count().1, 0, "{text}");
}

#[test]
fn nothing_goes_wrong() {
    let pulled = pull(options(), "1", Place::Layer, |_, _, _| None);
    succeeds(&pulled, 1);
    let last = pulled.events.iter().rev().find_map(|event| match event {
        Event::Transfer { bytes, total, .. } => Some((*bytes, *total)),
        _ => None,
    });
    let content = Content::new();
    let total = (content.layer.len() + content.image.config.bytes.len()) as u64;
    assert_eq!(last, Some((total, total)));
    succeeds(&pull(options(), "1", Place::Manifest, |_, _, _| None), 1);
}

#[test]
fn an_index_is_followed() {
    let pulled = pull(options(), "index", Place::Manifest, |_, _, _| None);
    let content = Content::new();
    let fetched = pulled.result.unwrap();
    assert_eq!(fetched.index.map(|index| index.digest), Some(content.index.digest));
    assert_eq!(fetched.manifest.digest, content.image.manifest.digest);
}

#[test]
fn what_may_pass_is_tried_again() {
    for place in [Place::Manifest, Place::Layer] {
        let pulled =
            pull(options(), "1", place, |_, number, _| (number < 2).then(|| Act::answer(500).body(b"<html>no</html>")));
        succeeds(&pulled, 3);
        assert_eq!(waits(&pulled.events), [1, 2]);
        let pulled = pull(options(), "1", place, |_, number, _| (number == 0).then(|| Act::Break(Vec::new())));
        succeeds(&pulled, 2);
    }
}

#[test]
fn retry_after_is_respected_up_to_a_limit() {
    let pulled = pull(options(), "1", Place::Layer, |_, number, _| match number {
        0 => Some(Act::answer(429).header("Retry-After", "3600")),
        1 => Some(Act::answer(503).header("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT")),
        _ => None,
    });
    succeeds(&pulled, 3);
    assert_eq!(waits(&pulled.events), [LONGEST.as_millis() as u64, 2]);
}

#[test]
fn attempts_are_bounded() {
    for place in [Place::Manifest, Place::Layer] {
        let body = br#"{"errors":[{"code":"UNKNOWN","message":"the disk is full"}]}"#;
        let pulled = pull(options(), "1", place, |_, _, _| Some(Act::answer(500).body(body)));
        let words = "answers 500 Internal Server Error: the disk is full (UNKNOWN) (3 attempts)\nhint: ";
        fails(&pulled, ATTEMPTS as usize, ErrorClass::Environment, words);
    }
}

#[test]
fn what_stays_is_not_tried_again() {
    let check = |status, class, words: &str| {
        fails(&pull(options(), "1", Place::Layer, move |_, _, _| Some(Act::answer(status))), 1, class, words);
    };
    check(400, ErrorClass::Environment, "answers 400 Bad Request");
    check(404, ErrorClass::Environment, "answers 404 Not Found\nhint: check the name");
    check(403, ErrorClass::Environment, "answers 403 Forbidden\nhint: run `docker login 127.0.0.1:");
    check(501, ErrorClass::Environment, "answers 501 Not Implemented");
}

#[test]
fn a_broken_body_is_continued() {
    let half = Content::new().layer.len() / 2;
    let broken = move |content: &Content| {
        let head = Act::head(200, Some(content.layer.len()));
        Act::Break([head, content.layer[..half].to_vec()].concat())
    };
    // the registry has ranges
    let pulled = pull(options(), "1", Place::Layer, move |content, number, seen| {
        let from = seen.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        let from: usize = match (number, from) {
            (0, _) => return Some(broken(content)),
            (_, from) => from?,
        };
        let range = format!("bytes {from}-{}/{}", content.layer.len() - 1, content.layer.len());
        Some(Act::answer(206).header("Content-Range", range).body(&content.layer[from..]))
    });
    succeeds(&pulled, 2);
    assert_eq!(pulled.seen[1].header("range"), Some(format!("bytes={half}-").as_str()));
    // it has none, and serves the whole again
    let pulled = pull(options(), "1", Place::Layer, move |content, number, _| (number == 0).then(|| broken(content)));
    succeeds(&pulled, 2);
    // it has other ranges than it was asked for
    let pulled = pull(options(), "1", Place::Layer, move |content, number, _| match number {
        0 => Some(broken(content)),
        1 => Some(Act::answer(206).header("Content-Range", "bytes 0-9/10").body(&content.layer[..10])),
        _ => None,
    });
    succeeds(&pulled, 3);
    // the parts do not fit together, but the whole is there
    let pulled = pull(options(), "1", Place::Layer, move |content, number, _| match number {
        0 => Some(broken(content)),
        1 => {
            let rest = vec![0; content.layer.len() - half];
            Some(Act::answer(206).header("Content-Range", format!("bytes {half}-")).body(&rest))
        }
        _ => None,
    });
    succeeds(&pulled, 3);
}

#[test]
fn a_body_that_always_breaks_is_given_up() {
    let pulled = pull(options(), "1", Place::Layer, |content, _, _| {
        Some(Act::Break([Act::head(200, Some(content.layer.len())), vec![0; 10]].concat()))
    });
    fails(&pulled, ATTEMPTS as usize, ErrorClass::Environment, "(3 attempts)");
    // without a length, the end of the connection is the end of the body
    let pulled =
        pull(options(), "1", Place::Layer, |_, _, _| Some(Act::Break([Act::head(200, None), vec![0; 10]].concat())));
    fails(&pulled, ATTEMPTS as usize, ErrorClass::Work, "has only 10 bytes, not 1004000");
}

#[test]
fn other_bytes_are_refused() {
    let damaged = |bytes: &[u8]| [b"x", &bytes[1..]].concat();
    let pulled =
        pull(options(), "1", Place::Layer, move |content, _, _| Some(Act::answer(200).body(&damaged(&content.layer))));
    fails(&pulled, 1, ErrorClass::Work, &format!("not {}", Content::new().layer_digest()));
    let pulled = pull(options(), "1", Place::Manifest, |content, _, _| {
        let digest = Digest::of(b"another").to_string();
        Some(Act::answer(200).header("Docker-Content-Digest", digest).body(&content.image.manifest.bytes))
    });
    fails(&pulled, 1, ErrorClass::Work, &format!("manifest 1 has digest {}", Content::new().image.manifest.digest));
}

#[test]
fn another_number_of_bytes_is_refused() {
    let check = |fault: fn(&Content) -> Act, words: &str| {
        fails(
            &pull(options(), "1", Place::Layer, move |content, _, _| Some(fault(content))),
            1,
            ErrorClass::Work,
            words,
        );
    };
    check(|content| Act::answer(200).body(&content.layer[1..]), "has 1003999 bytes, not 1004000");
    check(|content| Act::answer(200).body(&[&content.layer[..], b"x"].concat()), "has 1004001 bytes, not 1004000");
    check(|_| Act::Endless(Act::head(200, Some(1 << 60))), "bytes, not 1004000");
    check(|_| Act::Endless(Act::head(200, None)), "has more bytes, not 1004000");
}

#[test]
fn endless_manifests_end() {
    let pulled = pull(options(), "1", Place::Manifest, |_, _, _| Some(Act::Endless(Act::head(200, None))));
    fails(&pulled, 1, ErrorClass::Work, "its manifest has more than 4194304 bytes");
    let pulled = pull(options(), "1", Place::Manifest, |_, _, _| Some(Act::Endless(Act::head(400, None))));
    fails(&pulled, 1, ErrorClass::Environment, "answers 400 Bad Request");
}

#[test]
fn silence_ends() {
    let mut impatient = options();
    impatient.timeouts.idle = Duration::from_millis(100);
    let stalls: [fn(&Content) -> Vec<u8>; 3] = [
        |_| Vec::new(),
        |content| Act::head(200, Some(content.layer.len())),
        |content| [Act::head(200, Some(content.layer.len())), content.layer[..1_000].to_vec()].concat(),
    ];
    for stall in stalls {
        let pulled = pull(impatient.clone(), "1", Place::Layer, move |content, _, _| Some(Act::Stall(stall(content))));
        fails(&pulled, ATTEMPTS as usize, ErrorClass::Environment, "no byte has come or gone for 100ms");
    }
}

#[test]
fn wrong_manifests_are_refused() {
    let good = Content::new().layer_digest().to_string();
    let dots = "sha256:../../../../../../../../../../../../../../../../../../../etc/passwd";
    let tar = Compression::None.layer();
    let check = |kind: &'static str, digest: &str, words: &str| {
        let digest = digest.to_owned();
        let pulled =
            pull(options(), "1", Place::Manifest, move |content, _, _| Some(content.manifest_with(kind, &digest)));
        fails(&pulled, 1, ErrorClass::Work, words);
    };
    check(tar, dots, "its manifest is wrong");
    check(tar, "", "its manifest is wrong");
    check("application/vnd.oci.image.layer.nondistributable.v1.tar", &good, "may not be distributed");
    check("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", &good, "may not be distributed");
    let check = |act: fn() -> Act, words: &str| {
        fails(&pull(options(), "1", Place::Manifest, move |_, _, _| Some(act())), 1, ErrorClass::Work, words);
    };
    check(|| Act::answer(200).body(b"<html>"), "its manifest is not JSON");
    check(|| Act::answer(200).body(b"{}"), "neither an image nor an index");
    check(|| Act::answer(200).header("Docker-Content-Digest", "sha256:../x").body(b"{}"), "is not a digest");
}

#[test]
fn indexes_are_chosen_from() {
    let check = |entry: serde_json::Value, words: &str| {
        let body = serde_json::json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": [entry] });
        let body = serde_json::to_vec(&body).unwrap();
        let pulled = pull(options(), "index", Place::Manifest, move |_, _, _| {
            Some(Act::answer(200).header("Content-Type", media::INDEX).body(&body))
        });
        fails(&pulled, 1, ErrorClass::Work, words);
    };
    let digest = Digest::of(b"").to_string();
    let on = |os: &str| serde_json::json!({ "os": os, "architecture": "amd64" });
    check(
        serde_json::json!({ "digest": digest, "platform": on("windows") }),
        "it is not there for linux/amd64; there is: windows/amd64",
    );
    check(serde_json::json!({ "digest": "sha256:../../x", "platform": on("linux") }), "its index is wrong");
    check(
        serde_json::json!({ "digest": digest, "mediaType": media::INDEX, "platform": on("linux") }),
        "its index names no image for linux/amd64",
    );
}

#[test]
fn an_image_for_another_platform_is_refused() {
    let content = Arc::new(Content::new());
    let server = Server::start(move |seen| content.serve(seen));
    let (kept, events) = (Kept::new(), crate::engine::Events::nowhere());
    let reference = format!("{}/a/b:1", server.name()).parse().unwrap();
    let registry = Registry::new(options());
    let want = "linux/arm64".parse().unwrap();
    let error = block_on(registry.fetch(&reference, &want, &kept.store, &events)).unwrap().unwrap_err();
    assert!(error.to_string().contains("it is not there for linux/arm64; there is: linux/amd64"), "{error}");
}

#[test]
fn what_is_in_the_store_is_not_fetched() {
    let content = Arc::new(Content::new());
    let digest = content.image.manifest.digest.clone();
    let server = Server::start(move |seen| content.serve(seen));
    let (kept, registry) = (Kept::new(), Registry::new(options()));
    let want = "linux/amd64".parse().unwrap();
    let pull = |reference: String| {
        let (reference, events) = (reference.parse().unwrap(), crate::engine::Events::nowhere());
        block_on(registry.fetch(&reference, &want, &kept.store, &events)).unwrap().unwrap()
    };
    let first = pull(format!("{}/a/b:1", server.name()));
    assert_eq!(server.seen().len(), 3);
    assert_eq!(pull(format!("{}/a/b:1", server.name())), first);
    assert_eq!(server.seen().len(), 4, "only what the tag names is asked for");
    let pinned = pull(format!("{}/a/b:1@{digest}", server.name()));
    assert_eq!((server.seen().len(), pinned), (4, first), "with a digest, nothing is");
}

#[test]
fn two_images_do_not_fetch_the_same() {
    let content = Arc::new(Content::new());
    let server = Server::start(move |seen| content.serve(seen));
    let (kept, registry, events) = (Kept::new(), Registry::new(options()), crate::engine::Events::nowhere());
    let want = "linux/amd64".parse().unwrap();
    let (one, other) = (format!("{}/a/b:1", server.name()), format!("{}/a/b:index", server.name()));
    let (one, other) = (one.parse().unwrap(), other.parse().unwrap());
    let both = async {
        let fetch = |reference| registry.fetch(reference, &want, &kept.store, &events);
        futures_util::future::try_join(fetch(&one), fetch(&other)).await
    };
    block_on(both).unwrap().unwrap();
    let blobs = server.lines().iter().filter(|line| line.contains("/blobs/")).count();
    assert_eq!(blobs, 2, "{:?}", server.lines());
}

#[test]
fn tags_are_resolved() {
    let resolve = |header: bool, reference: &str| {
        let content = Arc::new(Content::new());
        let server = Server::start(move |seen| match content.serve(seen) {
            Act::Answer { status, headers, body } => {
                let headers = headers.into_iter().filter(|(name, _)| header || !name.starts_with("Docker")).collect();
                Act::Answer { status, headers, body }
            }
            other => other,
        });
        let reference = format!("{}/a/b{reference}", server.name()).parse().unwrap();
        let registry = Registry::new(options());
        let events = crate::engine::Events::nowhere();
        let digest = block_on(registry.resolve(&reference, &events)).unwrap();
        let methods: Vec<String> = server.seen().into_iter().map(|seen| seen.method).collect();
        (digest, methods.join(" "))
    };
    let content = Content::new();
    let check = |header, reference: &str, expect: &Digest, methods: &str| {
        let (digest, seen) = resolve(header, reference);
        assert_eq!((digest.unwrap(), seen.as_str()), (expect.clone(), methods), "{reference}");
    };
    check(true, ":1", &content.image.manifest.digest, "HEAD");
    check(false, ":1", &content.image.manifest.digest, "HEAD GET");
    check(true, ":index", &content.index.digest, "HEAD");
    let other = Digest::of(b"an older one");
    check(true, &format!(":1@{other}"), &content.image.manifest.digest, "HEAD");
    let (missing, _) = resolve(true, ":2");
    assert_eq!(missing.unwrap_err().class(), ErrorClass::Environment);
}
