//! Trees of revisions as git holds them: names and contents of files, without a checkout.
//!
//! Equal files of many revisions are one blob, which is read once: 50 releases of a repository are hardly more work than one.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Write as _};
use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};

use super::revision::first_line;
use super::{RevisionError, git};

/// A file of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobFile {
    /// Below the folder that was asked for.
    pub path: Utf8PathBuf,
    /// The ID of its contents.
    pub blob: String,
}

/// The files of a revision below a folder of its repository, and the time of its commit in seconds since 1970. Links and
/// submodules are left out: what they lead to is not in the tree.
///
/// # Errors
/// No git, no repository, no such revision.
pub fn revision_files(folder: &Utf8Path, name: &str) -> Result<(Vec<BlobFile>, u64), RevisionError> {
    if name.is_empty() || name.starts_with('-') {
        return Err(RevisionError::NotAName(name.to_owned()));
    }
    let commit = answer(folder, &["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")]);
    let commit = commit.map_err(|error| match error {
        RevisionError::Refused { .. } => RevisionError::Unknown(name.to_owned()),
        other => other,
    })?;
    let time = answer(folder, &["log", "-1", "--no-show-signature", "--format=%ct", commit.trim()])?;
    let listed = answer(folder, &["ls-tree", "-r", "-z", commit.trim()])?;
    let file = |line: &str| {
        let (entry, path) = line.split_once('\t')?;
        let mut words = entry.split(' ');
        let (mode, _, blob) = (words.next()?, words.next()?, words.next()?);
        mode.starts_with("100").then(|| BlobFile { path: path.into(), blob: blob.to_owned() })
    };
    Ok((listed.split('\0').filter_map(file).collect(), time.trim().parse().unwrap_or_default()))
}

/// All tags of a repository, versions in their order.
///
/// # Errors
/// No git, no repository.
pub fn tags(folder: &Utf8Path) -> Result<Vec<String>, RevisionError> {
    let listed = answer(folder, &["tag", "--list", "--sort=version:refname"])?;
    Ok(listed.lines().map(str::to_owned).collect())
}

/// Files of the work tree below a folder that git tracks, or would: those that it ignores are left out. `None` outside of a
/// repository.
pub fn work_files(folder: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
    let words = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = answer(folder, &words).ok()?;
    let mut paths: Vec<Utf8PathBuf> = listed.split_terminator('\0').map(Utf8PathBuf::from).collect();
    paths.sort();
    paths.dedup();
    Some(paths)
}

/// The time of the newest commit in seconds since 1970; `None` without one.
pub fn head_time(folder: &Utf8Path) -> Option<u64> {
    answer(folder, &["log", "-1", "--no-show-signature", "--format=%ct"]).ok()?.trim().parse().ok()
}

/// The branch that is checked out; `None` without one.
pub fn branch(folder: &Utf8Path) -> Option<String> {
    let name = answer(folder, &["symbolic-ref", "--short", "--quiet", "HEAD"]).ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Hands out the contents of blobs, in their order. One process of git gives all of them.
///
/// # Errors
/// Git does not have one of them.
pub fn read_blobs(
    folder: &Utf8Path,
    blobs: &BTreeSet<String>,
    mut each: impl FnMut(&str, Vec<u8>),
) -> Result<(), RevisionError> {
    if blobs.is_empty() {
        return Ok(());
    }
    let mut command = git(folder);
    command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(RevisionError::NoGit)?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let refused = |error: io::Error| RevisionError::Refused { root: folder.to_owned(), detail: error.to_string() };
    let result = std::thread::scope(|scope| {
        let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else { return Err(io::ErrorKind::BrokenPipe.into()) };
        // it answers while it is asked
        scope.spawn(move || blobs.iter().try_for_each(|blob| writeln!(stdin, "{blob}")));
        let mut stdout = BufReader::with_capacity(1 << 16, stdout);
        blobs.iter().try_for_each(|blob| {
            each(blob, contents(&mut stdout)?);
            Ok(())
        })
    });
    _ = child.kill();
    _ = child.wait();
    result.map_err(refused)
}

/// One answer of `git cat-file --batch`: `ID TYPE SIZE`, the bytes, and a newline.
fn contents(stdout: &mut impl io::BufRead) -> io::Result<Vec<u8>> {
    let mut head = String::new();
    stdout.read_line(&mut head)?;
    let size = head.trim_end().rsplit(' ').next().and_then(|size| size.parse::<usize>().ok());
    let size = size.ok_or_else(|| io::Error::other(format!("git says `{}`", head.trim_end())))?;
    let mut bytes = vec![0; size];
    stdout.read_exact(&mut bytes)?;
    stdout.read_exact(&mut [0])?;
    Ok(bytes)
}

/// What git says, as text; paths that are not UTF-8 lose the bytes that are not.
fn answer(folder: &Utf8Path, words: &[&str]) -> Result<String, RevisionError> {
    let output = git(folder).args(words).stderr(Stdio::piped()).output().map_err(RevisionError::NoGit)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("not a git repository") {
        return Err(RevisionError::NoRepository(folder.to_owned()));
    }
    Err(RevisionError::Refused { root: folder.to_owned(), detail: first_line(&said) })
}
