//! Cargo's answer, remembered from run to run: asking takes longer than all the rest of a plan.
//!
//! A remembered answer counts only when everything that decided it is as it was: the questions of `facts.rs`, the platforms
//! that were asked for, the folder of the workspace, and what the environment tells cargo and rustup. Whenever that is
//! unclear, cargo is asked. An answer is not kept when something that decides it has changed while cargo was running, or so
//! shortly before that a second change would not show.
//!
//! The file is one as [`super::super::remembered`] has them; one that is damaged, foreign or of another version counts as none.
//! Texts of manifests are not in it: they are read anyway, to see whether they have changed.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::remembered::Remembered;
use super::super::seen::Clock;
use super::super::state::{self, MEMORY_FOLDER};
use super::super::{Environment, in_parallel};
use super::facts::{Answer, Question, before, behind};
use super::{Cargo, CargoReadError, CargoWorkspace, ask};

/// The file; its version is counted up also when more has to be asked.
pub(super) const FILE: Remembered = Remembered { name: "cargo-metadata.json", version: 3 };
/// Variables that cargo sets for the programs it runs, and does not read.
const SET_BY_CARGO: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_PRIMARY_PACKAGE"];

/// What an answer is for.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Request {
    root: Utf8PathBuf,
    rust_targets: Vec<String>,
    program: Utf8PathBuf,
    /// SHA-256: values may be secret.
    environment: String,
}

#[derive(Serialize)]
struct Written<'a> {
    request: &'a Request,
    facts: Vec<(&'a Question, &'a str)>,
    workspace: &'a CargoWorkspace,
}

#[derive(Deserialize)]
struct Known {
    request: Request,
    facts: Vec<(Question, String)>,
    workspace: CargoWorkspace,
}

type Answers = BTreeMap<Question, Answer>;

/// Like [`super::read`], but asks cargo only when the last answer does not count any more.
///
/// # Errors
/// As [`super::read`].
pub fn read_or_recall(
    cargo: Cargo<'_>,
    root: &Utf8Path,
    rust_targets: &[&str],
    environment: &Environment,
) -> Result<CargoWorkspace, CargoReadError> {
    let Some(request) = Request::new(cargo, root, rust_targets, environment) else {
        return super::read(cargo, root, rust_targets);
    };
    if let Some(workspace) = recall(&request) {
        return Ok(workspace);
    }
    let begun = Begun::now(&request, environment);
    let (workspace, metadata) = ask(cargo, root, rust_targets)?;
    if let Some(begun) = begun {
        // that it cannot be kept is no error: cargo is asked again
        _ = begun.keep(&request, &workspace, &metadata);
    }
    Ok(workspace)
}

impl Request {
    /// `None` when it is unclear which program is run.
    fn new(cargo: Cargo<'_>, root: &Utf8Path, rust_targets: &[&str], environment: &Environment) -> Option<Self> {
        let program = if cargo.program.contains('/') {
            Utf8PathBuf::from(cargo.program)
        } else {
            let folders = environment.get("PATH")?.split(':').map(|folder| Utf8Path::new(folder).join(cargo.program));
            folders.into_iter().find(|path| path.is_file())?
        };
        if !program.is_absolute() {
            return None;
        }
        Some(Self {
            root: root.to_owned(),
            rust_targets: rust_targets.iter().map(|target| (*target).to_owned()).collect(),
            program,
            environment: fingerprint(environment),
        })
    }

    fn folder(&self) -> Utf8PathBuf {
        self.root.join(MEMORY_FOLDER)
    }
}

/// A hash of the variables that cargo and rustup read.
fn fingerprint(environment: &Environment) -> String {
    let mut variables = BTreeMap::new();
    for prefix in ["CARGO", "RUST", "HOME"] {
        variables.extend(environment.with_prefix(prefix));
    }
    variables.retain(|name, _| name != "CARGO" && !SET_BY_CARGO.iter().any(|prefix| name.starts_with(prefix)));
    let mut hasher = Sha256::new();
    for text in variables.iter().flat_map(|(name, value)| [name, value]) {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    }
    crate::oci::hex(&hasher.finalize())
}

fn recall(request: &Request) -> Option<CargoWorkspace> {
    let Known { request: of, facts, mut workspace } = FILE.read(&request.folder())?;
    if of != *request {
        return None;
    }
    let mut contents = BTreeMap::new();
    let answers = in_parallel(&facts, |(question, known)| question.ask().ok().filter(|answer| answer.text == *known));
    for ((question, _), answer) in facts.iter().zip(answers) {
        if let (Question::Content(path), content) = (question, answer?.content) {
            contents.insert(path.as_path(), content);
        }
    }
    let content = |path: Utf8PathBuf| contents.get(path.as_path()).cloned().flatten();
    workspace.root_manifest = content(workspace.root.join("Cargo.toml"))?;
    workspace.lock = content(workspace.root.join("Cargo.lock"))?;
    workspace.config = content(workspace.root.join(".cargo/config.toml"));
    for (_, package) in workspace.packages.iter_mut().filter(|(key, _)| key.is_path()) {
        package.manifest = Some(content(package.folder.join("Cargo.toml"))?);
    }
    Some(workspace)
}

/// How everything was before cargo was asked.
struct Begun {
    clock: Clock,
    answers: Answers,
}

fn ask_all(questions: BTreeSet<Question>) -> Option<Answers> {
    questions.into_iter().map(|question| question.ask().ok().map(|answer| (question, answer))).collect()
}

impl Begun {
    fn now(request: &Request, environment: &Environment) -> Option<Self> {
        let clock = Clock::read(&state::folder(&request.folder(), "").ok()?)?;
        Some(Self { clock, answers: ask_all(before(&request.program, &request.root, environment)?)? })
    }

    /// Writes the answer, unless something has changed meanwhile, or too shortly before.
    fn keep(self, request: &Request, workspace: &CargoWorkspace, metadata: &cargo_metadata::Metadata) -> Option<()> {
        let questions = behind(metadata, &self.answers)?;
        let again = ask_all(self.answers.keys().cloned().chain(questions).collect())?;
        let is_same = |(question, answer): (&Question, &Answer)| {
            let is_there = !matches!(question, Question::There(_)) || !answer.text.is_empty();
            let known = self.answers.get(question);
            is_there && known.is_none_or(|known| known.text == answer.text) && answer.is_older_than(&self.clock)
        };
        if !again.iter().all(is_same) {
            return None;
        }
        let facts = again.iter().map(|(question, answer)| (question, answer.text.as_str())).collect();
        FILE.write(&request.folder(), &Written { request, facts, workspace }).ok()
    }
}
