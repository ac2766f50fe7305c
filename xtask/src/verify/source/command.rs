//! What an image starts: `ENTRYPOINT` and `CMD`, with the program by its own path, as a container runtime looks it up.

use serde::Serialize;

use super::super::{Contents, Image, follow};
use super::programs::{self, ProgramFacts};

/// Where programs are looked for when the image says nothing.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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

/// The absolute path of a program: as it is, below the working folder, or in one of the folders of `PATH`.
fn found(image: &Image, word: &str) -> Option<String> {
    let is_file = |path: &String| follow::file(&image.rootfs, path).is_ok();
    if word.starts_with('/') {
        return Some(word.to_owned());
    }
    if word.contains('/') {
        let workdir = image.config.workdir.trim_end_matches('/');
        return Some(format!("{workdir}/{}", word.trim_start_matches("./"))).filter(is_file);
    }
    let folders = image.config.env.get("PATH").map_or(PATH, String::as_str).split(':');
    let mut places = folders.filter(|folder| folder.starts_with('/'));
    places.find_map(|folder| Some(format!("{}/{word}", folder.trim_end_matches('/'))).filter(is_file))
}

fn is_shell(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("sh" | "ash" | "bash" | "dash" | "busybox"))
}
