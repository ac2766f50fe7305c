//! A case is a folder with a small workspace and a transcript of a whole interaction with it: what is typed, how it ends,
//! what it prints, which files it writes. Everything is compared exactly; `UPDATE_EXPECT=1` writes it anew.
//!
//! ```text
//! # Why this case is here.
//! % ln -s ../elsewhere link          (preparation: must succeed, prints nothing)
//! $ groupage generate                (an interaction: what follows is compared)
//! -- exit 0
//! -- stderr
//!     wrote images/app/Dockerfile
//! -- wrote images/app/Dockerfile
//!     FROM scratch
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::sandbox::{Sandbox, Seen, snapshot};

/// The transcript of a case.
pub const FILE: &str = "expected.txt";

/// All cases of a shelf: folders of `tests/<shelf>` that hold a transcript.
pub fn cases(shelf: &str) -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(shelf);
    let entries = fs::read_dir(&top).expect("the shelf exists");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("it is listed").path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    cases
}

/// Plays every case of a shelf and compares; all that differ are shown at once. `CASE=word` plays those with the word in
/// their name.
pub fn check_shelf(shelf: &str) {
    let only = std::env::var("CASE").unwrap_or_default();
    let cases: Vec<PathBuf> = cases(shelf).into_iter().filter(|case| name(case).contains(&only)).collect();
    assert!(!cases.is_empty(), "no case of tests/{shelf} has `{only}` in its name");
    let (queue, failures) = (Mutex::new(cases), Mutex::new(BTreeMap::new()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(case) = { queue.lock().expect("no test panics in here").pop() } {
                    if let Err(failure) = check(&case) {
                        failures.lock().expect("no test panics in here").insert(case, failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("all threads are done");
    let shown: String = failures.iter().map(|(case, text)| format!("\n== {}\n{text}", name(case))).collect();
    assert!(shown.is_empty(), "{shown}\nUPDATE_EXPECT=1 writes the transcripts anew");
}

fn name(case: &Path) -> String {
    case.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn check(case: &Path) -> Result<(), String> {
    let path = case.join(FILE);
    let expected = fs::read_to_string(&path).map_err(|error| format!("{FILE}: {error}"))?;
    let actual = play(case, &expected)?;
    if actual == expected {
        return Ok(());
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return fs::write(&path, actual).map_err(|error| error.to_string());
    }
    Err(difference(&expected, &actual))
}

/// Types what the transcript types, and writes down what happens.
fn play(case: &Path, transcript: &str) -> Result<String, String> {
    let sandbox = Sandbox::copy_of(case);
    let mut text = String::new();
    let mut interacted = false;
    for line in transcript.lines().filter(|line| line.starts_with(['#', '%', '$'])) {
        if std::mem::take(&mut interacted) {
            text.push('\n');
        }
        if line.starts_with('#') {
            _ = writeln!(text, "{line}");
        } else if let Some(preparation) = line.strip_prefix("% ") {
            _ = writeln!(text, "{line}");
            let ended = sandbox.shell(preparation);
            if ended.code != Some(0) {
                return Err(format!("{line}\n{}", ended.stderr));
            }
        } else if let Some(typed) = line.strip_prefix("$ ") {
            _ = writeln!(text, "{line}");
            interact(&sandbox, typed, &mut text);
            interacted = true;
        }
    }
    Ok(text)
}

/// What is remembered from run to run is no output: it holds times, and cargo keeps notes of its own where it finds a
/// `target`.
const REMEMBERED: [&str; 3] =
    ["target/groupage/hashes", "target/groupage/cargo-metadata.json", "target/.rustc_info.json"];

fn outputs(sandbox: &Sandbox) -> BTreeMap<PathBuf, Seen> {
    let mut all = snapshot(sandbox.root());
    all.retain(|path, _| !REMEMBERED.iter().any(|remembered| path == Path::new(remembered)));
    all
}

fn interact(sandbox: &Sandbox, typed: &str, text: &mut String) {
    let before = outputs(sandbox);
    let ended = sandbox.shell(typed);
    match ended.code {
        Some(code) => _ = writeln!(text, "-- exit {code}"),
        None => text.push_str("-- killed\n"),
    }
    block(text, "stdout", &ended.stdout);
    block(text, "stderr", &ended.stderr);
    let after = outputs(sandbox);
    for (path, seen) in after.iter().filter(|(path, seen)| before.get(*path) != Some(*seen)) {
        let path = path.display();
        match seen {
            Seen::Link(target) => _ = writeln!(text, "-- linked {path} to {}", target.display()),
            Seen::File { bytes, executable } => {
                let mark = if *executable { " (executable)" } else { "" };
                block_of_file(text, &format!("wrote {path}{mark}"), bytes);
            }
        }
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        _ = writeln!(text, "-- removed {}", path.display());
    }
}

fn block_of_file(text: &mut String, title: &str, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok("") => _ = writeln!(text, "-- {title}: empty"),
        Ok(content) => block(text, title, content),
        Err(_) => _ = writeln!(text, "-- {title}: {} bytes that are not UTF-8", bytes.len()),
    }
}

/// A titled block, indented, so that no content can look like a title; nothing when there is no content.
fn block(text: &mut String, title: &str, content: &str) {
    if content.is_empty() {
        return;
    }
    let end = if content.ends_with('\n') { "" } else { ", without a line break at its end" };
    _ = writeln!(text, "-- {title}{end}");
    for line in content.split_inclusive('\n') {
        let line = line.strip_suffix('\n').unwrap_or(line).replace('\r', "\\r");
        let indent = if line.is_empty() { "" } else { "    " };
        _ = writeln!(text, "{indent}{line}");
    }
}

/// The lines that differ, with some around them.
fn difference(expected: &str, actual: &str) -> String {
    const AROUND: usize = 3;
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let mut text = format!("{FILE}:{}\n", head + 1);
    old[head.saturating_sub(AROUND)..head].iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    old[head..old.len() - tail].iter().for_each(|line| text.push_str(&format!("- {line}\n")));
    new[head..new.len() - tail].iter().for_each(|line| text.push_str(&format!("+ {line}\n")));
    let after = old.len() - tail;
    old[after..(after + AROUND).min(old.len())].iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    text
}
