//! `promote --swap OLD=NEW`: one reference for another in sources and in the golden files that repeat it, and nothing else.
//!
//! All files are read, changed in memory and compared with what they were before the first is written.

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::args::{Format, PromoteArguments};
use super::output::counted;
use super::session::Session;
use super::status::{ExitStatus, Stop};
use crate::oci::Reference;
use crate::release::Swap;
use crate::workspace::{read_file, searched_files, write};

/// Format of the JSON document.
const SCHEMA: u32 = 1;

/// One file with the old reference.
#[derive(Debug, Serialize)]
struct Changed {
    path: Utf8PathBuf,
    /// How often it stands there.
    references: usize,
    #[serde(skip)]
    file: Utf8PathBuf,
    #[serde(skip)]
    after: String,
    #[serde(skip)]
    shown: String,
}

/// What is found.
#[derive(Debug, Serialize)]
struct Document {
    schema: u32,
    old: String,
    new: String,
    written: bool,
    files: Vec<Changed>,
    /// References of the same name that are something else, and stay.
    others: usize,
}

pub(super) fn run(
    (old, new): &(String, String),
    arguments: &PromoteArguments,
    session: &Session<'_>,
) -> Result<ExitStatus, Stop> {
    let parse = |text: &String| text.parse::<Reference>().map_err(Stop::input);
    let swap = Swap::new(parse(old)?, parse(new)?).map_err(Stop::input)?;
    if arguments.words.is_empty() {
        return Err(Stop::input(anyhow::anyhow!("no file or folder is named\nhint: `.` is this folder")));
    }
    let (files, others) = changes(&swap, arguments, session)?;
    if files.is_empty() {
        return Err(Stop::refused(anyhow::anyhow!(
            "{old} stands nowhere there{}",
            if others > 0 {
                format!("; {} of its name have another tag or digest", counted(others, "reference"))
            } else {
                String::new()
            }
        )));
    }
    let written = arguments.write;
    if written {
        for file in &files {
            replace(file)?;
        }
    }
    let document = Document { schema: SCHEMA, old: old.clone(), new: new.clone(), written, files, others };
    show(&document, arguments, session)?;
    Ok(ExitStatus::Done)
}

/// All files that would change, and how many references of the name do not.
fn changes(swap: &Swap, arguments: &PromoteArguments, session: &Session<'_>) -> Result<(Vec<Changed>, usize), Stop> {
    let (mut files, mut others) = (Vec::<Changed>::new(), 0);
    for word in &arguments.words {
        let top = session.path(word.as_str().into());
        let below =
            searched_files(&top).map_err(|error| Stop::input(anyhow::anyhow!("cannot read {word}: {error}")))?;
        for below in below {
            let named = !below.as_str().is_empty();
            let (file, path) = if named {
                (top.join(&below), Utf8PathBuf::from(word).join(&below))
            } else {
                (top.clone(), word.into())
            };
            if files.iter().any(|known| known.file == file) || file.is_symlink() {
                continue;
            }
            let Ok(before) = String::from_utf8(read_file(&file).map_err(Stop::input)?) else { continue };
            let swapped = swap.of(&before);
            others += swapped.others;
            if swapped.is_empty() {
                continue;
            }
            let after = swapped.apply(&before);
            let references = swap.prove(&before, &after).map_err(|at| unproven(&path, at))?;
            files.push(Changed { path, references, file, after, shown: swapped.display(&before) });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((files, others))
}

fn unproven(path: &Utf8PathBuf, at: usize) -> Stop {
    Stop::refused(anyhow::anyhow!(
        "{path} would change in more than the reference, at byte {at}; nothing was written\nhint: please report this"
    ))
}

fn replace(file: &Changed) -> Result<(), Stop> {
    let mode = mode(&file.file).map_err(Stop::environment)?;
    write::file(&file.file, file.after.as_bytes(), mode).map(drop).map_err(Stop::environment)
}

#[cfg(unix)]
fn mode(path: &camino::Utf8Path) -> std::io::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs_err::metadata(path)?.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_path: &camino::Utf8Path) -> std::io::Result<u32> {
    Ok(0o644)
}

fn show(document: &Document, arguments: &PromoteArguments, session: &Session<'_>) -> Result<(), Stop> {
    if arguments.format == Format::Json {
        return session.output.json(document);
    }
    let mut text = String::new();
    for file in &document.files {
        _ = writeln!(text, "{}: {}", file.path, counted(file.references, "reference"));
        file.shown.lines().for_each(|line| _ = writeln!(text, "  {line}"));
    }
    session.output.data(&text)?;
    let all: usize = document.files.iter().map(|file| file.references).sum();
    let (all, files) = (counted(all, "reference"), counted(document.files.len(), "file"));
    session.output.message(&match document.written {
        true => format!("changed {all} in {files}, and no other byte"),
        false => format!("note: {all} in {files} would change; --write does it"),
    });
    if document.others > 0 {
        let others = counted(document.others, "reference");
        session.output.message(&format!("note: {others} of the same name with another tag or digest stay"));
    }
    Ok(())
}
