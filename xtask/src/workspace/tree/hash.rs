//! Hashes the files that the memory does not know: small ones at the first look, others in batches of about the same size.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use super::super::inside::{self, Links};
use super::super::seen::{Clock, Stat};
use super::{AllFound, FoundFile, FoundKind, Known, Reader, Want, in_parallel, unreadable};

/// How much is read at a time: large enough that system calls do not count, small enough for the processor's cache.
const CHUNK: usize = 256 * 1024;
/// Bytes of a batch, as far as it holds more than one file.
const BATCH: u64 = 1 << 20;
/// Files of a batch.
const BATCH_FILES: usize = 64;
/// A file of at most this size, in bytes, is hashed at the first look.
const SMALL: usize = 64 * 1024;
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

/// What came of a first look at a file.
enum Looked {
    Done(io::Result<Hashed>),
    /// It is large, or young.
    Later(FoundFile),
}

/// Fills in the hashes that are not known, and keeps them in the memory.
pub(super) fn hash_unknown(reader: Reader<'_>, wants: &[&Want], all: &mut AllFound) {
    let mut jobs = jobs(wants, all);
    if jobs.is_empty() {
        return;
    }
    // before anything is read: see `Clock`
    let clock = reader.memory.clock();
    let done = hash_all(reader, &mut jobs, clock.as_ref());
    let mut fresh = Vec::with_capacity(jobs.len());
    let mut failed: BTreeMap<usize, (usize, io::Error)> = BTreeMap::new();
    for (job, result) in jobs.iter().zip(done) {
        match result.unwrap_or_else(|| Err(io::ErrorKind::Other.into())) {
            Ok(hashed) => {
                fill(job, &hashed, all);
                let folder = job.path.parent().map_or("", Utf8Path::as_str);
                fresh.push((folder, job.path.file_name().unwrap_or_default(), hashed.known));
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
    let mut unknown: Vec<(Utf8PathBuf, FoundFile, (usize, usize))> = Vec::new();
    for (position, found) in all.iter().enumerate() {
        let Ok(Some(found)) = found else { continue };
        for (place, found) in found.iter().enumerate() {
            if let FoundKind::File { file, known: None } = &found.kind {
                unknown.push((below(&wants[position].path, &found.below), *file, (position, place)));
            }
        }
    }
    // as text: thousands of paths of one folder are told apart by their ends
    unknown.sort_by(|(a, ..), (b, ..)| a.as_str().cmp(b.as_str()));
    let mut jobs: Vec<Job> = Vec::with_capacity(unknown.len());
    for (path, file, place) in unknown {
        match jobs.last_mut().filter(|job| job.path.as_str() == path.as_str()) {
            Some(job) => job.places.push(place),
            None => jobs.push(Job { path, file, places: vec![place] }),
        }
    }
    jobs
}

/// The path of what was found; a file that is itself wanted has nothing behind it.
fn below(top: &Utf8Path, below: &Utf8Path) -> Utf8PathBuf {
    if below.as_str().is_empty() { top.to_owned() } else { top.join(below) }
}

/// The hashes of all files, in their order.
fn hash_all(reader: Reader<'_>, jobs: &mut [Job], clock: Option<&Clock>) -> Vec<Option<io::Result<Hashed>>> {
    let mut results = Vec::with_capacity(jobs.len());
    let mut later = Vec::new();
    let looked = first_looks(reader, jobs, clock);
    for (position, (job, looked)) in jobs.iter_mut().zip(looked).enumerate() {
        results.push(match looked {
            Looked::Done(result) => Some(result),
            Looked::Later(file) => {
                job.file = file;
                later.push(position);
                None
            }
        });
    }
    // the largest first: the last one to end decides how long it takes
    later.sort_by_key(|position| std::cmp::Reverse(jobs[*position].file.size));
    let batches = batches(&later, jobs);
    let done = in_parallel(&batches, |batch| {
        let mut buffer = vec![0; batch_buffer(batch, jobs)];
        // what was young when the first one was read may be old enough by now: large files take their time
        let stats = || batch.iter().filter_map(|position| jobs[*position].file.stat);
        let is_young = |clock: &&Clock| stats().any(|stat| !clock.is_clearly_after(&stat));
        let later = clock.filter(is_young).and_then(|_| reader.memory.clock());
        let clock = later.as_ref().or(clock);
        batch.iter().map(|position| hash(reader, &jobs[*position], clock, &mut buffer)).collect::<Vec<_>>()
    });
    for (position, result) in later.into_iter().zip(done.into_iter().flatten()) {
        results[position] = Some(result);
    }
    results
}

/// Hashes files that nobody has looked at before, in as few system calls as can be.
fn first_looks(reader: Reader<'_>, jobs: &[Job], clock: Option<&Clock>) -> Vec<Looked> {
    if jobs.iter().all(|job| job.file.is_seen) {
        return jobs.iter().map(|job| Looked::Later(job.file)).collect();
    }
    let batches: Vec<&[Job]> = jobs.chunks(BATCH_FILES).collect();
    let done = in_parallel(&batches, |batch| {
        let mut buffer = vec![0; SMALL + 1];
        let one = |job: &Job| match job.file.is_seen {
            true => Looked::Later(job.file),
            false => first_look(reader, job, clock, &mut buffer).unwrap_or_else(|error| Looked::Done(Err(error))),
        };
        batch.iter().map(one).collect::<Vec<_>>()
    });
    done.into_iter().flatten().collect()
}

/// Whoever changes a file while it is read gives it the time at which that happens. So one that was clearly older than the
/// clock, which was read before, has not been changed; a look at it afterwards is enough.
fn first_look(reader: Reader<'_>, job: &Job, clock: Option<&Clock>, buffer: &mut [u8]) -> io::Result<Looked> {
    let path = reader.root.join(&job.path);
    let mut file = open(&path, Links::Refused)?;
    let count = fill_buffer(&mut file, buffer).map_err(|error| named(&path, &error))?;
    let file = looked_at(&file)?;
    let is_whole = count < buffer.len() && count as u64 == file.size;
    let settled = file.stat.filter(|stat| is_whole && clock.is_some_and(|clock| clock.is_clearly_after(stat)));
    let Some(stat) = settled else { return Ok(Looked::Later(file)) };
    let known = Known { stat, hash: Sha256::digest(&buffer[..count]).into(), is_settled: true };
    Ok(Looked::Done(Ok(Hashed { known, mode: file.mode })))
}

/// Reads until the end or until there is no more room. A regular file gives all of it at once, and less only at its end.
fn fill_buffer(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// What the file system says of an open file, which no link led to.
fn looked_at(file: &File) -> io::Result<FoundFile> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file any more"));
    }
    Ok(FoundFile::of(&metadata, false))
}

/// Positions of files that are hashed one after the other.
fn batches<'p>(positions: &'p [usize], jobs: &[Job]) -> Vec<&'p [usize]> {
    let mut batches = Vec::new();
    let mut rest = positions;
    while !rest.is_empty() {
        let mut bytes = 0_u64;
        let fits = |position: &&usize| {
            bytes = bytes.saturating_add(jobs[**position].file.size);
            bytes <= BATCH
        };
        let count = rest.iter().take(BATCH_FILES).take_while(fits).count().max(1);
        let (batch, others) = rest.split_at(count);
        batches.push(batch);
        rest = others;
    }
    batches
}

/// No more room than the largest file of a batch needs.
fn batch_buffer(batch: &[usize], jobs: &[Job]) -> usize {
    let largest = batch.iter().map(|position| jobs[*position].file.size).max().unwrap_or_default();
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
        let mut file = open(&path, if job.file.is_named { Links::Followed } else { Links::Refused })?;
        let (hash, size) = read(&mut file, before.size, buffer).map_err(|error| named(&path, &error))?;
        let after = looked_at(&file)?;
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

fn named(path: &Utf8Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("failed to read from file `{path}`: {error}"))
}

/// A file, and nothing that has been put into its place since.
fn open(path: &Utf8Path, links: Links) -> io::Result<File> {
    inside::open(path, links)
        .map_err(|error| io::Error::new(error.kind(), format!("failed to open file `{path}`: {error}")))
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::super::{Hash, IgnoreFiles, Inside, Memory};
    use super::*;

    /// What a first look says of a file that is `age` seconds older than the clock; nothing without a clock.
    fn look(root: &Utf8Path, name: &str, age: Option<i64>) -> io::Result<Option<Hash>> {
        let (ignore, inside, memory) = (IgnoreFiles::new(root), Inside::new(root), Memory::default());
        let reader = Reader { root, inside: &inside, ignore: &ignore, memory: &memory };
        let stat = Stat::of(&root.join(name).symlink_metadata()?).expect("this system has times of changes");
        let (seconds, nanoseconds) = stat.modified.max(stat.changed);
        let clock = age.map(|age| Clock::at(stat.device, (seconds + age, nanoseconds)));
        let job = Job { path: name.into(), file: FoundFile::LISTED, places: Vec::new() };
        match first_look(reader, &job, clock.as_ref(), &mut vec![0; SMALL + 1])? {
            Looked::Done(done) => done.map(|hashed| Some(hashed.known.hash)),
            Looked::Later(file) => {
                assert_eq!(file.stat, Some(stat), "{name}");
                Ok(None)
            }
        }
    }

    #[test]
    fn small_files_that_were_left_alone_are_hashed_at_the_first_look() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let check = |size: usize, age: Option<i64>, expect: bool| {
            let bytes = vec![7; size];
            fs::write(root.join("file"), &bytes).unwrap();
            let hash = expect.then(|| Sha256::digest(&bytes).into());
            assert_eq!(look(&root, "file", age).unwrap(), hash, "{size} bytes, {age:?}");
        };
        for size in [0, 1, 2048, SMALL] {
            check(size, Some(100), true);
        }
        check(SMALL + 1, Some(100), false);
        check(3 * SMALL, Some(100), false);
        // as old as the clock, younger, and of unknown age
        for age in [Some(0), Some(-100), None] {
            check(2048, age, false);
        }
    }

    #[test]
    fn what_was_put_in_the_place_of_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        fs::write(root.join("file"), "content").unwrap();
        symlink("file", root.join("link")).unwrap();
        fs::create_dir(root.join("folder")).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe").as_std_path(), mode).unwrap();
        assert!(look(&root, "file", Some(100)).unwrap().is_some());
        for name in ["link", "folder", "pipe"] {
            assert!(look(&root, name, Some(100)).is_err(), "{name}");
        }
    }
}
