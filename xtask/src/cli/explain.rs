//! `explain why`: who asked for a component or a feature, as `cargo tree --invert` would draw it. `explain build` is in
//! [`build`], `explain value` in [`value`].

pub(super) mod against;
pub(super) mod build;
mod found;
mod value;

use super::args::{Explain, ExplainArguments, FeatureArguments};
use super::session::Session;
use super::status::{ExitStatus, Stop};
use crate::diagnostic::closest;
use crate::resolve::{ImageSelector, Node, ResolvedImage};

pub(super) fn run(arguments: &ExplainArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    match &arguments.what {
        Explain::Why { subject, image, features } => why(subject, image.as_ref(), features, session),
        Explain::Value { key, format } => value::run(key, *format, session),
        Explain::Build { selection, against, format } => build::run(
            &build::Question {
                selection: selection.selection(false),
                against: against.against.as_deref(),
                host: against.host.as_deref(),
                format: *format,
            },
            session,
        ),
    }
}

fn why(
    subject: &str,
    image: Option<&ImageSelector>,
    features: &FeatureArguments,
    session: &Session<'_>,
) -> Result<ExitStatus, Stop> {
    let loaded = session.load()?;
    let resolution = session.resolve(&loaded, &features.selection(image.cloned().into_iter().collect(), false))?;
    let found: Vec<(&ResolvedImage<'_>, Node)> =
        resolution.images.iter().filter_map(|image| Some((image, find(image, subject)?))).collect();
    if found.is_empty() {
        return Err(not_found(subject, &resolution.images, &loaded.manifests));
    }
    let several = found.len() > 1;
    let mut text = String::new();
    for (image, node) in &found {
        if several {
            text.push_str(&format!("in {}\n", image.id()));
        }
        text.push_str(&image.reasons.tree(node));
    }
    session.output.data(&text)?;
    Ok(ExitStatus::Done)
}

/// What a word names in an image: a component, a feature of the image, or a feature of a component.
fn find(image: &ResolvedImage<'_>, subject: &str) -> Option<Node> {
    let names = |node: &&Node| match node {
        Node::Component(component) => component.as_str() == subject,
        Node::ImageFeature(_, feature) => feature.as_str() == subject,
        Node::ComponentFeature(component, feature) => format!("{component}/{feature}") == subject,
        Node::Image(_) | Node::Request(_) => false,
    };
    let mut nodes: Vec<&Node> = image.reasons.nodes().filter(names).collect();
    // a component comes before a feature of the same name
    nodes.sort_by_key(|node| !matches!(node, Node::Component(_)));
    nodes.first().map(|node| (*node).clone())
}

/// What is in none of the images exits with 1: the question was good and the answer is no. An unknown name exits with 2.
fn not_found(subject: &str, images: &[ResolvedImage<'_>], manifests: &crate::manifest::Manifests) -> Stop {
    let ids: Vec<String> = images.iter().map(ResolvedImage::id).collect();
    let components = manifests.components.values().flat_map(|component| {
        let name = &component.name.value;
        let features = component.features.names().into_iter().map(move |feature| format!("{name}/{feature}"));
        std::iter::once(name.to_string()).chain(features)
    });
    let features = images.iter().flat_map(|image| image.definition.features.names()).map(String::from);
    let names: Vec<String> = components.chain(features).collect();
    if names.iter().any(|name| name == subject) {
        return Stop::refused(anyhow::anyhow!(
            "`{subject}` is not in {} with these features\nhint: `list` shows which features bring it",
            ids.join(", ")
        ));
    }
    let close = closest(subject, names.iter().map(String::as_str));
    let hint =
        close.map(|close| format!("did you mean `{close}`?")).unwrap_or_else(|| "`list` shows all names".to_owned());
    Stop::input(anyhow::anyhow!("there is no component or feature `{subject}`\nhint: {hint}"))
}
