//! Every reason to build again: one change of a workspace on disk, and exactly the lines that explain it.
//!
//! What an engine decides by what it finds (compilers, what is behind tags) and what no workspace can change (the version of
//! the rules) is in the unit tests of `plan::changes`.

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

mod support;

use std::path::Path;

use support::sandbox::Sandbox;

/// What stands for a hash.
const HASH: &str = "HASH";

/// No daemon answers, so that nothing depends on the machine.
const ALONE: &str = "DOCKER_HOST=unix:///nonexistent.sock SOURCE_DATE_EPOCH=0";

fn fixture() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/explain/workspace")
}

/// Runs a line of shell that has to succeed.
#[track_caller]
fn done(sandbox: &Sandbox, line: &str) -> String {
    let ended = sandbox.shell(line);
    assert_eq!(ended.code, Some(0), "{line}\n{}{}", ended.stdout, ended.stderr);
    ended.stdout
}

/// Hashes of 12 or more digits as one word: what they are of stands in the rest of the line.
fn without_hashes(text: &str) -> String {
    let is_hash = |word: &str| word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut out = String::new();
    for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        out.push_str(&if is_hash(word) { part.replace(word, HASH) } else { part.to_owned() });
    }
    out
}

/// A change, and the lines that explain it.
struct Case {
    /// What is done to the workspace: shell.
    edit: &'static str,
    /// What `explain build` is asked with.
    asked: &'static str,
    /// The lines below the verdict.
    lines: &'static [&'static str],
}

const fn case(edit: &'static str, lines: &'static [&'static str]) -> Case {
    Case { edit, asked: "", lines }
}

/// Makes each change in a workspace of its own, and shows all that are explained otherwise.
fn check(ready: &Sandbox, image: &str, against: &str, cases: &[Case]) {
    let mut wrong = String::new();
    for Case { edit, asked, lines } in cases {
        let sandbox = Sandbox::copy_of(ready.root());
        done(&sandbox, edit);
        let asked = format!("{ALONE} groupage explain build {image} {against} {asked}");
        let answer = done(&sandbox, &asked);
        let mut answer = answer.lines();
        let verdict = answer.next().unwrap_or_default().split_once(": ").map_or("", |(_, verdict)| verdict);
        let found: Vec<String> = answer.map(|line| without_hashes(line.trim_start())).collect();
        let expected = match (lines.is_empty(), lines.iter().all(|line| line.starts_with("label org.opencontainers"))) {
            (true, _) => ["up to date", "the same as"],
            (false, true) => ["only the configuration would be made anew", ", but for the configuration"],
            (false, false) => ["would be built", "not the same as"],
        };
        if found != *lines || !expected.iter().any(|word| verdict.contains(word)) {
            wrong.push_str(&format!("{edit} {asked}: {verdict}\n  {found:#?}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// A workspace in which images were built by this program, without what only later builds need.
fn built(image: &str) -> Sandbox {
    let sandbox = Sandbox::copy_of(&fixture());
    let build = |image: &str| done(&sandbox, &format!("{ALONE} groupage build {image} --engine native --no-verify"));
    build("source");
    done(&sandbox, "cp -r target/groupage/oci/source first && cp -r first second");
    build(image);
    done(&sandbox, "rm -rf target/groupage/cache target/groupage/cargo target/groupage/programs");
    sandbox
}

const MANIFEST: &str = "components/conf/component.toml";

#[test]
fn what_is_installed_and_how_it_starts() {
    assert!(fixture().join(MANIFEST).exists());
    check(&built("app"), "app", "", &[
        // nothing that counts
        case("true", &[]),
        case("touch components/conf/* images/app/*", &[]),
        case("sed -i 's/@team/@others/; s/^schema/# a remark\\nschema/' components/conf/component.toml", &[]),
        case("echo x >> components/more/more; echo x > components/conf/unused", &[]),
        // files
        case("echo x >> components/conf/app.conf", &[
            "conf: file components/conf/app.conf changed: HASH → HASH",
        ]),
        case("chmod +x components/conf/app.conf", &["conf: mode of components/conf/app.conf changed: 0644 → 0755"]),
        case("echo x > components/conf/folder/new", &["conf: file components/conf/folder/new added (HASH)"]),
        case("rm components/conf/folder/old && ln -sfn new components/conf/folder/link", &[
            "conf: file components/conf/folder/old removed (HASH)",
            "conf: link /usr/share/conf/link changed: old → new",
        ]),
        case("sed -i 's,\"/etc/app.conf,\"/etc/my.conf,' components/conf/component.toml", &[
            "conf: install components/conf/app.conf changed: /etc/app.conf → /etc/my.conf",
        ]),
        case("sed -i 's/\"0755\"/\"0555\"/' components/conf/component.toml", &[
            "conf: mode of components/conf/start changed: 0755 → 0555",
        ]),
        case("cd components/conf && cp app.conf b.conf && sed -i 's/\"app.conf/\"b.conf/' component.toml", &[
            "conf: source of /etc/app.conf changed: components/conf/app.conf → components/conf/b.conf",
        ]),
        // components, features, versions
        case("sed -i 's/more = { optional = true }/more = {}/' images/app/image.toml", &[
            "component more added (2.0.0)",
        ]),
        case("sed -i '/^taken = /d' images/app/image.toml", &["component taken removed (1.0.0)"]),
        case("sed -i 's/1.0.0/1.1.0/' components/taken/component.toml", &["taken: version: 1.0.0 → 1.1.0"]),
        Case { edit: "true", asked: "-F flag", lines: &["feature flag is on now"] },
        Case { edit: "true", asked: "-F conf/extra", lines: &[
            "conf: feature extra is on now",
            "conf: file components/conf/more.conf added (HASH)",
        ] },
        // images
        case("sed -i 's/oci:first/oci:second/' groupage.toml", &["base: oci:first → oci:second"]),
        case("sed -i 's/\"ground\"/\"scratch\"/' images/app/image.toml", &["base: oci:first → scratch"]),
        Case { edit: "true", asked: "--set bases.ground=oci:second", lines: &["base: oci:first → oci:second"] },
        case("sed -i 's/oci:first/oci:second/' components/taken/component.toml", &[
            "taken: source image: oci:first → oci:second",
        ]),
        case("sed -i 's,share/taken,share/mine,' components/taken/component.toml", &[
            "taken: install /usr/share/mine added (/usr/share/payload)",
            "taken: install /usr/share/taken removed (/usr/share/payload)",
        ]),
        // roles
        case("sed -i 's/1000:1000/2000:2000/' components/conf/component.toml", &[
            "conf: role start user changed: 1000:1000 → 2000:2000",
        ]),
        case("sed -i 's,\"/usr/bin/start\"\\],\"/usr/bin/start\"\\, \"-v\"],' components/conf/component.toml", &[
            r#"conf: role start command changed: ["/usr/bin/start"] → ["/usr/bin/start","-v"]"#,
        ]),
        case("sed -i 's/\"info\"/\"debug\"/' components/conf/component.toml", &[
            "conf: role start env LEVEL changed: info → debug",
        ]),
        case("sed -i 's/port = 80/port = 81/' components/conf/component.toml", &[
            r#"conf: role start ports changed: ["80/tcp"] → ["81/tcp"]"#,
        ]),
        case("sed -i 's,\"/start\",\"/begin\",' components/conf/component.toml", &[
            "conf: link /begin added (usr/bin/start)",
            "conf: link /start removed (usr/bin/start)",
        ]),
        case("echo 'needs = [\"shell\"]' >> components/conf/component.toml", &[
            r#"conf: role start needs changed: [] → ["shell"]"#,
        ]),
        case("echo 'boundary = \"inner\"' >> components/conf/component.toml", &[
            "conf: role start boundary changed: nothing → inner",
        ]),
        case(
            "printf '[roles.two]\\ncommand = [\"/usr/bin/start\"]\\nuser = \"1000:1000\"\\n' >> components/conf/component.toml",
            &[r#"conf: role two added (["/usr/bin/start"])"#],
        ),
        // configuration
        case("sed -i '/default-role/d' images/app/image.toml", &[
            r#"configuration entrypoint changed: ["/usr/bin/start"] → []"#,
        ]),
        case("sed -i 's/\"one\"/\"two\"/' images/app/image.toml", &["label team changed: one → two"]),
        case("echo 'extra = \"x\"' >> images/app/image.toml", &["label extra added (x)"]),
        // what is no input
        case("sed -i 's/1.0.0/1.1.0/' images/app/image.toml", &[
            "label org.opencontainers.image.version changed: 1.0.0 → 1.1.0",
        ]),
        case("sed -i 's/what is explained/another/' images/app/image.toml", &[
            "label org.opencontainers.image.description changed: what is explained → another",
        ]),
        // what is not there
        case("rm -r target/groupage/oci/app", &["the image is gone: target/groupage/oci/app is not there"]),
        case("rm -r target/groupage/builds", &["never built here"]),
        case("echo '{' > $(ls target/groupage/builds/app/*)", &[
            "no record of the last build: target/groupage/builds/app/linux_ARCH.json cannot be used",
        ]),
    ]
    .map(here));
}

/// The name of this machine's architecture where a line has it.
fn here(case: Case) -> Case {
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let named = |line: &&'static str| -> &'static str {
        if line.contains("ARCH") { Box::leak(line.replace("ARCH", arch).into_boxed_str()) } else { line }
    };
    Case { lines: Box::leak(case.lines.iter().map(named).collect()), ..case }
}

#[test]
fn programs_that_cargo_builds() {
    check(
        &built("agent"),
        "agent",
        "",
        &[
            case("touch agent/src/main.rs Cargo.lock", &[]),
            case("echo '// x' >> agent/src/main.rs", &["agent: file agent/src/main.rs changed: HASH → HASH"]),
            case("echo '// x' >> lib/src/lib.rs", &["agent: file lib/src/lib.rs changed: HASH → HASH"]),
            case("echo '//! x' > agent/src/more.rs", &["agent: file agent/src/more.rs added (HASH)"]),
            Case { edit: "true", asked: "-F agent/metrics", lines: &["agent: feature metrics is on now"] },
            case(
                "sed -i 's/^package = .*/&\\nlink = \"dynamic\"/' agent/component.toml",
                &["agent: build setting link changed: static → dynamic"],
            ),
            case(
                "sed -i 's/0.1.0/0.2.0/' lib/Cargo.toml && sed -i '/\"lib\"$/{n;s/0.1.0/0.2.0/}' Cargo.lock",
                &["agent: crate lib changed: 0.1.0 → 0.2.0", "agent: generated lib/Cargo.toml changed: HASH → HASH"],
            ),
        ],
    );
}

/// What only Dockerfiles have is compared with a plan document: the native engine looks at none of it.
#[test]
fn what_stages_are_built_with() {
    let ready = Sandbox::copy_of(&fixture());
    done(&ready, "groupage plan site agent dual --format json > before.json");
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
    done(&ready, &format!("cp -r {} own", templates.display()));
    let against = "--against before.json";
    check(
        &ready,
        "site",
        against,
        &[
            case("true", &[]),
            Case {
                edit: "true",
                asked: "--set builders.shell=registry.example/shell:2",
                lines: &["site: builder: registry.example/shell:1 → registry.example/shell:2"],
            },
            Case { edit: "true", asked: "--set build.network=none", lines: &["network of builds: default → none"] },
            case("printf '[dockerfile]\\nlink = true\\n' >> groupage.toml", &["COPY --link: false → true"]),
            case(
                "mkdir templates && cp own/Dockerfile.hbs templates && echo '{{! x }}' >> templates/Dockerfile.hbs",
                &["template Dockerfile changed: HASH → HASH"],
            ),
            case(
                "mkdir -p templates/stages && cp own/stages/script.hbs templates/stages && echo >> templates/stages/script.hbs",
                &["template stages/script changed: HASH → HASH"],
            ),
            case(
                "sed -i 's/cp -r/cp -a/' components/site/component.toml",
                &[r#"site: build setting commands changed: ["cp -r src /out"] → ["cp -a src /out"]"#],
            ),
            case(
                "sed -i 's/\"fast\"/\"slow\"/' components/site/component.toml",
                &["site: build setting env MODE changed: fast → slow"],
            ),
            case("echo x >> components/site/src/page", &["site: file components/site/src/page changed: HASH → HASH"]),
            case(
                "sed -i 's,stage:/out,stage:/other,' components/site/component.toml",
                &["site: install /usr/share/site changed: /out → /other"],
            ),
        ],
    );
    check(
        &ready,
        "agent",
        against,
        &[Case {
            edit: "true",
            asked: "--set builders.rust=registry.example/rust:2",
            lines: &["agent: builder: registry.example/rust:1 → registry.example/rust:2"],
        }],
    );
    check(
        &ready,
        "dual",
        against,
        &[
            case("sed -i 's/, \"linux.arm.v7\"//' images/dual/image.toml", &["platform linux/arm/v7 removed"]),
            case(
                "sed -i 's,\\[\"linux/arm64\"\\],[\"linux/arm64\"\\, \"linux/arm/v7\"],' images/dual/image.toml",
                &["more: excluded platforms linux/arm/v7 added"],
            ),
            case("echo x >> components/more/more", &["more: file components/more/more changed: HASH → HASH"]),
        ],
    );
}

/// An image that was built elsewhere says less, and enough; with the record of its build it says all.
#[test]
fn images_are_compared_by_what_they_say() {
    let ready = built("app");
    done(&ready, "cp -r target/groupage/oci/app elsewhere");
    let edit = "echo x >> components/conf/app.conf; sed -i 's/1.0.0/1.1.0/' images/app/image.toml";
    let version = "label org.opencontainers.image.version changed: 1.0.0 → 1.1.0";
    check(&ready, "app", "--against ./elsewhere", &[case("true", &[])]);
    check(
        &ready,
        "app",
        "--against ./elsewhere",
        &[Case {
            edit,
            asked: "",
            lines: Box::leak(Box::new(["conf: file components/conf/app.conf changed: HASH → HASH", version])),
        }],
    );
    done(&ready, "rm -r target");
    check(
        &ready,
        "app",
        "--against ./elsewhere",
        &[
            case("true", &[]),
            Case { edit, asked: "", lines: Box::leak(Box::new(["conf: inputs: HASH → HASH", version])) },
            case("sed -i 's/oci:first/oci:second/' groupage.toml", &["base: oci:first → oci:second"]),
            case("sed -i 's/1.0.0/1.1.0/' components/taken/component.toml", &["taken: version: 1.0.0 → 1.1.0"]),
            case("sed -i '/^taken = /d' images/app/image.toml", &["component taken removed (1.0.0)"]),
            Case { edit: "true", asked: "-F flag", lines: &["feature flag is on now"] },
            case(
                "sed -i 's/1000:1000/2000:2000/' components/conf/component.toml",
                &["conf: role start user changed: 1000:1000 → 2000:2000"],
            ),
            case("sed -i 's/\"one\"/\"two\"/' images/app/image.toml", &["label of the image definition changed"]),
        ],
    );
}

/// A layout is one image: the other images of the workspace are not compared with it.
#[test]
fn an_image_is_compared_with_its_own_plan() {
    let ready = built("app");
    let platform = if cfg!(target_arch = "aarch64") { "linux/arm64" } else { "linux/amd64" };
    let diff = |words: &str| without_hashes(&done(&ready, &format!("{ALONE} groupage diff {words}")));
    let own = "target/groupage/oci/app";
    // with the record of its build, and without
    for _ in 0..2 {
        for words in [format!("plan: ./{own}"), format!("./{own} plan:"), format!("plan:app ./{own}")] {
            assert_eq!(diff(&format!("{words} --exit-code")), format!("app ({platform}): no difference\n"), "{words}");
        }
        // two that were named are what is asked for
        assert!(diff(&format!("plan:source ./{own}")).starts_with(&format!("source ({platform})\n")));
        assert!(diff("plan:source ./first --exit-code").ends_with(": no difference\n"));
        done(&ready, "rm -rf target/groupage/builds");
    }
    done(&ready, "mv images/app app");
    for words in [format!("plan: ./{own}"), format!("./{own} plan:")] {
        let ended = ready.shell(&format!("{ALONE} groupage diff {words}"));
        let message = format!("error: ./{own} is app for {platform}, and not agent, dual, site, source\nhint: ");
        assert!(ended.code == Some(2) && ended.stderr.contains(&message), "{}", ended.stderr);
    }
}

/// The compiler of this machine is an input of what it compiles.
#[test]
fn another_compiler() {
    let sandbox = built("agent");
    let script = r#"#!/bin/sh
case $1 in -vV) rustc -vV | sed 's/^rustc .*/rustc 0.0.1 (other)/' ;; *) exec rustc "$@" ;; esac
"#;
    std::fs::write(sandbox.root().join("other"), script).expect("the sandbox can be written");
    done(&sandbox, "chmod +x other");
    let explain = |variables: &str| done(&sandbox, &format!("{ALONE} {variables} groupage explain build agent"));
    assert!(explain("").contains("up to date"));
    let answer = explain("RUSTC=$PWD/other");
    let line = answer.lines().find(|line| line.contains("toolchain: ")).unwrap_or_else(|| panic!("{answer}"));
    assert!(line.contains(" → rustc 0.0.1 (other) for "), "{line}");
    assert_eq!(answer.lines().count(), 2, "nothing else: {answer}");
}
