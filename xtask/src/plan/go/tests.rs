//! Closures of real modules, compared with what Go says of them.

use std::process::Command;

use super::*;
use crate::workspace::go::{GoRequest, read};

struct Sandbox {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
}

fn sandbox(files: &[(&str, &str)]) -> Sandbox {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
    for (path, text) in files {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), text).unwrap();
    }
    Sandbox { _folder: folder, root }
}

/// The files of packages that `go list -deps` names, below a root and relative to it; `None` without a toolchain.
fn listed(
    root: &Utf8Path,
    module: &str,
    package: &str,
    platform: &str,
    tags: &[&str],
) -> Option<BTreeSet<Utf8PathBuf>> {
    const FORMAT: &str = "{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}\n{{end}}{{range .SFiles}}{{$d}}/{{.}}\n{{end}}\
        {{range .HFiles}}{{$d}}/{{.}}\n{{end}}{{range .SysoFiles}}{{$d}}/{{.}}\n{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}\n{{end}}";
    let platform: crate::oci::Platform = platform.parse().unwrap();
    let mut go = Command::new("go");
    go.args(["list", "-deps", "-tags", &tags.join(","), "-f", FORMAT, package]).current_dir(root.join(module));
    go.env("GOOS", platform.os()).env("GOARCH", platform.architecture()).env("CGO_ENABLED", "0");
    go.env("GOFLAGS", "").env("GOPROXY", "off").env("GOCACHE", root.join(".cache"));
    let output = go.output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let paths = lines.lines().filter_map(|line| Utf8Path::new(line).strip_prefix(root).ok());
    Some(paths.map(Utf8Path::to_owned).collect())
}

fn found(root: &Utf8Path, module: &str, package: &str, platforms: &[&str], tags: &[&str]) -> BTreeSet<Utf8PathBuf> {
    let request = GoRequest { from: module.into(), module: Some(".".to_owned()), package: package.to_owned() };
    let package = read(root, &[request]).pop().unwrap().unwrap();
    let platforms: Vec<crate::oci::Platform> = platforms.iter().map(|platform| platform.parse().unwrap()).collect();
    let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let targets: Vec<GoTarget<'_>> =
        platforms.iter().map(|platform| GoTarget { platform, tags: &tags, cgo: false }).collect();
    closure(&package, &targets).unwrap()
}

const SHAPES: &[(&str, &str)] = &[
    (
        "app/go.mod",
        "module example.com/app\n\ngo 1.19\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ../lib\n",
    ),
    (
        "app/cmd/tool/main.go",
        "package main\n\nimport (\n\t\"example.com/app/a\"\n\t_ \"embed\"\n\t\"example.com/lib/deep\"\n\t\"fmt\"\n)\n\n//go:embed text.txt dir\nvar _ string\n\nfunc main() { fmt.Println(a.A, deep.D) }\n",
    ),
    ("app/cmd/tool/text.txt", "x"),
    ("app/cmd/tool/not-embedded.txt", "x"),
    ("app/cmd/tool/dir/x", "x"),
    ("app/cmd/tool/dir/.hidden", "x"),
    ("app/cmd/tool/main_test.go", "package main\n\nimport \"example.com/app/unused\"\n"),
    ("app/cmd/tool/gen.go", "//go:build ignore\n\npackage main\n\nimport \"example.com/app/unused\"\n"),
    ("app/a/a.go", "package a\n"),
    ("app/a/a_linux.go", "package a\n\nconst A = 1\n"),
    ("app/a/a_windows.go", "package a\n\nimport \"example.com/app/win\"\n\nconst A = win.W\n"),
    ("app/a/add_amd64.s", "// nothing\n"),
    ("app/a/add_arm64.s", "// nothing\n"),
    ("app/a/x.h", "// nothing\n"),
    ("app/a/notes.md", "notes"),
    ("app/a/special.go", "//go:build special && !other\n\npackage a\n\nimport _ \"example.com/app/special\"\n"),
    ("app/a/old.go", "// +build old\n\npackage a\n\nimport _ \"example.com/app/old\"\n"),
    ("app/win/win.go", "package win\n\nconst W = 2\n"),
    ("app/special/s.go", "package special\n"),
    ("app/old/o.go", "package old\n"),
    ("app/unused/u.go", "package unused\n"),
    ("lib/go.mod", "module example.com/lib\n\ngo 1.18\n"),
    ("lib/lib.go", "package lib\n"),
    ("lib/deep/d.go", "package deep\n\nconst D = 3\n"),
];

#[test]
fn closures_are_those_of_go() {
    let sandbox = sandbox(SHAPES);
    let root = &sandbox.root;
    let described = ["app/go.mod", "lib/go.mod"].map(Utf8PathBuf::from);
    for (platform, tags) in [
        ("linux/amd64", &[][..]),
        ("linux/arm64", &[]),
        ("windows/amd64", &[]),
        ("linux/amd64", &["special"]),
        ("linux/amd64", &["special", "other", "old"]),
    ] {
        let Some(listed) = listed(root, "app", "./cmd/tool", platform, tags) else { return };
        let all: BTreeSet<Utf8PathBuf> = listed.into_iter().chain(described.clone()).collect();
        // Go names no header that no file of its own platform needs
        let own = found(root, "app", "./cmd/tool", &[platform], tags);
        assert_eq!(own, all, "{platform} {tags:?}");
    }
    let both = found(root, "app", "./cmd/tool", &["linux/amd64", "windows/amd64"], &[]);
    assert!(both.contains(Utf8Path::new("app/a/a_linux.go")) && both.contains(Utf8Path::new("app/win/win.go")));
}

#[test]
fn vendored_packages_are_those_that_are_reached() {
    let sandbox = sandbox(&[
        ("go.mod", "module example.com/app\n\ngo 1.19\n\nrequire example.com/dep v1.0.0\n"),
        ("main.go", "package main\n\nimport \"example.com/dep/used\"\n\nfunc main() { used.F() }\n"),
        (
            "vendor/modules.txt",
            "# example.com/dep v1.0.0\n## explicit; go 1.19\nexample.com/dep/unused\nexample.com/dep/used\n",
        ),
        ("vendor/example.com/dep/used/u.go", "package used\n\nfunc F() {}\n"),
        ("vendor/example.com/dep/unused/u.go", "package unused\n"),
    ]);
    let own = found(&sandbox.root, "", ".", &["linux/amd64"], &[]);
    let names: Vec<&str> = own.iter().map(|path| path.as_str()).collect();
    assert_eq!(names, ["go.mod", "main.go", "vendor/example.com/dep/used/u.go", "vendor/modules.txt"]);
    let Some(listed) = listed(&sandbox.root, "", ".", "linux/amd64", &[]) else { return };
    assert!(listed.is_subset(&own));
}

/// Go's own commands are a large module with a vendor folder, with files of every platform and version.
#[test]
fn the_commands_of_go_itself() {
    let Ok(output) = Command::new("go").args(["env", "GOROOT"]).output() else { return };
    let root = Utf8PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    let Ok(root) = root.join("src/cmd").canonicalize_utf8() else { return };
    for (package, platform) in [("./go", "linux/amd64"), ("./compile", "linux/arm64"), ("./pprof", "windows/amd64")] {
        let own = found(&root, "", package, &[platform], &[]);
        let sandbox = sandbox(&[]);
        let platform: crate::oci::Platform = platform.parse().unwrap();
        let mut go = Command::new("go");
        go.args([
            "list",
            "-deps",
            "-f",
            "{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}\n{{end}}{{range .SFiles}}{{$d}}/{{.}}\n{{end}}",
            package,
        ]);
        go.current_dir(&root).env("GOOS", platform.os()).env("GOARCH", platform.architecture());
        go.env("CGO_ENABLED", "0").env("GOFLAGS", "").env("GOCACHE", sandbox.root.join("cache"));
        let text = String::from_utf8(go.output().unwrap().stdout).unwrap();
        let listed: BTreeSet<Utf8PathBuf> = text
            .lines()
            .filter_map(|line| {
                Utf8Path::new(line).canonicalize_utf8().ok()?.strip_prefix(&root).ok().map(Utf8Path::to_owned)
            })
            .collect();
        assert!(listed.len() > 50, "{package}: {text}");
        let lacking: Vec<_> = listed.difference(&own).collect();
        assert!(lacking.is_empty(), "{package}: {lacking:?}");
        let more: Vec<_> = own.difference(&listed).collect();
        // files whose constraint depends on the version of Go, go.mod and the like
        assert!(more.len() * 10 < own.len(), "{package}: {} of {}: {more:?}", more.len(), own.len());
    }
}
