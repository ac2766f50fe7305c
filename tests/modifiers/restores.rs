//! Repaired and generated rules do what they say to real objects: velero#8578, M-AC1, M-AC3 and M-AC6 of the project's notes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use groupage::diagnostic::{Diagnostic, Level};
use groupage::migrate::modifiers::backups::Backups;
use groupage::migrate::modifiers::emit::{self, Emission, Inventory, Retired, Retirement, Rewrite, Style, emit};
use groupage::migrate::modifiers::fix::{How, fix};
use groupage::migrate::modifiers::lint::{Options, lint};
use groupage::migrate::modifiers::rule::{Conditions, Modifiers, Patch, Rule};
use groupage::migrate::modifiers::{escape, print};
use groupage::oci::Reference;
use groupage::source::{FileId, SourceFile, SourceMap};
use serde_json::{Value, json};

use super::interpreter::{Restored, documents, renamed, restore, rolls_out, rows, rules};

fn file(path: &str) -> String {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/modifiers");
    fs::read_to_string(top.join(path)).expect(path)
}

fn id(text: &str) -> FileId {
    SourceMap::default().add(SourceFile::new("input.yaml", text))
}

/// The Pod, ReplicaSet and Deployment of a backup.
fn objects() -> [Value; 3] {
    let list = documents(&file("objects/growi-mongodb.yaml")).remove(0);
    let items = list["items"].as_array().expect("items").clone();
    items.try_into().expect("three objects")
}

/// All three, restored without an error.
fn restored(text: &str) -> [Value; 3] {
    let rules = rules(text);
    let [pod, set, deployment] = objects();
    [("pods", pod), ("replicasets.apps", set), ("deployments.apps", deployment)].map(|(resource, object)| {
        let Restored { object, errors } = restore(&rules, resource, &object);
        assert!(errors.is_empty(), "{resource}: {errors:?}\n{text}");
        object
    })
}

fn fixed(text: &str, how: How, backups: Option<&Backups>) -> String {
    let options = Options { backups, ..Options::default() };
    let read = lint(id(text), text, &options);
    fix(id(text), text, &read, how, &options).apply(text).expect("no overlap")
}

fn errors(text: &str, options: &Options<'_>) -> Vec<Diagnostic> {
    lint(id(text), text, options).findings.into_iter().filter(|finding| finding.level == Level::Error).collect()
}

fn backups(text: &str) -> Backups {
    Backups::read(id(text), text).expect("backups")
}

const HEAD: &str = "version: v1\nresourceModifierRules:\n";

/// What the reporter was told to write, by hand: the same change on pods.
fn by_hand() -> Rule {
    let patch = "spec:\n  affinity:\n    nodeAffinity:\n      requiredDuringSchedulingIgnoredDuringExecution:\n        nodeSelectorTerms:\n        \
                 - matchExpressions:\n          - key: node\n            operator: In\n            values:\n            - restore\n";
    Rule {
        conditions: Conditions {
            group_resource: "pods".to_owned(),
            resource_name_regex: "^(elasticsearch|growi|gitea-apps-k8s-deployment2|growi-mongodb)-".to_owned(),
            namespaces: vec!["gitea-prod".to_owned(), "growi-prod".to_owned()],
            ..Conditions::default()
        },
        strategic_patches: vec![patch.to_owned()],
        ..Rule::default()
    }
}

/// M-AC1: a pasted list is rejected for three reasons; repaired it is accepted, and is the fix of velero#8578.
#[test]
fn a_pasted_list_is_rejected_and_repaired() {
    let pasted = file("cases/8578/input.yaml");
    let refused: Vec<&str> = errors(&pasted, &Options::default()).iter().map(|finding| finding.code).collect();
    for reason in ["rules-not-indented", "no-version", "no-rules"] {
        assert!(refused.contains(&reason), "{reason} is not in {refused:?}");
    }
    let repaired = fixed(&pasted, How::Pods, None);
    let read = lint(id(&repaired), &repaired, &Options::default());
    assert!(read.findings.is_empty(), "{:?}", read.findings);
    assert_eq!(read.written[0].meant(), Modifiers { version: "v1".to_owned(), rules: vec![by_hand()] });

    // the other way to paste: as far left as the key of the ConfigMap
    let list = pasted.lines().map(|line| format!("  {line}\n")).collect::<String>();
    let map = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n  rules.yaml: |\n{list}");
    let refused: Vec<&str> = errors(&map, &Options::default()).iter().map(|finding| finding.code).collect();
    for reason in ["rules-not-indented", "no-version", "no-rules"] {
        assert!(refused.contains(&reason), "{reason} is not in {refused:?}");
    }
    let repaired = fixed(&map, How::Pods, None);
    let read = lint(id(&repaired), &repaired, &Options::default());
    assert!(read.findings.is_empty(), "{:?}\n{repaired}", read.findings);
    assert_eq!(read.written[0].meant().rules, [by_hand()]);
}

/// M-AC3: the error names the pods, and the rule that takes its place keeps their affinity.
#[test]
fn a_rule_that_replaces_pods_is_found_and_converted() {
    let text = format!("{HEAD}{}", file("cases/8578/input.yaml"));
    let backups = backups(&file("cases/8578/backups"));
    let found = errors(&text, &Options { backups: Some(&backups), ..Options::default() });
    let rollout = found.iter().find(|finding| finding.code == "rollout").expect("it is found");
    assert!(rollout.message.contains("`growi-mongodb-`"), "{}", rollout.message);
    assert!(!rollout.message.contains("`elasticsearch-`"), "{}", rollout.message);

    let converted = fixed(&text, How::Pods, Some(&backups));
    assert!(!converted.contains("/spec/template") && !converted.contains("template:"), "{converted}");
    let [pod, set, deployment] = restored(&converted);
    let [old_pod, old_set, old_deployment] = objects();
    assert_eq!((&set, &deployment), (&old_set, &old_deployment), "what owns the pod keeps its template");
    assert!(!rolls_out(&deployment, &set));
    assert_eq!(pod["spec"]["affinity"]["podAntiAffinity"], old_pod["spec"]["affinity"]["podAntiAffinity"]);
    let terms = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    assert_eq!(
        pod.pointer(terms),
        Some(&json!([{"matchExpressions": [{"key": "node", "operator": "In", "values": ["restore"]}]}]))
    );
    let mut rest = pod.clone();
    rest["spec"]["affinity"] = old_pod["spec"]["affinity"].clone();
    assert_eq!(rest, old_pod, "nothing else changes");
}

/// The trap itself: the rule of the report rolls out, and takes the old affinity away.
#[test]
fn the_rule_as_it_was_written_rolls_out() {
    let [_, set, deployment] = restored(&format!("{HEAD}{}", file("cases/8578/input.yaml")));
    assert!(rolls_out(&deployment, &set));
    assert_eq!(deployment.pointer("/spec/template/spec/affinity/podAntiAffinity"), None);
    assert!(deployment.pointer("/spec/template/spec/affinity/nodeAffinity").is_some());
}

#[test]
fn a_consistent_triple_does_not_roll_out() {
    for text in [
        format!("{HEAD}{}", file("cases/8578/input.yaml")),
        format!(
            "{HEAD}- conditions: {{groupResource: deployments.apps, resourceNameRegex: ^growi-mongodb$}}\n  patches:\n  - {{operation: replace, path: /spec/template/spec/containers/0/image, value: a/b:1}}\n"
        ),
        format!(
            "{HEAD}- conditions: {{groupResource: deployments.apps, matches: [{{path: /spec/template/spec/serviceAccountName, value: growi-mongodb}}]}}\n  mergePatches:\n  - patchData: \"{{spec: {{template: {{spec: {{nodeSelector: {{disk: fast}}}}}}}}}}\"\n"
        ),
    ] {
        let triple = fixed(&text, How::Triple, None);
        let [pod, set, deployment] = restored(&triple);
        let [old_pod, old_set, old_deployment] = objects();
        assert!(!rolls_out(&deployment, &set), "{triple}");
        assert!(pod != old_pod && set != old_set && deployment != old_deployment, "{triple}");
        let codes: Vec<_> = errors(&triple, &Options::default()).iter().map(|finding| finding.code).collect();
        assert!(codes.is_empty(), "{codes:?}");
        assert_eq!(fixed(&triple, How::Pods, None), triple, "a consistent triple is left alone");
    }
}

/// What a rule did to the template, its conversion does to the pod, for operations of all kinds.
#[test]
fn conversions_do_the_same_to_the_pod() {
    let cases = [
        "{operation: replace, path: /spec/template/spec/containers/0/image, value: registry.example/mongodb:7}",
        "{operation: remove, path: /spec/template/spec/nodeSelector}",
        "{operation: add, path: /spec/template/metadata/labels/app.kubernetes.io~1version, value: '\"1.16\"'}",
        "{operation: move, from: /spec/template/spec/nodeSelector, path: /spec/template/metadata/annotations}",
        "{operation: copy, from: /spec/template/metadata/labels, path: /spec/template/metadata/annotations}",
        "{operation: add, path: /spec/template/spec/containers/-, value: '{\"name\": \"x\", \"image\": \"a/b:1\"}'}",
        "{operation: add, path: /spec/template/spec/tolerations, value: '[{\"key\": \"a\"}]'}",
    ];
    for case in cases {
        let text = format!(
            "{HEAD}- conditions: {{groupResource: deployments.apps, resourceNameRegex: ^growi-mongodb$}}\n  patches:\n  - {case}\n"
        );
        let [_, _, changed] = restored(&text);
        let converted = fixed(&text, How::Pods, None);
        let [mut pod, set, deployment] = restored(&converted);
        assert!(!rolls_out(&deployment, &set), "{case}");
        // the template has neither Velero's container nor what a pod has besides
        let waits = pod["spec"]["initContainers"].as_array_mut().expect("init containers");
        waits.retain(|container| container["name"] != "restore-wait");
        assert_eq!(pod["spec"], changed["spec"]["template"]["spec"], "{case}\n{converted}");
        let labels = |value: &Value| value["labels"]["app.kubernetes.io/version"].clone();
        assert_eq!(labels(&pod["metadata"]), labels(&changed["spec"]["template"]["metadata"]), "{case}");
    }
}

/// M-AC6: a version stays text, all the way.
#[test]
fn a_version_stays_text() {
    let rule = Rule {
        conditions: Conditions { group_resource: "pods".to_owned(), ..Conditions::default() },
        patches: vec![Patch {
            operation: "add".to_owned(),
            path: "/metadata/labels/app.kubernetes.io~1version".to_owned(),
            value: escape::of_text("1.16"),
            ..Patch::default()
        }],
        ..Rule::default()
    };
    let text = print::modifiers(&Modifiers { version: "v1".to_owned(), rules: vec![rule] });
    assert!(text.contains(r#"value: "\"1.16\"""#), "{text}");
    let [pod, ..] = restored(&text);
    assert_eq!(pod["metadata"]["labels"]["app.kubernetes.io/version"], json!("1.16"));
    // and without quotes of its own it does not
    let [pod, ..] = restored(&text.replace(r#""\"1.16\"""#, r#""1.16""#));
    assert_eq!(pod["metadata"]["labels"]["app.kubernetes.io/version"], json!(1.16));
}

// ---- rules that are written for an inventory

/// A small ledger: names with a tag, or without.
#[derive(Default)]
struct Table(BTreeMap<String, Retirement>);

impl Table {
    fn to(mut self, old: &str, new: &str, floor: Option<&str>, command: Option<&[&str]>) -> Self {
        let command = command.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
        let new = new.parse().expect("a reference");
        let rewrite = Rewrite { new, floor: floor.map(str::to_owned), command, args: None };
        self.0.insert(old.to_owned(), Retirement::To(rewrite));
        self
    }
}

impl Retired for Table {
    fn of(&self, reference: &Reference) -> Retirement {
        let found = self.0.get(&reference.to_string()).or_else(|| self.0.get(&reference.name()));
        found.cloned().unwrap_or(Retirement::None)
    }
}

fn emitted(inventory: &str, table: &Table, style: Style, velero: Option<&str>) -> Result<Emission, Vec<Diagnostic>> {
    let inventory = Inventory::read(id(inventory), inventory).expect("an inventory");
    let velero = velero.map(|text| text.parse().expect("a version"));
    emit(&inventory, table, &emit::Options { style, velero, name: "retired-images", namespace: "velero" })
}

fn images(pod: &Value) -> BTreeMap<String, String> {
    let lists = ["initContainers", "containers"]
        .into_iter()
        .flat_map(|list| pod["spec"][list].as_array().cloned().unwrap_or_default());
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    lists.map(|container| (text(&container["name"]), text(&container["image"]))).collect()
}

const MONGODB: &str = "docker.io/bitnami/mongodb:6.0.13-debian-12-r4";
const EXPORTER: &str = "docker.io/bitnami/mongodb-exporter:0.40.0-debian-12-r9";
const SHELL: &str = "docker.io/bitnami/os-shell:12-debian-12-r16";

#[test]
fn patches_name_containers() {
    let inventory = file("objects/growi-mongodb.yaml");
    let table = Table::default()
        .to(EXPORTER, "registry.example/mongodb:1.16.0", Some("1.16.0"), Some(&["/exporter", "--port=9216"]))
        .to(SHELL, "registry.example/shell:13", None, None)
        .to("velero/velero-restore-helper:v1.15.2", "velero/velero:v1.16.0", None, None);
    let emission = emitted(&inventory, &table, Style::Auto, Some("1.16")).expect("rules");
    assert_eq!(emission.style, Style::Patches);
    assert!(emission.why.contains("another command"), "{}", emission.why);
    let text = emission.text.expect("a ConfigMap");
    assert!(!text.contains("restore-wait") && !text.contains("/0/"), "{text}");
    assert!(emission.findings.iter().any(|finding| finding.code == "wait-container"));
    let read = lint(id(&text), &text, &Options { velero: Some("1.13".parse().unwrap()), backups: None });
    assert!(read.findings.is_empty(), "{:?}", read.findings);

    let [pod, set, deployment] = restored(&text);
    let [old_pod, old_set, old_deployment] = objects();
    assert_eq!((set, deployment), (old_set, old_deployment));
    let mut expect = images(&old_pod);
    expect.insert("metrics".to_owned(), "registry.example/mongodb:1.16.0".to_owned());
    expect.insert("volume-permissions".to_owned(), "registry.example/shell:13".to_owned());
    assert_eq!(images(&pod), expect);
    assert_eq!(pod["spec"]["containers"][1]["command"], json!(["/exporter", "--port=9216"]));
    assert_eq!(pod["spec"]["containers"][1]["ports"], old_pod["spec"]["containers"][1]["ports"]);
    assert_eq!(pod["spec"]["initContainers"][0], old_pod["spec"]["initContainers"][0], "Velero's own is left alone");
    // a pod of another workload whose name begins alike is none of ours
    let mut other = old_pod;
    other["metadata"]["name"] = json!("growi-mongodb-arbiter-5dcfb75c59-qvdmt");
    assert_eq!(restore(&rules(&text), "pods", &other).object, other);
}

#[test]
fn rows_rename_exactly() {
    let inventory = file("objects/growi-mongodb.yaml");
    let table = Table::default().to(
        "docker.io/bitnami/mongodb",
        "docker.io/bitnamilegacy/mongodb:6.0.13-debian-12-r4",
        None,
        None,
    );
    let emission = emitted(&inventory, &table, Style::Auto, None).expect("rules");
    assert_eq!(emission.style, Style::ChangeImageName);
    let rows = rows(&emission.text.expect("a ConfigMap"));
    assert_eq!(rows.values().collect::<Vec<_>>(), ["docker.io/bitnami/mongodb:,docker.io/bitnamilegacy/mongodb:"]);
    assert_eq!(renamed(&rows, MONGODB), ["docker.io/bitnamilegacy/mongodb:6.0.13-debian-12-r4"]);
    for other in [EXPORTER, SHELL, "velero/velero-restore-helper:v1.15.2"] {
        assert_eq!(renamed(&rows, other), [other]);
    }
    // with a floor the tag must not be kept for all: the whole reference is named
    let table = Table::default().to(
        "docker.io/bitnami/mongodb",
        "docker.io/x/mongodb:6.0.13-debian-12-r4",
        Some("6.0.0"),
        None,
    );
    let emission = emitted(&inventory, &table, Style::ChangeImageName, None).expect("rules");
    assert!(
        emission
            .text
            .expect("a ConfigMap")
            .contains("row-1: \"docker.io/bitnami/mongodb:6.0.13-debian-12-r4,docker.io/x/")
    );
}

fn pods(images: &[(&str, &str)]) -> String {
    let pod = |(name, image): &(&str, &str)| {
        format!(
            "- {{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: a}}, spec: {{containers: [{{name: app, image: '{image}'}}]}}}}\n"
        )
    };
    format!("kind: List\nitems:\n{}", images.iter().map(pod).collect::<String>())
}

#[test]
fn what_is_ambiguous_is_refused() {
    let refused = |images: &[(&str, &str)], table: &Table| {
        let error = emitted(&pods(images), table, Style::ChangeImageName, None).expect_err("it is refused");
        error[0].message.clone()
    };
    let table = Table::default().to("a/b:1.1", "x/b:2", None, None);
    assert!(refused(&[("one", "a/b:1.1"), ("two", "a/b:1.10")], &table).contains("would also change a/b:1.10"));
    let table = Table::default().to("a/b:1", "x/b:1", None, None).to("m.io/a/b:1", "y/b:1", None, None);
    assert!(refused(&[("one", "a/b:1"), ("two", "m.io/a/b:1")], &table).contains("fits 2 rows"));
    let table = Table::default().to("a/b:1", "x/b:1", None, Some(&["/b"]));
    assert!(refused(&[("one", "a/b:1")], &table).contains("another command"));
    // a row that keeps the tag would be below the floor
    let table = Table::default().to("docker.io/a/b", "x/b:1.15.2", Some("1.16.0"), None);
    let emission = emitted(&pods(&[("one", "a/b:1.15.2")]), &table, Style::Auto, None).expect("nothing to do");
    assert!(
        emission.text.is_none() && emission.findings[0].message.contains("below its floor"),
        "{:?}",
        emission.findings
    );
}

#[test]
fn patches_need_a_version_and_pods_that_have_the_container() {
    let table = Table::default().to("a/b:1", "x/b:1", None, None);
    let refused = emitted(&pods(&[("one", "a/b:1")]), &table, Style::Patches, Some("1.12.4")).expect_err("too old");
    assert_eq!(refused[0].code, "velero-version");
    // rows do it for the same version
    assert!(emitted(&pods(&[("one", "a/b:1")]), &table, Style::Auto, Some("1.12.4")).is_ok());
    // a Deployment whose pods are named like those of a DaemonSet: `app` would be added to them
    let inventory = "kind: List\nitems:\n- {kind: DaemonSet, metadata: {name: web, namespace: a}, spec: {template: {spec: {containers: [{name: app, image: 'a/b:1'}]}}}}\n\
                     - {kind: Pod, metadata: {name: web-bcdfg, namespace: a}, spec: {containers: [{name: other, image: 'c/d:1'}]}}\n";
    let emission = emitted(inventory, &table, Style::Patches, None).expect("a report");
    assert!(emission.text.is_none(), "{:?}", emission.text);
    assert!(emission.findings[0].message.contains("would get one"), "{:?}", emission.findings);
}
