//! Declared files are there, as what they were declared.

use super::super::{Check, Declared, Findings, Subject};
use crate::oci::Node;

pub(super) const CHECK: Check = Check {
    codes: &[
        ("missing-file", "a declared file is not in the image, or something else is there"),
        ("wrong-link", "a declared link leads elsewhere, or is none"),
        ("wrong-mode", "a file has other permission bits than declared"),
        ("wrong-digest", "a file has other bytes than declared"),
    ],
    reason: "what was reviewed and what is shipped are the same bytes, or nobody knows what is shipped",
    check,
};

/// Most bytes of all paths of a declared folder whose files are looked at one by one.
pub(super) const MAX_NAMES: u64 = 256 << 20;

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (component, path, declared) in subject.contract.files() {
        for (code, message, at) in wrong(subject, path, declared) {
            findings.error(code, message).at(&at).of(&component.name);
        }
    }
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
        (Some(Node::File(own, source)), None) => {
            let mut wrong = mode(path, own.mode, declared);
            wrong.extend(digest(subject, path, source, declared));
            wrong
        }
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

fn digest(subject: &Subject<'_>, path: &str, source: crate::oci::Source, declared: &Declared) -> Option<Wrong> {
    let wanted = declared.sha256.as_deref()?;
    let message = match subject.contents.digest(source) {
        Ok(digest) => match &digest {
            Some(own) if own.hex() != wanted => format!("{path} has the digest {own}; declared is sha256:{wanted}"),
            _ => return None,
        },
        Err(why) => format!("{path} cannot be read: {why}"),
    };
    Some(("wrong-digest", message, path.to_owned()))
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
