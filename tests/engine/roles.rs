//! What each role of this repository's images does, started by its command as a container: the same whoever built the image.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::archive::Image;
use crate::support::container::Container;
use crate::support::workspace::Registry;
use crate::support::{Ended, PATIENCE, docker};

/// Enough for a loaded machine; an unhandled signal would never end PID 1 at all.
const PROMPTLY: Duration = Duration::from_secs(9);

pub const PLAIN: &str = "logging-operator:0.1.0";
pub const FULL: &str = "logging-operator:0.1.0-full";
pub const AGENT: &str = "node-agent:0.1.0";

/// The built images, in the daemon; they go when the last test that uses them has ended.
pub struct Fixture {
    pub registry: Registry,
    pub images: BTreeMap<String, Image>,
}

/// What a consumer knows of a role: everything else is up to the image.
struct Role {
    image: String,
    command: Vec<String>,
    user: String,
}

impl Fixture {
    /// The image that has the role: of a definition that is split, that of the component, which is named as its role is.
    fn holder(&self, image: &str, role: &str) -> String {
        let (name, tag) = image.split_once(':').unwrap();
        let part = format!("{name}/{role}:{tag}");
        if self.images.contains_key(&part) { part } else { image.to_owned() }
    }

    /// A role, as the image itself describes it.
    fn role(&self, image: &str, role: &str) -> Role {
        let image = &self.holder(image, role);
        let description = self.images[image].description();
        let components = description["components"].as_array().unwrap();
        let how = components.iter().find_map(|part| part["roles"].get(role)).expect("the image has the role");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Role {
            image: format!("{}/{image}", self.registry.0),
            command: how["command"].as_array().unwrap().iter().map(text).collect(),
            user: text(&how["user"]),
        }
    }
}

impl Role {
    /// The arguments of `docker run`: as little as a restricted pod has.
    fn run(&self, options: &[&str], arguments: &[&str]) -> Vec<String> {
        let (program, words) = self.command.split_first().unwrap();
        let fixed = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", &self.user];
        let mut all: Vec<&str> = fixed.to_vec();
        all.extend(["--entrypoint", program]);
        all.extend(options);
        all.push(&self.image);
        all.extend(words.iter().map(String::as_str));
        all.extend(arguments);
        all.into_iter().map(str::to_owned).collect()
    }

    /// Starts it in the background.
    fn start(&self, options: &[&str], arguments: &[&str]) -> Container {
        Container::start(&self.run(options, arguments))
    }

    /// Runs it to its end, without any network.
    fn end(&self, options: &[&str], arguments: &[&str]) -> Ended {
        let options = [options, &["--network", "none"]].concat();
        Ended::of(Command::new("docker").args(["run", "--rm"]).args(self.run(&options, arguments)))
    }
}

/// A folder that containers may read, whoever they are.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), 0o755);
    folder
}

fn open(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mount(from: &Path, to: &str) -> String {
    format!("--volume={}:{to}", from.display())
}

/// Makes the version and lets `..data` point to it, in the steps of the kubelet.
fn publish(folder: &Path, version: &str, file: &str, content: &str) {
    let dir = folder.join(format!("..{version}"));
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join(file), content).unwrap();
    let before = fs::read_link(folder.join("..data"));
    symlink(format!("..{version}"), folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    match before {
        Ok(before) => fs::remove_dir_all(folder.join(before)).unwrap(),
        Err(_) => symlink(format!("..data/{file}"), folder.join(file)).unwrap(),
    }
}

/// A server on the bridge that answers 200 and sends on the first line of each request.
fn webhook() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let route = docker(["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}"]);
    // the daemon names its gateway only when it was configured; it is the first address of the subnet
    let (network, _) = route.split_once('/').unwrap();
    let gateway = format!("{}.1", network.rsplit_once('.').unwrap().0);
    let url = format!("http://{gateway}:{}/-/reload", listener.local_addr().unwrap().port());
    let (sender, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            if sender.send(head.first().cloned().unwrap_or_default()).is_err() {
                return;
            }
        }
    });
    (url, requests)
}

#[track_caller]
fn ends_at_once(container: &Container, code: i32) {
    let told = Instant::now();
    container.terminate();
    assert_eq!(container.wait(), code, "{}", container.log());
    assert!(told.elapsed() < PROMPTLY, "took {:?}", told.elapsed());
}

pub fn config_reloader_calls_a_webhook_for_each_change_of_a_mounted_file(images: &Fixture) {
    let folder = open_folder();
    publish(folder.path(), "v1", "app.conf", "one");
    let (url, requests) = webhook();
    let role = images.role(PLAIN, "config-reloader");
    let reloader = role.start(
        &[&mount(folder.path(), "/etc/app:ro")],
        &["--watch-dir", "/etc/app", "--debounce", "100ms", "--webhook-url", &url],
    );
    reloader.until_log("watching ");

    publish(folder.path(), "v2", "app.conf", "two");
    assert_eq!(requests.recv_timeout(PATIENCE).expect("a call"), "POST /-/reload HTTP/1.1");
    // the image asks for the reloader's metrics with `config-reloader?/metrics`
    reloader.until_log("called http://");
    let metrics = reloader.scrape(9533);
    assert!(metrics.lines().any(|line| !line.starts_with('#') && line.ends_with(" 1")), "{metrics}");
    ends_at_once(&reloader, 0);
    assert!(requests.try_recv().is_err(), "one call per change");
}

pub fn buffer_metrics_serves_what_is_in_a_mounted_folder(images: &Fixture) {
    let folder = open_folder();
    fs::write(folder.path().join("chunk"), "12345").unwrap();
    for image in [PLAIN, FULL, AGENT] {
        let role = images.role(image, "buffer-metrics");
        let server = role.start(&[&mount(folder.path(), "/buffers:ro")], &["--dir", "main=/buffers"]);
        let metrics = server.scrape(9200);
        assert!(metrics.contains("logging_buffer_size_bytes{buffer=\"main\"} 5\n"), "{metrics}");
        ends_at_once(&server, 0);
    }
}

const GOOD: &str = "{kind: flow, name: f, match: {app: x}, outputs: [o]}\n---\n{kind: output, name: o, type: stdout}\n";
const DANGLING: &str = "kind: flow\nname: f\nmatch: {}\noutputs:\n  - gone\n";

pub fn log_controller_renders_and_refuses(images: &Fixture) {
    let (folder, out) = (open_folder(), open_folder());
    open(out.path(), 0o777);
    fs::write(folder.path().join("all.yaml"), GOOD).unwrap();
    let role = images.role(PLAIN, "log-controller");
    let mounts = [mount(folder.path(), "/etc/flows:ro"), mount(out.path(), "/out")];
    let mounts: Vec<&str> = mounts.iter().map(String::as_str).collect();
    let arguments = ["--config", "/etc/flows", "--output", "/out/pipeline.conf"];

    role.end(&mounts, &arguments).expect(0);
    let rendered = fs::read_to_string(out.path().join("pipeline.conf")).unwrap();
    assert!(rendered.ends_with("[flow \"f\"]\n    match = \"app\" \"x\"\n    output = \"o\"\n"), "{rendered}");

    fs::write(folder.path().join("all.yaml"), DANGLING).unwrap();
    let refused = role.end(&mounts, &arguments).expect(1);
    assert!(refused.stderr.contains("all.yaml:5: the flow `f` names the output `gone`"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(out.path().join("pipeline.conf")).unwrap(), rendered, "the last good one stays");

    // the feature `metrics` of the image is one of the controller too
    fs::write(folder.path().join("all.yaml"), GOOD).unwrap();
    let watching = role.start(&mounts, &[&arguments[..], &["--watch"]].concat());
    let metrics = watching.scrape(9534);
    assert!(metrics.contains("# TYPE "), "{metrics}");
    ends_at_once(&watching, 0);
}

pub fn drain_watch_tells_drained_from_timeout(images: &Fixture) {
    for image in [FULL, AGENT] {
        let folder = open_folder();
        let role = images.role(image, "drain-watch");
        let mount = mount(folder.path(), "/buffers:ro");
        let end = |timeout| {
            let quick = ["--buffer-dir", "/buffers", "--quiet-period", "100ms", "--interval", "20ms"];
            role.end(&[&mount], &[&quick[..], &["--timeout", timeout]].concat())
        };
        end("60s").expect(0);
        fs::write(folder.path().join("chunk"), "data").unwrap();
        let late = end("300ms").expect(3);
        assert!(late.stderr.contains("data left: 4 bytes in 1 files"), "{}", late.stderr);
    }
}

pub fn restore_helper_waits_for_every_volume(images: &Fixture) {
    let role = images.role(AGENT, "restore-helper");
    let refused = role.end(&[], &[]).expect(1);
    assert!(refused.stderr.contains("exactly one argument"), "{}", refused.stderr);

    let folder = open_folder();
    for volume in ["a", "b"] {
        fs::create_dir_all(folder.path().join(volume).join(".velero")).unwrap();
    }
    let waiting = role.start(&["--network=none", &mount(folder.path(), "/restores:ro")], &["id-1"]);
    waiting.until_log("waiting for ");
    fs::write(folder.path().join("a/.velero/id-1"), "").unwrap();
    waiting.until_log("1 of 2 volumes are restored; waiting for b");
    assert!(waiting.is_running(), "{}", waiting.log());
    fs::write(folder.path().join("b/.velero/id-1"), "").unwrap();
    assert_eq!(waiting.wait(), 0, "{}", waiting.log());

    let stopped = role.start(&["--network=none", &mount(folder.path(), "/restores:ro")], &["id-2"]);
    stopped.until_log("waiting for ");
    ends_at_once(&stopped, 143);
}

/// What each image holds: components, and the old paths of their programs.
pub const CONTENTS: &[(&str, &[(&str, &str)])] = &[
    (
        PLAIN,
        &[
            ("buffer-metrics", "/buffer-metrics"),
            ("config-reloader", "/config-reloader"),
            ("log-controller", "/log-controller"),
        ],
    ),
    (
        FULL,
        &[
            ("buffer-metrics", "/buffer-metrics"),
            ("config-reloader", "/config-reloader"),
            ("drain-watch", "/drain-watch"),
            ("log-controller", "/log-controller"),
        ],
    ),
    (
        AGENT,
        &[
            ("buffer-metrics", "/buffer-metrics"),
            ("drain-watch", "/drain-watch"),
            ("restore-helper", "/velero-restore-helper"),
        ],
    ),
];

pub fn old_paths_start_the_same_programs(images: &Fixture) {
    for (image, components) in CONTENTS {
        for (component, alias) in *components {
            let mut role = images.role(image, component);
            let by_role = role.end(&[], &["--version"]).expect(0).stdout;
            assert!(by_role.starts_with(&format!("{component} ")), "{by_role}");
            role.command = vec![(*alias).to_owned()];
            assert_eq!(role.end(&[], &["--version"]).expect(0).stdout, by_role, "{image} {alias}");
        }
    }
}
