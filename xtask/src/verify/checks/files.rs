//! Declared files are there, as what they were declared.

use std::collections::BTreeMap;

use super::super::{Check, Declared, Findings, Subject};
use crate::oci::Node;
use crate::plan::fingerprint;

pub(super) const CHECK: Check = Check {
    codes: &[
        ("missing-file", "a declared file is not in the image, or something else is there"),
        ("wrong-link", "a declared link leads elsewhere, or is none"),
        ("wrong-mode", "a file has other permission bits than declared"),
        ("wrong-digest", "a file has other bytes than declared"),
        ("no-digests", "the image does not say the digests of its files: it was built by an earlier version"),
    ],
    reason: "what was reviewed and what is shipped are the same bytes, or nobody knows what is shipped",
    check,
};

/// Most files that are named, where it can be any of them.
const MAX_NAMED: usize = 8;

/// Most bytes of all paths of a declared folder whose files are looked at one by one.
pub(super) const MAX_NAMES: u64 = 256 << 20;

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (component, path, declared) in subject.contract.files() {
        for (code, message, at) in wrong(subject, path, declared) {
            findings.error(code, message).at(&at).of(&component.name);
        }
    }
    match serde_json::from_str::<BTreeMap<String, String>>(subject.image.config.label(fingerprint::FILES_LABEL)) {
        Ok(labelled) => digests(subject, &labelled, findings),
        Err(_) if subject.contract.files().any(|(_, _, declared)| declared.hashed) => {
            let message = "no label says the digests of its files: the image was built by an earlier version";
            findings.note("no-digests", message.to_owned());
        }
        Err(_) => {}
    }
}

/// Digests of files: of all of a component together, as the label has them, and one by one where a plan knows them.
fn digests(subject: &Subject<'_>, labelled: &BTreeMap<String, String>, findings: &mut Findings) {
    for component in &subject.contract.components {
        let hashed = component.files.iter().flatten().filter(|(_, declared)| declared.hashed);
        let paths: Vec<&str> = hashed.map(|(path, _)| path.as_str()).collect();
        let seen: Vec<(&str, String)> = paths.iter().filter_map(|path| Some((*path, digest(subject, path)?))).collect();
        let own = fingerprint::files(seen.iter().map(|(path, digest)| (*path, digest.as_str())));
        let wanted = labelled.get(&component.name);
        // what is missing is told by its own name
        if seen.len() < paths.len() || seen.is_empty() || wanted == Some(&own) {
            continue;
        }
        let planned = |path: &str| subject.planned.and_then(|planned| planned.digests.get(path));
        let mut differing = seen.iter().filter_map(|(path, own)| Some((path, own, planned(path)?)));
        match differing.find(|(_, own, wanted)| own != wanted) {
            Some((path, own, wanted)) => {
                let message = format!("{path} has the digest sha256:{own}; declared is sha256:{wanted}");
                findings.error("wrong-digest", message).at(path).of(&component.name);
            }
            None => {
                let more = paths.len().saturating_sub(MAX_NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let names = paths.iter().take(MAX_NAMED).copied().collect::<Vec<_>>().join(", ");
                let message = format!(
                    "a file of component `{}` has other bytes than declared: one of {names}{more}",
                    component.name
                );
                findings.error("wrong-digest", message).of(&component.name);
            }
        }
    }
}

/// The SHA-256 of the file at a path, in hex; nothing where there is none, or where nobody has read all of it.
fn digest(subject: &Subject<'_>, path: &str) -> Option<String> {
    let Some(Node::File(_, source)) = subject.image.rootfs.get(path) else { return None };
    let digest = subject.contents.digest(source).ok().flatten()?;
    Some(digest.hex().to_owned())
}

type Wrong = (&'static str, String, String);

fn wrong(subject: &Subject<'_>, path: &str, declared: &Declared) -> Vec<Wrong> {
    let rootfs = &subject.image.rootfs;
    let one = |code, message: String| vec![(code, message, path.to_owned())];
    match (rootfs.get(path), &declared.link) {
        (None, _) => one("missing-file", format!("{path} is declared and not in the image")),
        (Some(Node::Link(_, target)), Some(wanted)) if target == wanted => Vec::new(),
        (Some(Node::Link(_, target)), Some(wanted)) => {
            one("wrong-link", format!("{path} is a link to {target}; declared is {wanted}"))
        }
        (Some(node), Some(wanted)) => {
            // an alias that became a copy is told by its own name
            let is_alias = subject.contract.roles().any(|(_, _, role)| role.aliases.iter().any(|alias| alias == path));
            let what = format!("{path} is {}, not the declared link to {wanted}", kind(node));
            if is_alias { Vec::new() } else { one("wrong-link", what) }
        }
        (Some(Node::File(own, _)), None) => mode(path, own.mode, declared),
        (Some(Node::Folder(_)), None) if !declared.is_single() => folder(subject, path, declared),
        // what a build's stage gives may be a link
        (Some(Node::Link(..)), None) if !declared.is_single() => Vec::new(),
        (Some(node), None) => one("missing-file", format!("{path} is {}, not the declared file", kind(node))),
    }
}

fn mode(path: &str, own: u32, declared: &Declared) -> Vec<Wrong> {
    match declared.mode() {
        Some(wanted) if wanted != own & 0o7777 => {
            let message = format!("{path} has the mode {:04o}; declared is {wanted:04o}", own & 0o7777);
            vec![("wrong-mode", message, path.to_owned())]
        }
        _ => Vec::new(),
    }
}

/// Files of a folder that the stage of a build gives: one mode for all of them, if any.
fn folder(subject: &Subject<'_>, path: &str, declared: &Declared) -> Vec<Wrong> {
    let rootfs = &subject.image.rootfs;
    if declared.mode().is_none() || rootfs.bytes_below(path) > MAX_NAMES {
        return Vec::new();
    }
    let wrong = |(below, node): (String, Node<'_>)| match node {
        Node::File(own, _) => mode(&format!("{}/{below}", path.trim_end_matches('/')), own.mode, declared),
        _ => Vec::new(),
    };
    rootfs.below(path).into_iter().flat_map(wrong).collect()
}

fn kind(node: Node<'_>) -> &'static str {
    match node {
        Node::Folder(_) => "a folder",
        Node::File(..) => "a file",
        Node::Link(..) => "a link",
        Node::Special(_) => "a device or a pipe",
    }
}
