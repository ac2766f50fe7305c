//! What `plan` costs: time and memory of the whole process, with everything remembered that it remembers.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::{CommandFactory as _, FromArgMatches as _};
use groupage::cli::{Arguments, execute};

use crate::builders::groupage;
use crate::monorepo::{Monorepo, Size};
use crate::targets::Targets;
use crate::{median, millis};

/// In a process of its own: runs the program in this process and prints the most memory that was held.
pub const MEASURE_MEMORY: &str = "--measure-memory";

/// Planning is fast, so that it has more rounds than building.
const TIMES: usize = 5;

/// The words of a plan, and what they are called.
const PLANS: [(&str, &[&str]); 2] = [("plan", &["plan"]), ("plan --format json", &["plan", "--format", "json"])];

const MOST_TIME: f64 = 60.0;
const MOST_MEMORY: f64 = 60.0;
/// Of the larger one to the smaller one.
const MOST_GROWTH: f64 = 10.0;

/// Milliseconds, and megabytes.
type Figures = [(f64, f64); PLANS.len()];

pub fn run(folder: &Path, sizes: &[Size], rounds: usize, targets: &mut Targets) {
    if sizes.is_empty() {
        return;
    }
    let rounds = rounds * TIMES;
    let monorepos: Vec<Monorepo> = sizes.iter().map(|size| Monorepo::new(folder, *size)).collect();
    println!("\nplans; medians of {rounds} rounds                time     memory");
    let mut all = Vec::new();
    for monorepo in &monorepos {
        let figures = measure(monorepo, rounds);
        for ((name, _), (time, memory)) in PLANS.iter().zip(figures) {
            println!("  {:<11} {name:<26} {time:>8.1} ms {memory:>6.1} MB", monorepo.size.name());
        }
        all.push(figures);
    }
    for ((name, _), (time, memory)) in PLANS.iter().zip(all[0]).take(1) {
        targets.at_most(format!("{}, {name}: milliseconds", sizes[0].name()), time, MOST_TIME);
        targets.at_most(format!("{}, {name}: MB", sizes[0].name()), memory, MOST_MEMORY);
    }
    if let [small, large] = all.as_slice() {
        for (index, (name, _)) in PLANS.iter().enumerate() {
            let growth = large[index].0 / small[index].0;
            println!("  {} takes {growth:.1} times as long: {name}", sizes[1].name());
            targets.at_most(format!("{name}: {} to {}", sizes[1].name(), sizes[0].name()), growth, MOST_GROWTH);
        }
    }
}

fn measure(monorepo: &Monorepo, rounds: usize) -> Figures {
    PLANS.map(|(_, words)| {
        // once without counting: files come into memory, hashes are remembered
        time(monorepo, words);
        let time = median((0..rounds).map(|_| millis(time(monorepo, words))).collect());
        (time, memory(monorepo, words))
    })
}

fn time(monorepo: &Monorepo, words: &[&str]) -> Duration {
    let mut command = groupage();
    command.args(words).current_dir(&monorepo.root).stdout(Stdio::null());
    let begin = Instant::now();
    let status = command.status().unwrap();
    let time = begin.elapsed();
    assert!(status.success(), "{command:?}");
    time
}

/// In megabytes of 1024 × 1024 bytes.
fn memory(monorepo: &Monorepo, words: &[&str]) -> f64 {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(MEASURE_MEMORY).args(words).current_dir(&monorepo.root).env_remove("CI");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let kilobytes = text.lines().rev().find_map(|line| line.strip_prefix("VmHWM:")).expect("it was printed");
    kilobytes.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap() / 1024.0
}

/// Runs the program in this process, with the arguments behind the first; then prints what the kernel knows of its memory.
pub fn measure_memory() -> ExitCode {
    let words = ["xtask".to_owned()].into_iter().chain(std::env::args().skip(2));
    let matches = Arguments::command().get_matches_from(words);
    let arguments = Arguments::from_arg_matches(&matches).expect("they are the arguments of the program");
    let code = execute(&arguments.command, &arguments.global);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM:")).unwrap());
    code
}
