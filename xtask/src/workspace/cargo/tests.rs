//! Cargo workspaces that are read, and answers of cargo that are remembered.

use super::super::remembered::check_that_damage_is_noticed;
use super::memory::FILE;
use super::*;
use crate::workspace::Environment;
use crate::workspace::seen::{Clock, Stat};

fn check(files: &[(&str, &str)], program: &str, expect: &str) {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    for (path, text) in files {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }
    let error = read(Cargo { program, offline: true }, root, &[]).unwrap_err().to_string();
    assert!(error.contains(expect), "{error}");
}

const PACKAGE: &str = "[package]\nname = 'a'\nedition = '2024'\n";

#[test]
fn errors_name_the_next_step() {
    let sources = [("Cargo.toml", PACKAGE), ("src/main.rs", "fn main() {}")];
    let stale = [sources[0], sources[1], ("Cargo.lock", "version = 4\n")];
    let wrong = [("Cargo.toml", "[package"), ("Cargo.lock", "version = 4\n")];
    check(&[], "cargo", "there is no Cargo.toml in");
    check(&sources, "cargo", "hint: run `cargo generate-lockfile`");
    check(&stale, "cargo", "hint: run `cargo update --workspace`");
    check(&wrong, "cargo", "`cargo metadata` failed in");
    check(&stale, "no-such-cargo", "cannot run `no-such-cargo`");
}

/// Without another platform, so that cargo leaves out what only that one needs.
const TARGETS: [&str; 1] = ["x86_64-unknown-linux-gnu"];

/// A workspace with two members, a crate from a folder that stands for a registry, and a cargo that counts how often it runs.
struct Counted {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    program: String,
    environment: Environment,
}

fn write(root: &Utf8Path, path: &str, text: &str) {
    fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
    fs::write(root.join(path), text).unwrap();
}

fn package(name: &str, more: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\n{more}\n")
}

impl Counted {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let root = top.join("workspace");
        let vendored = "[source.crates-io]\nreplace-with = \"folder\"\n[source.folder]\ndirectory = \"../registry\"\n";
        for (path, text) in [
            ("Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"one\", \"crates/*\"]\n"),
            (".cargo/config.toml", vendored),
            ("one/Cargo.toml", &package("one", "[dependencies]\nfetched = \"1\"\n")),
            ("one/src/main.rs", "fn main() {}"),
            ("crates/two/Cargo.toml", &package("two", "[features]\nx = []\n")),
            ("crates/two/src/main.rs", "fn main() {}"),
            ("../registry/fetched/Cargo.toml", &package("fetched", "")),
            ("../registry/fetched/src/lib.rs", ""),
            ("../registry/fetched/.cargo-checksum.json", "{\"files\":{}}"),
            ("../program/cargo", "#!/bin/sh\necho run >> \"${0%/*}/runs\"\nexec \"$REAL_CARGO\" \"$@\"\n"),
        ] {
            write(&root, path, text);
        }
        let program = top.join("program/cargo");
        let environment = Environment::read();
        let real = environment.get("CARGO").unwrap_or("cargo");
        let script = fs::read_to_string(&program).unwrap().replace("$REAL_CARGO", real);
        fs::write(&program, script).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let counted = Self { _folder: folder, root, program: program.into_string(), environment };
        counted.relock();
        counted
    }

    fn relock(&self) {
        let mut cargo = Command::new(&self.program);
        cargo.args(["generate-lockfile", "--offline", "--quiet"]).current_dir(&self.root);
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.settle();
    }

    /// Waits until everything is clearly older than now.
    fn settle(&self) {
        let path = self.root.join("tick");
        fs::write(&path, "").unwrap();
        let stat = Stat::of(&path.metadata().unwrap()).unwrap();
        while !Clock::read(&self.root).unwrap().is_clearly_after(&stat) {}
    }

    fn runs(&self) -> usize {
        fs::read_to_string(Utf8Path::new(&self.program).with_file_name("runs")).map_or(0, |text| text.lines().count())
    }

    /// The workspace, and whether cargo was asked; the answer is always what cargo says now.
    fn read(&self) -> (Result<CargoWorkspace, String>, bool) {
        let cargo = Cargo { program: &self.program, offline: true };
        let before = self.runs();
        let read = read_or_recall(cargo, &self.root, &TARGETS, &self.environment).map_err(|error| error.to_string());
        let was_asked = self.runs() > before;
        assert_eq!(read, super::read(cargo, &self.root, &TARGETS).map_err(|error| error.to_string()));
        (read, was_asked)
    }

    /// Reads until it is remembered.
    fn remembered(&self) -> CargoWorkspace {
        self.settle();
        self.read().0.unwrap();
        let (workspace, was_asked) = self.read();
        assert!(!was_asked, "it is not remembered");
        workspace.unwrap()
    }

    /// Makes a change: cargo has to be asked, and afterwards is not any more (unless it fails).
    fn notices(&self, what: &str, change: impl FnOnce(&Utf8Path)) {
        self.remembered();
        change(&self.root);
        self.settle();
        let (answer, was_asked) = self.read();
        assert!(was_asked, "{what}");
        if answer.is_ok() {
            self.remembered();
        }
    }
}

#[cfg(unix)]
#[test]
fn an_answer_is_remembered_until_something_that_decides_it_changes() {
    let it = Counted::new();
    let names = |workspace: &CargoWorkspace| workspace.packages.keys().map(|key| key.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&it.remembered()), ["fetched", "one", "two"]);
    it.notices("a new program", |root| write(root, "one/src/bin/more.rs", "fn main() {}"));
    it.notices("a new program in a folder", |root| write(root, "one/src/bin/other/main.rs", "fn main() {}"));
    it.notices("a program less", |root| fs::remove_file(root.join("one/src/bin/more.rs")).unwrap());
    it.notices("a new library", |root| write(root, "crates/two/src/lib.rs", ""));
    it.notices("a build script", |root| write(root, "crates/two/build.rs", "fn main() {}"));
    it.notices("a new test", |root| write(root, "one/tests/a.rs", ""));
    it.notices("an edited manifest", |root| {
        write(root, "crates/two/Cargo.toml", &package("two", "[features]\ny = []"))
    });
    it.notices("an edited root manifest", |root| {
        let text = "[workspace]\nresolver = \"2\"\nmembers = [\"one\", \"crates/*\"]\nexclude = [\"crates/three\"]\n";
        write(root, "Cargo.toml", text);
    });
    it.notices("a configuration", |root| {
        let text = fs::read_to_string(root.join(".cargo/config.toml")).unwrap();
        write(root, ".cargo/config.toml", &format!("{text}[net]\nretry = 3\n"));
    });
    it.notices("a configuration above", |root| write(root, "../.cargo/config.toml", "[net]\nretry = 4\n"));
    it.notices("a toolchain file", |root| write(root, "rust-toolchain.toml", "[toolchain]\n"));
    it.notices("another cargo", |root| {
        let path = root.join("../program/cargo");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    });
    it.notices("an edited lock file", |root| {
        let text = fs::read_to_string(root.join("Cargo.lock")).unwrap();
        write(root, "Cargo.lock", &format!("{text}\n# edited\n"));
    });
    it.notices("a new member, for which the lock file is stale", |root| {
        write(root, "crates/four/Cargo.toml", &package("four", ""));
        write(root, "crates/four/src/main.rs", "fn main() {}");
    });
    it.relock();
    assert_eq!(names(&it.remembered()), ["fetched", "four", "one", "two"]);
    it.notices("a crate that is gone", |root| fs::remove_dir_all(root.join("../registry/fetched")).unwrap());
}

#[cfg(unix)]
#[test]
fn what_cannot_be_followed_is_asked_for_every_time() {
    for (path, text) in [
        ("Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"one\", \"c*/two\"]\n".to_owned()),
        ("../.cargo/config.toml", "paths = []\n".to_owned()),
        (
            "one/Cargo.toml",
            package(
                "one",
                "[dev-dependencies]\nfetched = \"1\"\n[target.'cfg(windows)'.dependencies]\nthree = { path = \"../../three\" }\n",
            ),
        ),
    ] {
        let it = Counted::new();
        write(&it.root, "../three/Cargo.toml", &package("three", ""));
        write(&it.root, "../three/src/lib.rs", "");
        write(&it.root, path, &text);
        it.relock();
        for _ in 0..2 {
            let (workspace, was_asked) = it.read();
            assert!(was_asked, "{path}");
            workspace.unwrap();
        }
    }
}

#[cfg(unix)]
#[test]
fn a_damaged_answer_is_as_none() {
    let it = Counted::new();
    let expect = it.remembered();
    let path = it.root.join(crate::workspace::MEMORY_FOLDER).join("cargo-metadata.json");
    check_that_damage_is_noticed(&path, || FILE.read::<serde_json::Value>(path.parent().unwrap()).is_none());
    let good = fs::read(&path).unwrap();
    let cargo = Cargo { program: "/nonexistent/cargo", offline: true };
    assert!(read_or_recall(cargo, &it.root, &[], &it.environment).is_err(), "of another cargo");
    let mut state = 1_u64;
    for round in 0..12 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from(state >> 33).unwrap() % good.len();
        let mut bad = good.clone();
        if round % 3 == 0 {
            bad.truncate(at)
        } else {
            bad[at] ^= 1 << (round % 7)
        }
        fs::write(&path, &bad).unwrap();
        let (answer, was_asked) = it.read();
        assert_eq!((answer.unwrap(), was_asked), (expect.clone(), true), "{round}");
    }
    it.remembered();
}
