//! What is added to promoter manifests, and what stays.

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
