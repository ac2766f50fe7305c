//! What decides cargo's answer, as questions about files: whoever gets the same answers to all of them gets the same from
//! cargo.
//!
//! | asked | because of |
//! |---|---|
//! | content of `Cargo.toml`, of the root, of all folders above it, of every package in a folder and of all folders between | packages, features, dependencies; which workspace it is |
//! | content of `Cargo.lock` | versions |
//! | content of `.cargo/config.toml` (and `config`), of the root, all folders above it and `CARGO_HOME` | sources, registries, patches |
//! | content of `rust-toolchain.toml` (and `rust-toolchain`) of the root and all folders above it, `settings.toml` of rustup; the stat of cargo, and of each cargo that rustup has | which cargo answers |
//! | folders with a `Cargo.toml` where `members` ends with `/*` | a new member |
//! | names in `src/bin`, `examples`, `tests`, `benches`; whether `src/main.rs`, `src/lib.rs`, `build.rs` are there | targets that cargo finds by itself |
//! | whether source files of targets, and manifests of crates that are not in a folder of ours, are there | cargo fetches or refuses what is missing |
//!
//! What cannot be asked for in these ways is not remembered: other patterns in `members`, path dependencies that no package
//! of the answer is, patches that nothing uses, configuration that includes or overrides other files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Metadata, Package};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::Environment;
use super::super::seen::{Clock, Stat};

const CONFIGS: [&str; 2] = [".cargo/config.toml", ".cargo/config"];
const TOOLCHAINS: [&str; 2] = ["rust-toolchain.toml", "rust-toolchain"];
/// Words in a configuration that make other files count.
const UNFOLLOWED: [&str; 3] = ["include", "paths", "patch"];

/// A question about files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Question {
    /// What is in this file, if it is there?
    Content(Utf8PathBuf),
    /// Is there something?
    There(Utf8PathBuf),
    /// Is it the same program?
    Program(Utf8PathBuf),
    /// Which folders below this one have a file of this name?
    FoldersWith(Utf8PathBuf, String),
    /// Which targets does cargo find in this package?
    Targets(Utf8PathBuf),
}

/// What the disk says to a question.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// In a form that can be compared; empty when nothing is there.
    pub(super) text: String,
    /// The content that was asked for.
    pub(super) content: Option<String>,
    /// Files and folders whose change would give another answer.
    seen: Vec<Stat>,
}

impl Answer {
    /// Whether nothing that was looked at has changed since a moment, or shortly before it.
    pub(super) fn is_older_than(&self, clock: &Clock) -> bool {
        self.seen.iter().all(|stat| clock.is_clearly_after(stat))
    }

    fn see(&mut self, path: &Utf8Path) -> io::Result<bool> {
        match path.metadata() {
            Ok(metadata) => {
                self.seen.extend(Stat::of(&metadata));
                Ok(true)
            }
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Question {
    /// Asks the disk.
    ///
    /// # Errors
    /// It does not say.
    pub(super) fn ask(&self) -> io::Result<Answer> {
        let mut answer = Answer::default();
        match self {
            Self::Content(path) => match fs::read_to_string(path) {
                Ok(content) => {
                    answer.see(path)?;
                    answer.text = crate::oci::hex(&Sha256::digest(content.as_bytes()));
                    answer.content = Some(content);
                }
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error),
            },
            Self::There(path) => {
                if path.try_exists()? {
                    "there".clone_into(&mut answer.text);
                }
            }
            Self::Program(path) => answer.text = format!("{:?}", Stat::of(&fs::metadata(path)?)),
            Self::FoldersWith(folder, name) => {
                answer.see(folder)?;
                let names = names(folder)?.into_iter();
                let with: Vec<String> = names.map(|own| program_like(&folder.join(own).join(name))).collect();
                answer.text = with.concat();
            }
            Self::Targets(folder) => targets(folder, &mut answer)?,
        }
        Ok(answer)
    }
}

/// A path that is there, and which file it is where that matters.
fn program_like(path: &Utf8Path) -> String {
    match path.metadata() {
        Ok(metadata) if path.file_name() == Some("cargo") => format!("{path} {:?}\n", Stat::of(&metadata)),
        Ok(_) => format!("{path}\n"),
        Err(_) => String::new(),
    }
}

fn targets(folder: &Utf8Path, answer: &mut Answer) -> io::Result<()> {
    // one that goes while cargo runs is missed among the source files of the answer; one that comes is young
    for file in ["src/main.rs", "src/lib.rs", "build.rs"] {
        if answer.see(&folder.join(file))? {
            answer.text.push_str(file);
            answer.text.push('\n');
        }
    }
    for below in ["src/bin", "examples", "tests", "benches"] {
        let path = folder.join(below);
        if !answer.see(&path)? {
            continue;
        }
        for name in names(&path)? {
            let main = path.join(&name).join("main.rs");
            if name.ends_with(".rs") || main.try_exists().unwrap_or(true) {
                answer.text.push_str(&format!("{below}/{name}\n"));
            }
        }
    }
    Ok(())
}

/// Sorted; none when there is no such folder.
fn names(folder: &Utf8Path) -> io::Result<BTreeSet<String>> {
    let entries = match folder.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if is_missing(&error) => return Ok(BTreeSet::new()),
        Err(error) => return Err(error),
    };
    entries.map(|entry| Ok(entry?.file_name().to_owned())).collect()
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// What can be asked before cargo has answered; `None` when it is unclear where cargo looks.
pub(super) fn before(program: &Utf8Path, root: &Utf8Path, environment: &Environment) -> Option<BTreeSet<Question>> {
    let home = environment.get("HOME").map(Utf8PathBuf::from);
    let of = |variable: &str, below: &str| {
        let folder = environment.get(variable).map(Utf8PathBuf::from).or_else(|| Some(home.as_ref()?.join(below)));
        folder.filter(|folder| folder.is_absolute())
    };
    let (cargo_home, rustup_home) = (of("CARGO_HOME", ".cargo")?, of("RUSTUP_HOME", ".rustup")?);
    let mut questions = BTreeSet::new();
    for folder in root.ancestors() {
        let names = CONFIGS.iter().chain(&TOOLCHAINS).chain(&["Cargo.toml", "Cargo.lock"]);
        questions.extend(names.map(|name| Question::Content(folder.join(name))));
    }
    questions.extend(["config.toml", "config"].map(|name| Question::Content(cargo_home.join(name))));
    questions.insert(Question::Content(rustup_home.join("settings.toml")));
    for toolchain in names(&rustup_home.join("toolchains")).ok()? {
        questions.insert(Question::FoldersWith(rustup_home.join("toolchains").join(toolchain), "cargo".to_owned()));
    }
    questions.insert(Question::FoldersWith(rustup_home.join("toolchains"), "bin".to_owned()));
    questions.insert(Question::Program(program.to_owned()));
    Some(questions)
}

/// What else has to be asked, by cargo's answer; `None` when not all that decides it can be.
pub(super) fn behind(metadata: &Metadata, known: &BTreeMap<Question, Answer>) -> Option<BTreeSet<Question>> {
    let top = &metadata.workspace_root;
    let content = |path: Utf8PathBuf| known.get(&Question::Content(path)).and_then(|answer| answer.content.as_deref());
    if content(top.join("Cargo.lock"))?.contains("[[patch.unused]]") || known.iter().any(leads_elsewhere) {
        return None;
    }
    let mut questions = members(top, content(top.join("Cargo.toml"))?)?;
    let folders: BTreeSet<&Utf8Path> =
        metadata.packages.iter().filter_map(|package| package.manifest_path.parent()).collect();
    for package in &metadata.packages {
        if package.source.is_some() {
            questions.insert(Question::There(package.manifest_path.clone()));
        } else {
            questions.extend(of_package(package, top, &folders)?);
        }
    }
    Some(questions)
}

/// Whether a configuration makes other files count.
fn leads_elsewhere((question, answer): (&Question, &Answer)) -> bool {
    let Question::Content(path) = question else { return false };
    let is_config = path.file_stem() == Some("config");
    is_config && answer.content.as_ref().is_some_and(|text| UNFOLLOWED.iter().any(|word| text.contains(word)))
}

fn members(top: &Utf8Path, manifest: &str) -> Option<BTreeSet<Question>> {
    let manifest: toml::Table = manifest.parse().ok()?;
    let Some(members) = manifest.get("workspace").and_then(|workspace| workspace.get("members")) else {
        return Some(BTreeSet::new());
    };
    let mut questions = BTreeSet::new();
    for pattern in members.as_array()? {
        let pattern = pattern.as_str()?;
        let folder = if pattern == "*" { "" } else { pattern.strip_suffix("/*").unwrap_or(pattern) };
        if folder.contains(['*', '?', '[']) {
            return None;
        }
        if folder != pattern {
            questions.insert(Question::FoldersWith(top.join(folder), "Cargo.toml".to_owned()));
        }
    }
    Some(questions)
}

/// A package in a folder; `None` when it names one that the answer does not have.
fn of_package(package: &Package, top: &Utf8Path, folders: &BTreeSet<&Utf8Path>) -> Option<BTreeSet<Question>> {
    let folder = package.manifest_path.parent()?;
    let mut paths = package.dependencies.iter().filter_map(|dependency| dependency.path.as_deref());
    if !paths.all(|path| folders.contains(path)) {
        return None;
    }
    let between = folder.ancestors().take_while(|above| above.starts_with(top));
    let mut questions: BTreeSet<Question> = between.map(|above| Question::Content(above.join("Cargo.toml"))).collect();
    questions.insert(Question::Content(package.manifest_path.clone()));
    questions.insert(Question::Targets(folder.to_owned()));
    questions.extend(package.targets.iter().map(|target| Question::There(target.src_path.clone())));
    Some(questions)
}
