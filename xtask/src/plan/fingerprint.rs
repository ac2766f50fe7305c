//! Fingerprints: a hash over everything that decides what is built.
//!
//! | hashed, per component | why |
//! |---|---|
//! | build kind and its settings: package, program, features, tags, flags, linking; commands and environment | other settings give other bytes |
//! | the version, where flags of Go's linker hold it | it is in the program; see [`super::go`] for what another one costs |
//! | builder or source image, as it is referred to, the pinned digest included | another image gives other bytes |
//! | the template of its stage, embedded or the workspace's own | it is how the build goes |
//! | path, bytes and executable bit of every input | other inputs give other bytes |
//! | checksum of every crate, in the part of the lock file that the package reaches | it stands for all files of the crate |
//! | files, links and modes in the image | they are the result |
//!
//! | hashed, per image | why |
//! |---|---|
//! | fingerprints, versions, features and roles of its components, with `probe` and `args-style` | they are in it, and in its description |
//! | base, as it is referred to, the pinned digest included | it is below them |
//! | user, entry point, working folder, environment, ports, labels | they are its configuration |
//! | mode | it decides how components are put together |
//! | network and `COPY --link` | they decide what stages may do |
//! | the template of the Dockerfile | it gives another one |
//! | [`VERSION`] | a tool that builds otherwise from the same inputs counts it up |
//!
//! Not hashed: times, order, absolute paths, comments, prose, tags, the version of the tool, packages and entries of the lock
//! file that no component reaches; what only rules judge and no image says: `cadence`, `owner`, `[[replaces]]` with its contracts.
//!
//! **The stamp** ([`ImagePlan::stamp`]) is kept apart: labels such as the version, the description and the reasons of `[[allow]]`, which
//! stand in the final configuration only. An image with the right fingerprint and another stamp gets another configuration, and keeps its layers.
//! [`labels`] has what an image says of its inputs; [`super::changes`] says in words which of them changed.
//!
//! **What only an engine knows** is added by [`ImagePlan::with_found`] before anything is looked up or built: the images behind
//! names without a digest, and the compiler of this machine where programs are compiled on it. Builders, templates, network
//! and `COPY --link` are then no inputs, and the toolchain is one of the components that cargo builds. So the two engines
//! know their images by other fingerprints: what they compile with may be two things.
//!
//! **Platforms.** The fingerprint of a component or image that depends on the platform (its files, or what is left out) is a
//! hash of its platforms and of its fingerprints on each of them, so that it covers all; [`ImagePlan::for_platform`] has the one
//! of a single platform, which does not change when another platform does. Where nothing depends on the platform all of
//! them are the same, because the inputs are, and so is `/.groupage/manifest.json` in the images of all platforms. What is
//! compiled from the same inputs still differs: whoever keeps results of builds keeps them by [`on_platform`], the fingerprint
//! that includes the platform, or looks at both [`labels`].

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::build::BuildPlan;
use super::changes;
use super::model::{ComponentPlan, Found, ImagePlan, Input, InstallPlan};
use crate::oci::{Platform, hex};

/// Label that says the fingerprint of an image. It is no line of the Dockerfile, which is checked in and would be another one
/// after every change of a source; engines add it.
pub const LABEL: &str = "dev.groupage.fingerprint";

/// Label that says the platform of an image, beside its fingerprint: daemons list labels, and platforms only one by one.
pub const PLATFORM_LABEL: &str = "dev.groupage.platform";

/// Label that says the stamp of an image: a hash of [`ImagePlan::stamp`].
pub const STAMP_LABEL: &str = "dev.groupage.stamp";

/// Label that says the digests of files that the plan knows, one for all of each component, as a JSON map: see [`files`]. In the
/// image's own description they would give it another layer with every change of a component.
pub const FILES_LABEL: &str = "dev.groupage.files";

/// Label that says which layers, by diff ID, hold files of a component that no manifest lists: those of `take = "above-base"`. Who
/// makes the image adds it, because nobody else knows them.
pub const LAYERS_LABEL: &str = "dev.groupage.layers";

/// Counted up when the tool builds otherwise from the same inputs.
pub const VERSION: u32 = 3;

/// Digits of a hash over files: labels travel in the address of a request.
const FILES_DIGITS: usize = 32;

/// What engines add to the labels of an image of one platform: by these it is found again, and compared with its plan.
pub fn labels(plan: &ImagePlan, platform: &Platform) -> BTreeMap<String, String> {
    let labels = [
        (LABEL, plan.fingerprint.clone()),
        (PLATFORM_LABEL, platform.to_string()),
        (STAMP_LABEL, hash(&(VERSION, &plan.stamp))),
        (changes::LABEL, changes::label(plan)),
        (FILES_LABEL, serde_json::to_string(&files_of_components(plan)).unwrap_or_default()),
    ];
    labels.map(|(name, value)| (name.to_owned(), value)).into()
}

fn files_of_components(plan: &ImagePlan) -> BTreeMap<&str, String> {
    let of = |part: &ComponentPlan| {
        let digests = digests(part).collect::<BTreeMap<_, _>>();
        (!digests.is_empty()).then(|| files(digests))
    };
    plan.components.iter().filter_map(|part| Some((part.name.as_str(), of(part)?))).collect()
}

/// The files of a component that the plan knows, by path in the image, with the SHA-256 of their bytes in hex.
pub fn digests(part: &ComponentPlan) -> impl Iterator<Item = (&str, &str)> {
    part.files.iter().filter_map(|(path, file)| match &file.input {
        Input::File { digest, .. } | Input::Text { digest, .. } => Some((path.as_str(), digest.as_str())),
        Input::Link { .. } | Input::Crate { .. } => None,
    })
}

/// One hash over files: paths, and the SHA-256 of their bytes in hex.
pub fn files<'f>(digests: impl IntoIterator<Item = (&'f str, &'f str)>) -> String {
    let digests: BTreeMap<&str, &str> = digests.into_iter().collect();
    hash(&digests).chars().take(FILES_DIGITS).collect()
}

/// The fingerprint of one component.
pub(super) fn component(plan: &ComponentPlan, found: &Found) -> String {
    if !plan.platform_files.is_empty() {
        let on = |platform| plan.on(platform, found).map(|own| own.fingerprint);
        let each: Vec<_> = plan.platform_files.keys().map(|platform| (platform, on(platform))).collect();
        return hash(&(VERSION, each));
    }
    if let Some(platform) = plan.exe.first() {
        let plain = ComponentPlan { exe: Vec::new(), ..plan.clone() };
        let named = plan.on(platform, found).map(|own| own.fingerprint);
        return hash(&(VERSION, component(&plain, found), &plan.exe, named));
    }
    let rest = (installs(plan), &plan.files, &plan.links, &plan.inputs);
    let (installs, files, links, inputs) = &rest;
    if let (BuildPlan::Files, None) = (&plan.build, &found.toolchain) {
        // the same bytes as below, without a tree of values: most components of a large workspace are files
        return hash(&(VERSION, (&plan.build, &plan.template), installs, files, links, inputs));
    }
    hash(&(VERSION, how(plan, found), installs, files, links, inputs))
}

/// What the stage gives, by path in the image: the order of the manifest decides something only where one path is below another,
/// and then it is kept.
fn installs(plan: &ComponentPlan) -> Vec<&InstallPlan> {
    let mut installs: Vec<&InstallPlan> = plan.installs.iter().collect();
    let is_nested = installs
        .iter()
        .any(|install| install.to.parents().any(|above| installs.iter().any(|other| other.to.as_str() == above)));
    if !is_nested {
        installs.sort_by_key(|install| &install.to);
    }
    installs
}

/// How a component is built, as far as it decides what comes of it.
fn how(plan: &ComponentPlan, found: &Found) -> serde_json::Value {
    let (mut build, template) = (json!(plan.build), &plan.template);
    let behind = |name: &str| found.images.get(name);
    match (&plan.build, &found.toolchain) {
        (BuildPlan::Cargo { .. }, Some(toolchain)) => {
            build["builder"] = serde_json::Value::Null;
            json!([build, toolchain])
        }
        (BuildPlan::Dockerfile { plan }, host) => {
            let images: Vec<_> = plan.images.values().map(|image| behind(&image.to_string())).collect();
            json!([build, host.is_none().then_some(template), images])
        }
        (BuildPlan::Go { .. }, Some(_)) => {
            build["builder"] = serde_json::Value::Null;
            json!([build, found.go_toolchain])
        }
        (
            BuildPlan::Cargo { builder, .. } | BuildPlan::Go { builder, .. } | BuildPlan::Script { builder, .. },
            None,
        ) => {
            json!([build, template, behind(&builder.to_string())])
        }
        (BuildPlan::Image { image, above: Some(above) }, _) => {
            // no template is used for it
            json!([build, behind(&image.to_string()), above.base_image().map(|base| behind(&base.to_string()))])
        }
        (BuildPlan::Image { image, .. }, None) => json!([build, template, behind(&image.to_string())]),
        (BuildPlan::Image { image, .. }, Some(_)) => json!([build, behind(&image.to_string())]),
        (BuildPlan::Files, None) => json!([build, template]),
        (BuildPlan::Files | BuildPlan::Script { .. }, Some(_)) => json!([build]),
    }
}

/// The fingerprint of one image.
pub(super) fn image(plan: &ImagePlan) -> String {
    if plan.depends_on_platform() {
        let on = |platform| plan.for_platform(platform).fingerprint;
        let each: Vec<_> = plan.platforms.iter().map(|platform| (platform, on(platform))).collect();
        return hash(&(VERSION, each));
    }
    let components: Vec<_> = plan
        .components
        .iter()
        .map(|part| (&part.name, &part.version, &part.features, &part.roles, &part.fingerprint))
        .collect();
    let docker = (!plan.found.is_host()).then_some((plan.network, plan.link, &plan.template));
    let base = plan.base.image.as_ref().map(|image| (image, plan.found.images.get(&image.to_string())));
    hash(&(VERSION, base, plan.mode, docker, &components, &plan.features, &plan.config))
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

/// SHA-256 of a text, in hex.
pub fn text(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}
