//! Properties that hold for all rules and all texts; always the same ones, since the seed is fixed. `GROUPAGE_FUZZ_SECONDS`
//! goes on for longer.

use std::time::{Duration, Instant};

use groupage::migrate::modifiers::backups::Backups;
use groupage::migrate::modifiers::emit::Inventory;
use groupage::migrate::modifiers::fix::{How, fix};
use groupage::migrate::modifiers::lint::{Options, lint};
use groupage::migrate::modifiers::rule::{Conditions, Expression, Match, Modifiers, Patch, Rule, Selector};
use groupage::migrate::modifiers::{escape, print};
use groupage::source::{FileId, SourceFile, SourceMap};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

fn check<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"groupage: the same on every box.");
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(strategy, property) {
        panic!("{error}");
    }
}

fn id(text: &str) -> FileId {
    SourceMap::default().add(SourceFile::new("input.yaml", text))
}

/// Texts that YAML, JSON or Velero could take for something else, and any others.
fn text() -> impl Strategy<Value = String> {
    let odd = [
        "",
        " ",
        "\n",
        "a\n",
        "a\n\n",
        " a",
        "a ",
        "a\n  b\n",
        "\ta",
        "a: b",
        "- a",
        "# a",
        "a # b",
        "1.16",
        "null",
        "~",
        "yes",
        "0644",
        "{}",
        "[a]",
        "\"1.16\"",
        "say \"hi\"",
        "\\",
        "a\\nb",
        "'",
        "|",
        ">",
        "&a",
        "*a",
        "!a",
        "%",
        "@",
        "`",
        "---",
        "...",
        "<<",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "\u{7f}",
        "a\r\nb",
        "ü",
        "\u{1f600}",
        "/spec/template/",
        "^(a|b)$",
        "a\n\tb\n",
        "\u{fffe}",
    ];
    prop_oneof![
        3 => proptest::sample::select(odd.to_vec()).prop_map(str::to_owned),
        2 => "[a-z/~.$^-]{0,12}",
        1 => "[ -~\n\t]{0,24}",
        1 => any::<String>(),
    ]
}

fn patch() -> impl Strategy<Value = Patch> {
    (text(), text(), text(), text()).prop_map(|(operation, from, path, value)| Patch { operation, from, path, value })
}

fn selector() -> impl Strategy<Value = Selector> {
    let expression =
        (text(), text(), vec(text(), 0..3)).prop_map(|(key, operator, values)| Expression { key, operator, values });
    (btree_map(text(), text(), 0..3), vec(expression, 0..3))
        .prop_map(|(match_labels, match_expressions)| Selector { match_labels, match_expressions })
}

fn rule() -> impl Strategy<Value = Rule> {
    let matches = vec((text(), text()).prop_map(|(path, value)| Match { path, value }), 0..3);
    let conditions = (text(), text(), vec(text(), 0..3), option::of(selector()), matches).prop_map(
        |(group_resource, resource_name_regex, namespaces, label_selector, matches)| Conditions {
            group_resource,
            resource_name_regex,
            namespaces,
            label_selector,
            matches,
        },
    );
    (conditions, vec(patch(), 0..3), vec(text(), 0..3), vec(text(), 0..3)).prop_map(
        |(conditions, patches, merge_patches, strategic_patches)| Rule {
            conditions,
            patches,
            merge_patches,
            strategic_patches,
        },
    )
}

#[test]
fn what_is_printed_is_the_same_rule() {
    check(300, &(vec(rule(), 1..4), text()), |(rules, version)| {
        let modifiers = Modifiers { version, rules };
        let printed = print::modifiers(&modifiers);
        for (text, what) in
            [(printed.clone(), "a file"), (print::config_map("velero", "m", "rules.yaml", &modifiers), "a ConfigMap")]
        {
            let read = lint(id(&text), &text, &Options::default());
            prop_assert_eq!(read.written.len(), 1, "{}: {:?}\n{}", what, read.findings.first(), text);
            prop_assert_eq!(&read.written[0].meant(), &modifiers, "{}:\n{}", what, text);
        }
        Ok(())
    });
}

#[test]
fn texts_arrive_as_they_are() {
    check(3000, &text(), |text| {
        prop_assert_eq!(escape::to_json(&escape::of_text(&text)).ok(), Some(serde_json::Value::from(text)));
        Ok(())
    });
}

/// A rule on what rolls out, whose repair is asked for.
fn template_rule() -> impl Strategy<Value = Rule> {
    let paths = [
        "",
        "/metadata/labels",
        "/metadata/labels/a",
        "/spec",
        "/spec/affinity",
        "/spec/affinity/nodeAffinity",
        "/spec/containers/0/image",
        "/spec/tolerations/-",
        "/",
    ];
    let paths = (proptest::sample::select(paths.to_vec()), any::<bool>())
        .prop_map(|(path, inside)| if inside { format!("/spec/template{path}") } else { format!("/spec{path}") });
    let operation = proptest::sample::select(vec!["add", "remove", "Replace", "test", "move", "copy"]);
    let value = proptest::sample::select(vec!["{}", "{\"a\": \"b\"}", "x", "1.16", "null", "{", "[1]"]);
    let patch = (operation, paths.clone(), paths, value).prop_map(|(operation, from, path, value)| {
        let from = if ["move", "copy"].contains(&operation) { from } else { String::new() };
        Patch { operation: operation.to_owned(), from, path, value: value.to_owned() }
    });
    let target = proptest::sample::select(vec![
        "deployments.apps",
        "statefulsets.apps",
        "*.apps",
        "rollouts.argoproj.io",
        "pods",
    ]);
    let regex = proptest::sample::select(vec!["", "^web$", "^(a|b)$", "web", "(?m)a$"]);
    (target, regex, vec(patch, 1..5)).prop_map(|(target, regex, patches)| Rule {
        conditions: Conditions {
            group_resource: target.to_owned(),
            resource_name_regex: regex.to_owned(),
            ..Conditions::default()
        },
        patches,
        ..Rule::default()
    })
}

#[test]
fn repairs_are_whole_and_leave_the_rest() {
    let how = proptest::sample::select(vec![How::Pods, How::Triple]);
    check(400, &(vec(template_rule(), 1..4), how, any::<bool>(), any::<bool>()), |(rules, how, crlf, in_map)| {
        let modifiers = Modifiers { version: "v1".to_owned(), rules };
        let text =
            if in_map { print::config_map("velero", "m", "a", &modifiers) } else { print::modifiers(&modifiers) };
        let text = format!("# above\n{text}# below\n");
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        let options = Options::default();
        let first = fix(id(&text), &text, &lint(id(&text), &text, &options), how, &options);
        let fixed = first.apply(&text).expect("no overlap");
        prop_assert!(fixed.starts_with("# above") && fixed.trim_end().ends_with("# below"), "{}", fixed);
        prop_assert_eq!(fixed.matches('\n').count(), fixed.lines().count());
        prop_assert!(!crlf || fixed.matches("\r\n").count() == fixed.matches('\n').count(), "{}", fixed);
        let read = lint(id(&fixed), &fixed, &options);
        prop_assert!(
            !read.findings.iter().any(|finding| ["syntax", "unknown-field", "no-rules"].contains(&finding.code)),
            "{}\n{:?}",
            fixed,
            read.findings
        );
        let refused = first.notes.iter().filter(|note| note.code == "not-converted").count();
        let left = read.findings.iter().filter(|finding| finding.code == "rollout").count();
        prop_assert!(left <= refused, "{} of {} rules still replace pods:\n{}\n{}", left, refused, text, fixed);
        let second = fix(id(&fixed), &fixed, &read, how, &options);
        prop_assert_eq!(second.apply(&fixed).expect("no overlap"), fixed, "{}", text);
        Ok(())
    });
}

// ---- texts that nobody means

/// All that takes a text of somebody else.
fn everything(text: &str) {
    let file = id(text);
    let backups = Backups::read(file, text).unwrap_or_default();
    _ = Inventory::read(file, text);
    for (options, how) in [
        (Options::default(), How::Pods),
        (Options { backups: Some(&backups), velero: "1.12".parse().ok() }, How::Triple),
    ] {
        let read = lint(file, text, &options);
        let fix = fix(file, text, &read, how, &options);
        fix.apply(text).expect("no overlap");
        for finding in read.findings.iter().chain(&fix.notes) {
            for label in &finding.labels {
                let range = label.span.range();
                assert!(
                    range.start <= range.end && range.end <= text.len(),
                    "{range:?} of {}: {finding:?}",
                    text.len()
                );
            }
        }
    }
}

/// Numbers that are the same everywhere (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (bound.max(1) as u64)).expect("it is below")
    }
}

/// A text with some bytes, words or lines changed.
fn mutated(random: &mut Random, seeds: &[String]) -> String {
    const WORDS: &[&str] = &[
        "- ",
        "  ",
        "\n",
        "\t",
        ": ",
        "|",
        ">-",
        "&a ",
        "*a",
        "<<: *a",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "#",
        "---\n",
        "\u{feff}",
        "ü",
        "\r\n",
        "~",
        "null",
        "1.16",
        "!!str ",
        "/spec/template",
        "initContainers/0",
        "patches:",
        "conditions:",
        "deployments.apps",
        "\u{2028}",
    ];
    let mut text = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(6) {
        let mut at = random.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let mut end = (at + random.below(40)).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        match random.below(5) {
            0 => text.insert_str(at, WORDS[random.below(WORDS.len())]),
            1 => text.replace_range(at..end, ""),
            2 => text.replace_range(at..end, WORDS[random.below(WORDS.len())]),
            3 => {
                let part = text[at..end].to_owned();
                text.insert_str(at, &part);
            }
            _ => {
                let other = &seeds[random.below(seeds.len())];
                let mut from = random.below(other.len() + 1);
                while !other.is_char_boundary(from) {
                    from -= 1;
                }
                text.insert_str(at, other[from..].lines().next().unwrap_or_default());
            }
        }
    }
    text
}

#[test]
fn no_text_makes_it_panic() {
    let mut seeds: Vec<String> = super::cases::folders()
        .iter()
        .filter_map(|folder| std::fs::read_to_string(folder.join("input.yaml")).ok())
        .collect();
    seeds.retain(|text| text.len() < 8000);
    seeds.iter().for_each(|text| everything(text));
    let seconds = std::env::var("GROUPAGE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(0));
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut rounds = 0;
    while rounds < 1000 || Instant::now() < end {
        everything(&mutated(&mut random, &seeds));
        rounds += 1;
    }
}

#[test]
fn hostile_texts_are_bounded() {
    let rules = |rule: &str, times: usize| format!("version: v1\nresourceModifierRules:\n{}", rule.repeat(times));
    let started = Instant::now();
    for text in [
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "{a: ".repeat(100_000),
        "a: &a [*a, *a]\n".to_owned(),
        format!("a: &a1 [x]\n{}", (2..60).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1)).collect::<String>()),
        rules("- conditions: {groupResource: pods}\n  patches: [{operation: remove, path: /a}]\n", 3_000),
        rules(&format!("- conditions: {{groupResource: \"{}\"}}\n", "*a".repeat(1000)), 3),
        rules(&format!("- conditions: {{groupResource: \"{}\"}}\n", "{a,".repeat(5000)), 3),
        rules(
            &format!(
                "- conditions: {{groupResource: pods, resourceNameRegex: \"{}\"}}\n",
                "(a{1,1000}){1,1000}".repeat(20)
            ),
            3,
        ),
        rules(&format!("- conditions: {{groupResource: pods, resourceNameRegex: '{}'}}\n", "(".repeat(50_000)), 1),
        rules(&format!("- conditions: {{groupResource: pods, resourceNameRegex: '{}'}}\n", "\\Qa\\E".repeat(5_000)), 1),
        rules(
            &format!(
                "- conditions: {{groupResource: deployments.apps}}\n  patches: [{{operation: add, path: '/spec/template{}', value: '{{}}'}}]\n",
                "/a".repeat(20_000)
            ),
            1,
        ),
        "---\n".repeat(10_000),
        format!("a: |\n{}", "  x\n".repeat(100_000)),
        "\u{feff}version: v1\r\n\tresourceModifierRules: {{ .Values.rules }}\r\n".to_owned(),
    ] {
        everything(&text);
    }
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}
