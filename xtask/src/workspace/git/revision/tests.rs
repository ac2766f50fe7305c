//! Which paths git ignores. What a revision holds is tested with the command that asks for it.

use super::*;

fn run(root: &Utf8Path, words: &[&str]) {
    let output = git(root).args(words).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn check(root: &Utf8Path, paths: &[&str], expect: &[&str]) {
    let paths: Vec<Utf8PathBuf> = paths.iter().map(Utf8PathBuf::from).collect();
    assert_eq!(ignored(root, &paths), expect, "{paths:?}");
}

#[test]
fn only_untracked_files_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let root = &Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
    check(root, &["no", "repository"], &[]);
    run(root, &["init", "--quiet"]);
    fs_err::create_dir_all(root.join("below/sub")).unwrap();
    run(&root.join("below/sub"), &["init", "--quiet"]);
    for (path, text) in
        [(".gitignore", "*.bin\n"), ("tracked.bin", ""), ("below/sub/.gitignore", "own\n"), ("below/sub/own", "")]
    {
        fs_err::write(root.join(path), text).unwrap();
    }
    run(root, &["add", "--force", "tracked.bin"]);
    check(root, &[], &[]);
    check(
        root,
        &["a.bin", "a.txt", "tracked.bin", "below/b.bin", ":(odd) *.bin", "-x.bin", "a b\n.bin"],
        &["a.bin", "below/b.bin", ":(odd) *.bin", "-x.bin", "a b\n.bin"],
    );
    check(root, &["a.txt"], &[]);
    // asked for as a whole, git refuses paths of a submodule
    fs_err::write(root.join("below/sub/file"), "").unwrap();
    run(&root.join("below/sub"), &["add", "."]);
    run(&root.join("below/sub"), &["-c", "user.name=a", "-c", "user.email=a@a", "commit", "--quiet", "-m", "one"]);
    run(root, &["-c", "advice.addEmbeddedRepo=false", "add", "below/sub"]);
    check(root, &["a.bin", "below/sub/own", "below/sub/file"], &["a.bin", "below/sub/own"]);
    // what `below` itself ignores
    check(&root.join("below"), &["b.bin", "b.txt"], &["b.bin"]);
}

#[test]
fn names_that_are_options_are_refused_before_git_sees_them() {
    for name in ["-x", "--output=/tmp/x", ""] {
        assert!(matches!(Revision::find(Utf8Path::new("/"), name), Err(RevisionError::NotAName(_))), "{name}");
    }
    assert!(matches!(Revision::find(Utf8Path::new("/"), "HEAD"), Err(RevisionError::NoRepository(_))));
}
