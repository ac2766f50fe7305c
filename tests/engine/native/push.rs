//! `--push` to a real registry on loopback: what arrives, and what is not sent again.

use std::collections::BTreeSet;

use crate::native_samples::{add_odd_component, image};
use crate::support::image::same;
use crate::support::layout::Layout;
use crate::support::native::{EPOCH, printed};
use crate::support::readers::{programs, skopeo_copy, skopeo_inspect};
use crate::support::registry::{LocalRegistry, Request};
use crate::support::workspace::{Workspace, program};
use crate::support::{Ended, daemon, docker};

/// The image `app` of busybox, of odd files and of a text.
fn workspace() -> Workspace {
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", "schema = 1\n");
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find_map(|path| std::fs::read(path).ok());
    workspace.write("components/tools/busybox", busybox.expect("these tests need the package busybox-static"));
    workspace.files_component(
        "tools",
        "[[install]]\nfrom = \"busybox\"\nto = \"/bin/busybox\"\nmode = \"0755\"\n[roles.tools]\n\
         command = [\"/bin/busybox\", \"cat\", \"/text\"]\nuser = \"1000:1000\"\n",
    );
    workspace
        .files_component("text", "[[install]]\nfrom = \"text\"\nto = \"/text\"\n")
        .write("components/text/text", "one\n");
    add_odd_component(&workspace);
    image(&workspace, "app", "scratch", &["tools", "odd", "text"], "default-role = \"tools\"");
    workspace
}

/// `build --push` to the registry; what was printed, and what was asked of the registry.
#[track_caller]
fn push(workspace: &Workspace, registry: &LocalRegistry, folder: &str, more: &[&str]) -> (String, Vec<Request>) {
    let mut build = program(workspace.root());
    build.args(["build", "--engine", "native", "--no-verify", "--push"]).args(more);
    build.args(["--set", &format!("registry.default={}/{folder}", registry.name())]);
    build.env("DOCKER_HOST", crate::support::native::NOBODY).env("SOURCE_DATE_EPOCH", EPOCH);
    let (ended, requests) = registry.requests_of(|| Ended::of(&mut build).expect(0));
    let printed = printed(&ended);
    let tag = format!("{}/{folder}/app:1.0.0", registry.name());
    (printed.get(&tag).unwrap_or_else(|| panic!("no {tag} in {printed:?}")).clone(), requests)
}

/// Paths of blobs and manifests that were given to the registry.
fn delivered(requests: &[Request]) -> (usize, usize) {
    let ended = requests.iter().filter(|request| request.is_delivery() && request.status == 201);
    let (blobs, manifests): (Vec<&Request>, Vec<&Request>) =
        ended.partition(|request| request.path.contains("/blobs/"));
    (blobs.len(), manifests.len())
}

#[test]
fn what_is_pushed_arrives_and_is_not_sent_again() {
    if !programs(&["skopeo"]) {
        return;
    }
    let Some(registry) = LocalRegistry::start() else { return };
    let workspace = workspace();
    let (digest, requests) = push(&workspace, &registry, "team", &[]);
    let reference = format!("docker://{}/team/app:1.0.0", registry.name());
    assert_eq!(skopeo_inspect(&reference)["Digest"], digest);
    assert_eq!(registry.complete("team/app", "1.0.0"), Ok(Some(digest.clone())));
    let (blobs, manifests) = delivered(&requests);
    let layers = workspace.build_native("app", &[]).image().layers;
    assert_eq!(blobs, layers + 1, "all layers and a configuration: {requests:#?}");
    assert!((1..=2).contains(&manifests), "by digest, and by tag: {requests:#?}");

    // what came back is what is here, compressed or not
    let folder = tempfile::tempdir().unwrap();
    skopeo_copy(&reference, &format!("oci:{}:tag", folder.path().join("back").display()));
    let back = Layout::open(&folder.path().join("back"));
    assert_eq!(back.layer_types(), BTreeSet::from(["application/vnd.oci.image.layer.v1.tar+gzip".to_owned()]));
    same("pushed", &back.image(), &workspace.build_native("app", &[]).image());

    let before = registry.stored();
    let (again, requests) = push(&workspace, &registry, "team", &[]);
    assert_eq!(again, digest);
    assert_eq!(delivered(&requests), (0, 0), "nothing is sent again: {requests:#?}");
    assert_eq!(registry.stored(), before);

    // a machine that remembers nothing sends nothing either, and makes nothing: it asks what is there
    let kept = workspace.root().join("target/groupage");
    std::fs::remove_dir_all(&kept).unwrap();
    let (again, requests) = push(&workspace, &registry, "team", &[]);
    assert_eq!((again, delivered(&requests)), (digest.clone(), (0, 0)));
    assert!(!kept.join("oci").exists(), "nothing was built");
    assert!(!requests.iter().any(|request| request.path.contains("/uploads/")), "{requests:#?}");

    // made all the same, it has the same bytes
    let (anew, requests) = push(&workspace, &registry, "team", &["--no-cache"]);
    assert_eq!((anew, delivered(&requests)), (digest, (0, 0)));
}

#[test]
fn what_a_registry_has_is_pulled_instead_of_built() {
    let Some(registry) = LocalRegistry::start() else { return };
    let workspace = workspace();
    let (digest, _) = push(&workspace, &registry, "team", &[]);
    let kept = workspace.root().join("target/groupage");
    let pull = |more: &[&str]| {
        let mut build = program(workspace.root());
        build.args(["build", "--engine", "native", "--no-verify", "--pull"]).args(more);
        build.args(["--set", &format!("registry.default={}/team", registry.name())]);
        build.env("DOCKER_HOST", crate::support::native::NOBODY).env("SOURCE_DATE_EPOCH", EPOCH);
        Ended::of(&mut build).expect(0)
    };
    // whatever is made of it besides
    for more in [&[][..], &["--output", "type=oci,dest=target/app.tar"]] {
        std::fs::remove_dir_all(&kept).unwrap();
        let (told, requests) = registry.requests_of(|| pull(more));
        assert!(told.stderr.contains("registry] cached: pull"), "{}", told.stderr);
        assert!(requests.iter().any(|request| request.method == "GET" && request.path.contains("/blobs/")));
        assert_eq!(Layout::of_image(workspace.root(), "app").digest(), digest);
        workspace.check_invariants().unwrap();
        let told = pull(more);
        assert!(told.stderr.contains("up to date"), "{}", told.stderr);
    }

    workspace.write("components/text/text", "two\n");
    std::fs::remove_dir_all(&kept).unwrap();
    let told = pull(&[]);
    assert!(!told.stderr.contains("cached: pull"), "{}", told.stderr);
    assert_ne!(Layout::of_image(workspace.root(), "app").digest(), digest);
}

#[test]
fn one_changed_component_is_one_layer_one_configuration_and_one_manifest() {
    let Some(registry) = LocalRegistry::start() else { return };
    let workspace = workspace();
    let (first, _) = push(&workspace, &registry, "team", &[]);
    let before = registry.stored();
    workspace.write("components/text/text", "two\n");
    let (second, requests) = push(&workspace, &registry, "team", &[]);
    assert_ne!(first, second);
    let stored = registry.stored();
    let new: Vec<&String> = stored.difference(&before).collect();
    // the description of the image is a layer too: it may not hold anything that follows from the content of a component
    assert_eq!(new.len(), 3, "a layer, a configuration and a manifest: {new:?}");
    let (blobs, manifests) = delivered(&requests);
    assert_eq!(blobs, 2, "{requests:#?}");
    assert!((1..=2).contains(&manifests), "{requests:#?}");
    assert_eq!(registry.complete("team/app", "1.0.0"), Ok(Some(second)));
}

/// Digest first, tag after: nobody sees a tag whose image is not there.
#[test]
fn the_tag_comes_last() {
    let Some(registry) = LocalRegistry::start() else { return };
    let (_, requests) = push(&workspace(), &registry, "team", &[]);
    let writes: Vec<&Request> = requests.iter().filter(|request| request.is_delivery()).collect();
    assert_eq!(writes.last().expect("something was sent").path, "/v2/team/app/manifests/1.0.0", "{writes:#?}");
}

#[test]
fn the_daemon_pulls_and_runs_what_was_pushed() {
    if !daemon() {
        return;
    }
    let Some(registry) = LocalRegistry::start() else { return };
    push(&workspace(), &registry, "team", &[]);
    let reference = format!("{}/team/app:1.0.0", registry.name());
    docker(["pull", "--quiet", &reference]);
    let text = docker(["run", "--rm", "--network=none", "--read-only", &reference]);
    docker(["rmi", &reference]);
    assert_eq!(text, "one");
}

/// Layers that another repository of the registry has are mounted, and those of a base from that registry are not sent at all.
#[test]
fn a_base_of_the_same_registry_is_not_sent() {
    if !daemon() || !programs(&["skopeo"]) {
        return;
    }
    let Some(registry) = LocalRegistry::start() else { return };
    let base = format!("{}/bases/shell:1", registry.name());
    skopeo_copy(&format!("docker-daemon:{}", crate::support::builders::shell()), &format!("docker://{base}"));
    let workspace = workspace();
    workspace.write("groupage.toml", format!("schema = 1\n[bases]\nlike = {base:?}\n"));
    image(&workspace, "app", "like", &["odd"], "");
    let (digest, requests) = push(&workspace, &registry, "team", &[]);
    assert_eq!(registry.complete("team/app", "1.0.0"), Ok(Some(digest)));
    let sent = requests.iter().filter(|request| request.method == "PUT" && request.path.contains("/blobs/uploads/"));
    // its own, without that of the base, and the configuration
    let layers = workspace.build_native("app", &[]).image().layers - 1;
    assert_eq!(sent.count(), layers + 1, "{requests:#?}");
}

#[test]
fn several_platforms_are_pushed_as_an_index() {
    if !programs(&["skopeo"]) {
        return;
    }
    let Some(registry) = LocalRegistry::start() else { return };
    let workspace = workspace();
    let (digest, _) = push(&workspace, &registry, "team", &["--platform", "linux/amd64,linux/arm64"]);
    assert_eq!(registry.complete("team/app", "1.0.0"), Ok(Some(digest.clone())));
    for arch in ["amd64", "arm64"] {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("copy");
        let mut copy = std::process::Command::new("skopeo");
        copy.args(["--insecure-policy", "--override-arch", arch, "copy", "--src-tls-verify=false"]);
        copy.arg(format!("docker://{}/team/app@{digest}", registry.name()));
        Ended::of(copy.arg(format!("oci:{}:tag", to.display()))).expect(0);
        assert_eq!(Layout::open(&to).images().keys().collect::<Vec<_>>(), [&format!("linux/{arch}")]);
    }
}
