//! `check references` over the tags of a real repository: one of fifty carries a staging reference, in a source and in its golden
//! files, because the fix was on the main branch the day before and not in the tag.

use crate::support::sandbox::Sandbox;

/// Git without any setting of this machine.
const GIT: &str = "export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t; ";

const POLICY: &str = "schema = 1
[references]
release = [\"registry.k8s.io/**\"]
staging = [\"gcr.io/k8s-staging-*/**\"]
[environments.release]
classes = [\"release\"]
protected = true
";

const RELEASED: &str = "registry.k8s.io/etcdadm/etcd-manager:v3.0.20220128";
const STAGED: &str = "gcr.io/k8s-staging-etcdadm/etcd-manager:v3.0.20220128-22-g09fbed34";

const TAGS: usize = 50;
const GOLDEN: usize = 20;
/// The release that was cut from a branch without the fix.
const LEAK: usize = 31;

/// Writes the source and its golden files, and commits them on a day.
fn commit(sandbox: &Sandbox, reference: &str, number: usize, day: usize) {
    let model = "package model\n\n// release NUMBER\nconst manifest = `\n    #image: gcr.io/k8s-staging-etcdadm/etcd-manager:old\n    image: REF\n`\n";
    sandbox.write("pkg/model.go", model.replace("REF", reference).replace("NUMBER", &number.to_string()));
    for golden in 0..GOLDEN {
        sandbox.write(&format!("tests/golden/{golden}.yaml"), format!("n: {golden}\nspec:\n  image: {reference}\n"));
    }
    let seconds = 1_600_000_000 + day * 86_400;
    let date = format!("export GIT_COMMITTER_DATE='{seconds} +0000' GIT_AUTHOR_DATE='{seconds} +0000'; ");
    let ended = sandbox.shell(&format!("set -e; {GIT}{date}git add . && git commit --quiet -m 'release {number}'"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// Fifty releases. The leak is one commit beside the main branch, made the day after the fix was there.
fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("groupage.toml", POLICY);
    let run = |line: &str| {
        let ended = sandbox.shell(&format!("set -e; {GIT}{line}"));
        assert_eq!(ended.code, Some(0), "{line}: {ended:?}");
    };
    run("git init --quiet --initial-branch=main");
    for number in 1..=TAGS {
        if number == LEAK {
            commit(&sandbox, STAGED, number, 10 * number);
            run("git branch release-1.23");
            commit(&sandbox, RELEASED, number, 10 * number + 1);
            run("git checkout --quiet release-1.23");
            commit(&sandbox, STAGED, 1000 + number, 10 * number + 2);
            run(&format!("git tag v1.{number}.0 && git checkout --quiet main"));
        } else {
            commit(&sandbox, RELEASED, number, 10 * number);
            run(&format!("git tag v1.{number}.0"));
        }
    }
    sandbox
}

#[test]
fn one_tag_of_fifty_leaks() {
    let sandbox = repository();
    let leak = format!("v1.{LEAK}.0");
    let ended = sandbox.groupage(["check", "references", "--env", "release", "--all-tags"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stdout.lines().count(), TAGS);
    let refused: Vec<&str> = ended.stdout.lines().filter(|line| !line.ends_with(" accepted")).collect();
    assert_eq!(refused, [format!("{leak} refused")]);
    assert!(ended.stderr.contains(&format!("error[reference-class]: `{STAGED}` is a staging reference")), "{ended:?}");
    assert!(ended.stderr.contains(&format!("at {leak}:pkg/model.go:6:12")), "{ended:?}");
    assert!(ended.stderr.contains("and at 18 further places"), "{ended:?}");
    assert_eq!(ended.stderr.matches("error[").count(), 1, "{ended:?}");

    // the tag's own tree counts, whatever is checked out
    let main = sandbox.groupage(["check", "references", "--env", "release"]);
    assert_eq!(main.code, Some(0), "{main:?}");
    let json = sandbox.groupage([
        "check",
        "references",
        "--env",
        "release",
        "--rev",
        &leak,
        "--rev",
        "main",
        "--format",
        "json",
    ]);
    assert_eq!(json.code, Some(1), "{json:?}");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let accepted: Vec<bool> = json["trees"].as_array().unwrap().iter().map(|tree| tree["accepted"] == true).collect();
    assert_eq!(accepted, [false, true]);
    assert_eq!(json["trees"][0]["findings"][0]["places"].as_array().unwrap().len(), GOLDEN + 1);
    assert_eq!(json["trees"][0]["day"], "2021-07-22");
    // nothing was checked out, and a bare clone is enough
    let status = sandbox.shell(&format!("{GIT}git status --porcelain && git clone --quiet --bare . ../bare.git"));
    assert_eq!((status.code, status.stdout.as_str()), (Some(0), ""));
    let bare = sandbox.groupage(["check", "references", "../bare.git", "--env", "release", "--rev", &leak]);
    assert_eq!(bare.code, Some(1), "{bare:?}");
}

#[test]
fn records_are_judged_on_the_day_of_the_revision() {
    let sandbox = repository();
    let record = format!(
        "{POLICY}\n[environments.ci]\n[[temporary]]\nreference = \"{STAGED}\"\nreason = \"r\"\nissue = \"i\"\nadded = 2021-07-20\nexpires = 2021-08-20\n"
    );
    sandbox.write("groupage.toml", record);
    let leak = format!("v1.{LEAK}.0");
    let check = |environment: &str, on: &[&str], expect: i32| {
        let arguments = ["check", "references", "--env", environment, "--rev", &leak];
        let ended = sandbox.groupage(arguments.iter().chain(on));
        assert_eq!(ended.code, Some(expect), "{environment} {on:?}: {ended:?}");
    };
    check("ci", &[], 0);
    check("ci", &["--on", "2021-08-21"], 1);
    check("ci", &["--on", "today"], 1);
    check("release", &[], 1);
}
