//! `[build.dockerfile]`: an existing Dockerfile, as it stands.
//!
//! | key | is |
//! |---|---|
//! | `path` | the Dockerfile; `Dockerfile` when absent |
//! | `target` | the stage that counts; the last one when absent |
//! | `args` | build arguments, as `docker build --build-arg` |
//! | `context` | the build context; the folder of the manifest when absent |
//! | `take` | what the merged image takes of the target stage: see [`Take`] |
//! | `users` | numbers of users that the Dockerfile names: `users = { app = "1000:1000" }` |
//! | `ignore-runs` | `RUN`s of the target stage that the merged image does without: how each of them begins |
//!
//! Both paths are relative to the manifest, as people write them for `docker build`; they may climb (`..`) and stay in the
//! workspace.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};

use super::BuildKind;
use crate::diagnostic::closest;
use crate::manifest::decode::{Item, Table};
use crate::manifest::dockerfile::{Outside, ReadDockerfile};
use crate::manifest::name::OutsideName;
use crate::manifest::path::RelativePath;
use crate::manifest::role::User;
use crate::manifest::text::{Text, Texts};
use crate::source::Spanned;

/// `[build.dockerfile]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerfileBuild {
    /// The Dockerfile, relative to the workspace root.
    pub path: Spanned<Utf8PathBuf>,
    /// The stage that counts; the last one when absent.
    pub target: Option<Spanned<String>>,
    /// Build arguments.
    pub args: BTreeMap<String, Spanned<String>>,
    /// The build context, relative to the workspace root; empty for the root itself.
    pub context: Spanned<Utf8PathBuf>,
    /// What the merged image takes.
    pub take: Spanned<Take>,
    /// Numbers of users and groups that the Dockerfile names.
    pub users: BTreeMap<String, Spanned<User>>,
    /// How `RUN`s begin that the merged image does without.
    pub ignore_runs: Vec<Spanned<String>>,
    /// What is in the file; absent only when it could not be read, which was reported.
    pub read: Option<ReadDockerfile>,
}

impl DockerfileBuild {
    /// The images that the stages which count begin with or copy from.
    pub fn outside(&self) -> impl Iterator<Item = (&OutsideName, &Outside)> {
        self.read.iter().flat_map(|read| &read.outside)
    }
}

/// What the merged image takes of the target stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    /// What it adds by `COPY` and `ADD`; a `RUN` is then an error.
    #[default]
    Copies,
    /// All of it: its `RUN`s are replayed on the merged base, which must be of the same distribution.
    Stage,
}

impl Text for Take {
    fn texts() -> Texts {
        Texts::Words(vec!["copies", "stage"])
    }
}

impl FromStr for Take {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = ["copies", "stage"];
        match text {
            "copies" => Ok(Self::Copies),
            "stage" => Ok(Self::Stage),
            _ => Err(match closest(text, known) {
                Some(close) => format!("it is \"copies\" or \"stage\"\nhint: did you mean `{close}`?"),
                None => "it is \"copies\" or \"stage\"".to_owned(),
            }),
        }
    }
}

impl fmt::Display for Take {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Copies => "copies",
            Self::Stage => "stage",
        })
    }
}

/// A path that may begin with `..`, as those of `docker build` do.
struct ClimbingPath {
    up: usize,
    below: RelativePath,
}

impl Text for ClimbingPath {}

impl FromStr for ClimbingPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut up, mut rest) = (0, text.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(text));
        while let Some(below) = rest.strip_prefix("../").or((rest == "..").then_some(".")) {
            (up, rest) = (up + 1, below);
        }
        let rest = rest.strip_prefix("./").unwrap_or(rest);
        let below = rest.parse().map_err(|error: crate::manifest::PathError| error.to_string())?;
        Ok(Self { up, below })
    }
}

impl ClimbingPath {
    /// The path seen from the workspace root; `None` when it leaves the workspace.
    fn seen_from(&self, folder: &Utf8Path) -> Option<Utf8PathBuf> {
        let above = folder.ancestors().nth(self.up)?;
        Some(self.below.below(above))
    }
}

pub(super) fn decode_dockerfile(table: &mut Table<'_>, folder: &Utf8Path) -> Option<BuildKind> {
    table.held_by::<DockerfileBuild>();
    let here = table.span;
    let path = table.optional("path").map(|item| decode_path(&item, folder));
    let target = table.optional("target").and_then(|item| item.line());
    let args = table.optional("args").and_then(|item| item.table(decode_args));
    let context = table.optional("context").map(|item| decode_path(&item, folder));
    let take = table.optional("take").and_then(|item| item.parsed());
    let users = table.optional("users").and_then(|item| item.table(decode_users));
    let ignore_runs = table.optional("ignore-runs").and_then(|item| item.list(Item::line));
    Some(BuildKind::Dockerfile(Box::new(DockerfileBuild {
        path: path.unwrap_or_else(|| Some(Spanned::new(folder.join("Dockerfile"), here)))?,
        target,
        args: args.unwrap_or_default(),
        context: context.unwrap_or_else(|| Some(Spanned::new(folder.to_owned(), here)))?,
        take: take.unwrap_or(Spanned::new(Take::default(), here)),
        users: users.unwrap_or_default(),
        ignore_runs: ignore_runs.unwrap_or_default(),
        read: None,
    })))
}

fn decode_path(item: &Item<'_>, folder: &Utf8Path) -> Option<Spanned<Utf8PathBuf>> {
    let path: Spanned<ClimbingPath> = item.parsed()?;
    let seen = path.value.seen_from(folder);
    if seen.is_none() {
        let help = "files of a build must be inside the folder of groupage.toml; copy them, or move groupage.toml up";
        item.report_with_help("outside-workspace", "the path leads out of the workspace", help);
    }
    Some(Spanned::new(seen?, path.span))
}

/// Names as `ARG` has them; values are any one line.
fn decode_args(table: &mut Table<'_>) -> Option<BTreeMap<String, Spanned<String>>> {
    crate::manifest::role::decode_env(table)
}

fn decode_users(table: &mut Table<'_>) -> Option<BTreeMap<String, Spanned<User>>> {
    let mut users = BTreeMap::new();
    for (name, item) in table.named::<String>() {
        let Some(user) = item.parsed::<User>() else { continue };
        match user.value {
            User::Numeric { .. } => _ = users.insert(name.value, user),
            User::Named(_) => item.report("invalid-value", "a user is `uid:gid`, both numeric"),
        }
    }
    Some(users)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_climb_and_stay_inside() {
        let check = |folder: &str, path: &str, expect: Option<&str>| {
            let path: Option<ClimbingPath> = path.parse().ok();
            let seen = path.and_then(|path| path.seen_from(folder.into()));
            assert_eq!(seen.as_deref().map(Utf8Path::as_str), expect);
        };
        check("components/a", "Dockerfile", Some("components/a/Dockerfile"));
        check("components/a", "./x/", Some("components/a/x"));
        check("components/a", ".", Some("components/a"));
        check("components/a", "..", Some("components"));
        check("components/a", "../..", Some(""));
        check("components/a", "../../", Some(""));
        check("components/a", "../../docker/x.Dockerfile", Some("docker/x.Dockerfile"));
        check("components/a", "../../..", None);
        check("components/a", "../../../etc/passwd", None);
        check("components/a", "/etc", None);
        check("components/a", "x/../y", None);
        check("components/a", "x$y", None);
        check("components/a", "", None);
    }
}
