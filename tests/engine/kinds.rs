//! All four build kinds in one image, built and run.

use std::process::Command;

use crate::support::archive::{Image, Kind};
use crate::support::workspace::Workspace;
use crate::support::{Ended, builders, daemon};

/// A workspace with one component of each kind, all in the image `all`.
pub fn four_kinds() -> Workspace {
    let workspace = Workspace::empty();
    let (rust, shell) = (builders::rust(), builders::shell());
    workspace
        .write("groupage.toml", format!("schema = 1\n[builders]\nrust = {rust:?}\nshell = {shell:?}\n[build]\nnetwork = \"none\"\n"))
        .write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"components/hello\"]\n")
        .write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"hello\"\nversion = \"0.4.0\"\n")
        .write(
            "components/hello/Cargo.toml",
            "[package]\nname = \"hello\"\nversion = \"0.4.0\"\nedition = \"2024\"\n\n[features]\nloud = []\n",
        )
        .write(
            "components/hello/src/main.rs",
            "fn main() {\n    println!(\"hello{}\", if cfg!(feature = \"loud\") { \"!\" } else { \"\" });\n}\n",
        )
        .write(
            "components/hello/component.toml",
            r#"
schema = 1
name = "hello"
owner = "@test"
version = { cargo = true }

[build.cargo]
package = "hello"

[features]
default = ["loud"]
loud = []

[[install]]
from = "bin:hello"
to = "/usr/bin/hello"

[roles.hello]
command = ["/usr/bin/hello"]
user = "65532:65532"
aliases = ["/opt/old/hello"]
"#,
        )
        .files_component("page", "[[install]]\nfrom = \"site\"\nto = \"/srv/site\"\n[[install]]\nfrom = \"run\"\nto = \"/srv/run\"\nmode = \"0750\"\n")
        .write("components/page/site/index.html", "<p>größe</p>\n")
        .write("components/page/site/deep/er/hook", "#!/bin/sh\n")
        .set_mode("components/page/site/deep/er/hook", 0o755)
        .write("components/page/run", "run\n")
        .write(
            "components/tools/component.toml",
            format!(
                "schema = 1\nname = \"tools\"\nowner = \"@test\"\nversion = \"1.35.0\"\nprovides = [\"shell\"]\n\n\
                 [build.image]\nimage = {shell:?}\n\n[[install]]\nfrom = \"stage:/bin/busybox\"\nto = \"/bin/busybox\"\n\
                 mode = \"0555\"\n\n[roles.tools]\ncommand = [\"/bin/busybox\", \"sh\"]\nuser = \"65532:65532\"\n\
                 aliases = [\"/bin/sh\"]\n"
            ),
        )
        .script_component(
            "made",
            &[
                "mkdir -p /out/sub && echo \"$(cat in/words) by $WHO\" > /out/sub/text && ln -s text /out/sub/link",
                "echo 'multi\nline' > /out/lines; ls /sys/class/net > /out/net",
            ],
        )
        .write("components/made/in/words", "made")
        .image("all", &["hello", "page", "tools", "made"], "default-role = \"hello\"\n");
    let path = workspace.root().join("components/made/component.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = "[build.script]\ninputs = [\"in\"]\nenv = { WHO = \"a $HOME's \\\"script\\\"\" }\n";
    workspace.write("components/made/component.toml", text.replace("[build.script]\n", more));
    std::os::unix::fs::symlink("index.html", workspace.root().join("components/page/site/current")).unwrap();
    workspace
}

#[test]
fn four_build_kinds_make_one_image() {
    if !daemon() {
        return;
    }
    let workspace = four_kinds();
    workspace.run(["build"]).expect(0);
    let reference = workspace.tag("all:1.0.0");
    let image = Image::of_daemon(&reference);

    let owner = (0, 0);
    let seen: Vec<String> = image
        .tree
        .iter()
        .inspect(|(path, entry)| assert_eq!(entry.owner, owner, "{path}"))
        .map(|(path, entry)| match &entry.kind {
            Kind::Folder => format!("{path}/ {:o}", entry.mode),
            Kind::File { .. } => format!("{path} {:o}", entry.mode),
            Kind::Link { target } => format!("{path} -> {target}"),
            Kind::Special(what) => format!("{path} is {what}"),
        })
        .collect();
    assert_eq!(
        seen,
        [
            "/.groupage/ 755",
            "/.groupage/manifest.json 644",
            "/bin/ 755",
            "/bin/busybox 555",
            "/bin/sh -> busybox",
            "/opt/ 755",
            "/opt/old/ 755",
            "/opt/old/hello -> ../../usr/bin/hello",
            "/srv/ 755",
            "/srv/made/ 755",
            "/srv/made/lines 644",
            "/srv/made/net 644",
            "/srv/made/sub/ 755",
            "/srv/made/sub/link -> text",
            "/srv/made/sub/text 644",
            "/srv/run 750",
            "/srv/site/ 755",
            "/srv/site/current -> index.html",
            "/srv/site/deep/ 755",
            "/srv/site/deep/er/ 755",
            "/srv/site/deep/er/hook 755",
            "/srv/site/index.html 644",
            "/usr/ 755",
            "/usr/bin/ 755",
            "/usr/bin/hello 755",
        ]
    );
    let text = |path: &str| String::from_utf8(image.read(path).to_vec()).unwrap();
    assert_eq!(text("/srv/site/index.html"), "<p>größe</p>\n");
    assert_eq!(text("/srv/made/sub/text"), "made by a $HOME's \"script\"\n");
    assert_eq!(text("/srv/made/lines"), "multi\nline\n");
    assert_eq!(text("/srv/made/net"), "lo\n", "the build has no network");
    assert_eq!(image.layers, 5);

    let run = |arguments: &[&str]| {
        Ended::of(Command::new("docker").args(["run", "--rm", "--network=none", "--read-only"]).args(arguments))
    };
    assert_eq!(run(&[&reference]).expect(0).stdout, "hello!\n");
    assert_eq!(run(&["--entrypoint=/opt/old/hello", &reference]).expect(0).stdout, "hello!\n");
    let shell = run(&["--entrypoint=/bin/busybox", &reference, "sh", "-c", "cat /srv/site/current; exit 7"]).expect(7);
    assert_eq!(shell.stdout, "<p>größe</p>\n");
}
