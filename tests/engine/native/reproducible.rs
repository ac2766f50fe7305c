//! Same inputs, same bytes: copies of this repository, built in other folders, under another umask, language, time zone and
//! home of cargo's output, after a build that was killed. None of these tests needs a daemon.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::native_samples::odd_files;
use crate::support::builders::repository;
use crate::support::layout::Layout;
use crate::support::native::{build_without_daemon, printed};
use crate::support::{Ended, until};

const IMAGES: [&str; 3] = ["logging-operator", "logging-operator=full", "node-agent"];

/// Every file of every layout, and what was printed.
type Outcome = (BTreeMap<String, BTreeMap<PathBuf, Vec<u8>>>, BTreeMap<String, String>);

/// A fresh clone, checked out under a umask. Hard links to objects are all that it shares.
fn clone(to: &Path, mask: &str) {
    let line = format!("umask {mask} && exec git clone --quiet --local --no-hardlinks \"$0\" \"$1\"");
    Ended::of(Command::new("/bin/sh").args(["-c", &line]).arg(repository()).arg(to)).expect(0);
}

/// `umask MASK`, then `build` of everything with these variables.
fn build(folder: &Path, mask: &str, variables: &[(&str, &str)]) -> Command {
    let mut build = build_without_daemon(folder);
    build.args(["logging-operator=*", "node-agent"]);
    let mut masked = Command::new("/bin/sh");
    masked.args(["-c", &format!("umask {mask} && exec \"$0\" \"$@\"")]).arg(build.get_program());
    masked.args(build.get_args()).current_dir(folder).stdin(Stdio::null());
    for (name, value) in build.get_envs() {
        match value {
            Some(value) => masked.env(name, value),
            None => masked.env_remove(name),
        };
    }
    // a clone has a target folder of its own, unless a test says otherwise
    masked.env_remove("CARGO_TARGET_DIR").envs(variables.iter().copied());
    masked
}

#[track_caller]
fn outcome(folder: &Path, mut build: Command) -> Outcome {
    let ended = Ended::of(&mut build).expect(0);
    let layouts = IMAGES.map(|id| (id.to_owned(), Layout::of_image(folder, id)));
    let printed = printed(&ended);
    for (id, layout) in &layouts {
        assert!(printed.values().any(|digest| *digest == layout.digest()), "{id}: {printed:?}");
    }
    (layouts.into_iter().map(|(id, layout)| (id, layout.files())).collect(), printed)
}

#[track_caller]
fn same(title: &str, seen: &Outcome, expect: &Outcome) {
    assert_eq!(seen.1, expect.1, "{title}: digests");
    for (id, files) in &expect.0 {
        let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&seen.0[id]), names(files), "{title}: files of {id}");
        for (name, bytes) in files {
            assert!(seen.0[id][name] == *bytes, "{title}: {id}: {} differs", name.display());
        }
    }
}

/// Starts a build, kills it and all that it has started, at some moment after it has begun to compile or write.
fn kill_a_build(folder: &Path, mut build: Command) {
    let target = folder.join("target");
    let mut child = build.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the build has begun", || target.exists() || child.try_wait().unwrap().is_some());
    std::thread::sleep(Duration::from_millis(1500));
    Ended::of(Command::new("/bin/sh").args(["-c", &format!("kill -s KILL -- -{}", child.id())]));
    child.wait().unwrap();
}

#[test]
fn clones_of_this_repository_give_the_same_bytes() {
    let top = tempfile::tempdir().unwrap();
    let (one, two) = (top.path().join("one"), top.path().join("other/a folder with a longer name"));
    std::fs::create_dir(top.path().join("other")).unwrap();
    clone(&one, "022");
    clone(&two, "027");
    // checked out at another time
    let old = ["-exec", "touch", "-h", "-d", "2001-09-09T01:46:40Z", "{}", "+"];
    Ended::of(Command::new("find").arg(&two).args(["-path", "*/.git", "-prune", "-o"]).args(old)).expect(0);

    let plain = [("LC_ALL", "C"), ("TZ", "UTC")];
    let expect = outcome(&one, build(&one, "022", &plain));
    // again, with everything there
    same("again", &outcome(&one, build(&one, "022", &plain)), &expect);

    let elsewhere = top.path().join("elsewhere");
    let german = [
        ("LANG", "de_DE.UTF-8"),
        ("LC_ALL", "de_DE.UTF-8"),
        ("TZ", "Pacific/Apia"),
        ("CARGO_TARGET_DIR", elsewhere.to_str().unwrap()),
    ];
    kill_a_build(&two, build(&two, "027", &german[..4]));
    same("another folder, umask, language and time", &outcome(&two, build(&two, "027", &german)), &expect);

    // what was compiled is there, what was assembled is not
    std::fs::remove_dir_all(one.join("target/groupage")).unwrap();
    same("an empty cache", &outcome(&one, build(&one, "077", &german[..3])), &expect);
}

/// With no version control and no `SOURCE_DATE_EPOCH`, the time of a file on this disk is not used either.
#[test]
fn times_of_files_do_not_count() {
    let digest = |date: &str| {
        let workspace = odd_files("scratch", "");
        let touch = ["-exec", "touch", "-h", "-d", date, "{}", "+"];
        Ended::of(Command::new("find").arg(workspace.root()).args(touch)).expect(0);
        let mut build = workspace.native(&[]);
        Ended::of(build.env_remove("SOURCE_DATE_EPOCH")).expect(0);
        Layout::of_image(workspace.root(), "odd").digest()
    };
    assert_eq!(digest("2001-09-09T01:46:40Z"), digest("2020-02-02T02:02:02Z"));
}

/// Times come from the newest commit of each component's inputs, and `SOURCE_DATE_EPOCH` wins over it.
#[test]
fn times_come_from_commits() {
    let workspace = odd_files("scratch", "");
    let git = |arguments: &[&str], date: u64| {
        let mut git = Command::new("git");
        git.current_dir(workspace.root()).args(["-c", "user.name=test", "-c", "user.email=test@localhost"]);
        let date = format!("@{date} +0000");
        git.env("GIT_AUTHOR_DATE", "@1400000000 +0000")
            .env("GIT_COMMITTER_DATE", date)
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        Ended::of(git.args(arguments)).expect(0);
    };
    let (first, second) = (1_500_000_000, 1_600_000_000);
    git(&["init", "--quiet"], first);
    git(&["add", "."], first);
    git(&["commit", "--quiet", "--message", "all"], first);
    workspace.write("components/plain/text", "newer\n");
    git(&["commit", "--quiet", "--all", "--message", "plain"], second);

    let times = |variable: Option<&str>| {
        let mut build = workspace.native(&[]);
        match variable {
            Some(value) => build.env("SOURCE_DATE_EPOCH", value),
            None => build.env_remove("SOURCE_DATE_EPOCH"),
        };
        Ended::of(&mut build).expect(0);
        let layout = Layout::of_image(workspace.root(), "odd");
        (layout.times(layout.image().layers), layout.documents().config["created"].as_str().unwrap().to_owned())
    };
    let (seen, created) = times(None);
    assert!(seen.is_subset(&[first, second].into()) && seen.len() == 2, "{seen:?}");
    assert_eq!(created, "2020-09-13T12:26:40Z", "the newest of all");
    assert_eq!(times(Some("1000000000")), ([1_000_000_000].into(), "2001-09-09T01:46:40Z".to_owned()));

    let mut build = workspace.native(&[]);
    let ended = Ended::of(build.env("SOURCE_DATE_EPOCH", "yesterday")).expect(2);
    assert!(ended.stderr.contains("SOURCE_DATE_EPOCH") && ended.stderr.contains("yesterday"), "{}", ended.stderr);
}
