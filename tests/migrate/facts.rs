//! The examples V-AC2 and L-AC2 of what really happened. V-AC1 and appendix A are unit tests of the ledger.

use groupage::migrate::edit::apply;
use groupage::migrate::scan::{Finding, Scanner};

use super::ledgers;

/// What a file becomes, and the reasons of what stays.
fn migrated(path: &str, text: &str, versions: &str) -> (String, Vec<String>) {
    let ledger = ledgers::five_systems();
    let findings =
        Scanner::new(&ledger, ledgers::at(versions), Vec::new()).scan(path, text.as_bytes()).expect("it is small");
    let new = apply(text.as_bytes(), findings.iter().flat_map(Finding::edits)).expect("edits fit together");
    let reasons = findings.iter().filter_map(|finding| finding.reason().map(str::to_owned)).collect();
    (String::from_utf8(new).expect("it was text"), reasons)
}

/// The example of the Helm chart 10.1.3.
const CONFIG_MAP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: fs-restore-action-config
  labels:
    velero.io/plugin-config: \"\"
    velero.io/pod-volume-restore: RestoreItemAction
data:
  image: velero/velero-restore-helper:v1.10.2
  cpuRequest: 200m
  memRequest: 128Mi
  cpuLimit: 200m
  memLimit: 128Mi
  secCtx: |
    capabilities:
      drop:
      - ALL
      add: []
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    runAsUser: 1001
    runAsGroup: 999
";
const IMAGE: &str = "  image: velero/velero-restore-helper:v1.10.2\n";

#[test]
fn an_override_goes_and_its_siblings_stay() {
    let (new, reasons) = migrated("a.yaml", CONFIG_MAP, "velero=1.16.0");
    assert_eq!(new, CONFIG_MAP.replace(IMAGE, ""));
    assert_eq!(reasons, [""; 0]);
    assert_eq!(migrated("a.yaml", &new, "velero=1.16.0"), (new.clone(), vec![]), "the second run changes nothing");
    assert_eq!(migrated("a.yaml", CONFIG_MAP, "velero=1.15.2").0, CONFIG_MAP, "in 1.15 it is right");
    let crlf = CONFIG_MAP.replace('\n', "\r\n");
    assert_eq!(migrated("a.yaml", &crlf, "velero=1.16.0").0, crlf.replace(&IMAGE.replace('\n', "\r\n"), ""));
}

#[test]
fn of_an_override_that_is_all_the_object_goes() {
    let only = &CONFIG_MAP[..CONFIG_MAP.find("  cpuRequest").expect("it is there")];
    let (new, reasons) = migrated("a.yaml", only, "velero=1.16.0");
    assert_eq!(new, only);
    assert!(reasons[0].ends_with("delete the whole object `fs-restore-action-config`"), "{reasons:?}");
}

#[test]
fn half_overrides_of_the_logging_operator() {
    let check = |text: &str, expect: &str| {
        let (new, reasons) = migrated("a.yaml", text, "logging-operator=5.3.0");
        assert_eq!((new.as_str(), reasons), (expect, vec![]), "{text}");
    };
    check("configReloaderImage: {tag: v0.0.6}\n", "configReloaderImage: {tag: 5.3.0}\n");
    check("configReloaderImage:\n  tag: v0.0.6\n", "configReloaderImage:\n  tag: 5.3.0\n");
    check(
        "scaling:\n  drain:\n    image: {repository: my.reg/kube-logging/fluentd-drain-watch}\n",
        "scaling:\n  drain:\n    image: {repository: my.reg/kube-logging/logging-operator/fluentd-drain-watch}\n",
    );
    let good = "bufferVolumeImage: {repository: my.reg/kube-logging/logging-operator/node-exporter}\n";
    check(good, good);
}
