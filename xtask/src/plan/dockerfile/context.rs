//! Files of the build context of an existing Dockerfile: those that its stages can reach, by the context's own ignore file.
//! What a `COPY .` or a mount of the whole context can reach is all of it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::dockerfile::{CopyStep, Extent, Fact, Origin, Source, Step, StepKind, Value};
use crate::manifest::{BuildKind, ComponentManifest, DockerfileBuild, ReadDockerfile};
use crate::plan::Read;
use crate::plan::inputs::input;
use crate::plan::model::Input;
use crate::workspace::glob::{Fit, Token, fits};
use crate::workspace::{ContextRules, Entry, Want};

/// The manifest is never part of what it describes.
const MANIFEST: &str = "component.toml";

/// What stages reach in a context.
pub(super) struct Sources<'m> {
    manifest: &'m ComponentManifest,
    build: &'m DockerfileBuild,
    read: &'m ReadDockerfile,
    /// Paths, some with wildcards, and where they are first asked for.
    paths: BTreeMap<String, Extent>,
}

/// What a path of the context is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// Whatever fits.
    Pattern,
}

/// What the stages of a component reach.
pub(super) fn of(manifest: &ComponentManifest) -> Option<Sources<'_>> {
    let BuildKind::Dockerfile(build) = &manifest.build.kind else { return None };
    let read = build.read.as_ref()?;
    let mut sources = Sources { manifest, build, read, paths: BTreeMap::new() };
    for (index, facts) in &read.stages {
        for step in facts.steps.iter().filter(|step| step.stage == *index) {
            sources.add_step(step);
        }
    }
    Some(sources)
}

impl Sources<'_> {
    fn add_step(&mut self, step: &Step) {
        match &step.kind {
            StepKind::Copy(copy) if copy.from == Origin::Context => {
                for path in paths(copy) {
                    self.add(path, step.span);
                }
            }
            StepKind::Run(run) => {
                for mount in run.mounts.iter().filter(|mount| mount.kind == "bind" && mount.from == Origin::Context) {
                    match &mount.source {
                        Some(path) => self.add(path, step.span),
                        None => self.add(&Value::Known(String::new()), step.span),
                    }
                }
            }
            _ => {}
        }
    }

    /// What is not known, or leads out, is reported when the stage is spliced.
    fn add(&mut self, path: &Value, place: Extent) {
        let Some(text) = path.known() else { return };
        if !text.split('/').any(|part| part == "..") {
            self.paths.entry(clean(text)).or_insert(place);
        }
    }

    fn rules(&self) -> ContextRules {
        ContextRules { folder: self.build.context.value.clone(), dockerfile: self.build.path.value.clone() }
    }

    /// The path of the workspace that holds all that fits, below the context.
    fn root(path: &str) -> (&str, bool) {
        match path.find(['*', '?', '[', '\\']) {
            None => (path, false),
            Some(at) => (path[..at].rfind('/').map_or("", |end| &path[..end]), true),
        }
    }

    fn want(&self, path: &str, place: Extent) -> Want {
        let (root, is_pattern) = Self::root(path);
        let top = join(&self.build.context.value, root);
        let manifest = self.manifest.folder.join(MANIFEST);
        let exclude = manifest.strip_prefix(&top).ok().filter(|below| !below.as_str().is_empty());
        Want {
            exclude: exclude.map(ToString::to_string).into_iter().collect(),
            path: top,
            place: self.read.span(place),
            required: !is_pattern,
            context: Some(self.rules()),
        }
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        self.paths.iter().map(|(path, place)| self.want(path, *place)).collect()
    }

    /// What a path is, and the files that it reaches, by their paths in the context.
    pub(super) fn look<'r>(&self, path: &str, read: &'r Read<'_>) -> (Kind, Vec<(Utf8PathBuf, &'r Entry)>) {
        let path = clean(path);
        let want = self.want(&path, Extent::new(0, 0));
        let (root, is_pattern) = Self::root(&path);
        let entries = read.tree.wanted(&want);
        let reached = entries.iter().map(|entry| (join(Utf8Path::new(root), entry.path.as_str()), entry));
        if is_pattern {
            let pattern: Vec<Vec<Token>> = path.split('/').map(tokens).collect();
            return (Kind::Pattern, reached.filter(|(path, _)| is_reached(&pattern, path)).collect());
        }
        let is_file = entries.iter().any(|entry| entry.path.as_str().is_empty());
        (if is_file { Kind::File } else { Kind::Folder }, reached.collect())
    }

    pub(super) fn inputs(&self, read: &Read<'_>) -> BTreeMap<Utf8PathBuf, Input> {
        let mut inputs = BTreeMap::new();
        let context = &self.build.context.value;
        for path in self.paths.keys() {
            for (below, entry) in self.look(path, read).1 {
                let whole = Entry { path: below.clone(), kind: entry.kind.clone() };
                inputs.insert(below, input(context, &whole, None));
            }
        }
        inputs
    }
}

/// Paths of a copy, as they are after expansion.
fn paths(copy: &CopyStep) -> impl Iterator<Item = &Value> {
    copy.sources.iter().filter_map(|source: &Fact<Source>| match &source.value {
        Source::Path(path) => Some(path),
        _ => None,
    })
}

/// A path of the context from its top, without `.` and empty parts.
fn clean(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

fn join(folder: &Utf8Path, below: &str) -> Utf8PathBuf {
    match (folder.as_str(), below) {
        ("", below) => below.into(),
        (_, "") => folder.to_owned(),
        _ => folder.join(below),
    }
}

/// One part of a pattern. A class of characters counts as any character: a file too many may travel, never one too few.
/// <https://pkg.go.dev/path/filepath#Match>
fn tokens(part: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = part.chars();
    while let Some(c) = rest.next() {
        tokens.push(match c {
            '*' => Token::Some,
            '?' => Token::Any,
            '[' => {
                rest.by_ref().skip(1).find(|c| *c == ']');
                Token::Any
            }
            '\\' => rest.next().map_or(Token::Is('\\'), Token::Is),
            c => Token::Is(c),
        });
    }
    tokens
}

/// Whether a path, or a folder above it, fits.
fn is_reached(pattern: &[Vec<Token>], path: &Utf8Path) -> bool {
    let parts: Vec<&str> = path.as_str().split('/').collect();
    parts.len() >= pattern.len() && pattern.iter().zip(parts).all(|(pattern, part)| fits(pattern, part, Fit::Path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_reach() {
        let check = |pattern: &str, path: &str, expect: bool| {
            let tokens: Vec<Vec<Token>> = pattern.split('/').map(tokens).collect();
            assert_eq!(is_reached(&tokens, path.into()), expect, "{pattern} {path}");
        };
        check("*.go", "main.go", true);
        check("*.go", "cmd/main.go", false);
        check("cmd/*", "cmd/a/b", true);
        check("go.*", "go.mod", true);
        check("file[0-9].txt", "file1.txt", true);
        check("a?c", "abc", true);
        check("a\\*c", "a*c", true);
        check("a\\*c", "abc", false);
        assert_eq!(Sources::root("cmd/*/x"), ("cmd", true));
        assert_eq!(Sources::root("*.go"), ("", true));
        assert_eq!(Sources::root("a/b"), ("a/b", false));
        assert_eq!(clean("./a//b/."), "a/b");
        assert_eq!(clean("/"), "");
    }
}
