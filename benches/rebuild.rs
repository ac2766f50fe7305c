//! What a rebuild costs, in monorepos of 10 components in 3 images and of 100 in 20, beside `docker buildx bake` in the same run;
//! and what a plan costs, of 1000 in 200 and of 10 000 in 2000.
//!
//! ```text
//! cargo bench --bench rebuild [-- --check] [-- --rounds 3] [-- --only 10/3,100/20,1000/200,10000/2000] [-- --folder DIR]
//! ```
//!
//! `benches/monorepo/` says what is in a monorepo. It is generated below `target/`, or in the folder of `--folder`, and used again.
//!
//! | measured | is |
//! |---|---|
//! | docker buildx bake | the bake file of the same images; where there is no buildx, the line says so |
//! | one request per image | the same Dockerfiles by `POST /build?version=2`, four at a time, each with the files that it copies and no others: what a careful script does where there is no buildx |
//! | groupage, docker | the whole program, `build --engine docker` |
//! | groupage, native | the whole program, `build --engine native` |
//! | everything new | every program has other bytes than ever before |
//! | one changed | one program has, which is in two images where an image is not large enough for all |
//! | nothing changed | right after that, with nothing touched |
//! | context | bytes that travelled, as each of them says itself |
//!
//! Rounds of all of them alternate, another one begins each time, and what was written is on the disk before the clock starts.
//! Figures are medians, ratios are those of medians. Images and layouts that were made are removed at the end; BuildKit keeps its
//! cache as it pleases.
//!
//! Plans are those of the whole program, text and JSON, with everything remembered that it remembers; the memory is the most
//! that a process holds which does the same. There, programs have a hole behind their head ([`monorepo::Size::sparse`]), and
//! at 10 000 components the files beside them are left out: no plan looks at them. `--program-size` makes programs smaller.
//!
//! With `--check` the exit code is 1 when a target is missed. Those that compare with bake are told only where it is.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads its arguments and the clock")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

#[path = "rebuild/builders.rs"]
mod builders;
#[path = "rebuild/builds.rs"]
mod builds;
#[path = "rebuild/daemon.rs"]
mod daemon;
#[path = "monorepo/mod.rs"]
mod monorepo;
#[path = "rebuild/plans.rs"]
mod plans;
#[path = "rebuild/requests.rs"]
mod requests;
#[path = "rebuild/targets.rs"]
mod targets;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use monorepo::{Monorepo, Size};
use targets::Targets;

/// Those that are built; the second one has targets.
const BUILT: [Size; 2] = [Size::built(10, 3, 4), Size::built(100, 20, 7)];
/// Those that are planned only.
const PLANNED: [Size; 2] = [Size::planned(1000, 200, 200), Size::planned(10_000, 2000, 0)];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|argument| argument == plans::MEASURE_MEMORY) {
        return plans::measure_memory();
    }
    let value = |word: &str| arguments.iter().position(|own| own == word).and_then(|at| arguments.get(at + 1));
    let rounds = value("--rounds").and_then(|text| text.parse().ok()).unwrap_or(3);
    let folder = value("--folder").map_or(env!("CARGO_TARGET_TMPDIR"), String::as_str);
    // programs run in other folders
    let folder = std::path::absolute(PathBuf::from(folder)).unwrap();
    let is_asked = |size: &Size| value("--only").is_none_or(|only| only.split(',').any(|name| name == size.name()));
    let mut targets = Targets::default();
    for size in BUILT.into_iter().filter(is_asked) {
        builds::run(&Monorepo::new(&folder, size), rounds, &mut targets);
    }
    let smaller = value("--program-size").and_then(|text| text.parse().ok());
    let planned = PLANNED.map(|size| Size { program: smaller.unwrap_or(size.program), ..size });
    plans::run(&folder, &planned.into_iter().filter(is_asked).collect::<Vec<_>>(), rounds, &mut targets);
    let good = targets.tell();
    if good || !arguments.iter().any(|word| word == "--check") { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn median<T: Copy + PartialOrd>(mut all: Vec<T>) -> T {
    all.sort_by(|a, b| a.partial_cmp(b).unwrap());
    all[all.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
