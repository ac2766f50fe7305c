//! Images that are told here, and what is advised for them.

use super::*;

const MIB: u64 = 1 << 20;

fn component(name: &str, mib: u64) -> ComponentFacts {
    let role = RoleFacts {
        name: name.to_owned(),
        user: "65532:65532".to_owned(),
        boundary: Some("unprivileged".to_owned()),
        ..RoleFacts::default()
    };
    let weight = Some(Weight { bytes: 2 * mib * MIB, gzip: mib * MIB });
    ComponentFacts { name: name.to_owned(), roles: vec![role], weight, ..ComponentFacts::default() }
}

fn image(components: Vec<ComponentFacts>) -> ImageFacts {
    ImageFacts {
        id: "app".to_owned(),
        mode: "colocated".to_owned(),
        base: "scratch".to_owned(),
        platforms: vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()],
        components,
        ..ImageFacts::default()
    }
}

fn finding(rule: &str, components: &[&str], accepted: Option<&str>) -> FindingFacts {
    FindingFacts {
        rule: rule.to_owned(),
        message: "words".to_owned(),
        accepted: accepted.map(str::to_owned),
        is_denied: accepted.is_none(),
        components: components.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// The verdict of the image, and whoever is kept apart.
fn check(facts: ImageFacts, verdict: Verdict, apart: &[&str]) -> ImageAdvice {
    let advice = advise(&[facts]).images.remove(0);
    let kept: Vec<&str> = advice
        .components
        .iter()
        .filter(|own| own.verdict == Verdict::KeepApart)
        .map(|own| own.component.as_str())
        .collect();
    assert_eq!((advice.verdict, &kept[..]), (verdict, apart), "{advice:#?}");
    advice
}

fn kinds(reasons: &[Reason]) -> Vec<(&str, Leaning)> {
    reasons.iter().map(|reason| (reason.kind, reason.leans)).collect()
}

#[test]
fn equals_are_merged() {
    check(image(vec![component("a", 20), component("b", 20)]), Verdict::Merge, &[]);
    check(image(vec![component("a", 20)]), Verdict::Nothing, &[]);
    check(image(vec![]), Verdict::Nothing, &[]);
}

#[test]
fn what_dominates_is_split_off() {
    // VolSync: one mover of five is 522 of 718 MB
    let movers = vec![
        component("rclone", 50),
        component("restic", 50),
        component("rsync", 48),
        component("syncthing", 48),
        component("volsync", 522),
    ];
    let advice = check(image(movers), Verdict::Split, &["volsync"]);
    assert_eq!(advice.split_off, ["volsync"]);
    assert!(advice.components[4].reasons[0].text.starts_with("it is 72.7 % of the bytes: 522.0 MiB of 718.0 MiB gzip"));
    check(image(vec![component("a", 100), component("b", 10)]), Verdict::KeepApart, &["a"]);
    // at the threshold, and below it
    check(image(vec![component("a", 60), component("b", 40)]), Verdict::KeepApart, &["a"]);
    check(image(vec![component("a", 59), component("b", 41)]), Verdict::Merge, &[]);
    // small change
    check(image(vec![component("a", 9), component("b", 1)]), Verdict::Merge, &[]);
    // payload is what all the others need
    let payload = ComponentFacts { roles: Vec::new(), ..component("data", 900) };
    check(image(vec![component("a", 1), component("b", 1), payload]), Verdict::Merge, &[]);
}

#[test]
fn sizes_that_are_not_known_decide_nothing() {
    let unknown = ComponentFacts { weight: None, ..component("b", 0) };
    let advice = check(image(vec![component("a", 900), unknown]), Verdict::Merge, &[]);
    assert!(advice.reasons.iter().any(|reason| reason.text.starts_with("sizes not known: build first")), "{advice:#?}");
}

#[test]
fn boundaries_keep_apart_unless_accepted() {
    let mut root = component("c", 1);
    root.roles[0].boundary = Some("privileged".to_owned());
    let facts = image(vec![component("a", 1), component("b", 1), root]);
    check(facts.clone(), Verdict::Split, &["c"]);
    let accepted =
        FindingFacts { accepted: Some("one node".to_owned()), ..finding("boundary-crossing", &["c"], Some("x")) };
    let advice = check(ImageFacts { findings: vec![accepted], ..facts }, Verdict::Merge, &[]);
    assert!(
        advice.components[2].reasons.iter().any(|reason| reason.text.ends_with("accepts that: one node")),
        "{advice:#?}"
    );
}

#[test]
fn rules_keep_apart_what_they_deny() {
    let with = |rule, accepted| ImageFacts {
        findings: vec![finding(rule, &["a", "b"], accepted)],
        ..image(vec![component("a", 1), component("b", 1), component("c", 1)])
    };
    check(with("port-collision", None), Verdict::Split, &["b"]);
    check(with("path-collision", None), Verdict::Split, &["b"]);
    check(with("cadence-crossing", None), Verdict::KeepApart, &["a", "b"]);
    check(with("unmet-need", None), Verdict::KeepApart, &["a", "b"]);
    check(with("port-collision", Some("never in one pod")), Verdict::Merge, &[]);
    check(with("cadence-crossing", Some("released together")), Verdict::Merge, &[]);
}

#[test]
fn platforms_and_users_are_told() {
    let left_out = |count: usize| {
        let all = ["linux/amd64", "linux/arm64", "linux/s390x"].map(str::to_owned);
        let own = ComponentFacts { excluded: all[..count].to_vec(), ..component("b", 1) };
        ImageFacts { platforms: all.to_vec(), ..image(vec![component("a", 1), own]) }
    };
    check(left_out(1), Verdict::Merge, &[]);
    check(left_out(2), Verdict::KeepApart, &["b"]);
    let mut root = component("b", 1);
    root.roles[0].user = "0:0".to_owned();
    let advice = check(image(vec![component("a", 1), root]), Verdict::Merge, &[]);
    assert_eq!(kinds(&advice.reasons), [("user", Leaning::Neither)]);
}

#[test]
fn shared_bytes_lean_to_merging() {
    let weight = |gzip| Weight { bytes: gzip * 2, gzip };
    let modes = [("split", 100), ("colocated", 100), ("multicall", 40)];
    let modes = modes.map(|(mode, gzip)| (mode.to_owned(), weight(gzip))).into();
    let advice = check(ImageFacts { modes, ..image(vec![component("a", 1), component("b", 1)]) }, Verdict::Merge, &[]);
    assert_eq!(kinds(&advice.reasons), [("sharing", Leaning::Neither), ("sharing", Leaning::Merge)]);
    assert_eq!(advice.reasons[1].text, "multicall has 40 B unique bytes gzip, split 100 B (-60.0 %)");
}

#[test]
fn init_containers_are_those_that_wait() {
    let mut waiting = component("b", 1);
    waiting.roles[0].waits_for = vec!["a".to_owned(), "elsewhere".to_owned()];
    let advice = check(image(vec![component("a", 1), waiting]), Verdict::Merge, &[]);
    assert_eq!(advice.init_containers.len(), 1);
    assert!(advice.init_containers[0].starts_with("`b` waits for `a`: "), "{advice:#?}");
    let advice = check(image(vec![component("a-init", 1), component("setup-b", 1)]), Verdict::Merge, &[]);
    assert!(advice.init_containers[0].starts_with("`a-init`, `setup-b` are called like init"), "{advice:#?}");
    let advice = check(image(vec![component("waiter", 1), component("initial", 1)]), Verdict::Merge, &[]);
    assert!(advice.init_containers.is_empty());
}

#[test]
fn names_mark_nothing_up() {
    let facts = image(vec![component("a<b>|c", 1), component("d", 1)]);
    let text = markdown(&advise(&[facts]));
    assert!(text.contains("| a&lt;b&gt;\\|c  2.0 MiB"), "{text}");
}
