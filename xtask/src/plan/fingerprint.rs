//! Fingerprints: a hash over everything that decides what is built.
//!
//! | hashed, per component | why |
//! |---|---|
//! | build kind and its settings | other settings give other bytes |
//! | builder or source image, as it is referred to, the pinned digest included | another image gives other bytes |
//! | path, bytes and executable bit of every input | other inputs give other bytes |
//! | checksum of every crate | it stands for all files of the crate |
//! | files, links and modes in the image | they are the result |
//!
//! | hashed, per image | why |
//! |---|---|
//! | fingerprints of its components | they are in it |
//! | base, as it is referred to, the pinned digest included | it is below them |
//! | user, entry point, environment, ports, labels, roles | they are its configuration and its description |
//! | network and `COPY --link` | they decide what stages may do |
//! | the workspace's own templates | they give another Dockerfile |
//! | [`VERSION`] | a tool that builds otherwise from the same inputs counts it up |
//!
//! Not hashed: times, order, absolute paths, comments, tags, and the version of the tool.
//!
//! **Platforms.** The fingerprint of a component or image that depends on the platform (its files, or what is left out) is a
//! hash of its platforms and of its fingerprints on each of them, so that it covers all; [`ImagePlan::for_platform`] has the one
//! of a single platform, which does not change when another platform does. Where nothing depends on the platform all of
//! them are the same, because the inputs are, and so is `/.groupage/manifest.json` in the images of all platforms. What is
//! compiled from the same inputs still differs: whoever keeps results of builds keeps them by [`on_platform`], the fingerprint
//! that includes the platform.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::model::{ComponentPlan, ImagePlan};
use crate::oci::{Platform, hex};

/// Label that says the fingerprint of an image. It is no line of the Dockerfile, which is checked in and would be another one
/// after every change of a source; engines add it.
pub const LABEL: &str = "dev.groupage.fingerprint";

/// Counted up when the tool builds otherwise from the same inputs.
pub const VERSION: u32 = 2;

/// The fingerprint of one component.
pub(super) fn component(plan: &ComponentPlan) -> String {
    if !plan.platform_files.is_empty() {
        let on = |platform| plan.for_platform(platform).map(|own| own.fingerprint);
        let each: Vec<_> = plan.platform_files.keys().map(|platform| (platform, on(platform))).collect();
        return hash(&(VERSION, each));
    }
    hash(&(VERSION, &plan.build, &plan.installs, &plan.files, &plan.links, &plan.inputs))
}

/// The fingerprint of one image.
pub(super) fn image(plan: &ImagePlan) -> String {
    if plan.depends_on_platform() {
        let on = |platform| plan.for_platform(platform).fingerprint;
        let each: Vec<_> = plan.platforms.iter().map(|platform| (platform, on(platform))).collect();
        return hash(&(VERSION, each));
    }
    let templates = plan.given.templates.as_str();
    let components: Vec<_> = plan
        .components
        .iter()
        .map(|part| (&part.name, &part.version, &part.features, &part.roles, &part.fingerprint))
        .collect();
    hash(&(VERSION, &plan.base.image, plan.mode, plan.network, plan.link, templates, &components, &plan.config))
}

/// A fingerprint of a plan of one platform, or of a component of it, together with the platform: what was built from it on
/// another platform is something else.
pub fn on_platform(fingerprint: &str, platform: &Platform) -> String {
    hash(&(VERSION, fingerprint, platform))
}

/// SHA-256 over the JSON form: its maps are sorted and its strings quoted, so that two values cannot look alike.
fn hash(value: &impl Serialize) -> String {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    hex(&Sha256::digest(&bytes))
}

/// The hash of the workspace's own templates, by name and text; order does not matter.
pub fn templates<'a>(own: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let sorted: std::collections::BTreeMap<&str, &str> = own.into_iter().collect();
    hash(&sorted)
}

/// SHA-256 of a text, in hex.
pub(super) fn text(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}
