//! How many layers of an image are those of its base: the base's diff IDs must be the beginning of its own.
//!
//! The base is, in this order: what the manifest names; the merged image's own base, where the image stands on it, because then what
//! is above is what the merged image lacks; what the labels of the image name by digest. A label without a digest is not followed:
//! what it names may be another image by now.

use super::super::Native;
use super::super::assemble::Ground;
use super::Documents;
use crate::engine::{EngineError, ErrorClass, Events};
use crate::oci::{BASE_DIGEST, BASE_NAME, DiffId, Digest, ImageSource, Platform, Reference, layers_of_base};
use crate::plan::{AbovePlan, ComponentPlan, SourceBase};
use crate::verify::Config;

/// What is asked: the base of the image that a component is taken from.
pub(super) struct Question<'a> {
    pub(super) part: &'a ComponentPlan,
    pub(super) image: &'a ImageSource,
    pub(super) above: &'a AbovePlan,
    pub(super) documents: &'a Documents,
    /// What the merged image stands on.
    pub(super) ground: &'a Ground,
    pub(super) platform: &'a Platform,
}

impl Native<'_> {
    /// The number of layers below what a component takes.
    pub(super) async fn base_layers(&self, question: &Question<'_>, events: &Events) -> Result<usize, EngineError> {
        let Question { part, image, above, documents, ground, platform } = question;
        let own = &documents.diff_ids;
        let refuse = |detail: String| EngineError::Image { image: image.to_string(), detail, class: ErrorClass::Work };
        match &above.base {
            Some(SourceBase::Scratch) => return Ok(0),
            Some(SourceBase::Image(base)) => {
                let known = self.documents(base, platform, events).await?;
                return layers_of_base(own, &known.diff_ids).map_err(|at| {
                    let hint = "name the base that it was built on with `base` in [build.image], by the digest that it had then";
                    refuse(format!("{}\nhint: {hint}", other_base(own, base, at)))
                });
            }
            None => {}
        }
        let below: Vec<DiffId> = ground.layers.iter().map(|layer| layer.diff_id.clone()).collect();
        if let (false, Ok(count)) = (below.is_empty(), layers_of_base(own, &below)) {
            return Ok(count);
        }
        let config = Config::of(&documents.config.value().unwrap_or_default());
        let ask = |why: String| {
            let hint = format!(
                "name it for component `{}` with `base = \"NAME\"` in [build.image], a name of [bases] in groupage.toml, or \"scratch\"",
                part.name
            );
            refuse(format!("{why}\nhint: {hint}"))
        };
        let base = named(&config).map_err(|why| ask(format!("it is not known what its base is: {why}")))?;
        let known = self.documents(&base, platform, events).await.map_err(|error| {
            let text = error.to_string();
            let why = text.split("\nhint: ").next().unwrap_or_default();
            ask(format!("its labels say that it stands on {base}, which cannot be read: {why}"))
        })?;
        layers_of_base(own, &known.diff_ids)
            .map_err(|at| ask(format!("its labels are not right: {}", other_base(own, &base, at))))
    }
}

fn other_base(own: &[DiffId], base: &ImageSource, at: usize) -> String {
    match own.get(at) {
        Some(layer) => {
            format!("it does not stand on {base}: its layer {} is {layer}, which is another one there", at + 1)
        }
        None => format!("it does not stand on {base}, which has more than its {} layers", own.len()),
    }
}

/// The base that the labels of an image name, by digest.
fn named(config: &Config) -> Result<ImageSource, String> {
    let (name, digest) = (config.label(BASE_NAME), config.label(BASE_DIGEST));
    let reference: Reference = match name {
        "" => return Err(format!("neither is it the merged image's base, nor has it the label {BASE_NAME}")),
        name => name.parse().map_err(|error| format!("its label {BASE_NAME}: {error}"))?,
    };
    if digest.is_empty() && reference.digest().is_none() {
        return Err(format!(
            "its labels name {name} without a digest ({BASE_DIGEST}), which may be another image by now"
        ));
    }
    if digest.is_empty() {
        return Ok(ImageSource::Registry(reference));
    }
    let digest: Digest = digest.parse().map_err(|error| format!("its label {BASE_DIGEST}: {error}"))?;
    Ok(ImageSource::Registry(reference.with_digest(&digest)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bases_of_labels() {
        let digest = Digest::of(b"");
        let check = |name: &str, label: &str, expect: Result<String, &str>| {
            let config = Config::of(&json!({ "config": { "Labels": { BASE_NAME: name, BASE_DIGEST: label } } }));
            match (named(&config), expect) {
                (Ok(found), Ok(expect)) => assert_eq!(found.to_string(), expect),
                (Err(why), Err(expect)) => assert!(why.contains(expect), "{why}"),
                (found, _) => panic!("{found:?}"),
            }
        };
        check("r.example/base:1", &digest.to_string(), Ok(format!("r.example/base:1@{digest}")));
        check(&format!("r.example/base@{digest}"), "", Ok(format!("r.example/base@{digest}")));
        check("r.example/base:1", "", Err("without a digest"));
        check("", &digest.to_string(), Err("nor has it the label"));
        check("A", &digest.to_string(), Err("its label org.opencontainers.image.base.name"));
        check("r.example/base:1", "sha256:1", Err("its label org.opencontainers.image.base.digest"));
    }
}
