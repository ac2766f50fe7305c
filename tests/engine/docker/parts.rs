//! Images that begin with images of their own run: shared, missing, gone.

use std::sync::Arc;

use groupage::engine::docker::Builder;
use groupage::engine::{Cancel, EngineError, Event, Job, Options, Present, block_on, run};

use crate::support::{Tags, daemon, events_of, shell_image, unique};

/// An image of one file, and its name.
fn part(tags: &Tags, index: usize) -> Job {
    let mut part =
        Job { tags: vec![tags.names[index].clone()], ..Job::new("part", "FROM scratch AS comp-a\nCOPY f /\n") };
    part.context.insert_bytes("f", unique().into_bytes(), 0o644);
    part
}

fn whole(part: &Arc<Job>, tags: &Tags, index: usize) -> Job {
    let dockerfile = format!("FROM {} AS comp-a\nFROM scratch\nCOPY --from=comp-a / /\n", part.tags[0]);
    let name = format!("whole-{index}");
    Job { tags: vec![tags.names[index].clone()], parts: vec![Arc::clone(part)], ..Job::new(name, dockerfile) }
}

/// Somebody has removed it since the daemon was asked.
#[test]
fn a_part_that_is_gone_is_built_again() {
    for builder in [Builder::Auto, Builder::Classic] {
        let Some(engine) = daemon() else { return };
        let engine = engine.with_builder(builder);
        let tags = Tags::new("gone", 2);
        let mut part = part(&tags, 0);
        // the host of real parts: no registry of that name can exist
        let name = format!("groupage.invalid/component/{}:1", unique());
        part.tags = vec![name.clone()];
        part.present = Some(Present {
            image_id: format!("sha256:{}", "0".repeat(64)),
            names: [name.clone()].into(),
            ..Present::default()
        });
        let (end, events) = events_of(&engine, whole(&Arc::new(part), &tags, 1));
        crate::support::docker(&["rmi", &name]);
        end.unwrap_or_else(|error| panic!("{builder:?}: {error}\n{events:#?}"));
        assert!(events.iter().any(|event| matches!(event, Event::Finished(built) if built.image == "part")));
        assert!(crate::support::docker(&["images", "-q", &tags.names[1]]).len() > 5);
    }
}

#[test]
fn a_part_is_built_once_for_all_that_hold_it() {
    let Some(engine) = daemon() else { return };
    let tags = Tags::new("shared", 5);
    let part = Arc::new(part(&tags, 0));
    let jobs = (1..5).map(|index| whole(&part, &tags, index)).collect();
    let mut begun = 0;
    let mut count = |event| begun += usize::from(matches!(event, Event::Started { image } if image == "part"));
    let outcome = block_on(run(jobs, &engine, Options::default(), &Cancel::new(), &mut count)).unwrap();
    assert!(outcome.is_success(), "{outcome:?}");
    assert!(tags.exist());
    assert_eq!(begun, 1);
}

#[test]
fn a_part_that_fails_is_tried_once() {
    let Some(engine) = daemon() else { return };
    let base = shell_image(&engine);
    let engine = engine.with_run(4, true);
    let tags = Tags::new("failing", 5);
    let dockerfile = format!("FROM {base} AS comp-a\nRUN echo {}; exit 3\n", unique());
    let part = Arc::new(Job { tags: vec![tags.names[0].clone()], ..Job::new("part", dockerfile) });
    let jobs = (1..5).map(|index| whole(&part, &tags, index)).collect();
    let mut ends = Vec::new();
    let mut keep = |event| {
        if let Event::Failed { image, .. } = event {
            ends.push(image);
        }
    };
    let options = Options { keep_going: true, ..Options::default() };
    let outcome = block_on(run(jobs, &engine, options, &Cancel::new(), &mut keep)).unwrap();
    ends.sort();
    assert_eq!(ends, ["part", "whole-1", "whole-2", "whole-3", "whole-4"]);
    for (_, error) in outcome.failures() {
        let EngineError::Part { reference, error } = error else { panic!("{error:?}") };
        assert_eq!(*reference, tags.names[0]);
        assert!(matches!(&**error, EngineError::BuildFailed(failure) if failure.exit_code == Some(3)), "{error:?}");
    }
    assert!(tags.absent());
}
