//! The shipped ledger, row by row, and ledgers that are wrong.

use super::*;
use crate::diagnostic::Problems;
use crate::manifest::LedgerFile;
use crate::migrate::velero::{HelperImage, Verdict, helper_image};
use crate::source::{SourceFile, SourceMap};

const FIVE_SYSTEMS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/ledgers/five-systems.toml"));

fn ledger(text: &str) -> Ledger {
    let mut map = SourceMap::default();
    let id = map.add(SourceFile::new("ledger.toml", text));
    let mut problems = Problems::default();
    let file = LedgerFile::parse(id, map.file(id), &mut problems);
    let shown: Vec<_> = problems.into_list();
    Builder::default().file(&file.unwrap_or_else(|| panic!("{shown:#?}"))).finish()
}

fn at(words: &str) -> At {
    At::all(&words.split_whitespace().map(|word| word.parse().unwrap()).collect::<Vec<_>>())
}

/// What a reference became; empty when it is not retired.
fn became(ledger: &Ledger, reference: &str, versions: &str, platforms: &str) -> String {
    let (name, tag) = match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (reference, None),
    };
    let at = at(versions);
    let Some(found) = ledger.find(&Written::parse(name), &at) else { return String::new() };
    let platforms: Vec<String> = platforms.split_whitespace().map(str::to_owned).collect();
    let answer = ledger.resolve(&found, tag, Wanted { at: &at, platforms: &platforms });
    let tag = if matches!(answer.tag, NewTag::Unknown(_)) { ":?" } else { "" };
    let command = answer.command().map(|command| format!(" {}", command.join(" "))).unwrap_or_default();
    format!("{}{tag}{command}", answer.reference())
}

/// One reference a line: what is written, versions, what it became.
#[test]
fn every_row_of_the_shipped_ledger() {
    let ledger = ledger(FIVE_SYSTEMS);
    assert_eq!(findings(&ledger), []);
    let rows = "
        gcr.io/heptio-images/ark-restic-restore-helper:v0.10.1 | velero=1.0.0 | velero/velero-restic-restore-helper:?
        gcr.io/heptio-images/ark-restic-restore-helper:v0.10.1 | velero=1.16.0 | velero/velero:v1.16.0 /velero-restore-helper
        velero/velero-restic-restore-helper:v1.9.0 | velero=1.9.0 |
        velero/velero-restic-restore-helper:v1.9.0 | velero=1.15.0 | velero/velero-restore-helper:v1.15.0
        gcr.io/velero-gcp/velero-restic-restore-helper:v1.9.0 | velero=1.16.1 | velero/velero:v1.16.1 /velero-restore-helper
        velero/velero-restore-helper:v1.15.2 | velero=1.15.2 |
        velero/velero-restore-helper:v1.15.2 | velero=1.16.0 | velero/velero:v1.16.0 /velero-restore-helper
        velero/velero-restore-helper:v1.15.2 | | velero/velero:v1.16.0 /velero-restore-helper
        registry.redhat.io/oadp/oadp-velero-restic-restore-helper-rhel9 | oadp=1.5.0 | registry.redhat.io/oadp/oadp-velero-rhel9:? /velero-restore-helper
        velero/velero-plugin-for-csi:v0.7.0 | velero=1.14.0 | velero/velero:v1.14.0
        velero/fsfreeze-pause:latest | velero=1.3.0 |  
        ghcr.io/banzaicloud/config-reloader:0.0.1 | logging-operator=4.0.0 | ghcr.io/kube-logging/config-reloader:?
        ghcr.io/banzaicloud/config-reloader:0.0.1 | logging-operator=5.3.0 | ghcr.io/kube-logging/logging-operator/config-reloader:5.3.0
        ghcr.io/banzaicloud/custom-runner:0.1.0 | logging-operator=5.3.0 | ghcr.io/kube-logging/logging-operator/node-exporter:5.3.0
        ghcr.io/kube-logging/custom-runner:v0.4.0 | logging-operator=4.1.0 | ghcr.io/kube-logging/node-exporter:?
        ghcr.io/kube-logging/fluentd:v1.16-4.10-full | logging-operator=5.1.0 | ghcr.io/kube-logging/logging-operator/fluentd:5.1.0-full
        ghcr.io/kube-logging/fluentd:v1.16-4.10-base | logging-operator=5.4.0 | ghcr.io/kube-logging/logging-operator/fluentd:5.4.0-base
        ghcr.io/kube-logging/config-reloader:v0.0.6 | logging-operator=5.1.0 |
        ghcr.io/kube-logging/config-reloader:v0.0.6 | logging-operator=5.2.0 | ghcr.io/kube-logging/logging-operator/config-reloader:5.2.0
        ghcr.io/kube-logging/syslogng-reload:v1.5.0 | logging-operator=5.3.0 | ghcr.io/kube-logging/logging-operator/syslog-ng-reloader:5.3.0
        ghcr.io/kube-logging/fluentd-drain-watch:v0.2.3 | logging-operator=5.3.0 | ghcr.io/kube-logging/logging-operator/fluentd-drain-watch:5.3.0
        ghcr.io/kube-logging/node-exporter:v0.8.0 | logging-operator=5.2.0 |
        ghcr.io/kube-logging/syslog-ng-exporter:v0.0.16 | logging-operator=4.4.0 | ghcr.io/axoflow/axosyslog-metrics-exporter:?
        ghcr.io/axoflow/syslog-ng:4.0.1_git20230225 | logging-operator=4.2.0 | ghcr.io/axoflow/axosyslog:?
        banzaicloud/eventrouter:v0.1.0 | logging-operator=4.4.0 | ghcr.io/kube-logging/eventrouter:0.4.0
        k8s.gcr.io/pause:3.2 | logging-operator=5.1.0 | registry.k8s.io/pause:3.9
        kopeio/etcd-manager:3.0.20200531 | kops=1.20.0 |
        kopeio/etcd-manager:3.0.20200531 | kops=1.20.1 | k8s.gcr.io/etcdadm/etcd-manager:3.0.20200531
        kopeio/etcd-manager:3.0.20200531 | kops=1.26.0 | registry.k8s.io/etcdadm/etcd-manager:3.0.20200531
        k8s.gcr.io/etcdadm/etcd-manager:v3.0.20220128 | kops=1.23.4 |
        k8s.gcr.io/etcdadm/etcd-manager:v3.0.20220128 | kops=1.28.0 | registry.k8s.io/etcdadm/etcd-manager-slim:v3.0.20230201
        registry.k8s.io/etcdadm/etcd-manager-slim:v3.0.20250628 | kops=1.31.0 | registry.k8s.io/etcd-manager/etcd-manager-slim:v3.0.20250628
        kopeio/etcd-manager:3.0.20200531 | kops=1.31.0 | registry.k8s.io/etcd-manager/etcd-manager-slim:v3.0.20241012
        bitnami/kubectl:1.33 | vcluster=0.25.0 |
        bitnami/kubectl:1.33 | vcluster=0.26.0 | ghcr.io/loft-sh/vcluster-pro:0.26.0 /vcluster
        registry.k8s.io/kube-apiserver:v1.29.0 | vcluster=0.25.0 | ghcr.io/loft-sh/kubernetes:v1.29.0
        docker.io/bitnami/kubectl:1.33 | velero-chart=11.0.0 | registry.k8s.io/kubectl:1.33
    ";
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(became(&ledger, cells[0], cells[1], ""), cells[2], "{row}");
    }
    let windows = became(&ledger, "velero/velero-restore-helper:v1.15.2", "velero=1.16.0", "windows/amd64");
    assert_eq!(windows, "velero/velero:v1.17.0 /velero-restore-helper");
}

#[test]
fn mirrors_and_names_that_only_look_alike() {
    let ledger = ledger(FIVE_SYSTEMS);
    let check = |name: &str, expect: bool| {
        assert_eq!(ledger.find(&Written::parse(name), &At::default()).is_some(), expect, "{name}");
    };
    for mirror in [
        "r.io:5000/velero-restore-helper",
        "r.io/a/b/velero/velero-restore-helper",
        "my.reg/kube-logging/fluentd-drain-watch",
        "quay.io/x/oadp-velero-restic-restore-helper-rhel9",
    ] {
        check(mirror, true);
    }
    for other in [
        "velero/velero",
        "velero/velero-restore-helper-2",
        "quay.io/prometheus/node-exporter",
        "fluent/fluentd",
        "my.reg/kube-logging/logging-operator/node-exporter",
        "registry.k8s.io/pause",
        "my.reg/pause",
        "registry.k8s.io/etcd-manager/etcd-manager-slim",
        "my.reg/kubectl",
    ] {
        check(other, false);
    }
}

/// V-AC1 of the facts: what Velero makes of an override, and what it is worth.
#[test]
fn velero_reads_overrides_like_this() {
    let ledger = ledger(FIVE_SYSTEMS);
    let check = |value: Option<&str>, used: &str, verdict: Verdict| {
        let helper = helper_image(value, "velero/velero:v1.16.0", "v1.16.0", &ledger, &at("velero=1.16.0"));
        assert_eq!(helper, HelperImage { used: used.to_owned(), verdict }, "{value:?}");
    };
    let default = "velero/velero:v1.16.0";
    check(None, default, Verdict::Default);
    check(Some("my-image"), default, Verdict::Ignored);
    check(Some("velero-restore-helper:v1.15.2"), default, Verdict::IgnoredAndRetired);
    check(Some("velero/velero-restore-helper"), "velero/velero-restore-helper:v1.16.0", Verdict::Retired);
    check(Some("velero/velero-restore-helper:v1.15.2"), "velero/velero-restore-helper:v1.15.2", Verdict::Retired);
    check(Some("myregistry.io:34567/my-image"), "myregistry.io:34567/my-image:v1.16.0", Verdict::Custom);
    check(Some("myregistry.io:34567/my-image:my-tag"), "myregistry.io:34567/my-image:my-tag", Verdict::Custom);
    let digest = "registry.redhat.io/oadp/oadp-velero-restic-restore-helper-rhel9@sha256:d2c7da62";
    check(Some(digest), digest, Verdict::RetiredByDigest);
}

fn codes(entries: &[&str]) -> Vec<&'static str> {
    let text: String = entries.iter().map(|entry| format!("[[retired]]\nsince = \"1.0.0\"\n{entry}\n")).collect();
    let text = format!("schema = 1\n[products.p]\nnewest = \"2.0.0\"\n{text}");
    let codes: std::collections::BTreeSet<_> = findings(&ledger(&text)).iter().map(|problem| problem.code).collect();
    codes.into_iter().collect()
}

#[test]
fn ledgers_that_are_wrong() {
    let good = "image = 'a/b'\nkind = 'moved'\nreplacement = 'c/b'";
    assert_eq!(codes(&[good]), [""; 0]);
    assert_eq!(codes(&[good, "image = 'c/b'\nkind = 'moved'\nreplacement = 'a/b'"]), ["ledger-cycle"]);
    assert_eq!(codes(&[good, "image = 'a/{b,x}'\nkind = 'moved'\nreplacement = 'd/b'"]), ["ledger-two-answers"]);
    assert_eq!(codes(&["image = 'a/b'\nkind = 'renamed'"]), ["ledger-no-answer"]);
    assert_eq!(codes(&["image = 'a/b'\nkind = 'withdrawn'"]), [""; 0]);
    let folded = "product = 'p'\nimage = 'a/b'\nkind = 'folded'\nreplacement = 'c/d'\n";
    assert_eq!(codes(&[&format!("{folded}floor = '2.0.0'")]), [""; 0]);
    assert_eq!(codes(&[&format!("{folded}floor = '2.0.1'")]), ["ledger-floor"]);
    assert_eq!(codes(&[&format!("{folded}floors = {{ windows = '3.0.0' }}")]), ["ledger-floor"]);
    assert_eq!(codes(&[&format!("{good}\ntag = {{ fixed = '1' }}\nfloor = '2'")]), ["ledger-floor"]);
    assert_eq!(codes(&[&format!("{good}\nuntil = '0.9.0'")]), ["ledger-window"]);
}

#[test]
fn versions_of_several_products() {
    let ledger = ledger(FIVE_SYSTEMS);
    assert!(ledger.wrong_at(&at("1.16.0")).is_some_and(|why| why.contains("--at PRODUCT=VERSION")));
    assert!(ledger.wrong_at(&at("velro=1.16.0")).is_some_and(|why| why.contains("no product `velro`")));
    assert_eq!(ledger.wrong_at(&at("velero=1.16.0 kops=1.30.0")), None);
    for bad in ["", "latest", "=1", "a=", "a=b"] {
        assert!(bad.parse::<At>().is_err(), "{bad}");
    }
}
