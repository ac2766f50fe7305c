//! Releases without a registry: lists of images, references that are swapped, what differs between two releases.

use std::process::Command;

use serde_json::Value;

use crate::support::Ended;
use crate::support::workspace::{Workspace, program};

/// The reference of kops that was swapped, and what took its place.
const OLD: &str = "gcr.io/k8s-staging-etcdadm/etcd-manager:v3.0.20220128-22-g09fbed34";
const NEW: &str = "k8s.gcr.io/etcdadm/etcd-manager:v3.0.20220203";

fn run(workspace: &Workspace, arguments: &[&str]) -> Ended {
    let mut command = program(workspace.root());
    // what git says must not depend on whoever runs the tests
    command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    Ended::of(&mut command)
}

fn git(workspace: &Workspace, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    Ended::of(git.args(arguments).current_dir(workspace.root())).expect(0);
}

#[test]
fn a_swap_changes_the_source_and_its_golden_files_and_nothing_else() {
    let workspace = Workspace::empty();
    let text = format!("a: 1\r\nimage: \"{OLD}\" # ä\n# was {OLD}5\nend");
    workspace.write("pkg/model.go", format!("const image = `{OLD}`\n"));
    for number in 0..181 {
        workspace.write(&format!("tests/{number}/expected.yaml"), &text);
    }
    workspace.write("tests/binary", [b"\xff".as_slice(), OLD.as_bytes()].concat());
    workspace.write(".gitignore", "out\n").write("out/expected.yaml", &text);
    git(&workspace, &["init", "--quiet"]);
    let swap = format!("{OLD}={NEW}");
    let read = |path: &str| std::fs::read_to_string(workspace.root().join(path)).unwrap();

    let dry = run(&workspace, &["promote", "--swap", &swap, "."]).expect(0);
    assert_eq!(read("tests/7/expected.yaml"), text, "a dry run writes nothing");
    assert!(dry.stderr.contains("note: 182 references in 182 files would change; --write does it"), "{}", dry.stderr);
    assert!(dry.stdout.contains(&format!("pkg/model.go: 1 reference\n  1: {OLD} → {NEW}\n")), "{}", dry.stdout);
    let done = run(&workspace, &["promote", "--swap", &swap, "pkg", "tests", ".", "--write"]).expect(0);
    assert!(done.stderr.contains("changed 182 references in 182 files, and no other byte"), "{}", done.stderr);
    assert!(done.stderr.contains("181 references of the same name"), "{}", done.stderr);
    assert_eq!(read("pkg/model.go"), format!("const image = `{NEW}`\n"));
    for number in 0..181 {
        let expect = format!("a: 1\r\nimage: \"{NEW}\" # ä\n# was {OLD}5\nend");
        assert_eq!(read(&format!("tests/{number}/expected.yaml")), expect);
    }
    assert_eq!(read("out/expected.yaml"), text, "git ignores it");
    let again = run(&workspace, &["promote", "--swap", &swap, "."]).expect(1);
    assert!(again.stderr.contains("stands nowhere there; 181 references of its name"), "{}", again.stderr);
    run(&workspace, &["promote", "--swap", "a.io/b=a.io/b:1", "."]).expect(2);
    run(&workspace, &["promote", "--swap", &swap]).expect(2);
}

/// A workspace with one image of one component from a registry.
fn release(image: &str, source: &str, more: &str) -> Workspace {
    let workspace = Workspace::empty();
    change(&workspace, image, source, more);
    workspace
}

fn change(workspace: &Workspace, image: &str, source: &str, more: &str) {
    let base =
        "schema = 1\n[registry]\ndefault = \"r.example/team\"\n[bases]\nstatic = \"gcr.io/distroless/static:1\"\n";
    workspace.write("groupage.toml", base);
    let component = format!(
        "schema = 1\nname = \"tool\"\nowner = \"@test\"\nversion = \"1.0.0\"\n[build.image]\nimage = \"{source}\"\n\
         [[install]]\nfrom = \"stage:/x\"\nto = \"/srv/x\"\n{more}"
    );
    workspace.write("components/tool/component.toml", component);
    _ = std::fs::remove_dir_all(workspace.root().join("images"));
    let definition = format!(
        "schema = 1\nname = \"{image}\"\nversion = \"5.3.0\"\nbase = \"static\"\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n\
         [components]\ntool = {{ optional = true }}\n[features]\nextra = [\"dep:tool\"]\n\
         [variants.full]\nfeatures = [\"extra\"]\ntag-suffix = \"-full\"\n"
    );
    workspace.write(&format!("images/{image}/image.toml"), definition);
}

#[test]
fn one_table_has_every_variant_and_names_the_feature() {
    let workspace = release("app", "a.io/tool:1.0", "");
    let list = run(&workspace, &["images", "--list", "--format", "json"]).expect(0);
    let document: Value = serde_json::from_str(&list.stdout).unwrap();
    let rows = document["images"].as_array().unwrap();
    let references: Vec<&str> = rows.iter().filter_map(|row| row["reference"].as_str()).collect();
    let expect =
        ["a.io/tool:1.0", "gcr.io/distroless/static:1", "r.example/team/app:5.3.0", "r.example/team/app:5.3.0-full"];
    assert_eq!(references, expect);
    assert_eq!(rows[0]["why"][0]["feature"], "extra");
    let matrix = run(&workspace, &["images", "--list", "--format", "github-matrix"]).expect(0);
    let matrix: Value = serde_json::from_str(&matrix.stdout).unwrap();
    assert_eq!(matrix["include"].as_array().unwrap().len(), 8, "four images for two platforms");
    let markdown = run(&workspace, &["images", "--list", "--only", "outputs", "--format", "markdown"]).expect(0);
    assert_eq!(
        markdown.stdout.lines().nth(3),
        Some("| `r.example/team/app:5.3.0-full` |  | linux/amd64, linux/arm64 | image app=full |")
    );
    let text = run(&workspace, &["images", "--list", "app"]).expect(0);
    assert_eq!(text.stdout.lines().count(), 2, "without the variant the component is not in: {}", text.stdout);
}

#[test]
fn differences_of_releases_need_a_reason() {
    let workspace = release("app", "a.io/tool:1.0", "");
    git(&workspace, &["init", "--quiet"]);
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "--quiet", "-m", "one"]);
    git(&workspace, &["tag", "v1"]);
    change(&workspace, "app", "b.io/tool:v1.1", "");
    git(&workspace, &["commit", "--quiet", "-am", "two"]);
    let differs = run(&workspace, &["release", "diff", "v1", "HEAD"]).expect(1);
    let expect = "moved    a.io/tool → b.io/tool (NOT EXPLAINED)\nretagged a.io/tool: 1.0 → v1.1 (NOT EXPLAINED)\n";
    assert_eq!(differs.stdout, expect);
    workspace.write("why.yaml", "a.io/tool: its project has moved\n");
    let explained = run(&workspace, &["release", "diff", "v1", "HEAD", "--explain-file", "why.yaml"]).expect(0);
    assert_eq!(explained.stdout, expect.replace("NOT EXPLAINED", "its project has moved"));

    // an entry of the ledger is a reason as well
    let replaces = "[[replaces]]\nimage = \"r.example/team/app\"\nkind = \"renamed\"\nsince = \"6.0.0\"\n";
    change(&workspace, "suite", "b.io/tool:v1.1", replaces);
    git(&workspace, &["add", "--all"]);
    git(&workspace, &["commit", "--quiet", "-m", "three"]);
    let list = run(&workspace, &["images", "--list", "--format", "json"]).expect(0);
    workspace.write("now.json", list.stdout);
    let renamed = run(&workspace, &["release", "diff", "HEAD~1", "now.json", "--format", "json"]).expect(0);
    let document: Value = serde_json::from_str(&renamed.stdout).unwrap();
    let told: Vec<(&str, Option<&str>)> = document["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["change"].as_str().unwrap(), one["reason"].as_str()))
        .collect();
    assert_eq!(told, [("added", None), ("disappeared", Some("replaced by component tool since 6.0.0"))]);
    run(&workspace, &["release", "diff", "v0", "HEAD"]).expect(2);
    run(&workspace, &["release", "diff", "why.yaml", "HEAD"]).expect(2);
}
