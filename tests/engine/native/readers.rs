//! What the native engine writes is accepted by programs that have nothing to do with it: `skopeo`, `umoci`, the daemon.

use std::process::Command;

use crate::native_samples::odd_files;
use crate::support::archive::Image;
use crate::support::builders::{lock, repository};
use crate::support::image::{same, same_tree};
use crate::support::layout::Layout;
use crate::support::native::{build_without_daemon, printed};
use crate::support::readers::{exported_tree, programs, skopeo_inspect, umoci_tree, without_docker};
use crate::support::workspace::Workspace;
use crate::support::{Ended, daemon, docker};

#[test]
fn layouts_of_this_repository() {
    if !programs(&["skopeo", "umoci"]) {
        return;
    }
    let _lock = lock("images");
    let mut build = build_without_daemon(&repository());
    Ended::of(build.args(["logging-operator=*", "node-agent"])).expect(0);
    for id in ["logging-operator", "logging-operator=full", "node-agent"] {
        let layout = Layout::of_image(&repository(), id);
        let seen = skopeo_inspect(&format!("oci:{}", layout.folder().display()));
        assert_eq!(seen["Digest"], layout.digest(), "{id}");
        assert_eq!(seen["Os"], "linux", "{id}");
        assert_eq!(seen["Labels"], layout.image().config["Labels"], "{id}");
        same_tree(id, &umoci_tree(&layout), &layout.image().tree);
    }
}

#[test]
fn layouts_with_odd_files() {
    if !programs(&["skopeo", "umoci"]) {
        return;
    }
    let workspace = odd_files("scratch", "");
    let layout = workspace.build_native("odd", &[]);
    assert_eq!(skopeo_inspect(&format!("oci:{}", layout.folder().display()))["Digest"], layout.digest());
    same_tree("umoci", &umoci_tree(&layout), &layout.image().tree);
}

#[test]
fn archives() {
    if !programs(&["skopeo"]) || !daemon() {
        return;
    }
    let workspace = odd_files("scratch", "");
    let expect = workspace.build_native("odd", &[]).image();
    let path = workspace.beside("archive.tar");
    let write = |output: &str| {
        let output = format!("{output},dest={}", path.display());
        printed(&Ended::of(&mut workspace.native(&["--output", &output])).expect(0)).into_values().next().unwrap()
    };
    for compression in ["gzip", "zstd", "none"] {
        let digest = write(&format!("type=oci,compression={compression}"));
        let seen = skopeo_inspect(&format!("oci-archive:{}", path.display()));
        assert_eq!(seen["Digest"], digest, "{compression}");
        assert_eq!(seen["Layers"].as_array().unwrap().len(), expect.layers, "{compression}");
    }
    let reference = workspace.tag("odd:1.0.0");
    for compression in ["", ",compression=none", ",compression=gzip"] {
        write(&format!("type=docker{compression}"));
        let seen = skopeo_inspect(&format!("docker-archive:{}", path.display()));
        assert_eq!(seen["Layers"].as_array().unwrap().len(), expect.layers, "{compression}");
        docker(["load", "--quiet", "--input", path.to_str().unwrap()]);
        same(compression, &Image::of_daemon(&reference), &expect);
        docker(["rmi", &reference]);
    }
}

/// The daemon's name for the image of a layout: the digest of its configuration.
fn image_id(layout: &Layout) -> String {
    layout.documents().manifest["config"]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn the_daemon_loads_only_the_layers_that_it_lacks() {
    if !daemon() {
        return;
    }
    let workspace = odd_files("scratch", "");
    let reference = workspace.tag("odd:1.0.0");
    let load = |workspace: &Workspace| {
        Ended::of(&mut workspace.with_daemon(&["--load"])).expect(0);
        let layout = Layout::of_image(workspace.root(), "odd");
        assert_eq!(docker(["image", "inspect", "--format", "{{.Id}}", &reference]), image_id(&layout));
        same("loaded", &Image::of_daemon(&reference), &layout.image());
        same_tree("exported", &exported_tree(&reference), &without_docker(&layout.image().tree));
        image_id(&layout)
    };
    let first = load(&workspace);
    assert_eq!(load(&workspace), first, "loading again changes nothing");
    workspace.write("components/plain/text", "changed\n");
    let second = load(&workspace);
    assert_ne!(second, first);
    // a daemon that has lost the image, but not what this machine remembers of it
    Ended::of(Command::new("docker").args(["rmi", "--force", &first, &second])).expect(0);
    assert_eq!(load(&workspace), second);
}
