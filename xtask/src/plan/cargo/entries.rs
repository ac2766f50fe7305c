//! The files of a pruned workspace, as a list of texts and folders.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};
use toml::{Table, Value};

use super::closure::Closure;
use super::error::PruneError;
use super::lockfile::filtered_lock;
use super::member::{builds_from, member, parse};
use super::root::{pruned_root_manifest, relative_folder};
use super::stub::{STUB_LIBRARY, stub_manifest};
use crate::manifest::BuildNetwork;
use crate::oci::hex;
use crate::workspace::cargo::{CargoWorkspace, PackageKey};

/// Part of a pruned workspace. Paths are relative to its root, which is that of the cargo workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrunedEntry {
    /// A file that we write.
    Text {
        /// Where it goes.
        path: Utf8PathBuf,
        /// What is in it.
        text: String,
    },
    /// A file of the groupage workspace; it goes where it is there.
    File {
        /// Relative to the root of the groupage workspace.
        path: Utf8PathBuf,
    },
    /// Every file below a folder of this machine.
    Folder {
        /// Where they go; empty is the root.
        path: Utf8PathBuf,
        /// Where they are; absolute.
        from: Utf8PathBuf,
        /// Files and folders that stay behind, relative to `from`.
        exclude: BTreeSet<Utf8PathBuf>,
    },
}

/// Where vendored crates lie; a folder that cargo reads for nothing else, and no package of a workspace can be in the way.
const VENDOR: &str = ".cargo/vendor";
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// All files of the pruned workspace, sorted.
///
/// # Errors
/// A manifest is not TOML, or a registry package has no checksum.
pub fn entries(workspace: &CargoWorkspace, closure: &Closure) -> Result<Vec<PrunedEntry>, PruneError> {
    let sources = registries(closure);
    let mut entries =
        vec![text("Cargo.toml", pruned_root_manifest(workspace, closure)?), text("Cargo.lock", filtered_lock(closure))];
    entries.extend(config(workspace, &sources)?.map(|config| text(".cargo/config.toml", config)));
    for key in closure.edges.keys().filter(|key| key.is_path()) {
        entries.extend(path_package(workspace, closure, key)?);
    }
    if closure.network == BuildNetwork::None {
        for key in closure.edges.keys() {
            if let Some(folder) = key.source.as_deref().and_then(|source| sources.get(source)) {
                entries.extend(vendored(workspace, closure, key, folder)?);
            }
        }
    }
    entries.sort();
    Ok(entries)
}

fn text(path: impl Into<Utf8PathBuf>, text: impl Into<String>) -> PrunedEntry {
    PrunedEntry::Text { path: path.into(), text: text.into() }
}

/// Registries that are replaced by a folder.
fn registries(closure: &Closure) -> BTreeMap<&str, String> {
    if closure.network == BuildNetwork::Default {
        return BTreeMap::new();
    }
    let sources = closure.edges.keys().filter_map(|key| key.source.as_deref());
    sources.map(|source| (source, vendor_folder(source))).collect()
}

/// Where the crates of a registry lie in a pruned workspace. One folder cannot serve two: both may have the same name and
/// version. Compilers write these paths into programs, so nothing but the registry itself decides them.
pub fn vendor_folder(source: &str) -> String {
    if source == CRATES_IO {
        return VENDOR.to_owned();
    }
    format!("{VENDOR}-{}", hex(&Sha256::digest(source.as_bytes())[..4]))
}

/// Of the workspace's own configuration, what the meaning of manifests and sources depends on: names of registries (without
/// their tokens) and the environment. Linkers, flags and aliases belong to the machine and its users.
fn config(workspace: &CargoWorkspace, sources: &BTreeMap<&str, String>) -> Result<Option<String>, PruneError> {
    let written = parse(Utf8Path::new(".cargo/config.toml"), workspace.config.as_deref().unwrap_or_default())?;
    let mut config = Table::new();
    config.extend(written.get("env").map(|env| ("env".to_owned(), env.clone())));
    config.extend(
        written.get("registries").and_then(Value::as_table).map(|table| ("registries".to_owned(), indexes(table))),
    );
    if !sources.is_empty() {
        config.insert("source".to_owned(), Value::Table(replacements(sources)));
    }
    Ok((!config.is_empty()).then(|| config.to_string()))
}

fn indexes(registries: &Table) -> Value {
    let index = |(name, registry): (&String, &Value)| {
        Some((name.clone(), string_table("index", registry.get("index")?.as_str()?)))
    };
    Value::Table(registries.iter().filter_map(index).collect())
}

fn string_table(key: &str, value: &str) -> Value {
    Value::Table(Table::from_iter([(key.to_owned(), Value::String(value.to_owned()))]))
}

fn replacements(sources: &BTreeMap<&str, String>) -> Table {
    let mut table = Table::new();
    for (source, folder) in sources {
        let name = folder.trim_start_matches(".cargo/");
        let mut replaced = Table::from_iter([("replace-with".to_owned(), Value::String(name.to_owned()))]);
        if *source != CRATES_IO {
            let url = source.strip_prefix("registry+").unwrap_or(source);
            replaced.insert("registry".to_owned(), Value::String(url.to_owned()));
        }
        let key = if *source == CRATES_IO { "crates-io" } else { source };
        table.insert(key.to_owned(), Value::Table(replaced));
        table.insert(name.to_owned(), string_table("directory", folder));
    }
    table
}

fn path_package(
    workspace: &CargoWorkspace,
    closure: &Closure,
    key: &PackageKey,
) -> Result<Vec<PrunedEntry>, PruneError> {
    let path = relative_folder(workspace, key);
    // the manifest of the root is there already
    let is_root = path.as_str().is_empty();
    let manifest = |table: &Table| (!is_root).then(|| text(path.join("Cargo.toml"), table.to_string()));
    if let Some(features) = closure.stubs.get(key) {
        let library = text(path.join(STUB_LIBRARY), "");
        return Ok(manifest(&stub_manifest(key, features)).into_iter().chain([library]).collect());
    }
    let table = member(workspace, key)?;
    let from = workspace.packages[key].folder.clone();
    let folder = PrunedEntry::Folder { path: path.to_owned(), exclude: left_behind(workspace, key, &table), from };
    Ok(manifest(&table).into_iter().chain([folder]).collect())
}

/// What of a package's folder no build reads, what we write ourselves, and other packages inside it.
fn left_behind(workspace: &CargoWorkspace, key: &PackageKey, manifest: &Table) -> BTreeSet<Utf8PathBuf> {
    let never = ["Cargo.toml", "Cargo.lock", ".cargo", ".git", "target", "component.toml"];
    let tests = ["tests", "benches", "examples"].into_iter().filter(|folder| !builds_from(manifest, folder));
    let own = &workspace.packages[key].folder;
    let paths = workspace.packages.iter().filter(|(other, _)| other.is_path() && *other != key);
    let nested = paths.filter_map(|(_, other)| other.folder.strip_prefix(own).ok());
    never.into_iter().chain(tests).map(Utf8PathBuf::from).chain(nested.map(Utf8Path::to_owned)).collect()
}

/// Name of a crate's folder, as cargo itself has it.
pub fn crate_folder(key: &PackageKey) -> String {
    format!("{}-{}", key.name, key.version)
}

/// One crate of a registry: all of it, or a stub. Cargo compares the checksum with the lock file; the list of files may be
/// empty, because what travels is already covered by the digest of the context.
fn vendored(
    workspace: &CargoWorkspace,
    closure: &Closure,
    key: &PackageKey,
    folder: &str,
) -> Result<Vec<PrunedEntry>, PruneError> {
    let missing = || PruneError::Lock { package: key.to_string(), reason: "it has no checksum" };
    let checksum = closure.lock.packages.get(key).and_then(|package| package.checksum.as_ref()).ok_or_else(missing)?;
    let path = Utf8Path::new(folder).join(crate_folder(key));
    let checksum = text(path.join(".cargo-checksum.json"), format!("{{\"files\":{{}},\"package\":\"{checksum}\"}}"));
    if let Some(features) = closure.stubs.get(key) {
        let manifest = text(path.join("Cargo.toml"), stub_manifest(key, features).to_string());
        return Ok(vec![manifest, text(path.join(STUB_LIBRARY), ""), checksum]);
    }
    let exclude = [".cargo-ok", ".cargo-checksum.json"].into_iter().map(Utf8PathBuf::from).collect();
    Ok(vec![PrunedEntry::Folder { path, from: workspace.packages[key].folder.clone(), exclude }, checksum])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config_text: &str, sources: &[(&str, &str)], expect: Option<&str>) {
        let workspace = CargoWorkspace { config: Some(config_text.to_owned()), ..CargoWorkspace::default() };
        let sources = sources.iter().map(|(source, folder)| (*source, (*folder).to_owned())).collect();
        assert_eq!(config(&workspace, &sources).unwrap().as_deref(), expect);
    }

    #[test]
    fn configuration_keeps_what_manifests_mean_and_no_secret() {
        check("[alias]\nx = 'run'\n[build]\nrustflags = ['-Ctarget-cpu=native']\n", &[], None);
        let registries =
            "[registries.mine]\nindex = 'sparse+https://r/'\ntoken = 'secret'\n[registries.other]\ntoken = 'x'\n";
        check(registries, &[], Some("[registries.mine]\nindex = \"sparse+https://r/\"\n"));
        check("[env]\nA = '1'\n", &[], Some("[env]\nA = \"1\"\n"));
    }

    #[test]
    fn every_registry_has_its_folder() {
        let crates_io =
            "[source.crates-io]\nreplace-with = \"vendor\"\n\n[source.vendor]\ndirectory = \".cargo/vendor\"\n";
        check("", &[(CRATES_IO, ".cargo/vendor")], Some(crates_io));
        let sparse = "[source.\"sparse+https://r/\"]\nregistry = \"sparse+https://r/\"\nreplace-with = \"vendor-1\"\n\n[source.vendor-1]\ndirectory = \".cargo/vendor-1\"\n";
        check("", &[("sparse+https://r/", ".cargo/vendor-1")], Some(sparse));
    }
}
