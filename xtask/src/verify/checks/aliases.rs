//! Old paths are links that lead to the program, inside the image.

use super::super::{Check, Findings, Subject, follow};
use crate::oci::Node;

pub(super) const CHECK: Check = Check {
    codes: &[
        ("broken-alias", "an old path does not lead to the program of its role"),
        ("copied-alias", "an old path is a file of its own instead of a link"),
    ],
    reason: "consumers of a retired image still start the old path; a copy costs its bytes again, and ages on its own",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (component, name, role) in subject.contract.roles() {
        let Some(program) = role.program() else { continue };
        for alias in role.aliases.iter().filter(|alias| *alias != program) {
            if let Some((code, message)) = wrong(subject, alias, program) {
                findings.error(code, message).at(alias).of_role(&component.name, name);
            }
        }
    }
}

fn wrong(subject: &Subject<'_>, alias: &str, program: &str) -> Option<(&'static str, String)> {
    let rootfs = &subject.image.rootfs;
    let broken = |what: String| Some(("broken-alias", format!("the alias {alias} {what}")));
    let target = match rootfs.get(alias) {
        Some(Node::Link(_, target)) => target,
        Some(Node::File(..)) => {
            return Some(("copied-alias", format!("the alias {alias} is a file of its own, not a link to {program}")));
        }
        Some(Node::Folder(_)) => return broken("is a folder".to_owned()),
        Some(Node::Special(_)) => return broken("is a device or a pipe".to_owned()),
        None => return broken("is not in the image".to_owned()),
    };
    let own = follow::own(rootfs, alias).unwrap_or_else(|| alias.to_owned());
    if follow::leaves(&own, target) {
        return broken(format!("is a link to {target}, which leaves the image"));
    }
    match (follow::file(rootfs, alias), follow::real(rootfs, program)) {
        (Err(why), _) => broken(why),
        (Ok((real, ..)), Ok(wanted)) if real != wanted => {
            broken(format!("leads to {real}, and the program of its role is {program}"))
        }
        _ => None,
    }
}
