//! Images of single components in the daemon: counted, and removed when nothing is made of them any more.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::counted::by_builder;
use crate::support::workspace::Workspace;
use crate::support::{daemon, docker, unique};

/// An image with the label, which goes away with this.
struct Image(String);

impl Image {
    fn new(component: &str, hash: &str) -> Self {
        let reference = format!("groupage.invalid/component/{component}:{hash}");
        let mut build = Command::new("docker");
        build.args(["build", "--quiet", "--tag", &reference, "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = build.spawn().unwrap();
        let text = format!("FROM scratch\nLABEL dev.groupage.component={component} of={reference}\n");
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        Self(reference)
    }

    fn is_there(&self) -> bool {
        !docker(["images", "--quiet", &self.0]).is_empty()
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        _ = Command::new("docker").args(["rmi", &self.0]).output();
    }
}

#[test]
fn images_of_our_components_go_when_nothing_is_made_of_them() {
    if !daemon() {
        return;
    }
    let (own, foreign) = (unique(), unique());
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", "schema = 1\n");
    workspace.files_component(&own, "[[install]]\nfrom = \"data\"\nto = \"/srv/data\"\n");
    workspace.write(&format!("components/{own}/data"), "1").image("app", &[&own], "");
    by_builder(&workspace);
    // the one that a build makes
    workspace.run(["build"]).expect(0);
    let filter = format!("label=dev.groupage.component={own}");
    let current = Image(docker(["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", &filter]));
    let stale = Image::new(&own, "ffffffffffffffffffffffffffffffff");
    let others = Image::new(&foreign, "ffffffffffffffffffffffffffffffff");

    let shown: serde_json::Value =
        serde_json::from_str(&workspace.run(["cache", "show", "--format", "json"]).expect(0).stdout).unwrap();
    assert!(shown["docker"]["count"].as_u64().unwrap() >= 3, "{shown}");
    workspace.run(["cache", "prune", "--keep", "0"]).expect(0);
    assert!(stale.is_there(), "nobody has asked for it");
    let dry = workspace.run(["cache", "prune", "--keep", "0", "--docker", "--dry-run"]).expect(0).stdout;
    assert!(dry.contains(&format!("would remove {} from the Docker daemon", stale.0)) && stale.is_there(), "{dry}");
    let told = workspace.run(["cache", "prune", "--keep", "0", "--docker"]).expect(0).stdout;
    assert!(told.contains(&format!("removed {} from the Docker daemon", stale.0)), "{told}");
    assert!(!told.contains(&current.0) && !told.contains(&foreign), "{told}");
    assert_eq!([&current, &stale, &others].map(Image::is_there), [true, false, true]);
}
