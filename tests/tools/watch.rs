//! `watch` as a process: files are written, lines are waited for. The images are of files on scratch, so that nothing but this
//! program is needed.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::support::sandbox::Sandbox;

/// Longer than anything takes on a loaded machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Images `app` of the folder `data` of `page`, and `other` of a file of `rest`.
fn workspace() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("groupage.toml", "schema = 1\n");
    sandbox.write("components/page/component.toml", component("page", "data"));
    sandbox.write("components/page/data/one", "1\n");
    sandbox.write("components/rest/component.toml", component("rest", "rest.txt"));
    sandbox.write("components/rest/rest.txt", "1\n");
    sandbox.write("images/app/image.toml", image("app", "page"));
    sandbox.write("images/other/image.toml", image("other", "rest"));
    sandbox
}

fn component(name: &str, from: &str) -> String {
    format!(
        "schema = 1\nname = \"{name}\"\nowner = \"@t\"\nversion = \"1.0.0\"\n[build.files]\n[[install]]\nfrom = \"{from}\"\nto = \"/srv/{name}\"\n"
    )
}

fn image(name: &str, part: &str) -> String {
    format!(
        "schema = 1\nname = \"{name}\"\nversion = \"1.0.0\"\nbase = \"scratch\"\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n[components]\n{part} = {{}}\n"
    )
}

/// A running `watch`, and the lines that it has printed. It is ended with the test.
struct Watch {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// Lines of stderr that were passed over while waiting.
    told: Vec<String>,
    /// Whether more lines may come.
    talks: bool,
}

impl Drop for Watch {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

impl Watch {
    /// Starts it and waits until it is ready, which is after the first build.
    #[track_caller]
    fn start(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let mut watch = Self::spawn(sandbox, Command::new(env!("CARGO_BIN_EXE_xtask")), arguments);
        watch.heard("; Ctrl-C ends");
        watch
    }

    fn spawn(sandbox: &Sandbox, mut command: Command, arguments: &[&str]) -> Self {
        command.args(["watch", "--engine", "native"]).args(arguments).current_dir(sandbox.root());
        command.env_remove("CI").env("LC_ALL", "C").process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, stdout: lines(stdout), stderr: lines(stderr), told: Vec::new(), talks: false }
    }

    /// The next line of stdout, without its time.
    #[track_caller]
    fn line(&mut self) -> String {
        let line = self.stdout.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{error}: {:?}", self.rest()));
        match line.rsplit_once(" in ") {
            Some((what, time)) if time.strip_suffix(" s").is_some_and(|time| time.parse::<f64>().is_ok()) => {
                what.to_owned()
            }
            _ => line,
        }
    }

    /// Waits for a line of stderr.
    #[track_caller]
    fn heard(&mut self, words: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line =
                self.stderr.recv_timeout(left).unwrap_or_else(|error| panic!("{words}: {error}: {:?}", self.told));
            let found = line.contains(words);
            self.told.push(line);
            if found {
                return;
            }
        }
    }

    fn rest(&mut self) -> &[String] {
        self.told.extend(self.stderr.try_iter());
        &self.told
    }

    /// Ctrl-C, and how it ends; it says nothing more on stdout.
    #[track_caller]
    fn interrupt(mut self) -> ExitStatus {
        let kill = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let end = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() > end => panic!("it goes on: {:?}", self.rest()),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        let more: Vec<String> = self.stdout.iter().collect();
        assert!(more.is_empty() || self.talks, "{more:?}");
        status
    }
}

#[test]
fn every_save_is_one_line() {
    let sandbox = workspace();
    let mut watch = Watch::start(&sandbox, &["app", "other"]);
    assert_eq!(watch.line(), "start → app, other built");
    sandbox.write("components/page/data/one", "2\n");
    assert_eq!(watch.line(), "components/page/data/one changed → app built");
    // a new folder, and then a file in it
    std::fs::create_dir_all(sandbox.root().join("components/page/data/deep/er")).unwrap();
    sandbox.write("components/page/data/deep/er/file", "1\n");
    assert!(watch.line().ends_with(" → app built"));
    sandbox.write("components/page/data/deep/er/file", "2\n");
    assert_eq!(watch.line(), "components/page/data/deep/er/file changed → app built");
    // as editors save: another file takes the place of the old one
    sandbox.write("components/rest/rest.txt~", "2\n");
    std::fs::rename(sandbox.root().join("components/rest/rest.txt~"), sandbox.root().join("components/rest/rest.txt"))
        .unwrap();
    assert_eq!(watch.line(), "components/rest/rest.txt changed → other built");
    // a folder that is replaced as a whole is still watched
    assert_eq!(
        sandbox.shell("cd components/page && cp -r data new && mv data old && mv new data && echo 3 > data/one").code,
        Some(0)
    );
    assert!(watch.line().ends_with(" → app built"));
    sandbox.write("components/page/data/one", "4\n");
    assert_eq!(watch.line(), "components/page/data/one changed → app built");
    assert_eq!(watch.interrupt().code(), Some(0));
    assert_eq!(sandbox.shell("ls target/groupage/oci target/groupage/cache/tmp").code, Some(0));
}

/// What was built before is not said to be built.
#[test]
fn what_is_there_from_before_is_up_to_date() {
    let sandbox = workspace();
    assert_eq!(sandbox.shell("groupage build app --engine native --progress quiet").code, Some(0));
    let mut watch = Watch::start(&sandbox, &["app", "other"]);
    assert_eq!(watch.line(), "start → other built, app up to date");
    assert_eq!(watch.interrupt().code(), Some(0));
    let mut watch = Watch::start(&sandbox, &["app", "other"]);
    assert_eq!(watch.line(), "start → app, other up to date");
    assert_eq!(watch.interrupt().code(), Some(0));
    let mut watch = Watch::start(&sandbox, &["app", "--format", "json"]);
    let line: serde_json::Value = serde_json::from_str(&watch.line()).unwrap();
    assert_eq!(line["result"], "unchanged");
    // whoever starts what was built learns what it is all the same
    assert!(line["images"][0]["digest"].as_str().unwrap().starts_with("sha256:"), "{line}");
    assert_eq!(line["images"][0]["up_to_date"], true);
    sandbox.write("components/page/data/one", "2\n");
    let line: serde_json::Value = serde_json::from_str(&watch.line()).unwrap();
    assert_eq!((&line["result"], &line["images"][0]["up_to_date"]), (&"built".into(), &false.into()));
    assert_eq!(watch.interrupt().code(), Some(0));
}

#[test]
fn what_changes_no_image_builds_nothing() {
    let sandbox = workspace();
    let mut watch = Watch::start(&sandbox, &["app", "--format", "json"]);
    assert!(watch.line().contains("\"reason\":\"start\""));
    sandbox.write("components/page/component.toml", format!("# a comment\n{}", component("page", "data")));
    sandbox.write("components/page/notes", "1\n");
    sandbox.write("components/rest/rest.txt", "2\n");
    sandbox.write("components/page/data/one", "2\n");
    // the next line is that of the file that matters, whether or not others were saved in the same moment
    let line: serde_json::Value = serde_json::from_str(&watch.line()).unwrap();
    assert!(line["changed"].as_array().unwrap().contains(&"components/page/data/one".into()), "{line}");
    assert_eq!(watch.interrupt().code(), Some(0));
}

#[test]
fn a_broken_manifest_is_shown_and_watching_goes_on() {
    let sandbox = workspace();
    let mut watch = Watch::start(&sandbox, &["app", "--format", "json"]);
    let mut line = || -> serde_json::Value { serde_json::from_str(&watch.line()).unwrap() };
    let first = line();
    assert_eq!((&first["result"], &first["reason"]), (&"built".into(), &"start".into()));
    let digest = |line: &serde_json::Value| line["images"][0]["digest"].as_str().unwrap().to_owned();
    assert!(digest(&first).starts_with("sha256:"));
    sandbox.write("components/page/component.toml", "nonsense");
    let broken = line();
    assert_eq!(broken["result"], "refused");
    assert_eq!(broken["changed"], serde_json::json!(["components/page/component.toml"]));
    // mended, and as it was
    sandbox.write("components/page/component.toml", component("page", "data"));
    assert_eq!(line()["result"], "unchanged");
    // a file that a manifest asks for comes later, in a folder that nobody has watched
    sandbox.write("components/page/component.toml", component("page", "later/file"));
    assert_eq!(line()["result"], "refused");
    sandbox.write("components/page/later/file", "1\n");
    let mut mended = line();
    while mended["result"] == "refused" {
        // the folder is there before the file
        mended = line();
    }
    assert_eq!(mended["result"], "built");
    assert_ne!(digest(&mended), digest(&first));
    watch.heard("there is no components/page/later/file");
    assert!(watch.told.iter().any(|line| line.contains("invalid TOML")), "{:?}", watch.told);
    assert_eq!(watch.interrupt().code(), Some(0));
}

#[test]
fn a_workspace_that_is_broken_from_the_start_can_be_mended() {
    let sandbox = workspace();
    sandbox.write("images/app/image.toml", "nonsense");
    let mut watch = Watch::start(&sandbox, &["app"]);
    assert_eq!(watch.line(), "start → not built");
    sandbox.write("images/app/image.toml", image("app", "page"));
    assert_eq!(watch.line(), "images/app/image.toml changed → app built");
    assert_eq!(watch.interrupt().code(), Some(0));
}

#[test]
fn saves_during_a_build_are_not_lost() {
    let sandbox = workspace();
    let mut watch = Watch::start(&sandbox, &["app"]);
    assert_eq!(watch.line(), "start → app built");
    for count in 0..40 {
        // one after the other, as fast as it goes: some of them during a build
        sandbox.write("components/page/data/one", format!("{count}\n"));
        sandbox.write("components/page/data/large", vec![count; 1_000_000]);
    }
    sandbox.write("components/page/data/last", "1\n");
    // in the end the image is that of the last save, after however many rounds
    let alone = workspace();
    assert_eq!(alone.shell("rm -r components/page/data").code, Some(0));
    for name in ["one", "large", "last"] {
        let bytes = std::fs::read(sandbox.root().join("components/page/data").join(name)).unwrap();
        alone.write(&format!("components/page/data/{name}"), bytes);
    }
    assert_eq!(alone.shell("groupage build app --engine native --progress quiet").code, Some(0));
    let index = |sandbox: &Sandbox| std::fs::read(sandbox.root().join("target/groupage/oci/app/index.json")).unwrap();
    let expect = index(&alone);
    let end = Instant::now() + PATIENCE;
    while index(&sandbox) != expect {
        assert!(Instant::now() < end, "the last save was not built: {:?}", watch.rest());
        std::thread::sleep(Duration::from_millis(20));
    }
    // all lines that are there by now; the one of the last round may still come
    watch.stdout.try_iter().for_each(|line| assert!(line.contains(" changed → app built in "), "{line}"));
    watch.talks = true;
    assert_eq!(watch.interrupt().code(), Some(0));
}

#[test]
fn without_being_told_it_looks() {
    let sandbox = workspace();
    let mut watch = Watch::start(&sandbox, &["app", "--poll"]);
    assert!(watch.told.last().unwrap().starts_with("looking at "), "{:?}", watch.told);
    assert_eq!(watch.line(), "start → app built");
    sandbox.write("components/page/data/one", "2\n");
    assert_eq!(watch.line(), "components/page/data/one changed → app built");
    sandbox.write("components/page/data/new/file", "2\n");
    assert!(watch.line().ends_with(" → app built"));
    assert_eq!(watch.interrupt().code(), Some(0));
}

/// The limit is that of a user namespace of its own, so that nobody else meets it.
#[test]
fn a_limit_of_the_system_is_said_and_got_around() {
    let sandbox = workspace();
    let limited = "echo 3 > /proc/sys/user/max_inotify_watches && exec \"$0\" \"$@\"";
    let may = Command::new("unshare").args(["--user", "--map-root-user", "sh", "-c", limited, "true"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this user may not make a user namespace");
        return;
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "sh", "-c", limited, env!("CARGO_BIN_EXE_xtask")]);
    let mut watch = Watch::spawn(&sandbox, unshare, &["app"]);
    watch.heard("fs.inotify.max_user_watches is reached");
    watch.heard("hint: raise it with `sysctl fs.inotify.max_user_watches=");
    watch.heard("looking at ");
    assert_eq!(watch.line(), "start → app built");
    sandbox.write("components/page/data/one", "2\n");
    assert_eq!(watch.line(), "components/page/data/one changed → app built");
    assert_eq!(watch.interrupt().code(), Some(0));
}

#[test]
fn an_interrupted_build_leaves_nothing_half_built() {
    let sandbox = workspace();
    let large = "components/page/data/large";
    let files =
        || sandbox.shell("cd target/groupage && find oci cache/blobs -type f -path '*sha256*' | xargs sha256sum");
    for delay in [0, 3, 10, 30, 60, 90] {
        sandbox.write(large, vec![0; 10]);
        let mut watch = Watch::start(&sandbox, &["app"]);
        // what was interrupted before may not have come to an end
        assert!(["start → app built", "start → app up to date"].contains(&watch.line().as_str()));
        sandbox.write(large, vec![delay; 20_000_000]);
        // the moment is what is tested: nothing is waited for
        std::thread::sleep(Duration::from_millis(u64::from(delay) + 60));
        watch.talks = true;
        assert_eq!(watch.interrupt().code(), Some(0));
        for line in files().stdout.lines() {
            let (digest, path) = line.split_once("  ").unwrap();
            assert!(path.ends_with(digest), "{line}");
        }
    }
}
