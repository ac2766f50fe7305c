//! A daemon, a shell image, names that go away.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use groupage::engine::docker::{Docker, Environment, Host, host};
use groupage::engine::{Built, Cancel, EngineError, Event, Job, JobResult, Options, block_on, run};
use groupage::render::context::{Bytes, ContextEntry};

/// The daemon that the environment means, or `None` with a printed line when none answers and none is required.
pub fn daemon() -> Option<Docker> {
    match block_on(Docker::connect(&real_host())).unwrap() {
        Ok(engine) => Some(engine),
        Err(error) if required() => panic!("{error}"),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

fn required() -> bool {
    std::env::var("GROUPAGE_TEST_ENGINE").is_ok_and(|value| value == "required")
}

pub fn real_host() -> Host {
    let home = std::env::var("HOME").ok().map(camino::Utf8PathBuf::from);
    let environment = Environment::from_variables(|name| std::env::var(name).ok(), home);
    host::resolve(None, &environment, &|path| std::fs::read(path)).expect("the environment means a daemon")
}

/// Builds one job.
pub fn build(engine: &Docker, job: Job) -> Result<Built, EngineError> {
    events_of(engine, job).0
}

/// Builds one job and keeps what happened.
pub fn events_of(engine: &Docker, job: Job) -> (Result<Built, EngineError>, Vec<Event>) {
    let nameless = job.tags.is_empty();
    let mut events = Vec::new();
    let mut keep = |event| events.push(event);
    let outcome = block_on(run(vec![job], engine, Options::default(), &Cancel::new(), &mut keep)).unwrap();
    let end = match outcome.results.into_iter().next().expect("one job, one result") {
        JobResult::Built(built) => Ok(built),
        JobResult::Failed { error, .. } => Err(error),
        JobResult::Skipped { .. } => Err(EngineError::Cancelled),
    };
    if let (Ok(built), true) = (&end, nameless) {
        docker(&["rmi", &built.image_id]);
    }
    (end, events)
}

/// An image with a shell, made of the static busybox of this machine; no registry is needed.
pub fn shell_image(engine: &Docker) -> String {
    const NAME: &str = "groupage-test/shell:1";
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| std::fs::exists(path).unwrap_or(false));
    let busybox = busybox.expect("these tests need the package busybox-static");
    let mut job = Job::new("shell", "FROM scratch\nCOPY bin /bin\n");
    job.context.insert("bin/busybox", ContextEntry::File { bytes: Bytes::Disk(busybox.into()), mode: 0o755 });
    for applet in ["sh", "sleep", "ls", "seq", "true", "cat"] {
        job.context.insert(format!("bin/{applet}"), ContextEntry::Link { target: "busybox".to_owned() });
    }
    job.tags = vec![NAME.to_owned()];
    build(engine, job).expect("the shell image builds");
    NAME.to_owned()
}

/// A text that no cache has seen.
pub fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    format!("u{nanos}x{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// References that are removed at the end.
pub struct Tags {
    pub names: Vec<String>,
}

impl Tags {
    pub fn new(stem: &str, count: usize) -> Self {
        let unique = unique();
        Self { names: (0..count).map(|index| format!("groupage-test/{stem}-{index}:{unique}")).collect() }
    }

    /// All of them name an image.
    pub fn exist(&self) -> bool {
        self.names.iter().all(|name| !docker(&["images", "-q", name]).is_empty())
    }

    /// None of them does.
    pub fn absent(&self) -> bool {
        self.names.iter().all(|name| docker(&["images", "-q", name]).is_empty())
    }
}

impl Drop for Tags {
    fn drop(&mut self) {
        let names = self.names.iter().map(String::as_str);
        let _ = Command::new("docker").arg("rmi").args(names).output();
    }
}

/// What the `docker` program says.
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("the docker program is there");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The most memory that this process has held so far, in bytes.
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
