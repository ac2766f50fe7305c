//! OCI image layouts: indexes, perhaps nested, and the image for a platform in them.
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

use std::collections::{BTreeMap, BTreeSet};

use super::fault::Fault;
use super::files::{Files, MAX_DOCUMENT};
use super::scan::Named;
use crate::oci::{Descriptor, Digest, Document, Image, ImageIndex, ImageManifest, Platform, media, read_image};

/// Most documents that are read to find an image.
const MAX_DOCUMENTS: usize = 1000;
/// How others name an image in an index.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// How BuildKit marks what is no image.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";

/// An image that was found, and where the bytes of its layers are.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    /// Digest of its manifest, where it has one.
    pub(super) digest: Option<Digest>,
    /// The platform that it is for.
    pub(super) platform: Platform,
    /// Its configuration.
    pub(super) config: Document,
    /// Its layers, lowest first, and the names of their files.
    pub(super) layers: Vec<(Named, String)>,
}

/// An image that an index names.
#[derive(Debug, Clone)]
struct Candidate {
    descriptor: Descriptor,
    /// As the index says it.
    platform: Option<Platform>,
    name: Option<String>,
}

/// Whether there is a layout.
pub(super) fn is_layout(files: &Files) -> Result<bool, Fault> {
    Ok(files.document("oci-layout")?.is_some())
}

/// The image for a platform; of several, the one that `digest` names, or that is in the index that it names.
pub(super) fn choose(files: &Files, platform: &Platform, digest: Option<&Digest>) -> Result<Opened, Fault> {
    let candidates = candidates(files, digest)?;
    let mut found: Vec<(&Candidate, Option<Image>)> = Vec::new();
    let mut others = BTreeSet::new();
    for candidate in &candidates {
        // an index without platforms leaves it to the images to say theirs
        let read = if candidate.platform.is_none() { Some(image(files, candidate)?) } else { None };
        let own = candidate.platform.as_ref().or(read.as_ref().map(|read| &read.platform));
        match own {
            Some(own) if fits(own, platform) => found.push((candidate, read)),
            Some(own) => _ = others.insert(own.to_string()),
            None => {}
        }
    }
    match found.as_mut_slice() {
        [] => Err(no_platform(platform, &others)),
        [(candidate, read)] => {
            let image = read.take().map_or_else(|| image(files, candidate), Ok)?;
            // older configurations leave the variant out, so that only the rest is compared
            if (image.platform.os(), image.platform.architecture()) != (platform.os(), platform.architecture()) {
                let message = format!("the index says {platform}, and the image itself {}", image.platform);
                return Err(Fault::Refused(message));
            }
            Ok(opened(image, Some(platform.clone())))
        }
        several => Err(ambiguous(several.iter().map(|(candidate, _)| {
            (candidate.descriptor.digest().to_string(), candidate.name.clone().into_iter().collect())
        }))),
    }
}

/// Every image whose documents are there.
pub(super) fn all(files: &Files, digest: Option<&Digest>) -> Result<Vec<Opened>, Fault> {
    let mut found = Vec::new();
    let mut first = None;
    for candidate in candidates(files, digest)? {
        match image(files, &candidate) {
            Ok(image) => found.push(opened(image, candidate.platform)),
            // parts of an index may be elsewhere
            Err(fault) => first = first.or(Some(fault)),
        }
    }
    match first {
        Some(fault) if found.is_empty() => Err(fault),
        _ => Ok(found),
    }
}

fn opened(image: Image, platform: Option<Platform>) -> Opened {
    let name = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
    let layers = image.layers.iter().map(|layer| (Named::from(layer), name(&layer.digest))).collect();
    let platform = platform.unwrap_or(image.platform);
    Opened { digest: Some(image.manifest.digest), platform, config: image.config, layers }
}

/// Whether an image for one platform is the one for another. A machine for a later 32-bit ARM runs earlier ones, but then
/// another image could fit better: only equal platforms do.
fn fits(own: &Platform, wanted: &Platform) -> bool {
    own == wanted
}

/// What no image of a source is for.
pub(super) fn no_platform(wanted: &Platform, others: &BTreeSet<String>) -> Fault {
    let known = others.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    Fault::Choice(match known.as_str() {
        "" => "there is no image in it".to_owned(),
        known => format!("there is no image for {wanted} in it\nhint: it has {known}; choose with --platform"),
    })
}

/// What several images of a source are called: digest, and names.
pub(super) fn ambiguous(images: impl Iterator<Item = (String, Vec<String>)>) -> Fault {
    let line = |(digest, names): (String, Vec<String>)| match names.join(", ").as_str() {
        "" => digest,
        names => format!("{digest} ({names})"),
    };
    let lines: Vec<String> = images.map(line).collect();
    let count = lines.len();
    let lines = lines.join("\n  ");
    Fault::Choice(format!("{count} images in it fit; choose one of them by `@DIGEST`:\n  {lines}"))
}

/// Images that the indexes name, each once, in their order.
fn candidates(files: &Files, digest: Option<&Digest>) -> Result<Vec<Candidate>, Fault> {
    let path = files.path();
    if !is_layout(files)? {
        let message = format!("{path} holds no OCI layout: there is no file `oci-layout` in it");
        return Err(Fault::Refused(message));
    }
    let index = files.document("index.json")?;
    let index = index.ok_or_else(|| Fault::Refused(format!("{path} holds no OCI layout: there is no `index.json`")))?;
    let index = parse_index(&index, "index.json")?;
    let mut found: BTreeMap<String, Candidate> = BTreeMap::new();
    let mut order = Vec::new();
    // below the digest that was asked for, all are wanted
    let mut next: Vec<(Descriptor, bool)> =
        index.manifests().iter().rev().map(|own| (own.clone(), digest.is_none())).collect();
    let mut read = 0;
    while let Some((descriptor, wanted)) = next.pop() {
        let own = descriptor.digest().to_string();
        let wanted = wanted || digest.is_some_and(|digest| digest.to_string() == own);
        let media_type = descriptor.media_type().to_string();
        if media::is_index(&media_type) {
            read += 1;
            if read > MAX_DOCUMENTS {
                return Err(Fault::Refused(format!("it has more than {MAX_DOCUMENTS} indexes")));
            }
            let document = document(files, &descriptor)?;
            let nested = parse_index(&document.bytes, &own)?;
            next.extend(nested.manifests().iter().rev().map(|own| (own.clone(), wanted)));
        } else if wanted && media::is_manifest(&media_type) && is_image(&descriptor) && !found.contains_key(&own) {
            let annotations = descriptor.annotations().as_ref();
            let name = annotations.and_then(|all| all.get(REF_NAME)).cloned();
            order.push(own.clone());
            found.insert(own, Candidate { platform: platform(&descriptor), name, descriptor });
            if order.len() > MAX_DOCUMENTS {
                return Err(Fault::Refused(format!("it has more than {MAX_DOCUMENTS} images")));
            }
        }
    }
    match digest {
        Some(digest) if order.is_empty() => Err(Fault::Choice(format!("there is no image {digest} in it"))),
        _ => Ok(order.into_iter().filter_map(|digest| found.remove(&digest)).collect()),
    }
}

fn parse_index(bytes: &[u8], what: &str) -> Result<ImageIndex, Fault> {
    let index: ImageIndex =
        serde_json::from_slice(bytes).map_err(|error| Fault::Refused(format!("{what} cannot be read: {error}")))?;
    match index.schema_version() {
        2 => Ok(index),
        other => Err(Fault::Refused(format!("{what} has schema version {other}, not 2"))),
    }
}

/// The platform that an index says for an image.
fn platform(descriptor: &Descriptor) -> Option<Platform> {
    let platform = descriptor.platform().as_ref()?;
    let variant = platform.variant().as_ref().filter(|variant| !variant.is_empty());
    let variant = variant.map(|variant| format!("/{variant}")).unwrap_or_default();
    format!("{}/{}{variant}", platform.os(), platform.architecture()).parse().ok()
}

/// Attestations stand in indexes beside the images that they are about.
fn is_image(descriptor: &Descriptor) -> bool {
    let attestation = descriptor.annotations().as_ref().is_some_and(|all| all.contains_key(REFERENCE_TYPE));
    let unknown = platform(descriptor).is_some_and(|platform| platform.os() == "unknown");
    !attestation && !unknown
}

/// The image of a manifest, with its documents compared and read.
fn image(files: &Files, candidate: &Candidate) -> Result<Image, Fault> {
    let manifest = document(files, &candidate.descriptor)?;
    let parsed: ImageManifest = serde_json::from_slice(&manifest.bytes)
        .map_err(|error| Fault::Refused(format!("manifest {} cannot be read: {error}", manifest.digest)))?;
    let config = document(files, parsed.config())?;
    let digest = manifest.digest.clone();
    read_image(manifest, config).map_err(|wrong| Fault::Refused(format!("manifest {digest}: {}", wrong.join("; "))))
}

/// A document by its descriptor, compared with it.
fn document(files: &Files, descriptor: &Descriptor) -> Result<Document, Fault> {
    let digest: Digest = descriptor.digest().to_string().parse().map_err(|error| Fault::Refused(format!("{error}")))?;
    if descriptor.size() > MAX_DOCUMENT {
        let size = descriptor.size();
        return Err(Fault::Refused(format!("{digest} has {size} bytes; at most {MAX_DOCUMENT} are read")));
    }
    let bytes = files.document(&format!("blobs/sha256/{}", digest.hex()))?;
    let bytes = bytes.ok_or_else(|| Fault::Refused(format!("{digest} is named, but not there")))?;
    let document = Document::from_bytes(descriptor.media_type().as_ref(), bytes);
    if document.digest != digest || document.bytes.len() as u64 != descriptor.size() {
        let (size, actual, there) = (descriptor.size(), &document.digest, document.bytes.len());
        let message = format!("expected {digest} with {size} bytes, got {actual} with {there} bytes");
        return Err(Fault::Refused(message));
    }
    Ok(document)
}
