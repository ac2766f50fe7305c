//! How long it takes to judge 10,000 references: found in texts, classified, and judged in an environment.
//!
//! ```text
//! cargo bench --bench references [-- --check]
//! ```
//!
//! The floor is one search of the same texts for the byte `:`. Target: 10,000 references in at most 0.5 s. With `--check` the exit
//! code is 1 when it is missed.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads its arguments and the clock")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use groupage::diagnostic::Problems;
use groupage::manifest::{Manifests, Settings};
use groupage::policy::{Judge, Policy, Search};
use groupage::source::{SourceFile, SourceMap};

const TARGET: Duration = Duration::from_millis(500);
const REFERENCES: usize = 10_000;
const FILES: usize = 100;
const ROUNDS: usize = 7;

const SETTINGS: &str = r#"
schema = 1
[references]
release = ["registry.k8s.io/**", "ghcr.io/example/**"]
staging = ["gcr.io/k8s-staging-*/**", "us-central1-docker.pkg.dev/k8s-staging-images/**", "**:*-g[0-9a-f]*", "**:{commit}"]
local = ["localhost/**", "localhost:*/**"]
third-party = ["docker.io/**"]
known-registries = ["registry.k8s.io", "ghcr.io", "gcr.io", "docker.io"]
[environments.release]
classes = ["release", "third-party"]
tags = "immutable"
pre-release = "deny"
protected = true
"#;

fn main() -> ExitCode {
    let (mut map, mut problems) = (SourceMap::default(), Problems::default());
    let id = map.add(SourceFile::new("groupage.toml", SETTINGS));
    let settings = Settings::parse(id, map.file(id), &mut problems).unwrap();
    let policy = Policy::new(&Manifests { settings, ..Manifests::default() }).unwrap();
    // lines without references between them, as in golden files
    let filler = "    - name: example\n      value: \"a: b\"\n      # registry.k8s.io/commented:1\n".repeat(10);
    let one = |n: usize| format!("      image: registry.k8s.io/team/app-{n}:v1.{n}.0\n{filler}");
    let texts: Vec<String> =
        (0..FILES).map(|file| (0..REFERENCES / FILES).map(|n| one(file * 100 + n)).collect()).collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let (mut floors, mut times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let colons: usize = texts.iter().map(|text| text.matches(':').count()).sum();
        floors.push(begin.elapsed());
        assert!(colons > REFERENCES);
        let begin = Instant::now();
        let search = Search::new(&policy).unwrap();
        let judge = Judge { policy: &policy, environment: policy.environment("release").ok(), day: None };
        let found: Vec<_> = texts.iter().flat_map(|text| search.find("golden.yaml", text)).collect();
        let objections: usize = found.iter().map(|found| judge.objections(&found.reference).len()).sum();
        times.push(begin.elapsed());
        assert_eq!((found.len(), objections), (REFERENCES, 0));
    }
    floors.sort();
    times.sort();
    let (floor, time) = (floors[ROUNDS / 2], times[ROUNDS / 2]);
    let rate = bytes as f64 / time.as_secs_f64() / 1e6;
    println!(
        "{REFERENCES} references in {:.1} MB: {time:.1?} ({rate:.0} MB/s, floor {floor:.1?}; target {TARGET:.0?})",
        bytes as f64 / 1e6
    );
    let is_missed = time > TARGET && std::env::args().any(|argument| argument == "--check");
    if is_missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
