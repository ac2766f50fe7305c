//! `generate`: the Dockerfiles that reviewers read; or a folder that plain `docker build` accepts.

use camino::Utf8Path;

use super::args::GenerateArguments;
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use crate::plan::{ImagePlan, Plan};
use crate::render::context::{Bytes, ContextEntry};
use crate::workspace::write::{self, Content};

pub(super) fn run(arguments: &GenerateArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = session.load()?;
    let one = arguments.context.is_some();
    let resolution = session.resolve(&loaded, &arguments.selection.selection(!one))?;
    let plan = session.plan(&loaded, &resolution)?;
    session.check(&loaded, &resolution, &plan)?;
    match &arguments.context {
        Some(folder) => write_context(session, &loaded, &plan, &session.path(folder)),
        None if arguments.check => report_drift(session, &loaded, &plan),
        None => write_dockerfiles(session, &loaded, &plan),
    }
}

fn write_dockerfiles(session: &Session<'_>, loaded: &Loaded, plan: &Plan) -> Result<ExitStatus, Stop> {
    let texts = session.dockerfiles(loaded, plan)?;
    for image in &plan.images {
        let path = loaded.workspace.root.join(&image.dockerfile);
        let written = write::file(&path, texts[&image.id].as_bytes(), 0o644).map_err(Stop::input)?;
        session.output.message(&format!("{} {}", if written { "wrote" } else { "unchanged" }, image.dockerfile));
    }
    Ok(ExitStatus::Done)
}

fn report_drift(session: &Session<'_>, loaded: &Loaded, plan: &Plan) -> Result<ExitStatus, Stop> {
    let drift = drift(session, loaded, plan)?;
    drift.iter().for_each(|line| session.output.message(&format!("error: {line}")));
    if drift.is_empty() {
        return Ok(ExitStatus::Done);
    }
    session.output.message("hint: run `cargo xtask generate` and commit the result");
    Ok(ExitStatus::Refused)
}

/// Generated files that are not as they would be generated, one line each.
pub(super) fn drift(session: &Session<'_>, loaded: &Loaded, plan: &Plan) -> Result<Vec<String>, Stop> {
    let texts = session.dockerfiles(loaded, plan)?;
    let differs = |image: &ImagePlan| {
        let path = &image.dockerfile;
        match fs_err::read_to_string(loaded.workspace.root.join(path)) {
            Ok(text) => first_difference(&text, &texts[&image.id])
                .map(|line| format!("{path}:{line} is not as it would be generated")),
            Err(_) => Some(format!("{path} is not there")),
        }
    };
    Ok(plan.images.iter().filter_map(differs).collect())
}

/// The first line, from 1, in which two texts differ.
fn first_difference(a: &str, b: &str) -> Option<usize> {
    if a == b {
        return None;
    }
    let same = a.lines().zip(b.lines()).take_while(|(a, b)| a == b).count();
    Some(same + 1)
}

/// Writes a folder that holds the Dockerfile and everything that it copies. The folder must be new or empty: nothing of
/// somebody else is overwritten, and nothing old is left in it.
fn write_context(session: &Session<'_>, loaded: &Loaded, plan: &Plan, folder: &Utf8Path) -> Result<ExitStatus, Stop> {
    let [image] = plan.images.as_slice() else {
        return Err(Stop::input(anyhow::anyhow!(
            "--context takes exactly one image, and {} are selected\nhint: name one, as in `generate IMAGE --context {folder}`",
            plan.images.len()
        )));
    };
    if folder.exists() && folder.read_dir_utf8().map_err(Stop::input)?.next().is_some() {
        return Err(Stop::input(anyhow::anyhow!("{folder} is not empty\nhint: name a folder that does not exist yet")));
    }
    let texts = session.dockerfiles(loaded, plan)?;
    let mut context = session.context(loaded, image)?;
    context.insert_bytes("Dockerfile", texts[&image.id].as_bytes(), 0o644);
    let files = context.entries().map(|(path, entry)| (path, content(entry)));
    write::folder(folder, files).map_err(Stop::input)?;
    session.output.message(&format!(
        "wrote {} files to {folder}\nhint: DOCKER_BUILDKIT=1 docker build {}{folder}",
        context.entries().len(),
        network(image)
    ));
    Ok(ExitStatus::Done)
}

fn network(image: &ImagePlan) -> &'static str {
    match image.network {
        crate::manifest::BuildNetwork::None => "--network none ",
        crate::manifest::BuildNetwork::Default => "",
    }
}

/// What is written for an entry of a context.
fn content(entry: &ContextEntry) -> Content<'_> {
    match entry {
        ContextEntry::File { bytes: Bytes::Disk(path), mode } => Content::Copy(path, *mode),
        ContextEntry::File { bytes: Bytes::Memory(bytes), mode } => Content::Bytes(bytes, *mode),
        ContextEntry::Link { target } => Content::Link(target),
    }
}
