//! What identifies the compiler of this machine, as an input of what it compiles: its version, the target it runs on, and the
//! settings of cargo that stand outside of the workspace (those inside travel with the sources, and are inputs already).
//!
//! Asking rustc takes longer than everything else in a build that has nothing to do, so its answer is remembered in
//! `target/groupage/toolchain.json`, together with all that decides which compiler answers: the program and its stat data,
//! and, for rustup, its settings, its toolchains and the files and variables that choose one of them. A file that is damaged
//! counts as none.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::CompileOptions;
use super::flags::{cargo_home, environment};
use super::toolchain::Ask;
use crate::engine::EngineError;
use crate::oci::Digest;
use crate::workspace::Remembered;

/// The file of the answer.
const FILE: Remembered = Remembered { name: "toolchain.json", version: 1 };

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    key: String,
    version: String,
}

/// The identity of the toolchain that compiles a workspace, on one line: `rustc 1.95.0 (59807616e 2026-04-14) for
/// x86_64-unknown-linux-gnu`. `memory` is the folder for what is kept between runs.
///
/// # Errors
/// [`EngineError::Missing`] when there is no compiler.
pub async fn identity(root: &Utf8Path, options: &CompileOptions, memory: &Utf8Path) -> Result<String, EngineError> {
    let environment = environment(&options.environment);
    let key = key(root, &options.rustc, &environment);
    let known = key.as_ref().and_then(|key| FILE.read(memory).filter(|known: &Answer| known.key == *key));
    let version = match known {
        Some(known) => known.version,
        None => {
            let asked =
                Ask { root, options, environment: environment.clone() }.program(&options.rustc, &["-vV"]).await?;
            let version = one_line(&asked);
            if let Some(key) = key {
                // whoever cannot remember asks again
                _ = FILE.write(memory, &Answer { key, version: version.clone() });
            }
            version
        }
    };
    Ok(version + &settings(root, &environment))
}

/// The first line of `rustc -vV`, the host, and LLVM.
fn one_line(asked: &str) -> String {
    let of = |name: &str| asked.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("unknown").trim();
    format!("{} for {}, LLVM {}", asked.lines().next().unwrap_or("rustc"), of("host: "), of("LLVM version: "))
}

/// Configuration files of cargo outside of the workspace, as a short hash; nothing when there are none.
/// <https://doc.rust-lang.org/cargo/reference/config.html#hierarchical-structure>
fn settings(root: &Utf8Path, environment: &BTreeMap<String, String>) -> String {
    let folders = root.ancestors().skip(1).map(|folder| folder.join(".cargo")).chain(cargo_home(environment));
    let files = folders.flat_map(|folder| [folder.join("config.toml"), folder.join("config")]);
    let texts: Vec<String> = files.filter_map(|file| fs_err::read_to_string(file).ok()).collect();
    if texts.is_empty() {
        return String::new();
    }
    format!(", cargo settings {}", &Digest::of(json!(texts).to_string().as_bytes()).hex()[..16])
}

/// All that decides which compiler answers; `None` when it cannot be told, and rustc has to be asked.
fn key(root: &Utf8Path, rustc: &str, environment: &BTreeMap<String, String>) -> Option<String> {
    let program = if rustc.contains('/') { root.join(rustc) } else { on_path(rustc, environment)? };
    let home = environment.get("RUSTUP_HOME").map(Utf8PathBuf::from);
    let home = home.or_else(|| Some(Utf8Path::new(environment.get("HOME")?).join(".rustup")));
    let home = home.unwrap_or_default();
    let mut toolchains: Vec<Value> = Vec::new();
    for entry in home.join("toolchains").read_dir_utf8().into_iter().flatten().flatten() {
        toolchains.push(json!([entry.file_name(), stat(&entry.path().join("bin/rustc"))]));
    }
    toolchains.sort_by_key(Value::to_string);
    let chosen =
        root.ancestors().flat_map(|folder| ["rust-toolchain", "rust-toolchain.toml"].map(|name| folder.join(name)));
    let chosen: Vec<(Utf8PathBuf, String)> =
        chosen.filter_map(|file| fs_err::read_to_string(&file).ok().map(|text| (file, text))).collect();
    let variables: BTreeMap<&String, &String> =
        environment.iter().filter(|(name, _)| name.starts_with("RUST")).collect();
    let settings = fs_err::read_to_string(home.join("settings.toml")).unwrap_or_default();
    let key = json!([program, stat(&program)?, home, settings, toolchains, chosen, variables, root]);
    Some(Digest::of(key.to_string().as_bytes()).hex().to_owned())
}

fn on_path(name: &str, environment: &BTreeMap<String, String>) -> Option<Utf8PathBuf> {
    let path = environment.get("PATH")?;
    let mut folders = path.split(':').filter(|folder| !folder.is_empty());
    folders.find_map(|folder| Some(Utf8Path::new(folder).join(name)).filter(|program| program.is_file()))
}

#[cfg(unix)]
fn stat(path: &Utf8Path) -> Option<Value> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = path.metadata().ok()?;
    let (changed, nanoseconds) = (metadata.ctime(), metadata.ctime_nsec());
    Some(json!([metadata.dev(), metadata.ino(), metadata.size(), metadata.mtime(), changed, nanoseconds]))
}

/// Without a time of change that nobody can set, rustc is asked each time.
#[cfg(not(unix))]
fn stat(_path: &Utf8Path) -> Option<Value> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::block_on;
    use crate::workspace::{check_that_damage_is_noticed, write};

    /// A compiler that says its version, with the folder that holds it.
    fn compiler(version: &str) -> (tempfile::TempDir, CompileOptions) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap();
        install(path, version);
        let variables =
            [("PATH".to_owned(), format!("{path}/bin:/usr/bin:/bin")), ("HOME".to_owned(), path.to_string())];
        let options = CompileOptions {
            job: String::new(),
            first_step: 1,
            target_dir: path.join("target"),
            cargo: "cargo".to_owned(),
            rustc: "rustc".to_owned(),
            environment: variables.into(),
            offline: true,
            jobs: None,
        };
        (folder, options)
    }

    fn install(folder: &Utf8Path, version: &str) {
        let script = format!(
            "#!/bin/sh\necho asked >>{folder}/asked\nprintf 'rustc {version} (abc)\\nhost: x-y-z\\nLLVM version: 20\\n'\n"
        );
        fs_err::create_dir_all(folder.join("bin")).unwrap();
        write::file(&folder.join("bin/rustc"), script.as_bytes(), 0o755).unwrap();
    }

    #[test]
    fn the_compiler_is_asked_when_it_may_be_another_one() {
        let (folder, options) = compiler("1.0.0");
        let path = Utf8Path::from_path(folder.path()).unwrap();
        let (root, memory) = (path.join("work"), path.join("memory"));
        fs_err::create_dir_all(&root).unwrap();
        let said = || block_on(identity(&root, &options, &memory)).unwrap().unwrap();
        let asked = || fs_err::read_to_string(path.join("asked")).unwrap().lines().count();
        let check = |expect: &str, times: usize| assert_eq!((said(), asked()), (expect.to_owned(), times));
        check("rustc 1.0.0 (abc) for x-y-z, LLVM 20", 1);
        check("rustc 1.0.0 (abc) for x-y-z, LLVM 20", 1);
        install(path, "2.0.0");
        check("rustc 2.0.0 (abc) for x-y-z, LLVM 20", 2);
        fs_err::write(root.join("rust-toolchain.toml"), "[toolchain]").unwrap();
        check("rustc 2.0.0 (abc) for x-y-z, LLVM 20", 3);
        let file = memory.join("toolchain.json");
        check_that_damage_is_noticed(&file, || FILE.read::<Answer>(&memory).is_none());
        let text = fs_err::read_to_string(&file).unwrap();
        fs_err::write(&file, text.replace("rustc 2.0.0", "rustc 2.0.1")).unwrap();
        check("rustc 2.0.0 (abc) for x-y-z, LLVM 20", 4);
        fs_err::create_dir_all(path.join(".cargo")).unwrap();
        fs_err::write(path.join(".cargo/config.toml"), "[profile.release]\nlto = true\n").unwrap();
        let with = said();
        assert!(with.starts_with("rustc 2.0.0 (abc) for x-y-z, LLVM 20, cargo settings "), "{with}");
        assert_eq!(asked(), 4);
    }
}
