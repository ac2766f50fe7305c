//! The cases.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One folder.
pub struct Case {
    pub name: String,
    pub folder: PathBuf,
    pub text: String,
    pub args: BTreeMap<String, String>,
}

pub fn shelf() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/dockerfiles")
}

/// All folders with a Dockerfile, by name.
pub fn cases() -> Vec<Case> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(shelf()).expect("a folder").map(|entry| entry.expect("it is listed").path()).collect();
    folders.sort();
    folders
        .into_iter()
        .filter(|folder| folder.join("Dockerfile").is_file())
        .map(|folder| {
            let args = fs::read_to_string(folder.join("args.txt")).unwrap_or_default();
            let args = args.lines().filter_map(|line| line.split_once('='));
            Case {
                name: folder.file_name().expect("a name").to_string_lossy().into_owned(),
                text: fs::read_to_string(folder.join("Dockerfile")).expect("it is text"),
                args: args.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                folder,
            }
        })
        .collect()
}

/// All files below a folder, sorted; links are not followed.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let entry = entry.expect("it is listed");
            let kind = entry.file_type().expect("it has one");
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}
