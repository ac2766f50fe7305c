//! References of kops and etcd-manager, as they were, judged by a policy.

use super::*;
use crate::manifest::{Date, ReferenceClass, Settings};
use crate::source::{SourceFile, SourceMap};

const SETTINGS: &str = r#"
schema = 1

[references]
release = ["registry.k8s.io/**"]
staging = ["gcr.io/k8s-staging-*/**", "us-central1-docker.pkg.dev/k8s-staging-images/**", "**:*-g[0-9a-f]*", "**:{commit}"]
local = ["localhost/**", "localhost:*/**"]
third-party = ["docker.io/**"]
retired = ["kopeio/**", "k8s.gcr.io/**"]
known-registries = ["registry.k8s.io", "gcr.io", "us-central1-docker.pkg.dev", "docker.io", "ghcr.io", "localhost", "localhost:5000", "k8s.gcr.io"]
retention = 90

[versions]
"registry.k8s.io/etcd-manager/**" = "v?3.0.YYYYMMDD"

[[temporary]]
reference = "us-central1-docker.pkg.dev/k8s-staging-images/etcd-manager/etcd-manager-slim:f1ea649"
reason = "etcd-manager is not released yet"
issue = "https://github.com/kubernetes/kops/issues/16724"
added = 2024-08-03
expires = 2024-11-01

[environments.ci]
classes = ["release", "third-party"]

[environments.release]
classes = ["release", "third-party"]
registries = ["registry.k8s.io/**", "docker.io/**"]
tags = "immutable"
pre-release = "deny"
protected = true
"#;

const STAGED: &str = "us-central1-docker.pkg.dev/k8s-staging-images/etcd-manager/etcd-manager-slim:f1ea649";

fn policy(text: &str) -> Policy {
    let (mut map, mut problems) = (SourceMap::default(), Problems::default());
    let id = map.add(SourceFile::new("groupage.toml", text));
    let settings = Settings::parse(id, map.file(id), &mut problems);
    assert!(!problems.has_errors(), "{:?}", problems.into_list());
    Policy::new(&Manifests { settings: settings.unwrap(), ..Manifests::default() }).unwrap()
}

/// K-AC2 of the facts, and some more.
#[test]
fn classes() {
    let policy = policy(SETTINGS);
    let check = |reference: &str, expect: Option<ReferenceClass>| {
        assert_eq!(policy.classes.class(&reference.parse().unwrap()), expect, "{reference}");
    };
    use ReferenceClass::{Local, Release, Retired, Staging, ThirdParty};
    check("registry.k8s.io/etcd-manager/etcd-manager-slim:v3.0.20241012", Some(Release));
    check(STAGED, Some(Staging));
    check("gcr.io/k8s-staging-etcdadm/etcd-manager:v3.0.20220128-22-g09fbed34", Some(Staging));
    check("kopeio/etcd-manager:3.0.20200531", Some(Retired));
    check("k8s.gcr.io/etcdadm/etcd-manager:3.0.20210430", Some(Retired));
    // a staging tag does not hide at a release registry
    check("registry.k8s.io/etcd-manager/etcd-manager-slim:v3.0.20220128-22-g09fbed34", Some(Staging));
    check("registry.k8s.io/etcd-manager/etcd-manager-slim:f1ea649", Some(Staging));
    check("localhost:5000/a:1", Some(Local));
    check("localhost/a:1", Some(Local));
    check("busybox", Some(ThirdParty));
    check("ghcr.io/a/b:1", None);
    check("gcr.io/other/b:1", None);
    let described =
        policy.classes.version(&"registry.k8s.io/etcd-manager/a:v3.0.20220128-22-g09fbed34".parse().unwrap());
    assert!(!described.unwrap().is_release());
}

/// K-AC3: 90 days from 2024-08-03, both ends included.
#[test]
fn records() {
    let policy = policy(SETTINGS);
    let check = |environment: Option<&str>, day: Option<&str>, expect: &[&str]| {
        let environment = environment.map(|name| policy.environment(name).unwrap());
        let day = day.map(|day| day.parse::<Date>().unwrap());
        let judge = Judge { policy: &policy, environment, day };
        let found = judge.class(&STAGED.parse().unwrap());
        let found: Vec<String> =
            found.iter().map(|objection| format!("{} {:?}", objection.code, objection.level)).collect();
        assert_eq!(found, expect, "{day:?}");
    };
    for environment in [None, Some("ci")] {
        check(environment, Some("2024-10-13"), &[]);
        check(environment, Some("2024-08-03"), &[]);
        check(environment, Some("2024-11-01"), &[]);
        check(environment, Some("2024-11-02"), &["expired-reference Error"]);
        check(environment, Some("2024-08-02"), &["reference-class Error"]);
        check(environment, None, &["expired-reference Warning"]);
    }
    check(Some("release"), Some("2024-09-01"), &["temporary-reference Error"]);
    check(Some("release"), Some("2024-11-02"), &["expired-reference Error"]);
    check(Some("release"), None, &["temporary-reference Error"]);
}

#[test]
fn objections() {
    let policy = policy(SETTINGS);
    let check = |environment: &str, reference: &str, expect: &[&str]| {
        let environment = Some(environment).filter(|name| !name.is_empty());
        let environment = environment.map(|name| policy.environment(name).unwrap());
        let judge = Judge { policy: &policy, environment, day: None };
        let found = judge.objections(&reference.parse().unwrap());
        assert_eq!(found.iter().map(|objection| objection.code).collect::<Vec<_>>(), expect, "{reference}");
    };
    check("", "gghcr.io/a/b:1.0.0", &["unknown-registry"]);
    check("", "ghcr.io/a/b:1.0.0", &[]);
    check("", "localhost:7000/a/b:1.0.0", &["reference-class"]);
    check("ci", "ghcr.io/a/b:1.0.0", &["reference-class"]);
    check("release", "registry.k8s.io/a/b:v1.0.0", &[]);
    check("release", "registry.k8s.io/a/b:latest", &["moving-tag"]);
    check("release", "registry.k8s.io/a/b:1.24", &["moving-tag"]);
    check("release", "registry.k8s.io/a/b:1.24-bookworm", &["moving-tag"]);
    check("release", "registry.k8s.io/etcd-manager/a:v3.0.20241012", &[]);
    check("release", "registry.k8s.io/a/b:v1.0.0-rc.1", &["pre-release"]);
    check("release", "registry.k8s.io/a/b", &[]);
    check("release", "ghcr.io/a/b:1.0.0", &["unknown-registry", "reference-class"]);
    let digest = format!("registry.k8s.io/a/b:latest@sha256:{}", "0123456789abcdef".repeat(4));
    check("release", &digest, &[]);
}

/// L-AC7: what a build names itself, and what only `promote` does.
#[test]
fn tags_of_promote() {
    let policy = policy(SETTINGS);
    let check = |tag: &str, version: &str, expect: bool| {
        assert_eq!(policy.classes.is_of_promote("ghcr.io/a/b", tag, version), expect, "{tag} {version}");
    };
    check("5.3.0", "5.3.0", false);
    check("5.3.0-full", "5.3.0", false);
    check("latest", "5.3.0", true);
    check("latest", "latest", true);
    check("5", "5.3.0", true);
    check("v5.3", "5.3.0", true);
    check("5.3-full", "5.3.0", true);
    check("5.3", "5.3", false);
    check("v5.3", "5.3", false);
    check("main", "5.3.0", false);
    // a mode or variant that no list has
    check("1.2-split", "1.2", false);
    check("1.2-split", "1.2.3", true);
    check("5", "dev", true);
    check("5.3.0-rc.1", "5.3.0-rc.1", false);
}

#[test]
fn mentions() {
    let policy = policy(SETTINGS);
    let search = Search::new(&policy).unwrap();
    let check = |path: &str, text: &str, expect: &[&str]| {
        let found = search.find(path, text);
        let found: Vec<String> =
            found.iter().map(|found| format!("{}:{} {}", found.line, found.column, found.reference)).collect();
        assert_eq!(found, expect, "{text}");
    };
    check(
        "a.yaml",
        "x: 1\nimage: \"gcr.io/k8s-staging-etcdadm/etcd-manager:v3\" # ok\n",
        &["2:9 gcr.io/k8s-staging-etcdadm/etcd-manager:v3"],
    );
    // the commit 73127ad23d: the release is commented out in a manifest in a Go string
    let text = "const m = `\n    #image: registry.k8s.io/etcdadm/etcd-manager:v3.0.20221024\n    image: gcr.io/k8s-staging-etcdadm/etcd-manager:v3.0.20221024-10-gabcdef1\n`";
    check("model.go", text, &["3:12 gcr.io/k8s-staging-etcdadm/etcd-manager:v3.0.20221024-10-gabcdef1"]);
    check("a.yaml", "image: kopeio/etcd-manager:3.0.20200531", &["1:8 kopeio/etcd-manager:3.0.20200531"]);
    check("run.sh", "docker pull kopeio/etcd-manager:3.0.20200531", &["1:13 kopeio/etcd-manager:3.0.20200531"]);
    check("Dockerfile", "FROM --platform=$BUILDPLATFORM busybox:1.36 AS x\nFROM x\n", &["1:32 busybox:1.36"]);
    check("a.json", "{\"image\":\"busybox:1\",\"image\": \"b\"}", &["1:11 busybox:1"]);
    check("a.md", "see https://registry.k8s.io/v2/a:1 and gghcr.io/a/b:1.", &["1:40 gghcr.io/a/b:1"]);
    check("a.go", "panic at example.com/x/y.go:12 and std::fmt, 12:30:01", &[]);
    check(
        "a.rs",
        "bind(\"localhost:8080\") ldap://localhost:389/ou localhost/home docker://localhost/a:1",
        &["1:72 localhost/a:1"],
    );
    check("a.yaml", "ä: registry.k8s.io/pause", &["1:4 registry.k8s.io/pause"]);
    check("a.yaml", "image: registry.k8s.io/a:v{{ .Version }}", &["1:8 registry.k8s.io/a"]);
    check("a.yaml", "image: quay.io/a/b:f1ea649\nother: quay.io/a/b:1", &["1:8 quay.io/a/b:f1ea649"]);
    check("a.yaml", "image: {{ .Values.image }}\nimage: a/b\nimage:\n  repository: x", &[]);
}

/// The bound is generous because this is not optimised, and the machine may be busy; `benches/references.rs` measures.
#[test]
fn ten_thousand_references_are_quick() {
    let policy = policy(SETTINGS);
    let search = Search::new(&policy).unwrap();
    let begin = std::time::Instant::now();
    let text: String = (0..10_000).map(|n| format!("  - image: registry.k8s.io/team/app-{n}:v1.0.{n}\n")).collect();
    let found = search.find("list.yaml", &text);
    assert_eq!(found.len(), 10_000);
    let judge = Judge { policy: &policy, environment: policy.environment("release").ok(), day: None };
    assert!(found.iter().all(|found| judge.objections(&found.reference).is_empty()));
    assert!(begin.elapsed() < std::time::Duration::from_secs(10));
}
