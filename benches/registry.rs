//! How long the registry client takes, as a ratio to plain HTTP in the same run: five layers of 40 MB, pushed to and pulled
//! from Debian's `docker-registry` on loopback.
//!
//! ```text
//! cargo bench --profile dev --bench registry [-- --check] [-- --rounds 15]
//! ```
//!
//! `dev` is how the tool runs in a workspace. The floor is hand-written HTTP/1.1, on one thread and connection per blob, at
//! the work that nobody can leave out: for a push POST and PUT of the file, for a pull GET, SHA-256 and a file, because what is
//! kept has to be compared with its name. A pull without SHA-256 is told besides. The client does the same, looks for each
//! blob first, and brings configuration, manifest and tag. Rounds alternate; medians count. With `--check` the exit code
//! is 1 when a ratio is above the target.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures time and chooses its exit code")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic, its helpers too")]

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../tests/engine/support/registry.rs"]
mod registry;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use groupage::engine::registry::{Blob, PushImage, PushRequest, Registry, RegistryOptions};
use groupage::engine::store::Store;
use groupage::engine::{Events, block_on};
use groupage::oci::{Compression, DiffId, Digest, Hasher, Image, ImageConfiguration, Layer};

use registry::LocalRegistry;

/// The client may take so much more than the floor.
const TARGET: f64 = 1.1;
const BLOBS: u8 = 5;
const BLOB_SIZE: usize = 40_000_000;

/// What all rounds have in common.
struct Setting {
    address: SocketAddr,
    folder: Utf8PathBuf,
    image: Image,
    blobs: Vec<Blob>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds =
        arguments.iter().position(|word| word == "--rounds").and_then(|at| arguments.get(at + 1)?.parse().ok());
    let folder = tempfile::tempdir().unwrap();
    let Some(local) = LocalRegistry::start() else { return ExitCode::SUCCESS };
    let setting = Setting::new(&local, Utf8Path::from_path(folder.path()).unwrap());
    let good = setting.compare(rounds.unwrap_or(9));
    if good || !arguments.iter().any(|word| word == "--check") { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Setting {
    fn new(local: &LocalRegistry, folder: &Utf8Path) -> Self {
        let blobs: Vec<Blob> = (0..BLOBS).map(|number| blob(folder, number)).collect();
        let layers = blobs.iter().map(|blob| Layer {
            digest: blob.digest.clone(),
            size: blob.size,
            compression: Compression::Gzip,
            diff_id: DiffId(blob.digest.clone()),
        });
        let config: ImageConfiguration = serde_json::from_value(serde_json::json!({
            "os": "linux", "architecture": "amd64", "rootfs": { "type": "layers", "diff_ids": [] },
        }))
        .unwrap();
        let image = Image::new("linux/amd64".parse().unwrap(), config, layers.collect());
        Self { address: local.address(), folder: folder.to_owned(), image, blobs }
    }

    /// All rounds; true when the targets are met.
    fn compare(&self, rounds: usize) -> bool {
        let (mut pushes, mut pulls) = (Times::default(), Times::default());
        // the first round warms up; who comes first changes
        for round in 0..=rounds {
            for who in order(round, [Who::Floor, Who::Client]) {
                let repository = format!("r{round}-{who:?}").to_lowercase();
                let time = match who {
                    Who::Client => self.push(&repository),
                    _ => self.floor_push(&repository),
                };
                pushes.add(round, who, time);
            }
            let (repository, into) = (format!("r{round}-client"), self.folder.join("pulled"));
            for who in order(round, [Who::Floor, Who::Client, Who::Unverified]) {
                let time = match who {
                    Who::Client => self.pull(&repository, &into),
                    _ => self.floor_pull(&repository, &into, who == Who::Floor),
                };
                std::fs::remove_dir_all(&into).unwrap();
                pulls.add(round, who, time);
            }
        }
        let good = [pushes.tell("push", rounds), pulls.tell("pull", rounds)];
        println!("      a pull that compares no digests: {:.0} ms", pulls.median(Who::Unverified) * 1000.0);
        good.into_iter().all(|good| good)
    }

    fn push(&self, repository: &str) -> Duration {
        let client = Registry::new(RegistryOptions::default());
        let Image { manifest, config, .. } = self.image.clone();
        let request = PushRequest {
            image: "bench".into(),
            target: format!("{}/{repository}:1", self.address).parse().unwrap(),
            images: vec![PushImage { manifest, config, blobs: self.blobs.clone() }],
            index: None,
            tags: Vec::new(),
        };
        let begin = Instant::now();
        let pushed = block_on(client.push(&request, &Events::nowhere())).unwrap().unwrap();
        let time = begin.elapsed();
        assert_eq!(pushed.sent_blobs, u64::from(BLOBS) + 1);
        time
    }

    fn pull(&self, repository: &str, into: &Utf8Path) -> Duration {
        let client = Registry::new(RegistryOptions::default());
        let store = Store::open(into).unwrap();
        let reference = format!("{}/{repository}:1", self.address).parse().unwrap();
        let platform = "linux/amd64".parse().unwrap();
        let begin = Instant::now();
        let fetched = block_on(client.fetch(&reference, &platform, &store, &Events::nowhere())).unwrap().unwrap();
        let time = begin.elapsed();
        assert_eq!(fetched.layers.len(), usize::from(BLOBS));
        time
    }

    fn floor_push(&self, repository: &str) -> Duration {
        self.on_threads(|blob, stream| {
            let path = format!("/v2/{repository}/blobs/uploads/");
            write!(&*stream, "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n", self.address).unwrap();
            let (status, headers, _) = answer(stream);
            assert_eq!(status, 202);
            let location = headers.iter().find_map(|line| line.strip_prefix("Location: ")).unwrap();
            let path = location.split_once("//").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap();
            let head = format!(
                "PUT {path}&digest={} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\
                 Content-Type: application/octet-stream\r\n\r\n",
                blob.digest, self.address, blob.size
            );
            (&*stream).write_all(head.as_bytes()).unwrap();
            std::io::copy(&mut File::open(&blob.path).unwrap(), &mut &*stream).unwrap();
            assert_eq!(answer(stream).0, 201);
        })
    }

    fn floor_pull(&self, repository: &str, into: &Utf8Path, verified: bool) -> Duration {
        std::fs::create_dir(into).unwrap();
        self.on_threads(|blob, stream| {
            let path = format!("/v2/{repository}/blobs/{}", blob.digest);
            write!(&*stream, "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address).unwrap();
            let (status, _, first) = answer(stream);
            assert_eq!(status, 200);
            let mut file = File::create(into.join(blob.digest.hex())).unwrap();
            let (mut hasher, mut left) = (Hasher::default(), blob.size as usize);
            let mut keep = |bytes: &[u8]| {
                file.write_all(bytes).unwrap();
                if verified {
                    hasher.update(bytes);
                }
            };
            keep(&first);
            left -= first.len();
            let mut piece = vec![0; 256 * 1024];
            while left > 0 {
                let most = piece.len().min(left);
                let read = (&*stream).read(&mut piece[..most]).unwrap();
                assert!(read > 0);
                keep(&piece[..read]);
                left -= read;
            }
            assert!(!verified || hasher.finish().0 == blob.digest);
        })
    }

    /// One thread and one connection for each blob.
    fn on_threads(&self, work: impl Fn(&Blob, &TcpStream) + Sync) -> Duration {
        let begin = Instant::now();
        std::thread::scope(|scope| {
            for blob in &self.blobs {
                let work = &work;
                scope.spawn(move || work(blob, &TcpStream::connect(self.address).unwrap()));
            }
        });
        begin.elapsed()
    }
}

/// Status, headers, and what of the body was read with them.
fn answer(stream: &TcpStream) -> (u16, Vec<String>, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
    (status, lines, reader.buffer().to_vec())
}

/// Bytes that look random and are the same in every run.
fn blob(folder: &Utf8Path, number: u8) -> Blob {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(number);
    let piece: Vec<u8> = (0..BLOB_SIZE / 8)
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect();
    let path = folder.join(format!("blob-{number}"));
    std::fs::write(&path, &piece).unwrap();
    Blob { digest: Digest::of(&piece), size: piece.len() as u64, path, mount_from: None }
}

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Floor,
    Client,
    Unverified,
}

/// Each of them, another one first in each round.
fn order<const N: usize>(round: usize, mut all: [Who; N]) -> [Who; N] {
    all.rotate_left(round % N);
    all
}

/// What each of them took.
#[derive(Default)]
struct Times {
    all: BTreeMap<Who, Vec<Duration>>,
}

impl Times {
    fn add(&mut self, round: usize, who: Who, time: Duration) {
        if round > 0 {
            self.all.entry(who).or_default().push(time);
        }
    }

    /// In seconds.
    fn median(&self, who: Who) -> f64 {
        let mut times = self.all.get(&who).cloned().unwrap_or_default();
        times.sort();
        times.get(times.len() / 2).map_or(f64::NAN, Duration::as_secs_f64)
    }

    fn tell(&self, what: &str, rounds: usize) -> bool {
        let (floor, client) = (self.median(Who::Floor), self.median(Who::Client));
        let ratio = client / floor;
        let verdict = if ratio <= TARGET { "within" } else { "above" };
        println!(
            "{what}: floor {:.0} ms, client {:.0} ms, ratio {ratio:.2} ({verdict} {TARGET}; medians of {rounds} rounds)",
            floor * 1000.0,
            client * 1000.0
        );
        ratio <= TARGET
    }
}
