//! What an engine finds, and the images that it is an input of.

use proptest::prelude::*;

use super::{image, names};
use crate::plan::changes::{Recorded, changes};
use crate::plan::fingerprint::labels;
use crate::plan::{Found, ImagePlan};

/// An image of some of the components.
fn image_of(kinds: &[&str], found: &Found) -> ImagePlan {
    let mut plan = image(found.is_host());
    plan.components.retain(|part| kinds.contains(&part.name.as_str()));
    plan.with_found(found)
}

fn compilers(cargo: &str, go: &str) -> Found {
    Found { toolchain: Some(cargo.to_owned()), go_toolchain: go.to_owned(), ..Found::default() }
}

/// A compiler is named where it compiles, and by an image that says less as well.
#[test]
fn a_compiler_is_named_where_it_compiles() {
    let check = |kinds: &[&str], expect: &[&str]| {
        let before = image_of(kinds, &compilers("rustc 1", "go1"));
        let after = image_of(kinds, &compilers("rustc 2", "go2"));
        assert_eq!(names(&before, &after), expect, "{kinds:?}");
        let summary = Recorded::from_image(&labels(&before, &before.platforms[0]), None).unwrap();
        let mut told: Vec<String> = changes(&summary, &after).iter().map(ToString::to_string).collect();
        told.retain(|line| line.starts_with("toolchain"));
        assert_eq!(told, expect, "{kinds:?}");
    };
    let (cargo, go) = ("toolchain: rustc 1 → rustc 2", "toolchain: go1 → go2");
    check(&["cargo"], &[cargo]);
    check(&["go"], &[go]);
    check(&["go", "files"], &[go]);
    check(&["files"], &[]);
    check(&["cargo", "go"], &[go, cargo]);
}

/// What is left out on a platform needs no compiler there.
#[test]
fn a_component_that_is_left_out_asks_for_nothing() {
    let mut plan = image_of(&["files", "go"], &Found::default());
    plan.platforms.push("windows/amd64".parse().unwrap());
    let go = plan.components.iter_mut().find(|part| part.name.as_str() == "go").unwrap();
    go.excluded.push(plan.platforms[1].clone());
    let with = |cargo: &str, go: &str, platform: usize| {
        let found = compilers(cargo, go);
        let first = plan.with_found(&found).for_platform(&plan.platforms[platform]);
        assert_eq!(first, plan.for_platform(&plan.platforms[platform]).with_found(&found));
        first.found
    };
    assert_eq!(with("rustc 1", "go1", 0), compilers("", "go1"));
    assert_eq!(with("rustc 1", "go1", 1), compilers("", ""));
}

const KINDS: [&str; 6] = ["cargo", "files", "go", "image", "script", "existing"];
const IMAGES: [&str; 7] = ["base", "source", "shell", "rust", "go", "own", "other"];

fn found() -> impl Strategy<Value = Found> {
    let image = (proptest::sample::select(IMAGES.to_vec()), 0..2_u8);
    let images = proptest::collection::btree_map(image.clone().prop_map(|(name, _)| name), image, 0..7);
    (proptest::option::of(0..3_u8), 0..3_u8, images).prop_map(|(cargo, go, images)| Found {
        toolchain: cargo.map(|version| if version == 0 { String::new() } else { format!("rustc {version}") }),
        go_toolchain: if cargo.is_none() || go == 0 { String::new() } else { format!("go{go}") },
        images: images
            .into_iter()
            .map(|(name, (_, id))| (format!("r.example/{name}:1"), format!("sha256:{id}")))
            .collect(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// The plan of an image says nothing that was found for others: when the fingerprint is the same, so is all that it says.
    #[test]
    fn what_is_found_for_others_is_not_in_an_image(
        kinds in proptest::sample::subsequence(KINDS.to_vec(), 0..6),
        found in (found(), found()),
    ) {
        let (one, two) = (image_of(&kinds, &found.0), image_of(&kinds, &found.1));
        if one.found.is_host() == two.found.is_host() {
            prop_assert_eq!(one.fingerprint == two.fingerprint, one == two, "{:?} {:?}", one.found, two.found);
        }
        // what is asked for one image alone is what is kept of all that is found
        prop_assert_eq!(&image_of(&kinds, &one.found), &one);
    }
}
