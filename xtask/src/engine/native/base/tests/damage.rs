//! Images that are damaged, that lie, or that attack.

use super::*;

/// One thing is changed in a good layout.
fn damaged(change: impl FnOnce(&mut Tree, &Sample), class: ErrorClass, expect: &str) {
    let sample = compressed(&random(5, 2, 3000), Compression::Gzip);
    let mut tree = one(&sample);
    change(&mut tree, &sample);
    let place = place();
    place.write("layout", &tree);
    std::fs::write(place.root.join("layout.tar"), archive(&tree)).unwrap();
    refused(place.open("oci:layout"), class, expect);
    refused(place.open("oci-archive:layout.tar"), class, expect);
}

#[test]
fn damage_is_refused() {
    use ErrorClass::Work;
    let layer = |sample: &Sample| blob(&sample.image.layers[1].digest);
    damaged(|tree, sample| tree.get_mut(&layer(sample)).unwrap()[1000] ^= 1, Work, "expected sha256:");
    damaged(|tree, sample| tree.get_mut(&layer(sample)).unwrap().truncate(100), Work, "with 100 bytes");
    damaged(|tree, sample| tree.get_mut(&layer(sample)).unwrap().push(0), Work, "expected sha256:");
    damaged(|tree, sample| _ = tree.remove(&layer(sample)), Work, "is named, but not there");
    damaged(|tree, sample| _ = tree.insert(layer(sample), b"nothing".to_vec()), Work, "expected sha256:");
    for document in
        [|sample: &Sample| blob(&sample.image.manifest.digest), |sample: &Sample| blob(&sample.image.config.digest)]
    {
        damaged(|tree, sample| tree.get_mut(&document(sample)).unwrap().push(b' '), Work, "expected sha256:");
        damaged(|tree, sample| _ = tree.remove(&document(sample)), Work, "is named, but not there");
    }
    damaged(|tree, _| _ = tree.remove("oci-layout"), Work, "holds no OCI layout");
    damaged(|tree, _| _ = tree.remove("index.json"), Work, "holds no OCI layout");
    damaged(|tree, _| _ = tree.insert("index.json".into(), b"{".to_vec()), Work, "index.json cannot be read");
    damaged(
        |tree, _| _ = tree.insert("index.json".into(), br#"{"schemaVersion":1,"manifests":[]}"#.to_vec()),
        Work,
        "schema version 1",
    );
}

/// A manifest that is whole, but says something wrong.
fn lies(change: impl FnOnce(&mut Value), expect: &str) {
    let sample = compressed(&random(6, 2, 10), Compression::Gzip);
    let mut manifest = sample.image.manifest.value().unwrap();
    change(&mut manifest);
    let manifest = Document::new(media::MANIFEST, &manifest);
    let mut tree = layout(&[json!(manifest.descriptor())], &[&sample]);
    tree.insert(blob(&manifest.digest), manifest.bytes);
    let place = place();
    place.write("layout", &tree);
    refused(place.open("oci:layout"), ErrorClass::Work, expect);
}

#[test]
fn lies_are_refused() {
    lies(
        |manifest| _ = manifest["layers"].as_array_mut().unwrap().pop(),
        "the manifest has 1 layers, and the configuration 2",
    );
    lies(|manifest| manifest["layers"].as_array_mut().unwrap().swap(0, 1), "it unpacks to sha256:");
    lies(|manifest| manifest["schemaVersion"] = 1.into(), "schema version 1");
    lies(|manifest| manifest["layers"][0]["size"] = 7.into(), "with 7 bytes, got");
    lies(|manifest| manifest["layers"][0]["mediaType"] = Compression::Zstd.layer().into(), "layer blobs/sha256/");
    lies(|manifest| manifest["layers"][0]["mediaType"] = Compression::None.layer().into(), "cut short");
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    lies(|manifest| manifest["layers"][0]["mediaType"] = foreign.into(), "unknown media type");
    lies(
        |manifest| manifest["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json".into(),
        "it is no image",
    );
}

#[test]
fn hostile_layers_are_refused_and_nothing_is_kept() {
    let hostile = [
        (vec![Entry::file("../x", "")], "leads out of the image"),
        (vec![Entry::hard_link("x", "/etc/passwd")], "a hard link to a file that is not there"),
        (vec![Entry::link("a", "a"), Entry::file("a/x", "")], "links in a circle"),
        (vec![Entry { kind: b'Z', ..Entry::file("x", "") }], "unknown type"),
    ];
    for (entries, expect) in hostile {
        let place = place();
        let sample = compressed(&of_layers("linux/amd64", [tar(&entries)]), Compression::Gzip);
        place.write("layout", &one(&sample));
        refused(place.open("oci:layout"), ErrorClass::Work, expect);
        let error = place.open("oci:layout").unwrap_err().to_string();
        assert!(
            error.contains(&format!("layer {}", blob(&sample.image.layers[0].digest)))
                || error.contains("layer sha256:"),
            "{error}"
        );
    }
}

/// Configurations that Docker writes have nulls and more than the OCI has words for.
#[test]
fn configurations_of_docker_are_read() {
    let sample = random(10, 1, 10);
    let mut config = sample.image.config.value().unwrap();
    config["config"] = json!({ "Env": ["A=b"], "Cmd": null, "Volumes": null, "OnBuild": null, "Labels": null, "Healthcheck": { "Test": ["NONE"] } });
    config["container_config"] = json!({});
    let config = Document::new(media::DOCKER_CONFIG, &config);
    let mut tree = saved(&sample, &[]);
    tree.insert("config.json".to_owned(), config.bytes.clone());
    tree.insert(
        "manifest.json".to_owned(),
        br#"[{"Config":"config.json","RepoTags":null,"Layers":["0/layer.tar"]}]"#.to_vec(),
    );
    let place = place();
    std::fs::write(place.root.join("saved.tar"), archive(&tree)).unwrap();
    let base = place.open("docker-archive:saved.tar").unwrap();
    assert_eq!(base.config.config().as_ref().unwrap().env().as_deref(), Some(["A=b".to_owned()].as_slice()));
    assert_eq!(base.document.value().unwrap()["config"]["Healthcheck"]["Test"][0], "NONE");
    // a link in the archive stands for a layer that occurs twice; one that leads out finds nothing
    let links = [Entry::link("0/layer.tar", "../1/layer.tar"), Entry::link("config.json", "../../../etc/passwd")];
    for (link, expect) in links.into_iter().zip([None, Some("config.json is named, but not there")]) {
        let layer = sample.blobs.values().next().unwrap().clone();
        let mut entries = vec![Entry { content: layer, ..Entry::file("1/layer.tar", "") }];
        let others = tree.iter().filter(|(name, _)| **name != link.name);
        entries.extend(others.map(|(name, bytes)| Entry { content: bytes.clone(), ..Entry::file(name, "") }));
        entries.push(link);
        std::fs::write(place.root.join("saved.tar"), tar(&entries)).unwrap();
        match expect {
            None => assert_eq!(paths(&place.open("docker-archive:saved.tar").unwrap()), ["folder", "folder/0"]),
            Some(expect) => refused(place.open("docker-archive:saved.tar"), ErrorClass::Work, expect),
        }
    }
}
