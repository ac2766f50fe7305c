//! What is left out: as documented, as Docker says, and as git itself does it.

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use proptest::prelude::*;

use super::super::tree::tests::place;
use super::super::{ContextRules, Memory, Want, read_tree};
use super::pattern::{Dialect, Pattern};

fn root_of(folder: &tempfile::TempDir) -> Utf8PathBuf {
    Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap()
}

/// The files below a wanted path, relative to the workspace.
fn listed(root: &Utf8Path, want: &str, context: Option<ContextRules>) -> Vec<String> {
    let exclude = if context.is_some() { Vec::new() } else { vec!["component.toml".to_owned()] };
    let wanted = Want { path: want.into(), exclude, place: place(), required: context.is_none(), context };
    let tree = read_tree(root, std::slice::from_ref(&wanted), &Memory::default()).unwrap();
    let entries = tree.wanted(&wanted);
    let path =
        |below: &Utf8Path| wanted.path.components().chain(below.components()).collect::<Utf8PathBuf>().to_string();
    let mut paths: Vec<String> = entries.iter().map(|entry| path(&entry.path)).collect();
    paths.sort();
    paths
}

/// A workspace of files: `path` or `path: text`.
fn workspace(files: &[&str]) -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = root_of(&folder);
    for file in files {
        let (path, text) = file.split_once(": ").unwrap_or((file, "content"));
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }
    (folder, root)
}

/// What is listed of a wanted path in a workspace of these files.
fn check(files: &[&str], want: &str, expect: &[&str]) {
    let (_folder, root) = workspace(files);
    assert_eq!(listed(&root, want, None), expect, "{files:?}");
}

/// The same of a path in the build context `c` of the Dockerfile `c/d/F`.
fn check_context(files: &[&str], want: &str, expect: &[&str]) {
    let (_folder, root) = workspace(files);
    let context = ContextRules { folder: "c".into(), dockerfile: "c/d/F".into() };
    assert_eq!(listed(&root, want, Some(context)), expect, "{files:?}");
}

#[test]
fn a_context_has_its_own_rules() {
    // neither those of git nor those of folders above, and ignore files are files
    check_context(
        &[".gitignore: a", ".dockerignore: c", "c/.gitignore: b", "c/a", "c/b"],
        "c",
        &["c/.gitignore", "c/a", "c/b"],
    );
    check_context(&["c/.dockerignore: a\nx/*\n!x/k", "c/a", "c/x/k", "c/x/o"], "c", &["c/.dockerignore", "c/x/k"]);
    // the one beside the Dockerfile wins
    check_context(
        &["c/d/F.dockerignore: a", "c/.dockerignore: b", "c/a", "c/b", "c/d/F"],
        "c",
        &["c/.dockerignore", "c/b", "c/d/F", "c/d/F.dockerignore"],
    );
    // what is named is left out all the same, as with Docker
    check_context(&["c/.dockerignore: a\nx", "c/a", "c/x/y"], "c/a", &[]);
    check_context(&["c/.dockerignore: a\nx", "c/a", "c/x/y"], "c/x", &[]);
    check_context(&["c/.dockerignore: a\nx\n!x/y", "c/x/y", "c/x/z"], "c/x", &["c/x/y"]);
    check_context(&["c/.dockerignore: *\n!x/y", "c/x/y", "c/x/z"], "c/x/y", &["c/x/y"]);
}

#[test]
fn git_leaves_out() {
    // of the root, of folders above, of the folder, of folders in it; the nearer one wins
    check(&[".gitignore: *.o", "c/a.o", "c/a.c"], "c", &["c/a.c"]);
    check(&["c/.gitignore: *.o", "c/s/a.o", "c/s/a.c"], "c/s", &["c/s/a.c"]);
    check(&["c/s/.gitignore: *.o", "c/s/a.o", "c/a.o"], "c", &["c/a.o"]);
    check(&[".gitignore: *.o", "c/.gitignore: !a.o", "c/a.o", "c/b.o"], "c", &["c/a.o"]);
    check(&[".gitignore: /c/out", "c/out/a", "c/d/out/a"], "c", &["c/d/out/a"]);
    check(&[".gitignore: out/\n!out/a", "c/out/a", "c/out.c"], "c", &["c/out.c"]);
    // ignore files that are folders, or are not part of the workspace, say nothing
    check(&["c/.gitignore/x: *", "c/a"], "c", &["c/.gitignore/x", "c/a"]);
    check(&[".git/info/exclude: a", "c/a"], "c", &["c/a"]);
    // the root itself
    check(&[".gitignore: /target\n", "target/x", "a"], "", &["a"]);
}

#[test]
fn docker_leaves_out() {
    // beside a component, and at the root
    check(&["c/component.toml", "c/.dockerignore: *.o", "c/a.o", "c/s/a.o"], "c", &["c/s/a.o"]);
    check(&["c/component.toml", "c/.dockerignore: **/*.o", "c/a.o", "c/s/a.o", "c/s/b"], "c", &["c/s/b"]);
    check(&[".dockerignore: c/a", "c/a", "c/b"], "c", &["c/b"]);
    check(&["c/component.toml", "c/.dockerignore: s/a", "c/s/a", "c/s/b"], "c/s", &["c/s/b"]);
    check(&["c/s/component.toml", "c/s/.dockerignore: a", "c/s/a", "c/a"], "c", &["c/a", "c/s/component.toml"]);
    // elsewhere Docker would not read it
    check(&["c/.dockerignore: *", "c/a"], "c", &["c/a"]);
    // what is below a left-out folder comes back
    check(&["c/component.toml", "c/.dockerignore: *\n!s/keep", "c/a", "c/s/a", "c/s/keep/b"], "c", &["c/s/keep/b"]);
    check(&["c/component.toml", "c/.dockerignore: s\n!**/*.md", "c/s/t/a.md", "c/s/t/a"], "c", &["c/s/t/a.md"]);
}

#[test]
fn docker_wins_over_git() {
    check(&[".gitignore: dist", "c/component.toml", "c/.dockerignore: !dist", "c/dist/a"], "c", &["c/dist/a"]);
    check(&[".gitignore: *.o", ".dockerignore: !c/a.o", "c/a.o", "c/b.o"], "c", &["c/a.o"]);
    check(&[".gitignore: d", ".dockerignore: !c/d/e/a", "c/d/e/a", "c/d/e/b", "c/f"], "c", &["c/d/e/a", "c/f"]);
    check(&["c/.gitignore: !a", ".dockerignore: c/a", "c/a", "c/b"], "c", &["c/b"]);
    check(&[".dockerignore: c/a", "c/component.toml", "c/.dockerignore: !a", "c/a"], "c", &["c/a"]);
}

#[test]
fn what_is_named_is_taken() {
    check(&[".gitignore: *.o", "c/a.o"], "c/a.o", &["c/a.o"]);
    check(&[".gitignore: dist", "c/dist/a", "c/dist/b"], "c/dist", &["c/dist/a", "c/dist/b"]);
    check(&[".gitignore: dist\n*.o", "c/dist/x/a.o"], "c/dist/x", &["c/dist/x/a.o"]);
    check(&[".gitignore: dist", "c/dist/.gitignore: b", "c/dist/a", "c/dist/b"], "c/dist", &["c/dist/a"]);
    check(&[".dockerignore: *", ".gitignore: *.o", "c/a", "c/a.o"], "c", &["c/a"]);
    check(&[".gitignore: .gitignore", "c/.gitignore: x", "c/a"], "c/.gitignore", &["c/.gitignore"]);
    check(&["c/.gitignore: x", "c/.dockerignore", "c/a"], "c", &["c/a"]);
}

#[cfg(unix)]
#[test]
fn a_linked_ignore_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = root_of(&folder);
    fs::create_dir(root.join("c")).unwrap();
    fs::write(root.join("rules"), "a").unwrap();
    fs::write(root.join("c/a"), "").unwrap();
    for link in [".gitignore", ".dockerignore"] {
        std::os::unix::fs::symlink("rules", root.join(link)).unwrap();
    }
    assert_eq!(listed(&root, "c", None), ["c/a"]);
}

/// Lines that stand in a `.dockerignore`, a path, and whether the path is left out.
fn docker(lines: &str, path: &str, expect: bool) {
    let patterns: Vec<Pattern> = lines.lines().filter_map(|line| Pattern::parse(line, Dialect::Docker)).collect();
    let last = patterns.iter().rev().find(|pattern| pattern.fits(path, false, Dialect::Docker));
    assert_eq!(last.is_some_and(|pattern| !pattern.is_negated), expect, "{lines:?} {path}");
}

/// From Docker's documentation and from the tests of `moby/patternmatcher`.
#[test]
fn docker_patterns() {
    for (lines, path, expect) in [
        ("# comment\n*/temp*", "somedir/temporary.txt", true),
        ("*/temp*", "somedir/temp", true),
        ("*/temp*", "temp", false),
        ("*/*/temp*", "somedir/subdir/temporary.txt", true),
        ("temp?", "tempa", true),
        ("temp?", "temp", false),
        ("**/*.go", "a.go", true),
        ("**/*.go", "a/b/c.go", true),
        ("*.md\n!README.md", "README.md", false),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true),
        ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", false),
        ("**", "file", true),
        ("**", "dir/file", true),
        ("**/", "dir/file", true),
        ("**/file", "dir/dir/file", true),
        ("**/dir2/*", "dir/dir2/file", true),
        ("**/dir2/**", "dir/dir2/dir2/file", true),
        ("**file", "dir/file", true),
        ("**/**/*.txt", "dir/dir/file.txt", true),
        ("a**/*.txt", "a/file.txt", true),
        ("a**/*.txt", "a/dir/file.txt", true),
        ("a/*.txt", "a/b/file.txt", false),
        ("a/**/b", "a/b", true),
        ("a[b-d]e", "ace", true),
        ("a[b-d]e", "aae", false),
        ("a[^b-d]e", "aze", true),
        ("a[!x]e", "a!e", true),
        ("a\\*b", "a*b", true),
        ("a\\*b", "axb", false),
        (".*", ".foo", true),
        (".*", "foo", false),
        ("/a/./b/../c/", "a/c/d", true),
        ("../a", "a", false),
        ("  a  ", "a", true),
        ("!\n.\n/", "a", false),
        ("abc.def", "abcdef", false),
        ("abc.def", "abcZdef", false),
        ("dir\n!dir/a", "dir/a/b", false),
        ("dir\n!dir/a", "dir/ab", true),
    ] {
        docker(lines, path, expect);
    }
}

/// No pattern takes long: this one has more ways to fit than there are atoms.
#[test]
fn patterns_take_no_time() {
    let line = "*a".repeat(40) + "b";
    assert!(!Pattern::parse(&line, Dialect::Git).unwrap().fits(&"a".repeat(200), false, Dialect::Git));
    let line = "**/a".repeat(20) + "/b";
    assert!(!Pattern::parse(&line, Dialect::Docker).unwrap().fits(&"a/".repeat(100), false, Dialect::Docker));
}

const NAMES: [&str; 5] = ["a", "b", "ab", "a.o", "#b"];

/// A workspace with every path of up to three names.
fn grid() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = root_of(&folder);
    for one in NAMES {
        for two in NAMES {
            fs::create_dir_all(root.join(format!("{one}.d/{two}.d"))).unwrap();
            fs::write(root.join(format!("{one}.d/{two}")), "").unwrap();
            NAMES.iter().for_each(|three| fs::write(root.join(format!("{one}.d/{two}.d/{three}")), "").unwrap());
        }
        fs::write(root.join(one), "").unwrap();
    }
    assert!(git(&root, &["init", "--quiet"]).is_empty());
    (folder, root)
}

fn git(root: &Utf8Path, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(words).current_dir(root).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn line() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a", "b", "ab", "a.o", "a.d", "b.d", "*", "**", "*.o", "*.d", "?", "a*", "*b", "[ab]", "[!a]", "[a-b]*",
        "\\#b", "**b", "?.d", "a\\b", "*.[do]", "",
    ]);
    let parts = prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    let edge = |text: &'static str| prop::sample::select(vec!["", "", "", text]);
    (edge("!"), edge("/"), parts, edge("/"), edge("  "))
        .prop_map(|(not, start, parts, end, blanks)| format!("{not}{start}{parts}{end}{blanks}"))
}

#[test]
fn git_agrees() {
    let (_folder, root) = grid();
    let lines = || prop::collection::vec(line(), 0..4).prop_map(|lines| lines.join("\n"));
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let cases = (lines(), lines(), lines());
    let result = runner.run(&cases, |(top, one, two)| {
        for (path, text) in [("", &top), ("a.d/", &one), ("a.d/b.d/", &two)] {
            fs::write(root.join(format!("{path}.gitignore")), text).unwrap();
        }
        let theirs = git(&root, &["ls-files", "--others", "--exclude-per-directory=.gitignore", "-z"]);
        let mut theirs: Vec<&str> =
            theirs.split('\0').filter(|path| !path.is_empty() && !path.ends_with(".gitignore")).collect();
        theirs.sort_unstable();
        prop_assert_eq!(listed(&root, "", None), theirs);
        Ok(())
    });
    result.unwrap();
}
