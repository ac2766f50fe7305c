//! `take = "above-base"`: published images are put together without being built again. Their layers stay what they are; what cannot
//! stand beside what others give is named before anything is written.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use groupage::oci::sample::Entry;
use groupage::verify::sample::Program;
use serde_json::{Value, json};

use crate::native_samples::image;
use crate::support::Ended;
use crate::support::image::Kind;
use crate::support::layout::Layout;
use crate::support::native::{EPOCH, NOBODY};
use crate::support::published::{Stored, folder_of, layer, program, publish};
use crate::support::readers::{programs, skopeo_copy};
use crate::support::registry::LocalRegistry;
use crate::support::workspace::{Workspace, program as groupage};

/// What both images stand on: folders, users, and a file that one could remove.
pub fn ground() -> Stored {
    layer(&[
        Entry::folder("etc"),
        Entry::file("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
        Entry::file("etc/motd", "welcome\n"),
        Entry::folder("usr"),
        Entry::folder("usr/bin"),
        folder_of("tmp", 0, 0o1777),
    ])
}

/// A program that ends with a code, and what belongs to it.
fn app(name: &str, code: u8) -> Stored {
    layer(&[
        Entry::folder("usr"),
        Entry::folder("usr/bin"),
        program(&format!("usr/bin/{name}"), Program::ending_with(code).bytes()),
        folder_of("var", 0, 0o755),
        folder_of(&format!("var/{name}"), 1000, 0o700),
        Entry { owner: (1000, 1000), mode: 0o640, ..Entry::file(&format!("var/{name}/state"), "new\n") },
    ])
}

fn config(name: &str) -> Value {
    json!({ "Entrypoint": [format!("/usr/bin/{name}")], "User": "1000:1000", "WorkingDir": "/" })
}

/// A workspace with the image `both` of two published ones, on a published base.
pub struct Published {
    pub workspace: Workspace,
    folder: tempfile::TempDir,
}

impl Published {
    /// `images` are the layers of each, lowest first; `base` is what the merged image stands on.
    pub fn new(base: &[Stored], images: &[(&str, Vec<Stored>)]) -> Self {
        let published = Self { workspace: Workspace::empty(), folder: tempfile::tempdir().unwrap() };
        publish(&published.path("base"), base, &json!({ "Env": ["PATH=/usr/bin"] }));
        published.settings("");
        for (name, layers) in images {
            publish(&published.path(name), layers, &config(name));
            published.component(name, "");
        }
        let names: Vec<&str> = images.iter().map(|(name, _)| *name).collect();
        image(&published.workspace, "both", "base", &names, &format!("default-role = \"{}\"\n", names[0]));
        published
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self, more: &str) {
        let base = self.path("base").display().to_string();
        self.workspace.write("groupage.toml", format!("schema = 1\n[bases]\nbase = \"oci:{base}\"\n{more}"));
    }

    /// Writes a component that takes all of an image.
    pub fn component(&self, name: &str, more: &str) {
        let from = format!("oci:{}", self.path(name).display());
        self.component_from(name, &from, more);
    }

    pub fn component_from(&self, name: &str, from: &str, more: &str) {
        let text = format!(
            "schema = 1\nname = \"{name}\"\nowner = \"@test\"\nversion = \"1.0.0\"\n\n[build.image]\nimage = \"{from}\"\n\
             take = \"above-base\"\n{more}\n[roles.{name}]\ncommand = [\"/usr/bin/{name}\"]\nuser = \"1000:1000\"\n"
        );
        self.workspace.write(&format!("components/{name}/component.toml"), text);
    }

    /// `build --engine native`, with the check of the result.
    pub fn build(&self, more: &[&str]) -> Ended {
        let mut build = groupage(self.workspace.root());
        build.args(["build", "--engine", "native"]).args(more);
        if !more.contains(&"--push") {
            build.args(["--set", &self.workspace.registry_setting()]);
        }
        build.env("DOCKER_HOST", NOBODY).env("SOURCE_DATE_EPOCH", EPOCH);
        Ended::of(&mut build)
    }

    pub fn layout(&self) -> Layout {
        Layout::of_image(self.workspace.root(), "both")
    }

    /// It is refused with all of these words, and nothing was written.
    #[track_caller]
    fn refused(&self, words: &[&str]) {
        let ended = self.build(&[]).expect(1);
        words.iter().for_each(|word| assert!(ended.stderr.contains(word), "no {word:?} in:\n{}", ended.stderr));
        assert!(!self.workspace.root().join("target/groupage/oci").exists(), "something was written");
    }
}

pub fn two() -> Published {
    Published::new(&[ground()], &[("one", vec![ground(), app("one", 11)]), ("two", vec![ground(), app("two", 12)])])
}

/// Digests of the layers of a layout's only image.
fn digests(layout: &Layout) -> Vec<String> {
    let layers = layout.documents().manifest["layers"].as_array().unwrap().clone();
    layers.iter().map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn layers_stay_what_they_are() {
    let published = two();
    let ended = published.build(&["--progress", "plain"]).expect(0);
    assert_eq!(ended.stderr.matches("as it is").count(), 2, "{}", ended.stderr);
    let layout = published.layout();
    let found = digests(&layout);
    let expect = [ground(), app("one", 11), app("two", 12)].map(|stored| stored.layer.digest.to_string());
    assert_eq!(found[..3], expect, "same bytes, same digests");
    assert_eq!(found.len(), 4, "and one for the image's own description");

    let image = layout.image();
    for (name, mode, owner) in [("one", 0o640, (1000, 1000)), ("two", 0o640, (1000, 1000))] {
        let state = &image.tree[&format!("/var/{name}/state")];
        assert_eq!((state.mode, state.owner), (mode, owner));
        let folder = &image.tree[&format!("/var/{name}")];
        assert_eq!((folder.mode, folder.owner, &folder.kind), (0o700, (1000, 1000), &Kind::Folder));
    }

    // what is there is not made again, and holds its contract for whoever looks later
    let again = published.build(&["--progress", "plain"]).expect(0);
    assert!(!again.stderr.contains("as it is"), "{}", again.stderr);
    let path = format!("oci:{}", layout.folder().display());
    let verified =
        Ended::of(groupage(published.workspace.root()).args(["verify", &path]).env("DOCKER_HOST", NOBODY)).expect(0);
    assert_eq!(verified.stdout, "", "{verified:?}");
}

/// Whatever the form of layers here, those of others stay as they are.
#[test]
fn other_layers_may_be_compressed_otherwise() {
    let published = two();
    let zstd = published.build(&["--progress", "plain", "--output", "type=oci,dest=out.tar,compression=zstd"]);
    assert_eq!(zstd.code, Some(0), "{zstd:?}");
    let found: BTreeSet<String> = digests(&published.layout()).into_iter().collect();
    assert!(found.contains(&app("one", 11).layer.digest.to_string()), "{found:?}");
}

#[test]
fn the_same_path_twice() {
    let conf = |text: &str| layer(&[Entry::folder("etc"), Entry::file("etc/app.conf", text)]);
    let with = |one: Stored, two: Stored| {
        Published::new(
            &[ground()],
            &[("one", vec![ground(), app("one", 0), one]), ("two", vec![ground(), app("two", 0), two])],
        )
    };
    // equal files are one
    let same = with(conf("a\n"), conf("a\n"));
    same.build(&[]).expect(0);

    let other = with(conf("a\n"), conf("b\n"));
    other.refused(&[
        "path-collision",
        "/etc/app.conf is given by component `one` and by component `two`, with other bytes",
        "exclude",
    ]);
    // the message's own way out
    other.component("two", "exclude = [\"/etc/app.conf\"]\n");
    let ended = other.build(&["--progress", "plain"]).expect(0);
    assert!(ended.stderr.contains("one new layer: /etc/app.conf is left out"), "{}", ended.stderr);
    let image = other.layout().image();
    assert_eq!(image.read("/etc/app.conf"), b"a\n");
    assert!(image.tree.contains_key("/usr/bin/two"));
    assert_eq!(image.tree["/var/two/state"].owner, (1000, 1000), "owners stay in a new layer, too");

    let link = with(conf("a\n"), layer(&[Entry::link("etc/app.conf", "motd")]));
    link.refused(&["/etc/app.conf is given by", "as two kinds of things"]);
    let closed = with(layer(&[Entry::folder("srv")]), layer(&[folder_of("srv", 7, 0o700)]));
    closed.refused(&["/srv is given by", "once with mode 0755 of 0:0, once with mode 0700 of 7:7"]);
}

/// A file of the workspace that a layer has, too.
#[test]
fn a_listed_file_and_a_layer() {
    let published = Published::new(&[ground()], &[("one", vec![ground(), app("one", 0)])]);
    published.workspace.files_component("page", "[[install]]\nfrom = \"x\"\nto = \"/var/one/state\"\n");
    published.workspace.write("components/page/x", "other\n");
    image(&published.workspace, "both", "base", &["one", "page"], "default-role = \"one\"\n");
    published.refused(&["/var/one/state is given by component `one` and by component `page`, with other bytes"]);
}

#[test]
fn what_an_image_has_removed() {
    let removal = layer(&[Entry::file("etc/.wh.motd", "")]);
    let published = Published::new(&[ground()], &[("one", vec![ground(), app("one", 0), removal])]);
    published.refused(&["component `one`", "removes /etc/motd", "hint: ", "exclude = [\"/etc/motd\"]"]);
    published.component("one", "exclude = [\"/etc/motd\"]\n");
    published.build(&[]).expect(0);
    assert_eq!(published.layout().image().read("/etc/motd"), b"welcome\n", "it stays");

    // what its own layers made and removed is nobody else's business
    let made = layer(&[Entry::folder("build"), Entry::file("build/x", "")]);
    let gone = layer(&[Entry::file(".wh.build", "")]);
    let published = Published::new(&[ground()], &[("one", vec![ground(), made, gone, app("one", 0)])]);
    let ended = published.build(&["--progress", "plain"]).expect(0);
    assert_eq!(ended.stderr.matches("as it is").count(), 3, "{}", ended.stderr);
    assert!(!published.layout().image().tree.contains_key("/build"));
}

#[test]
fn which_base_an_image_has() {
    let (own, other) = (layer(&[Entry::folder("opt"), Entry::file("opt/base", "")]), ground());
    let published = Published::new(&[other], &[("one", vec![own.clone(), app("one", 0)])]);
    let ask = ["it is not known what its base is", "hint: name it for component `one` with `base = \"NAME\"`"];
    published.refused(&ask);

    // named, and right
    publish(&published.path("own"), std::slice::from_ref(&own), &json!({}));
    published.settings(&format!("own = \"oci:{}\"\n", published.path("own").display()));
    published.component("one", "base = \"own\"\n");
    published.build(&[]).expect(0);
    let image = published.layout().image();
    assert!(image.tree.contains_key("/usr/bin/one") && !image.tree.contains_key("/opt/base"));

    // named, and not its base
    std::fs::remove_dir_all(published.workspace.root().join("target/groupage/oci")).unwrap();
    published.component("one", "base = \"base\"\n");
    published.refused(&[
        "it does not stand on oci:",
        "its layer 1 is sha256:",
        "hint: name the base that it was built on",
    ]);

    // all of it
    published.component("one", "base = \"scratch\"\n");
    published.build(&[]).expect(0);
    assert!(published.layout().image().tree.contains_key("/opt/base"));
}

/// A working folder that a layer has stays as it is there; what the role says otherwise than the image is told.
#[test]
fn working_folders_and_roles() {
    let published = Published::new(&[ground()], &[("one", vec![ground(), app("one", 0)])]);
    let path = "components/one/component.toml";
    let text = std::fs::read_to_string(published.workspace.root().join(path)).unwrap();
    published.workspace.write(path, format!("{text}workdir = \"/var/one\"\n"));
    let ended = published.build(&["--progress", "plain"]).expect(0);
    let image = published.layout().image();
    assert_eq!(image.config["WorkingDir"], "/var/one");
    let folder = &image.tree["/var/one"];
    assert_eq!((folder.mode, folder.owner), (0o700, (1000, 1000)));
    let note = "note[source-config] role `one` works in /var/one, and its image in /";
    assert!(ended.stderr.contains(note), "{}", ended.stderr);
}

/// A base with merged `/usr`: what goes through its link goes to where it leads, and the link stays.
#[test]
fn a_base_with_links() {
    let merged = layer(&[Entry::folder("usr"), Entry::folder("usr/bin"), Entry::link("bin", "usr/bin")]);
    let tool = layer(&[Entry::folder("bin"), program("bin/tool", Program::ending_with(0).bytes())]);
    let published = Published::new(&[merged], &[("one", vec![app("one", 0), tool])]);
    published.component("one", "base = \"scratch\"\n");
    let ended = published.build(&["--progress", "plain"]).expect(0);
    assert!(ended.stderr.contains("one new layer: /bin is no folder in the base"), "{}", ended.stderr);
    let tree = published.layout().image().tree;
    assert_eq!(tree["/bin"].kind, Kind::Link { target: "usr/bin".to_owned() });
    assert!(tree.contains_key("/usr/bin/tool"));
}

/// Programs of two distributions on the base of one: what one of them is loaded by is not there, and it is said before the
/// image gets a name.
#[test]
fn programs_of_two_distributions() {
    let loader = |path: &str, library: &str| {
        layer(&[
            program(path, Program::amd64().bytes()),
            program(library, Program::amd64().bytes()),
            Entry::folder("usr"),
        ])
    };
    let debian = loader("lib64/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu/libc.so.6");
    let alpine = loader("lib/ld-musl-x86_64.so.1", "lib/libz.so.1");
    let of = |name: &str, interpreter: &str, library: &str| {
        let bytes = Program::amd64().loaded_by(interpreter).needing(library).bytes();
        layer(&[Entry::folder("usr"), Entry::folder("usr/bin"), program(&format!("usr/bin/{name}"), bytes)])
    };
    let one = of("one", "/lib64/ld-linux-x86-64.so.2", "libc.so.6");
    let two = of("two", "/lib/ld-musl-x86_64.so.1", "libz.so.1");
    let published = Published::new(
        std::slice::from_ref(&debian),
        &[("one", vec![debian.clone(), one]), ("two", vec![alpine.clone(), two])],
    );
    publish(&published.path("alpine"), &[alpine], &json!({}));
    published.settings(&format!("alpine = \"oci:{}\"\n", published.path("alpine").display()));
    published.component("two", "base = \"alpine\"\n");
    published.refused(&[
        "missing-interpreter",
        "/usr/bin/two is linked with musl: its interpreter is /lib/ld-musl-x86_64.so.1, which is not in the image",
        "has glibc (/lib64/ld-linux-x86-64.so.2)",
    ]);
}

/// No program gives rights that nobody declared.
#[test]
fn setuid_programs() {
    let su = Entry { mode: 0o4755, ..program("usr/bin/su", Program::ending_with(0).bytes()) };
    let published = Published::new(&[ground()], &[("one", vec![ground(), app("one", 0), layer(&[su])])]);
    published.refused(&["set-id", "/usr/bin/su has the mode 4755, which nobody declared"]);
    published.component("one", "exclude = [\"/usr/bin/su\"]\n");
    published.build(&[]).expect(0);
}

/// Of a source on another base only the layers above it travel, and back to their registry they need not be sent.
#[test]
fn what_travels() {
    if !programs(&["skopeo"]) {
        return;
    }
    let Some(registry) = LocalRegistry::start() else { return };
    let own = layer(&[Entry::folder("opt"), Entry::file("opt/base", "of another base\n")]);
    let published = Published::new(&[ground()], &[("one", vec![own.clone(), app("one", 11)])]);
    publish(&published.path("own"), std::slice::from_ref(&own), &json!({}));
    let push = |name: &str| {
        let reference = format!("{}/published/{name}:1", registry.name());
        skopeo_copy(&format!("oci:{}", published.path(name).display()), &format!("docker://{reference}"));
        reference
    };
    let (one, base) = (push("one"), push("own"));
    published.settings(&format!("own = \"{base}\"\n"));
    published.component_from("one", &one, "base = \"own\"\n");
    let target = format!("registry.default={}/team", registry.name());
    let (_, requests) = registry.requests_of(|| published.build(&["--push", "--set", &target]).expect(0));
    let about = |stored: &Stored| {
        let all = requests.iter().filter(|request| request.path.contains(stored.layer.digest.hex()));
        all.map(|request| request.method.clone()).collect::<Vec<_>>()
    };
    assert_eq!(about(&own), [""; 0], "nobody asks for the base's layers: {requests:#?}");
    assert!(
        about(&app("one", 11)).iter().all(|method| ["GET", "HEAD"].contains(&method.as_str())),
        "it is mounted: {requests:#?}"
    );
    assert!(registry.complete("team/both", "1.0.0").unwrap().is_some());
}

/// A daemon cannot do it, and says so by name; `auto` takes the engine that can.
#[test]
fn the_engine_that_can() {
    let published = Published::new(&[ground()], &[("one", vec![ground(), app("one", 11)])]);
    let run = |arguments: &[&str]| {
        let mut command: Command = groupage(published.workspace.root());
        command.args(["build", "--set", &published.workspace.registry_setting()]);
        command.args(arguments).env("DOCKER_HOST", NOBODY);
        Ended::of(&mut command)
    };
    let docker = run(&["--engine", "docker"]).expect(2);
    assert!(docker.stderr.contains("native"), "{}", docker.stderr);
    let auto = run(&["--engine", "auto", "--progress", "plain"]).expect(0);
    assert!(auto.stderr.contains("engine: native, because only it can"), "{}", auto.stderr);
}
