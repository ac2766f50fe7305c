//! What an image starts: `ENTRYPOINT` and `CMD`, with the program by its own path, as a container runtime looks it up.

use serde::Serialize;

use super::super::{Contents, Image, follow};
use super::programs::{self, ProgramFacts};
use crate::oci::program_path;

/// What is started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Command {
    /// As it is configured.
    pub entrypoint: Vec<String>,
    /// Its arguments, or all of it: what consumers replace.
    pub cmd: Vec<String>,
    /// Both, with the program's absolute path in front where it was found.
    pub words: Vec<String>,
    /// Whether a shell reads it: the shell form of a Dockerfile, or `sh -c` by hand.
    pub is_shell: bool,
    /// The program that is started, if it is in the image.
    pub program: Option<ProgramFacts>,
}

pub(super) fn of(image: &Image, contents: &dyn Contents) -> Command {
    let (entrypoint, cmd) = (image.config.entrypoint.clone(), image.config.cmd.clone());
    let mut words: Vec<String> = entrypoint.iter().chain(&cmd).cloned().collect();
    let path = words.first().and_then(|word| found(image, word));
    if let (Some(first), Some(path)) = (words.first_mut(), &path) {
        first.clone_from(path);
    }
    let is_shell = words.first().is_some_and(|word| is_shell(word)) && words.get(1).is_some_and(|word| word == "-c");
    Command { entrypoint, cmd, words, is_shell, program: path.and_then(|path| programs::one(image, contents, &path)) }
}

/// The absolute path of a program; one that is not written as such must be in the image.
fn found(image: &Image, word: &str) -> Option<String> {
    let is_file = |path: &str| follow::file(&image.rootfs, path).is_ok();
    let path = image.config.env.get("PATH").map(String::as_str);
    let found = program_path(word, &image.config.workdir, path, is_file);
    found.filter(|path| word.starts_with('/') || is_file(path))
}

fn is_shell(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("sh" | "ash" | "bash" | "dash" | "busybox"))
}
