//! Lists of tags, as registries give them and as they should not.

use super::server::{Act, Server};
use super::{options, waits, with_events};
use crate::engine::registry::Registry;

/// Tags of `a/b` at a server that does what `act` says for a query.
fn listed(act: impl Fn(&str) -> Act + Send + Sync + 'static) -> (Result<Vec<String>, String>, Vec<u64>, usize) {
    let server = Server::start(move |seen| {
        let query = seen.path.split_once('?').map_or("", |(_, query)| query);
        act(query)
    });
    let reference = format!("{}/a/b:1", server.name()).parse().unwrap();
    let registry = Registry::new(options());
    let (tags, events) = with_events(async |events| registry.tags(&reference, events).await);
    (tags.map_err(|error| error.to_string()), waits(&events), server.seen().len())
}

fn page(tags: &str) -> Act {
    Act::answer(200).body(format!("{{\"name\":\"a/b\",\"tags\":{tags}}}").as_bytes())
}

#[test]
fn pages_are_followed() {
    let (tags, _, asked) = listed(|query| match query {
        "n=1000" => page("[\"2\",\"1\"]").header("Link", "</v2/a/b/tags/list?last=1>; rel=\"next\""),
        "last=1" => page("[\"3\",\"1\"]").header("Link", "<http://other.example/v2/x/tags/list?last=3>; rel=\"next\""),
        "last=3" => page("null"),
        _ => Act::answer(404),
    });
    assert_eq!((tags.unwrap(), asked), (vec!["1".into(), "2".into(), "3".into()], 3));
}

#[test]
fn a_circle_ends() {
    let (tags, _, asked) =
        listed(|query| page("[\"1\"]").header("Link", format!("</x?{}>; rel=\"next\"", &query[..1])));
    assert_eq!((tags.unwrap(), asked), (vec!["1".to_owned()], 2));
}

#[test]
fn a_list_without_end_is_refused() {
    let (tags, _, asked) = listed(|query| page("[\"1\"]").header("Link", format!("</x?{query}1>; rel=\"next\"")));
    assert!(tags.unwrap_err().contains("its list of tags has more than 1000 pages"));
    assert_eq!(asked, 1_000);
}

#[test]
fn what_is_no_list_is_refused() {
    let check = |act: Act, expect: &str| {
        let (tags, _, _) = listed(move |_| act.clone());
        let error = tags.unwrap_err();
        assert!(error.contains(expect), "{error}");
    };
    check(Act::answer(404), "failed to list the tags of ");
    check(Act::answer(200).body(b"[]"), "its list of tags is not one");
    check(Act::answer(200).body(&vec![b' '; 1024 * 1024 + 1]), "a page of its tags has more than 1048576 bytes");
}

#[test]
fn a_registry_that_has_no_time_is_waited_for() {
    let busy = std::sync::atomic::AtomicBool::new(true);
    let (tags, waits, _) = listed(move |_| {
        let was = busy.swap(false, std::sync::atomic::Ordering::SeqCst);
        if was { Act::answer(429).header("Retry-After", "1") } else { page("[\"1\"]") }
    });
    assert_eq!((tags.unwrap(), waits), (vec!["1".to_owned()], vec![20]));
}
