//! Random bytes through everything that reads what strangers write: no panic, and what is said of it must hold.
//!
//! The inputs are the same on every machine: pieces of real files, cut, joined and changed by a generator with a fixed seed.
//! `GROUPAGE_FUZZ_SECONDS=60` goes on for so long with each target. A new target is a line in [`TARGETS`].

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

#[path = "migrate/ledgers.rs"]
#[allow(dead_code, reason = "shared with another test")]
mod ledgers;

use std::time::{Duration, Instant};

use groupage::dockerfile::{Dockerfile, Edit, evaluate, rewrite};
use groupage::migrate::edit::apply;
use groupage::migrate::ledger::{At, Ledger, Written};
use groupage::migrate::scan::{Finding, Scanner};
use groupage::oci::{Reference, mention_around};

/// Something that reads.
type Target = fn(&State, &[u8]);

/// All targets, by name.
const TARGETS: &[(&str, &[&str], Target)] = &[
    ("reference", &SEEDS, reference),
    ("scanner", &SEEDS, scanner),
    ("written name", &SEEDS, written),
    ("dockerfile", DOCKERFILES, dockerfile),
];

/// Inputs of each target when nothing is said of time.
const ROUNDS: u64 = 3_000;

/// Real pieces that random ones are made of.
const SEEDS: [&str; 7] = [
    include_str!("cases/migrate/container/deployment.yaml"),
    include_str!("cases/migrate/helm-values/values.yaml"),
    include_str!("cases/migrate/config-map/fs-restore-action-config.yaml"),
    include_str!("cases/migrate/json/pod.json"),
    include_str!("cases/migrate/shell/mirror.sh"),
    include_str!("cases/migrate/kustomize/kustomization.yaml"),
    "registry.io:5000/a/b_c/d--e:v1.2.3-rc.1_x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
];

/// The same for readers of Dockerfiles.
const DOCKERFILES: &[&str] = &[
    include_str!("dockerfiles/19-continuations/Dockerfile"),
    include_str!("dockerfiles/22-carriage-returns/Dockerfile"),
    include_str!("dockerfiles/26-escape-backtick/Dockerfile"),
    include_str!("dockerfiles/32-heredoc-copy/Dockerfile"),
    include_str!("dockerfiles/33-heredoc-several/Dockerfile"),
    include_str!("dockerfiles/35-arg-scopes/Dockerfile"),
    include_str!("dockerfiles/44-modifiers-new/Dockerfile"),
    include_str!("dockerfiles/46-expose/Dockerfile"),
    include_str!("dockerfiles/52-stop-and-health/Dockerfile"),
    include_str!("dockerfiles/55-onbuild/Dockerfile"),
    include_str!("dockerfiles/60-copy-flags/Dockerfile"),
    include_str!("dockerfiles/65-run-security/Dockerfile"),
    include_str!("dockerfiles/78-stage-names/Dockerfile"),
];

/// What targets share.
struct State {
    ledger: Ledger,
}

/// [SplitMix64](https://prng.di.unimi.it/splitmix64.c).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }

    /// A few pieces of the seeds, with some bytes changed.
    fn input(&mut self, seeds: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..=self.below(4) {
            let seed = seeds[self.below(seeds.len())].as_bytes();
            let start = self.below(seed.len());
            bytes.extend_from_slice(&seed[start..seed.len().min(start + self.below(400))]);
        }
        for _ in 0..self.below(8) {
            let at = self.below(bytes.len());
            match (self.below(3), bytes.get_mut(at)) {
                (0, Some(byte)) => *byte = self.next().to_le_bytes()[0],
                (1, Some(_)) => _ = bytes.remove(at),
                _ => bytes.insert(at.min(bytes.len()), b"\n\t :-#\"'{}[]@/$%"[self.below(16)]),
            }
        }
        bytes
    }
}

#[test]
fn no_input_panics() {
    let state = State { ledger: ledgers::five_systems() };
    let seconds =
        std::env::var("GROUPAGE_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    for (name, seeds, target) in TARGETS {
        let (mut random, before, mut rounds) = (Random(1), Instant::now(), 0);
        while seconds.map_or(rounds < ROUNDS, |seconds| before.elapsed() < seconds) {
            let input = random.input(seeds);
            let result = std::panic::catch_unwind(|| target(&state, &input));
            assert!(result.is_ok(), "{name}, round {rounds}: {:?}", String::from_utf8_lossy(&input));
            rounds += 1;
        }
        println!("{name}: {rounds} inputs");
    }
}

fn reference(_: &State, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for word in text.split_whitespace() {
        if let Ok(reference) = word.parse::<Reference>() {
            assert_eq!(reference.to_string(), word);
        }
    }
    for (at, _) in text.char_indices().step_by(7) {
        if let Some(mention) = mention_around(&text, at) {
            assert_eq!(mention.reference.to_string(), text[mention.range]);
        }
    }
}

fn scanner(state: &State, bytes: &[u8]) {
    let scanner = Scanner::new(&state.ledger, At::default(), Vec::new());
    for path in ["a.yaml", "a.json", "Dockerfile", "a.md", "a.toml", "kustomization.yaml"] {
        let findings = scanner.scan(path, bytes).expect("it is small");
        apply(bytes, findings.iter().flat_map(Finding::edits)).expect("edits fit together");
    }
}

fn written(state: &State, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for word in text.split_whitespace() {
        state.ledger.find(&Written::parse(word), &At::default());
        state.ledger.find(&Written::below(word), &At::default());
        _ = word.parse::<At>();
        _ = word.parse::<groupage::manifest::ImagePattern>();
    }
}

/// Whatever can be read prints back, and stays readable with other names for its variables and stages.
fn dockerfile(_: &State, bytes: &[u8]) {
    // most pieces begin in the middle of a line; lines that are refused are taken out, so that the rest is reached
    let lines = String::from_utf8_lossy(bytes);
    let mut text = format!("FROM scratch AS first\n#{lines}");
    for _ in 0..20 {
        let file = match Dockerfile::parse(&text) {
            Ok(file) => file,
            Err(errors) => {
                let at = errors.last().expect("there is one").span.start;
                let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
                let end = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
                text.replace_range(start..end, "");
                continue;
            }
        };
        let (mut pieces, mut parts) = (0, 0);
        for piece in file.pieces() {
            assert_eq!(piece.span.start, pieces);
            pieces = piece.span.end;
        }
        for part in file.parts() {
            assert_eq!(part.span.start, parts);
            parts = part.span.end;
        }
        assert_eq!((pieces, parts), (text.len(), text.len()));
        for stage in file.stages() {
            for error in
                evaluate(&file, Some(&stage.index.to_string()), &Default::default()).err().into_iter().flatten()
            {
                assert!(text.get(error.span.range()).is_some(), "{error}");
            }
        }
        let stages = file.stage_uses().into_iter().map(|at| at.span);
        let variables = file.variable_uses().into_iter().map(|at| at.span);
        let longer = |span| Edit { span, text: format!("{}9", span.of(&text)) };
        let edits: Vec<Edit> = stages.chain(variables).map(longer).collect();
        let longer = rewrite(&file, &edits).expect("places do not overlap");
        assert_eq!(longer.len(), text.len() + edits.len());
        assert_eq!(rewrite(&file, &[]).as_ref(), Ok(&text));
        return;
    }
}
