//! Builds that succeed, and what can be asked about their images.

use std::sync::Arc;

use crate::support::{Tags, build, daemon, docker, events_of, shell_image, unique};
use groupage::engine::docker::Builder;
use groupage::engine::{Engine as _, ErrorClass, Event, Job, Network, Options, StepState, block_on, run};
use groupage::render::context::{Bytes, ContextEntry};

#[test]
fn builds_names_and_looks_into_an_image() {
    let Some(engine) = daemon() else { return };
    let tags = Tags::new("files", 2);
    let long = format!("data/{}/{}", "d".repeat(100), "f".repeat(100));
    let mut job = Job::new("files", "FROM scratch\nCOPY data /data\nLABEL a=\"b c\"\nUSER 65532:65532\n");
    job.context.insert_bytes("data/größe 語.txt", b"one".as_slice(), 0o755);
    job.context.insert_bytes(long.as_str(), b"two".as_slice(), 0o644);
    job.context.insert("data/link", ContextEntry::Link { target: "./größe 語.txt".to_owned() });
    job.context.insert_bytes("Dockerfile", b"not ours".as_slice(), 0o644);
    job.tags = tags.names.clone();
    let built = build(&engine, job).expect("it builds");
    assert!(built.image_id.starts_with("sha256:") && built.steps_run + built.steps_cached == 1, "{built:?}");

    block_on(async {
        for tag in &tags.names {
            let seen = engine.inspect(tag).await.unwrap().expect("the tag is there");
            assert_eq!(seen.id, built.image_id);
            assert_eq!(seen.labels["a"], "b c");
            assert_eq!(seen.user, "65532:65532");
        }
        let tag = &tags.names[0];
        let read = async |path: &str| engine.read_file(tag, path, 1000).await;
        assert_eq!(read("/data/größe 語.txt").await.unwrap().as_deref(), Some(b"one".as_slice()));
        assert_eq!(read(&format!("/{long}")).await.unwrap().as_deref(), Some(b"two".as_slice()));
        assert_eq!(read("/data/none").await.unwrap(), None);
        assert!(read("/data").await.unwrap_err().to_string().contains("folder"));
        assert!(engine.read_file(tag, "/data/größe 語.txt", 2).await.is_err());
        let missing = engine.missing_images(&[tag.as_str(), "groupage-test/none:1"]).await.unwrap();
        assert_eq!(missing, ["groupage-test/none:1"]);
    })
    .unwrap();
    assert_eq!(docker(&["ps", "-aq", "--filter", &format!("ancestor={}", built.image_id)]), "");
}

#[test]
fn says_what_runs_and_what_is_cached() {
    let Some(engine) = daemon() else { return };
    let base = shell_image(&engine);
    let dockerfile = format!("FROM {base} AS comp-a\nRUN echo {} && printf 'no end'\n", unique());
    let states = |job: Job| {
        let (end, events) = events_of(&engine, job);
        let line = |event: Event| match event {
            Event::Step { step, state: StepState::Cached, .. } if step.name.contains("RUN") => {
                Some("cached".to_owned())
            }
            Event::Step { step, state: StepState::Done { .. }, .. } if step.name.contains("RUN") => {
                Some(format!("done {}", step.label()))
            }
            Event::Log { line, .. } => Some(line),
            _ => None,
        };
        end.expect("it builds");
        events.into_iter().filter_map(line).collect::<Vec<_>>()
    };
    let first = states(Job::new("a", dockerfile.as_str()));
    assert_eq!(first[1..], ["no end", "done 2/2"].map(str::to_owned), "{first:?}");
    assert_eq!(states(Job::new("a", dockerfile.as_str())), ["cached"]);
    let again = Job { no_cache: true, ..Job::new("a", dockerfile.as_str()) };
    assert_eq!(states(again).len(), 3);
}

#[test]
fn no_network_means_none() {
    let Some(engine) = daemon() else { return };
    let base = shell_image(&engine);
    for builder in [Builder::Auto, Builder::Classic] {
        let engine = daemon().expect("it was there").with_builder(builder);
        let dockerfile = format!("FROM {base}\nRUN ls /sys/class/net && echo {}\n", unique());
        let (end, events) = events_of(&engine, Job { network: Network::None, ..Job::new("a", dockerfile) });
        end.expect("it builds");
        let lines = events.into_iter().filter_map(|event| match event {
            Event::Log { line, .. } => Some(line),
            _ => None,
        });
        assert!(!lines.into_iter().any(|line| line.contains("eth")), "{builder:?} has a network");
    }
}

#[test]
fn the_classic_builder_makes_the_same_names() {
    let Some(engine) = daemon() else { return };
    let base = shell_image(&engine);
    let engine = engine.with_builder(Builder::Classic);
    let tags = Tags::new("classic", 1);
    // the stage has a layer of its own, so that its image is nobody else's
    let dockerfile =
        format!("FROM {base} AS comp-a\nRUN echo {} > /u\nFROM scratch\nCOPY --from=comp-a /bin/sh /sh\n", unique());
    let (end, events) = events_of(&engine, Job { tags: tags.names.clone(), ..Job::new("a", dockerfile) });
    let built = end.expect("it builds");
    assert_eq!(built.steps_run, 4);
    let named =
        |event: &Event| matches!(event, Event::Step { step, .. } if step.name.starts_with("[comp-a 2/4] RUN echo"));
    assert!(events.iter().any(named), "{events:#?}");
    assert!(tags.exist());

    let mount = format!("FROM {base}\nRUN --mount=type=cache,target=/x true\n");
    let error = build(&engine, Job::new("a", mount)).expect_err("there is no --mount");
    let groupage::engine::EngineError::BuildFailed(failure) = error else { panic!("{error:?}") };
    assert!(failure.hint.is_some(), "{failure:?}");
}

#[test]
fn eight_jobs_at_once() {
    let Some(engine) = daemon() else { return };
    let base = shell_image(&engine);
    let shared = unique();
    let tags = Tags::new("eight", 8);
    let job = |index: usize| {
        let dockerfile = format!("FROM {base} AS one\nRUN echo {shared}; sleep 1\nFROM one\nRUN echo {index}\n");
        let mut job = Job { tags: vec![tags.names[index].clone()], ..Job::new(format!("i{index}"), dockerfile) };
        job.context.insert_bytes("f", vec![index as u8; 100_000], 0o644);
        job
    };
    let options = Options { jobs: 8, keep_going: false };
    let cancel = groupage::engine::Cancel::new();
    let jobs = (0..8).map(job).collect();
    let outcome = block_on(run(jobs, &engine, options, &cancel, &mut |_| {})).unwrap();
    assert!(outcome.is_success(), "{outcome:?}");
    let images: Vec<&str> = outcome.built().map(|built| built.image.as_str()).collect();
    assert_eq!(images, ["i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7"]);
    assert!(tags.exist());
}

#[test]
fn a_large_context_stays_out_of_memory() {
    let Some(engine) = daemon() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = camino::Utf8PathBuf::from_path_buf(folder.path().join("large")).unwrap();
    std::fs::File::create(&path).unwrap().set_len(200 << 20).unwrap();
    let mut job = Job::new("large", "FROM scratch\nCOPY small /\n");
    job.context.insert("large", ContextEntry::File { bytes: Bytes::Disk(path), mode: 0o644 });
    job.context.insert("small", ContextEntry::File { bytes: Bytes::Memory(Arc::from(b"x".as_slice())), mode: 0o644 });
    let before = crate::support::peak_memory();
    let (end, events) = events_of(&engine, job);
    end.expect("it builds");
    let grown = crate::support::peak_memory() - before;
    assert!(grown < 60 << 20, "memory has grown by {grown} bytes");
    let sent = events.iter().filter(|event| matches!(event, Event::Sending { .. })).count();
    assert!(sent > 20, "only {sent} events about 200 MB");
}

#[test]
fn the_platform_is_that_of_the_job() {
    let Some(engine) = daemon() else { return };
    let tags = Tags::new("platform", 1);
    let mut job = Job { tags: tags.names.clone(), ..Job::new("a", "FROM scratch\nCOPY f /\n") };
    job.context.insert_bytes("f", unique().into_bytes(), 0o644);
    job.platform = Some("linux/arm64".to_owned());
    let built = build(&engine, job).expect("it builds");
    let seen = block_on(engine.inspect(&built.image_id)).unwrap().unwrap().expect("it is there");
    assert_eq!(seen.platform, "linux/arm64");
}

#[test]
fn names_are_checked_before_the_work() {
    let Some(engine) = daemon() else { return };
    let job = Job { tags: vec!["a/../b".to_owned()], ..Job::new("a", "FROM scratch\n") };
    let (events, _receiver) = groupage::engine::Events::channel();
    let error = block_on(engine.build(&job, &events)).unwrap().expect_err("no such name");
    assert_eq!(error.class(), ErrorClass::Input);
}
