//! `generate`: the Dockerfiles that reviewers read; or a folder that plain `docker build` accepts.
//!
//! An image has one Dockerfile for all platforms, and one more for each that lacks components which others have. A folder is
//! for one platform where anything in it depends on the platform.

use camino::Utf8Path;

use super::args::GenerateArguments;
use super::output::counted;
use super::session::{Generated, Loaded, Session};
use super::status::{ExitStatus, Stop};
use crate::lock::Builders;
use crate::plan::{ImagePlan, Plan};
use crate::render;
use crate::render::context::{Bytes, ContextEntry};
use crate::resolve::Selection;
use crate::workspace::write::{self, Content};
use crate::workspace::{self, Existing};

pub(super) fn run(arguments: &GenerateArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = session.load()?;
    if let Some(folder) = &arguments.context {
        let platforms = arguments.platform.iter().cloned().collect();
        let selection = Selection { platforms, ..arguments.selection.selection(false) };
        let resolution = session.resolve(&loaded, &selection)?;
        let pins = session.pins(&loaded, &resolution, Builders::Used)?;
        let plan = session.plan(&loaded, &resolution, &pins)?;
        session.check(&loaded, &resolution, &plan)?;
        return write_context(arguments, session, &loaded, &plan, &session.path(folder));
    }
    if !arguments.selection.modes.is_empty() {
        return Err(Stop::input(anyhow::anyhow!(
            "--mode is not for files that are checked in: they are those of the definition\n\
             hint: write `mode` into image.toml, or add --context DIR"
        )));
    }
    let resolution = session.resolve_checked_in(&loaded, &arguments.selection.selection(true))?;
    say_what_is_not_used(session, &loaded);
    let pins = session.pins(&loaded, &resolution, Builders::Used)?;
    let mut plan = session.plan(&loaded, &resolution, &pins)?;
    session.check(&loaded, &resolution, &plan)?;
    if arguments.selection.images.is_empty() {
        leave_out_native_only(session, &mut plan);
    }
    let texts = session.generated(&loaded, &plan)?;
    let stale = if arguments.selection.images.is_empty() { stale(&loaded, &texts) } else { Vec::new() };
    if arguments.check {
        return report_drift(session, &loaded, &texts, stale);
    }
    if !arguments.force {
        refuse_foreign(session, &loaded, &texts)?;
    }
    write_dockerfiles(session, &loaded, &texts)?;
    for drift in stale {
        session.output.message(&format!("warning: {}\nhint: {}", drift.message, drift.next));
    }
    Ok(ExitStatus::Done)
}

/// Files that are checked in hold the values of the manifests: those of one machine are none of anybody else's business.
pub(super) fn say_what_is_not_used(session: &Session<'_>, loaded: &Loaded) {
    let overrides = loaded.overrides.in_use(&loaded.manifests);
    if !overrides.is_empty() {
        let list = overrides.join(", ");
        session.output.message(&format!("note: overrides are not used for files that are checked in: {list}"));
    }
}

/// Who names an image that has no Dockerfile is refused; who names none gets those of the other images.
fn leave_out_native_only(session: &Session<'_>, plan: &mut Plan) {
    let described = with_dockerfile(plan);
    for image in plan.images.iter().filter(|image| !described.images.contains(image)) {
        for reason in render::native_only(image) {
            session.output.message(&format!("note: {}", reason.diagnostic().message));
        }
    }
    *plan = described;
}

/// The images of a plan that a Dockerfile can describe.
pub(super) fn with_dockerfile(plan: &Plan) -> Plan {
    let images = plan.images.iter().filter(|image| render::native_only(image).next().is_none());
    Plan { images: images.cloned().collect(), ..*plan }
}

/// Refuses to overwrite what somebody has written by hand.
fn refuse_foreign(session: &Session<'_>, loaded: &Loaded, texts: &Generated) -> Result<(), Stop> {
    let mut foreign = Vec::new();
    for (path, text) in texts {
        let found = workspace::existing(&loaded.workspace.root, path).map_err(Stop::input)?;
        if matches!(&found, Existing::Foreign(there) if there != text) {
            foreign.push(path.as_str());
        }
    }
    if foreign.is_empty() {
        return Ok(());
    }
    let list = foreign.join(", ");
    let message = format!(
        "{list}: not generated, so it is not overwritten; nothing was written\nhint: move it away, or overwrite it with `{} generate --force`",
        session.program
    );
    Err(Stop::refused(anyhow::anyhow!(message)))
}

fn write_dockerfiles(session: &Session<'_>, loaded: &Loaded, texts: &Generated) -> Result<(), Stop> {
    for (path, text) in texts {
        let written = write::file(&loaded.workspace.root.join(path), text.as_bytes(), 0o644).map_err(Stop::input)?;
        session.output.message(&format!("{} {path}", if written { "wrote" } else { "unchanged" }));
    }
    Ok(())
}

fn report_drift(
    session: &Session<'_>,
    loaded: &Loaded,
    texts: &Generated,
    stale: Vec<Drift>,
) -> Result<ExitStatus, Stop> {
    let drift: Vec<Drift> = drift(session, loaded, texts)?.into_iter().chain(stale).collect();
    drift.iter().for_each(|drift| session.output.message(&format!("error: {}", drift.message)));
    let mut hints: Vec<&str> = drift.iter().map(|drift| drift.next.as_str()).collect();
    hints.dedup();
    hints.iter().for_each(|hint| session.output.message(&format!("hint: {hint}")));
    Ok(if drift.is_empty() { ExitStatus::Done } else { ExitStatus::Refused })
}

/// A generated file that is not as it would be generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drift {
    /// What is wrong with it.
    pub(super) message: String,
    /// The next step.
    pub(super) next: String,
}

/// Generated files that are not as they would be generated.
pub(super) fn drift(session: &Session<'_>, loaded: &Loaded, texts: &Generated) -> Result<Vec<Drift>, Stop> {
    let mut drift = Vec::new();
    for (path, expected) in texts {
        let found = workspace::existing(&loaded.workspace.root, path).map_err(Stop::input)?;
        let message = match found.text() {
            None => Some(format!("{path} is not there")),
            Some(text) => {
                first_difference(text, expected).map(|line| format!("{path}:{line} is not as it would be generated"))
            }
        };
        let next = format!("run `{} generate` and commit the result", session.program);
        drift.extend(message.map(|message| Drift { message, next }));
    }
    Ok(drift)
}

/// Generated files in the folders of images that are not among those of all images.
pub(super) fn stale(loaded: &Loaded, texts: &Generated) -> Vec<Drift> {
    let map = &loaded.sources.map;
    let folders = loaded.sources.files.images.iter().map(|id| map.file(*id).folder());
    let owned = texts.iter().map(|(path, _)| path.as_path()).collect();
    let report = |path| Drift {
        message: format!("{path} was generated, and no image or variant has it any more"),
        next: format!("remove {path}"),
    };
    workspace::stale(&loaded.workspace.root, folders, &owned).into_iter().map(report).collect()
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
fn write_context(
    arguments: &GenerateArguments,
    session: &Session<'_>,
    loaded: &Loaded,
    plan: &Plan,
    folder: &Utf8Path,
) -> Result<ExitStatus, Stop> {
    let [image] = plan.images.as_slice() else {
        return Err(Stop::input(anyhow::anyhow!(
            "--context takes exactly one image, and {} are selected\nhint: name one, as in `generate IMAGE --context {folder}`",
            plan.images.len()
        )));
    };
    if image.depends_on_platform() {
        let platforms: Vec<String> = image.platforms.iter().map(ToString::to_string).collect();
        return Err(Stop::input(anyhow::anyhow!(
            "what is in image `{}` depends on the platform, and a context is for one of them\nhint: choose one with --platform: {}",
            image.id,
            platforms.join(", ")
        )));
    }
    if !write::is_free(folder).map_err(Stop::input)? {
        return Err(Stop::input(anyhow::anyhow!("{folder} is not empty\nhint: name a folder that does not exist yet")));
    }
    let texts = session.dockerfiles(loaded, plan)?;
    let mut context = session.whole_context(loaded, image)?;
    context.insert_bytes("Dockerfile", texts[&image.id].as_bytes(), 0o644);
    let files = context.entries().map(|(path, entry)| (path, content(entry)));
    write::folder(folder, files).map_err(Stop::input)?;
    session.output.message(&format!(
        "wrote {} to {folder}\nhint: DOCKER_BUILDKIT=1 docker build {}{}{folder}",
        counted(context.entries().len(), "file"),
        arguments.platform.as_ref().map(|platform| format!("--platform {platform} ")).unwrap_or_default(),
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
