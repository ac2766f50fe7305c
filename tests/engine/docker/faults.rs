//! What goes wrong, and what is said about it. Whatever happens, no name moves.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use groupage::engine::docker::host::Address;
use groupage::engine::docker::{Builder, Docker, Host};
use groupage::engine::{Cancel, EngineError, ErrorClass, Event, Job, Options, block_on, run};
use groupage::render::context::{Bytes, ContextEntry};

use crate::support::{Tags, build, daemon, real_host, shell_image, unique};

const BUILDERS: [Builder; 2] = [Builder::Auto, Builder::Classic];

fn job(dockerfile: String, tags: &Tags) -> Job {
    Job { tags: tags.names.clone(), ..Job::new("image", dockerfile) }
}

#[test]
fn a_command_fails() {
    let Some(engine) = daemon() else { return };
    let base = shell_image(&engine);
    for builder in BUILDERS {
        let engine = daemon().unwrap().with_builder(builder);
        let tags = Tags::new("fails", 1);
        let dockerfile = format!("FROM {base} AS comp-a\nRUN echo {}; seq 100; exit 3\n", unique());
        let error = build(&engine, job(dockerfile, &tags)).expect_err("it fails");
        assert_eq!(error.class(), ErrorClass::Work);
        let EngineError::BuildFailed(failure) = error else { panic!("{error:?}") };
        assert_eq!(failure.exit_code, Some(3));
        assert_eq!(failure.log.len(), 20);
        assert_eq!(failure.log.last().map(String::as_str), Some("100"));
        assert!(failure.step.as_deref().is_some_and(|step| step.contains("RUN echo")), "{failure:?}");
        assert!(tags.absent());
    }
}

#[test]
fn the_dockerfile_is_wrong() {
    let Some(engine) = daemon() else { return };
    drop(engine);
    for builder in BUILDERS {
        let engine = daemon().unwrap().with_builder(builder);
        let tags = Tags::new("wrong", 1);
        let error = build(&engine, job("FROM scratch\nCOPPY a b\n".to_owned(), &tags)).expect_err("it fails");
        let EngineError::BuildFailed(failure) = error else { panic!("{error:?}") };
        assert!(failure.message.contains("line 2") && failure.message.contains("COPPY"), "{failure:?}");
        let error = build(&engine, job("FROM scratch\nCOPY none /\n".to_owned(), &tags)).expect_err("it fails");
        let EngineError::BuildFailed(failure) = error else { panic!("{error:?}") };
        assert!(failure.message.contains("none"), "{failure:?}");
        assert!(failure.step.as_deref().is_some_and(|step| step.contains("COPY none /")), "{failure:?}");
    }
}

#[test]
fn a_base_cannot_be_had() {
    let Some(engine) = daemon() else { return };
    drop(engine);
    for builder in BUILDERS {
        let engine = daemon().unwrap().with_builder(builder);
        let tags = Tags::new("base", 1);
        let error = build(&engine, job("FROM 127.0.0.1:1/none:1\nCOPY a /\n".to_owned(), &tags)).expect_err("it fails");
        assert_eq!(error.class(), ErrorClass::Environment);
        let EngineError::UnresolvedImage { reference, .. } = &error else { panic!("{error:?}") };
        assert_eq!(reference, "127.0.0.1:1/none:1");
        assert!(error.to_string().contains("--set bases."));
    }
}

#[test]
fn a_file_vanishes_between_plan_and_send() {
    let Some(engine) = daemon() else { return };
    drop(engine);
    for builder in BUILDERS {
        let engine = daemon().unwrap().with_builder(builder);
        let tags = Tags::new("vanish", 1);
        let mut job = job("FROM scratch\nCOPY a /\n".to_owned(), &tags);
        job.context.insert_bytes("a", vec![0; 1_000_000], 0o644);
        job.context.insert("gone", ContextEntry::File { bytes: Bytes::Disk("/groupage/gone".into()), mode: 0o644 });
        let error = build(&engine, job).expect_err("it fails");
        let EngineError::Context { path, .. } = &error else { panic!("{error:?}") };
        assert_eq!(path, "/groupage/gone");
        assert!(tags.absent());
    }
}

#[test]
fn cancel_ends_the_build_in_the_daemon() {
    let Some(engine) = daemon() else { return };
    let base = shell_image(&engine);
    // a number of its own: tests of somebody else may sleep too
    let own = 1_000_000 + 2 * u64::from(std::process::id());
    for (builder, seconds) in [(Builder::Auto, own), (Builder::Classic, own + 1)] {
        let seconds = &seconds.to_string();
        let engine = daemon().unwrap().with_builder(builder);
        let tags = Tags::new("cancel", 1);
        let dockerfile = format!("FROM {base}\nRUN echo {} && sleep {seconds}\n", unique());
        let cancel = Cancel::new();
        let mut stop = |event| {
            if matches!(event, Event::Log { .. }) {
                // the line is written just before the command starts
                assert!(within(20, || runs(seconds)), "the command runs");
                cancel.cancel();
            }
        };
        let jobs = vec![job(dockerfile, &tags)];
        let outcome = block_on(run(jobs, &engine, Options::default(), &cancel, &mut stop)).unwrap();
        assert!(outcome.is_cancelled(), "{outcome:?}");
        assert!(within(20, || !runs(seconds)), "{builder:?}: the command goes on");
        assert!(tags.absent());
    }
}

#[test]
fn cancel_while_the_context_travels() {
    let Some(engine) = daemon() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = camino::Utf8PathBuf::from_path_buf(folder.path().join("large")).unwrap();
    std::fs::File::create(&path).unwrap().set_len(64 << 30).unwrap();
    let tags = Tags::new("sending", 1);
    let mut job = job("FROM scratch\nCOPY large /\n".to_owned(), &tags);
    job.context.insert("large", ContextEntry::File { bytes: Bytes::Disk(path), mode: 0o644 });
    let (cancel, begin) = (Cancel::new(), Instant::now());
    let mut stop = |event| {
        if matches!(event, Event::Sending { .. }) {
            cancel.cancel();
        }
    };
    let outcome = block_on(run(vec![job], &engine, Options::default(), &cancel, &mut stop)).unwrap();
    assert!(outcome.is_cancelled(), "{outcome:?}");
    assert!(begin.elapsed() < Duration::from_secs(30), "it took {:?}", begin.elapsed());
    assert!(tags.absent());
}

/// It becomes true within so many seconds. Asked no second time: a process that is just replacing its program has no
/// command line for a moment.
fn within(seconds: u64, it: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(seconds);
    loop {
        if it() {
            return true;
        }
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Somebody sleeps for so many seconds. Sees the daemon's processes only when it runs on the same machine.
fn runs(seconds: &str) -> bool {
    let text = format!("sleep {seconds}");
    let has = |entry: std::fs::DirEntry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ").contains(&text)
    };
    std::fs::read_dir("/proc").unwrap().flatten().any(has)
}

#[test]
fn the_daemon_goes_away() {
    let Some(engine) = daemon() else { return };
    let base = shell_image(&engine);
    let Address::Unix(socket) = real_host().address else { return eprintln!("skipped: the daemon has no unix socket") };
    for builder in BUILDERS {
        let proxy = Proxy::start(socket.as_str());
        let host = Host { address: Address::Unix(proxy.path.clone()), origin: "a proxy".to_owned() };
        let engine = block_on(Docker::connect(&host)).unwrap().expect("the proxy answers").with_builder(builder);
        let tags = Tags::new("lost", 1);
        let dockerfile = format!("FROM {base}\nRUN echo {} && sleep 10\n", unique());
        let mut cut = |event| {
            if matches!(event, Event::Log { .. }) {
                proxy.cut();
            }
        };
        let jobs = vec![job(dockerfile, &tags)];
        let outcome = block_on(run(jobs, &engine, Options::default(), &Cancel::new(), &mut cut)).unwrap();
        let (_, error) = outcome.failures().next().expect("it fails");
        assert!(matches!(error, EngineError::TransportLost { .. }), "{error:?}");
        assert!(tags.absent());
    }
}

/// Stands between us and the daemon until it is cut.
struct Proxy {
    path: camino::Utf8PathBuf,
    streams: Arc<Mutex<Vec<UnixStream>>>,
    _folder: tempfile::TempDir,
}

impl Proxy {
    fn start(socket: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = camino::Utf8PathBuf::from_path_buf(folder.path().join("p.sock")).unwrap();
        let listener = UnixListener::bind(&path).unwrap();
        let (streams, socket) = (Arc::new(Mutex::new(Vec::new())), socket.to_owned());
        let kept = Arc::clone(&streams);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = UnixStream::connect(&socket).unwrap();
                kept.lock().unwrap().extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                copy(near.try_clone().unwrap(), far.try_clone().unwrap());
                copy(far, near);
            }
        });
        Self { path, streams, _folder: folder }
    }

    fn cut(&self) {
        for stream in self.streams.lock().unwrap().iter() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Copies one direction, as it comes.
fn copy(mut from: UnixStream, mut to: UnixStream) {
    std::thread::spawn(move || {
        let mut buffer = [0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
}
