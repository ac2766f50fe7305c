//! The contract of an image, proved on its bytes. Pure: whoever calls has read the image.
//!
//! ```text
//! Image (platform, configuration, file tree) ─┐
//! Contents (what is known of bytes) ──────────┼─▶ run ─▶ findings
//! ImagePlan, where there is one ──────────────┘
//! ```
//!
//! | file | is |
//! |---|---|
//! | `image.rs` | [`Image`], and [`Config`]: what its configuration says |
//! | `contract.rs` | [`Contract`]: what the image promises, by its own description |
//! | `facts.rs`, `elf.rs`, `layers.rs` | what is known of the bytes of a file, and of all files of a layer |
//! | `follow.rs` | where a path leads to, and why it leads nowhere |
//! | `access.rs` | whether a user may start a file |
//! | `loader.rs`, `libc.rs` | what a loader looks for, and where |
//! | `start.rs` | what happens when a program is started |
//! | `checks/` | the checks, one file each |
//! | `source/` | what is known of an image that a component is made of |
//! | `text_form.rs` | texts in records |
//! | `sample.rs` | programs for tests |
//!
//! **Nothing is believed**: images of strangers pass here. No link is followed more than Linux does, no list is longer than
//! something that runs has it, and nothing here calls itself without an end.

mod access;
mod checks;
mod contract;
mod elf;
mod facts;
mod follow;
mod image;
mod layers;
mod libc;
mod loader;
mod pe;
pub mod sample;
mod source;
mod start;
mod text_form;

pub use checks::CHECKS;
pub use contract::{Component, Contract, Declared, Role};
pub use elf::Elf;
pub use facts::{CAPABILITY, Contents, Facts, HEAD, MAX_TEXT, Nature, Script, is_text};
pub use image::{Config, Image};
pub use layers::{LayerFacts, Layers, read as read_layer};
pub use pe::pe_machine;
pub use source::{
    Command, Distribution, Linkage, NamedBase, Package, Packages, ProgramFacts, SourceFacts, SourceUser,
    source_differences, source_facts,
};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::oci::Platform;
use crate::plan::{ImagePlan, fingerprint};
use crate::render::{self, DESCRIPTION};

/// The name of the empty base.
const SCRATCH: &str = "scratch";
/// The label that names the base.
const BASE_NAME: &str = "org.opencontainers.image.base.name";

/// One thing that every image is looked at for.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Codes of what it finds, with one line for each.
    pub codes: &'static [(&'static str, &'static str)],
    /// Why it is looked for.
    pub reason: &'static str,
    check: fn(&Subject<'_>, &mut Findings),
}

impl Check {
    /// One whose findings somebody else makes.
    pub const fn without_bytes(codes: &'static [(&'static str, &'static str)], reason: &'static str) -> Self {
        Self { codes, reason, check: |_, _| () }
    }
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The image does not keep its contract.
    Error,
    /// Something that could not be looked at, or is worth knowing.
    Note,
}

/// Something that was found in an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The platform of the image.
    pub platform: Platform,
    /// Stable name of what was found.
    pub code: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What it is, in words.
    pub message: String,
    /// The path in the image that it is about.
    pub path: Option<String>,
    /// The component.
    pub component: Option<String>,
    /// The role.
    pub role: Option<String>,
}

/// What checks look at.
struct Subject<'a> {
    image: &'a Image,
    contents: &'a dyn Contents,
    contract: &'a Contract,
    /// What the image should promise, and the labels that it should have.
    planned: Option<&'a Planned>,
    /// How many of its layers, from the lowest on, are those of its base.
    base_layers: Option<u16>,
}

/// What a plan says an image of one platform has to be.
#[derive(Debug, Clone)]
pub struct Planned {
    contract: Contract,
    /// SHA-256 of files in hex, by path.
    digests: BTreeMap<String, String>,
    fingerprint: String,
    /// Whether the fingerprint covers what an engine found when it built the image.
    is_known: bool,
}

/// What was found, in the order in which it was.
struct Findings {
    platform: Platform,
    list: Vec<Finding>,
}

/// Looks at one image of one platform.
pub fn run(image: &Image, contents: &dyn Contents, planned: Option<&Planned>) -> Vec<Finding> {
    let mut findings = Findings { platform: image.platform.clone(), list: Vec::new() };
    let described = match described(image, contents) {
        Ok(contract) => Some(contract),
        Err(why) => {
            let message = format!("the image does not say what is in it: {why}");
            findings.error("no-description", message).at(DESCRIPTION);
            None
        }
    };
    if let Some(contract) = described.as_ref().or(planned.map(|planned| &planned.contract)) {
        let base_layers = image.base_layers.or((contract.base == SCRATCH).then_some(0));
        let subject = Subject { image, contents, contract, planned, base_layers };
        CHECKS.iter().for_each(|check| (check.check)(&subject, &mut findings));
    }
    findings.finish()
}

/// The description in an image.
///
/// # Errors
/// Why there is none, in words.
pub fn described(image: &Image, contents: &dyn Contents) -> Result<Contract, String> {
    let facts = follow::file(&image.rootfs, DESCRIPTION)
        .map_err(|why| format!("{DESCRIPTION} {why}"))
        .and_then(|(_, _, source)| contents.facts(source))?;
    let text = facts.text.as_deref().ok_or_else(|| format!("{DESCRIPTION} is too large"))?;
    Contract::parse(text).map_err(|error| format!("{DESCRIPTION} cannot be read: {error}"))
}

impl Planned {
    /// What a plan of one platform asks for. `is_known` says whether it has all that an engine found for the image: without that
    /// another fingerprint proves nothing.
    pub fn of(plan: &ImagePlan, is_known: bool) -> Self {
        let text = render::description(plan);
        // it was written just now, from names that are no empty ones
        let contract = Contract::parse(text.as_bytes()).unwrap_or_default();
        let digests = plan.components.iter().flat_map(fingerprint::digests);
        let digests = digests.map(|(path, digest)| (path.to_owned(), digest.to_owned())).collect();
        Self { contract, digests, fingerprint: plan.fingerprint.clone(), is_known }
    }
}

impl Subject<'_> {
    /// What the image stands on, in words.
    fn ground(&self) -> String {
        let label = self.image.config.label(BASE_NAME);
        match if label.is_empty() { self.contract.base.as_str() } else { label } {
            "" => "its base".to_owned(),
            name => format!("the base `{name}`"),
        }
    }
}

impl Findings {
    fn error(&mut self, code: &'static str, message: String) -> &mut Finding {
        self.push(code, Level::Error, message)
    }

    fn note(&mut self, code: &'static str, message: String) -> &mut Finding {
        self.push(code, Level::Note, message)
    }

    fn push(&mut self, code: &'static str, level: Level, message: String) -> &mut Finding {
        let platform = self.platform.clone();
        let finding = Finding { platform, code, level, message, path: None, component: None, role: None };
        self.list.push(finding);
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// The findings, each once, errors first.
    fn finish(mut self) -> Vec<Finding> {
        self.list.sort_by_key(|finding| finding.level);
        let mut seen = BTreeSet::new();
        self.list.retain(|finding| seen.insert((finding.code, finding.message.clone(), finding.path.clone())));
        self.list
    }
}

impl Finding {
    /// A finding that no check of this module makes.
    pub fn new(platform: &Platform, code: &'static str, level: Level, message: String) -> Self {
        Self { platform: platform.clone(), code, level, message, path: None, component: None, role: None }
    }

    /// About a path of the image.
    pub fn at(&mut self, path: &str) -> &mut Self {
        self.path = Some(path.to_owned());
        self
    }

    /// About a component.
    pub fn of(&mut self, component: &str) -> &mut Self {
        self.component = Some(component.to_owned());
        self
    }

    /// About a role of a component.
    pub fn of_role(&mut self, component: &str, role: &str) -> &mut Self {
        self.role = Some(role.to_owned());
        self.of(component)
    }
}

/// `error[missing-program] linux/amd64: …`, with names of strangers made safe to show.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = if self.level == Level::Error { "error" } else { "note" };
        let message: String = self.message.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        write!(f, "{level}[{}] {}: {message}", self.code, self.platform)
    }
}

#[cfg(test)]
mod tests;
