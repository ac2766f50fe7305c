//! How long `migrate scan` takes over a tree in which nothing is retired.
//!
//! ```text
//! cargo bench --bench migrate [-- --check] [-- --rounds 9] [-- --megabytes 400] [-- --disk /dev/shm]
//! ```
//!
//! | measured | is |
//! |---|---|
//! | floor | the same files listed and read, by as many threads, each into one buffer |
//! | scan | the same, each looked through for the names of the shipped ledger |
//! | rg | `rg -F -f names -c` over the same tree, when ripgrep is installed; it starts a process, and so does not compare exactly |
//!
//! Rounds alternate; each figure is a median, each ratio the median of the ratios of the rounds. Targets: at most 3 times the
//! floor, and 500 MB/s on two cores. With `--check` the exit code is 1 when the ratio is missed.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads its arguments and the clock")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use groupage::diagnostic::Problems;
use groupage::manifest::LedgerFile;
use groupage::migrate::ledger::{At, Builder, Ledger};
use groupage::migrate::scan::{MAX_FILE, Scanner, is_binary, is_skipped_folder};
use groupage::source::{SourceFile, SourceMap};
use groupage::workspace::{in_parallel, list_texts, read_text, threads};

const TARGET_RATIO: f64 = 3.0;
/// Bytes of each file.
const FILE: usize = 64 << 10;

fn main() -> ExitCode {
    let number = |name: &str, otherwise| argument(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (rounds, megabytes) = (number("--rounds", 9), number("--megabytes", 400));
    let disk: PathBuf = argument("--disk").map_or(env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let folder = tempfile::tempdir_in(disk).unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap().to_owned();
    tree(&root, (megabytes << 20) / FILE);
    let ledger = ledger();
    let names = root.with_extension("names");
    fs::write(&names, last_parts(&ledger)).unwrap();
    let (mut floors, mut scans, mut greps) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        floors.push(timed(|| assert!(read(&root) > 0)));
        scans.push(timed(|| assert_eq!(scan(&root, &ledger), 0)));
        greps.extend(has_ripgrep().then(|| timed(|| grep(&root, &names))));
    }
    fs::remove_file(&names).unwrap();
    let ratio = median_ratio(&scans, &floors);
    let rate = |times: &[Duration]| megabytes as f64 / median(times).as_secs_f64();
    println!("{} threads, {megabytes} MB in files of {} KB\n", threads(), FILE >> 10);
    println!("floor {:8.1} ms {:8.0} MB/s", millis(&floors), rate(&floors));
    println!(
        "scan  {:8.1} ms {:8.0} MB/s   {ratio:.2} times the floor (target {TARGET_RATIO})",
        millis(&scans),
        rate(&scans)
    );
    if greps.is_empty() {
        println!("rg    not installed");
    } else {
        println!(
            "rg    {:8.1} ms {:8.0} MB/s   scan takes {:.2} of it",
            millis(&greps),
            rate(&greps),
            median_ratio(&scans, &greps)
        );
    }
    let missed = ratio > TARGET_RATIO && std::env::args().any(|argument| argument == "--check");
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn argument(name: &str) -> Option<String> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1).cloned()
}

/// Files that look like those of a chart repository.
fn tree(root: &Utf8Path, count: usize) {
    let text = "      containers:\n      - name: server\n        image: registry.example/team/server:v1.2.3\n        command: [\"/server\"]\n";
    let bytes: Vec<u8> = text.bytes().cycle().take(FILE).collect();
    let all: Vec<usize> = (0..count).collect();
    in_parallel(&all, |index| {
        let folder = root.join(format!("charts/c{}", index / 100));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("f{index}.yaml")), &bytes).unwrap();
    });
}

fn ledger() -> Ledger {
    let mut map = SourceMap::default();
    let id = map.add(SourceFile::new("ledger.toml", include_str!("../examples/ledgers/five-systems.toml")));
    Builder::default().file(&LedgerFile::parse(id, map.file(id), &mut Problems::default()).unwrap()).finish()
}

fn last_parts(ledger: &Ledger) -> String {
    let names = ledger.entries.iter().flat_map(|entry| &entry.names);
    names.map(|name| format!("{}\n", name.last())).collect()
}

fn files(root: &Utf8Path) -> Vec<Utf8PathBuf> {
    list_texts(&[root.to_owned()], is_skipped_folder).files
}

fn read(root: &Utf8Path) -> usize {
    let length = |path: &Utf8PathBuf| {
        read_text(path, MAX_FILE, |_| true, |bytes| bytes.map_or(0, <[u8]>::len)).unwrap().unwrap_or_default()
    };
    in_parallel(&files(root), length).into_iter().sum()
}

fn scan(root: &Utf8Path, ledger: &Ledger) -> usize {
    let scanner = Scanner::new(ledger, At::default(), Vec::new());
    let found = |path: &Utf8PathBuf| {
        let work = |bytes: Result<&[u8], u64>| scanner.scan(path.as_str(), bytes.unwrap()).unwrap().len();
        read_text(path, MAX_FILE, |head| !is_binary(head), work).unwrap().unwrap_or_default()
    };
    in_parallel(&files(root), found).into_iter().sum()
}

fn has_ripgrep() -> bool {
    Command::new("rg").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn grep(root: &Utf8Path, names: &Utf8Path) {
    let status =
        Command::new("rg").args(["-F", "-c", "-f", names.as_str(), root.as_str()]).stdout(Stdio::null()).status();
    assert_eq!(status.unwrap().code(), Some(1), "nothing is found");
}

fn timed(work: impl FnOnce()) -> Duration {
    let before = Instant::now();
    work();
    before.elapsed()
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

fn millis(times: &[Duration]) -> f64 {
    median(times).as_secs_f64() * 1e3
}

fn median_ratio(some: &[Duration], others: &[Duration]) -> f64 {
    let mut ratios: Vec<f64> = some.iter().zip(others).map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()).collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}
