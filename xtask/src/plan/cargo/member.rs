//! The manifest of a member, without what only tests need.

use std::collections::BTreeSet;

use camino::Utf8Path;
use toml::{Table, Value};

use super::error::PruneError;
use crate::workspace::cargo::{CargoWorkspace, PackageKey};

/// Names that a table of dependencies may have, except those for tests; the second spelling is an old one.
const DEPENDENCIES: [&str; 3] = ["dependencies", "build-dependencies", "build_dependencies"];

/// What only tests, benchmarks and examples need.
const DEVELOPMENT: [&str; 5] = ["dev-dependencies", "dev_dependencies", "test", "bench", "example"];

/// The manifest of a path package as it travels.
///
/// # Errors
/// It is not TOML.
pub fn pruned_member_manifest(workspace: &CargoWorkspace, key: &PackageKey) -> Result<String, PruneError> {
    member(workspace, key).map(|table| table.to_string())
}

pub(super) fn member(workspace: &CargoWorkspace, key: &PackageKey) -> Result<Table, PruneError> {
    let package = &workspace.packages[key];
    let path = package.folder.strip_prefix(&workspace.root).unwrap_or(&package.folder).join("Cargo.toml");
    let table = prune(parse(&path, package.manifest.as_deref().unwrap_or_default())?);
    let foreign = !workspace.members.contains(key) && !table.contains_key("workspace") && inherits(&table);
    if foreign {
        return Err(PruneError::ForeignWorkspace { package: key.to_string(), root: workspace.root.clone() });
    }
    Ok(table)
}

pub(super) fn parse(path: &Utf8Path, text: &str) -> Result<Table, PruneError> {
    text.parse()
        .map_err(|error: toml::de::Error| PruneError::Toml { path: path.to_owned(), message: error.to_string() })
}

/// Drops what only tests need, and paths that lead out of the package.
pub(super) fn prune(mut manifest: Table) -> Table {
    manifest.retain(|key, _| !DEVELOPMENT.contains(&key));
    for (_, target) in manifest.get_mut("target").and_then(Value::as_table_mut).into_iter().flatten() {
        if let Some(target) = target.as_table_mut() {
            target.retain(|key, _| !DEVELOPMENT.contains(&key));
        }
    }
    prune_features(&mut manifest);
    if let Some(package) = manifest.get_mut("package").and_then(Value::as_table_mut) {
        package.retain(|key, value| !["readme", "license-file"].contains(&key) || !leaves(value));
    }
    manifest
}

fn leaves(path: &Value) -> bool {
    path.as_str().is_some_and(|path| path.starts_with("..") || path.starts_with('/'))
}

/// A feature may pass one on to a dependency of the tests (`helper/fast`), which is gone.
fn prune_features(manifest: &mut Table) {
    let names: BTreeSet<String> = dependencies(manifest).map(|(name, _)| name.clone()).collect();
    let stays = |value: &Value| match value.as_str().and_then(|value| value.split_once('/')) {
        Some((name, _)) => names.contains(name.trim_end_matches('?')),
        None => true,
    };
    for (_, values) in manifest.get_mut("features").and_then(Value::as_table_mut).into_iter().flatten() {
        if let Some(values) = values.as_array_mut() {
            values.retain(stays);
        }
    }
}

/// Every dependency that is not only for tests, of all platforms.
pub(super) fn dependencies(manifest: &Table) -> impl Iterator<Item = (&String, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let tables = std::iter::once(manifest).chain(targets.filter_map(|(_, target)| target.as_table()));
    tables.flat_map(|table| DEPENDENCIES.iter().filter_map(|kind| table.get(*kind).and_then(Value::as_table))).flatten()
}

/// Names of the dependencies that are taken from `[workspace.dependencies]`.
pub(super) fn inherited(manifest: &Table) -> impl Iterator<Item = &String> {
    dependencies(manifest).filter(|(_, value)| is_inherited(value)).map(|(name, _)| name)
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

fn inherits(manifest: &Table) -> bool {
    let package = manifest.get("package").and_then(Value::as_table).into_iter().flatten();
    let lints = manifest.get("lints").is_some_and(is_inherited);
    lints || package.into_iter().any(|(_, value)| is_inherited(value)) || inherited(manifest).next().is_some()
}

/// True when a library, program or build script of the package lies below `folder`.
pub(super) fn builds_from(manifest: &Table, folder: &str) -> bool {
    let path = |table: Option<&Value>, key: &str| {
        table.and_then(|table| table.get(key)).and_then(Value::as_str).map(str::to_owned)
    };
    let programs = manifest.get("bin").and_then(Value::as_array).into_iter().flatten();
    let mut paths: Vec<Option<String>> = programs.map(|program| path(Some(program), "path")).collect();
    paths.push(path(manifest.get("lib"), "path"));
    paths.push(path(manifest.get("package"), "build"));
    paths.into_iter().flatten().any(|path| Utf8Path::new(path.trim_start_matches("./")).starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(manifest: &str, expect: &str) {
        assert_eq!(prune(manifest.parse().unwrap()).to_string(), expect);
    }

    #[test]
    fn what_only_tests_need_goes() {
        check(
            "[dev-dependencies]\na = '1'\n[dev_dependencies]\nb = '1'\n[dependencies]\nc = '1'\n",
            "[dependencies]\nc = \"1\"\n",
        );
        check("[target.'cfg(unix)'.dev-dependencies]\na = '1'\n", "[target.\"cfg(unix)\"]\n");
        check("[[test]]\nname = 't'\n[[bench]]\nname = 'b'\n[[example]]\nname = 'e'\n", "");
    }

    #[test]
    fn features_of_test_dependencies_go() {
        let tables = "[dev-dependencies]\na = '1'\n[build_dependencies]\nb = '1'\n[target.x.dependencies]\nc = '1'\n";
        let kept = "[build_dependencies]\nb = \"1\"\n\n[features]\nf = [\"g\", \"dep:c\", \"b/x\", \"c?/x\"]\n\n[target.x.dependencies]\nc = \"1\"\n";
        check(&format!("{tables}[features]\nf = ['g', 'dep:c', 'a/x', 'a?/x', 'b/x', 'c?/x']\n"), kept);
    }

    #[test]
    fn paths_that_lead_out_go() {
        check("[package]\nreadme = '../README.md'\nlicense-file = '/LICENSE'\n", "[package]\n");
        check("[package]\nreadme = 'docs/README.md'\n", "[package]\nreadme = \"docs/README.md\"\n");
        check("[package]\nreadme.workspace = true\n", "[package.readme]\nworkspace = true\n");
    }

    #[test]
    fn folders_of_programs_stay() {
        let check = |manifest: &str, expect| assert_eq!(builds_from(&manifest.parse().unwrap(), "tests"), expect);
        check("[[bin]]\nname = 'a'\npath = 'tests/a.rs'\n", true);
        check("[lib]\npath = './tests/lib.rs'\n", true);
        check("package.build = 'tests/build.rs'\n", true);
        check("package.build = false\n[[bin]]\nname = 'a'\npath = 'testsuite/a.rs'\n", false);
    }
}
