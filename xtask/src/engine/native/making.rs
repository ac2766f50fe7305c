//! The layers of one image, written on threads, told as steps.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::layer::LayerError;
use super::progress::Steps;
use super::shelf::{LayerPlan, Request, Shelved, provide};
use super::{blocking, layer_name, local};
use crate::engine::EngineError;
use crate::engine::store::Store;
use crate::manifest::ComponentName;
use crate::oci::{Compression, Layer};

/// How the layers of an image are made.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Making<'a> {
    /// The job, for errors.
    pub(in crate::engine) image: &'a str,
    /// Where layers are kept.
    pub(in crate::engine) store: &'a Store,
    /// How they are stored.
    pub(in crate::engine) compression: Compression,
    /// Make every layer again.
    pub(in crate::engine) no_cache: bool,
    /// Make the layers of these components again.
    pub(in crate::engine) no_cache_filter: &'a BTreeSet<ComponentName>,
}

impl Making<'_> {
    /// Provides layers in the order in which they are wanted; a job that is dropped stops it.
    ///
    /// # Errors
    /// A file is not what the plan saw, or the store refuses.
    pub(in crate::engine) async fn layers(
        &self,
        wanted: Vec<LayerPlan>,
        steps: &Arc<Steps>,
    ) -> Result<Vec<Layer>, EngineError> {
        let (store, steps, compression) = (self.store.clone(), steps.clone(), self.compression);
        let (all, some) = (self.no_cache, self.no_cache_filter.clone());
        let made = blocking(move |cancelled| {
            let on_done = |plan: &LayerPlan, shelved: &Shelved| {
                let name = match (&plan.whole, plan.component()) {
                    (Some(whole), Some(component)) => {
                        format!("[comp-{component}] layer {:.19} as it is", whole.layer.digest.to_string())
                    }
                    _ => format!("[{}] layer", plan.name),
                };
                if shelved.cached { steps.cached(name) } else { steps.done(&steps.begin(name)) }
            };
            let is_anew = |plan: &LayerPlan| all || some.iter().any(|name| plan.name == layer_name(name));
            provide(Request { store: &store, compression, is_anew: &is_anew, cancelled, on_done: &on_done }, &wanted)
        });
        let made = made.await.map_err(|error| layer_error(self.image, error))?;
        Ok(made.into_iter().map(|shelved| shelved.layer).collect())
    }
}

fn layer_error(image: &str, error: LayerError) -> EngineError {
    match error {
        LayerError::File { path, detail } => EngineError::Context { path, detail },
        LayerError::Store(error) => local(format!("write the layers of {image}"))(error),
        LayerError::Cancelled => EngineError::Cancelled,
    }
}
