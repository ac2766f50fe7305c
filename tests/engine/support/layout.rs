//! An OCI image layout on disk, read without any help of the code under test, and everything that must hold for one.
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::image::{Image, hex, path_of};

const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A layout whose `index.json` is there.
#[derive(Debug)]
pub struct Layout {
    folder: PathBuf,
    /// `index.json`.
    pub index: Value,
}

/// An image of a layout: what stands in its documents.
#[derive(Debug)]
pub struct Documents {
    pub manifest: Value,
    pub config: Value,
}

impl Layout {
    /// A layout of the native engine: `target/groupage/oci/<image id>` in the workspace.
    #[track_caller]
    pub fn of_image(workspace: &Path, id: &str) -> Self {
        Self::open(&Self::path_of_image(workspace, id))
    }

    /// Where the native engine puts an image.
    pub fn path_of_image(workspace: &Path, id: &str) -> PathBuf {
        workspace.join("target/groupage/oci").join(id.replace('=', "_"))
    }

    /// Opens a layout, and checks it as a whole.
    #[track_caller]
    pub fn open(folder: &Path) -> Self {
        match Self::problems(folder) {
            Ok(layout) => layout,
            Err(problem) => panic!("{}: {problem}", folder.display()),
        }
    }

    /// Opens a layout; the first thing in it that does not hold.
    pub fn problems(folder: &Path) -> Result<Self, String> {
        let read = |name: &str| fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"));
        let version = json(&read("oci-layout")?, "oci-layout")?;
        if version["imageLayoutVersion"] != "1.0.0" {
            return Err(format!("oci-layout is {version}"));
        }
        let layout = Self { folder: folder.to_owned(), index: json(&read("index.json")?, "index.json")? };
        names_are_digests(&folder.join("blobs/sha256"))?;
        layout.check_index(&layout.index)?;
        Ok(layout)
    }

    /// Follows every descriptor to its end.
    fn check_index(&self, index: &Value) -> Result<(), String> {
        let manifests = index["manifests"].as_array().ok_or("an index without manifests")?;
        if manifests.is_empty() {
            return Err("an empty index".to_owned());
        }
        for descriptor in manifests {
            let document = json(&self.described(descriptor)?, "a manifest")?;
            if document["manifests"].is_array() {
                self.check_index(&document)?;
            } else {
                self.check_manifest(descriptor, &document)?;
            }
        }
        Ok(())
    }

    fn check_manifest(&self, descriptor: &Value, manifest: &Value) -> Result<(), String> {
        let config = json(&self.described(&manifest["config"])?, "a configuration")?;
        let layers = manifest["layers"].as_array().ok_or("a manifest without layers")?;
        let diff_ids = config["rootfs"]["diff_ids"].as_array().ok_or("a configuration without diff IDs")?;
        if layers.len() != diff_ids.len() {
            return Err(format!("{} layers, {} diff IDs", layers.len(), diff_ids.len()));
        }
        for (layer, diff_id) in layers.iter().zip(diff_ids) {
            let bytes = self.described(layer)?;
            let named = layer["mediaType"].as_str().unwrap_or_default();
            let compressed = ["+gzip", "+zstd", ".gzip"].iter().any(|end| named.ends_with(end));
            if compressed != is_compressed(&bytes) {
                return Err(format!("the bytes of {} are no {named}", layer["digest"]));
            }
            if *diff_id != format!("sha256:{}", hex(&uncompressed(&bytes))) {
                return Err(format!("the diff ID of {} is not {diff_id}", layer["digest"]));
            }
        }
        let platform = &descriptor["platform"];
        let differs = |key: &str| platform.is_object() && platform[key] != config[key];
        if differs("os") || differs("architecture") || config["os"].is_null() || config["architecture"].is_null() {
            return Err(format!("the platform {platform} is not that of the configuration {config}"));
        }
        Ok(())
    }

    fn described(&self, descriptor: &Value) -> Result<Vec<u8>, String> {
        let digest = descriptor["digest"].as_str().ok_or("a descriptor without a digest")?;
        let hex = digest.strip_prefix("sha256:").ok_or("a digest that is not SHA-256")?;
        let bytes =
            fs::read(self.folder.join("blobs/sha256").join(hex)).map_err(|error| format!("{digest}: {error}"))?;
        if descriptor["size"].as_u64() != Some(bytes.len() as u64) {
            return Err(format!("{digest} has {} bytes, not {}", bytes.len(), descriptor["size"]));
        }
        Ok(bytes)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The digest of what the layout holds: the one entry of its index.
    #[track_caller]
    pub fn digest(&self) -> String {
        let [only] = &self.index["manifests"].as_array().unwrap()[..] else { panic!("one entry: {}", self.index) };
        only["digest"].as_str().unwrap().to_owned()
    }

    /// The name by which `umoci` finds it.
    #[track_caller]
    pub fn reference_name(&self) -> &str {
        let name = &self.index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"];
        name.as_str().unwrap_or_else(|| panic!("no org.opencontainers.image.ref.name in {}", self.index))
    }

    /// The documents of each image, by platform.
    pub fn images(&self) -> BTreeMap<String, Documents> {
        let mut found = BTreeMap::new();
        let mut descriptors = self.index["manifests"].as_array().unwrap().clone();
        while let Some(descriptor) = descriptors.pop() {
            let document = json(&self.described(&descriptor).unwrap(), "").unwrap();
            if let Some(more) = document["manifests"].as_array() {
                descriptors.extend(more.iter().cloned());
                continue;
            }
            let config = json(&self.described(&document["config"]).unwrap(), "").unwrap();
            let text = |key: &str| config[key].as_str().unwrap().to_owned();
            let platform = format!("{}/{}", text("os"), text("architecture"));
            found.insert(platform, Documents { manifest: document, config });
        }
        found
    }

    /// The one image of the layout.
    #[track_caller]
    pub fn documents(&self) -> Documents {
        let images = self.images();
        assert_eq!(images.len(), 1, "{:?}", images.keys());
        images.into_values().next().unwrap()
    }

    /// The file tree and configuration of an image.
    pub fn read(&self, documents: &Documents) -> Image {
        let layers = documents.manifest["layers"].as_array().unwrap();
        let bytes = layers.iter().map(|layer| uncompressed(&self.described(layer).unwrap()));
        Image::of_layers(documents.config["config"].clone(), bytes)
    }

    /// The one image of the layout.
    #[track_caller]
    pub fn image(&self) -> Image {
        self.read(&self.documents())
    }

    /// The media types of all layers.
    pub fn layer_types(&self) -> BTreeSet<String> {
        let images = self.images().into_values();
        let layers = images.flat_map(|image| image.manifest["layers"].as_array().unwrap().clone());
        layers.map(|layer| layer["mediaType"].as_str().unwrap().to_owned()).collect()
    }

    /// The times of all entries of the last `layers` layers, in seconds since 1970.
    pub fn times(&self, layers: usize) -> BTreeSet<u64> {
        let documents = self.documents();
        let all = documents.manifest["layers"].as_array().unwrap();
        let mut times = BTreeSet::new();
        for layer in all.iter().rev().take(layers) {
            let bytes = uncompressed(&self.described(layer).unwrap());
            for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
                times.insert(entry.unwrap().header().mtime().unwrap());
            }
        }
        times
    }

    /// Every file with its bytes.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        for folder in ["", "blobs/sha256"] {
            for entry in fs::read_dir(self.folder.join(folder)).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_file() {
                    found.insert(Path::new(folder).join(entry.file_name()), fs::read(entry.path()).unwrap());
                }
            }
        }
        found
    }
}

/// Unpacks an archive of a layout (`--output type=oci`), with no path leaving the folder.
pub fn unpack(archive: &Path, folder: &Path) -> Layout {
    let bytes = fs::read(archive).unwrap();
    for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = folder.join(path_of(&entry).trim_start_matches('/'));
        if entry.header().entry_type() == tar::EntryType::Regular {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            fs::write(path, content).unwrap();
        }
    }
    Layout::open(folder)
}

/// Every file of a folder is named by the SHA-256 of its bytes. A folder that is not there holds none.
pub fn names_are_digests(folder: &Path) -> Result<(), String> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry.map_err(|error| error.to_string())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = fs::read(entry.path()).map_err(|error| format!("{name}: {error}"))?;
        if hex(&bytes) != name {
            return Err(format!("{} has {} bytes that are not its name's", entry.path().display(), bytes.len()));
        }
    }
    Ok(())
}

fn is_compressed(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP) || bytes.starts_with(&ZSTD)
}

/// The tar in a layer, by the first bytes of what is stored.
pub fn uncompressed(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    if bytes.starts_with(&GZIP) {
        flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain).expect("it is gzip");
    } else if bytes.starts_with(&ZSTD) {
        zstd::Decoder::new(bytes).unwrap().read_to_end(&mut plain).expect("it is zstd");
    } else {
        plain = bytes.to_vec();
    }
    plain
}

fn json(bytes: &[u8], what: &str) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("{what} is not JSON: {error}"))
}
