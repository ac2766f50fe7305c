//! `report --measure-memory`: roles run as containers, are read, and leave nothing behind.

use serde_json::Value;

use crate::support::workspace::Workspace;
use crate::support::{Ended, daemon, docker};

/// A component whose program is a static one with a shell in it.
fn component(workspace: &Workspace, name: &str, arguments: &str) {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| std::path::Path::new(path).exists());
    let busybox = std::fs::read(busybox.expect("these tests need the package busybox-static")).unwrap();
    workspace.write(&format!("components/{name}/busybox"), busybox);
    let more = format!(
        "[[install]]\nfrom = \"busybox\"\nto = \"/{name}/busybox\"\nmode = \"0755\"\n\
         [roles.{name}]\ncommand = [\"/{name}/busybox\", {arguments}]\nuser = \"65532:65532\"\nboundary = \"none\"\n"
    );
    workspace.files_component(name, &more);
}

fn report(workspace: &Workspace, more: &[&str]) -> Value {
    let fixed = ["report", "--measure-memory", "--format", "json", "--rounds", "3", "--mode", "colocated"];
    let mut command = workspace.command(fixed.iter().chain(more));
    let ended = Ended::of(&mut command).expect(0);
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn roles_are_read_while_they_run_and_removed() {
    if !daemon() {
        return;
    }
    let workspace = Workspace::new();
    component(&workspace, "one", "\"sh\", \"-c\", \"echo is ready; exec /one/busybox sleep 3600\"");
    component(&workspace, "two", "\"sleep\"");
    workspace.image("app", &["one", "two"], "");
    workspace.write(
        "images/workload.toml",
        "schema = 1\n[roles.one]\nready = 'log:is ready'\n[roles.two]\nargs = ['3600']\nready = 'seconds:1'\n",
    );
    let measured = report(&workspace, &[]);
    let memory = &measured["memory"]["value"];
    let sets = memory["sets"].as_array().unwrap();
    assert_eq!(sets.iter().map(|set| set["column"].as_str().unwrap()).collect::<Vec<_>>(), ["split", "colocated"]);
    for role in sets.iter().flat_map(|set| set["roles"].as_array().unwrap()) {
        let resident = &role["resident"]["value"];
        let number = |key: &str| resident[key].as_u64().unwrap();
        assert!(number("pss") > 0 && number("pss") <= number("rss"), "{role:#}");
        assert!(number("cgroup") >= number("working_set"), "{role:#}");
    }
    let sum = |set: &Value| set["all_roles"]["value"]["rss"].as_u64().unwrap();
    assert!(sets.iter().all(|set| sum(set) > 0), "{measured:#}");

    // one that does not stay up is not measured, and the reason is its own
    workspace.write("gone.toml", "schema = 1\n[roles.two]\nargs = ['no-number']\n");
    let failed = report(&workspace, &["--workload", "gone.toml"]);
    let reason = failed["memory"]["value"]["sets"][0]["all_roles"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("role `two` of app/two ended instead of staying up; its log ends with: "), "{reason}");
    assert_eq!(failed["memory"]["value"]["sets"][0]["all_roles"]["value"], Value::Null);

    let left = docker(["ps", "--all", "--quiet", "--filter", "name=groupage-measure-"]);
    assert_eq!(left, "", "containers are left");
}
