//! Pushes to registries that misbehave.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::content::{Content, Kept};
use super::server::{Act, Seen, Server};
use super::{ATTEMPTS, options, waits, with_events};
use crate::engine::registry::{Pushed, Registry, RegistryOptions};
use crate::engine::{EngineError, ErrorClass, Event};

/// Pushes the image as `a/b:new` to an empty registry, where `fault` may answer in its place.
fn push(
    options: RegistryOptions,
    mount_from: Option<&str>,
    fault: impl Fn(&Content, &Seen) -> Option<Act> + Send + Sync + 'static,
) -> (Result<Pushed, EngineError>, Vec<Event>, Server) {
    let content = Content::new();
    let empty = |seen: &Seen| matches!(seen.method.as_str(), "HEAD").then(|| Act::answer(404));
    let server =
        Server::start(move |seen| fault(&content, seen).or_else(|| empty(seen)).unwrap_or_else(|| content.serve(seen)));
    let (kept, registry) = (Kept::new(), Registry::new(options));
    let request = Content::new().request(&server.name(), "new", &kept.root(), mount_from);
    let (result, events) = with_events(async |events| registry.push(&request, events).await);
    (result, events, server)
}

fn layer_path() -> String {
    Content::new().layer_digest().to_string().replace(':', "%3A")
}

/// A request that brings the layer, or the rest of it.
fn brings_layer(seen: &Seen) -> bool {
    seen.method == "PUT" && seen.path.ends_with(&layer_path())
}

#[test]
fn names_come_last() {
    let (result, events, server) = push(options(), None, |_, _| None);
    let content = Content::new();
    let (layer, config) = (content.layer.len() as u64, content.image.config.bytes.len() as u64);
    let digest = content.image.manifest.digest.clone();
    let expect = Pushed {
        digest: digest.clone(),
        sent_blobs: 2,
        sent_bytes: layer + config,
        mounted: 0,
        skipped: 0,
        sent_manifests: 1,
    };
    assert_eq!(result.unwrap(), expect);
    let lines = server.lines();
    let end = [
        format!("PUT /v2/a/b/manifests/{digest}"),
        "HEAD /v2/a/b/manifests/new".to_owned(),
        "PUT /v2/a/b/manifests/new".to_owned(),
    ];
    assert_eq!(lines[lines.len() - 3..], end, "{lines:#?}");
    let last = events.iter().rev().find_map(|event| match event {
        Event::Transfer { bytes, total, .. } => Some((*bytes, *total)),
        _ => None,
    });
    assert_eq!(last, Some((layer + config, layer + config)));
}

#[test]
fn a_tag_that_fits_is_left_alone() {
    let (result, _, server) = push(options(), None, |content, seen| {
        let manifest = &content.image.manifest.digest;
        let known = seen.method == "HEAD" && seen.path.contains("/manifests/");
        known.then(|| Act::answer(200).header("Docker-Content-Digest", manifest.to_string()))
    });
    assert_eq!(result.unwrap().sent_blobs, 0);
    let methods: Vec<String> = server.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["HEAD", "HEAD"]);
}

#[test]
fn what_may_pass_is_tried_again() {
    // one blob at a time, so that the waits of two do not mix
    let one = || RegistryOptions { concurrency: 1, ..options() };
    let check = |fault: fn(&Seen) -> bool, act: fn() -> Act, words: &str| {
        // once, then it has passed
        let count = AtomicUsize::new(0);
        let (result, events, _) =
            push(options(), None, move |_, seen| (fault(seen) && count.fetch_add(1, Ordering::SeqCst) == 0).then(act));
        result.unwrap();
        assert_eq!(waits(&events).len(), 1);
        // always
        let (result, events, server) = push(one(), None, move |_, seen| fault(seen).then(act));
        let error = result.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Environment);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(waits(&events).len() as u32, ATTEMPTS - 1);
        assert!(!server.lines().contains(&"PUT /v2/a/b/manifests/new".to_owned()), "no name without the whole");
    };
    check(brings_layer, || Act::answer(500), "answers 500 Internal Server Error (3 attempts)");
    check(brings_layer, || Act::answer(429).header("Retry-After", "1"), "answers 429 Too Many Requests");
    check(brings_layer, || Act::Cut(100_000), "(3 attempts)");
    check(|seen| seen.method == "POST" && seen.path.ends_with('/'), || Act::answer(503), "answers 503");
    let by_digest = |seen: &Seen| seen.method == "PUT" && seen.path.contains("/manifests/sha256:");
    check(by_digest, || Act::answer(502), "answers 502 Bad Gateway");
}

#[test]
fn refusals_are_final() {
    let check = |status, words: &str| {
        let (result, events, server) =
            push(options(), None, move |_, seen| (seen.method == "POST").then(|| Act::answer(status)));
        let text = result.unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
        assert_eq!(waits(&events).len(), 0);
        assert!(server.lines().iter().all(|line| !line.starts_with("PUT")));
    };
    check(403, "answers 403 Forbidden\nhint: run `docker login 127.0.0.1:");
    check(405, "answers 405 Method Not Allowed");
    check(307, "answers 307 Temporary Redirect");
}

#[test]
fn an_upload_is_continued() {
    let kept = 100_000;
    let (result, _, server) = push(options(), None, move |_, seen| match (seen.method.as_str(), seen.path.as_str()) {
        ("PUT", path) if path.ends_with(&layer_path()) && path.contains("/first?") => Some(Act::Cut(kept)),
        ("GET", path) if path.ends_with("/first") => Some(
            Act::answer(204)
                .header("Range", format!("0-{}", kept - 1))
                .header("Location", "/v2/a/b/blobs/uploads/second?state=1"),
        ),
        ("PATCH", _) => Some(Act::answer(202).header("Location", "/v2/a/b/blobs/uploads/third?state=2")),
        _ => None,
    });
    assert_eq!(result.unwrap().sent_blobs, 2);
    let content = Content::new();
    let seen = server.seen();
    let patch = seen.iter().find(|seen| seen.method == "PATCH").unwrap();
    assert_eq!(patch.path, "/v2/a/b/blobs/uploads/second?state=1");
    assert_eq!(patch.header("content-range"), Some(format!("{kept}-{}", content.layer.len() - 1).as_str()));
    assert!(patch.body == content.layer[kept..]);
    let close = seen.iter().find(|seen| seen.path.contains("/third?")).unwrap();
    assert_eq!(close.path, format!("/v2/a/b/blobs/uploads/third?state=2&digest={}", layer_path()));
    assert!(close.body.is_empty());
}

#[test]
fn an_upload_that_is_not_known_any_more_begins_anew() {
    let answers: [fn() -> Act; 4] = [
        || Act::answer(404),
        || Act::answer(204),
        || Act::answer(204).header("Range", "0-0"),
        || Act::answer(204).header("Range", "0-99999999"),
    ];
    for status in answers {
        let cut = AtomicUsize::new(0);
        let (result, _, server) = push(options(), None, move |_, seen| match seen.method.as_str() {
            "GET" => Some(status()),
            _ if brings_layer(seen) && cut.fetch_add(1, Ordering::SeqCst) == 0 => Some(Act::Cut(100_000)),
            _ => None,
        });
        assert_eq!(result.unwrap().sent_blobs, 2);
        let whole = server.seen().into_iter().rfind(brings_layer).unwrap();
        assert!(whole.body == Content::new().layer);
    }
}

#[test]
fn an_upload_whose_rest_is_refused_begins_anew() {
    let cut = AtomicUsize::new(0);
    let (result, _, server) = push(options(), None, move |_, seen| match seen.method.as_str() {
        "GET" => Some(Act::answer(204).header("Range", "0-99999").header("Location", "/v2/a/b/blobs/uploads/next")),
        "PATCH" => Some(Act::answer(416)),
        _ if brings_layer(seen) && cut.fetch_add(1, Ordering::SeqCst) == 0 => Some(Act::Cut(100_000)),
        _ => None,
    });
    result.unwrap();
    assert_eq!(server.seen().into_iter().filter(brings_layer).count(), 2);
}

#[test]
fn an_answer_that_was_lost_is_not_needed() {
    let arrived = Mutex::new(false);
    let digest = Content::new().layer_digest().to_string();
    let (result, _, server) = push(options(), None, move |_, seen| {
        let mut arrived = arrived.lock().unwrap();
        if seen.method == "HEAD" && seen.path.ends_with(&digest) && *arrived {
            return Some(Act::answer(200));
        }
        brings_layer(seen).then(|| {
            *arrived = true;
            Act::Cut(usize::MAX)
        })
    });
    assert_eq!(result.unwrap().sent_blobs, 2);
    assert_eq!(server.seen().into_iter().filter(brings_layer).count(), 1);
}

#[test]
fn mounts_are_tried() {
    let check = |act: Option<fn() -> Act>, sent: u64, mounted: u64, posts: usize| {
        let (result, _, server) = push(options(), Some("other"), move |_, seen| {
            let mounts = seen.method == "POST" && seen.path.contains("mount=");
            act.filter(|_| mounts).map(|act| act())
        });
        let pushed = result.unwrap();
        assert_eq!((pushed.sent_blobs, pushed.mounted), (sent, mounted));
        let seen = server.seen();
        assert_eq!(seen.iter().filter(|seen| seen.method == "POST").count(), posts);
        let mount = format!("/v2/a/b/blobs/uploads/?mount={}&from=other", layer_path());
        assert!(seen.iter().any(|seen| seen.path == mount));
    };
    check(Some(|| Act::answer(201)), 1, 1, 2);
    // it offers an upload instead
    check(None, 2, 0, 2);
    // it does not know mounts, or does not let us
    check(Some(|| Act::answer(405)), 2, 0, 3);
    check(Some(|| Act::answer(403)), 2, 0, 3);
    check(Some(|| Act::answer(401)), 2, 0, 3);
}

#[test]
fn silence_ends() {
    let mut impatient = options();
    impatient.timeouts.idle = Duration::from_millis(100);
    impatient.timeouts.answer = Duration::from_millis(100);
    let (result, ..) = push(impatient, None, |_, seen| brings_layer(seen).then(|| Act::Stall(Vec::new())));
    let error = result.unwrap_err();
    assert!(error.to_string().contains("no byte has come or gone for 100ms (3 attempts)"), "{error}");
}

#[test]
fn another_digest_at_the_registry_is_an_error() {
    let (result, _, server) = push(options(), None, |_, seen| {
        let other = crate::oci::Digest::of(b"other").to_string();
        let manifest = seen.method == "PUT" && seen.path.contains("/manifests/");
        manifest.then(|| Act::answer(201).header("Docker-Content-Digest", other))
    });
    assert!(matches!(result.unwrap_err(), EngineError::WrongDigest { .. }));
    assert!(!server.lines().contains(&"PUT /v2/a/b/manifests/new".to_owned()));
}

#[test]
fn a_file_that_is_too_short_is_not_sent() {
    let content = Content::new();
    let server = Server::start(|seen| {
        if seen.method == "POST" {
            Act::answer(202).header("Location", "/v2/a/b/blobs/uploads/x")
        } else if seen.method == "PUT" {
            Act::answer(201)
        } else {
            Act::answer(404)
        }
    });
    let (kept, registry) = (Kept::new(), Registry::new(options()));
    let request = content.request(&server.name(), "new", &kept.root(), None);
    std::fs::write(&request.images[0].blobs[0].path, b"short").unwrap();
    let (result, _) = with_events(async |events| registry.push(&request, events).await);
    let error = result.unwrap_err();
    assert!(error.to_string().contains("has 5 bytes, not 1004000"), "{error}");
    assert!(!server.seen().into_iter().any(|seen| brings_layer(&seen)));
}
