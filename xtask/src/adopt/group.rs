//! Which components could be one image: those that differ in nothing that a merged image has only once.
//!
//! | what differs | why it parts groups |
//! |---|---|
//! | C library | a program that is linked dynamically runs with its own one only; static programs go with any |
//! | root or not | an image that starts as root gives its rights to whoever breaks into the other programs |
//! | cadence | an image is released whenever one of its components is |
//!
//! A component whose version was written down is released by itself; all others are released with the repository. What cannot
//! be in any image as it is (see [`Facts::obstacle`]) is in no group.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::base::{self, Family};
use super::facts::{Facts, Linking, Origin};

/// Components that are suggested to become one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Name of the image.
    pub image: String,
    /// What it stands on.
    pub base: Base,
    /// Names of its components, sorted.
    pub components: Vec<String>,
    /// Why these, in sentences.
    pub reasons: Vec<String>,
    /// What its components need and no known base gives.
    pub unmet: BTreeSet<String>,
    /// Bases that were looked at and do not do, with the reason.
    pub rejected: Vec<Rejected>,
    /// Components that would belong here and cannot be in it, with the reason.
    pub left_out: BTreeMap<String, String>,
    /// Platforms that all components were published for; none known when empty.
    pub platforms: Vec<String>,
    /// Whether all packages are installed on the base itself, because all that install some are for its distribution.
    pub replays: bool,
}

/// A base of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Base {
    /// Its name in `[bases]`, or `scratch`.
    pub name: String,
    /// The image.
    pub reference: String,
}

/// A base that does not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The image.
    pub reference: String,
    /// What it lacks that the chosen one gives, and who needs that.
    pub because: String,
    /// Those who need it, sorted.
    pub components: Vec<String>,
}

/// What keeps groups apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    libc: Linking,
    is_root: bool,
    cadence: Option<String>,
}

impl Key {
    fn of(facts: &Facts) -> Self {
        let cadence = facts.version.as_ref().map(|version| version.value.clone());
        Self { libc: facts.libc, is_root: facts.user.is_root(), cadence }
    }

    fn reasons(&self, merged: &[&Facts]) -> Vec<String> {
        let runs = if self.is_root { "all run as root" } else { "none runs as root" };
        let libc = match self.libc {
            Linking::None => "all are static programs or scripts, which need no C library".to_owned(),
            Linking::Unknown => "the C library of their programs is not known".to_owned(),
            Linking::Libc(libc) if merged.iter().any(|facts| facts.libc == Linking::None) => {
                format!("their programs are for {libc}, or are static or scripts, which need no C library")
            }
            Linking::Libc(libc) => format!("their programs are for {libc}"),
        };
        let cadence = match &self.cadence {
            Some(version) => format!("all have version {version}, so one release can be theirs"),
            None => "none has a version of its own, so all are released with this repository".to_owned(),
        };
        vec![format!("base: {libc}"), format!("boundary: {runs}"), format!("cadence: {cadence}")]
    }
}

/// Groups of components. `merge` puts all into one image of that name, whatever keeps them apart.
pub fn groups(all: &[Facts], merge: Option<&str>, root: &str) -> Vec<Group> {
    let able: Vec<&Facts> = all.iter().filter(|facts| facts.obstacle.is_none()).collect();
    if let Some(image) = merge {
        let reasons = vec!["all of them, because that was asked for".to_owned()];
        return vec![group(image.to_owned(), &able, reasons, all)];
    }
    let mut found: BTreeMap<Key, Vec<&Facts>> = BTreeMap::new();
    for facts in able {
        found.entry(Key::of(facts)).or_default().push(facts);
    }
    join_static(&mut found);
    let mut names = BTreeSet::new();
    let mut groups: Vec<Group> = found
        .iter()
        .map(|(key, facts)| {
            let name = match facts.as_slice() {
                [only] => only.name.clone(),
                several => common_name(several, root),
            };
            let reasons = if facts.len() == 1 { alone(key, found.keys()) } else { key.reasons(facts) };
            group(super::name::unique(&name, &mut names), facts, reasons, &[])
        })
        .collect();
    groups.sort_by(|a, b| a.image.cmp(&b.image));
    groups
}

/// Static programs go with the others of the same user and cadence, where there are any.
fn join_static(found: &mut BTreeMap<Key, Vec<&Facts>>) {
    let static_keys: Vec<Key> = found.keys().filter(|key| key.libc == Linking::None).cloned().collect();
    for key in static_keys {
        let fits = |other: &&Key| {
            matches!(other.libc, Linking::Libc(_)) && (other.is_root, &other.cadence) == (key.is_root, &key.cadence)
        };
        let Some(host) = found.keys().filter(fits).max_by_key(|other| found[*other].len()).cloned() else { continue };
        let moved = found.remove(&key).unwrap_or_default();
        let joined = found.entry(host).or_default();
        joined.extend(moved);
        joined.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

fn alone<'k>(own: &Key, all: impl Iterator<Item = &'k Key>) -> Vec<String> {
    let others: Vec<&Key> = all.filter(|key| *key != own).collect();
    let mut differs = Vec::new();
    if others.iter().all(|key| key.libc != own.libc) {
        differs.push("C library");
    }
    if others.iter().all(|key| key.is_root != own.is_root) {
        differs.push("user");
    }
    if others.iter().all(|key| key.cadence != own.cadence) {
        differs.push("version");
    }
    match (others.is_empty(), differs.as_slice()) {
        (true, _) => vec!["there is nothing else that it could be merged with".to_owned()],
        (false, []) => vec!["alone: no other component has the same C library, user and version".to_owned()],
        (false, differs) => vec![format!("alone: no other component has the same {}", differs.join(" or "))],
    }
}

/// The folder that holds all of them, else the name of the workspace.
fn common_name(several: &[&Facts], root: &str) -> String {
    let folders = several.iter().map(|facts| match &facts.origin {
        Origin::Dockerfile(origin) => {
            let above = camino::Utf8Path::new(&origin.path).parent().and_then(camino::Utf8Path::parent);
            above.map(|above| above.to_string()).unwrap_or_default()
        }
        Origin::Image(_) => String::new(),
    });
    let folders: BTreeSet<String> = folders.collect();
    let common = folders.first().filter(|first| folders.len() == 1 && !first.is_empty());
    super::name::of_dockerfile(&common.map(|folder| format!("{folder}/Dockerfile")).unwrap_or_default(), root)
}

fn group(image: String, merged: &[&Facts], reasons: Vec<String>, all: &[Facts]) -> Group {
    let choice = choose(merged);
    let mut left_out: BTreeMap<String, String> =
        all.iter().filter_map(|facts| Some((facts.name.clone(), facts.obstacle.clone()?))).collect();
    let mut components = Vec::new();
    for facts in merged {
        match obstacle_on(facts, &choice.base.reference, choice.replays) {
            Some(why) => _ = left_out.insert(facts.name.clone(), why),
            None => components.push(facts.name.clone()),
        }
    }
    components.sort();
    let platforms = common_platforms(merged);
    Group { image, components, reasons, left_out, platforms, ..choice }
}

/// Why a component cannot be on a base.
fn obstacle_on(facts: &Facts, base: &str, replays: bool) -> Option<String> {
    let run = facts.runs.first().filter(|_| !takes_stage(facts, base, replays))?;
    Some(format!(
        "line {} of its Dockerfile runs `{}`, which has to run on {}, and this image stands on {base}: list what the command makes \
         with [[install]], or give the component an image of its own",
        run.line, run.text, facts.base.reference
    ))
}

/// Whether the commands of its last stage run again on the base, which is the same distribution. Where others bring packages of
/// other distributions, those that only install packages ask the base for them instead, as the others do.
fn takes_stage(facts: &Facts, base: &str, replays: bool) -> bool {
    let has_commands = !facts.runs.is_empty() || (replays && !facts.installs.is_empty());
    has_commands && facts.dockerfile().is_some() && base::is_same_repository(&facts.base.reference, base)
}

/// What a component asks of a base: packages that it installs there itself are not asked for.
fn needs_on(facts: &Facts, base: &str, replays: bool) -> BTreeMap<String, String> {
    let mut needs = facts.needs.clone();
    if !takes_stage(facts, base, replays) {
        for install in &facts.installs {
            for package in &install.packages {
                let why = format!("line {} of its Dockerfile installs it with {}", install.line, install.manager);
                needs.insert(super::packages::need_of(package), why);
            }
        }
    }
    needs
}

impl Group {
    /// Whether the last stage of a component is run again on the base.
    pub(super) fn takes_stage_of(&self, facts: &Facts) -> bool {
        takes_stage(facts, &self.base.reference, self.replays)
    }

    /// What a component asks of the base, with the reasons.
    pub(super) fn needs_of(&self, facts: &Facts) -> BTreeMap<String, String> {
        needs_on(facts, &self.base.reference, self.replays)
    }
}

/// What a component that is in no group would ask of a base.
pub(super) fn needs_alone(facts: &Facts) -> BTreeMap<String, String> {
    needs_on(facts, "", false)
}

fn common_platforms(merged: &[&Facts]) -> Vec<String> {
    let mut sets = merged.iter().filter_map(|facts| match &facts.origin {
        Origin::Image(origin) if !origin.platforms.is_empty() => Some(origin.platforms.iter().cloned().collect()),
        _ => None,
    });
    let first: BTreeSet<String> = sets.next().unwrap_or_default();
    sets.fold(first, |common, own: BTreeSet<String>| &common & &own).into_iter().collect()
}

/// The smallest base of those that the components have now which gives what all of them need; else the one that lacks least.
fn choose(merged: &[&Facts]) -> Group {
    let mut candidates: Vec<&str> = merged.iter().map(|facts| facts.base.reference.as_str()).collect();
    candidates.sort_by(|a, b| (Family::of(a), a).cmp(&(Family::of(b), b)));
    candidates.dedup();
    let replays = |base: &str| {
        let mut installing = merged.iter().filter(|facts| !facts.installs.is_empty());
        installing.all(|facts| base::is_same_repository(&facts.base.reference, base))
    };
    let lacks: Vec<(&str, BTreeMap<String, BTreeSet<&str>>)> =
        candidates.iter().map(|base| (*base, lacking(base, merged, replays(base)))).collect();
    let fewest = lacks.iter().map(|(_, lacking)| lacking.len()).min().unwrap_or_default();
    let chosen = lacks.iter().find(|(_, lacking)| lacking.len() == fewest);
    let (reference, unmet) = chosen.map_or(("scratch", BTreeSet::new()), |(base, lacking)| {
        (*base, lacking.keys().filter(|need| !is_libc(need)).cloned().collect())
    });
    // what none of them gives tells nothing between them
    let common = chosen.map(|(_, lacking)| lacking.keys().collect::<BTreeSet<&String>>()).unwrap_or_default();
    let beyond = |(base, lacking): &(&str, BTreeMap<String, BTreeSet<&str>>)| {
        let own: BTreeMap<String, BTreeSet<&str>> = lacking
            .iter()
            .filter(|(need, _)| !common.contains(need))
            .map(|(need, who)| (need.clone(), who.clone()))
            .collect();
        let who: BTreeSet<&str> = own.values().flatten().copied().collect();
        let components = who.into_iter().map(str::to_owned).collect();
        (!own.is_empty()).then(|| Rejected { reference: (*base).to_owned(), because: because(&own), components })
    };
    let rejected = lacks.iter().filter(|(base, _)| *base != reference).filter_map(beyond).collect();
    let base = Base { name: base::short_name(reference), reference: reference.to_owned() };
    Group {
        image: String::new(),
        base,
        components: Vec::new(),
        reasons: Vec::new(),
        unmet,
        rejected,
        left_out: BTreeMap::new(),
        platforms: Vec::new(),
        replays: replays(reference),
    }
}

fn is_libc(need: &str) -> bool {
    need.starts_with("libc:")
}

/// What a base does not give, and to whom.
fn lacking<'f>(base: &str, merged: &[&'f Facts], replays: bool) -> BTreeMap<String, BTreeSet<&'f str>> {
    let given = base::provides(base);
    let mut lacking: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for facts in merged {
        for need in needs_on(facts, base, replays).into_keys().filter(|need| !given.contains(need.as_str())) {
            lacking.entry(need).or_default().insert(&facts.name);
        }
        let has_its_own = base::is_same_repository(&facts.base.reference, base);
        match facts.libc {
            Linking::Libc(own) if !given.contains(format!("libc:{own}").as_str()) => {
                lacking.entry(format!("libc:{own}")).or_default().insert(&facts.name);
            }
            Linking::Unknown if !has_its_own => {
                _ = lacking.entry(UNKNOWN_LIBC.to_owned()).or_default().insert(&facts.name)
            }
            _ => {}
        }
    }
    lacking
}

/// Stands for the C library of a base of which nothing is known.
const UNKNOWN_LIBC: &str = "libc:unknown";

fn because(lacking: &BTreeMap<String, BTreeSet<&str>>) -> String {
    let part = |(need, names): (&String, &BTreeSet<&str>)| {
        let verb = if names.len() == 1 { "needs" } else { "need" };
        format!("no {need}, which {} {verb}", names.iter().copied().collect::<Vec<_>>().join(", "))
    };
    let parts: Vec<String> = lacking.iter().map(part).collect();
    parts.join("; ").replace(UNKNOWN_LIBC, "C library that is known to fit")
}
