//! Under which name an image is published: registry, repository and tag, each of which an override can replace.
//!
//! `images.NAME.registry` replaces `registry.default` for one image, `images.NAME.repository` its name, and `images.NAME.tag`
//! its tags, by one that may be a template as those in `image.toml`; what a variant appends to the tag, and a component of its
//! own to the name, stays.

use super::look::Look;
use super::value::{Value, ValueSource};
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{ImageDefinition, RegistryPath, TagTemplate};

/// Where an image goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Registry and path, if there is one.
    pub registry: Option<Value<RegistryPath>>,
    /// What follows them; the name of the image when nothing else is said.
    pub repository: Value<String>,
    /// What stands in place of the tags of the definition.
    pub tag: Option<Value<TagTemplate>>,
}

impl Output {
    /// Registry, path and repository, without a tag.
    pub fn name(&self) -> String {
        let registry = self.registry.iter().map(|registry| format!("{}/", registry.value.as_str()));
        registry.chain([self.repository.value.clone()]).collect()
    }
}

/// The last segments of the keys of an image's output.
pub(super) const KEYS: [&str; 3] = ["registry", "repository", "tag"];

pub(super) fn output(
    definition: &ImageDefinition,
    default: Option<&Value<RegistryPath>>,
    look: &mut Look<'_>,
) -> Output {
    let name = &definition.name.value;
    let unchanged = Value { value: name.to_string(), source: ValueSource::Manifest };
    if look.overrides.is_empty() {
        return Output { registry: default.cloned(), repository: unchanged, tag: None };
    }
    let registry = look.parsed(&format!("images.{name}.registry")).or_else(|| default.cloned());
    let repository = look.text(&format!("images.{name}.repository"), |text| is_part(&format!("r.io/{text}:1")));
    let tag = look
        .parsed(&format!("images.{name}.tag"))
        .map(|tag: Value<TagTemplate>| Value { value: tag.value.with_variant(), source: tag.source });
    Output { registry, repository: repository.unwrap_or(unchanged), tag }
}

/// Whether a part stands well in a reference that is otherwise good, and brings no other part with it.
fn is_part(reference: &str) -> bool {
    let well = reference.parse::<crate::oci::Reference>();
    well.is_ok_and(|well| well.registry() == "r.io" && well.digest().is_none())
}

impl Look<'_> {
    /// A text that has a form.
    fn text(&mut self, key: &str, is_good: fn(&str) -> bool) -> Option<Value<String>> {
        let found = self.overrides.winner(key).map_err(|problem| self.problems.push(problem)).ok()??;
        if is_good(found.value) {
            return Some(Value { value: found.value.to_owned(), source: found.source });
        }
        let what = key.rsplit('.').next().unwrap_or_default();
        let problem = super::look::invalid(key, &found, &format!("`{}` is no {what} of a reference", found.value));
        self.problems.push(problem);
        None
    }
}

/// Overrides of outputs name one image each: two under one name would overwrite each other, which the plan refuses by tags.
pub(super) fn check_patterns(patterns: &[(String, String)], images: usize, problems: &mut Problems) {
    let all =
        |pattern: &str| pattern.starts_with("images.") && pattern.contains('*') && pattern.ends_with(".repository");
    for (pattern, value) in patterns.iter().filter(|(pattern, _)| images > 1 && all(pattern)) {
        let message = format!("`{pattern}` from --set would give several images the name `{value}`");
        problems.push(Diagnostic::error("duplicate-tag", message).help("name one image"));
    }
}
