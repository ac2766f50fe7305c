//! Nothing is above the base but what was declared.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Check, Findings, Subject, follow};
use super::files::MAX_NAMES;
use crate::oci::Node;
use crate::plan::fingerprint::LAYERS_LABEL;
use crate::render::DESCRIPTION;

pub(super) const CHECK: Check = Check {
    codes: &[
        ("undeclared-file", "something is in the image that no component declares"),
        (
            "unknown-base",
            "it is not known which layers are those of the base, so that what is above it is not looked at",
        ),
        ("no-file-list", "the image does not say which files it has: it was built by an earlier version"),
    ],
    reason: "what nobody declared has no owner, no reviewer and nobody who mends it",
    check,
};

/// Most paths that are named.
const MAX_NAMED: usize = 20;

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let (image, contract) = (subject.image, subject.contract);
    if let Some(part) = contract.components.iter().find(|part| part.files.is_none()) {
        let message = format!("the image does not say which files component `{}` has", part.name);
        findings.note("no-file-list", message).of(&part.name);
        return;
    }
    let Some(base) = subject.base_layers else {
        let message = "it is not known which layers are those of the base; what is above it was not looked at";
        findings.note("unknown-base", message.to_owned());
        return;
    };
    if image.rootfs.bytes_below("/") > MAX_NAMES {
        findings.error("undeclared-file", format!("all paths of the image have more than {MAX_NAMES} bytes"));
        return;
    }
    let declared = Known::of(subject);
    let taken = layers_of_components(subject);
    let extra: Vec<String> = image
        .rootfs
        .since(base)
        .into_iter()
        .filter_map(|(path, node)| {
            let is_taken = || image.rootfs.layer_of(&path).is_some_and(|layer| taken.contains(&layer));
            let path = format!("/{path}");
            (!declared.has(&path, matches!(node, Node::Folder(_))) && !is_taken()).then_some(path)
        })
        .collect();
    for path in extra.iter().take(MAX_NAMED) {
        findings.error("undeclared-file", format!("{path} is in the image, and no component declares it")).at(path);
    }
    if let Some(more) = extra.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
        findings.error("undeclared-file", format!("{more} more paths are in the image that no component declares"));
    }
}

/// The layers all of which are declared: a component takes them as they are, and the image's label says which ones.
fn layers_of_components(subject: &Subject<'_>) -> BTreeSet<u16> {
    let config = &subject.image.config;
    let label: BTreeMap<String, Vec<String>> = serde_json::from_str(config.label(LAYERS_LABEL)).unwrap_or_default();
    let is_component = |name: &String| subject.contract.components.iter().any(|part| part.name == *name);
    let ids = label.into_iter().filter(|(name, _)| is_component(name)).flat_map(|(_, ids)| ids);
    let ids: BTreeSet<String> = ids.collect();
    (0_u16..).zip(&config.diff_ids).filter(|(_, id)| ids.contains(*id)).map(|(layer, _)| layer).collect()
}

/// What may be there, by paths without links.
struct Known {
    paths: BTreeSet<String>,
    /// Folders above them.
    above: BTreeSet<String>,
    /// Folders all of which may be there.
    trees: BTreeSet<String>,
}

impl Known {
    fn of(subject: &Subject<'_>) -> Self {
        let (rootfs, contract) = (&subject.image.rootfs, subject.contract);
        let aliases = contract.roles().flat_map(|(_, _, role)| &role.aliases).map(String::as_str);
        let files = contract.files().map(|(_, path, _)| path);
        let paths: BTreeSet<String> =
            files.chain(aliases).chain([DESCRIPTION]).filter_map(|path| follow::own(rootfs, path)).collect();
        let is_tree = |path: &&String| matches!(rootfs.get(path), Some(Node::Folder(_)));
        let trees = paths.iter().filter(is_tree).cloned().collect();
        let workdir = follow::real(rootfs, &subject.image.config.workdir).unwrap_or_default();
        let mut above: BTreeSet<String> = paths.iter().flat_map(|path| folders(path)).collect();
        above.extend(folders(&workdir));
        above.insert(workdir);
        Self { paths, above, trees }
    }

    fn has(&self, path: &str, is_folder: bool) -> bool {
        (is_folder && self.above.contains(path))
            || self.paths.contains(path)
            || folders(path).any(|folder| self.trees.contains(&folder))
    }
}

/// The folders above a path, without the root.
fn folders(path: &str) -> impl Iterator<Item = String> {
    path.match_indices('/').filter(|(end, _)| *end > 0).filter_map(|(end, _)| path.get(..end).map(str::to_owned))
}
