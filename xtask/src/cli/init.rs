//! `init`: a workspace from nothing, from Dockerfiles, or from published images. It never overwrites anything, and ends with
//! what `check` and `advise` say of what it wrote.

mod found;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::advise;
use super::args::{AdviseArguments, AdviseFormat, Format, GenerateArguments, InitArguments, SelectionArguments};
use super::generate;
use super::output::counted;
use super::pins;
use super::session::Session;
use super::status::{ExitStatus, Stop};
use crate::adopt::Findings;
use crate::adopt::text::{self, NewFile};
use crate::check::run_by;
use crate::diagnostic::Level;
use crate::resolve::Selection;
use crate::workspace::{SETTINGS_FILE, Workspace, WorkspaceError, new_files, read_file};

/// What `--format json` prints when files were written, or would be.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    findings: Option<&'a Findings>,
    files: &'a [NewFile],
}

pub(super) fn run(arguments: &InitArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let root = root(session)?;
    let is_adopting = !arguments.from_dockerfiles.is_empty() || !arguments.from_images.is_empty();
    if !is_adopting && (arguments.analyze || arguments.image.is_some()) {
        let option = if arguments.analyze { "--analyze" } else { "--image" };
        let hint = "name what to look at, as in `init --from-dockerfiles .`";
        return Err(Stop::input(anyhow::anyhow!("{option} has nothing to work with\nhint: {hint}")));
    }
    let findings = is_adopting.then(|| found::findings(arguments, session, &root)).transpose()?;
    if arguments.analyze {
        session.output.json(&findings)?;
        return Ok(ExitStatus::Done);
    }
    if let Some(findings) = &findings {
        found::show(findings, session);
        if findings.components.is_empty() {
            return Err(Stop::refused(anyhow::anyhow!(
                "there is nothing to adopt in what was named\nhint: name Dockerfiles, or folders that hold some"
            )));
        }
    }
    let files = findings.as_ref().map_or_else(text::empty, |findings| findings.files(&session.program));
    if arguments.dry_run {
        return show(arguments, session, findings.as_ref(), &files).map(|()| ExitStatus::Done);
    }
    write(session, &root, &files)?;
    if arguments.format == Format::Json {
        show(arguments, session, findings.as_ref(), &files)?;
    }
    conclude(arguments, session, &root, is_adopting)
}

/// The workspace that this folder is in, or this folder.
fn root(session: &Session<'_>) -> Result<Utf8PathBuf, Stop> {
    if let Some(path) = &session.global.manifest_path {
        let path = session.path(path);
        if path.file_name() != Some(SETTINGS_FILE) {
            return Err(Stop::input(WorkspaceError::OtherName(path)));
        }
        let folder = path.parent().unwrap_or(Utf8Path::new("/"));
        return folder
            .canonicalize_utf8()
            .map_err(|error| Stop::input(anyhow::anyhow!("cannot read {folder}: {error}")));
    }
    let here = session.path(Utf8Path::new("."));
    match Workspace::discover(&here, None) {
        Ok(workspace) => Ok(workspace.root),
        Err(WorkspaceError::NotFound(_)) => {
            here.canonicalize_utf8().map_err(|error| Stop::input(anyhow::anyhow!("cannot read {here}: {error}")))
        }
        Err(error) => Err(Stop::input(error)),
    }
}

fn show(
    arguments: &InitArguments,
    session: &Session<'_>,
    findings: Option<&Findings>,
    files: &[NewFile],
) -> Result<(), Stop> {
    if arguments.format == Format::Json {
        return session.output.json(&Document { findings, files });
    }
    let text = |file: &NewFile| format!("--- {}\n{}", file.path, file.text);
    session.output.data(&files.iter().map(text).collect::<Vec<_>>().join("\n"))
}

/// Writes all files, or none.
fn write(session: &Session<'_>, root: &Utf8Path, files: &[NewFile]) -> Result<(), Stop> {
    let is_there = |file: &&NewFile| root.join(&file.path).symlink_metadata().is_ok();
    let (there, new): (Vec<&NewFile>, Vec<&NewFile>) = files.iter().partition(is_there);
    let is_same = |file: &&NewFile| read_file(&root.join(&file.path)).is_ok_and(|bytes| bytes == file.text.as_bytes());
    let (same, other): (Vec<&NewFile>, Vec<&NewFile>) = there.into_iter().partition(is_same);
    if !other.is_empty() {
        let listed = |files: &[&NewFile]| files.iter().map(|file| format!("\n  {}", file.path)).collect::<String>();
        let would = if new.is_empty() { String::new() } else { format!("\nnot written either:{}", listed(&new)) };
        let hint = format!(
            "`{} init … --dry-run` prints what would be written; move the old files away, or take over from it by hand",
            session.program
        );
        return Err(Stop::refused(anyhow::anyhow!(
            "{} there already, with other content, and nothing is overwritten:{}{would}\nhint: {hint}",
            if other.len() == 1 { "a file is" } else { "some files are" },
            listed(&other)
        )));
    }
    let bytes = new.iter().map(|file| (Utf8Path::new(&file.path), file.text.as_bytes()));
    new_files(root, bytes).map_err(Stop::input)?;
    let mut said: Vec<(&str, &str)> = new.iter().map(|file| (file.path.as_str(), "wrote")).collect();
    said.extend(same.iter().map(|file| (file.path.as_str(), "unchanged")));
    said.sort_by_key(|(path, _)| files.iter().position(|file| file.path == *path));
    said.iter().for_each(|(path, what)| session.output.message(&format!("{what} {path}")));
    Ok(())
}

/// What `check` and `advise` say of what was written, and the next step.
fn conclude(
    arguments: &InitArguments,
    session: &Session<'_>,
    root: &Utf8Path,
    is_adopting: bool,
) -> Result<ExitStatus, Stop> {
    let global = super::Global { manifest_path: Some(root.join(SETTINGS_FILE)), ..session.global.clone() };
    let session = &session.at(root.to_owned(), &global);
    let Some(errors) = check(session)? else {
        let hint = format!("`{} check` goes on when that is decided", session.program);
        session.output.message(&format!("next: decide what stands above; {hint}"));
        return Ok(ExitStatus::Refused);
    };
    if errors == 0 {
        generate::run(&GenerateArguments::default(), session)?;
    }
    if is_adopting && arguments.format == Format::Text {
        let selection = SelectionArguments::default();
        let advice = AdviseArguments { selection, platform: None, format: AdviseFormat::Text };
        advise::run(&advice, session)?;
    }
    let program = &session.program;
    match errors {
        0 => session.output.message(&format!("next: `{program} build`")),
        some => session.output.message(&format!(
            "next: decide what {} asks; `{program} check` says what is left, then `{program} generate` and `{program} build`",
            if some == 1 { "this error".to_owned() } else { format!("each of these {}", counted(some, "error")) }
        )),
    }
    if root.join("Cargo.toml").is_file() && !root.join("xtask").exists() {
        session.output.message(
            "note: in a Rust repository `cargo xtask` can stand for this program: a package `xtask` whose main calls \
             `groupage::cli::main()`, and in .cargo/config.toml the lines\n  [alias]\n  xtask = \"run --quiet --package xtask --\"",
        );
    }
    Ok(ExitStatus::Done)
}

/// The rules over all that was written, but for what is generated later; returns how many errors there are. Nothing when there
/// is no plan to be checked before something is decided, which was said.
fn check(session: &Session<'_>) -> Result<Option<usize>, Stop> {
    let selection = Selection { all_variants: true, ..Selection::default() };
    let loaded = session.load()?;
    let resolution = session.resolve(&loaded, &selection)?;
    let plan = match session.plan(&loaded, &resolution, &pins::that_fit(&loaded, &resolution)) {
        Err(stop) if stop.error.is_none() => return Ok(None),
        plan => plan?,
    };
    let judge = session.judge(&loaded)?;
    let findings = run_by(&resolution, &plan, Some(&judge));
    session.output.diagnostics(&findings, &loaded.sources.map);
    Ok(Some(findings.iter().filter(|finding| finding.level == Level::Error).count()))
}
