//! What is written for Kustomize and Helm, tried with a real `kubectl kustomize`. Without kubectl these tests say so and pass.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use groupage::migrate::consumers::{helm_post_render, kustomize};
use groupage::migrate::edit::apply;
use groupage::migrate::ledger::{Ledger, Wanted};
use groupage::migrate::scan::{Finding, Scanner};

use super::ledgers;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: velero-restore-helper
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec:
      initContainers:
      - {name: velero-restore-helper, image: 'velero/velero-restore-helper:v1.15.2'}
      containers:
      - {name: etcd, image: 'kopeio/etcd-manager:3.0.20200531'}
      - {name: other, image: 'velero/velero-restore-helper-2:v1'}
      - {name: pause, image: 'k8s.gcr.io/pause:3.2'}
";

const VERSIONS: &str = "velero=1.16.0 kops=1.31.0 logging-operator=5.1.0";

fn has_kubectl() -> bool {
    let found =
        Command::new("kubectl").args(["version", "--client"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        println!("not tried: there is no kubectl (Debian: kubernetes-client)");
    }
    found
}

/// Kustomize knows components since 3.7, which kubectl has since 1.21; Debian 12 has an older one.
fn knows_components() -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        folder.path(),
        "part/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: a-\n",
    );
    write(folder.path(), "all.yaml", DEPLOYMENT);
    write(folder.path(), "kustomization.yaml", "resources: [all.yaml]\ncomponents: [part]\n");
    let output = Command::new("kubectl").arg("kustomize").arg(folder.path()).output().expect("it starts");
    let refused = String::from_utf8_lossy(&output.stderr).contains("unknown field \"components\"");
    assert!(output.status.success() || refused, "{}", String::from_utf8_lossy(&output.stderr));
    !refused
}

fn output(ledger: &Ledger, write: fn(&Ledger, Wanted<'_>) -> String) -> String {
    write(ledger, Wanted { at: &ledgers::at(VERSIONS), platforms: &[] })
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn images(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("image: ")).collect()
}

const EXPECTED: [&str; 4] = [
    "registry.k8s.io/etcd-manager/etcd-manager-slim:v3.0.20241012",
    "velero/velero-restore-helper-2:v1",
    "registry.k8s.io/pause:3.9",
    "velero/velero:v1.16.0",
];

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
    fs::write(path, text).expect("it can be written");
}

#[test]
fn a_component_puts_the_new_images_in() {
    if !has_kubectl() {
        return;
    }
    let ledger = ledgers::five_systems();
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "all.yaml", DEPLOYMENT);
    let component = output(&ledger, kustomize);
    if knows_components() {
        write(folder.path(), "retired/kustomization.yaml", &component);
        write(folder.path(), "kustomization.yaml", "resources: [all.yaml]\ncomponents: [retired]\n");
    } else {
        // as its head says: the list alone does the same
        let list = &component[component.find("\nimages:").expect("it has a list")..];
        write(folder.path(), "kustomization.yaml", &format!("resources: [all.yaml]\n{list}"));
    }
    let text = run(Command::new("kubectl").arg("kustomize").arg(folder.path()));
    assert_eq!(images(&text), EXPECTED, "{text}");
}

#[test]
fn a_post_renderer_does_the_same() {
    if !has_kubectl() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "all.yaml", DEPLOYMENT);
    write(folder.path(), "post-render", &output(&ledgers::five_systems(), helm_post_render));
    let rendered = fs::File::open(folder.path().join("all.yaml")).expect("it is there");
    let text = run(Command::new("sh").arg(folder.path().join("post-render")).stdin(rendered));
    assert_eq!(images(&text), EXPECTED, "{text}");
}

#[test]
fn an_edited_kustomization_still_works() {
    if !has_kubectl() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let old = "resources: [all.yaml]\nimages:\n- name: velero/velero-restore-helper\n  newTag: v1.15.9\n- {name: k8s.gcr.io/pause, newTag: \"3.1\"}\n";
    let ledger = ledgers::five_systems();
    let scanner = Scanner::new(&ledger, ledgers::at(VERSIONS), Vec::new());
    let findings = scanner.scan("kustomization.yaml", old.as_bytes()).expect("it is small");
    let new = apply(old.as_bytes(), findings.iter().flat_map(Finding::edits)).expect("edits fit together");
    write(folder.path(), "all.yaml", DEPLOYMENT);
    write(folder.path(), "kustomization.yaml", &String::from_utf8_lossy(&new));
    let text = run(Command::new("kubectl").arg("kustomize").arg(folder.path()));
    let found = images(&text);
    assert!(found.contains(&"velero/velero:v1.16.0") && found.contains(&"registry.k8s.io/pause:3.9"), "{text}");
}
