//! What nobody can do without: read the bytes, hash them, write them; compressed, where that is asked for.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use groupage::engine::native::{GZIP_LEVEL, ZSTD_LEVEL};
use groupage::oci::{Compression, Hasher};

use crate::payload::Payload;

const CHUNK: usize = 256 * 1024;

/// As many threads as there are cores.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How long it takes for all files, into a new folder.
pub fn run(payload: &Payload, compression: Compression) -> Duration {
    let folder = payload.scratch();
    let next = AtomicUsize::new(0);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let work = || {
            while let Some(path) = payload.files.get(next.fetch_add(1, Ordering::Relaxed)) {
                one(path, &folder.join(path.file_name().unwrap()), compression).unwrap();
            }
        };
        for _ in 0..threads() {
            scope.spawn(work);
        }
    });
    begin.elapsed()
}

fn one(from: &Path, to: &Path, compression: Compression) -> io::Result<()> {
    let out = BufWriter::with_capacity(CHUNK, File::create(to)?);
    match compression {
        Compression::None => copy(from, out).map(drop),
        Compression::Gzip => {
            let encoder = flate2::write::GzEncoder::new(out, flate2::Compression::new(GZIP_LEVEL));
            copy(from, encoder)?.finish()?.flush()
        }
        Compression::Zstd => {
            let encoder = zstd::Encoder::new(out, ZSTD_LEVEL)?;
            copy(from, encoder)?.finish()?.flush()
        }
    }
}

/// Every byte once: read, hashed, passed on.
fn copy<W: Write>(from: &Path, mut out: W) -> io::Result<W> {
    let (mut file, mut hasher, mut chunk) = (File::open(from)?, Hasher::default(), vec![0; CHUNK]);
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        hasher.update(&chunk[..count]);
        out.write_all(&chunk[..count])?;
    }
    std::hint::black_box(hasher.finish());
    out.flush()?;
    Ok(out)
}
