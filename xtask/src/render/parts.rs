//! A Dockerfile taken apart: the stage of each component alone, and an image put together from images of those.
//!
//! Docker 20.10 knows neither named contexts nor uploads of what has changed only, so that a request for a whole image
//! sends the files of all its components again. Built from its own small context, a component is sent when it has changed, once,
//! however many images hold it; the image is then put together by the same Dockerfile, in which each stage is replaced by
//! `FROM` the image of the component. The file that people read, and that is checked in, stays whole.
//!
//! **It is detected, not guessed, whether that may be done.** A workspace may bring templates of its own. The stage of a
//! component is rendered alone; it must stand in the whole Dockerfile, word for word and once, and nothing on either side
//! of the cut may need the other one: no name of an inner stage, no stage by number, no file of the context, no global
//! argument, no directive of the parser. Otherwise there are no parts, and the image is built by one request.
//!
//! **What it costs**: a request of its own for each component that is new, about a tenth of a second of the daemon's processor
//! time with Docker 20.10, of which more than half is the request itself, however small. Everything new is dearer by that than
//! one request for each image; every later build is cheaper by all that did not change. Images that need no container are not
//! made of parts at all where the daemon takes layers: the engine loads them.
//!
//! **The key of a part** covers what it is built from: the fingerprint on its platform, whether the base is `scratch` (files lie
//! otherwise there, see `layout.rs`), the text of its stage, and the network. A part is known by its key, and
//! whatever image needs it finds it.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Templates, view};
use crate::manifest::ComponentName;
use crate::oci::Platform;
use crate::plan::{ImagePlan, fingerprint};

/// The name of all images of components, without component and tag. The host cannot exist (RFC 6761, section 6.4): a daemon
/// that does not have the image fails at once, and nobody can serve one in its place.
pub const REPOSITORY: &str = "groupage.invalid/component";

/// Label that names the component of such an image.
pub const COMPONENT_LABEL: &str = "dev.groupage.component";

/// Digits of the key in the tag.
const TAG: usize = 32;

/// The stage of one component, to be built alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The component.
    pub component: ComponentName,
    /// Its Dockerfile: the stage as it stands in that of the image.
    pub dockerfile: String,
    /// SHA-256 over everything that it is built from, in hex.
    pub key: String,
}

impl Part {
    /// The image of the component.
    pub fn reference(&self) -> String {
        format!("{REPOSITORY}/{}:{}", self.component, self.key.get(..TAG).unwrap_or(&self.key))
    }

    /// The stage, when its files come from the image.
    fn stage(&self) -> String {
        format!("FROM {} AS {}\n", self.reference(), stage_name(&self.component))
    }
}

/// The component of a part, by the reference of its image.
pub fn component_of(reference: &str) -> Option<&str> {
    reference.strip_prefix(REPOSITORY)?.strip_prefix('/')?.split_once(':').map(|(component, _)| component)
}

/// The components of an image that have files, each with its stage. `dockerfile` is that of the image. `None` when an image
/// put together from them could be another one.
pub fn parts(plan: &ImagePlan, dockerfile: &str, templates: &Templates, platform: &Platform) -> Option<Vec<Part>> {
    let components = plan.components.iter().zip(view::stages(plan)).filter(|(_, view)| view.has_files());
    let parts: Vec<Part> = components
        .map(|(component, view)| {
            let dockerfile = templates.stage(&view)?;
            let fingerprint = fingerprint::on_platform(&component.fingerprint, platform);
            // on `scratch` the files of a component lie otherwise in its context, which no line of the stage need show
            let is_scratch = plan.base.image.is_none();
            let key = fingerprint::text(&json!([fingerprint, is_scratch, plan.network, dockerfile]).to_string());
            Some(Part { component: component.name.clone(), dockerfile, key })
        })
        .collect::<Option<_>>()?;
    let cut = parts.iter().try_fold(dockerfile.to_owned(), |text, part| cut(&text, part, ""))?;
    (is_plain(&cut) && is_apart(&cut, &parts)).then_some(parts)
}

/// The Dockerfile of an image, with each stage of a component replaced by its image.
pub fn assembly(dockerfile: &str, parts: &[Part]) -> String {
    let replaced = |text: String, part: &Part| cut(&text, part, &part.stage()).unwrap_or(text);
    parts.iter().fold(dockerfile.to_owned(), replaced)
}

/// Replaces the stage of a part, which must be there once, as whole lines.
fn cut(text: &str, part: &Part, by: &str) -> Option<String> {
    let (before, after) = text.split_once(&part.dockerfile)?;
    let is_whole = before.is_empty() || before.ends_with('\n');
    (is_whole && part.dockerfile.ends_with('\n') && !after.contains(&part.dockerfile))
        .then(|| [before, by, after].concat())
}

/// Whether the text around the stages neither changes how they are read nor takes a file that is not its own.
fn is_plain(rest: &str) -> bool {
    let directives = rest.lines().take_while(|line| line.starts_with('#')).any(is_directive);
    let own = format!("\"{}/", view::DESCRIPTION_FOLDER);
    let is_mount_of_context = |word: &&str| {
        word.starts_with("--mount=")
            && !word.contains("from=")
            && (word.contains("type=bind") || !word.contains("type="))
    };
    let takes_files = |words: &[&str]| match words[0].to_ascii_uppercase().as_str() {
        "COPY" | "ADD" => !words.iter().any(|word| word.starts_with("--from=") || word.contains(&own)),
        "RUN" => words.iter().any(is_mount_of_context),
        _ => false,
    };
    let all = instructions(rest);
    let global = all.first().is_some_and(|words| words[0].eq_ignore_ascii_case("ARG"));
    !directives && !global && !all.iter().any(|words| takes_files(words))
}

/// `# name=value`; <https://docs.docker.com/reference/dockerfile/#parser-directives>
fn is_directive(line: &str) -> bool {
    let name = line.strip_prefix('#').and_then(|line| line.split_once('=')).map(|(name, _)| name.trim());
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Whether each text uses its own stages only, and the rest that of each component.
fn is_apart(rest: &str, parts: &[Part]) -> bool {
    let names =
        |text: &str| -> BTreeSet<String> { instructions(text).iter().filter_map(|words| defined(words)).collect() };
    let inner: Vec<BTreeSet<String>> = parts.iter().map(|part| names(&part.dockerfile)).collect();
    let ends_well = parts.iter().all(|part| {
        let all = instructions(&part.dockerfile);
        let last = all.iter().rev().find(|words| words[0].eq_ignore_ascii_case("FROM"));
        last.and_then(|words| defined(words)) == Some(stage_name(&part.component))
    });
    let all: BTreeSet<String> = inner.iter().flatten().cloned().chain(names(rest)).collect();
    let public: BTreeSet<String> = parts.iter().map(|part| stage_name(&part.component)).collect();
    let uses_only = |text: &str, own: &BTreeSet<String>| {
        let mut used = instructions(text).into_iter().flat_map(|words| used(&words));
        used.all(|name| own.contains(&name) || !(all.contains(&name) || name.bytes().all(|byte| byte.is_ascii_digit())))
    };
    let of_rest = names(rest).union(&public).cloned().collect();
    ends_well
        && uses_only(rest, &of_rest)
        && parts.iter().zip(&inner).all(|(part, own)| uses_only(&part.dockerfile, own))
}

fn stage_name(component: &ComponentName) -> String {
    format!("comp-{component}")
}

/// The words of each instruction, continued lines joined; the first one in capitals decides, as generated files have it.
fn instructions(text: &str) -> Vec<Vec<&str>> {
    let mut all: Vec<Vec<&str>> = Vec::new();
    let mut is_continued = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words = line.trim_end_matches('\\').split_whitespace();
        match all.last_mut() {
            Some(last) if is_continued => last.extend(words),
            _ => all.push(words.collect()),
        }
        is_continued = line.ends_with('\\');
    }
    all.retain(|words| !words.is_empty());
    all
}

/// The stage that a `FROM` names.
fn defined(words: &[&str]) -> Option<String> {
    let position = words.iter().position(|word| word.eq_ignore_ascii_case("as"))?;
    words.get(position + 1).filter(|_| words[0].eq_ignore_ascii_case("from")).map(|name| name.to_ascii_lowercase())
}

/// What an instruction takes from stages or images.
fn used(words: &[&str]) -> Vec<String> {
    let base =
        words.iter().skip(1).find(|word| !word.starts_with("--")).filter(|_| words[0].eq_ignore_ascii_case("from"));
    let flags =
        words.iter().filter(|word| word.starts_with("--")).flat_map(|word| word.trim_start_matches('-').split(','));
    let from = flags.filter_map(|flag| flag.strip_prefix("from="));
    base.copied().into_iter().chain(from).map(str::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests;
