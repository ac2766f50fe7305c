//! What clashes when components become one image, and what can be done about it: for programs that read the analysis. People
//! get the same from `check`, whose rules see the files that were written.
//!
//! | kind | clash |
//! |---|---|
//! | `entrypoints` | consumers that pass arguments only rely on several ENTRYPOINTs, and an image has one |
//! | `users` | they run as different users, or as users without a number |
//! | `needs` | what the chosen base does not give, and bases that were rejected |
//! | `packages` | packages of distributions that the chosen base would have to hold |
//! | `ports` | two listen on the same port |
//! | `paths` | two put a file at the same path, and it is not known to be the same one |
//! | `environment` | two set a variable to different values |

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::facts::Facts;
use super::group::Group;

/// One clash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clash {
    /// The image.
    pub image: String,
    /// What it is about.
    pub kind: &'static str,
    /// Names of the components, sorted.
    pub components: Vec<String>,
    /// What clashes, in a sentence.
    pub text: String,
    /// What would settle it, in a sentence.
    pub proposal: String,
}

/// The user that is proposed for all: nobody, in Alpine and Debian.
const PROPOSED_USER: &str = "65534:65534";

/// All clashes of a group, in the order of the table above.
pub fn clashes(group: &Group, all: &[Facts]) -> Vec<Clash> {
    let merged: Vec<&Facts> = all.iter().filter(|facts| group.components.contains(&facts.name)).collect();
    let mut found = Vec::new();
    found.extend(entrypoints(&merged));
    found.extend(users(&merged));
    found.extend(needs(group, &merged));
    found.extend(packages(group, &merged));
    found.extend(ports(&merged));
    found.extend(paths(&merged));
    found.extend(environment(&merged));
    found.iter_mut().for_each(|clash| clash.image.clone_from(&group.image));
    found
}

fn clash<'n>(
    kind: &'static str,
    names: impl IntoIterator<Item = &'n str>,
    text: String,
    proposal: impl Into<String>,
) -> Clash {
    let names: BTreeSet<&str> = names.into_iter().collect();
    let components = names.into_iter().map(str::to_owned).collect();
    Clash { image: String::new(), kind, components, text, proposal: proposal.into() }
}

fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

fn entrypoints(merged: &[&Facts]) -> Option<Clash> {
    let relying: Vec<&&Facts> = merged.iter().filter(|facts| facts.start.is_entrypoint).collect();
    let distinct: BTreeSet<&[String]> = relying.iter().map(|facts| facts.start.command.as_slice()).collect();
    if merged.len() < 2 || relying.is_empty() {
        return None;
    }
    let count = match (relying.len(), distinct.len()) {
        (1, _) => "one ENTRYPOINT".to_owned(),
        (all, 1) => format!("the same ENTRYPOINT of {all} images"),
        (all, some) if all == some => format!("{all} different ENTRYPOINTs"),
        (all, some) => format!("{all} ENTRYPOINTs, of which {some} are distinct"),
    };
    let each = relying.iter().map(|facts| format!("{}: {:?}", facts.name, facts.start.command)).collect::<Vec<_>>();
    Some(clash(
        "entrypoints",
        relying.iter().map(|facts| facts.name.as_str()),
        format!("consumers that pass arguments only rely on {count} ({})", each.join("; ")),
        "give each consumer its `command`, and say so in the [[replaces]] of its component; the `default-role` needs none",
    ))
}

fn users(merged: &[&Facts]) -> Option<Clash> {
    let mut by_user: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for facts in merged {
        by_user.entry(facts.user.shown()).or_default().push(&facts.name);
    }
    let is_number = |user: &&str| user.starts_with(|c: char| c.is_ascii_digit());
    if by_user.len() < 2 && by_user.keys().all(is_number) {
        return None;
    }
    let each: Vec<String> =
        by_user.iter().map(|(user, names)| format!("{user}: {}", listed(names.iter().copied()))).collect();
    Some(clash(
        "users",
        merged.iter().map(|facts| facts.name.as_str()),
        match by_user.len() {
            1 => format!("they run as a user without a number ({})", each.join("; ")),
            _ => format!("they run as different users ({})", each.join("; ")),
        },
        format!(
            "run all as one numeric user, such as `user = \"{PROPOSED_USER}\"`; or set `default-role`, whose user the image then has"
        ),
    ))
}

fn needs(group: &Group, merged: &[&Facts]) -> Vec<Clash> {
    let rejected = group.rejected.iter().map(|rejected| {
        let text = format!("the base {} does not do: {}", rejected.reference, rejected.because);
        let names = rejected.components.iter().map(String::as_str);
        clash("needs", names, text, format!("take the base {}", group.base.reference))
    });
    let plain: Vec<&String> = group.unmet.iter().filter(|need| !need.starts_with("package:")).collect();
    let unmet = (!plain.is_empty()).then(|| {
        let needs = listed(plain.iter().map(|need| need.as_str()));
        clash(
            "needs",
            needing(group, merged, |need| group.unmet.contains(need)),
            format!("the base {} is not known to give {needs}", group.base.reference),
            "name a base in [bases] that gives it, and say so there with `provides`",
        )
    });
    let rejected: Vec<Clash> = if merged.len() > 1 { rejected.collect() } else { Vec::new() };
    rejected.into_iter().chain(unmet).collect()
}

fn needing<'f>(group: &Group, merged: &[&'f Facts], is_meant: impl Fn(&str) -> bool) -> Vec<&'f str> {
    let needs = |facts: &&&Facts| group.needs_of(facts).keys().any(|need| is_meant(need));
    merged.iter().filter(needs).map(|facts| facts.name.as_str()).collect()
}

/// Packages of all of them: what the base lacks, or how they come onto it.
fn packages(group: &Group, merged: &[&Facts]) -> Option<Clash> {
    let unmet: Vec<&str> = group.unmet.iter().filter_map(|need| need.strip_prefix("package:")).collect();
    let all: BTreeSet<&str> = merged.iter().flat_map(|facts| facts.packages()).chain(unmet.iter().copied()).collect();
    let quoted: Vec<String> = unmet.iter().map(|package| format!("\"package:{package}\"")).collect();
    (!unmet.is_empty()).then(|| {
        clash(
            "packages",
            needing(group, merged, |need| need.starts_with("package:")),
            format!(
                "together they need the packages {}, and the base {} is not known to hold {}",
                listed(all),
                group.base.reference,
                listed(unmet.iter().copied())
            ),
            format!(
                "make a base that holds them, name it in [bases] with `provides = [{}]`, and write its name as `base`",
                quoted.join(", ")
            ),
        )
    })
}

fn ports(merged: &[&Facts]) -> Vec<Clash> {
    let mut by_port: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for facts in merged {
        facts.ports.iter().for_each(|port| by_port.entry(port).or_default().push(&facts.name));
    }
    let all = listed(
        by_port
            .keys()
            .map(|port| format!("{}/{}", port.port, port.protocol))
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str),
    );
    let shared = by_port.iter().filter(|(_, names)| names.len() > 1);
    shared
        .map(|(port, names)| {
            let text = format!(
                "{} listen on port {}/{}; ports of all: {all}",
                listed(names.iter().copied()),
                port.port,
                port.protocol
            );
            clash(
                "ports",
                names.iter().copied(),
                text,
                "change one port, or say with `pods = [[…], […]]` that they never share a pod",
            )
        })
        .collect()
}

fn paths(merged: &[&Facts]) -> Vec<Clash> {
    let mut by_path: BTreeMap<&str, Vec<(&str, Option<&str>)>> = BTreeMap::new();
    for facts in merged {
        let mut own = BTreeMap::new();
        facts.files.iter().for_each(|file| _ = own.insert(file.path.as_str(), file.sha256.as_deref()));
        own.into_iter().for_each(|(path, digest)| by_path.entry(path).or_default().push((&facts.name, digest)));
    }
    let is_same =
        |holders: &[(&str, Option<&str>)]| holders[0].1.is_some() && holders.iter().all(|own| own.1 == holders[0].1);
    let shared = by_path.iter().filter(|(_, holders)| holders.len() > 1 && !is_same(holders));
    shared
        .map(|(path, holders)| {
            let names = holders.iter().map(|(name, _)| *name);
            let known: Option<Vec<&str>> =
                holders.iter().map(|(_, digest)| digest.and_then(|hex| hex.get(..12))).collect();
            let how = match known {
                Some(digests) => format!("their contents differ: sha256 {}", listed(digests.iter().copied())),
                None => "whether it is the same file is seen when they are built".to_owned(),
            };
            let text = format!("{} both put a file at {path}: {how}", listed(names.clone()));
            clash(
                "paths",
                names,
                text,
                "put one of them at another path, or give both the same bytes and mode, which are then one file",
            )
        })
        .collect()
}

fn environment(merged: &[&Facts]) -> Vec<Clash> {
    let mut by_name: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for facts in merged {
        for (name, value) in &facts.env {
            by_name.entry(name).or_default().entry(value).or_default().push(&facts.name);
        }
    }
    let differing = by_name.iter().filter(|(_, values)| values.len() > 1);
    differing
        .map(|(name, values)| {
            let each: Vec<String> =
                values.iter().map(|(value, names)| format!("{}: {value:?}", listed(names.iter().copied()))).collect();
            let names = values.values().flatten().copied();
            let text = format!("the variable {name} has different values ({})", each.join("; "));
            clash("environment", names, text, "let one of them read another variable, or let its consumers set it")
        })
        .collect()
}
