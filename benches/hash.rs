//! How long it takes to list and hash the files of a workspace, with nothing remembered and with everything.
//!
//! ```text
//! cargo bench --profile dev --bench hash [-- --check] [-- --rounds 11] [-- --disk /dev/shm]
//! ```
//!
//! `dev` is how the tool runs in a workspace; `cargo bench --bench hash` measures our own code optimised as well.
//!
//! | measured | is |
//! |---|---|
//! | floor | the same bytes, in memory, hashed with SHA-256 by the CPU's own instructions, by as many threads as there are cores; each file by itself |
//! | bare | the floor, with each file opened, read, looked at and closed, by its known path: what is left for small files when nothing is walked, compared or remembered |
//! | cold | [`read_tree`] with nothing remembered: walked, looked at, opened, read from the kernel's cache, hashed, and the memory written |
//! | warm | the same with everything remembered: the memory opened and checked, every file looked at, none opened; its floor reads the same folders and looks at the same files, by as many threads |
//!
//! Rounds of floor and cold alternate, so that a busy machine slows both; each figure is a median, each ratio the median of the
//! ratios of the rounds. Targets: cold at least 80 % of the rate of the floor for large files; 200,000 files warm in at most
//! 200 ms. With `--check` the exit code is 1 when one is missed.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads its arguments and the clock")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use groupage::source::{SourceFile, SourceMap, Span};
use groupage::workspace::{Memory, Want, in_parallel, read_tree, threads};
use sha2::{Digest as _, Sha256};

const ROUNDS: usize = 7;
/// How much is read at a time.
const BUFFER: usize = 256 * 1024;
const TARGET_RATE: f64 = 0.8;
const TARGET_WARM: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let rounds = argument("--rounds").and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    println!("{} threads\n", threads());
    println!(
        "cold                            floor        bare        cold    rate   (target {:.0} %)",
        TARGET_RATE * 100.0
    );
    let mut good = cold("300 files of 4 MB", 1, &[(300, 4 << 20)], rounds, true);
    // what a plan of the monorepo of `benches/rebuild.rs` reads: a program and its configuration
    good &= cold("60 components: what a plan reads", 60, &[(1, 4 << 20), (1, 60)], rounds, true);
    cold("60 components: all, 200 sources", 60, &[(1, 4 << 20), (1, 60), (200, 2 << 10)], rounds, false);
    cold("1 folder, 20,000 files of 2 KB", 1, &[(20_000, 2 << 10)], rounds, false);
    cold("100 folders of 200 files of 2 KB", 100, &[(200, 2 << 10)], rounds, false);
    println!("\nwarm                            floor        warm   ratio   (target {:.0} ms)", millis(TARGET_WARM));
    warm("3,000 files in 15 folders", 15, &[(200, 100)], rounds);
    good &= warm("200,000 files in 1,000 folders", 1_000, &[(200, 100)], rounds) <= TARGET_WARM;
    if good || !std::env::args().any(|argument| argument == "--check") { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn argument(name: &str) -> Option<String> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1).cloned()
}

/// The files of each folder: how many of how many bytes.
type Sizes = [(usize, usize)];

/// A workspace with such files in so many folders, all of them old enough to be remembered.
struct Files {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    contents: Vec<Vec<u8>>,
    paths: Vec<PathBuf>,
}

impl Files {
    fn new(folders: usize, sizes: &Sizes, keep: bool) -> Self {
        let disk: PathBuf = argument("--disk").map_or(env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
        let folder = tempfile::tempdir_in(disk).unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let each: Vec<usize> = (0..folders).collect();
        let contents = in_parallel(&each, |folder| {
            let path = root.join(format!("components/c{folder}/src"));
            fs::create_dir_all(&path).unwrap();
            let (mut contents, mut paths) = (Vec::new(), Vec::new());
            let each = sizes.iter().flat_map(|(count, size)| std::iter::repeat_n(*size, *count));
            for (index, size) in each.enumerate() {
                let mut content = vec![index as u8; size];
                content[..8].copy_from_slice(&((folder << 32 | index) as u64).to_le_bytes());
                let file = path.join(format!("file_{index}.rs"));
                fs::write(&file, &content).unwrap();
                if keep {
                    contents.push(content);
                    paths.push(file.into_std_path_buf());
                }
            }
            (contents, paths)
        });
        let (contents, paths): (Vec<_>, Vec<_>) = contents.into_iter().unzip();
        let (contents, paths) = (contents.into_iter().flatten().collect(), paths.into_iter().flatten().collect());
        Self { _folder: folder, root, contents, paths }
    }

    fn floor(&self) -> Duration {
        let chunks: Vec<&[Vec<u8>]> = self.contents.chunks(16).collect();
        let begin = Instant::now();
        in_parallel(&chunks, |chunk| {
            chunk.iter().for_each(|bytes| _ = std::hint::black_box(groupage::oci::Digest::of(bytes)))
        });
        begin.elapsed()
    }

    /// What nobody can do without who reads every file.
    fn bare(&self) -> Duration {
        let chunks: Vec<&[PathBuf]> = self.paths.chunks(16).collect();
        let begin = Instant::now();
        in_parallel(&chunks, |chunk| {
            let mut buffer = vec![0; BUFFER];
            chunk.iter().for_each(|path| _ = std::hint::black_box(read_bare(path, &mut buffer)));
        });
        begin.elapsed()
    }

    /// What nobody can do without who looks at every file.
    fn look(&self) -> Duration {
        let begin = Instant::now();
        let folders = fs::read_dir(self.root.join("components")).unwrap();
        let folders: Vec<PathBuf> = folders.map(|entry| entry.unwrap().path().join("src")).collect();
        let size = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().metadata().unwrap().len();
        let sizes = in_parallel(&folders, |folder| fs::read_dir(folder).unwrap().map(size).sum::<u64>());
        std::hint::black_box(sizes);
        begin.elapsed()
    }

    /// Whether the memory was written, too.
    fn read(&self) -> (Duration, bool) {
        let place = Span::new(SourceMap::default().add(SourceFile::new("x", "")), 0..0);
        let folder = |entry: fs::DirEntry| format!("components/{}", entry.file_name().to_str().unwrap()).into();
        let folders = fs::read_dir(self.root.join("components")).unwrap().map(|entry| folder(entry.unwrap()));
        let wants: Vec<Want> =
            folders.map(|path| Want { path, exclude: Vec::new(), place, required: true, context: None }).collect();
        let begin = Instant::now();
        let memory = Memory::open(&self.root);
        let tree = read_tree(&self.root, &wants, &memory).unwrap();
        let was_written = memory.save();
        let time = begin.elapsed();
        drop(tree);
        (time, was_written)
    }
}

/// True when the target is met.
fn cold(what: &str, folders: usize, sizes: &Sizes, rounds: usize, is_aim: bool) -> bool {
    let files = Files::new(folders, sizes, true);
    let round = |_| {
        let (floor, bare) = (files.floor(), files.bare());
        _ = fs::remove_dir_all(files.root.join("target"));
        (floor, (bare, files.read().0))
    };
    round(0);
    let times: Vec<(Duration, (Duration, Duration))> = (0..rounds).map(round).collect();
    let mut rates: Vec<f64> = times.iter().map(|(floor, (_, cold))| floor.as_secs_f64() / cold.as_secs_f64()).collect();
    rates.sort_by(f64::total_cmp);
    let rate = rates[rates.len() / 2];
    let (floor, (bare, cold)): (Vec<_>, (Vec<_>, Vec<_>)) = times.into_iter().unzip();
    println!(
        "{what:32} {:>7.1} ms {:>8.1} ms {:>8.1} ms {:>5.0} %",
        millis(median(floor)),
        millis(median(bare)),
        millis(median(cold)),
        rate * 100.0
    );
    !is_aim || rate >= TARGET_RATE
}

fn warm(what: &str, folders: usize, sizes: &Sizes, rounds: usize) -> Duration {
    let files = Files::new(folders, sizes, false);
    // until the last file is old enough to be remembered
    let made = Instant::now();
    while files.read().1 || made.elapsed() < Duration::from_secs(1) {}
    let (floor, times): (Vec<_>, Vec<_>) = (0..rounds).map(|_| (files.look(), files.read().0)).unzip();
    let mut ratios: Vec<f64> =
        times.iter().zip(&floor).map(|(time, floor)| time.as_secs_f64() / floor.as_secs_f64()).collect();
    ratios.sort_by(f64::total_cmp);
    let (floor, time) = (median(floor), median(times));
    println!("{what:32} {:>7.1} ms {:>8.1} ms {:>6.2}", millis(floor), millis(time), ratios[ratios.len() / 2]);
    time
}

/// As [`read_tree`] reads a file, and nothing else.
fn read_bare(path: &Path, buffer: &mut [u8]) -> u64 {
    let mut file = fs::File::open(path).unwrap();
    let mut hasher = Sha256::new();
    let mut size = 0;
    loop {
        let count = file.read(buffer).unwrap();
        hasher.update(&buffer[..count]);
        size += count as u64;
        if count < buffer.len() {
            break;
        }
    }
    std::hint::black_box(hasher.finalize());
    assert_eq!(file.metadata().unwrap().len(), size);
    size
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
