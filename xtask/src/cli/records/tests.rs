//! Records on a disk.

use super::*;
use crate::plan::{BasePlan, ConfigPlan, Found, Given};

fn platform() -> Platform {
    "linux/arm64/v8".parse().unwrap()
}

/// A plan with a fingerprint of its own.
fn plan(id: &str, number: usize) -> ImagePlan {
    let plan = ImagePlan {
        id: id.to_owned(),
        name: "app".parse().unwrap(),
        variant: None,
        part: None,
        dockerfile: "Dockerfile".into(),
        dockerfiles: BTreeMap::new(),
        mode: crate::manifest::Mode::Colocated,
        version: "1".to_owned(),
        tags: Vec::new(),
        platforms: vec![platform()],
        network: crate::manifest::BuildNetwork::Default,
        link: false,
        base: BasePlan { name: "scratch".parse().unwrap(), image: None },
        features: Vec::new(),
        components: Vec::new(),
        config: ConfigPlan { workdir: format!("/{number}"), ..ConfigPlan::default() },
        stamp: [("version".to_owned(), number.to_string())].into(),
        template: String::new(),
        found: Found::default(),
        fingerprint: String::new(),
        given: Given::default(),
    };
    plan.with_found(&Found::default())
}

fn built() -> Built {
    let (image, image_id, digest) = ("app".to_owned(), "sha256:1".to_owned(), None);
    Built {
        image,
        image_id,
        tags: Vec::new(),
        digest,
        steps_run: 0,
        steps_cached: 0,
        up_to_date: false,
        found: Default::default(),
    }
}

fn records() -> (tempfile::TempDir, Records) {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::of(Utf8Path::from_path(folder.path()).unwrap());
    (folder, records)
}

fn keep(records: &Records, plan: &ImagePlan) -> bool {
    records.keep(EngineName::Native, plan, &platform(), &built()).unwrap()
}

#[track_caller]
fn check(records: &Records, id: &str, expect: Result<&ImagePlan, &str>) {
    match (records.last(id, &platform()), expect) {
        (Known::All(_, record), Ok(plan)) => {
            assert_eq!(*record, Recorded::of(plan));
            assert_eq!(crate::plan::changes::changes(&record, plan), []);
        }
        (Known::NoRecord(why), Err(expect)) => assert_eq!(why, expect),
        (Known::Nothing, Err("")) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_last_build_is_known() {
    let (_folder, records) = records();
    check(&records, "app", Err(""));
    let (one, two) = (plan("app", 1), plan("app", 2));
    assert!(keep(&records, &one));
    check(&records, "app", Ok(&one));
    assert!(keep(&records, &two));
    check(&records, "app", Ok(&two));
    assert!(!keep(&records, &one), "what it was built from is known");
    check(&records, "app", Ok(&one));
    check(&records, "app=full", Err(""));
    assert_eq!(records.platforms("app"), [platform()]);
    assert!(records.platforms("app=full").is_empty());
    assert_eq!(records.by_fingerprint(&two.fingerprint, &platform()), Some(Recorded::of(&two)));
    assert_eq!(records.by_fingerprint(&two.fingerprint, &"linux/amd64".parse().unwrap()), None);
}

/// The same plan with another stamp is the same record.
#[test]
fn a_stamp_is_that_of_the_last_build() {
    let (_folder, records) = records();
    let one = plan("app", 1);
    let next = ImagePlan { stamp: [("version".to_owned(), "9".to_owned())].into(), ..one.clone() };
    assert!(keep(&records, &one));
    assert!(!keep(&records, &next));
    check(&records, "app", Ok(&next));
}

#[test]
fn what_is_damaged_counts_as_none_and_is_written_again() {
    let (_folder, records) = records();
    let one = plan("app", 1);
    assert!(keep(&records, &one));
    let file = "target/groupage/builds/app/linux_arm64.json";
    let (last, document) = (
        records.state.join(Records::last_path("app", &platform())),
        records.state.join(Records::plan_path(&one.fingerprint, &platform())),
    );
    assert!(last.as_str().ends_with(file), "{last}");
    let bytes = fs_err::read(&document).unwrap();
    let foreign = Recorded::of(&plan("app", 2)).to_json().to_string().into_bytes();
    for damaged in [&bytes[..bytes.len() / 2], b"", &vec![0; bytes.len()], b"{}", &foreign] {
        fs_err::write(&document, damaged).unwrap();
        check(&records, "app", Err(&format!("the plan that {file} names cannot be used")));
        keep(&records, &one);
        check(&records, "app", Ok(&one));
    }
    for damaged in ["", "{", "null", r#"{"schema":2}"#] {
        fs_err::write(&last, damaged).unwrap();
        check(&records, "app", Err(&format!("{file} cannot be used")));
    }
    fs_err::remove_file(&last).unwrap();
    fs_err::create_dir(&last).unwrap();
    check(&records, "app", Err(&format!("{file} cannot be used")));
}

/// Those of last builds stay, however old they are.
#[test]
fn old_plans_go() {
    let (_folder, records) = records();
    let first = plan("app", 0);
    keep(&records, &first);
    let others: Vec<ImagePlan> = (1..20).map(|number| plan("other", number)).collect();
    for (age, other) in others.iter().enumerate() {
        keep(&records, other);
        let time = filetime::FileTime::from_unix_time(1_000_000 + age as i64, 0);
        filetime::set_file_mtime(records.state.join(Records::plan_path(&other.fingerprint, &platform())), time)
            .unwrap();
    }
    let oldest = filetime::FileTime::from_unix_time(1, 0);
    filetime::set_file_mtime(records.state.join(Records::plan_path(&first.fingerprint, &platform())), oldest).unwrap();
    records.prune(5).unwrap();
    check(&records, "app", Ok(&first));
    check(&records, "other", Ok(others.last().unwrap()));
    let left = records.state.join(FOLDER).join(PLANS).read_dir_utf8().unwrap().count();
    assert_eq!(left, 5 + 2);
    let is_there = |plan: &ImagePlan| records.by_fingerprint(&plan.fingerprint, &platform()).is_some();
    assert_eq!(others.iter().position(is_there), Some(others.len() - 1 - 5), "the newest stay");
}
