//! One image of several.

use super::*;

#[test]
fn platforms_and_digests_choose() {
    let images: Vec<Sample> = ["linux/amd64", "linux/arm64", "linux/arm/v7"]
        .into_iter()
        .map(|platform| of_layers(platform, [tar(&[Entry::file(&platform.replace('/', "-"), "")])]))
        .collect();
    let described: Vec<Value> = images.iter().map(|sample| json!(sample.image.descriptor())).collect();
    let plain: Vec<Value> = images.iter().map(|sample| json!(sample.image.manifest.descriptor())).collect();
    let all: Vec<&Sample> = images.iter().collect();
    let nested = Document::new(media::INDEX, &json!({ "schemaVersion": 2, "manifests": described }));
    let place = place();
    place.write("described", &layout(&described, &all));
    place.write("plain", &layout(&plain, &all));
    let mut tree = layout(&[json!(nested.descriptor())], &all);
    tree.insert(blob(&nested.digest), nested.bytes.clone());
    place.write("nested", &tree);
    for name in ["described", "plain", "nested"] {
        for platform in ["linux/amd64", "linux/arm64", "linux/arm/v7"] {
            let base = place.open_for(&format!("oci:{name}"), platform).unwrap();
            assert_eq!(paths(&base), [platform.replace('/', "-")]);
        }
        let missing = place.open_for(&format!("oci:{name}"), "linux/s390x");
        refused(missing, ErrorClass::Input, "it has linux/amd64, linux/arm/v7, linux/arm64; choose with --platform");
        let digest = &images[1].image.manifest.digest;
        let base = place.open_for(&format!("oci:{name}@{digest}"), "linux/arm64").unwrap();
        assert_eq!(base.digest.as_ref(), Some(digest));
        refused(place.open(&format!("oci:{name}@{digest}")), ErrorClass::Input, "it has linux/arm64");
        refused(place.open(&format!("oci:{name}@{}", Digest::of(b""))), ErrorClass::Input, "there is no image sha256:");
    }
    place.open(&format!("oci:nested@{}", nested.digest)).unwrap();
}

#[test]
fn one_of_several_must_be_named() {
    let (a, b) = (random(7, 1, 1), random(8, 1, 1));
    let named = |sample: &Sample, name: &str| {
        let mut descriptor = json!(sample.image.descriptor());
        descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        descriptor
    };
    let mut attestation = named(&b, "x");
    attestation["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    let mut unknown = json!(b.image.descriptor());
    unknown["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    let place = place();
    place.write("two", &layout(&[named(&a, "one"), named(&b, "other")], &[&a, &b]));
    place.write("tagged", &layout(&[named(&a, "one"), named(&a, "latest"), attestation, unknown], &[&a]));
    let list = format!(
        "2 images in it fit; choose one of them by `@DIGEST`:\n  {} (one)\n  {} (other)",
        a.image.manifest.digest, b.image.manifest.digest
    );
    refused(place.open("oci:two"), ErrorClass::Input, &list);
    place.open(&format!("oci:two@{}", b.image.manifest.digest)).unwrap();
    place.open("oci:tagged").unwrap();

    let mut both = saved(&a, &["app:1", "app:latest"]);
    let other = saved(&b, &[]);
    let manifests: Vec<Value> = [&both, &other]
        .iter()
        .flat_map(|tree| serde_json::from_slice::<Vec<Value>>(&tree["manifest.json"]).unwrap())
        .collect();
    both.extend(other);
    both.insert("manifest.json".to_owned(), json!(manifests).to_string().into_bytes());
    let place = self::place();
    // both call their layer `0/layer.tar`, so that only the second can be read
    std::fs::write(place.root.join("two.tar"), archive(&both)).unwrap();
    let list = format!("{} (app:1, app:latest)\n  {}", a.image.config.digest, b.image.config.digest);
    refused(place.open("docker-archive:two.tar"), ErrorClass::Input, &list);
    place.open(&format!("docker-archive:two.tar@{}", b.image.config.digest)).unwrap();
    refused(
        place.open(&format!("docker-archive:two.tar@{}", a.image.config.digest)),
        ErrorClass::Work,
        "it unpacks to",
    );
    refused(
        place.open(&format!("docker-archive:two.tar@{}", Digest::of(b""))),
        ErrorClass::Input,
        "no image with the ID",
    );
}
