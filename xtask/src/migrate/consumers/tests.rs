//! The guard's expressions, tried with grep; the other outputs on the shipped ledger.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;
use crate::diagnostic::Problems;
use crate::manifest::{LedgerFile, Mirrors};
use crate::migrate::ledger::{At, Builder};
use crate::source::{SourceFile, SourceMap};

const FIVE_SYSTEMS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/ledgers/five-systems.toml"));

fn ledger() -> Ledger {
    let mut map = SourceMap::default();
    let id = map.add(SourceFile::new("ledger.toml", FIVE_SYSTEMS));
    Builder::default().file(&LedgerFile::parse(id, map.file(id), &mut Problems::default()).unwrap()).finish()
}

fn at(words: &str) -> At {
    At::all(&words.split(' ').map(|word| word.parse().unwrap()).collect::<Vec<_>>())
}

/// Whether a JSON document holds what an expression means.
fn matches(pattern: &str, json: &str) -> bool {
    let mut grep = Command::new("grep");
    let mut child = grep.args(["-E", "-q", "-e", pattern]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(json.as_bytes()).unwrap();
    child.wait().unwrap().success()
}

#[test]
fn the_guard_fails_on_exactly_the_retired_names() {
    let by_name = pattern(&"velero/velero-restore-helper".parse().unwrap(), Mirrors::Name);
    let by_path = pattern(&"ghcr.io/kube-logging/config-reloader".parse().unwrap(), Mirrors::Path);
    let exact = pattern(&"k8s.gcr.io/pause".parse().unwrap(), Mirrors::None);
    let check = |pattern: &str, value: &str, expect: bool| {
        assert_eq!(matches(pattern, &format!("{{\"a\":\"{value}\",\"b\":1}}")), expect, "{pattern} {value}");
    };
    for (value, expect) in [
        ("velero/velero-restore-helper", true),
        ("velero/velero-restore-helper:v1.10.2", true),
        ("registry.lan:5000/x/velero/velero-restore-helper:v1", true),
        ("registry.lan:5000/velero-restore-helper:v1", true),
        ("velero/velero-restore-helper@sha256:00ff", true),
        ("velero-restore-helper", false),
        ("/velero-restore-helper", false),
        ("./cmd/velero-restore-helper", false),
        ("velero/velero-restic-restore-helper", false),
        ("velero/velero-restore-helper-2:v1", false),
        ("velero/my-velero-restore-helper:v1", false),
        ("velero/velero:v1.16.0", false),
    ] {
        check(&by_name, value, expect);
    }
    check(&by_path, "my.reg/kube-logging/config-reloader:v0.0.6", true);
    check(&by_path, "ghcr.io/kube-logging/logging-operator/config-reloader:5.2.0", false);
    check(&by_path, "my.reg/config-reloader:v0.0.6", false);
    check(&exact, "k8s.gcr.io/pause:3.2", true);
    check(&exact, "registry.k8s.io/pause:3.2", false);
}

#[test]
fn outputs_of_the_shipped_ledger() {
    let (ledger, at) = (ledger(), at("velero=1.16.0 logging-operator=5.1.0 kops=1.30.0 vcluster=0.24.0 oadp=1.4.0"));
    let wanted = Wanted { at: &at, platforms: &[] };
    let images = kustomize(&ledger, wanted);
    for part in [
        "- name: velero/velero-restore-helper\n  newName: velero/velero\n  newTag: \"v1.16.0\"\n",
        "- name: k8s.gcr.io/pause\n  newName: registry.k8s.io/pause\n  newTag: \"3.9\"\n",
        "- name: kopeio/etcd-manager\n  newName: registry.k8s.io/etcdadm/etcd-manager-slim\n  newTag: \"v3.0.20230201\"\n",
        "# velero/velero-plugin-for-csi: it must not be there any more\n",
        "# velero/fsfreeze-pause: nothing replaces it\n",
    ] {
        assert!(images.contains(part), "{part}{images}");
    }
    assert!(!images.contains("bitnami/kubectl\n  newName: ghcr.io"), "not retired in 0.24.0: {images}");
    assert_eq!(
        openshift(&ledger, wanted).lines().skip(1).collect::<Vec<_>>(),
        [
            "- name: RELATED_IMAGE_ARK_RESTIC_RESTORE_HELPER",
            "- name: RELATED_IMAGE_FSFREEZE_PAUSE",
            "- name: RELATED_IMAGE_VELERO_RESTIC_RESTORE_HELPER",
            "- name: RELATED_IMAGE_VELERO_RESTORE_HELPER"
        ]
    );
    let note = note(&ledger, wanted);
    assert!(
        note.contains(
            "| `velero/velero-restore-helper` | 1.16.0 | `velero/velero:v1.16.0` | `/velero-restore-helper` |"
        )
    );
    assert!(
        note.contains("On windows, use no tag of the replacement of `velero/velero-restore-helper` below v1.17.0.")
    );
    assert!(
        guard(&ledger, wanted)
            .contains("{{- fail \"the image velero/velero-restore-helper is retired: remove the value")
    );
    assert!(helm_post_render(&ledger, wanted).contains("resources: [all.yaml]\nimages:\n"));
}
