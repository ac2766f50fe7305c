//! Compiling, judged by cargo and by what comes out: small workspaces whose packages are all in them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::Message;
use fs_err as fs;

use super::{CompileOptions, Generated, Program, Toolchain, check, compile, elf, flags, runs};
use crate::engine::{EngineError, ErrorClass, Event, Events, StepState, block_on};
use crate::manifest::Link;
use crate::workspace::Environment;
use crate::workspace::cargo::{Cargo, CargoWorkspace, read};

const CARGO: &str = env!("CARGO");

/// `shared` has a feature that tells; `gen` is needed by build scripts, `mac` is a procedural macro, and both need it too.
const WORKSPACE: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[workspace]\nmembers = ['*']\nexclude = ['target']\nresolver = '2'\n[profile.release]\nopt-level = 0\nstrip = 'symbols'\n",
    ),
    (
        "shared/Cargo.toml",
        "[package]\nname = 'shared'\nversion = '1.0.0'\nedition = '2021'\n[features]\nloud = ['tone']\ntone = []\n",
    ),
    ("shared/src/lib.rs", "pub const LOUD: bool = cfg!(feature = \"loud\");\npub const FILE: &str = file!();"),
    (
        "gen/Cargo.toml",
        "[package]\nname = 'gen'\nversion = '1.0.0'\nedition = '2021'\n[dependencies]\nshared = { path = '../shared', features = ['tone'] }\n",
    ),
    ("gen/src/lib.rs", "pub const LOUD: bool = shared::LOUD;"),
    (
        "mac/Cargo.toml",
        "[package]\nname = 'mac'\nversion = '1.0.0'\nedition = '2021'\n[lib]\nproc-macro = true\n[dependencies]\nshared = { path = '../shared', features = ['tone'] }\n",
    ),
    (
        "mac/src/lib.rs",
        "#[proc_macro]\npub fn loud(_: proc_macro::TokenStream) -> proc_macro::TokenStream { if shared::LOUD { \"true\" } else { \"false\" }.parse().unwrap() }",
    ),
    (
        "a/Cargo.toml",
        "[package]\nname = 'a'\nversion = '1.0.0'\nedition = '2021'\n[features]\ndefault = ['loud']\nloud = ['shared/loud']\n[dependencies]\nshared = { path = '../shared' }\nmac = { path = '../mac' }\n[build-dependencies]\ngen = { path = '../gen' }\n",
    ),
    (
        "a/build.rs",
        "fn main() { let out = std::env::var(\"OUT_DIR\").unwrap(); std::fs::write(format!(\"{out}/made.rs\"), format!(\"fn made() -> &'static str {{ let _ = {}; file!() }}\", gen::LOUD)).unwrap(); }",
    ),
    (
        "a/src/main.rs",
        "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\nfn main() { println!(\"{} {} {} {}\", shared::LOUD, mac::loud!(), shared::FILE, made()); }",
    ),
    (
        "b/Cargo.toml",
        "[package]\nname = 'b'\nversion = '1.0.0'\nedition = '2021'\n[dependencies]\nshared = { path = '../shared', features = ['loud'] }\n",
    ),
    ("b/src/main.rs", "fn main() { println!(\"{} {}\", shared::LOUD, file!()); }"),
    (
        "c/Cargo.toml",
        "[package]\nname = 'c'\nversion = '1.0.0'\nedition = '2021'\n[dependencies]\nshared = { path = '../shared' }\n",
    ),
    ("c/src/main.rs", "fn main() { println!(\"{}\", shared::LOUD); }"),
];

/// A folder that goes when the test ends, with a space in its name.
struct Sandbox {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Sandbox {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("a place ").tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        let sandbox = Self { _folder: folder, root };
        files.iter().for_each(|(path, text)| sandbox.write(path, text));
        let lock = Command::new(CARGO).args(["generate-lockfile", "--offline"]).current_dir(&sandbox.root).output();
        assert!(lock.unwrap().status.success());
        sandbox
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn workspace(&self) -> CargoWorkspace {
        read(Cargo { program: CARGO, offline: true }, &self.root, &["x86_64-unknown-linux-gnu"]).unwrap()
    }

    fn options(&self, target: &str) -> CompileOptions {
        CompileOptions {
            job: "image".to_owned(),
            first_step: 1,
            target_dir: self.root.join(target).join("cargo"),
            cargo: CARGO.to_owned(),
            rustc: Utf8Path::new(CARGO).with_file_name("rustc").into_string(),
            environment: Environment::read().with_prefix(""),
            offline: true,
            jobs: None,
        }
    }

    fn toolchain(&self, programs: &[Program]) -> Result<Toolchain, EngineError> {
        block_on(check(programs, &self.workspace(), &self.options("target"))).unwrap()
    }

    /// Compiles; gives executables and events.
    fn compile(&self, programs: &[Program], target: &str) -> (Compiled, Vec<Event>) {
        let toolchain = self.toolchain(programs).unwrap();
        let (events, mut receiver) = Events::channel();
        let (workspace, options) = (self.workspace(), self.options(target));
        let compiled =
            block_on(compile(programs, &workspace, &Generated::new(), &toolchain, &options, &events)).unwrap();
        drop(events);
        let executables = |compiled: BTreeMap<_, super::Compiled>| {
            compiled.into_iter().map(|(program, compiled)| (program, compiled.executable)).collect()
        };
        (compiled.map(executables), std::iter::from_fn(|| receiver.try_recv().ok()).collect())
    }
}

type Compiled = Result<BTreeMap<Program, Utf8PathBuf>, EngineError>;

/// The machine that the tests run on can compile for itself.
fn platform() -> crate::oci::Platform {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        "x86_64" => "amd64",
        other => other,
    };
    format!("linux/{architecture}").parse().unwrap()
}

/// `a` with its default features, `a-` without.
fn program(word: &str) -> Program {
    let name = word.trim_end_matches('-');
    Program {
        component: name.parse().unwrap(),
        package: name.to_owned(),
        bin: name.to_owned(),
        features: BTreeSet::new(),
        default_features: name == word,
        link: Link::Static,
        vendored: true,
        platform: platform(),
        generated: None,
    }
}

fn programs(words: &str) -> Vec<Program> {
    words.split_whitespace().map(program).collect()
}

fn output(path: &Utf8Path) -> String {
    let output = Command::new(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn names(runs: &[Vec<&Program>]) -> String {
    let name = |run: &Vec<&Program>| run.iter().map(|program| program.package.as_str()).collect::<Vec<_>>().join("+");
    runs.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// Features by package, program or library, and side, as cargo itself tells them.
fn features(sandbox: &Sandbox, programs: &[&Program], target: &str) -> BTreeMap<(String, String, bool), Vec<String>> {
    let output = Command::new(CARGO)
        .args(["build", "--release", "--offline", "--message-format", "json", "--target", "x86_64-unknown-linux-gnu"])
        .args(flags::selection(&sandbox.workspace(), programs))
        .current_dir(&sandbox.root)
        .env("CARGO_TARGET_DIR", sandbox.root.join(target))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut features = BTreeMap::new();
    for message in Message::parse_stream(output.stdout.as_slice()) {
        if let Message::CompilerArtifact(artifact) = message.unwrap() {
            let is_target = artifact.filenames.iter().any(|file| file.as_str().contains("/x86_64-unknown-linux-gnu/"));
            let key = (artifact.package_id.repr.clone(), format!("{:?}", artifact.target.kind), is_target);
            let all = artifact.features.clone();
            assert!(features.insert(key, all).is_none(), "built twice in one run");
        }
    }
    features
}

#[test]
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn programs_of_one_run_have_the_features_that_each_has_alone() {
    let sandbox = Sandbox::new(WORKSPACE);
    let (workspace, all) = (sandbox.workspace(), programs("a a- b c"));
    let toolchain = sandbox.toolchain(&all).unwrap();
    let runs = runs(&all, &workspace, &toolchain).unwrap();
    assert_eq!(names(&runs), "a+c a+b");
    for run in &runs {
        let together = features(&sandbox, run, "target");
        for program in run {
            let alone = features(&sandbox, &[program], "target");
            assert!(
                alone.iter().all(|(unit, features)| together.get(unit) == Some(features)),
                "{alone:?} {together:?}"
            );
        }
    }
    // what is not in one run would come out in another way
    let together = features(&sandbox, &[&program("b"), &program("c")], "target");
    let alone = features(&sandbox, &[&program("c")], "target");
    assert!(alone.iter().any(|(unit, features)| together.get(unit) != Some(features)));
}

#[test]
fn bytes_do_not_depend_on_the_place_or_on_company() {
    let (one, other) = (Sandbox::new(WORKSPACE), Sandbox::new(WORKSPACE));
    let (first, events) = one.compile(&programs("a a- b c"), "target");
    let first = first.unwrap();
    let shown: Vec<String> = programs("a a- b c").iter().map(|program| output(&first[program])).collect();
    let made = "/src/target/";
    assert!(shown[0].starts_with(&format!("true false shared/src/lib.rs {made}")), "{shown:?}");
    assert!(shown[1].starts_with(&format!("false false shared/src/lib.rs {made}")), "{shown:?}");
    assert_eq!(shown[2..], ["true b/src/main.rs", "false"]);
    let logs = |events: &[Event]| -> String {
        events
            .iter()
            .filter_map(|event| if let Event::Log { line, .. } = event { Some(format!("{line}\n")) } else { None })
            .collect()
    };
    assert!(
        logs(&events).contains("Compiling shared v1.0.0") && !logs(&events).contains("warning"),
        "{}",
        logs(&events)
    );
    for word in ["a", "a-", "b", "c"] {
        let (second, _) = other.compile(&programs(word), "target/somewhere else");
        let (program, second) = second.unwrap().pop_first().unwrap();
        assert!(fs::read(&first[&program]).unwrap() == fs::read(second).unwrap(), "{word}");
    }
    // once more, with nothing to do
    let (again, events) = one.compile(&programs("a a- b c"), "target");
    assert_eq!(again.unwrap(), first);
    let cached = |event: &&Event| matches!(event, Event::Step { state: StepState::Cached, .. });
    assert_eq!(events.iter().filter(cached).count(), 2, "{events:?}");
}

#[test]
fn a_program_that_holds_a_path_is_reported() {
    let mut files = WORKSPACE.to_vec();
    files.push(("c/src/main.rs", "fn main() { println!(\"{}\", concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/x\")); }"));
    let sandbox = Sandbox::new(&files);
    let (compiled, events) = sandbox.compile(&programs("c"), "target");
    compiled.unwrap();
    let warning = format!("program `c` holds the path {} of this machine", sandbox.root);
    let warns = |event: &Event| matches!(event, Event::Log { line, .. } if line.contains(&warning));
    assert!(events.iter().any(warns), "{events:?}");
}

#[test]
fn a_failure_names_the_component_and_keeps_the_log() {
    let sandbox = Sandbox::new(WORKSPACE);
    sandbox.write("b/src/main.rs", "fn main() { nothing(); }");
    let (compiled, events) = sandbox.compile(&programs("a b"), "target");
    let Err(EngineError::BuildFailed(failure)) = compiled else { panic!("{compiled:?}") };
    assert_eq!(failure.step.as_deref(), Some("[comp-b] cargo build --package b@1.0.0 --bin b"));
    assert_eq!((failure.exit_code, failure.image.as_str()), (Some(101), "image"));
    assert_eq!(failure.message, "error[E0425]: cannot find function `nothing` in this scope");
    assert!(failure.log.iter().any(|line| line.contains(" --> b/src/main.rs:1:13")), "{:?}", failure.log);
    let name = "[cargo] cargo build --package a@1.0.0 --package b@1.0.0 --bin a --bin b --no-default-features --features a/default";
    let failed =
        |event: &Event| matches!(event, Event::Step { step, state: StepState::Failed { .. }, .. } if step.name == name);
    assert!(events.iter().any(failed), "{events:?}");
}

fn misfit(program: &Program, bytes: &[u8]) -> String {
    elf::check(&program.wanted(), bytes)
        .err()
        .map(|misfit| format!("{}\nhint: {}", misfit.message, misfit.hint))
        .unwrap_or_default()
}

#[test]
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn programs_are_what_was_asked_for() {
    let sandbox = Sandbox::new(WORKSPACE);
    let (asked_static, asked_dynamic) = (program("c"), Program { link: Link::Dynamic, ..program("c") });
    let (compiled, _) = sandbox.compile(&[asked_static.clone(), asked_dynamic.clone()], "target");
    let compiled = compiled.unwrap();
    let bytes = |program: &Program| fs::read(&compiled[program]).unwrap();
    let (linked_static, linked_dynamic) = (bytes(&asked_static), bytes(&asked_dynamic));
    assert_eq!(misfit(&asked_static, &linked_static), "");
    assert_eq!(misfit(&asked_dynamic, &linked_dynamic), "");
    let error = misfit(&asked_static, &linked_dynamic);
    let expect = "program `c` is not linked statically: it needs the interpreter /lib64/ld-linux-x86-64.so.2, libgcc_s.so.1, libc.so.6";
    assert!(error.starts_with(expect) && error.contains("\nhint: ") && error.contains("component `c`"), "{error}");
    let arm = Program { platform: "linux/arm64".parse().unwrap(), ..asked_static };
    assert!(misfit(&arm, &linked_static).starts_with("program `c` is for x86_64, not for linux/arm64\nhint: "));
    assert!(misfit(&arm, b"#!/bin/sh\n").starts_with("program `c` is no program for linux/arm64: "));
}

#[test]
fn what_is_missing_is_said_before_anything_starts() {
    let sandbox = Sandbox::new(WORKSPACE);
    let refused = |programs: &[Program], change: &dyn Fn(&mut CompileOptions)| {
        let mut options = sandbox.options("target");
        change(&mut options);
        let error = block_on(check(programs, &sandbox.workspace(), &options)).unwrap().unwrap_err();
        assert_eq!(error.class(), ErrorClass::Environment);
        error.to_string()
    };
    let on = |platform: &str| [Program { platform: platform.parse().unwrap(), ..program("c") }];
    let text = refused(&on("linux/s390x"), &|_| ());
    assert_eq!(
        text,
        "the Rust target s390x-unknown-linux-gnu is not installed, and component `c` needs it on linux/s390x\nhint: rustup target add s390x-unknown-linux-gnu"
    );
    assert!(refused(&on("plan9/mips"), &|_| ()).starts_with("no Rust target is known for plan9/mips\nhint: "));
    let text = refused(&programs("c"), &|options| options.cargo = "no-such-cargo".to_owned());
    assert!(text.starts_with("cannot run `no-such-cargo`: ") && text.contains("\nhint: install Rust"), "{text}");
    let empty = |options: &mut CompileOptions| _ = options.environment.insert("PATH".to_owned(), "/none".to_owned());
    assert!(
        refused(&programs("c"), &empty).starts_with("there is no C linker `cc`, which rustc needs\nhint: on Debian: ")
    );
}
