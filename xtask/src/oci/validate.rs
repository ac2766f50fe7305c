//! Whether an image is one: its manifest, configuration and layers say the same about each other.
//! <https://github.com/opencontainers/image-spec/blob/main/manifest.md>

use super::image::{Document, Image, ImageConfiguration, ImageManifest, Layer};
use super::{Compression, DiffId, Digest, Platform, media};

/// Reads an image from its two documents.
///
/// # Errors
/// All that is wrong with them, each in a sentence: forms, media types, sizes, digests, how many layers there are, and a
/// platform that is none.
pub fn read_image(manifest: Document, config: Document) -> Result<Image, Vec<String>> {
    let mut wrong = Vec::new();
    check_document(&manifest, "manifest", &mut wrong);
    check_document(&config, "configuration", &mut wrong);
    let parsed = serde_json::from_slice::<ImageManifest>(&manifest.bytes)
        .map_err(|error| wrong.push(format!("the manifest cannot be read: {error}")));
    let configuration = serde_json::from_slice::<ImageConfiguration>(&config.bytes)
        .map_err(|error| wrong.push(format!("the configuration cannot be read: {error}")));
    let (Ok(parsed), Ok(configuration)) = (parsed, configuration) else { return Err(wrong) };
    check_manifest(&manifest, &parsed, &config, &mut wrong);
    let layers = layers(&parsed, &configuration, &mut wrong);
    let platform = platform(&configuration).map_err(|error| wrong.push(error));
    match platform {
        Ok(platform) if wrong.is_empty() => Ok(Image { platform, config, layers, manifest }),
        _ => Err(wrong),
    }
}

/// All that is wrong with an image; nothing when it is one.
pub fn validate(image: &Image) -> Vec<String> {
    match read_image(image.manifest.clone(), image.config.clone()) {
        Err(wrong) => wrong,
        Ok(read) => {
            let mut wrong = Vec::new();
            if read.platform != image.platform {
                wrong.push(format!("it is for {}, and said to be for {}", read.platform, image.platform));
            }
            if read.layers != image.layers {
                wrong.push("its layers are not those of its manifest".to_owned());
            }
            wrong
        }
    }
}

fn check_document(document: &Document, what: &str, wrong: &mut Vec<String>) {
    let actual = Digest::of(&document.bytes);
    if actual != document.digest {
        wrong.push(format!("the {what} is {actual}, and said to be {}", document.digest));
    }
}

fn check_manifest(document: &Document, manifest: &ImageManifest, config: &Document, wrong: &mut Vec<String>) {
    let version = manifest.schema_version();
    if version != 2 {
        wrong.push(format!("the manifest has schema version {version}, not 2"));
    }
    if !media::is_manifest(&document.media_type) {
        wrong.push(format!("`{}` is no media type of a manifest", document.media_type));
    }
    let own = manifest.media_type().as_ref().map(ToString::to_string);
    if own.as_ref().is_some_and(|own| *own != document.media_type) {
        wrong.push(format!(
            "the manifest calls itself `{}`, and others `{}`",
            own.unwrap_or_default(),
            document.media_type
        ));
    }
    let descriptor = manifest.config();
    let media_type = descriptor.media_type().to_string();
    if !matches!(media_type.as_str(), media::CONFIG | media::DOCKER_CONFIG) {
        wrong.push(format!("it is no image: its configuration is `{media_type}`"));
    }
    let (digest, size) = (descriptor.digest().to_string(), config.bytes.len() as u64);
    if digest != config.digest.to_string() || descriptor.size() != size {
        let (named, there) = (descriptor.size(), &config.digest);
        wrong.push(format!(
            "the manifest names the configuration {digest} with {named} bytes; {there} with {size} is there"
        ));
    }
}

fn layers(manifest: &ImageManifest, config: &ImageConfiguration, wrong: &mut Vec<String>) -> Vec<Layer> {
    let (named, diff_ids) = (manifest.layers(), config.rootfs().diff_ids());
    if config.rootfs().typ() != "layers" {
        wrong.push(format!("its file system is of the unknown type `{}`", config.rootfs().typ()));
    }
    if named.len() != diff_ids.len() {
        wrong.push(format!("the manifest has {} layers, and the configuration {}", named.len(), diff_ids.len()));
    }
    let mut layers = Vec::new();
    for (descriptor, diff_id) in named.iter().zip(diff_ids) {
        let media_type = descriptor.media_type().to_string();
        let compression = Compression::of_layer(&media_type);
        if compression.is_none() {
            wrong.push(format!("layer {} is of the unknown media type `{media_type}`", descriptor.digest()));
        }
        let mut digest = |text: &str| text.parse::<Digest>().map_err(|error| wrong.push(error.to_string())).ok();
        let (stored, diff_id) = (digest(descriptor.digest().as_ref()), digest(diff_id));
        if let (Some(digest), Some(diff_id), Some(compression)) = (stored, diff_id, compression) {
            layers.push(Layer { digest, size: descriptor.size(), compression, diff_id: DiffId(diff_id) });
        }
    }
    layers
}

/// The platform that a configuration is for.
fn platform(config: &ImageConfiguration) -> Result<Platform, String> {
    let mut text = format!("{}/{}", config.os(), config.architecture());
    if let Some(variant) = config.variant().as_ref().filter(|variant| !variant.is_empty()) {
        text = format!("{text}/{variant}");
    }
    text.parse::<Platform>().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn check(change: impl FnOnce(&mut Image), expect: &[&str]) {
        let mut image = sample::random(7, 2, 100).image;
        change(&mut image);
        let wrong = validate(&image);
        assert_eq!(wrong.len(), expect.len(), "{wrong:?}");
        wrong.iter().zip(expect).for_each(|(wrong, expect)| assert!(wrong.contains(expect), "{wrong}"));
    }

    fn edit(document: &mut Document, from: &str, to: &str) {
        let text = String::from_utf8(document.bytes.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        *document = Document::from_bytes(&document.media_type, text.replace(from, to).into_bytes());
    }

    #[test]
    fn what_is_wrong_is_said() {
        check(|_| {}, &[]);
        check(|image| *image = sample::empty("linux/arm64".parse().unwrap()), &[]);
        check(|image| image.manifest.bytes.push(b' '), &["the manifest is sha256:"]);
        check(|image| edit(&mut image.manifest, "\"schemaVersion\":2", "\"schemaVersion\":1"), &["schema version 1"]);
        check(|image| edit(&mut image.manifest, "{", "["), &["the manifest cannot be read"]);
        check(|image| edit(&mut image.config, "{", "["), &["the configuration cannot be read"]);
        check(|image| edit(&mut image.config, "linux", "plan9"), &["the manifest names the configuration"]);
        check(|image| edit(&mut image.manifest, "layer.v1.tar\"", "layer.v2\""), &["layer.v2", "layer.v2"]);
        check(|image| image.manifest.media_type = media::DOCKER_MANIFEST.to_owned(), &["calls itself"]);
        check(
            |image| image.manifest.media_type = media::INDEX.to_owned(),
            &["no media type of a manifest", "calls itself"],
        );
        check(|image| image.platform = "linux/s390x".parse().unwrap(), &["said to be for linux/s390x"]);
        check(|image| image.layers.truncate(1), &["its layers are not"]);
        let shorter = |image: &mut Image| {
            let mut config: ImageConfiguration = serde_json::from_slice(&image.config.bytes).unwrap();
            config.rootfs_mut().set_diff_ids(Vec::new());
            let old = image.config.descriptor();
            image.config = Document::new(media::CONFIG, &config);
            let (old, new) = (serde_json::to_string(&old), serde_json::to_string(&image.config.descriptor()));
            let mut manifest = image.manifest.value().unwrap();
            assert_eq!(manifest["config"].to_string().len(), old.unwrap().len());
            manifest["config"] = serde_json::from_str(&new.unwrap()).unwrap();
            image.manifest = Document::new(media::MANIFEST, &manifest);
        };
        check(shorter, &["the manifest has 2 layers, and the configuration 0"]);
    }
}
