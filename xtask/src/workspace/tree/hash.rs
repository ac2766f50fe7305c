//! Hashes the files that the memory does not know, in batches of about the same size.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};

use camino::Utf8PathBuf;
use sha2::{Digest as _, Sha256};

use super::super::seen::{Clock, Stat};
use super::{AllFound, FoundFile, FoundKind, Known, Reader, Want, in_parallel, unreadable};

/// How much is read at a time: large enough that system calls do not count, small enough for the processor's cache.
const CHUNK: usize = 256 * 1024;
/// Bytes of a batch, as far as it holds more than one file.
const BATCH: u64 = 1 << 20;
/// Files of a batch.
const BATCH_FILES: usize = 64;
/// How often a file is read that changes while it is read.
const ATTEMPTS: usize = 3;

/// A file to be hashed, wanted once or several times.
struct Job {
    path: Utf8PathBuf,
    file: FoundFile,
    /// Positions of the want, and in what was found for it.
    places: Vec<(usize, usize)>,
}

/// What was read.
#[derive(Clone, Copy)]
struct Hashed {
    known: Known,
    mode: u32,
}

/// Fills in the hashes that are not known, and keeps them in the memory.
pub(super) fn hash_unknown(reader: Reader<'_>, wants: &[&Want], all: &mut AllFound) {
    let jobs = jobs(wants, all);
    if jobs.is_empty() {
        return;
    }
    // before anything is read: see `Clock`
    let clock = reader.memory.clock();
    let batches = batches(&jobs);
    let done = in_parallel(&batches, |batch| {
        let mut buffer = vec![0; batch_buffer(batch)];
        let one = |job: &&Job| hash(reader, job, clock.as_ref(), &mut buffer);
        batch.iter().map(one).collect::<Vec<_>>()
    });
    let mut fresh = Vec::new();
    let mut failed: BTreeMap<usize, (usize, io::Error)> = BTreeMap::new();
    for (job, result) in batches.iter().flatten().zip(done.into_iter().flatten()) {
        match result {
            Ok(hashed) => {
                fill(job, &hashed, all);
                let folder = job.path.parent().map(ToString::to_string).unwrap_or_default();
                fresh.push((folder, job.path.file_name().unwrap_or_default().to_owned(), hashed.known));
            }
            Err(error) => {
                for (want, place) in &job.places {
                    let first = failed.get(want).is_none_or(|(known, _)| place < known);
                    if first {
                        failed.insert(*want, (*place, io::Error::new(error.kind(), error.to_string())));
                    }
                }
            }
        }
    }
    for (want, (place, error)) in failed {
        let path =
            all[want].as_ref().ok().and_then(Option::as_ref).map(|found| wants[want].path.join(&found[place].below));
        all[want] = Err(unreadable(&path.unwrap_or_default(), &error));
    }
    reader.memory.keep(fresh);
}

fn jobs(wants: &[&Want], all: &AllFound) -> Vec<Job> {
    let mut jobs: BTreeMap<Utf8PathBuf, Job> = BTreeMap::new();
    for (position, found) in all.iter().enumerate() {
        let Ok(Some(found)) = found else { continue };
        for (place, found) in found.iter().enumerate() {
            let FoundKind::File { file, known: None } = &found.kind else { continue };
            let mut path = wants[position].path.clone();
            if !found.below.as_str().is_empty() {
                path.push(&found.below);
            }
            let job = || Job { path: path.clone(), file: *file, places: Vec::new() };
            jobs.entry(path.clone()).or_insert_with(job).places.push((position, place));
        }
    }
    let mut jobs: Vec<Job> = jobs.into_values().collect();
    // the largest first: the last one to end decides how long it takes
    jobs.sort_by_key(|job| std::cmp::Reverse(job.file.size));
    jobs
}

fn batches(jobs: &[Job]) -> Vec<Vec<&Job>> {
    let mut batches: Vec<Vec<&Job>> = Vec::new();
    let mut bytes = u64::MAX;
    for job in jobs {
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_FILES && bytes.saturating_add(job.file.size) <= BATCH => {
                batch.push(job);
                bytes += job.file.size;
            }
            _ => {
                batches.push(vec![job]);
                bytes = job.file.size;
            }
        }
    }
    batches
}

/// No more room than the largest file of a batch needs.
fn batch_buffer(batch: &[&Job]) -> usize {
    let largest = batch.iter().map(|job| job.file.size).max().unwrap_or_default();
    usize::try_from(largest).map_or(CHUNK, |largest| largest.clamp(4096, CHUNK))
}

fn fill(job: &Job, hashed: &Hashed, all: &mut AllFound) {
    for (want, place) in &job.places {
        if let Ok(Some(found)) = &mut all[*want]
            && let FoundKind::File { file, known } = &mut found[*place].kind
        {
            (file.mode, *known) = (hashed.mode, Some(hashed.known));
        }
    }
}

/// Reads a file until it stays the same from before to after. One that never does counts as it was read the last time, and is
/// not remembered.
fn hash(reader: Reader<'_>, job: &Job, clock: Option<&Clock>, buffer: &mut [u8]) -> io::Result<Hashed> {
    let path = reader.root.join(&job.path);
    let mut before = job.file;
    let mut attempt = 1;
    loop {
        let mut file = open(&path, job.file.is_named)?;
        let (hash, size) = read(&mut file, before.size, buffer).map_err(|error| named(&path, &error))?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file any more"));
        }
        let after = FoundFile::of(&metadata, job.file.is_named);
        let is_same = after.stat.is_some() && after.stat == before.stat && size == after.size;
        if is_same || after.stat.is_none() || attempt == ATTEMPTS {
            // without a stat of its own a file is still known by its size, and never remembered
            let nothing = Stat { device: 0, inode: 0, size, modified: (0, 0), changed: (0, 0) };
            let stat = after.stat.filter(|_| is_same).unwrap_or(nothing);
            let is_settled = is_same && clock.is_some_and(|clock| clock.is_clearly_after(&stat));
            return Ok(Hashed { known: Known { stat, hash, is_settled }, mode: after.mode });
        }
        before = after;
        attempt += 1;
    }
}

fn named(path: &camino::Utf8Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("failed to read from file `{path}`: {error}"))
}

/// A file, and nothing that has been put into its place since.
fn open(path: &camino::Utf8Path, follows_links: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // a pipe that was put there must not be waited for
        let no_wait = rustix::fs::OFlags::NONBLOCK;
        let flags = if follows_links { no_wait } else { no_wait | rustix::fs::OFlags::NOFOLLOW };
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options
        .open(path)
        .map_err(|error| io::Error::new(error.kind(), format!("failed to open file `{path}`: {error}")))?;
    Ok(file)
}

/// The hash of a file and how long it is. One that is as long as it is expected to be is read in as few calls as can be:
/// whoever calls looks at it again.
fn read(file: &mut File, expected: u64, buffer: &mut [u8]) -> io::Result<([u8; 32], u64)> {
    let mut hasher = Sha256::new();
    let mut size = 0;
    loop {
        match file.read(buffer) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(&buffer[..count]);
                size += count as u64;
                if size == expected {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((hasher.finalize().into(), size))
}
