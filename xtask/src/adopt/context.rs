//! The folder that a Dockerfile copies from, and the files that it puts into an image.
//!
//! `docker build` is told the folder on its command line, so a Dockerfile does not say it. It is the folder of the Dockerfile, or
//! the root of the workspace: whichever holds what is copied, the nearer one first.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::facts::FileFacts;
use super::image::is_shell_name;
use crate::dockerfile::{CopyStep, Dockerfile, Kind, Origin, Source, StageFacts, StepKind, TransferSource};
use crate::verify::Elf;
use crate::workspace::Copied;

/// The folder that is copied from, and what is there.
pub(super) struct Context<'a> {
    /// Relative to the root of the workspace; empty for the root itself.
    pub(super) folder: Utf8PathBuf,
    /// What has to be asked about it.
    pub(super) question: Option<String>,
    copied: &'a BTreeMap<Utf8PathBuf, Copied>,
}

/// A path inside a context, plain; `None` for one that has wildcards or leads out of it.
fn inside(path: &str) -> Option<Utf8PathBuf> {
    if path.contains(['*', '?', '[', '$', '\\']) {
        return None;
    }
    let mut plain = Utf8PathBuf::new();
    for part in Utf8Path::new(path).components() {
        match part {
            Utf8Component::Normal(part) => plain.push(part),
            Utf8Component::ParentDir => _ = plain.pop(),
            _ => {}
        }
    }
    Some(plain)
}

/// What is copied from the context by any stage, without what has variables or wildcards.
fn sources(file: &Dockerfile) -> BTreeSet<Utf8PathBuf> {
    let mut found = BTreeSet::new();
    for instruction in file.instructions() {
        let (Kind::Copy(transfer) | Kind::Add(transfer)) = &instruction.kind else { continue };
        if instruction.flag("from").is_some() {
            continue;
        }
        for source in &transfer.sources {
            if let TransferSource::Written(word) = source
                && !word.text().contains("://")
                && !word.text().starts_with("git@")
                && let Some(path) = inside(word.text()).filter(|path| !path.as_str().is_empty())
            {
                found.insert(path);
            }
        }
    }
    found
}

/// Whether the context is copied as a whole.
fn copies_all(file: &Dockerfile) -> bool {
    file.instructions().iter().filter(|instruction| instruction.flag("from").is_none()).any(|instruction| {
        let (Kind::Copy(transfer) | Kind::Add(transfer)) = &instruction.kind else { return false };
        transfer.sources.iter().any(|source| match source {
            TransferSource::Written(word) => inside(word.text()).is_some_and(|path| path.as_str().is_empty()),
            _ => false,
        })
    })
}

fn own_folder(path: &str) -> &Utf8Path {
    Utf8Path::new(path).parent().unwrap_or(Utf8Path::new(""))
}

/// The copies of the last stage and of those that it is made of, with their lines.
fn copies(stage: &StageFacts) -> impl Iterator<Item = (&CopyStep, usize)> {
    stage.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Copy(copy) => Some((&**copy, step.line)),
        _ => None,
    })
}

/// Where a source of a copy goes, when it is one file.
fn target(copy: &CopyStep, name: &str) -> Option<String> {
    let destination = copy.destination.known().filter(|path| path.starts_with('/'))?;
    if !copy.is_folder {
        return Some(destination.to_owned());
    }
    let name = Utf8Path::new(name).file_name()?;
    Some(format!("{}/{name}", destination.trim_end_matches('/')))
}

impl<'a> Context<'a> {
    /// Paths to look at: each source, seen from either folder.
    pub(super) fn wanted(path: &str, file: &Dockerfile, stage: &StageFacts) -> Vec<Utf8PathBuf> {
        let own = own_folder(path);
        let mut all: BTreeSet<Utf8PathBuf> = sources(file);
        all.extend(copies(stage).flat_map(|(copy, _)| &copy.sources).filter_map(|source| match &source.value {
            Source::Path(value) => inside(value.known()?),
            _ => None,
        }));
        all.iter()
            .flat_map(|source| [own.join(source), source.clone()])
            .filter(|path| !path.as_str().is_empty())
            .collect()
    }

    /// Finds the folder out.
    pub(super) fn of(path: &str, file: &Dockerfile, copied: &'a BTreeMap<Utf8PathBuf, Copied>) -> Self {
        let (own, sources) = (own_folder(path), sources(file));
        let missing = |folder: &Utf8Path| -> Vec<&Utf8PathBuf> {
            sources.iter().filter(|source| !copied.contains_key(&folder.join(source))).collect()
        };
        let (here, at_root) = (missing(own), missing(Utf8Path::new("")));
        let is_root = at_root.len() < here.len();
        let absent = if is_root { &at_root } else { &here };
        let folder = if is_root { Utf8PathBuf::new() } else { own.to_owned() };
        let names: Vec<&str> = absent.iter().map(|path| path.as_str()).collect();
        let question = match names.as_slice() {
            // a folder is everywhere: what is in it does not say which one is meant
            [] if copies_all(file) && here.len() == at_root.len() && !own.as_str().is_empty() => {
                Some("is it built in this folder, or at the root of the repository? It copies all of it".to_owned())
            }
            [] => None,
            names => {
                Some(format!("which folder does it copy from? {} is not there, nor at the root", names.join(", ")))
            }
        };
        Self { folder, question, copied }
    }

    fn get(&self, source: &str) -> Option<&'a Copied> {
        self.copied.get(&self.folder.join(inside(source)?))
    }

    /// The files that go into the image by names that are known.
    pub(super) fn files(&self, stage: &StageFacts) -> Vec<FileFacts> {
        let mut files = BTreeMap::new();
        for (copy, line) in copies(stage) {
            for source in &copy.sources {
                let found = match (&source.value, &copy.from) {
                    (Source::Path(value), Origin::Context) => value.known().and_then(|path| match self.get(path)? {
                        Copied::File { sha256, .. } => Some((target(copy, path)?, sha256.clone())),
                        Copied::Folder => None,
                    }),
                    (Source::Path(value), _) => value
                        .known()
                        .filter(|path| inside(path).is_some() && !path.ends_with('/'))
                        .and_then(|path| Some((target(copy, path)?, None))),
                    (Source::Heredoc { name, .. }, _) => target(copy, name).map(|path| (path, None)),
                    _ => None,
                };
                if let Some((path, sha256)) = found {
                    files.insert(path.clone(), FileFacts { path, sha256, line });
                }
            }
        }
        files.into_values().collect()
    }

    /// Whether a program among the files is linked with a C library, or may be: those of stages and images are not known.
    pub(super) fn has_linked_programs(&self, stage: &StageFacts) -> bool {
        let is_linked = |copy: &CopyStep, source: &Source| match (source, &copy.from) {
            (Source::Heredoc { .. }, _) => false,
            (Source::Path(value), Origin::Context) => match value.known().and_then(|path| self.get(path)) {
                Some(Copied::File { head, .. }) if head.starts_with(b"\x7fELF") => {
                    Elf::read(head.as_slice()).map_or(true, |elf| elf.interpreter.is_some())
                }
                Some(Copied::File { .. }) => false,
                Some(Copied::Folder) | None => true,
            },
            _ => true,
        };
        copies(stage).any(|(copy, _)| copy.sources.iter().any(|source| is_linked(copy, &source.value)))
    }

    /// Files of the context that begin with `#!`: where they go, and what reads them.
    fn interpreters(&self, stage: &StageFacts) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (copy, _) in copies(stage).filter(|(copy, _)| copy.from == Origin::Context) {
            for source in &copy.sources {
                if let Source::Path(value) = &source.value
                    && let Some(path) = value.known()
                    && let Some(Copied::File { head, .. }) = self.get(path)
                    && let Some(interpreter) = interpreter(head)
                {
                    found.insert(target(copy, path).unwrap_or_else(|| path.to_owned()), interpreter);
                }
            }
        }
        found
    }

    /// What scripts among the files need, with the reason.
    pub(super) fn scripts(&self, stage: &StageFacts) -> BTreeMap<String, String> {
        let mut needs = BTreeMap::new();
        for (path, interpreter) in self.interpreters(stage) {
            let why = format!("{path} is a script for {interpreter}");
            if is_shell_name(&interpreter) {
                needs.entry("shell".to_owned()).or_insert(why);
            } else if interpreter.ends_with("/bash") || interpreter == "bash" {
                needs.entry("package:bash".to_owned()).or_insert(why);
            }
        }
        needs
    }

    /// Questions about scripts whose interpreter has no package of a known name.
    pub(super) fn other_scripts(&self, stage: &StageFacts) -> Vec<String> {
        let known = |interpreter: &str| is_shell_name(interpreter) || interpreter.rsplit('/').next() == Some("bash");
        let others = self.interpreters(stage).into_iter().filter(|(_, interpreter)| !known(interpreter));
        others
            .map(|(path, interpreter)| format!("{path} is a script for {interpreter}; what gives that to the image?"))
            .collect()
    }

    /// Whether the accounts of another stage are copied.
    pub(super) fn copies_accounts_of_a_stage(&self, stage: &StageFacts) -> bool {
        copies(stage).any(|(copy, _)| {
            matches!(copy.from, Origin::Stage(_))
                && copy
                    .sources
                    .iter()
                    .any(|source| matches!(&source.value, Source::Path(path) if path.known() == Some("/etc/passwd")))
        })
    }

    /// The text of the file of the context that goes to a path.
    pub(super) fn text_at(&self, stage: &StageFacts, wanted: &str) -> Option<String> {
        let mut text = None;
        for (copy, _) in copies(stage) {
            for source in &copy.sources {
                match (&source.value, &copy.from) {
                    (Source::Path(value), Origin::Context) => {
                        if let Some(path) = value.known()
                            && target(copy, path).as_deref() == Some(wanted)
                            && let Some(Copied::File { head, .. }) = self.get(path)
                        {
                            text = Some(String::from_utf8_lossy(head).into_owned());
                        }
                    }
                    (Source::Heredoc { name, content }, _) if target(copy, name).as_deref() == Some(wanted) => {
                        text = content.known().map(str::to_owned);
                    }
                    _ => {}
                }
            }
        }
        text
    }
}

/// The program that reads a script: the first word after `#!`, or what `env` looks for.
fn interpreter(head: &[u8]) -> Option<String> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line).into_owned();
    let mut words = line.split_whitespace();
    let program = words.next()?;
    let found = match program.ends_with("/env") {
        true => words.find(|word| !word.starts_with('-') && !word.contains('='))?,
        false => program,
    };
    (!found.contains(char::is_control)).then(|| found.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_of_scripts() {
        for (head, expect) in [
            ("#!/bin/sh\nx", Some("/bin/sh")),
            ("#! /usr/bin/env -S bash -e\r\n", Some("bash")),
            ("#!/usr/bin/env python3", Some("python3")),
            ("\u{7f}ELF", None),
            ("", None),
            ("#!", None),
        ] {
            assert_eq!(interpreter(head.as_bytes()).as_deref(), expect, "{head:?}");
        }
    }

    #[test]
    fn paths_of_a_context() {
        for (path, expect) in
            [("./a/../b", Some("b")), ("/a", Some("a")), (".", Some("")), ("a*", None), ("../x", Some("x"))]
        {
            assert_eq!(inside(path).as_deref().map(Utf8Path::as_str), expect, "{path}");
        }
    }
}
