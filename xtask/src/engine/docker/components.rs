//! Images of single components in the daemon, which merged images are made of. They are known by a label.

use std::collections::BTreeMap;

use bollard::query_parameters::{ListImagesOptionsBuilder, RemoveImageOptionsBuilder};

use super::{Docker, errors, images};
use crate::engine::EngineError;
use crate::render::parts::COMPONENT_LABEL;

/// An image with the label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentImage {
    /// Image ID.
    pub id: String,
    /// Its references, sorted.
    pub tags: Vec<String>,
    /// What the label says.
    pub component: String,
    /// Bytes of all layers, those that other images have as well included.
    pub size: u64,
}

impl Docker {
    /// All images with the label, in one question, sorted by label, references and ID.
    ///
    /// # Errors
    /// Whatever the daemon says.
    pub async fn component_images(&self) -> Result<Vec<ComponentImage>, EngineError> {
        let filters = BTreeMap::from([("label", vec![COMPONENT_LABEL])]);
        let options = ListImagesOptionsBuilder::default().filters(&filters.into_iter().collect()).build();
        let listed = self.api.list_images(Some(options)).await;
        let listed = listed.map_err(|error| errors::other("list component images", &error))?;
        let image = |mut summary: bollard::models::ImageSummary| {
            summary.repo_tags.retain(|tag| tag != "<none>:<none>");
            summary.repo_tags.sort();
            ComponentImage {
                id: summary.id,
                tags: summary.repo_tags,
                component: summary.labels.remove(COMPONENT_LABEL).unwrap_or_default(),
                size: u64::try_from(summary.size).unwrap_or_default(),
            }
        };
        let mut found: Vec<ComponentImage> = listed.into_iter().map(image).collect();
        found.sort_by(|a, b| (&a.component, &a.tags, &a.id).cmp(&(&b.component, &b.tags, &b.id)));
        Ok(found)
    }

    /// Takes a name from an image, which goes when it has no other. False when it is not there. What a container uses stays.
    ///
    /// # Errors
    /// The daemon refuses, or [`EngineError::InvalidReference`].
    pub async fn remove_name(&self, reference: &str) -> Result<bool, EngineError> {
        let options = RemoveImageOptionsBuilder::default().force(false).noprune(false).build();
        match self.api.remove_image(images::checked_name(reference)?, Some(options), None).await {
            Ok(_) => Ok(true),
            Err(error) if errors::is_not_found(&error) => Ok(false),
            Err(error) => Err(errors::other(format!("remove {reference}"), &error)),
        }
    }
}
