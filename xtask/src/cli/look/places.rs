//! One place after the other, until an image is found: the daemon, a layout of this workspace, the registry.

use anyhow::anyhow;
use camino::Utf8PathBuf;

use super::seen::Inspection;
use super::{DESCRIPTION, LIMIT, daemon, inspect, of_file, of_looked, registry};
use crate::cli::session::Session;
use crate::cli::status::{ExitStatus, Stop};
use crate::oci::{ImageFile, Reference};

/// An image that may be in several places.
pub(in crate::cli) struct Anywhere {
    /// Its name in the daemon and in its registry.
    pub(in crate::cli) reference: Reference,
    /// Its layout, and the folder that the path begins at.
    pub(in crate::cli) layout: Option<(ImageFile, Utf8PathBuf)>,
}

impl Anywhere {
    /// An image that is known by its name alone.
    pub(super) fn named(reference: Reference) -> Self {
        Self { reference, layout: None }
    }

    pub(in crate::cli) fn has_layout(&self) -> bool {
        self.layout.as_ref().is_some_and(|(file, root)| root.join(&file.path).join("index.json").exists())
    }
}

/// Places that were asked in vain.
#[derive(Default)]
struct Asked {
    lines: Vec<String>,
    hint: Option<String>,
    status: Option<ExitStatus>,
}

impl Asked {
    fn push(&mut self, place: &str, stop: Stop) {
        let text = stop.error.map(|error| format!("{error:#}")).unwrap_or_default();
        let (said, hint) = text.split_once("\nhint: ").unwrap_or((&text, ""));
        self.lines.push(format!("  {place}: {}", said.replace('\n', "\n    ")));
        self.hint = Some(hint.to_owned()).filter(|hint| !hint.is_empty()).or(self.hint.take());
        self.status = self.status.max(Some(stop.status));
    }
}

/// The image where it is first.
pub(super) async fn first(
    host: Option<&str>,
    session: &Session<'_>,
    image: &Anywhere,
) -> Result<Vec<Inspection>, Stop> {
    let mut asked = Asked::default();
    if let Some(inspection) = of_daemon(host, session, &image.reference.to_string(), &mut asked).await? {
        say_when_the_layout_differs(session, image, &inspection);
        return Ok(vec![inspection]);
    }
    match &image.layout {
        Some((file, root)) if image.has_layout() => of_file(file, root),
        _ => of_registry(session, image, asked).await,
    }
}

/// The daemon's image. A daemon that was named has to answer.
async fn of_daemon(
    host: Option<&str>,
    session: &Session<'_>,
    reference: &str,
    asked: &mut Asked,
) -> Result<Option<Inspection>, Stop> {
    let docker = match daemon::connect(session, host).await {
        Ok(docker) => docker,
        Err(stop) if stop.status == ExitStatus::Environment && host.is_none() => {
            asked.push("Docker daemon", stop);
            return Ok(None);
        }
        Err(stop) => return Err(stop),
    };
    let found = inspect(&docker, reference).await?;
    if found.is_none() {
        asked.push("Docker daemon", Stop::refused(anyhow!("it does not have it")));
    }
    Ok(found)
}

/// The images of the registry; when it has none, all that was tried.
async fn of_registry(session: &Session<'_>, image: &Anywhere, mut asked: Asked) -> Result<Vec<Inspection>, Stop> {
    let stop = match in_registry(session, image).await {
        Ok(found) => return Ok(found),
        Err(stop) => stop,
    };
    if let Some((file, _)) = &image.layout {
        asked.push(&file.to_string(), Stop::refused(anyhow!("there is none")));
    }
    asked.push("registry", stop);
    let built = || format!("build it with `{} build`, or check the name", session.program);
    let hint = match asked.hint {
        Some(hint) if image.layout.is_none() => hint,
        _ => built(),
    };
    let lines = asked.lines.join("\n");
    let error = anyhow!("there is no image {} to be had\n{lines}\nhint: {hint}", image.reference);
    Err(Stop { status: asked.status.unwrap_or(ExitStatus::Environment), error: Some(error) })
}

async fn in_registry(session: &Session<'_>, image: &Anywhere) -> Result<Vec<Inspection>, Stop> {
    let (reference, word) = (&image.reference, image.reference.to_string());
    if image.layout.is_some() && !word.starts_with(&format!("{}/", reference.registry())) {
        // the default of others is no place where this workspace has put anything
        return Err(Stop::refused(anyhow!("groupage.toml names none for images of this workspace")));
    }
    let loaded = if session.is_in_workspace()? { Some(session.load_manifests()?) } else { None };
    let client = crate::cli::registry::impatient_client(session, loaded.as_ref(), [reference])?;
    let found = registry::images(&client, reference, DESCRIPTION, LIMIT as u64).await.map_err(daemon::stop)?;
    let index = found.index.map(|digest| digest.to_string());
    let images = found.images.into_iter().map(|seen| {
        let inspection = of_looked(&word, seen.looked)?;
        Ok(Inspection { index: index.clone(), is_searched: seen.is_searched, ..inspection })
    });
    images.collect()
}

/// What was built last may be in the layout alone: then the daemon's image is an older one.
fn say_when_the_layout_differs(session: &Session<'_>, image: &Anywhere, shown: &Inspection) {
    let Some((file, root)) = image.layout.as_ref().filter(|_| image.has_layout()) else { return };
    let Ok(others) = of_file(file, root) else { return };
    if others.iter().all(|other| other.fingerprint() != shown.fingerprint()) {
        session.output.message(&format!("note: this is the daemon's image; {file} holds another build"));
    }
}
