//! The same base, wherever it comes from: a registry, the daemon, a layout, an archive of one, an archive of `docker save`.
//! What Docker builds on it is what the native engine builds on it.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::native_samples::odd_files;
use crate::needs_engine_native_same::import;
use crate::support::archive::Image;
use crate::support::image::{Kind, same, same_tree};
use crate::support::layout::Layout;
use crate::support::readers::{exported_tree, programs, skopeo_copy, umoci_tree, without_docker};
use crate::support::registry::LocalRegistry;
use crate::support::workspace::{Registry, Workspace};
use crate::support::{Ended, builders, daemon, docker, unique};

/// What a distribution's image has, in several layers: folders that are links, a sticky folder, owners, modes, deleted and
/// replaced files; and a configuration of which an image keeps a part.
const DOCKERFILE: &str = r#"
RUN mkdir -p /usr/bin /usr/lib /usr/share/doc /run /var /srv/replaced /srv/user /etc \
 && cp /bin/busybox /usr/bin/busybox && cp /bin/busybox /usr/bin/su && chmod 4755 /usr/bin/su \
 && ln -s usr/lib /lib && ln -s /run /var/run && echo user:x:1000:1000::/srv/user:/bin/sh > /etc/passwd && echo user:x:1000: > /etc/group \
 && mkdir -m 1777 /tmp && echo gone > /usr/share/doc/gone && echo old > /srv/replaced/old \
 && ln /usr/bin/busybox /usr/bin/hard && echo lib > /usr/lib/libx.so && chmod 700 /srv/user
RUN rm /usr/share/doc/gone && rm -r /srv/replaced && mkdir /srv/replaced && echo new > /srv/replaced/new
ENV PATH=/usr/bin:/bin FROM_BASE="a 'b' $c"
LABEL of.base="1" org.opencontainers.image.title="the base"
EXPOSE 53/udp
VOLUME /data
USER user
WORKDIR /srv/user
ENTRYPOINT ["/usr/bin/busybox"]
CMD ["sh", "-c", "true"]
"#;

/// Makes the base in the daemon, by the builder that every client has. It does not hold on to the images of its steps: one
/// can vanish under it while another test removes images, and then it begins again.
fn make(reference: &str) {
    let made = (0..5).map(|_| try_make(reference)).find(|output| {
        output.status.success() || !String::from_utf8_lossy(&output.stderr).contains("failed to get digest")
    });
    let output = made.expect("images vanish all the time");
    assert!(output.status.success(), "{:?}", Ended::from(output));
}

fn try_make(reference: &str) -> std::process::Output {
    let text = format!("FROM {}\n{DOCKERFILE}", builders::shell());
    let mut build = Command::new("docker");
    build.args(["build", "--network=none", "--quiet", "--tag", reference, "-"]).env("DOCKER_BUILDKIT", "0");
    let mut child = build.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Leaves out what says where the base, or what was taken, came from.
#[track_caller]
fn unnamed(image: Image) -> Image {
    image.without_fingerprint().without_label("org.opencontainers.image.base.name")
}

/// Every place where the base can be, for the native engine.
fn places(reference: &str, folder: &Path, registry: &LocalRegistry) -> Vec<String> {
    let path = |name: &str| folder.join(name).display().to_string();
    let from = format!("docker-daemon:{reference}");
    let remote = format!("{}/bases/like:{}", registry.name(), unique());
    skopeo_copy(&from, &format!("docker://{remote}"));
    skopeo_copy(&from, &format!("oci:{}:tag", path("layout")));
    skopeo_copy(&from, &format!("oci-archive:{}", path("oci.tar")));
    docker(["save", "--output", &path("saved.tar"), reference]);
    // uncompressed, with its own media types
    skopeo_copy(&from, &format!("docker-archive:{}:{reference}", path("copied.tar")));
    vec![
        remote,
        from,
        format!("oci:{}", path("layout")),
        format!("oci-archive:{}", path("oci.tar")),
        format!("docker-archive:{}", path("saved.tar")),
        format!("docker-archive:{}", path("copied.tar")),
    ]
}

#[test]
fn a_base_is_the_same_from_everywhere() {
    if !daemon() || !programs(&["skopeo", "umoci"]) {
        return;
    }
    let Some(registry) = LocalRegistry::start() else { return };
    let (names, folder) = (Registry::new(), tempfile::tempdir().unwrap());
    let reference = format!("{}/like:1", names.0);
    make(&reference);

    let workspace = odd_files("like", &format!("[bases]\nlike = {reference:?}\n"));
    workspace.run(["build", "--engine", "docker", "--no-verify"]).expect(0);
    let expect = unnamed(Image::of_daemon(&workspace.tag("odd:1.0.0")));
    assert_eq!(expect.tree["/lib"].kind, Kind::Link { target: "usr/lib".to_owned() }, "links of the base stay");
    assert!(!expect.tree.contains_key("/usr/share/doc/gone") && !expect.tree.contains_key("/srv/replaced/old"));

    for place in places(&reference, folder.path(), &registry) {
        let mut build = workspace.with_daemon(&["--set", &format!("bases.like={place}")]);
        // only one of them needs the daemon
        if !place.starts_with("docker-daemon:") {
            build.env("DOCKER_HOST", crate::support::native::NOBODY);
        }
        Ended::of(&mut build).expect(0);
        let layout = Layout::of_image(workspace.root(), "odd");
        same(&place, &unnamed(layout.image()), &expect);
        same_tree(&format!("umoci, {place}"), &umoci_tree(&layout), &layout.image().tree);
        fs::remove_dir_all(workspace.root().join("target/groupage")).unwrap();
    }
    Ended::of(&mut workspace.with_daemon(&["--load", "--set", &format!("bases.like=docker-daemon:{reference}")]))
        .expect(0);
    let loaded = Layout::of_image(workspace.root(), "odd").image().tree;
    same_tree("loaded", &exported_tree(&workspace.tag("odd:1.0.0")), &without_docker(&loaded));
}

/// What is installed below a folder that is a link in the base goes to where the link leads, and the link stays.
#[test]
fn an_install_through_a_link_of_the_base() {
    if !daemon() || !programs(&["skopeo", "umoci"]) {
        return;
    }
    let names = Registry::new();
    let reference = format!("{}/like:1", names.0);
    make(&reference);
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", format!("schema = 1\n[bases]\nlike = \"docker-daemon:{reference}\"\n"));
    workspace.files_component("lib", "[[install]]\nfrom = \"liby.so\"\nto = \"/lib/liby.so\"\n");
    workspace.write("components/lib/liby.so", "y");
    crate::native_samples::image(&workspace, "app", "like", &["lib"], "");
    Ended::of(&mut workspace.with_daemon(&[])).expect(0);
    let layout = Layout::of_image(workspace.root(), "app");
    for (title, tree) in [("own reader", layout.image().tree), ("umoci", umoci_tree(&layout))] {
        assert_eq!(tree["/lib"].kind, Kind::Link { target: "usr/lib".to_owned() }, "{title}");
        assert!(tree.contains_key("/usr/lib/liby.so"), "{title}: {:?}", tree.keys());
        assert!(tree.contains_key("/usr/lib/libx.so"), "{title}");
    }
}

/// Files of images that only the native engine can read.
#[test]
fn a_component_of_an_image_is_the_same_from_everywhere() {
    if !daemon() || !programs(&["skopeo", "umoci"]) {
        return;
    }
    let Some(registry) = LocalRegistry::start() else { return };
    let (names, folder) = (Registry::new(), tempfile::tempdir().unwrap());
    let reference = format!("{}/source:1", names.0);
    import(&reference);
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", "schema = 1\n");
    let component = |source: &str| {
        workspace.write(
            "components/taken/component.toml",
            format!(
                "schema = 1\nname = \"taken\"\nowner = \"@test\"\nversion = \"1\"\n[build.image]\nimage = {source:?}\n\
                 [[install]]\nfrom = \"stage:/bin/tool\"\nto = \"/usr/bin/tool\"\nmode = \"0500\"\n\
                 [[install]]\nfrom = \"stage:/data\"\nto = \"/srv/data\"\n"
            ),
        );
    };
    crate::native_samples::image(&workspace, "app", "scratch", &["taken"], "");
    component(&reference);
    workspace.run(["build", "--engine", "docker", "--no-verify"]).expect(0);
    let expect = unnamed(Image::of_daemon(&workspace.tag("app:1.0.0")));
    for place in places(&reference, folder.path(), &registry) {
        component(&place);
        Ended::of(&mut workspace.with_daemon(&[])).expect(0);
        let layout = Layout::of_image(workspace.root(), "app");
        same(&place, &unnamed(layout.image()), &expect);
    }
}

/// A working folder that is made below a folder which a component brings with a mode and an owner of its own.
#[test]
fn a_working_folder_below_one_of_a_component() {
    if !daemon() {
        return;
    }
    let names = Registry::new();
    let (base, source) = (format!("{}/like:1", names.0), format!("{}/source:1", names.0));
    make(&base);
    import(&source);
    let workspace = Workspace::empty();
    let write = |prefix: &str| {
        workspace
            .write("groupage.toml", format!("schema = 1\n[bases]\nlike = \"{prefix}{base}\"\n"))
            .write(
                "components/first/component.toml",
                format!(
                    "schema = 1\nname = \"first\"\nowner = \"@test\"\nversion = \"1\"\n[build.image]\n\
                     image = \"{prefix}{source}\"\n[[install]]\nfrom = \"stage:/data\"\nto = \"/opt/data\"\n"
                ),
            )
            .write("components/second/text", "text");
        workspace.files_component(
            "second",
            "[[install]]\nfrom = \"text\"\nto = \"/opt/text\"\nmode = \"0755\"\n\
             [roles.second]\ncommand = [\"/opt/text\"]\nuser = \"7:7\"\nworkdir = \"/opt/data/closed/work/here\"\n",
        );
    };
    for base in ["like", "scratch"] {
        crate::native_samples::image(&workspace, "app", base, &["first", "second"], "default-role = \"second\"");
        write("");
        workspace.run(["build", "--engine", "docker", "--no-verify"]).expect(0);
        let expect = unnamed(Image::of_daemon(&workspace.tag("app:1.0.0")));
        write("docker-daemon:");
        Ended::of(&mut workspace.with_daemon(&[])).expect(0);
        same(base, &unnamed(Layout::of_image(workspace.root(), "app").image()), &expect);
    }
}
