//! Accounts: to whom they go, and to whom not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::content::{Content, Kept};
use super::server::{Act, Seen, Server};
use super::{options, with_events};
use crate::engine::registry::{Fetched, Registry, RegistryOptions};
use crate::engine::{EngineError, ErrorClass};
use crate::workspace::Account;

/// `user:secret`
const BASIC: &str = "Basic dXNlcjpzZWNyZXQ=";

fn password() -> Option<Account> {
    Some(Account::Password { user: "user".into(), password: "secret".into() })
}

/// Pulls `a/b:1` with an account.
fn pull(server: &Server, account: Option<Account>) -> Result<Fetched, EngineError> {
    let accounts: BTreeMap<String, Account> = account.into_iter().map(|account| (server.name(), account)).collect();
    let (registry, kept) = (Registry::new(RegistryOptions { accounts, ..options() }), Kept::new());
    let reference = format!("{}/a/b:1", server.name()).parse().unwrap();
    let want = "linux/amd64".parse().unwrap();
    let (result, _) = with_events(async |events| registry.fetch(&reference, &want, &kept.store, events).await);
    let text = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
    assert!(!["secret", "dXNlcj", "token-"].iter().any(|secret| text.contains(secret)), "{text}");
    result
}

#[track_caller]
fn denied(result: Result<Fetched, EngineError>, words: &str) {
    let error = result.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.class(), ErrorClass::Environment, "{text}");
    assert!(text.contains(words) && text.contains("\nhint: run `docker login 127.0.0.1:"), "{text}");
}

fn authorization(seen: &Seen) -> &str {
    seen.header("authorization").unwrap_or_default()
}

/// A registry that opens to one header, and asks for it so.
fn guarded(expect: &'static str, challenge: impl Fn() -> String + Send + Sync + 'static) -> Server {
    let content = Content::new();
    Server::start(move |seen| match authorization(seen) {
        given if given == expect => content.serve(seen),
        _ => Act::answer(401).header("WWW-Authenticate", challenge()),
    })
}

#[test]
fn passwords_are_sent_when_they_are_asked_for() {
    let server = guarded(BASIC, || "Basic realm=\"x\"".to_owned());
    pull(&server, password()).unwrap();
    let seen = server.seen();
    assert_eq!(authorization(&seen[0]), "", "nothing is sent before");
    assert!(seen[1..].iter().all(|seen| authorization(seen) == BASIC), "and it is remembered");
    assert_eq!(seen.len(), 4);
}

#[test]
fn refusals_end() {
    let server = guarded("Basic other", || "Basic realm=\"x\"".to_owned());
    denied(pull(&server, password()), "answers 401 Unauthorized");
    assert_eq!(server.seen().len(), 2);
    denied(pull(&server, None), "asks for an account, and none is known");
    assert_eq!(server.seen().len(), 3);
    denied(pull(&server, Some(Account::Token("token-x".into()))), "takes no identity token");
    assert_eq!(server.seen().len(), 4);
}

/// A token service: it answers with `token`.
fn service(token: &'static str) -> Server {
    Server::start(move |_| Act::answer(200).body(format!("{{\"access_token\":\"{token}\"}}").as_bytes()))
}

fn challenge(service: &Server) -> impl Fn() -> String + Send + Sync + 'static {
    let name = service.name();
    move || format!("Bearer realm=\"http://{name}/token\",service=\"s\",scope=\"repository:a/b:pull\"")
}

#[test]
fn tokens_are_fetched_once() {
    let check = |account: Option<Account>, request: &str, authorized: &str, body: &str| {
        let service = service("token-1");
        let server = guarded("Bearer token-1", challenge(&service));
        pull(&server, account).unwrap();
        let seen = service.seen();
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].line().as_str(), authorization(&seen[0])), (request, authorized));
        assert_eq!(String::from_utf8_lossy(&seen[0].body), body);
        assert_eq!(server.seen().len(), 4);
    };
    let get = "GET /token?service=s&scope=repository%3Aa%2Fb%3Apull";
    check(None, get, "", "");
    check(password(), get, BASIC, "");
    let form =
        "grant_type=refresh_token&refresh_token=token-id&client_id=groupage&service=s&scope=repository%3Aa%2Fb%3Apull";
    check(Some(Account::Token("token-id".into())), "POST /token", "", form);
}

#[test]
fn a_token_that_is_refused_is_asked_for_once_more_only() {
    let service = service("token-wrong");
    let server = guarded("Bearer token-right", challenge(&service));
    denied(pull(&server, password()), "answers 401 Unauthorized");
    assert_eq!((server.seen().len(), service.seen().len()), (2, 1));
}

#[test]
fn a_token_that_has_ended_is_replaced() {
    let count = AtomicUsize::new(0);
    let service = Server::start(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        Act::answer(200).body(format!("{{\"token\":\"token-{number}\"}}").as_bytes())
    });
    let (content, challenge) = (Content::new(), challenge(&service));
    let server = Server::start(move |seen| {
        // the first token opens the manifest and nothing else
        let expect = if seen.path.contains("/manifests/") { "Bearer token-0" } else { "Bearer token-1" };
        match authorization(seen) == expect {
            true => content.serve(seen),
            false => Act::answer(401).header("WWW-Authenticate", challenge()),
        }
    });
    pull(&server, password()).unwrap();
    assert_eq!(service.seen().len(), 2);
}

#[test]
fn a_token_service_may_recover() {
    let count = AtomicUsize::new(0);
    let service = Server::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Act::answer(503),
        _ => Act::answer(200).body(b"{\"token\":\"token-1\"}"),
    });
    let server = guarded("Bearer token-1", challenge(&service));
    pull(&server, password()).unwrap();
    assert_eq!(service.seen().len(), 2);
}

#[test]
fn a_token_service_may_refuse() {
    let check = |act: fn() -> Act, words: &str| {
        let service = Server::start(move |_| act());
        let server = guarded("Bearer token-1", challenge(&service));
        let text = pull(&server, password()).unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
        assert_eq!(service.seen().len(), 1);
    };
    check(|| Act::answer(401).body(b"secret"), "answers 401 for 127.0.0.1:");
    check(|| Act::answer(200).body(b"{}"), "answers without a token");
    check(|| Act::Endless(Act::head(200, None)), "answers without a token");
}

#[test]
fn passwords_are_not_sent_without_tls() {
    let server = guarded("Bearer token-1", || "Bearer realm=\"http://auth.example/token\"".to_owned());
    let text = pull(&server, password()).unwrap_err().to_string();
    assert!(text.contains("its token service auth.example has no TLS"), "{text}");
}

#[test]
fn accounts_do_not_follow_redirects() {
    let content = Arc::new(Content::new());
    let layer = format!("/v2/a/b/blobs/{}", content.layer_digest());
    let bytes = content.layer.clone();
    let storage = Server::start(move |_| Act::answer(200).body(&bytes));
    let signed = format!("http://{}/store?X-Signature=token-signed", storage.name());
    let server = Server::start(move |seen| match authorization(seen) {
        BASIC if seen.path == layer => Act::answer(307).header("Location", &signed),
        BASIC => content.serve(seen),
        _ => Act::answer(401).header("WWW-Authenticate", "Basic realm=\"x\""),
    });
    pull(&server, password()).unwrap();
    let seen = storage.seen();
    assert_eq!((seen.len(), authorization(&seen[0])), (1, ""));
    assert_eq!(seen[0].path, "/store?X-Signature=token-signed");
}

#[test]
fn redirects_are_bounded_and_their_addresses_are_not_told() {
    let check = |location: &'static str, storage: Act, words: &str| {
        let content = Arc::new(Content::new());
        let layer = format!("/v2/a/b/blobs/{}", content.layer_digest());
        let server = Server::start(move |seen| match seen.path.split('?').next() {
            Some(path) if path == layer => Act::answer(307).header("Location", location),
            Some("/elsewhere") => storage.clone(),
            _ => content.serve(seen),
        });
        let text = pull(&server, None).unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
    };
    check("?again=token-1", Act::answer(500), "redirects more than 5 times");
    check("", Act::answer(500), "redirects more than 5 times");
    check("ftp://x/", Act::answer(500), "redirects to no address");
    let leaky = Act::answer(400).body(b"<Error><Signature>token-2</Signature></Error>");
    check("/elsewhere?signature=token-1", leaky, "answers 400 Bad Request");
}
