//! Fingerprints: an edit of something that an image is made of changes the fingerprint of that image, and no other edit does.
//!
//! Random monorepos are edited again and again. After each edit the program plans, and the images with another fingerprint must
//! be those that [`slow`] finds to be made of something else. What was remembered of files stays there from edit to edit, and
//! edits follow each other within the time that a file system can tell apart; most leave the size of a file as it was.

mod edits;
mod monorepo;
mod slow;
mod unchanged;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;

use super::check_and_shrink;
use crate::support::sandbox::Sandbox;
use edits::{Edit, KINDS};
use monorepo::{Kind, Monorepo, Written, monorepo};

/// Writes what is different from what is there.
fn write(sandbox: &Sandbox, before: &Written, after: &Written) {
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        fs::remove_file(sandbox.root().join(path)).expect("it was written");
    }
    for (path, file) in after.iter().filter(|(path, file)| before.get(*path) != Some(*file)) {
        let (text, executable) = file;
        let path = sandbox.root().join(path);
        fs::create_dir_all(path.parent().expect("it is below the root")).expect("a folder");
        if before.is_empty() || fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
            fs::write(&path, text).expect("a file");
        }
        let mode = if *executable { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
    }
}

/// The fingerprints of all images in all variants, by ID.
fn fingerprints(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let images = fs::read_dir(sandbox.root().join("images")).expect("there are images");
    let names = images.map(|entry| entry.expect("it was listed").file_name().into_string().expect("a plain name"));
    let arguments = ["plan", "--format", "json", "--offline"].map(str::to_owned).into_iter();
    let ended = sandbox.groupage(arguments.chain(names.map(|name| format!("{name}=*"))));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    of_plan(&ended.stdout)
}

fn of_plan(json: &str) -> BTreeMap<String, String> {
    let plan: serde_json::Value = serde_json::from_str(json).expect("it is JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let images = plan["images"].as_array().expect("a list").iter();
    images.map(|image| (text(&image["id"]), text(&image["fingerprint"]))).collect()
}

/// Keys whose values differ.
fn changed<T: PartialEq>(before: &BTreeMap<String, T>, after: &BTreeMap<String, T>) -> BTreeSet<String> {
    after.iter().filter(|(id, value)| before.get(*id) != Some(*value)).map(|(id, _)| id.clone()).collect()
}

/// How many edits changed no image, some, all.
#[derive(Default)]
struct Seen {
    none: Cell<u32>,
    some: Cell<u32>,
    all: Cell<u32>,
}

fn follow(monorepo: &Monorepo, edits: &[Edit], seen: &Seen) -> Result<(), TestCaseError> {
    let sandbox = Sandbox::new();
    let mut monorepo = monorepo.clone();
    let (mut written, mut facts) = (monorepo.write(), slow::facts(&monorepo));
    write(&sandbox, &Written::new(), &written);
    let mut prints = fingerprints(&sandbox);
    prop_assert!(prints.keys().eq(facts.keys()));
    for edit in edits {
        edits::apply(&mut monorepo, *edit);
        let (next, next_facts) = (monorepo.write(), slow::facts(&monorepo));
        write(&sandbox, &written, &next);
        let next_prints = fingerprints(&sandbox);
        let (expect, found) = (changed(&facts, &next_facts), changed(&prints, &next_prints));
        let differ: Vec<_> = expect.symmetric_difference(&found).collect();
        prop_assert!(differ.is_empty(), "{:?} should change {:?} and changes {:?}", edit, expect, found);
        let count = if found.is_empty() {
            &seen.none
        } else if found.len() < facts.len() {
            &seen.some
        } else {
            &seen.all
        };
        count.set(count.get() + 1);
        (written, facts, prints) = (next, next_facts, next_prints);
    }
    Ok(())
}

/// A failure is shrunk in so many steps, each of which runs the program some times.
const SHRINKS: u32 = 50;

/// So many monorepos with so many edits each.
fn edits_change_what_they_reach(kinds: &'static [Kind], monorepos: u32, edits: usize) {
    let seen = Seen::default();
    let edit = (0..KINDS, 0..60_usize, 0..60_usize);
    let strategy = (monorepo(kinds), proptest::collection::vec(edit, edits));
    check_and_shrink(monorepos, SHRINKS, &strategy, |(monorepo, edits)| follow(&monorepo, &edits, &seen));
    let counts = [seen.none.get(), seen.some.get(), seen.all.get()];
    let total = monorepos * edits as u32;
    assert!(counts[0] > total / 10 && counts[1] > total / 4, "too few edits say anything: {counts:?}");
}

#[test]
fn an_edit_changes_exactly_the_images_that_it_reaches() {
    edits_change_what_they_reach(&[Kind::Files, Kind::Script], 12, 30);
}

/// Cargo is asked anew after each edit, which takes its time.
#[test]
fn an_edit_of_packages_changes_exactly_the_images_that_it_reaches() {
    edits_change_what_they_reach(&[Kind::Cargo, Kind::Cargo, Kind::Files], 4, 16);
}
