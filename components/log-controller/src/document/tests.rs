use super::*;
use crate::yaml;

/// Reads one file and compares its problems, each as `line: part of the message`.
fn check(text: &str, expected_documents: usize, expected_problems: &[(usize, &str)]) -> Vec<Document> {
    let (documents, problems) = read("a.yaml", yaml::parse(text).expect("this is YAML"));
    assert_eq!(documents.len(), expected_documents, "{text}: {problems:?}");
    assert_eq!(problems.len(), expected_problems.len(), "{text}: {problems:?}");
    for (problem, (line, part)) in problems.iter().zip(expected_problems) {
        assert!(
            problem.place.line == *line && problem.message.contains(part),
            "{text}: {problem} is not {line}: {part}"
        );
    }
    documents
}

#[test]
fn a_flow_is_read() {
    let text = "kind: flow\nname: shop\nmatch: {b: '2', a: 1}\nfilters:\n  - {type: drop, key: x}\n  \
                - {type: grep, key: k, pattern: p}\n  - {type: add, key: k, value: v}\noutputs: [y, x]\n";
    let [Document::Flow(flow)] = &check(text, 1, &[])[..] else { panic!("this is one flow") };
    let pair = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
    assert_eq!(flow.labels, [("a", "1"), ("b", "2")].map(pair), "sorted by key");
    assert_eq!(flow.outputs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["x", "y"], "sorted");
    let owned = str::to_owned;
    let expected = [
        Filter::Drop { key: owned("x") },
        Filter::Grep { key: owned("k"), pattern: owned("p") },
        Filter::Add { key: owned("k"), value: owned("v") },
    ];
    assert_eq!(flow.filters, expected, "in their order");
}

#[test]
fn outputs_are_read() {
    check("kind: output\nname: a\ntype: stdout\n", 1, &[]);
    check("kind: output\nname: a\ntype: file\npath: /x\nformat: text\n", 1, &[]);
    check("kind: output\nname: a\ntype: http\nurl: http://x/\nheaders: {X-A: b}\n", 1, &[]);
}

#[test]
fn every_mistake_is_found_at_once() {
    check(
        "kind: flow\nname: Shop\nmatch: app\nfilters:\n  - {type: grep, key: k}\n  - {type: nope}\noutput: [x]\n",
        0,
        &[
            (2, "`name` is \"Shop\"; expected lower case"),
            (3, "`match` must be a map"),
            (5, "the field `pattern` is missing"),
            (6, "`type` is \"nope\"; expected one of add, drop, grep"),
            (1, "the field `outputs` is missing"),
            (7, "a flow has no field `output`; did you mean `outputs`?"),
        ],
    );
    check(
        "kind: output\nname: a\ntype: file\npath: x\nurl: http://x/\n---\nkind: output\n",
        0,
        &[
            (4, "`path` is \"x\"; expected an absolute path"),
            (5, "the output type `file` has no field `url`; it knows kind, name, type, path"),
            (7, "the field `name` is missing"),
            (7, "the field `type` is missing"),
        ],
    );
}

#[test]
fn values_must_make_sense() {
    check("- a\n", 0, &[(1, "a document must be a map of fields")]);
    check("kind: floww\n", 0, &[(1, "expected one of flow, output")]);
    check("name: x\n", 0, &[(1, "the field `kind` is missing")]);
    check("kind: output\nname: a\ntype: http\nurl: ftp://x\n", 0, &[(4, "expected a URL")]);
    check("kind: output\nname: a\ntype: http\nurl: http://a b\n", 0, &[(4, "expected a URL")]);
    check("kind: output\nname: a\ntype: stdout\nformat: xml\n", 0, &[(4, "expected one of json, text")]);
    check("kind: output\nname: [a]\ntype: stdout\n", 0, &[(2, "`name` must be a single value")]);
    check("kind: flow\nname: a\nmatch: {}\noutputs: []\n", 0, &[(4, "`outputs` is empty")]);
    check("kind: flow\nname: a\nmatch: {x: ''}\noutputs: [o]\n", 0, &[(3, "`x` is empty")]);
}
