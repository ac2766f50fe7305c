//! The layers of an image: what made them, whose bytes they are, how many there are.

use serde_json::Value;

use crate::cli::status::Stop;
use crate::engine::native::base::Base;
use crate::engine::native::{component_of, packed_size, unpacked_size};
use crate::engine::store::Store;
use crate::oci::{Compression, Layer};
use crate::plan::{BuildPlan, ImagePlan};
use crate::report::consolidation::{LayerFacts, Owner};

/// What the history of a layer of ours begins with.
const OURS: &str = "groupage ";
/// What the layer of the image itself is called.
const IMAGE: &str = "image";
/// Most characters of what made a layer.
const LONGEST: usize = 60;

/// The layers of an image, all of which are in the store.
pub(super) fn of_stored(base: &Base, plan: Option<&ImagePlan>, store: &Store) -> Result<Vec<LayerFacts>, Stop> {
    let stop = |error| Stop::environment(anyhow::anyhow!("a layer cannot be read: {error}"));
    let config = base.document.value().unwrap_or_default();
    let named = named(&config, base.layers.len(), plan);
    let mut facts = Vec::new();
    for (layer, (name, owner)) in base.layers.iter().zip(named) {
        let bytes = Some(unpacked_size(store, layer).map_err(stop)?);
        let gzip = Some(packed_size(store, layer).map_err(stop)?);
        facts.push(LayerFacts { diff_id: layer.diff_id.0.to_string(), name, owner, bytes, gzip });
    }
    Ok(facts)
}

/// The layers of an image of which only the documents are there.
pub(super) fn of_documents(config: &Value, layers: &[Layer]) -> Vec<LayerFacts> {
    let named = named(config, layers.len(), None);
    let facts = |(layer, (name, owner)): (&Layer, (String, Owner))| LayerFacts {
        diff_id: layer.diff_id.0.to_string(),
        name,
        owner,
        bytes: (layer.compression == Compression::None).then_some(layer.size),
        gzip: (layer.compression != Compression::None).then_some(layer.size),
    };
    layers.iter().zip(named).map(facts).collect()
}

/// What made each of some layers, and whose it is, lowest first.
fn named(config: &Value, count: usize, plan: Option<&ImagePlan>) -> Vec<(String, Owner)> {
    let history = config["history"].as_array().map(Vec::as_slice).unwrap_or_default();
    let made = history.iter().filter(|entry| entry["empty_layer"] != Value::Bool(true));
    let mut words: Vec<&str> = made.map(|entry| entry["created_by"].as_str().unwrap_or_default()).collect();
    if words.len() != count {
        // a history that does not fit tells nothing
        words = vec![""; count];
    }
    let ours = ours(&words);
    let owner = |(index, words): (usize, &&str)| {
        let owner = match (index >= count - ours, words.strip_prefix(OURS)) {
            (true, Some(step)) => owner(step, plan),
            _ if ours > 0 => Owner::Base,
            _ => Owner::Unknown,
        };
        (shortened(words), owner)
    };
    words.iter().enumerate().map(owner).collect()
}

/// How many of the highest layers are ours. A base may be an image of ours as well: its own last layer is where ours begin.
fn ours(words: &[&str]) -> usize {
    let own = words.iter().rev().map_while(|words| words.strip_prefix(OURS)).enumerate();
    own.take_while(|(index, step)| *index == 0 || *step != IMAGE).count()
}

fn owner(step: &str, plan: Option<&ImagePlan>) -> Owner {
    let Some((name, _)) = component_of(step) else { return Owner::Image };
    let part = plan.and_then(|plan| plan.components.iter().find(|part| part.name.as_str() == name));
    match part.map(|part| &part.build) {
        Some(BuildPlan::Cargo { merged, .. }) if !merged.is_empty() => {
            Owner::Program(merged.iter().map(ToString::to_string).collect())
        }
        _ => Owner::Component(name.to_owned()),
    }
}

/// The words that made a layer, on one line.
fn shortened(words: &str) -> String {
    let words = words.strip_prefix(OURS).unwrap_or(words);
    let line: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.is_empty() => "(unnamed)".to_owned(),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(history: &[&str], count: usize, expect: &[(&str, Owner)]) {
        let entries: Vec<Value> = history
            .iter()
            .map(|words| json!({ "created_by": words, "empty_layer": words.starts_with("ENV") }))
            .collect();
        let expect: Vec<(String, Owner)> =
            expect.iter().map(|(name, owner)| ((*name).to_owned(), owner.clone())).collect();
        assert_eq!(named(&json!({ "history": entries }), count, None), expect, "{history:?}");
    }

    #[test]
    fn layers_have_owners() {
        let component = |name: &str| Owner::Component(name.to_owned());
        check(&["groupage comp-a", "groupage image"], 2, &[("comp-a", component("a")), ("image", Owner::Image)]);
        check(
            &["RUN  x\n y", "ENV A=b", "groupage comp-a", "groupage image"],
            3,
            &[("RUN x y", Owner::Base), ("comp-a", component("a")), ("image", Owner::Image)],
        );
        // a base of ours is a base
        check(
            &["groupage comp-b", "groupage image", "groupage comp-a", "groupage image"],
            4,
            &[("comp-b", Owner::Base), ("image", Owner::Base), ("comp-a", component("a")), ("image", Owner::Image)],
        );
        check(&["RUN x"], 1, &[("RUN x", Owner::Unknown)]);
        // a history that does not fit
        check(&["RUN x"], 2, &[("(unnamed)", Owner::Unknown), ("(unnamed)", Owner::Unknown)]);
        check(&[], 0, &[]);
    }
}
