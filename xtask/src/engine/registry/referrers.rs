//! What refers to an image: signatures, bills of materials, provenance. Found, and copied with it.
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers>
//!
//! A registry of version 1.1 of the specification lists them itself. For others, the list is an index under a tag that is made
//! of the digest, `sha256-…`, and whoever pushes one keeps it: Debian's docker-registry is such a one. Before either, cosign had
//! tags of its own, `sha256-….sig`, `.att` and `.sbom`; they are copied as what they are, tags, and never replaced.

use reqwest::header::{ACCEPT, LINK};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::auth::Access;
use super::copy::{Copying, Fault, Side, named};
use super::http::Call;
use super::link::{Errand, Link};
use super::manifest;
use super::tags;
use super::target::Target;
use super::trouble::Trouble;
use super::{Copied, Registry};
use crate::engine::{EngineError, Events};
use crate::oci::{Descriptor, Digest, Document, Reference, media};

/// How deep what refers to what refers to an image is followed: the signature of a bill of materials.
const DEPTH: u8 = 2;
/// Most referrers of one manifest.
const MOST: usize = 1_000;
/// Largest list, in bytes.
const LIMIT: u64 = 4 * 1024 * 1024;
/// What cosign appends to the tag.
const COSIGN: [&str; 3] = ["sig", "att", "sbom"];

/// What a registry says of one manifest.
#[derive(Debug, Default)]
struct Listed {
    /// Descriptors, as they stand there.
    entries: Vec<Value>,
    /// The registry lists them itself.
    by_registry: bool,
    /// The index under the tag.
    fallback: Option<Document>,
}

impl Listed {
    fn has(&self, digest: &str) -> bool {
        self.entries.iter().any(|entry| entry["digest"] == digest)
    }
}

impl Registry {
    /// What refers to a manifest, as its registry lists it, or as its tag does. The reference has the digest of the manifest;
    /// without one, it is asked for.
    ///
    /// # Errors
    /// [`EngineError::Registry`]; [`EngineError::UnusableImage`] when the list is none.
    pub async fn referrers(&self, reference: &Reference, events: &Events) -> Result<Vec<Descriptor>, EngineError> {
        let (name, target) = (reference.to_string(), Target::of(reference));
        let errand = Errand { events, image: &name, reference, action: "list what refers to" };
        let digest = match reference.digest().and_then(|digest| digest.parse().ok()) {
            Some(digest) => digest,
            None => manifest::resolve(&self.link, &errand, reference).await?,
        };
        let listed = list(&self.link, &errand, &target, &digest).await?;
        Ok(listed.entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
    }
}

/// Artifact types of signatures: Notation's, and cosign's with and without a bundle.
const SIGNATURES: [&str; 3] = [
    "application/vnd.cncf.notary.signature",
    "application/vnd.dev.cosign.artifact.sig",
    "application/vnd.dev.sigstore.bundle",
];

impl Registry {
    /// Whether any signature refers to a manifest, of which the reference has the digest: one that the registry lists, or one under
    /// cosign's tag. Nothing is verified.
    ///
    /// # Errors
    /// As [`Registry::referrers`].
    pub async fn is_signed(&self, reference: &Reference, events: &Events) -> Result<bool, EngineError> {
        let (name, target) = (reference.to_string(), Target::of(reference));
        let errand = Errand { events, image: &name, reference, action: "look for signatures of" };
        let Some(digest) = reference.digest().and_then(|digest| digest.parse().ok()) else { return Ok(false) };
        let listed = list(&self.link, &errand, &target, &digest).await?;
        let is_signature = |entry: &Value| {
            let kind = entry["artifactType"].as_str().unwrap_or_default();
            SIGNATURES.iter().any(|known| kind.starts_with(known))
        };
        if listed.entries.iter().any(is_signature) {
            return Ok(true);
        }
        let tag = format!("{}.sig", tag(&digest));
        let found = self.link.persist(&errand, async || match manifest::get(&self.link, &target, &tag, None).await {
            Ok(_) => Ok(true),
            Err(Trouble::Missing { .. }) => Ok(false),
            Err(trouble) => Err(trouble),
        });
        found.await
    }
}

/// The tag of the list of a manifest, for registries that list nothing themselves.
fn tag(digest: &Digest) -> String {
    format!("sha256-{}", digest.hex())
}

async fn list(link: &Link, errand: &Errand<'_>, target: &Target, digest: &Digest) -> Result<Listed, EngineError> {
    let mut entries = Vec::new();
    let mut rest = format!("referrers/{digest}");
    loop {
        let page = link.persist(errand, async || page(link, target, &rest).await).await?;
        let Some((some, next)) = page else { break };
        entries.extend(some);
        match next {
            Some(query) if entries.len() < MOST => rest = format!("referrers/{digest}?{query}"),
            _ => return bounded(errand, Listed { entries, by_registry: true, fallback: None }),
        }
    }
    let fallback = link.persist(errand, async || match manifest::get(link, target, &tag(digest), None).await {
        Ok(document) => Ok(Some(document).filter(|document| media::is_index(&document.media_type))),
        Err(Trouble::Missing { .. }) => Ok(None),
        Err(trouble) => Err(trouble),
    });
    let fallback = fallback.await?;
    let value = fallback.as_ref().and_then(|document| document.value().ok()).unwrap_or_default();
    let entries = value["manifests"].as_array().cloned().unwrap_or_default();
    bounded(errand, Listed { entries, by_registry: false, fallback })
}

fn bounded(errand: &Errand<'_>, listed: Listed) -> Result<Listed, EngineError> {
    if listed.entries.len() <= MOST {
        return Ok(listed);
    }
    let many = Trouble::unusable(format!("more than {MOST} things refer to it"));
    Err(many.into_error(errand.action, &errand.reference.to_string(), 1))
}

/// Descriptors, and the query of the next page.
type Page = (Vec<Value>, Option<String>);

/// One page of the list of a registry; `None` when it has no such lists.
async fn page(link: &Link, target: &Target, rest: &str) -> Result<Option<Page>, Trouble> {
    let url = link.url(target, rest).await?;
    let call = Call::new(Method::GET, url).header(ACCEPT, media::INDEX);
    let answer = link.call(&Access::pull(target), &call).await?;
    if answer.status() != StatusCode::OK {
        // what an older registry says to an address that it does not know is up to it
        return match answer.trouble(&target.login()).await {
            Trouble::Missing { .. } | Trouble::Refused { .. } | Trouble::Denied { .. } => Ok(None),
            trouble => Err(trouble),
        };
    }
    let next = tags::query(answer.header(LINK)).map(str::to_owned);
    let Some(bytes) = answer.bytes(LIMIT).await? else {
        return Err(Trouble::unusable(format!("the list of what refers to it has more than {LIMIT} bytes")));
    };
    // a page of a proxy is no list
    let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(value["manifests"].as_array().map(|entries| (entries.clone(), next)))
}

/// Copies what refers to a manifest that was copied, and what refers to that.
pub(super) async fn attach(
    copy: &Copying<'_>,
    subject: &Digest,
    depth: u8,
    copied: &mut Copied,
) -> Result<(), EngineError> {
    let source = of_side(copy, &copy.from, subject).await?;
    if !source.entries.is_empty() {
        for entry in &source.entries {
            let named = named(entry).map_err(|trouble| refused(copy, trouble))?;
            let before = copied.sent_manifests;
            copy.tree(&named, 0, copied).await.map_err(Fault::into_error)?;
            copied.referrers += copied.sent_manifests - before;
            if depth < DEPTH {
                Box::pin(attach(copy, &named.digest, depth + 1, copied)).await?;
            }
        }
        join(copy, subject, source, copied).await?;
    }
    for suffix in COSIGN {
        cosign(copy, &format!("{}.{suffix}", tag(subject)), copied).await?;
    }
    Ok(())
}

async fn of_side(copy: &Copying<'_>, side: &Side<'_>, subject: &Digest) -> Result<Listed, EngineError> {
    let errand = copy.errand(side, "list what refers to a manifest of");
    list(&copy.registry.link, &errand, &side.target, subject).await
}

fn refused(copy: &Copying<'_>, trouble: Trouble) -> EngineError {
    trouble.into_error("copy what refers to", &copy.from.reference.to_string(), 1)
}

/// Adds to the list under the tag what it lacks, where the destination keeps none itself.
async fn join(copy: &Copying<'_>, subject: &Digest, source: Listed, copied: &mut Copied) -> Result<(), EngineError> {
    let there = of_side(copy, &copy.to, subject).await?;
    let lacking: Vec<&Value> =
        source.entries.iter().filter(|entry| !there.has(entry["digest"].as_str().unwrap_or_default())).collect();
    if there.by_registry || lacking.is_empty() {
        return Ok(());
    }
    let index = match (&source.fallback, there.entries.is_empty()) {
        // as it is, so that its digest stays the same too
        (Some(fallback), true) => fallback.clone(),
        _ => {
            let entries: Vec<&Value> = there.entries.iter().chain(lacking).collect();
            let value = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": entries });
            Document::new(media::INDEX, &value)
        }
    };
    copy.put(&index, &tag(subject)).await?;
    copied.sent_manifests += 1;
    Ok(())
}

/// Copies what stands under a tag of cosign's. One that names something else at the destination stays: both are signatures
/// of the same image, and neither may be lost.
async fn cosign(copy: &Copying<'_>, tag: &str, copied: &mut Copied) -> Result<(), EngineError> {
    let (link, access) = (&copy.registry.link, Access::pull(&copy.from.target));
    let errand = copy.errand(&copy.from, "look for signatures of");
    let found = link.persist(&errand, async || match manifest::get(link, &access.target, tag, None).await {
        Ok(document) => Ok(Some(document)),
        Err(Trouble::Missing { .. }) => Ok(None),
        Err(trouble) => Err(trouble),
    });
    let Some(document) = found.await? else { return Ok(()) };
    match copy.at_destination(tag).await? {
        Some(there) if there == document.digest => return Ok(()),
        Some(_) => {
            copied.kept.push(tag.to_owned());
            return Ok(());
        }
        None => {}
    }
    let entry = serde_json::to_value(document.descriptor()).unwrap_or_default();
    let named = named(&entry).map_err(|trouble| refused(copy, trouble))?;
    let before = copied.sent_manifests;
    copy.tree(&named, 0, copied).await.map_err(Fault::into_error)?;
    copied.referrers += copied.sent_manifests - before;
    copy.put(&document, tag).await
}
