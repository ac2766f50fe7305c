//! What was built last, and from what; below `target/groupage/builds`:
//!
//! | file | is |
//! |---|---|
//! | `IMAGE[_VARIANT]/OS_ARCH.json` | [`Last`]: the last build of an image for a platform |
//! | `_plans/KEY.json` | what it was built from, by the fingerprint with the platform; names of images have no `_` |
//!
//! A plan is kept by its fingerprint so that a build which changes nothing writes nothing, and so that an image of a registry
//! can be compared in full with what was built here, even if it was not built last. [`KEPT`] of them stay besides those of last
//! builds. Everything is written by rename, and no link is followed; what is damaged, or of
//! another version of this program, counts as not there.
//!
//! Nothing secret gets in that is not in a manifest: a plan holds references without accounts, commands, environments as they
//! are written, and hashes instead of files.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::args::BuildArguments;
use super::session::{Loaded, Session};
use crate::engine::native::layout_folder;
use crate::engine::{Built, Outcome};
use crate::oci::Platform;
use crate::plan::changes::Recorded;
use crate::plan::{ImagePlan, Plan, fingerprint};
use crate::workspace::{MEMORY_FOLDER, state};

/// Where records are, in the state folder.
const FOLDER: &str = "builds";
/// The folder of plans in it.
const PLANS: &str = "_plans";
/// How many plans are kept that no last build was made from.
const KEPT: usize = 256;
/// Version of [`Last`].
const SCHEMA: u32 = 1;
/// Largest record that is read, in bytes.
const LIMIT: u64 = 256 << 20;

/// What built an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum EngineName {
    /// A daemon.
    Docker,
    /// This program.
    Native,
}

/// The last build of an image for a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Last {
    schema: u32,
    /// What built it.
    pub(super) engine: EngineName,
    /// Fingerprint of its plan.
    pub(super) fingerprint: String,
    /// Labels that are no inputs.
    stamp: BTreeMap<String, String>,
    /// Image ID; empty for an index.
    pub(super) image_id: String,
    /// Digest, where the engine knows one.
    pub(super) digest: Option<String>,
}

/// What is known of the last build.
#[derive(Debug)]
pub(super) enum Known {
    /// There was none here.
    Nothing,
    /// There was one, and there is no telling from what.
    NoRecord(String),
    /// Everything.
    All(Box<Last>, Box<Recorded>),
}

/// The records of a workspace.
#[derive(Debug, Clone)]
pub(super) struct Records {
    /// `target/groupage`.
    state: Utf8PathBuf,
}

/// Records what was built from a plan; `is_native` says what did it. That it cannot be recorded undoes no build.
pub(super) fn keep(
    arguments: &BuildArguments,
    session: &Session<'_>,
    loaded: &Loaded,
    plan: &Plan,
    is_native: bool,
    outcome: &Outcome,
) {
    let records = Records::of(&loaded.workspace.root);
    let engine = if is_native { EngineName::Native } else { EngineName::Docker };
    let mut written = Ok(false);
    for built in outcome.built() {
        let Some(image) = plan.images.iter().find(|image| image.id == built.image) else { continue };
        for platform in platforms(image, &arguments.platforms) {
            let own = image.for_platform(&platform);
            let own = built.found.get(&platform).map_or(own.clone(), |found| own.with_found(found));
            let kept = records.keep(engine, &own, &platform, built);
            written = written.and_then(|any| Ok(kept? || any));
        }
    }
    let written = written.and_then(|any| if any { records.prune(KEPT) } else { Ok(()) });
    if let Err(error) = written
        && super::build::is_chatty(arguments)
    {
        session.output.message(&format!("note: what was built is not on record, for `explain build`: {error}"));
    }
}

/// The platforms that an image was built for.
fn platforms(image: &ImagePlan, asked: &[Platform]) -> Vec<Platform> {
    match (&image.platforms[..], asked) {
        ([only], _) => vec![only.clone()],
        (_, []) => vec![Platform::of_this_machine()],
        (_, asked) => asked.to_vec(),
    }
}

impl Records {
    /// The records of the workspace in a folder.
    pub(super) fn of(root: &Utf8Path) -> Self {
        Self { state: root.join(MEMORY_FOLDER) }
    }

    /// The platforms that an image was built for, sorted.
    pub(super) fn platforms(&self, id: &str) -> Vec<Platform> {
        let folder = state::plain(&self.state, Utf8Path::new(FOLDER).join(layout_folder(id)));
        let Some(Ok(entries)) = folder.map(|folder| folder.read_dir_utf8()) else { return Vec::new() };
        let name = |entry: io::Result<camino::Utf8DirEntry>| {
            entry.ok()?.file_name().strip_suffix(".json")?.replace('_', "/").parse().ok()
        };
        let mut platforms: Vec<Platform> = entries.filter_map(name).collect();
        platforms.sort();
        platforms
    }

    /// What is known of the last build.
    pub(super) fn last(&self, id: &str, platform: &Platform) -> Known {
        let path = Self::last_path(id, platform);
        if !self.state.join(&path).exists() {
            return Known::Nothing;
        }
        let file = format!("{MEMORY_FOLDER}/{path}");
        let Some(last) = self.read_last(&path) else {
            return Known::NoRecord(format!("{file} cannot be used"));
        };
        match self.by_fingerprint(&last.fingerprint, platform) {
            Some(plan) => {
                let plan = plan.with_stamp(&last.stamp);
                Known::All(Box::new(last), Box::new(plan))
            }
            None => Known::NoRecord(format!("the plan that {file} names cannot be used")),
        }
    }

    /// The plan with a fingerprint, if it was built here.
    pub(super) fn by_fingerprint(&self, fingerprint: &str, platform: &Platform) -> Option<Recorded> {
        let document = serde_json::from_slice(&self.read(&Self::plan_path(fingerprint, platform))?).ok()?;
        // a file that was moved is not what its name says
        Recorded::from_json(&document).ok().filter(|plan| plan.fingerprint() == fingerprint)
    }

    /// Records one build; whether a plan was written.
    fn keep(&self, engine: EngineName, plan: &ImagePlan, platform: &Platform, built: &Built) -> io::Result<bool> {
        let (image_id, digest) = (built.image_id.clone(), built.digest.clone());
        let (fingerprint, stamp) = (plan.fingerprint.clone(), plan.stamp.clone());
        let last = Last { schema: SCHEMA, engine, fingerprint, stamp, image_id, digest };
        let path = Self::plan_path(&plan.fingerprint, platform);
        // one that cannot be used is written again
        let is_new = self.read(&path).is_none_or(|bytes| !is_whole(&bytes, &plan.fingerprint));
        if is_new {
            state::write(&self.state, &path, &serde_json::to_vec(&Recorded::of(plan).to_json())?)?;
        }
        let text = serde_json::to_string_pretty(&last)? + "\n";
        state::write(&self.state, Self::last_path(&plan.id, platform), text.as_bytes())?;
        Ok(is_new)
    }

    /// Removes the oldest plans but for so many. Another run may do the same: what is gone already is no trouble.
    fn prune(&self, kept: usize) -> io::Result<()> {
        let mut plans = Vec::new();
        for entry in state::folder(&self.state, Utf8Path::new(FOLDER).join(PLANS))?.read_dir_utf8()? {
            let entry = entry?;
            if let Ok(time) = entry.metadata().and_then(|metadata| metadata.modified()) {
                plans.push((time, entry.into_path()));
            }
        }
        if plans.len() <= kept {
            return Ok(());
        }
        let used = self.used()?;
        plans.retain(|(_, path)| !used.contains(path));
        plans.sort();
        let surplus = plans.len().saturating_sub(kept);
        plans.iter().take(surplus).for_each(|(_, path)| _ = fs_err::remove_file(path));
        Ok(())
    }

    /// The plans of last builds.
    fn used(&self) -> io::Result<BTreeSet<Utf8PathBuf>> {
        let mut used = BTreeSet::new();
        for folder in state::folder(&self.state, FOLDER)?.read_dir_utf8()? {
            let below = Utf8Path::new(FOLDER).join(folder?.file_name());
            for entry in self.state.join(&below).read_dir_utf8().into_iter().flatten().flatten() {
                let platform = entry.file_name().strip_suffix(".json").map(|name| name.replace('_', "/"));
                let platform = platform.and_then(|name| name.parse().ok());
                if let (Some(platform), Some(last)) = (platform, self.read_last(&below.join(entry.file_name()))) {
                    used.insert(self.state.join(Self::plan_path(&last.fingerprint, &platform)));
                }
            }
        }
        Ok(used)
    }

    fn read_last(&self, path: &Utf8Path) -> Option<Last> {
        let last: Last = serde_json::from_slice(&self.read(path)?).ok()?;
        (last.schema == SCHEMA).then_some(last)
    }

    fn read(&self, path: &Utf8Path) -> Option<Vec<u8>> {
        state::read(&self.state, path, LIMIT)
    }

    /// Below the state folder, as [`Records::plan_path`] is.
    fn last_path(id: &str, platform: &Platform) -> Utf8PathBuf {
        Utf8Path::new(FOLDER).join(layout_folder(id)).join(format!("{}.json", platform.to_string().replace('/', "_")))
    }

    fn plan_path(fingerprint: &str, platform: &Platform) -> Utf8PathBuf {
        // what an image says is hashed before it becomes a path
        Utf8Path::new(FOLDER).join(PLANS).join(format!("{}.json", fingerprint::on_platform(fingerprint, platform)))
    }
}

/// Whether a file looks like the plan with a fingerprint: a machine that went down may have left a part, or zeros. It is not
/// parsed, since this runs after builds that had nothing to do.
fn is_whole(bytes: &[u8], fingerprint: &str) -> bool {
    let wanted = format!("\"fingerprint\":\"{fingerprint}\"");
    let named = || bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes());
    bytes.first() == Some(&b'{') && bytes.last() == Some(&b'}') && named()
}

#[cfg(test)]
mod tests;
