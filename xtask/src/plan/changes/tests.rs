//! Every field of the model: whether it is hashed, and whether it is named.

mod edits;
mod found;

use std::collections::BTreeMap;

use proptest::prelude::*;

use self::edits::{EDITS, Edit, FILES, both, conf, role};
use super::*;
use crate::manifest::{BuildNetwork, Link, Mode};
use crate::plan::{
    BasePlan, BuildPlan, ComponentPlan, ConfigPlan, FilePlan, Found, Given, Input, InstallPlan, LinkPlan, Plan,
    RolePlan,
};
use crate::source::Span;

fn place() -> Span {
    Span::new(crate::source::SourceMap::default().add(crate::source::SourceFile::new("a.toml", "")), 0..0)
}

fn file(source: &str) -> Input {
    Input::File { source: source.into(), digest: fingerprint(source), mode: 0o644, seen: Default::default() }
}

fn fingerprint(text: &str) -> String {
    crate::plan::fingerprint::text(text)
}

fn text_input(text: &str) -> Input {
    Input::Text { digest: fingerprint(text), text: text.to_owned() }
}

const LOCK: &str = "[[package]]\nname = \"libc\"\nversion = \"0.2.1\"\nsource = \"registry+x\"\nchecksum = \"0a\"\n";

fn part(name: &str, build: BuildPlan) -> ComponentPlan {
    let script = matches!(build, BuildPlan::Script { .. });
    let files = matches!(build, BuildPlan::Files);
    let installed = FilePlan { input: file("c/conf"), folder: "/etc".to_owned(), place: place() };
    let link = LinkPlan { target: "bin/a".to_owned(), place: place() };
    let install = InstallPlan {
        from: "/out".to_owned(),
        to: "/bin/x".parse().unwrap(),
        mode: None,
        is_likely: false,
        place: place(),
    };
    ComponentPlan {
        name: name.parse().unwrap(),
        version: "1.0.0".to_owned(),
        features: vec!["one".parse().unwrap()],
        excluded: Vec::new(),
        installs: if files { Vec::new() } else { vec![install] },
        exe: Vec::new(),
        files: if files { [("/etc/conf".parse().unwrap(), installed)].into() } else { BTreeMap::new() },
        platform_files: BTreeMap::new(),
        links: [("/old".parse().unwrap(), link)].into(),
        roles: [(name.parse().unwrap(), Box::new(role()))].into(),
        inputs: match &build {
            BuildPlan::Cargo { .. } => {
                [("Cargo.lock".into(), text_input(LOCK)), ("src/main.rs".into(), file("c/src/main.rs"))].into()
            }
            _ if script => [("input".into(), file("c/input"))].into(),
            _ => BTreeMap::new(),
        },
        template: fingerprint(build.kind()),
        build,
        fingerprint: String::new(),
    }
}

/// One component of each build kind. With `host` cargo runs on this machine.
fn image(host: bool) -> ImagePlan {
    let cargo = BuildPlan::Cargo {
        builder: "r.example/rust:1".parse().unwrap(),
        package: "cargo".to_owned(),
        bin: "cargo".to_owned(),
        features: vec!["one".to_owned()],
        default_features: true,
        flags: vec!["--locked".to_owned()],
        link: Link::Dynamic,
        vendored: false,
        merged: Vec::new(),
    };
    let image = BuildPlan::Image { image: "r.example/source:1".parse().unwrap(), above: None };
    let script = BuildPlan::Script {
        builder: "r.example/shell:1".parse().unwrap(),
        commands: vec!["true".to_owned()],
        env: [("A".to_owned(), "b".to_owned())].into(),
    };
    let existing = edits::sample();
    let go = BuildPlan::Go {
        builder: "r.example/go:1".parse().unwrap(),
        module: "go".into(),
        package: "./cmd/go".to_owned(),
        bin: "go".to_owned(),
        tags: vec!["one".to_owned()],
        ldflags: vec!["-s".to_owned()],
        cgo: false,
        vendored: false,
        work: None,
    };
    let parts = [
        ("cargo", cargo),
        ("files", BuildPlan::Files),
        ("go", go),
        ("image", image),
        ("script", script),
        ("existing", existing),
    ];
    let plan = ImagePlan {
        id: "app".to_owned(),
        name: "app".parse().unwrap(),
        variant: None,
        part: None,
        dockerfile: "images/app/Dockerfile".into(),
        dockerfiles: BTreeMap::new(),
        mode: Mode::Colocated,
        version: "1.0.0".to_owned(),
        tags: vec!["app:1.0.0".to_owned()],
        platforms: vec!["linux/amd64".parse().unwrap()],
        network: BuildNetwork::Default,
        link: false,
        base: BasePlan { name: "base".parse().unwrap(), image: Some("r.example/base:1".parse().unwrap()) },
        features: vec!["own".parse().unwrap()],
        components: parts.into_iter().map(|(name, build)| part(name, build)).collect(),
        config: ConfigPlan {
            user: Some("1:1".to_owned()),
            entrypoint: vec!["/bin/a".to_owned()],
            cmd: vec!["b".to_owned()],
            workdir: "/".to_owned(),
            env: [("A".to_owned(), "b".to_owned())].into(),
            ports: vec!["80/tcp".to_owned()],
            volumes: vec!["/v".parse().unwrap()],
            stop_signal: "SIGQUIT".parse().ok(),
            healthcheck: None,
            labels: [("a".to_owned(), "b".to_owned())].into(),
        },
        stamp: [("v".to_owned(), "1.0.0".to_owned())].into(),
        template: fingerprint("Dockerfile"),
        found: Found::default(),
        fingerprint: String::new(),
        given: Given::default(),
    };
    let names = ["base", "source", "shell", "rust", "go", "own"].map(|name| format!("r.example/{name}:1"));
    let images = names.into_iter().map(|name| (name, "sha256:1".to_owned())).collect();
    let go_toolchain = if host { "go1".to_owned() } else { String::new() };
    plan.with_found(&Found { toolchain: host.then(|| "rustc 1".to_owned()), go_toolchain, images })
}

/// A new field must be put into [`EDITS`] before this compiles.
#[allow(dead_code, reason = "it is compiled, not run")]
fn every_field_has_an_edit(plan: ImagePlan, document: Plan) {
    let Plan { schema: _, images: _ } = document;
    let ImagePlan {
        id: _,
        name: _,
        variant: _,
        part: _,
        dockerfile: _,
        dockerfiles: _,
        mode: _,
        version: _,
        tags: _,
        platforms: _,
        network: _,
        link: _,
        base: BasePlan { name: _, image: _ },
        features: _,
        components: _,
        config:
            ConfigPlan {
                user: _,
                entrypoint: _,
                cmd: _,
                workdir: _,
                env: _,
                ports: _,
                volumes: _,
                stop_signal: _,
                healthcheck: _,
                labels: _,
            },
        stamp: _,
        template: _,
        found: Found { toolchain: _, go_toolchain: _, images: _ },
        fingerprint: _,
        given: Given { description: _, default_role: _, labels: _, allowed: _ },
    } = plan;
    let component = |part: ComponentPlan| {
        let ComponentPlan {
            name: _,
            version: _,
            features: _,
            excluded: _,
            exe: _,
            build: _,
            installs: _,
            files: _,
            platform_files: _,
            links: _,
            roles: _,
            inputs: _,
            template: _,
            fingerprint: _,
        } = part;
    };
    let role = |role: RolePlan| {
        let RolePlan {
            command: _,
            is_replaced: _,
            args: _,
            args_style: _,
            probe: _,
            user: _,
            workdir: _,
            ports: _,
            env: _,
            volumes: _,
            stop_signal: _,
            healthcheck: _,
            needs: _,
            waits_for: _,
            aliases: _,
            boundary: _,
        } = role;
    };
    _ = (component, role);
}

fn edited(plan: &ImagePlan, edits: &[&Edit]) -> ImagePlan {
    let mut plan = plan.clone();
    edits.iter().for_each(|edit| (edit.edit)(&mut plan));
    let found = plan.found.clone();
    plan.with_found(&found)
}

/// What is named, without the net below.
fn names(before: &ImagePlan, after: &ImagePlan) -> Vec<String> {
    named(&Recorded::of(before), &Recorded::of(after)).iter().map(Change::to_string).collect()
}

#[test]
fn each_edit_is_named_and_nothing_else() {
    let mut wrong = Vec::new();
    for is_host in [false, true] {
        let before = image(is_host);
        for (index, edit) in EDITS.iter().enumerate() {
            let after = edited(&before, &[edit]);
            let expected = if is_host { edit.host } else { edit.docker };
            let lines = names(&before, &after);
            if lines != expected || expected.is_empty() != (before.fingerprint == after.fingerprint) {
                let same = before.fingerprint == after.fingerprint;
                wrong.push(format!(
                    "edit {index}, host {is_host}, same fingerprint {same}:\n  {expected:?}\n  {lines:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn another_engine_is_named() {
    assert_eq!(names(&image(false), &image(true)), ["compiled: in builder images → on this machine"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any edits, in any order, on either engine: something is named if and only if the fingerprint is another one. A record
    /// that went through its document says the same.
    #[test]
    fn fingerprints_differ_exactly_where_something_is_named(
        picked in proptest::sample::subsequence((0..EDITS.len()).collect::<Vec<_>>(), 0..5),
        hosts in any::<(bool, bool)>(),
    ) {
        // what an edit changes may be gone after another one
        let edits: Vec<&Edit> = picked.iter().map(|index| &EDITS[*index]).collect();
        let before = image(hosts.0);
        let Ok(after) = std::panic::catch_unwind(|| edited(&image(hosts.1), &edits)) else { return Ok(()) };
        let all = names(&before, &after);
        prop_assert_eq!(all.is_empty(), before.fingerprint == after.fingerprint, "{:?}", all);
        let record = Recorded::from_json(&Recorded::of(&before).to_json()).unwrap();
        let by_record = changes(&record, &after);
        prop_assert!(by_record.iter().all(|change| change.what != What::Other));
        let lines: Vec<String> = by_record.iter().filter(|change| !change.is_stamp()).map(Change::to_string).collect();
        prop_assert_eq!(lines, all);
    }

    /// The label of an image says that something changed whenever it did, and nothing when nothing did.
    #[test]
    fn summaries_are_as_complete(
        picked in proptest::sample::subsequence((0..EDITS.len()).collect::<Vec<_>>(), 0..3),
        is_host in any::<bool>(),
    ) {
        let edits: Vec<&Edit> = picked.iter().map(|index| &EDITS[*index]).collect();
        let before = image(is_host);
        let Ok(after) = std::panic::catch_unwind(|| edited(&before, &edits)) else { return Ok(()) };
        let labels = crate::plan::fingerprint::labels(&before, &before.platforms[0]);
        let summary = Recorded::from_image(&labels, None).unwrap();
        prop_assert_eq!(changes(&summary, &after).is_empty(), before.fingerprint == after.fingerprint);
    }
}

#[test]
fn a_stamp_alone_is_only_the_configuration() {
    let before = image(false);
    let mut after = before.clone();
    after.stamp.insert("v".to_owned(), "2.0.0".to_owned());
    let lines: Vec<String> = changes(&Recorded::of(&before), &after).iter().map(Change::to_string).collect();
    assert_eq!(lines, ["label v changed: 1.0.0 → 2.0.0"]);
}

#[test]
fn other_rules_are_named() {
    let before = image(false);
    let mut old = Recorded::of(&before);
    old.fingerprint_version = Some(1);
    old.plan["fingerprint"] = "another".into();
    let lines: Vec<String> = changes(&old, &before).iter().map(Change::to_string).collect();
    assert_eq!(lines, [format!("version of the build rules: 1 → {}", crate::plan::fingerprint::VERSION)]);
}

/// A summary names what it can.
#[test]
fn summaries_name_what_they_hold() {
    let check = |index: fn(&mut ImagePlan), expect: &[&str]| {
        let before = image(false);
        let after = edited(&before, &[&both(index, &[])]);
        let labels = crate::plan::fingerprint::labels(&before, &before.platforms[0]);
        let lines: Vec<String> =
            changes(&Recorded::from_image(&labels, None).unwrap(), &after).iter().map(Change::to_string).collect();
        let short = |hash: &str| hash[..16].to_owned();
        let inputs = format!(
            "files: inputs: {} → {}",
            short(&before.components[FILES].fingerprint),
            short(&after.components[FILES].fingerprint)
        );
        let expect: Vec<String> = expect.iter().map(|line| line.replace("INPUTS", &inputs)).collect();
        assert_eq!(lines, expect);
    };
    check(|plan| conf(plan).folder = "/x".into(), &["INPUTS"]);
    check(|plan| plan.base.image = None, &["base: r.example/base:1 → scratch"]);
    check(|plan| _ = plan.config.labels.insert("a".into(), "c".into()), &["label of the image definition changed"]);
    check(|plan| plan.config.user = None, &["configuration user changed: 1:1 → nothing"]);
    // features of the image are in its description, which was not read
    check(|plan| plan.features.clear(), &["another input"]);
}

/// A label travels in addresses and must stay short, whatever a manifest says.
#[test]
fn a_long_configuration_is_a_hash() {
    let long = |text: &str| {
        let mut plan = image(false);
        plan.config.env.insert("LONG".to_owned(), text.repeat(50_000));
        plan.with_found(&plan.found.clone())
    };
    let (before, after) = (long("x"), long("y"));
    let labels = crate::plan::fingerprint::labels(&before, &before.platforms[0]);
    assert!(labels[LABEL].len() < 1000, "{}", labels[LABEL]);
    let summary = Recorded::from_image(&labels, None).unwrap();
    assert_eq!(changes(&summary, &before), []);
    let check = |now: &ImagePlan| {
        let all = changes(&summary, now);
        assert!(matches!(&all[..], [only] if only.what == What::Config && only.subject.is_empty()), "{all:?}");
    };
    check(&after);
    check(&image(false));
}

#[test]
fn damaged_records_are_none() {
    let good = Recorded::of(&image(false)).to_json();
    let check = |edit: fn(&mut Value), expect: RecordError| {
        let mut document = good.clone();
        edit(&mut document);
        assert_eq!(Recorded::from_json(&document), Err(expect));
    };
    check(|document| document["schema"] = 2.into(), RecordError::OtherSchema);
    check(|document| document["schema"] = "1".into(), RecordError::NoPlan);
    check(|document| *document = Value::Null, RecordError::NoPlan);
    check(|document| document["plan"] = Value::Null, RecordError::NoPlan);
    check(|document| document["plan"]["fingerprint"] = 1.into(), RecordError::NoPlan);
    check(|document| document["plan"]["components"][0]["name"] = Value::Null, RecordError::NoPlan);
    check(|document| document["locks"] = 1.into(), RecordError::NoPlan);
    assert!(Recorded::from_json(&good).is_ok());
}
