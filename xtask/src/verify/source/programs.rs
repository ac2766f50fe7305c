//! What can be started in an image: programs and scripts that somebody may execute, without libraries.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::libc::Libc;
use super::super::loader::Loader;
use super::super::{Contents, Facts, Image, Nature, follow};
use crate::oci::{Attributes, Node, Source};

/// Most programs that are listed.
const MAX_PROGRAMS: usize = 2_000;
/// Most bytes of all paths that are looked at.
const MAX_NAMES: u64 = 256 << 20;

/// One program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ProgramFacts {
    /// Its path.
    pub path: String,
    /// Permission bits in octal digits.
    pub mode: String,
    /// Owner and group.
    pub owner: String,
    /// Digest of its bytes, where somebody has read all of them.
    pub digest: Option<String>,
    /// What it needs to run.
    #[serde(flatten)]
    pub linkage: Linkage,
}

/// How a program is linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "linkage", rename_all = "kebab-case")]
pub enum Linkage {
    /// It needs nothing but the kernel.
    Static {
        /// The architecture, by the name that images have for it.
        architecture: String,
    },
    /// It is loaded, with libraries.
    Dynamic {
        /// The architecture.
        architecture: String,
        /// The program that loads it.
        interpreter: String,
        /// The C library that the loader belongs to, if it is known: `glibc` or `musl`.
        libc: Option<&'static str>,
        /// Libraries that it names.
        needed: Vec<String>,
        /// Libraries that are nowhere in the image, of itself and of what it loads.
        missing: Vec<String>,
    },
    /// Another program reads it.
    Script {
        /// That program.
        interpreter: String,
        /// Its argument, such as what `env` looks for.
        argument: Option<String>,
    },
}

/// The program at a path.
pub(super) fn one(image: &Image, contents: &dyn Contents, path: &str) -> Option<ProgramFacts> {
    let (real, own, source) = follow::file(&image.rootfs, path).ok()?;
    program(image, contents, path, &real, own, source)
}

/// All programs above the base, and whether there are more.
pub(super) fn all(image: &Image, contents: &dyn Contents) -> (Vec<ProgramFacts>, bool) {
    if image.rootfs.bytes_below("/") > MAX_NAMES {
        return (Vec::new(), true);
    }
    let files = image.rootfs.since(image.base_layers.unwrap_or_default());
    let files = files.into_iter().filter_map(|(path, node)| match node {
        Node::File(own, source) if own.mode & 0o111 != 0 => Some((format!("/{path}"), own, source)),
        _ => None,
    });
    let mut found = files.filter_map(|(path, own, source)| program(image, contents, &path, &path, own, source));
    let programs = found.by_ref().take(MAX_PROGRAMS).collect();
    (programs, found.next().is_some())
}

fn program(
    image: &Image,
    contents: &dyn Contents,
    path: &str,
    real: &str,
    own: Attributes,
    source: Source,
) -> Option<ProgramFacts> {
    let facts = contents.facts(source).ok()?;
    let linkage = match &facts.nature {
        Nature::Elf(elf) => match &elf.interpreter {
            Some(interpreter) => {
                let libc = Libc::of(interpreter);
                Linkage::Dynamic {
                    architecture: elf.architecture(),
                    interpreter: interpreter.clone(),
                    libc: libc.map(Libc::name),
                    needed: elf.needed.clone(),
                    missing: missing(image, contents, real, &facts, libc),
                }
            }
            // what names itself is loaded by others
            None if elf.soname.is_some() || !elf.needed.is_empty() => return None,
            None => Linkage::Static { architecture: elf.architecture() },
        },
        Nature::Script(script) => {
            Linkage::Script { interpreter: script.interpreter.clone(), argument: script.argument.clone() }
        }
        // what a program of Windows loads is not looked into
        Nature::Broken(_) | Nature::Data | Nature::Windows(_) => return None,
    };
    let digest = facts.digest.as_ref().map(ToString::to_string);
    let (mode, owner) = (format!("{:04o}", own.mode & 0o7777), format!("{}:{}", own.uid, own.gid));
    Some(ProgramFacts { path: path.to_owned(), mode, owner, digest, linkage })
}

fn missing(
    image: &Image,
    contents: &dyn Contents,
    real: &str,
    facts: &std::sync::Arc<Facts>,
    libc: Option<Libc>,
) -> Vec<String> {
    let env: &BTreeMap<String, String> = &image.config.env;
    let preferred = env.get("LD_LIBRARY_PATH").map(|path| path.split([':', ';']).map(str::to_owned).collect());
    let loader = Loader { rootfs: &image.rootfs, contents, libc, preferred: preferred.unwrap_or_default() };
    loader.missing(real, facts).into_iter().map(|missing| missing.library).collect()
}
