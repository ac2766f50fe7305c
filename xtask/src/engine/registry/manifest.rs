//! Manifests and indexes: fetched, compared with their names, read, and chosen from.
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests>

use std::collections::BTreeSet;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::auth::Access;
use super::http::{Answer, Call};
use super::link::{Errand, Link};
use super::target::Target;
use super::trouble::Trouble;
use crate::engine::EngineError;
use crate::engine::store::Store;
use crate::oci::{Compression, Descriptor, Digest, Document, ImageManifest, Platform, Reference, media};

/// Largest manifest: what the distribution specification asks every registry to take.
const LIMIT: u64 = 4 * 1024 * 1024;
/// Largest configuration.
pub(super) const CONFIG_LIMIT: u64 = 16 * 1024 * 1024;
/// Largest layer.
pub(super) const LAYER_LIMIT: u64 = 128 << 30;
/// What we can read.
const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";
/// The header with which registries name what they serve.
const DIGEST_HEADER: &str = "docker-content-digest";

/// The manifest of one image, read: where its parts are.
#[derive(Debug)]
pub(super) struct Parts {
    pub config: (Descriptor, Digest, u64),
    pub layers: Vec<(Descriptor, Digest, u64)>,
}

/// The word that a manifest is asked for by.
fn word(reference: &Reference, tag_first: bool) -> &str {
    let (tag, digest) = (reference.tag(), reference.digest());
    let chosen = if tag_first { tag.or(digest) } else { digest.or(tag) };
    chosen.unwrap_or("latest")
}

/// The digest that a manifest must have; one with another algorithm than SHA-256 cannot be checked.
pub(super) fn pinned(reference: &Reference) -> Result<Option<Digest>, Trouble> {
    let digest = reference.digest().map(str::parse).transpose();
    digest.map_err(|_| Trouble::unusable("its digest is not SHA-256, which is the one that can be checked"))
}

/// The digest of what a tag names now; of a reference without a tag, its digest, if the registry has it.
pub(super) async fn resolve(link: &Link, errand: &Errand<'_>, reference: &Reference) -> Result<Digest, EngineError> {
    let target = Target::of(reference);
    link.persist(errand, async || {
        let word = word(reference, true);
        match head(link, &Access::pull(&target), word).await? {
            Some(digest) => Ok(digest),
            // no header, no digest: the body has one
            None => Ok(get(link, &target, word, None).await?.digest),
        }
    })
    .await
}

/// The digest of a manifest by its header. `None` when there is no such header.
async fn head(link: &Link, access: &Access, word: &str) -> Result<Option<Digest>, Trouble> {
    let url = link.url(&access.target, &format!("manifests/{word}")).await?;
    let answer = link.call(access, &Call::new(Method::HEAD, url).header(ACCEPT, ACCEPTED)).await?;
    if !answer.status().is_success() {
        return Err(answer.trouble(&access.target.login()).await);
    }
    announced(&answer)
}

/// Whether a registry has a manifest: with which digest, `None` when it has none.
pub(super) async fn there(link: &Link, access: &Access, word: &str) -> Result<Option<Digest>, Trouble> {
    match head(link, access, word).await {
        // without the header it may be anything: it is sent again
        Ok(digest) => Ok(digest),
        Err(Trouble::Missing { .. }) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

fn announced(answer: &Answer) -> Result<Option<Digest>, Trouble> {
    match answer.header(DIGEST_HEADER) {
        "" => Ok(None),
        text => match text.parse() {
            Ok(digest) => Ok(Some(digest)),
            Err(error) => Err(Trouble::unusable(format!("{} names it wrongly: {error}", answer.host()))),
        },
    }
}

/// Fetches the manifest or index of a reference, by its digest if it has one.
pub(super) async fn document(link: &Link, errand: &Errand<'_>, reference: &Reference) -> Result<Document, EngineError> {
    let target = Target::of(reference);
    link.persist(errand, async || {
        let digest = pinned(reference)?;
        get(link, &target, word(reference, false), digest.as_ref()).await
    })
    .await
}

/// Fetches a manifest by digest, or takes it from the store.
pub(super) async fn stored(
    link: &Link,
    errand: &Errand<'_>,
    target: &Target,
    digest: &Digest,
    store: &Store,
) -> Result<Document, EngineError> {
    link.persist(errand, async || {
        if let Some(document) = from_store(store, digest) {
            return Ok(document);
        }
        let document = get(link, target, &digest.to_string(), Some(digest)).await?;
        keep(store, &document)?;
        Ok(document)
    })
    .await
}

/// A manifest that was fetched before. Its media type stands in it, or follows from its form.
pub(super) fn from_store(store: &Store, digest: &Digest) -> Option<Document> {
    let bytes = store.read(digest, LIMIT).ok().flatten()?;
    let media_type = media_type(&bytes, "").ok()?;
    Some(Document::from_bytes(&media_type, bytes))
}

pub(super) fn keep(store: &Store, document: &Document) -> Result<(), Trouble> {
    let kept = store.put(&document.bytes);
    kept.map(drop).map_err(|error| Trouble::disk(format!("keep {} in the store", document.digest), error))
}

pub(super) async fn get(
    link: &Link,
    target: &Target,
    word: &str,
    wanted: Option<&Digest>,
) -> Result<Document, Trouble> {
    let access = Access::pull(target);
    let url = link.url(target, &format!("manifests/{word}")).await?;
    let answer = link.call(&access, &Call::new(Method::GET, url).header(ACCEPT, ACCEPTED)).await?;
    if answer.status() != StatusCode::OK {
        return Err(answer.trouble(&target.login()).await);
    }
    let announced = announced(&answer)?;
    let said = answer.header(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_owned();
    let subject = format!("manifest {word}");
    let Some(bytes) = answer.bytes(LIMIT).await? else {
        return Err(Trouble::unusable(format!("its manifest has more than {LIMIT} bytes")));
    };
    let actual = Digest::of(&bytes);
    for expected in wanted.into_iter().chain(&announced) {
        if *expected != actual {
            return Err(Trouble::Digest { subject, expected: expected.clone(), actual: actual.to_string() });
        }
    }
    Ok(Document::from_bytes(&media_type(&bytes, &said)?, bytes))
}

/// The media type of a manifest: what stands in it, else what was said with it, else what its form is.
fn media_type(bytes: &[u8], said: &str) -> Result<String, Trouble> {
    let value: Value = serde_json::from_slice(bytes).map_err(|_| Trouble::unusable("its manifest is not JSON"))?;
    let inside = value["mediaType"].as_str().unwrap_or(said);
    if media::is_manifest(inside) || media::is_index(inside) {
        return Ok(inside.to_owned());
    }
    if value["schemaVersion"] == 1 {
        return Err(Trouble::unusable("its manifest has schema 1, which is no longer in use"));
    }
    match (value["manifests"].is_array(), value["layers"].is_array()) {
        (true, false) => Ok(media::INDEX.to_owned()),
        (false, true) => Ok(media::MANIFEST.to_owned()),
        _ => Err(Trouble::unusable("what stands there is neither an image nor an index")),
    }
}

/// The manifest for a platform in an index.
pub(super) fn choose(index: &Document, want: &Platform) -> Result<Digest, Trouble> {
    let value = index.value().map_err(|_| Trouble::unusable("its index is not JSON"))?;
    let entries = value["manifests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |entry: &Value| platform(&entry["platform"]);
    let found = accepted(want).into_iter().find_map(|platform| {
        entries.iter().find(|entry| of(entry).as_ref().is_some_and(|own| normal(own) == platform))
    });
    let Some(entry) = found else {
        let there: BTreeSet<String> = entries.iter().filter_map(of).map(|platform| platform.to_string()).collect();
        return Err(missing(want, there));
    };
    let kind = entry["mediaType"].as_str().unwrap_or(media::MANIFEST);
    if !media::is_manifest(kind) {
        return Err(Trouble::unusable(format!("its index names no image for {want}, but a {kind:.100}")));
    }
    let digest = entry["digest"].as_str().unwrap_or_default();
    digest.parse().map_err(|error| Trouble::unusable(format!("its index is wrong: {error}")))
}

/// That an image which stands alone is for a platform, by its configuration; one that does not say so is.
pub(super) fn fits(config: &Document, want: &Platform) -> Result<(), Trouble> {
    let value = config.value().map_err(|_| Trouble::unusable("its configuration is not JSON"))?;
    match platform(&value) {
        Some(own) if !accepted(want).contains(&normal(&own)) => Err(missing(want, BTreeSet::from([own.to_string()]))),
        _ => Ok(()),
    }
}

fn missing(want: &Platform, there: BTreeSet<String>) -> Trouble {
    let there = there.into_iter().collect::<Vec<_>>().join(", ");
    let there = if there.is_empty() { "none".to_owned() } else { there };
    Trouble::unusable(format!("it is not there for {want}; there is: {there}"))
}

/// `unknown/unknown` marks attestations, which are no images.
fn platform(value: &Value) -> Option<Platform> {
    let part = |key: &str| value[key].as_str().filter(|part| !part.is_empty());
    let (os, architecture) = (part("os")?, part("architecture")?);
    let variant = part("variant").map_or(String::new(), |variant| format!("/{variant}"));
    let platform: Platform = format!("{os}/{architecture}{variant}").parse().ok()?;
    (platform.os() != "unknown").then_some(platform)
}

/// Names of the same platform become one, as in containerd: `arm` is `arm/v7`, `amd64/v1` is `amd64`.
fn normal(platform: &Platform) -> (String, String, String) {
    let variant = match (platform.architecture(), platform.variant()) {
        ("arm", None) => "v7",
        ("amd64", Some("v1")) => "",
        (_, variant) => variant.unwrap_or_default(),
    };
    (platform.os().to_owned(), platform.architecture().to_owned(), variant.to_owned())
}

/// What runs on a platform, best first: 32-bit ARM runs programs for its older versions, and amd64 its baseline.
fn accepted(want: &Platform) -> Vec<(String, String, String)> {
    let (os, architecture, variant) = normal(want);
    let older: &[&str] = match (architecture.as_str(), variant.as_str()) {
        ("arm", "v8") => &["v7", "v6", "v5"],
        ("arm", "v7") => &["v6", "v5"],
        ("arm", "v6") => &["v5"],
        ("amd64", "v4") => &["v3", "v2", ""],
        ("amd64", "v3") => &["v2", ""],
        ("amd64", "v2") => &[""],
        _ => &[],
    };
    let variants = std::iter::once(variant).chain(older.iter().map(|variant| (*variant).to_owned()));
    variants.map(|variant| (os.clone(), architecture.clone(), variant)).collect()
}

/// Reads the manifest of one image. Layers that may not be distributed, or are none, are refused.
pub(super) fn parts(manifest: &Document) -> Result<Parts, Trouble> {
    let wrong = |error: &dyn std::fmt::Display| Trouble::unusable(format!("its manifest is wrong: {error:.200}"));
    let manifest: ImageManifest = serde_json::from_slice(&manifest.bytes).map_err(|error| wrong(&error))?;
    let part = |descriptor: &Descriptor| {
        let digest = descriptor.digest().to_string().parse::<Digest>().map_err(|error| wrong(&error))?;
        Ok((descriptor.clone(), digest, descriptor.size()))
    };
    let mut layers = Vec::new();
    for layer in manifest.layers() {
        let kind = layer.media_type().to_string();
        if Compression::of_layer(&kind).is_none() {
            let why = if ["foreign", "nondistributable"].iter().any(|word| kind.contains(word)) {
                "may not be distributed"
            } else {
                "is no layer of an image"
            };
            return Err(Trouble::unusable(format!("its layer {} {why}: {kind:.100}", layer.digest())));
        }
        layers.push(part(layer)?);
    }
    let config = part(manifest.config())?;
    // before anything is fetched
    let all = std::iter::once((&config, CONFIG_LIMIT)).chain(layers.iter().map(|layer| (layer, LAYER_LIMIT)));
    for ((_, digest, size), limit) in all {
        if *size > limit {
            let message = format!("its part {digest} is said to have {size} bytes, more than {limit}");
            return Err(Trouble::unusable(message));
        }
    }
    Ok(Parts { config, layers })
}

/// The answer to a manifest that was sent: the digest must be ours.
pub(super) fn compare(answer: &Answer, sent: &Digest) -> Result<(), Trouble> {
    match announced(answer)? {
        Some(digest) if digest != *sent => Err(Trouble::Digest {
            subject: "the manifest that it has stored".to_owned(),
            expected: sent.clone(),
            actual: digest.to_string(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(platforms: &[&str]) -> Document {
        let entry = |(number, platform): (usize, &&str)| {
            let mut entry = serde_json::json!({
                "mediaType": media::MANIFEST,
                "size": 1,
                "digest": Digest::of(&[number as u8]),
            });
            if let Ok(platform) = platform.parse::<Platform>() {
                entry["platform"] = platform.to_json();
            }
            entry
        };
        let manifests: Vec<Value> = platforms.iter().enumerate().map(entry).collect();
        Document::new(media::INDEX, &serde_json::json!({ "schemaVersion": 2, "manifests": manifests }))
    }

    #[test]
    fn platforms_are_chosen() {
        let check = |there: &[&str], want: &str, expect: Option<u8>| {
            let chosen = choose(&index(there), &want.parse().unwrap());
            assert_eq!(chosen.ok(), expect.map(|number| Digest::of(&[number])), "{want} of {there:?}");
        };
        check(&["linux/amd64", "linux/arm64"], "linux/arm64", Some(1));
        check(&["linux/amd64", "linux/arm64/v8"], "linux/arm64", Some(1));
        check(&["linux/arm/v6", "linux/arm/v7"], "linux/arm/v7", Some(1));
        check(&["linux/arm/v5", "linux/arm/v6"], "linux/arm/v7", Some(1));
        check(&["linux/arm/v7"], "linux/arm", Some(0));
        check(&["linux/arm/v7"], "linux/arm/v6", None);
        check(&["linux/amd64/v2", "linux/amd64"], "linux/amd64", Some(1));
        check(&["linux/amd64/v2", "linux/amd64"], "linux/amd64/v3", Some(0));
        check(&["unknown/unknown", "no platform"], "linux/amd64", None);
    }

    #[test]
    fn what_is_there_is_listed() {
        let there = index(&["linux/s390x", "unknown/unknown", "linux/amd64", "linux/amd64"]);
        let Err(Trouble::Unusable { detail }) = choose(&there, &"linux/arm64".parse().unwrap()) else { panic!() };
        assert_eq!(detail, "it is not there for linux/arm64; there is: linux/amd64, linux/s390x");
    }

    #[test]
    fn digests_and_layers_are_checked() {
        let check = |digest: &str, kind: &str, expect: &str| {
            let digits = "0".repeat(64);
            let manifest = serde_json::json!({
                "schemaVersion": 2,
                "config": { "mediaType": media::CONFIG, "digest": format!("sha256:{digits}"), "size": 1 },
                "layers": [{ "mediaType": kind, "digest": digest, "size": 1 }],
            });
            let parts = parts(&Document::new(media::MANIFEST, &manifest));
            let said = parts.map(|_| String::new()).unwrap_or_else(|trouble| match trouble {
                Trouble::Unusable { detail } => detail,
                other => panic!("{other:?}"),
            });
            assert!(said.starts_with(expect) && said.is_empty() == expect.is_empty(), "{said}");
        };
        let good = format!("sha256:{}", "1".repeat(64));
        check(&good, Compression::Gzip.layer(), "");
        check(&good, media::DOCKER_LAYER_GZIP, "");
        check("sha256:../../../etc/passwd", Compression::Gzip.layer(), "its manifest is wrong: ");
        check(&format!("sha512:{}", "1".repeat(128)), Compression::Gzip.layer(), "its manifest is wrong: ");
        let foreign = format!("its layer {good} may not be distributed: ");
        check(&good, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", &foreign);
        check(&good, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", &foreign);
        check(&good, "text/html", &format!("its layer {good} is no layer of an image: "));
    }

    #[test]
    fn announced_sizes_are_bounded() {
        let check = |config: u64, layers: &[u64], expect: Option<&str>| {
            let part = |kind: &str, size: u64| serde_json::json!({ "mediaType": kind, "digest": Digest::of(&size.to_be_bytes()).to_string(), "size": size });
            let layers: Vec<Value> = layers.iter().map(|size| part(Compression::Gzip.layer(), *size)).collect();
            let config = part(media::CONFIG, config);
            let manifest = serde_json::json!({ "schemaVersion": 2, "config": config, "layers": layers });
            let said = match parts(&Document::new(media::MANIFEST, &manifest)) {
                Ok(_) => None,
                Err(Trouble::Unusable { detail }) => Some(detail),
                Err(other) => panic!("{other:?}"),
            };
            assert_eq!(said.is_some(), expect.is_some(), "{said:?}");
            assert!(said.unwrap_or_default().contains(expect.unwrap_or_default()));
        };
        check(CONFIG_LIMIT, &[0, LAYER_LIMIT], None);
        check(CONFIG_LIMIT + 1, &[], Some("is said to have 16777217 bytes, more than 16777216"));
        let half = 1 << 63;
        check(1, &[half, half], Some("is said to have 9223372036854775808 bytes, more than 137438953472"));
    }
}
