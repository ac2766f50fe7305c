//! What `init` looks at: Dockerfiles below some paths, and the files that they copy. None of it need belong to a workspace yet.

use std::collections::BTreeMap;
use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use super::git::work_files;
use super::inside::Inside;
use super::pool::in_parallel;

/// Longest Dockerfile, in bytes.
const MAX_DOCKERFILE: u64 = 1 << 20;
/// How much of a file is kept: enough for `#!` and for the accounts of an image.
const HEAD: usize = 4096;
/// Files up to this many bytes are hashed.
const MAX_HASHED: u64 = 64 << 20;
/// Folders that hold the work of others, whoever ignores them.
const OF_OTHERS: [&str; 4] = ["node_modules", "target", "vendor", ".git"];

/// A Dockerfile that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDockerfile {
    /// Relative to the root.
    pub path: Utf8PathBuf,
    /// Its text, or why it cannot be read.
    pub text: Result<String, String>,
}

/// Something that a Dockerfile copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// A folder.
    Folder,
    /// A file.
    File {
        /// SHA-256 of its bytes in hexadecimal; none of a huge one.
        sha256: Option<String>,
        /// Its first bytes.
        head: Vec<u8>,
    },
}

/// Whether a file is a Dockerfile by its name: `Dockerfile`, `Dockerfile.NAME`, `NAME.Dockerfile`, `Containerfile` and the like.
pub fn is_dockerfile(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    // its ignore file, templates and editors' copies
    if [".dockerignore", ".hbs", ".tmpl", ".tpl", ".j2", ".in", "~", ".orig", ".md"]
        .iter()
        .any(|end| lower.ends_with(end))
    {
        return false;
    }
    ["dockerfile", "containerfile"].iter().any(|kind| {
        lower == *kind
            || lower.strip_prefix(kind).is_some_and(|rest| rest.len() > 1 && rest.starts_with(['.', '-']))
            || lower.strip_suffix(kind).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    })
}

/// The Dockerfiles at and below some paths, read, sorted by path, each once. A file that is named is taken whatever it is called;
/// in folders those count that git tracks or would track.
///
/// # Errors
/// A path that is not there, or not below `root`, which has to be canonical.
pub fn find_dockerfiles(root: &Utf8Path, paths: &[Utf8PathBuf]) -> Result<Vec<FoundDockerfile>, String> {
    let mut found = Vec::new();
    for path in paths {
        let absolute = root.join(path).canonicalize_utf8().map_err(|error| format!("cannot read {path}: {error}"))?;
        let below = absolute.strip_prefix(root).map_err(|_| format!("{path} is not below {root}"))?;
        if absolute.is_dir() {
            found.extend(below_folder(&absolute)?.into_iter().map(|file| below.join(file)));
        } else {
            found.push(below.to_owned());
        }
    }
    found.sort();
    found.dedup();
    let inside = Inside::new(root);
    Ok(in_parallel(&found, |path| FoundDockerfile { path: path.clone(), text: read(&inside, path) }))
}

fn below_folder(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, String> {
    let is_of_others = |name: &str| OF_OTHERS.contains(&name);
    let wanted = |path: &Utf8PathBuf| {
        path.file_name().is_some_and(is_dockerfile) && !path.components().any(|part| is_of_others(part.as_str()))
    };
    if let Some(files) = work_files(folder) {
        return Ok(files.into_iter().filter(wanted).collect());
    }
    let walk = walkdir::WalkDir::new(folder).into_iter();
    let walk = walk.filter_entry(|entry| entry.depth() == 0 || !entry.file_name().to_str().is_some_and(is_of_others));
    let mut files = Vec::new();
    for entry in walk {
        let entry = entry.map_err(|error| error.to_string())?;
        if entry.file_type().is_file()
            && let Some(path) = Utf8Path::from_path(entry.path()).and_then(|path| path.strip_prefix(folder).ok())
        {
            files.push(path.to_owned());
        }
    }
    Ok(files.into_iter().filter(wanted).collect())
}

fn read(inside: &Inside<'_>, path: &Utf8Path) -> Result<String, String> {
    inside.check(path).map_err(|outside| format!("it leads to {}, which is elsewhere", outside.target))?;
    let absolute = inside.root.join(path);
    let length = fs_err::metadata(&absolute).map_err(|error| error.to_string())?.len();
    if length > MAX_DOCKERFILE {
        return Err(format!("it has {length} bytes; at most {MAX_DOCKERFILE} are read"));
    }
    let bytes = fs_err::read(&absolute).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// Looks at paths below `root`; what is not there, or leads elsewhere, is left out.
pub fn look_at_copied(root: &Utf8Path, paths: &[Utf8PathBuf]) -> BTreeMap<Utf8PathBuf, Copied> {
    let inside = Inside::new(root);
    let seen = in_parallel(paths, |path| look(&inside, path));
    paths.iter().zip(seen).filter_map(|(path, seen)| Some((path.clone(), seen?))).collect()
}

fn look(inside: &Inside<'_>, path: &Utf8Path) -> Option<Copied> {
    inside.check(path).ok()?;
    let absolute = inside.root.join(path);
    let metadata = fs_err::metadata(&absolute).ok()?;
    if metadata.is_dir() {
        return Some(Copied::Folder);
    }
    if !metadata.is_file() {
        return None;
    }
    let mut file = fs_err::File::open(&absolute).ok()?;
    let mut bytes = Vec::new();
    let most = if metadata.len() > MAX_HASHED { HEAD as u64 } else { MAX_HASHED };
    (&mut file).take(most).read_to_end(&mut bytes).ok()?;
    let is_whole = metadata.len() <= MAX_HASHED && bytes.len() as u64 == metadata.len();
    let sha256 = is_whole.then(|| Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect());
    bytes.truncate(HEAD);
    Some(Copied::File { sha256, head: bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in
            ["Dockerfile", "dockerfile", "Dockerfile.worker", "api.Dockerfile", "Containerfile", "Dockerfile-arm"]
        {
            assert!(is_dockerfile(name), "{name}");
        }
        for name in
            ["Dockerfile.dockerignore", "Dockerfile.", ".Dockerfile", "Dockerfile.hbs", "mydockerfile", "Dockerfiles"]
        {
            assert!(!is_dockerfile(name), "{name}");
        }
    }

    #[test]
    fn folders_of_others_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        for path in ["a/Dockerfile", "b/x.Dockerfile", "a/node_modules/c/Dockerfile", "vendor/Dockerfile", "a/readme"] {
            fs_err::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs_err::write(root.join(path), "FROM scratch\n").unwrap();
        }
        let check = |paths: &[&str], expect: &[&str]| {
            let paths: Vec<Utf8PathBuf> = paths.iter().map(Utf8PathBuf::from).collect();
            let found = find_dockerfiles(&root, &paths).unwrap();
            assert_eq!(found.iter().map(|found| found.path.as_str()).collect::<Vec<_>>(), expect, "{paths:?}");
        };
        check(&["."], &["a/Dockerfile", "b/x.Dockerfile"]);
        check(&["b", ".", "a/Dockerfile"], &["a/Dockerfile", "b/x.Dockerfile"]);
        check(&["vendor/Dockerfile", "a/readme"], &["a/readme", "vendor/Dockerfile"]);
        assert!(find_dockerfiles(&root, &["..".into()]).is_err());
        assert!(find_dockerfiles(&root, &["nowhere".into()]).is_err());
        let seen = look_at_copied(&root, &["a".into(), "a/readme".into(), "no".into()]);
        assert_eq!(seen.len(), 2);
        assert!(
            matches!(&seen[Utf8Path::new("a/readme")], Copied::File { sha256: Some(_), head } if head == b"FROM scratch\n")
        );
    }
}
