//! What is added to promoter manifests, and what stays.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::source::{SourceFile, SourceMap};

fn digest(number: usize) -> Digest {
    Digest::of(&[number as u8])
}

/// `D1` and the like in a text become digests.
fn with_digests(text: &str) -> String {
    (1..=9).fold(text.to_owned(), |text, number| text.replace(&format!("D{number}"), &digest(number).to_string()))
}

fn promotion(name: &str, number: usize, tag: &str) -> Promotion {
    Promotion { name: name.into(), tag: tag.into(), digest: digest(number) }
}

fn id(text: &str) -> FileId {
    SourceMap::default().add(SourceFile::new("images.yaml", text))
}

/// The text with some promotions; what was there is there, in order, and a second time changes nothing.
#[track_caller]
fn check(text: &str, promotions: &[(&str, usize, &str)], expect: &str) {
    let (text, expect) = (with_digests(text), with_digests(expect));
    let promotions: Vec<Promotion> =
        promotions.iter().map(|(name, number, tag)| promotion(name, *number, tag)).collect();
    let recording = Recording::new(id(&text), &text, &promotions).unwrap();
    assert_eq!(recording.apply(), expect);
    let mut rest = expect.bytes();
    assert!(text.bytes().all(|byte| rest.any(|other| other == byte)), "bytes are only added");
    let again = Recording::new(id(&expect), &expect, &promotions).unwrap();
    assert!(again.is_empty() && again.apply() == expect, "{again:?}");
}

#[test]
fn blocks_are_added() {
    let block =
        |name: &str, number: usize, tag: &str| format!("- name: {name}\n  dmap:\n    \"D{number}\": [\"{tag}\"]\n");
    check("", &[("b", 2, "1"), ("a", 1, "1")], &format!("{}{}", block("a", 1, "1"), block("b", 2, "1")));
    let head = "# images\n# of us\n";
    check(head, &[("a", 1, "1")], &format!("{head}{}", block("a", 1, "1")));
    let other = block("z", 9, "1");
    check(&other, &[("a", 1, "1")], &format!("{other}{}", block("a", 1, "1")));
    check(other.trim_end(), &[("a", 1, "1")], &format!("{other}{}", block("a", 1, "1")));
    let crlf = other.replace('\n', "\r\n");
    check(&crlf, &[("a", 1, "1")], &format!("{crlf}{}", block("a", 1, "1").replace('\n', "\r\n")));
    let deep = "  - name: z\n    dmap: {}\n";
    check(deep, &[("a", 1, "1")], &format!("{deep}  - name: a\n    dmap:\n      \"D1\": [\"1\"]\n"));
}

#[test]
fn tags_join_their_digest() {
    let text = "- name: a\n  dmap:\n    \"D1\": [\"v1\", 'v3']  # two\n- name: a\n  dmap: {}\n";
    check(text, &[("a", 1, "v2")], &text.replace("'v3'", "\"v2\", 'v3'"));
    check(text, &[("a", 1, "v4")], &text.replace("'v3'", "'v3', \"v4\""));
    check(text, &[("a", 1, "v4"), ("a", 1, "v0")], &text.replace("\"v1\", 'v3'", "\"v0\", \"v1\", 'v3', \"v4\""));
    check("- name: a\n  dmap: {D1: []}\n", &[("a", 1, "1")], "- name: a\n  dmap: {D1: [\"1\"]}\n");
    let lines = "- name: a\n  dmap:\n    D1:\n    - v1\n    # the third\n    - v3";
    check(lines, &[("a", 1, "v2")], &lines.replace("    # the", "    - \"v2\"\n    # the"));
    check(lines, &[("a", 1, "v4")], &format!("{lines}\n    - \"v4\"\n"));
    let unsorted = "- name: a\n  dmap:\n    D1: [v3, v1]\n";
    check(unsorted, &[("a", 1, "v2")], &unsorted.replace("v1", "v1, \"v2\""));
}

#[test]
fn digests_join_the_last_block_of_their_name() {
    let text = "- name: a\n  dmap:\n    \"D1\": [\"v1\"]\n- name: b\n  dmap:\n    \"D2\": [\"v1\"]\n- name: a\n  dmap:\n    \"D3\": [\"v3\"] # x\n\n# after\n";
    check(text, &[("a", 4, "v4")], &text.replace("# x\n", "# x\n    \"D4\": [\"v4\"]\n"));
    check(text, &[("a", 4, "v2")], &text.replace("    \"D3\"", "    \"D4\": [\"v2\"]\n    \"D3\""));
    check("- name: a\n  dmap: {}\n", &[("a", 1, "1")], "- name: a\n  dmap: {\"D1\": [\"1\"]}\n");
    check(
        "- name: a\n  dmap: {D1: [\"1\"]}\n",
        &[("a", 2, "2")],
        "- name: a\n  dmap: {D1: [\"1\"], \"D2\": [\"2\"]}\n",
    );
    let commented = "- name: a\n  dmap:\n    # 1.0\n    D1: [\"1\"]\n    # 3.0\n    # of may\n    D3:\n    - \"3\"\n";
    check(commented, &[("a", 2, "2")], &commented.replace("    # 3.0", "    \"D2\": [\"2\"]\n    # 3.0"));
    check(commented, &[("a", 4, "4")], &format!("{commented}    \"D4\": [\"4\"]\n"));
}

#[test]
fn blocks_that_are_sorted_by_digest_stay_so() {
    let mut numbers: Vec<usize> = (1..=5).collect();
    numbers.sort_by_key(|number| digest(*number));
    let line = |index: usize, tag: &str| format!("    \"{}\": [\"{tag}\"]\n", digest(numbers[index]));
    let head = "- name: a\n  dmap:\n";
    let text = format!("{head}{}{}{}", line(0, "9"), line(2, "1"), line(4, "5"));
    let expect = format!("{head}{}{}{}{}", line(0, "9"), line(2, "1"), line(3, "4"), line(4, "5"));
    check(&text, &[("a", numbers[3], "4")], &expect);
}

#[test]
fn what_cannot_be_added_is_refused() {
    let refused = |text: &str, promotions: &[Promotion]| {
        let text = with_digests(text);
        let problems = Recording::new(id(&text), &text, promotions).unwrap_err();
        problems.iter().map(|problem| problem.code).collect::<Vec<_>>()
    };
    let text = "- name: a\n  dmap: {D1: [\"1\"]}\n";
    assert_eq!(refused(text, &[promotion("a", 2, "1")]), ["tag-at-two-digests"]);
    assert_eq!(refused("[{name: a, dmap: {}}]\n", &[promotion("b", 2, "1")]), ["written-in-one-line"]);
    assert_eq!(refused("- nam: a\n", &[promotion("b", 2, "1")]), ["unknown-key", "missing-key"]);
}

#[test]
fn what_is_added_is_told() {
    let text = with_digests("- name: a\n  dmap: {D1: [\"1\"]}\n");
    let recording = Recording::new(id(&text), &text, &[promotion("a", 1, "1"), promotion("a", 1, "2")]).unwrap();
    assert_eq!(recording.to_string(), format!("+ a:2 {}\n", digest(1)));
    assert_eq!(recording.added().len(), 1);
}

/// A file: blocks with a name, a comment, and digests with their tags, in one of two forms.
fn file() -> impl Strategy<Value = String> {
    let tags = |digest: usize| prop::collection::vec((0..4_u8).prop_map(move |tag| format!("v{digest}.{tag}")), 0..3);
    let entry = (1..8_usize).prop_flat_map(move |digest| (Just(digest), tags(digest), any::<bool>(), any::<bool>()));
    let block = ("[ab]", prop::collection::btree_map(1..8_usize, entry, 0..4), any::<bool>());
    prop::collection::vec(block, 0..5).prop_map(|blocks| {
        let mut text = String::new();
        for (name, entries, comment) in blocks {
            let entries: std::collections::BTreeMap<usize, _> =
                entries.into_values().map(|(digest, tags, flow, comment)| (digest, (tags, flow, comment))).collect();
            let head = if comment { "# a block\n" } else { "" };
            text += &format!("{head}- name: {name}\n  dmap:{}\n", if entries.is_empty() { " {}" } else { "" });
            for (digest, (tags, flow, comment)) in entries {
                let above = if comment { "    # an entry\n" } else { "" };
                let list = match flow || tags.is_empty() {
                    true => format!(" [{}] # after\n", tags.join(", ")),
                    false => format!("\n{}", tags.iter().map(|tag| format!("    - {tag}\n")).collect::<String>()),
                };
                text += &format!("{above}    D{digest}:{list}");
            }
        }
        with_digests(&text)
    })
}

/// What a file says, as one line for each tag.
fn said(text: &str) -> BTreeSet<String> {
    let promotions = Promotions::parse(id(text), text).unwrap();
    let lines = promotions.iter().flat_map(|(name, digest, tags)| {
        tags.into_iter().map(|tag| format!("{name} {digest} {tag}")).collect::<Vec<_>>()
    });
    lines.collect()
}

proptest! {
    /// Afterwards the file says what it said and what was added, and every byte that was there is there.
    #[test]
    fn nothing_is_lost(text in file(), new in prop::collection::vec(("[abc]", 1..8_usize, 0..6_u8), 0..5)) {
        let new: Vec<Promotion> =
            new.iter().map(|(name, digest, tag)| promotion(name, *digest, &format!("v{digest}.{tag}"))).collect();
        let recording = Recording::new(id(&text), &text, &new).unwrap();
        let mut expect = said(&text);
        expect.extend(new.iter().map(|one| format!("{} {} {}", one.name, one.digest, one.tag)));
        prop_assert_eq!(said(recording.apply()), expect);
        let mut rest = recording.apply().bytes();
        prop_assert!(text.bytes().all(|byte| rest.any(|other| other == byte)));
        prop_assert!(Recording::new(id(recording.apply()), recording.apply(), &new).unwrap().is_empty());
        let comments = |text: &str| text.matches('#').count();
        prop_assert_eq!(comments(&text), comments(recording.apply()));
    }
}
