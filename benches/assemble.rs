//! How long an image of five static binaries (40 MB in all) takes, beside a floor that is measured in the same run.
//!
//! ```text
//! cargo bench --profile dev --bench assemble [-- --others] [-- --check] [-- --rounds 21] [-- --disk /dev/shm]
//! ```
//!
//! `dev` is how the tool runs in a workspace; what hashes and compresses is optimised there as well.
//!
//! | measured | is |
//! |---|---|
//! | floor | the bytes are read, hashed with SHA-256 by the CPU's own instructions, and written, by as many threads as there are cores; for gzip and zstd they are compressed on the way, by the same libraries at the same levels |
//! | engine | the native engine in this process, from a plan to the whole layout, in a folder that does not exist yet |
//! | process | the whole program, from start to exit, with nothing remembered: it reads manifests and plans, too, for which it hashes files of the workspace once more |
//! | unchanged | both of them again, with everything there |
//! | memory | the most that such a process holds, for 40 MB, for 160 MB, and for one file of 1 GB |
//! | others | with `--others`: other programs that are on this machine |
//!
//! Rounds of floor and engine alternate, so that a busy machine slows both; each figure is a median, each ratio the median of
//! the ratios of the rounds. Targets, for the engine: anew at most 1.25 × the floor, unchanged at most 20 ms, memory below
//! 64 MB whatever the size. With `--check` the exit code is 1 when one is missed.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads its arguments and the clock")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

#[path = "assemble/engine.rs"]
mod engine;
#[path = "assemble/floor.rs"]
mod floor;
#[path = "assemble/others.rs"]
mod others;
#[path = "assemble/ours.rs"]
mod ours;
#[path = "assemble/payload.rs"]
mod payload;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use groupage::oci::Compression;

use ours::Workspace;
use payload::Payload;

/// Rounds, for what is fast; what compresses has a third of them.
const ROUNDS: usize = 15;

const TARGET_RATIO: f64 = 1.25;
const TARGET_UNCHANGED: Duration = Duration::from_millis(20);
const TARGET_MEMORY: u64 = 64 << 20;

/// In a process of its own: runs the program in this process and prints the most memory that was held.
const MEASURE_MEMORY: &str = "--measure-memory";

const ALL: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|argument| argument == MEASURE_MEMORY) {
        return ours::measure_memory();
    }
    let asked = |word: &str| arguments.iter().position(|argument| argument == word);
    let rounds = asked("--rounds").and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(ROUNDS);
    let payload = Payload::new(5, 8 << 20);
    println!("five files of 8 MB, {} threads, {}\n", floor::threads(), hash_speed());
    let mut good = anew(&payload, rounds);
    good &= unchanged(&payload, rounds);
    good &= memory();
    if asked("--others").is_some() {
        println!();
        others::tell(&payload);
    }
    if good || asked("--check").is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Where everything is written.
fn disk() -> PathBuf {
    let arguments: Vec<String> = std::env::args().collect();
    let asked = arguments.iter().position(|argument| argument == "--disk").and_then(|at| arguments.get(at + 1));
    asked.map_or(env!("CARGO_TARGET_TMPDIR"), String::as_str).into()
}

/// Floor, engine and process in turns; true when the target is met.
fn anew(payload: &Payload, rounds: usize) -> bool {
    println!("anew          floor     engine  ratio    process  ratio   (target for the engine {TARGET_RATIO})");
    let workspace = Workspace::new(payload);
    let planned = workspace.planned();
    let mut good = true;
    for compression in ALL {
        let rounds = if compression == Compression::None { rounds } else { rounds.div_ceil(3) };
        let round = |_| {
            let floor = floor::run(payload, compression);
            [floor, planned.anew(payload, compression), workspace.assemble_anew(compression)]
        };
        // once without counting: files come into memory, programs too
        round(0);
        let times: Vec<[Duration; 3]> = (0..rounds).map(round).collect();
        let of = |who: usize| millis(median(times.iter().map(|times| times[who]).collect()));
        let ratio = |who: usize| {
            let mut ratios: Vec<f64> =
                times.iter().map(|times| times[who].as_secs_f64() / times[0].as_secs_f64()).collect();
            ratios.sort_by(f64::total_cmp);
            ratios[ratios.len() / 2]
        };
        let name = compression.name();
        println!("{name:9} {:>7.1} ms {:>7.1} ms {:>6.2} {:>7.1} ms {:>6.2}", of(0), of(1), ratio(1), of(2), ratio(2));
        good &= ratio(1) <= TARGET_RATIO;
    }
    good
}

/// With everything there; true when the target is met.
fn unchanged(payload: &Payload, rounds: usize) -> bool {
    let workspace = Workspace::new(payload);
    let planned = workspace.planned();
    let folder = tempfile::tempdir_in(disk()).unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let round = |_| (planned.build(folder, Compression::None), workspace.assemble(Compression::None));
    round(0);
    let (engine, process): (Vec<_>, Vec<_>) = (0..rounds).map(round).unzip();
    let (engine, process) = (median(engine), median(process));
    println!(
        "\nunchanged            {:>7.1} ms        {:>7.1} ms          (target for the engine {:.0} ms)",
        millis(engine),
        millis(process),
        millis(TARGET_UNCHANGED)
    );
    engine <= TARGET_UNCHANGED
}

/// In processes of their own; true when the target is met.
fn memory() -> bool {
    let mut good = true;
    let target = TARGET_MEMORY >> 20;
    println!("\nmemory of the process, at most       none      gzip      zstd   (target {target} MB)");
    for (what, payload) in [
        ("five files of 8 MB", Payload::new(5, 8 << 20)),
        ("five files of 32 MB", Payload::new(5, 32 << 20)),
        ("one file of 1 GB, all zeros", Payload::sparse(1 << 30)),
    ] {
        let workspace = Workspace::new(&payload);
        let held = ALL.map(|compression| workspace.peak_memory(compression));
        good &= held.iter().all(|held| *held < TARGET_MEMORY);
        let [none, gzip, zstd] = held.map(|held| held as f64 / f64::from(1 << 20));
        println!("{what:30} {none:>7.1} MB {gzip:>6.1} MB {zstd:>6.1} MB");
    }
    good
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Whether the CPU's instructions are used shows in the speed.
fn hash_speed() -> String {
    let bytes = vec![7; 32 << 20];
    let begin = Instant::now();
    std::hint::black_box(groupage::oci::Digest::of(&bytes));
    format!("SHA-256 with {:.1} GB/s per thread", bytes.len() as f64 / begin.elapsed().as_secs_f64() / 1e9)
}
