//! What the machine must have before anything is compiled: cargo, rustc, the standard library and a linker of each target.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::process::Command;
use toml::{Table, Value};

use super::flags::{cargo_home, environment, link_flags};
use super::process::{self, Line};
use super::{CompileOptions, Program};
use crate::engine::EngineError;
use crate::manifest::Link;
use crate::oci::Platform;
use crate::plan::cargo::Target;
use crate::workspace::cargo::CargoWorkspace;

/// The compiler that was found, and what it says about the targets that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    pub(super) host: Target,
    pub(super) targets: BTreeMap<(String, Link), Target>,
    /// Where the compiler is installed.
    pub(super) sysroot: Utf8PathBuf,
    /// Sources of the standard library, and what they are called where they are not installed.
    pub(super) library: Option<(Utf8PathBuf, String)>,
    /// Variables that name the linkers which cargo would not find.
    pub(super) linkers: BTreeMap<String, String>,
}

/// Where Debian has the compiler of a target: its prefix, and the architecture in names of packages.
const CROSS: &[(&str, &str, &str)] = &[
    ("aarch64-unknown-linux-gnu", "aarch64-linux-gnu", "arm64"),
    ("armv7-unknown-linux-gnueabihf", "arm-linux-gnueabihf", "armhf"),
    ("i686-unknown-linux-gnu", "i686-linux-gnu", "i386"),
    ("powerpc64le-unknown-linux-gnu", "powerpc64le-linux-gnu", "ppc64el"),
    ("riscv64gc-unknown-linux-gnu", "riscv64-linux-gnu", "riscv64"),
    ("s390x-unknown-linux-gnu", "s390x-linux-gnu", "s390x"),
    ("x86_64-unknown-linux-gnu", "x86_64-linux-gnu", "amd64"),
];

/// Looks for everything that these programs need, so that a refusal comes before any work.
///
/// # Errors
/// [`EngineError::Missing`], with what is missing and how to get it.
pub async fn check(
    programs: &[Program],
    workspace: &CargoWorkspace,
    options: &CompileOptions,
) -> Result<Toolchain, EngineError> {
    let ask = Ask { root: &workspace.root, options, environment: environment(&options.environment) };
    let line = |version: &str, name: &str| version.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let host = async {
        let version = ask.program(&options.rustc, &["-vV"]).await?;
        let host = line(&version, "host: ").unwrap_or_default();
        ask.target(&host, Link::Dynamic).await.map(|host| (host, version))
    };
    let wanted: BTreeSet<(&Platform, Link)> =
        programs.iter().map(|program| (&program.platform, program.link)).collect();
    let answers = wanted.iter().map(|(platform, link)| async { ask.target(triple(platform)?, *link).await });
    let cargo = ask.program(&options.cargo, &["--version"]);
    let (_, ((host, sysroot, _), version), answers) =
        tokio::try_join!(cargo, host, futures_util::future::try_join_all(answers))?;
    let commit = line(&version, "commit-hash: ").filter(|commit| commit != "unknown");
    let library = commit.map(|commit| (sysroot.join("lib/rustlib/src/rust"), format!("/rustc/{commit}")));
    let (mut targets, mut linkers) = (BTreeMap::new(), BTreeMap::new());
    for ((platform, link), (target, _, library)) in wanted.into_iter().zip(answers) {
        let triple = target.triple().to_owned();
        if !library.is_dir() {
            return Err(missing(
                format!(
                    "the Rust target {triple} is not installed, and {} on {platform}",
                    needed_by(programs, platform)
                ),
                format!("rustup target add {triple}"),
            ));
        }
        linkers.extend(ask.linker(&host, &target)?);
        targets.insert((triple, link), target);
    }
    Ok(Toolchain { host, targets, sysroot, library, linkers })
}

/// `component `a` needs it`, with all components that do.
fn needed_by(programs: &[Program], platform: &Platform) -> String {
    let own = programs.iter().filter(|program| program.platform == *platform);
    let names: BTreeSet<String> = own.map(|program| format!("`{}`", program.component)).collect();
    let names: Vec<String> = names.into_iter().collect();
    match &names[..] {
        [one] => format!("component {one} needs it"),
        several => format!("components {} need it", several.join(", ")),
    }
}

/// The Rust target of a platform.
pub(super) fn triple(platform: &Platform) -> Result<&'static str, EngineError> {
    platform.rust_target().ok_or_else(|| {
        missing(
            format!("no Rust target is known for {platform}"),
            "choose another platform with --platform, or leave it out of `platforms` in image.toml".to_owned(),
        )
    })
}

fn missing(message: String, hint: String) -> EngineError {
    EngineError::Missing { message, hint }
}

/// Questions to the programs of this machine.
pub(super) struct Ask<'a> {
    pub(super) root: &'a Utf8Path,
    pub(super) options: &'a CompileOptions,
    pub(super) environment: BTreeMap<String, String>,
}

impl Ask<'_> {
    /// What a program prints. It runs in the workspace, whose `rust-toolchain.toml` may choose another one.
    pub(super) async fn program(&self, program: &str, arguments: &[&str]) -> Result<String, EngineError> {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.root).env_clear().envs(&self.environment);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let status = process::run(command, |line| match line {
            Line::Out(line) => out.push(String::from_utf8_lossy(&line).into_owned()),
            Line::Err(line) => err.push(String::from_utf8_lossy(&line).into_owned()),
        });
        match status.await {
            Ok(status) if status.success() => Ok(out.join("\n")),
            Ok(_) => Err(missing(
                format!("`{program} {}` failed: {}", arguments.join(" "), err.join("\n")),
                "the Rust toolchain of this workspace must be installed, see `rustup show`".to_owned(),
            )),
            Err(error) => Err(cannot_start(program, &error)),
        }
    }

    /// A target as it is with the flags of a build, the sysroot, and the folder of its standard library.
    async fn target(&self, triple: &str, link: Link) -> Result<(Target, Utf8PathBuf, Utf8PathBuf), EngineError> {
        let flags = link_flags(link);
        let mut arguments =
            vec!["--print", "sysroot", "--print", "target-libdir", "--print", "cfg", "--target", triple];
        arguments.extend(flags.iter().map(String::as_str));
        let printed = self.program(&self.options.rustc, &arguments).await?;
        let unknown = || {
            let (message, hint) = ("its answer has another shape than the one we know", "use another version of Rust");
            missing(format!("cannot understand `{}`: {message}", self.options.rustc), hint.to_owned())
        };
        let (sysroot, rest) = printed.split_once('\n').ok_or_else(unknown)?;
        let (library, cfg) = rest.split_once('\n').ok_or_else(unknown)?;
        Ok((Target::parse(triple, cfg).map_err(|_| unknown())?, sysroot.into(), library.into()))
    }

    /// The variable that names a linker, when cargo would not find one itself.
    fn linker(&self, host: &Target, target: &Target) -> Result<Option<(String, String)>, EngineError> {
        let triple = target.triple();
        let variable = format!("CARGO_TARGET_{}_LINKER", triple.to_ascii_uppercase().replace('-', "_"));
        if self.environment.contains_key(&variable) || self.is_configured(target) {
            return Ok(None);
        }
        if triple == host.triple() {
            return match self.is_on_path("cc") {
                true => Ok(None),
                false => Err(missing(
                    "there is no C linker `cc`, which rustc needs".to_owned(),
                    "on Debian: apt-get install gcc libc6-dev".to_owned(),
                )),
            };
        }
        let cross = CROSS.iter().find(|(known, ..)| *known == triple);
        let names = cross.map(|(_, prefix, _)| format!("{prefix}-gcc")).into_iter().chain([format!("{triple}-gcc")]);
        let names: Vec<String> = names.collect();
        if let Some(name) = names.iter().find(|name| self.is_on_path(name)) {
            return Ok(Some((variable, name.clone())));
        }
        let package = cross.map(|(_, prefix, debian)| format!("apt-get install gcc-{prefix} libc6-dev-{debian}-cross"));
        let package = package.map(|install| format!("on Debian: {install}; ")).unwrap_or_default();
        Err(missing(
            format!("there is no linker for {triple}: neither {} is on PATH", names.join(" nor ")),
            format!("{package}or name one with {variable}"),
        ))
    }

    fn is_on_path(&self, name: &str) -> bool {
        let path = self.environment.get("PATH").map(String::as_str).unwrap_or_default();
        std::env::split_paths(path).any(|folder| folder.join(name).is_file())
    }

    /// Whether a configuration file of cargo names a linker.
    /// <https://doc.rust-lang.org/cargo/reference/config.html#hierarchical-structure>
    fn is_configured(&self, target: &Target) -> bool {
        let folders = self.root.ancestors().map(|folder| folder.join(".cargo"));
        let folders = folders.chain(cargo_home(&self.environment));
        let files = folders.flat_map(|folder| [folder.join("config.toml"), folder.join("config")]);
        files.filter_map(|file| read(&file)).any(|config| names_linker(&config, target))
    }
}

fn cannot_start(program: &str, error: &io::Error) -> EngineError {
    missing(
        format!("cannot run `{program}`: {error}"),
        "install Rust from https://rustup.rs, or build with `--engine docker`".to_owned(),
    )
}

/// A file that cargo itself would refuse is cargo's to report.
fn read(file: &Utf8Path) -> Option<Table> {
    fs_err::read_to_string(file).ok()?.parse().ok()
}

fn names_linker(config: &Table, target: &Target) -> bool {
    let tables = config.get("target").and_then(Value::as_table).into_iter().flatten();
    let mut linkers = tables.filter(|(_, table)| table.get("linker").is_some());
    linkers.any(|(condition, _)| target.is(condition) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM: &str = "aarch64-unknown-linux-gnu";

    /// What is said about the linker for ARM where these programs are on PATH, with this configuration and these variables.
    fn check(programs: &[&str], config: &str, variables: &[(&str, &str)], expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs_err::create_dir_all(root.join(".cargo")).unwrap();
        fs_err::write(root.join(".cargo/config.toml"), config).unwrap();
        programs.iter().for_each(|program| fs_err::write(root.join(program), "").unwrap());
        let options = CompileOptions {
            job: String::new(),
            first_step: 1,
            target_dir: root.join("target"),
            cargo: String::new(),
            rustc: String::new(),
            environment: BTreeMap::new(),
            offline: true,
            jobs: None,
        };
        let path = [("PATH", root.as_str())];
        let variables = variables.iter().chain(&path);
        let environment = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let ask = Ask { root, options: &options, environment };
        let host = Target::parse("x86_64-unknown-linux-gnu", "unix\n").unwrap();
        let target = Target::parse(ARM, "unix\ntarget_arch=\"aarch64\"\n").unwrap();
        let found = match ask.linker(&host, &target) {
            Ok(Some((variable, linker))) => format!("{variable}={linker}"),
            Ok(None) => "as configured".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expect);
    }

    #[test]
    fn linkers_of_other_platforms() {
        let variable = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER";
        let none = format!(
            "there is no linker for {ARM}: neither aarch64-linux-gnu-gcc nor {ARM}-gcc is on PATH\nhint: on Debian: \
             apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross; or name one with {variable}"
        );
        check(&["cc"], "", &[], &none);
        check(&["aarch64-linux-gnu-gcc"], "", &[], &format!("{variable}=aarch64-linux-gnu-gcc"));
        check(&["aarch64-unknown-linux-gnu-gcc"], "", &[], &format!("{variable}=aarch64-unknown-linux-gnu-gcc"));
        check(&[], "", &[(variable, "ld")], "as configured");
        check(&[], &format!("[target.{ARM}]\nlinker = 'ld'\n"), &[], "as configured");
        check(&[], "[target.'cfg(target_arch = \"aarch64\")']\nlinker = 'ld'\n", &[], "as configured");
        check(&[], "[target.'cfg(windows)']\nlinker = 'ld'\n", &[], &none);
        check(&[], "[target.", &[], &none);
    }
}
