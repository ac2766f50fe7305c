//! Copies between registries for `promote` and `mirror`: the client, the store, and how they are shown.

use camino::Utf8PathBuf;

use super::args::ProgressStyle;
use super::session::{Loaded, Session};
use super::status::Stop;
use super::{build, registry};
use crate::engine::EngineError;
use crate::engine::registry::{Copied, CopyRequest, Registry, copy_all};
use crate::engine::store::Store;
use crate::oci::Reference;
use crate::workspace::MEMORY_FOLDER;

/// How many images are copied at once. Blobs have a limit of their own.
const AT_ONCE: usize = 4;

/// Copies, each to its own end.
pub(super) type Ends = Vec<Result<Copied, EngineError>>;

/// Copies images, and shows how far it is.
pub(super) fn run(
    session: &Session<'_>,
    loaded: Option<&Loaded>,
    client: &Registry,
    requests: &[CopyRequest],
    progress: ProgressStyle,
) -> Result<Ends, Stop> {
    if requests.is_empty() {
        return Ok(Ends::new());
    }
    // without a workspace nothing is kept: what was copied is at the destination
    let passing = match loaded {
        Some(_) => None,
        None => Some(tempfile::tempdir().map_err(Stop::environment)?),
    };
    let folder = match (loaded, &passing) {
        (Some(loaded), _) => loaded.workspace.root.join(MEMORY_FOLDER),
        (None, Some(folder)) => Utf8PathBuf::from_path_buf(folder.path().to_owned()).map_err(|_| {
            Stop::environment(anyhow::anyhow!(
                "the folder for temporary files has a name that is not UTF-8\nhint: name another one in TMPDIR"
            ))
        })?,
        (None, None) => Utf8PathBuf::new(),
    };
    let store =
        Store::of(&folder).map_err(|error| Stop::environment(anyhow::anyhow!("failed to use {folder}: {error}")))?;
    let mut stderr = std::io::stderr();
    let mut consumer = build::consumer(progress, session, &mut stderr);
    let on_event = &mut |event| consumer.event(&event);
    let ends = copy_all(client, &store, requests, AT_ONCE, &session.cancel, on_event).map_err(Stop::environment)?;
    // progress that cannot be shown does not undo a copy
    _ = consumer.finish();
    Ok(ends)
}

/// Ends a run that would have to ask registries and must not.
pub(super) fn refuse_offline(session: &Session<'_>, command: &str) -> Result<(), Stop> {
    if !session.global.offline {
        return Ok(());
    }
    Err(Stop::environment(anyhow::anyhow!(
        "`{command}` asks registries, and --offline was given\nhint: run it without --offline"
    )))
}

/// A client that knows the accounts of both sides.
pub(super) fn client<'r>(
    session: &Session<'_>,
    loaded: Option<&Loaded>,
    references: impl IntoIterator<Item = &'r Reference>,
) -> Result<Registry, Stop> {
    registry::client(session, loaded, references)
}
