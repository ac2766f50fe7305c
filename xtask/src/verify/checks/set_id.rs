//! No program of ours gives rights that nobody declared.

use super::super::{Check, Findings, Subject, follow};
use super::files::MAX_NAMES;
use crate::oci::{Node, Source};

pub(super) const CHECK: Check = Check {
    codes: &[("set-id", "a file is setuid or setgid, or has capabilities, and no mode declares it")],
    reason: "it gives its rights to whoever starts it, in every container of the image",
    check,
};

/// Most files that are named.
const MAX_NAMED: usize = 20;

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let mut named = 0;
    for (path, mode, source) in ours(subject) {
        let bits = mode & 0o6000;
        let is_capable = subject.contents.has_capability(source);
        // nearly all files have neither, and nobody looks for who has declared them
        if bits == 0 && !is_capable {
            continue;
        }
        let declared = subject.contract.files().find(|(_, place, _)| covers(subject, place, &path));
        let wanted = declared.and_then(|(_, _, file)| file.mode()).unwrap_or_default() & 0o6000;
        let what = match () {
            () if bits != wanted => format!("has the mode {mode:04o}"),
            () if is_capable => "has file capabilities".to_owned(),
            () => continue,
        };
        named += 1;
        if named > MAX_NAMED {
            findings.error("set-id", "more files are setuid or setgid, or have capabilities".to_owned());
            return;
        }
        let finding = findings.error("set-id", format!("{path} {what}, which nobody declared")).at(&path);
        if let Some((component, ..)) = declared {
            finding.of(&component.name);
        }
    }
}

/// Files above the base; where that is not known, the declared ones.
fn ours(subject: &Subject<'_>) -> Vec<(String, u32, Source)> {
    let rootfs = &subject.image.rootfs;
    let file = |(path, node): (String, Node<'_>)| match node {
        Node::File(own, source) => Some((path, own.mode & 0o7777, source)),
        _ => None,
    };
    match subject.base_layers {
        Some(base) if rootfs.bytes_below("/") <= MAX_NAMES => {
            let all = rootfs.since(base).into_iter().map(|(path, node)| (format!("/{path}"), node));
            all.filter_map(file).collect()
        }
        _ => {
            let declared = subject.contract.files().filter_map(|(_, path, _)| follow::own(rootfs, path));
            declared.filter_map(|path| rootfs.get(&path).map(|node| (path, node))).filter_map(file).collect()
        }
    }
}

/// Whether a declared path is this one, or a folder above it.
fn covers(subject: &Subject<'_>, declared: &str, path: &str) -> bool {
    let own = follow::own(&subject.image.rootfs, declared);
    own.is_some_and(|own| path.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
