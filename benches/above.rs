//! How long it takes to put two published images together, layer by layer: 100 MB in all, from OCI layouts and from Debian's
//! `docker-registry` on loopback, with nothing remembered.
//!
//! ```text
//! cargo bench --profile dev --bench above [-- --check] [-- --rounds 9]
//! ```
//!
//! `dev` is how the tool runs in a workspace. Measured is the whole program, from start to exit, with the check of the result: it
//! reads manifests and documents, brings the layers into its store, hashes them in both forms, lists them, compares what the two
//! images give, looks at the programs and writes the layout. The floor is `skopeo copy` of the same two images from the same
//! place into a folder, which moves the same bytes and compares their digests. Rounds alternate; medians count. With `--check` the
//! exit code is 1 when either takes more than 2 s.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures time and chooses its exit code")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic, its helpers too")]

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../tests/engine/support/published.rs"]
mod published;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../tests/engine/support/registry.rs"]
mod registry;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use groupage::oci::sample::{Entry, Numbers};
use groupage::verify::sample::Program;
use published::{Stored, layer, program, publish};
use registry::LocalRegistry;
use serde_json::json;

const TARGET: Duration = Duration::from_secs(2);
const ROUNDS: usize = 7;
/// Files of each layer, and their size: three layers of 32 MB, and what is in them besides.
const FILES: u64 = 8;
const SIZE: usize = 4 << 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds =
        arguments.iter().position(|word| word == "--rounds").and_then(|at| arguments.get(at + 1)?.parse().ok());
    let rounds = rounds.unwrap_or(ROUNDS);
    let folder = tempfile::tempdir().unwrap();
    let Some(registry) = LocalRegistry::start() else { return ExitCode::SUCCESS };
    if Command::new("skopeo").arg("--version").output().is_err() {
        println!("skipped: no skopeo");
        return ExitCode::SUCCESS;
    }
    let base = content("base", 0);
    let (one, two) = (content("one", 1), content("two", 2));
    let bytes: u64 = [&base, &one, &two].iter().map(|stored| stored.layer.size).sum();
    println!(
        "two images on one base: {} MB as they are stored, {} MB of files",
        bytes >> 20,
        (3 * FILES as usize * SIZE) >> 20
    );
    for (name, layers) in [("base", vec![base.clone()]), ("one", vec![base.clone(), one]), ("two", vec![base, two])] {
        let path = folder.path().join(name);
        publish(&path, &layers, &json!({ "Entrypoint": [format!("/usr/bin/{name}")] }));
        copy(&format!("oci:{}", path.display()), &remote(&registry, name));
    }
    let local = |name: &str| format!("oci:{}", folder.path().join(name).display());
    let mut good = compare("OCI layouts", folder.path(), &local, rounds);
    good &= compare("registry", folder.path(), &|name| remote(&registry, name), rounds);
    if good || !arguments.iter().any(|word| word == "--check") { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A program and files that compress to a half, as programs do.
fn content(name: &str, seed: u64) -> Stored {
    let mut numbers = Numbers(seed);
    let mut entries = vec![
        Entry::folder("usr"),
        Entry::folder("usr/bin"),
        Entry::folder("opt"),
        Entry::folder(&format!("opt/{name}")),
    ];
    entries.push(program(&format!("usr/bin/{name}"), Program::ending_with(0).bytes()));
    for file in 0..FILES {
        let mut content = Vec::with_capacity(SIZE);
        while content.len() < SIZE {
            content.extend((0..2048).flat_map(|_| numbers.next().to_le_bytes()));
            content.extend([file as u8; 16 << 10]);
        }
        entries.push(Entry { content, ..Entry::file(&format!("opt/{name}/{file}"), "") });
    }
    layer(&entries)
}

fn remote(registry: &LocalRegistry, name: &str) -> String {
    format!("docker://{}/published/{name}:1", registry.name())
}

fn copy(from: &str, to: &str) {
    let mut copy = Command::new("skopeo");
    copy.args(["--insecure-policy", "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false", from, to]);
    assert!(copy.stdout(Stdio::null()).status().unwrap().success(), "{from} to {to}");
}

/// Whether the target is met.
fn compare(title: &str, folder: &Path, source: &dyn Fn(&str) -> String, rounds: usize) -> bool {
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let target = folder.join(format!("copies-{title}-{round}").replace(' ', "-"));
        fs::create_dir_all(&target).unwrap();
        let begin = Instant::now();
        for name in ["one", "two"] {
            copy(&source(name), &format!("oci:{}:tag", target.join(name).display()));
        }
        floors.push(begin.elapsed());
        fs::remove_dir_all(&target).unwrap();
        ours.push(build(source));
    }
    let ratios = floors.iter().zip(&ours).map(|(floor, own)| own.as_secs_f64() / floor.as_secs_f64());
    let ratio = median(ratios.collect());
    let (floor, own) = (median(floors), median(ours));
    let verdict = if own <= TARGET { "good" } else { "MISSED" };
    println!(
        "{title:12} skopeo copy {floor:7.0?}   merged {own:7.0?}   ratio {ratio:.2}   target {TARGET:?}: {verdict}"
    );
    own <= TARGET
}

/// The whole program in a new workspace.
fn build(source: &dyn Fn(&str) -> String) -> Duration {
    let workspace = tempfile::tempdir().unwrap();
    let write = |path: &str, text: String| {
        let path = workspace.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "groupage.toml",
        format!("schema = 1\n[bases]\nbase = \"{}\"\n[registry]\ndefault = \"localhost/bench\"\n", source("base")),
    );
    for name in ["one", "two"] {
        write(
            &format!("components/{name}/component.toml"),
            format!(
                "schema = 1\nname = \"{name}\"\nowner = \"@bench\"\nversion = \"1.0.0\"\n[build.image]\nimage = \"{}\"\n\
                 take = \"above-base\"\n[roles.{name}]\ncommand = [\"/usr/bin/{name}\"]\nuser = \"65532:65532\"\n",
                source(name)
            ),
        );
    }
    let image = "schema = 1\nname = \"both\"\nversion = \"1.0.0\"\nbase = \"base\"\nplatforms = [\"linux/amd64\"]\ndefault-role = \"one\"\n";
    write("images/both/image.toml", format!("{image}[components]\none = {{}}\ntwo = {{}}\n"));
    let mut build = Command::new(env!("CARGO_BIN_EXE_xtask"));
    build.args(["build", "both", "--engine", "native", "--progress", "quiet"]).current_dir(workspace.path());
    build.env("DOCKER_HOST", "unix:///nonexistent.sock").env_remove("CARGO_TARGET_DIR").stdout(Stdio::null());
    let begin = Instant::now();
    assert!(build.status().unwrap().success());
    begin.elapsed()
}

fn median<T: PartialOrd + Copy>(mut all: Vec<T>) -> T {
    all.sort_by(|a, b| a.partial_cmp(b).unwrap());
    all[all.len() / 2]
}
