//! The part of the stamp that is asked for with `[build] stamp`: what is said of the sources in the labels of an image.

use super::session::{Loaded, Session};
use super::status::Stop;
use crate::manifest::StampLabel;
use crate::oci::rfc3339;
use crate::plan::Plan;
use crate::workspace;

/// Adds the labels to every image that does not set them itself.
///
/// # Errors
/// A label is asked for, and nobody can tell what it says: an empty one would be a wrong one.
pub(super) fn add(plan: &mut Plan, session: &Session<'_>, loaded: &Loaded) -> Result<(), Stop> {
    let asked = &loaded.manifests.settings.stamp;
    if asked.is_empty() {
        return Ok(());
    }
    let epoch = super::native::epoch(session)?;
    let revision = workspace::revision(&loaded.workspace.root);
    for label in asked {
        let (key, value) = match label.value {
            StampLabel::Revision => {
                ("org.opencontainers.image.revision", revision.as_ref().map(|(commit, _)| commit.clone()))
            }
            StampLabel::Created => {
                let time = epoch.or(revision.as_ref().map(|(_, time)| *time));
                ("org.opencontainers.image.created", time.map(rfc3339))
            }
        };
        let value = value.ok_or_else(|| {
            Stop::input(anyhow::anyhow!(
                "`[build] stamp` asks for {key}, and git knows no commit here\n\
                 hint: build in a clone with a commit, or take it out of `stamp` in groupage.toml"
            ))
        })?;
        for image in plan.images.iter_mut().filter(|image| !image.given.labels.contains_key(key)) {
            image.stamp.insert(key.to_owned(), value.clone());
        }
    }
    Ok(())
}
