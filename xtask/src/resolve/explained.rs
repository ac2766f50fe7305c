//! Who decides a value, and who would have: what `explain value` shows.

use super::fields::{self, CONTRACT, Field};
use super::look::{known_keys, mirror};
use super::outside;
use super::value::{Candidate, Overrides, ValueSource};
use crate::diagnostic::Diagnostic;
use crate::manifest::{BuildKind, Manifests};
use crate::oci::{ImageSource, redacted};
use crate::source::Span;

/// A value, who decides it, and who would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Its key.
    pub key: String,
    /// What it is; nothing when nobody says it.
    pub value: Option<String>,
    /// All that is said of it, in the order of strength. Of a reference, of its fields too.
    pub said: Vec<Saying>,
    /// Where the reference is had, when that is a mirror.
    pub mirrored: Option<String>,
}

/// What one source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    /// The key that it says it of: the one that was asked for, or that of a field.
    pub key: String,
    /// What it says, without secrets.
    pub value: String,
    /// The source; nothing is built in.
    pub source: Option<ValueSource>,
    /// Where it stands, when that is a file.
    pub place: Option<Span>,
    /// Whether it counts.
    pub wins: bool,
}

/// Explains the value of a key.
///
/// # Errors
/// A key that is none; overrides that are wrong.
pub fn explain_value(manifests: &Manifests, overrides: &Overrides, key: &str) -> Result<Explained, Vec<Diagnostic>> {
    let wrong = overrides.unused(|| known_keys(manifests));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let known = known_keys(manifests);
    let key = key.strip_suffix(".image").filter(|short| known.iter().any(|own| own == short)).unwrap_or(key);
    if !known.iter().any(|own| own == key) {
        let unknown = Diagnostic::error("unknown-key", format!("`{key}` is not a key that can be set"));
        let whole: Vec<&str> = known.iter().map(String::as_str).filter(|key| !fields::is_field(key)).collect();
        let all = format!("keys: {}", whole.join(", "));
        return Err(vec![unknown.suggest(key, known.iter().map(String::as_str), Some(all))]);
    }
    let owner = key.strip_suffix(".image").unwrap_or(key);
    if is_reference(key) { reference(manifests, overrides, key, owner) } else { Ok(plain(manifests, overrides, key)) }
}

/// Whether the value of a key is a reference whose fields can be set.
fn is_reference(key: &str) -> bool {
    let segments: Vec<&str> = key.split('.').collect();
    matches!(segments[..], ["bases" | "builders", _] | ["components", _, "image"] | ["components", _, "images", _])
}

fn plain(manifests: &Manifests, overrides: &Overrides, key: &str) -> Explained {
    let mut said: Vec<Saying> = overrides.candidates(key).map(|found| saying(key, &found)).collect();
    said.extend(written(manifests, key));
    said.extend(built_in(manifests, key));
    if let Some(first) = said.first_mut() {
        first.wins = true;
    }
    let value = said.first().map(|first| first.value.clone());
    Explained { key: key.to_owned(), value, said, mirrored: None }
}

fn reference(
    manifests: &Manifests,
    overrides: &Overrides,
    key: &str,
    owner: &str,
) -> Result<Explained, Vec<Diagnostic>> {
    let mut explained = plain(manifests, overrides, key);
    let whole_rank = overrides.candidates(key).next().map(|found| found.rank);
    let fields = Field::ALL.iter().map(|field| field.as_str()).chain([CONTRACT]);
    let mut of_fields = Vec::new();
    for field in fields.map(|field| format!("{owner}.{field}")) {
        let found = overrides.candidates(&field).enumerate();
        of_fields.extend(found.map(|(place, found)| {
            let wins = place == 0 && whole_rank.is_none_or(|whole| found.rank <= whole);
            Saying { wins, ..saying(&field, &found) }
        }));
    }
    explained.said.splice(0..0, of_fields);
    let written = written_source(manifests, key);
    let subject = fields::Subject { key, owner, written: written.as_ref(), contract: None };
    let mapping = mirror(manifests, overrides)?;
    let said = fields::Said::of(overrides, &subject);
    let found = said.and_then(|said| fields::resolve(&said, &subject, mapping.as_ref()));
    let found = found.map_err(|problem| vec![problem])?;
    explained.value = found.as_ref().map(|value| redacted(&value.value.to_string()));
    explained.mirrored = found.and_then(|found| match (&found.value, mapping) {
        (ImageSource::Registry(reference), Some(mapping)) if found.source == ValueSource::Manifest => {
            mapping.map(reference).ok().filter(|there| there != reference).map(|there| there.to_string())
        }
        _ => None,
    });
    Ok(explained)
}

fn saying(key: &str, found: &Candidate<'_>) -> Saying {
    let (key, value) = (key.to_owned(), redacted(found.value));
    Saying { key, value, source: Some(found.source.clone()), place: found.place, wins: false }
}

/// What a manifest says.
fn written(manifests: &Manifests, key: &str) -> Option<Saying> {
    let settings = &manifests.settings;
    let segments: Vec<&str> = key.split('.').collect();
    let image = |name: &str| manifests.images.iter().find(|(own, _)| own.as_str() == name).map(|(_, image)| image);
    let (value, place) = match segments[..] {
        ["bases", name] => {
            let (_, base) = settings.bases.iter().find(|(own, _)| own.as_str() == name)?;
            (base.image.value.to_string(), base.image.span)
        }
        ["builders", name] => {
            let (_, builder) = settings.builders.iter().find(|(own, _)| own.as_str() == name)?;
            (builder.image.value.to_string(), builder.image.span)
        }
        ["components", name, "image"] => {
            let (_, component) = manifests.components.iter().find(|(own, _)| own.as_str() == name)?;
            let BuildKind::Image(build) = &component.build.kind else { return None };
            (build.image.value.to_string(), build.image.span)
        }
        ["components", _, "images", _] => {
            outside::find(manifests, key).map(|own| (own.image.value.to_string(), own.image.span))?
        }
        ["images", name, "base"] => image(name).map(|image| (image.base.value.to_string(), image.base.span))?,
        ["images", name, "mode"] => image(name).map(|image| (image.mode.value.to_string(), image.mode.span))?,
        ["images", _, "registry"] | ["registry", "default"] => {
            settings.registry.as_ref().map(|own| (own.value.as_str().to_owned(), own.span))?
        }
        ["images", name, "repository"] => image(name).map(|image| (image.name.value.to_string(), image.name.span))?,
        ["registry", "mirror"] => {
            settings.mirror.registry.as_ref().map(|own| (own.value.as_str().to_owned(), own.span))?
        }
        ["registry", "mirror-mode"] => settings.mirror.mode.as_ref().map(|own| (own.value.to_string(), own.span))?,
        ["build", "network"] => settings.network.as_ref().map(|own| (own.value.as_str().to_owned(), own.span))?,
        _ => return None,
    };
    let (key, source) = (key.to_owned(), Some(ValueSource::Manifest));
    Some(Saying { key, value: redacted(&value), source, place: Some(place), wins: false })
}

fn written_source(manifests: &Manifests, key: &str) -> Option<ImageSource> {
    written(manifests, key)?.value.parse().ok()
}

/// What is so when nobody says anything.
fn built_in(manifests: &Manifests, key: &str) -> Option<Saying> {
    let segments: Vec<&str> = key.split('.').collect();
    let value = match segments[..] {
        ["build", "network"] => "default",
        ["registry", "mirror-mode"] if manifests.settings.mirror.registry.is_some() => "replace-host",
        _ => return None,
    };
    Some(Saying { key: key.to_owned(), value: value.to_owned(), source: None, place: None, wins: false })
}
