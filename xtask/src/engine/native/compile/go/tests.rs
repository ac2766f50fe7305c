//! Programs compiled by the Go of this machine. Without one there is nothing to look at.

use std::collections::BTreeMap;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::*;
use crate::engine::block_on;
use crate::workspace::Environment;

struct Sandbox {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
}

fn sandbox() -> Option<Sandbox> {
    Command::new("go").arg("version").output().ok()?;
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
    let files = [
        ("go.mod", "module example.com/app\n\ngo 1.18\n"),
        ("cmd/tool/main.go", "package main\n\nvar version = \"none\"\n\nfunc main() { println(version, kind) }\n"),
        ("cmd/tool/plain.go", "//go:build !special\n\npackage main\n\nconst kind = \"plain\"\n"),
        ("cmd/tool/special.go", "//go:build special\n\npackage main\n\nconst kind = \"special\"\n"),
        ("cmd/bad/main.go", "package main\n\nfunc main() { undefined() }\n"),
    ];
    for (path, text) in files {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }
    Some(Sandbox { _folder: folder, root })
}

impl Sandbox {
    fn options(&self) -> GoOptions {
        GoOptions {
            job: "app".to_owned(),
            first_step: 1,
            root: self.root.clone(),
            folder: self.root.join("target/groupage/go"),
            go: "go".to_owned(),
            environment: Environment::read().with_prefix(""),
            offline: true,
        }
    }

    fn program(&self, package: &str, platform: &str) -> GoProgram {
        GoProgram {
            component: "tool".parse().unwrap(),
            module: Utf8PathBuf::new(),
            package: package.to_owned(),
            bin: "tool".to_owned(),
            tags: Vec::new(),
            ldflags: Vec::new(),
            cgo: false,
            vendored: false,
            work: None,
            platform: platform.parse().unwrap(),
        }
    }

    fn compile(&self, program: &GoProgram) -> Result<(Utf8PathBuf, Vec<String>), EngineError> {
        let (events, mut seen) = Events::channel();
        let compiled = block_on(compile(std::slice::from_ref(program), &self.options(), &events)).unwrap();
        drop(events);
        let mut lines = Vec::new();
        while let Some(event) = seen.blocking_recv() {
            if let crate::engine::Event::Log { line, .. } = event {
                lines.push(line);
            }
        }
        compiled.map(|mut compiled| (compiled.remove(program).unwrap(), lines))
    }
}

fn says(program: &Utf8Path) -> String {
    String::from_utf8(Command::new(program).output().unwrap().stderr).unwrap()
}

#[test]
fn tags_and_versions_are_in_the_program() {
    let Some(sandbox) = sandbox() else { return };
    let host = crate::oci::Platform::of_this_machine().to_string();
    let plain = sandbox.program("./cmd/tool", &host);
    let (path, _) = sandbox.compile(&plain).unwrap();
    assert_eq!(says(&path), "none plain\n");
    let bytes = fs::read(&path).unwrap();
    let place = sandbox.root.as_str().as_bytes();
    assert!(!bytes.windows(place.len()).any(|part| part == place), "a path of this machine is in it");

    // another version compiles nothing again
    let ldflags = vec!["-s".to_owned(), "-X main.version=1.2.3".to_owned()];
    let (path, lines) = sandbox.compile(&GoProgram { ldflags, ..plain.clone() }).unwrap();
    assert_eq!(says(&path), "1.2.3 plain\n");
    assert_eq!(lines.last().map(String::as_str), Some("0 packages compiled"), "{lines:?}");

    let special = GoProgram { tags: vec!["special".to_owned()], ..plain };
    assert_eq!(says(&sandbox.compile(&special).unwrap().0), "none special\n");
}

#[test]
fn other_platforms_are_compiled_for() {
    let Some(sandbox) = sandbox() else { return };
    for (platform, name) in [("linux/arm64", "tool"), ("linux/arm/v6", "tool"), ("windows/amd64", "tool.exe")] {
        let program = sandbox.program("./cmd/tool", platform);
        let (path, _) = sandbox.compile(&program).unwrap();
        assert_eq!(path.file_name(), Some(name));
        let bytes = fs::read(&path).unwrap();
        program.check(&bytes).unwrap();
        let other = GoProgram { platform: "linux/s390x".parse().unwrap(), ..program };
        assert!(other.check(&bytes).is_err(), "{platform}");
    }
}

#[test]
fn failures_name_what_is_wrong() {
    let Some(sandbox) = sandbox() else { return };
    let error = sandbox.compile(&sandbox.program("./cmd/bad", "linux/amd64")).unwrap_err();
    let EngineError::BuildFailed(failure) = &error else { panic!("{error}") };
    assert_eq!(failure.step.as_deref(), Some("[linux/amd64 comp-tool] go build ./cmd/bad"));
    assert!(failure.message.contains("main.go:3:15: undefined: undefined"), "{failure:?}");
    let options = GoOptions { go: "no-such-go".to_owned(), environment: BTreeMap::new(), ..sandbox.options() };
    let error = block_on(identity(&options)).unwrap().unwrap_err().to_string();
    assert!(error.starts_with("cannot run `no-such-go`: "), "{error}");
    let cgo = GoProgram { cgo: true, ..sandbox.program("./cmd/tool", "linux/s390x") };
    let error = block_on(check(&[cgo], &sandbox.options())).unwrap().unwrap_err().to_string();
    assert!(error.starts_with("component `tool` is compiled with C for linux/s390x"), "{error}");
}
