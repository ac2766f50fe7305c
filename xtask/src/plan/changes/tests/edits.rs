//! One edit for every field of the model.

use std::collections::BTreeMap;

use super::{LOCK, file, fingerprint, part, text_input};
use crate::manifest::{ArgsStyle, BuildNetwork, HealthTest, Healthcheck, Link, Take};
use crate::plan::{
    BuildPlan, ComponentPlan, DockerfilePlan, FilePlan, ImagePlan, Input, RolePlan, SplicedStage, StepPlan,
};

/// A change of one thing, and the lines that name it, with the builder and on this machine.
pub(super) struct Edit {
    pub(super) edit: fn(&mut ImagePlan),
    pub(super) docker: &'static [&'static str],
    pub(super) host: &'static [&'static str],
}

pub(super) const fn both(edit: fn(&mut ImagePlan), lines: &'static [&'static str]) -> Edit {
    Edit { edit, docker: lines, host: lines }
}

const fn docker(edit: fn(&mut ImagePlan), lines: &'static [&'static str]) -> Edit {
    Edit { edit, docker: lines, host: &[] }
}

const CARGO: usize = 0;
pub(super) const FILES: usize = 1;
const GO: usize = 2;
const IMAGE: usize = 3;
const SCRIPT: usize = 4;
const EXISTING: usize = 5;

fn disabled() -> Healthcheck {
    let test = HealthTest::Disabled;
    Healthcheck { test, interval: None, timeout: None, start_period: None, retries: None }
}

/// A role.
pub(super) fn role() -> RolePlan {
    RolePlan {
        command: vec!["/bin/a".to_owned()],
        is_replaced: false,
        args: Vec::new(),
        args_style: ArgsStyle::Command,
        probe: Vec::new(),
        user: "1:1".to_owned(),
        workdir: "/".to_owned(),
        ports: vec!["80/tcp".to_owned()],
        env: [("A".to_owned(), "b".to_owned())].into(),
        volumes: Vec::new(),
        stop_signal: None,
        healthcheck: None,
        needs: Vec::new(),
        waits_for: Vec::new(),
        aliases: Vec::new(),
        boundary: None,
    }
}

/// An existing Dockerfile.
pub(super) fn sample() -> BuildPlan {
    let plan = Box::new(DockerfilePlan {
        path: "c/Dockerfile".into(),
        take: Take::Copies,
        images: [("own".parse().unwrap(), "r.example/own:1".parse().unwrap())].into(),
        stages: vec![SplicedStage { lines: (1, 2), text: "FROM r.example/own:1 AS comp-existing-0".to_owned() }],
        source: None,
        steps: vec![StepPlan::Line { lines: (3, 3), text: "WORKDIR /x".to_owned() }],
        packages: Vec::new(),
        open: Vec::new(),
        newer: Vec::new(),
    });
    BuildPlan::Dockerfile { plan }
}

fn existing(plan: &mut ImagePlan) -> &mut DockerfilePlan {
    match &mut plan.components[EXISTING].build {
        BuildPlan::Dockerfile { plan: existing } => existing,
        other => panic!("{other:?}"),
    }
}

fn first_role(plan: &mut ImagePlan) -> &mut RolePlan {
    plan.components[SCRIPT].roles.values_mut().next().unwrap()
}

pub(super) fn conf(plan: &mut ImagePlan) -> &mut FilePlan {
    plan.components[FILES].files.values_mut().next().unwrap()
}

fn lock(plan: &mut ImagePlan, text: &str) {
    plan.components[CARGO].inputs.insert("Cargo.lock".into(), text_input(text));
}

macro_rules! build {
    ($plan:expr, $kind:ident, $part:expr, $field:ident) => {
        match &mut $plan.components[$part].build {
            BuildPlan::$kind { $field, .. } => $field,
            other => panic!("{other:?}"),
        }
    };
}

/// Every field of the model.
pub(super) const EDITS: &[Edit] = &[
    // the image
    both(|plan| plan.id = "other".into(), &[]),
    both(|plan| plan.name = "other".parse().unwrap(), &[]),
    both(|plan| plan.variant = Some("v".parse().unwrap()), &[]),
    both(|plan| plan.dockerfile = "x".into(), &[]),
    both(|plan| plan.version = "2".into(), &[]),
    both(|plan| plan.tags.clear(), &[]),
    both(|plan| plan.platforms.push("linux/arm64".parse().unwrap()), &[]),
    docker(|plan| plan.network = BuildNetwork::None, &["network of builds: default → none"]),
    docker(|plan| plan.link = true, &["COPY --link: false → true"]),
    both(|plan| plan.base.name = "other".parse().unwrap(), &[]),
    both(
        |plan| plan.base.image = Some("r.example/base:2".parse().unwrap()),
        &["base: r.example/base:1 → r.example/base:2"],
    ),
    both(|plan| plan.base.image = None, &["base: r.example/base:1 → scratch"]),
    both(|plan| plan.features.push("more".parse().unwrap()), &["feature more is on now"]),
    both(|plan| plan.features.clear(), &["feature own is off now"]),
    both(
        |plan| {
            let extra = ComponentPlan { roles: BTreeMap::new(), ..part("more", BuildPlan::Files) };
            plan.components.push(extra);
        },
        &["component more added (1.0.0)"],
    ),
    both(|plan| _ = plan.components.remove(CARGO), &["component cargo removed (1.0.0)"]),
    both(|plan| plan.config.user = None, &["configuration user changed: 1:1 → nothing"]),
    both(
        |plan| plan.config.entrypoint.push("b".into()),
        &[r#"configuration entrypoint changed: ["/bin/a"] → ["/bin/a","b"]"#],
    ),
    both(|plan| plan.config.cmd.clear(), &[r#"configuration cmd changed: ["b"] → nothing"#]),
    both(|plan| plan.config.volumes.clear(), &[r#"configuration volumes changed: ["/v"] → nothing"#]),
    both(|plan| plan.config.stop_signal = None, &["configuration stop_signal changed: SIGQUIT → nothing"]),
    both(
        |plan| plan.config.healthcheck = Some(disabled()),
        &[r#"configuration healthcheck changed: nothing → {"test":["NONE"]}"#],
    ),
    both(|plan| plan.config.workdir = "/x".into(), &["configuration workdir changed: / → /x"]),
    both(|plan| _ = plan.config.env.insert("A".into(), "c".into()), &["configuration env A changed: b → c"]),
    both(|plan| plan.config.ports.clear(), &[r#"configuration ports changed: ["80/tcp"] → []"#]),
    both(|plan| _ = plan.config.labels.insert("a".into(), "c".into()), &["label a changed: b → c"]),
    both(|plan| _ = plan.config.labels.insert("n".into(), String::new()), &["label n added"]),
    docker(|plan| plan.template = fingerprint("x"), &["template Dockerfile changed: dd2c0eb6ea5c → 2d711642b726"]),
    both(|plan| plan.given.default_role = Some("x".parse().unwrap()), &[]),
    both(|plan| _ = plan.stamp.insert("v".into(), "2".into()), &[]),
    // what an engine found
    Edit {
        edit: |plan| plan.found.toolchain = Some("rustc 2".into()),
        docker: &["compiled: in builder images → on this machine"],
        host: &["toolchain: rustc 1 → rustc 2"],
    },
    Edit { edit: |plan| plan.found.go_toolchain = "go2".into(), docker: &[], host: &["toolchain: go1 → go2"] },
    docker(
        |plan| _ = plan.found.images.insert("r.example/go:1".into(), "sha256:2".into()),
        &["image behind r.example/go:1 changed: sha256:1 → sha256:2"],
    ),
    both(
        |plan| _ = plan.found.images.insert("r.example/base:1".into(), "sha256:2".into()),
        &["image behind r.example/base:1 changed: sha256:1 → sha256:2"],
    ),
    docker(
        |plan| _ = plan.found.images.insert("r.example/rust:1".into(), "sha256:2".into()),
        &["image behind r.example/rust:1 changed: sha256:1 → sha256:2"],
    ),
    docker(
        |plan| _ = plan.found.images.insert("r.example/shell:1".into(), "sha256:2".into()),
        &["image behind r.example/shell:1 changed: sha256:1 → sha256:2"],
    ),
    // components
    both(|plan| plan.components[IMAGE].version = "2".into(), &["image: version: 1.0.0 → 2"]),
    both(|plan| plan.components[IMAGE].features.clear(), &["image: feature one is off now"]),
    docker(
        |plan| plan.components[FILES].template = fingerprint("x"),
        &["template stages/files changed: 3d7db37d08f9 → 2d711642b726"],
    ),
    both(|plan| plan.components[IMAGE].installs[0].from = "/in".into(), &["image: install /bin/x changed: /out → /in"]),
    both(
        |plan| plan.components[IMAGE].installs[0].mode = Some(0o700),
        &["image: install /bin/x changed: /out → /out, mode 0700"],
    ),
    both(
        |plan| plan.components[IMAGE].installs[0].is_likely = true,
        &["image: install /bin/x changed: /out → /out, if it is there"],
    ),
    both(
        |plan| plan.components[IMAGE].installs[0].to = "/bin/y".parse().unwrap(),
        &["image: install /bin/x removed (/out)", "image: install /bin/y added (/out)"],
    ),
    both(
        |plan| plan.components[FILES].links.values_mut().next().unwrap().target = "x".into(),
        &["files: link /old changed: bin/a → x"],
    ),
    both(|plan| plan.components[FILES].links.clear(), &["files: link /old removed (bin/a)"]),
    // builds
    both(|plan| existing(plan).path = "x".into(), &["existing: build setting path changed: c/Dockerfile → x"]),
    both(|plan| existing(plan).take = Take::Stage, &["existing: build setting take changed: copies → stage"]),
    both(|plan| existing(plan).source = Some("x".into()), &["existing: build setting source changed: nothing → x"]),
    both(|plan| existing(plan).newer.clear(), &[]),
    both(|plan| existing(plan).open.push("/x".into()), &[]),
    both(|plan| existing(plan).stages[0].lines = (2, 3), &[]),
    docker(
        |plan| *build!(plan, Cargo, CARGO, builder) = "r.example/rust:2".parse().unwrap(),
        &["cargo: builder: r.example/rust:1 → r.example/rust:2"],
    ),
    both(
        |plan| *build!(plan, Cargo, CARGO, package) = "x".into(),
        &["cargo: build setting package changed: cargo → x"],
    ),
    both(|plan| *build!(plan, Cargo, CARGO, bin) = "x".into(), &["cargo: build setting bin changed: cargo → x"]),
    both(|plan| build!(plan, Cargo, CARGO, features).push("two".into()), &["cargo: cargo feature two is on now"]),
    both(
        |plan| *build!(plan, Cargo, CARGO, default_features) = false,
        &["cargo: build setting default_features changed: true → false"],
    ),
    both(
        |plan| build!(plan, Cargo, CARGO, flags).clear(),
        &[r#"cargo: build setting flags changed: ["--locked"] → []"#],
    ),
    both(
        |plan| *build!(plan, Cargo, CARGO, link) = Link::Static,
        &["cargo: build setting link changed: dynamic → static"],
    ),
    both(|plan| *build!(plan, Cargo, CARGO, vendored) = true, &["cargo: build setting vendored changed: false → true"]),
    docker(
        |plan| *build!(plan, Go, GO, builder) = "r.example/go:2".parse().unwrap(),
        &["go: builder: r.example/go:1 → r.example/go:2"],
    ),
    both(|plan| *build!(plan, Go, GO, module) = "x".into(), &["go: build setting module changed: go → x"]),
    both(|plan| *build!(plan, Go, GO, package) = "./x".into(), &["go: build setting package changed: ./cmd/go → ./x"]),
    both(|plan| *build!(plan, Go, GO, bin) = "x".into(), &["go: build setting bin changed: go → x"]),
    both(|plan| build!(plan, Go, GO, tags).push("two".into()), &["go: build tag two is on now"]),
    both(|plan| build!(plan, Go, GO, tags).clear(), &["go: build tag one is off now"]),
    both(
        |plan| build!(plan, Go, GO, ldflags).push("-X main.v=2".into()),
        &[r#"go: build setting ldflags changed: ["-s"] → ["-s","-X main.v=2"]"#],
    ),
    both(|plan| *build!(plan, Go, GO, cgo) = true, &["go: build setting cgo changed: false → true"]),
    both(|plan| *build!(plan, Go, GO, vendored) = true, &["go: build setting vendored changed: false → true"]),
    both(
        |plan| *build!(plan, Go, GO, work) = Some("go.work".into()),
        &["go: build setting work changed: nothing → go.work"],
    ),
    both(
        |plan| *build!(plan, Image, IMAGE, image) = "r.example/source:2".parse().unwrap(),
        &["image: source image: r.example/source:1 → r.example/source:2"],
    ),
    both(
        |plan| *build!(plan, Script, SCRIPT, builder) = "r.example/shell:2".parse().unwrap(),
        &["script: builder: r.example/shell:1 → r.example/shell:2"],
    ),
    both(
        |plan| build!(plan, Script, SCRIPT, commands).push("false".into()),
        &[r#"script: build setting commands changed: ["true"] → ["true","false"]"#],
    ),
    both(
        |plan| _ = build!(plan, Script, SCRIPT, env).insert("A".into(), "c".into()),
        &["script: build setting env A changed: b → c"],
    ),
    both(
        |plan| {
            plan.components[SCRIPT].build = BuildPlan::Files;
            plan.components[SCRIPT].template = fingerprint("files");
        },
        &["script: build setting kind changed: script → files"],
    ),
    // files
    both(
        |plan| conf(plan).input = file("d"),
        &["files: file d changed: a5e85ef7a0bd → 18ac3e7343f0", "files: source of /etc/conf changed: c/conf → d"],
    ),
    both(|plan| conf(plan).folder = "/x".into(), &["files: install /etc/conf changed: /etc → /x"]),
    both(
        |plan| conf(plan).input = Input::Link { target: "x".into() },
        &["files: file c/conf removed (a5e85ef7a0bd)", "files: link /etc/conf added (x)"],
    ),
    both(
        |plan| {
            let moved = conf(plan).clone();
            plan.components[FILES].files = [("/etc/more".parse().unwrap(), moved)].into();
        },
        &["files: install c/conf changed: /etc/conf → /etc/more"],
    ),
    both(|plan| plan.components[FILES].files.clear(), &["files: file c/conf removed (a5e85ef7a0bd)"]),
    both(
        |plan| {
            let Input::File { mode, .. } = &mut conf(plan).input else { panic!() };
            *mode = 0o755;
        },
        &["files: mode of c/conf changed: 0644 → 0755"],
    ),
    both(
        |plan| {
            let Input::File { digest, .. } = plan.components[SCRIPT].inputs.values_mut().next().unwrap() else {
                panic!()
            };
            *digest = fingerprint("x");
        },
        &["script: file c/input changed: 8ec630aac62e → 2d711642b726"],
    ),
    both(
        |plan| _ = plan.components[SCRIPT].inputs.insert("a".into(), file("c/a")),
        &["script: file c/a added (79ddc716c189)"],
    ),
    both(
        |plan| _ = plan.components[CARGO].inputs.insert("Cargo.toml".into(), text_input("x")),
        &["cargo: generated Cargo.toml added (2d711642b726)"],
    ),
    // crates
    both(|plan| lock(plan, &LOCK.replace("0.2.1", "0.2.2")), &["cargo: crate libc changed: 0.2.1 → 0.2.2"]),
    both(
        |plan| lock(plan, &LOCK.replace("libc", "libd")),
        &["cargo: crate libc removed (0.2.1)", "cargo: crate libd added (0.2.1)"],
    ),
    both(
        |plan| lock(plan, &LOCK.replace("0a", "0b")),
        &["cargo: crate libc changed: 0.2.1 sha256:0a → 0.2.1 sha256:0b"],
    ),
    both(
        |plan| lock(plan, &format!("{LOCK}dependencies = []\n")),
        &["cargo: generated Cargo.lock changed: b97168e1453f → 0ef798bc7bc9"],
    ),
    // roles
    both(
        |plan| first_role(plan).command.push("b".into()),
        &[r#"script: role script command changed: ["/bin/a"] → ["/bin/a","b"]"#],
    ),
    both(|plan| first_role(plan).is_replaced = true, &["script: role script is_replaced changed: nothing → true"]),
    both(|plan| first_role(plan).args.push("b".into()), &[r#"script: role script args changed: nothing → ["b"]"#]),
    both(
        |plan| first_role(plan).volumes.push("/data".parse().unwrap()),
        &[r#"script: role script volumes changed: nothing → ["/data"]"#],
    ),
    both(
        |plan| first_role(plan).stop_signal = "SIGQUIT".parse().ok(),
        &["script: role script stop_signal changed: nothing → SIGQUIT"],
    ),
    both(
        |plan| first_role(plan).healthcheck = Some(disabled()),
        &[r#"script: role script healthcheck changed: nothing → {"test":["NONE"]}"#],
    ),
    both(
        |plan| first_role(plan).args_style = ArgsStyle::ArgsOnly,
        &["script: role script args_style changed: nothing → args-only"],
    ),
    both(
        |plan| first_role(plan).probe.push("/bin/a".into()),
        &[r#"script: role script probe changed: nothing → ["/bin/a"]"#],
    ),
    both(|plan| first_role(plan).user = "2:2".into(), &["script: role script user changed: 1:1 → 2:2"]),
    both(|plan| first_role(plan).workdir = "/x".into(), &["script: role script workdir changed: / → /x"]),
    both(|plan| first_role(plan).ports.clear(), &[r#"script: role script ports changed: ["80/tcp"] → []"#]),
    both(|plan| first_role(plan).env.clear(), &["script: role script env A removed (b)"]),
    both(
        |plan| first_role(plan).needs.push("shell".parse().unwrap()),
        &[r#"script: role script needs changed: [] → ["shell"]"#],
    ),
    both(
        |plan| first_role(plan).waits_for.push("files".parse().unwrap()),
        &[r#"script: role script waits_for changed: [] → ["files"]"#],
    ),
    both(
        |plan| first_role(plan).aliases.push("/x".parse().unwrap()),
        &[r#"script: role script aliases changed: [] → ["/x"]"#],
    ),
    both(|plan| first_role(plan).boundary = Some("x".into()), &["script: role script boundary changed: nothing → x"]),
    both(|plan| plan.components[SCRIPT].roles.clear(), &[r#"script: role script removed (["/bin/a"])"#]),
];
