//! What is between here and a registry: nothing that listens, proxies, and a user who has had enough.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::content::{Content, Kept};
use super::server::{Act, Seen, Server};
use super::{ATTEMPTS, options, waits, with_events};
use crate::engine::registry::{Fetched, Proxy, Registry, RegistryOptions};
use crate::engine::{EngineError, ErrorClass, Event};

/// A registry that nobody knows but a proxy.
const FAR: &str = "registry.test";

fn pull(options: RegistryOptions, registry: &str, kept: &Kept) -> (Result<Fetched, EngineError>, Vec<Event>) {
    let registry_client = Registry::new(options);
    let reference = format!("{registry}/a/b:1").parse().unwrap();
    let want = "linux/amd64".parse().unwrap();
    with_events(async |events| registry_client.fetch(&reference, &want, &kept.store, events).await)
}

/// Nothing listens there.
fn closed() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn nobody_answers() {
    let registry = closed();
    let (result, events) = pull(options(), &registry, &Kept::new());
    let error = result.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.class(), ErrorClass::Environment);
    assert!(text.contains(&format!("cannot connect to {registry}: ")) && text.contains("\nhint: "), "{text}");
    assert_eq!(waits(&events).len() as u32, ATTEMPTS - 1);
}

/// A proxy that knows `registry.test`.
fn proxy() -> Server {
    let content = Content::new();
    Server::start(move |seen| match seen.path.strip_prefix(&format!("http://{FAR}")) {
        Some("/v2/") => Act::answer(200),
        Some(path) => content.serve(&Seen { path: path.to_owned(), ..seen.clone() }),
        None => Act::answer(403).body(b"token-proxy"),
    })
}

#[test]
fn proxies_are_used() {
    let proxy = proxy();
    let http = Some(format!("http://user:secret@{}", proxy.name()));
    let with = |plain: &[&str], https: Option<String>, none: Option<&str>| RegistryOptions {
        plain_http: plain.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>(),
        proxy: Proxy { http: http.clone(), https, none: none.map(Into::into) },
        ..options()
    };
    // plain HTTP, with an account for the proxy
    pull(with(&[FAR], None, None), FAR, &Kept::new()).0.unwrap();
    let seen = proxy.seen();
    assert!(seen.iter().all(|seen| seen.path.starts_with("http://registry.test/v2/")));
    assert_eq!(seen[0].header("proxy-authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
    // TLS goes through a tunnel, which this proxy does not give
    let text = pull(with(&[], http.clone(), None), FAR, &Kept::new()).0.unwrap_err().to_string();
    assert!(text.contains("cannot connect to registry.test: ") && !text.contains("secret"), "{text}");
    assert_eq!(proxy.seen().last().unwrap().line(), "CONNECT registry.test:443");
    // exceptions, and loopback always
    let count = proxy.seen().len();
    let text = pull(with(&[FAR], http.clone(), Some("other.test,registry.test")), FAR, &Kept::new()).0.unwrap_err();
    assert!(text.to_string().contains("cannot connect to registry.test: "), "{text}");
    let content = Content::new();
    let near = Server::start(move |seen| content.serve(seen));
    pull(with(&[], http.clone(), None), &near.name(), &Kept::new()).0.unwrap();
    assert_eq!(proxy.seen().len(), count);
    // a value that is no address
    let text = pull(with(&[], Some("http://user:secret@".into()), None), FAR, &Kept::new()).0.unwrap_err().to_string();
    assert!(text.contains("is no proxy") && !text.contains("secret"), "{text}");
}

#[test]
fn plain_http_is_for_those_that_may() {
    let proxy = proxy();
    let http = Some(format!("http://{}", proxy.name()));
    let options = RegistryOptions { proxy: Proxy { http, ..Proxy::default() }, ..options() };
    let error = pull(options, FAR, &Kept::new()).0.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Environment);
    assert!(proxy.seen().is_empty(), "not even asked");
}

#[test]
fn a_pull_that_is_dropped_leaves_nothing() {
    let content = Arc::new(Content::new());
    let layer = format!("/v2/a/b/blobs/{}", content.layer_digest());
    let asked = Arc::new(tokio::sync::Notify::new());
    let tell = Arc::clone(&asked);
    let server = Server::start(move |seen| {
        if seen.path != layer {
            return content.serve(seen);
        }
        tell.notify_one();
        Act::Stall([Act::head(200, Some(content.layer.len())), content.layer[..100_000].to_vec()].concat())
    });
    let (kept, registry) = (Kept::new(), Registry::new(options()));
    let reference = format!("{}/a/b:1", server.name()).parse().unwrap();
    let want = "linux/amd64".parse().unwrap();
    let (result, _) = with_events(async |events| {
        tokio::select! {
            result = registry.fetch(&reference, &want, &kept.store, events) => Some(result.is_ok()),
            () = asked.notified() => None,
        }
    });
    assert_eq!(result, None);
    assert!(!kept.store.path(Content::new().layer_digest()).exists());
    assert_eq!(kept.count().1, 0, "nothing half");
}
