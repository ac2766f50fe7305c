//! Whether the layers above a base can be put onto another one as they are. Pure.
//!
//! | what is in a layer | what comes of it |
//! |---|---|
//! | something that `exclude` means | one new layer, without it |
//! | something else than what the new base has at that path, a way through a link of the new base, or a folder of it with another owner or mode | one new layer, in which links are followed and such folders stay as they are |
//! | another name of a file of the old base | one new layer, with the file |
//! | the removal of what these layers gave themselves | it stays, unless it could hide a file of another component: then one new layer |
//! | the removal of a file that the new base has | refused |

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::shelf::Whole;
use crate::manifest::PathPattern;
use crate::oci::{Attributes, Change, Node, Rootfs};

/// Most paths that a refusal names.
const MAX_NAMED: usize = 8;

/// How layers are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    /// As they are.
    Whole,
    /// Their files make one new layer, for this reason.
    Anew(String),
    /// Not at all: these paths of the base would be gone.
    Refused(Vec<String>),
}

/// How some layers, lowest first, are put onto a ground. `others` are paths of other components.
pub(super) fn fit(layers: &[Arc<Whole>], ground: &Rootfs, exclude: &[PathPattern], others: &BTreeSet<String>) -> Fit {
    let own = Rootfs::of(layers.iter().map(|whole| &whole.listing));
    let empty = Rootfs::default();
    let tree = own.as_ref().unwrap_or(&empty);
    let is_excluded = |path: &str| exclude.iter().any(|pattern| pattern.means(path));
    let mut why = own.is_err().then(|| "it names files of its base once more".to_owned());
    let mut removed = Vec::new();
    for listed in layers.iter().flat_map(|whole| whole.listing.iter()) {
        let path = listed.path.as_str();
        match listed.change {
            Change::Whiteout | Change::Opaque => {
                let is_opaque = listed.change == Change::Opaque;
                let gone = gone(path, is_opaque, ground, tree).into_iter();
                let (stays, gone): (Vec<_>, Vec<_>) = gone.partition(|path| is_excluded(path.trim_start_matches('/')));
                why = why.or_else(|| stays.first().map(|path| format!("{path} stays")));
                removed.extend(gone);
                let hides = if is_opaque { None } else { others.get(path) };
                let hides = hides.or_else(|| first_below(path, others));
                why = why.or(hides.map(|other| format!("/{other} of another component would be hidden")));
            }
            Change::Nothing => {}
            _ if is_excluded(path) => why = why.or(Some(format!("/{path} is left out"))),
            change => why = why.or_else(|| misfit(path, &change, ground)),
        }
    }
    removed.sort();
    removed.dedup();
    let more = removed.len().saturating_sub(MAX_NAMED);
    removed.truncate(MAX_NAMED);
    if more > 0 {
        removed.push(format!("{more} more paths"));
    }
    match (removed.is_empty(), why) {
        (false, _) => Fit::Refused(removed),
        (true, Some(why)) => Fit::Anew(why),
        (true, None) => Fit::Whole,
    }
}

/// The paths of a ground that a removal takes away for good: these layers give nothing in their place.
fn gone(path: &str, only_content: bool, ground: &Rootfs, own: &Rootfs) -> Vec<String> {
    let is_gone = |path: &str| ground.get(path).is_some() && own.get(path).is_none();
    if !only_content && is_gone(path) {
        return vec![format!("/{path}")];
    }
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    let below = ground.below(path).into_iter().map(|(name, _)| format!("{prefix}{name}"));
    below.filter(|path| is_gone(path)).map(|path| format!("/{path}")).collect()
}

/// Why an entry cannot be put onto the ground as it is.
fn misfit(path: &str, change: &Change<'_>, ground: &Rootfs) -> Option<String> {
    if path.is_empty() {
        return None;
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    match ground.resolve(folder) {
        Ok(real) if real == folder => {}
        _ => return Some(format!("/{folder} is a link in the base")),
    }
    let is_same =
        |own: &Attributes, there: &Attributes| (own.mode, own.uid, own.gid) == (there.mode, there.uid, there.gid);
    match (ground.get(path), change) {
        (None, _) => None,
        (Some(Node::Folder(there)), Change::Folder(own)) if is_same(own, &there) => None,
        (Some(Node::Folder(_)), Change::Folder(_)) => {
            Some(format!("the folder /{path} has another mode or owner in the base"))
        }
        (Some(Node::Folder(_)), _) => Some(format!("/{path} is a folder in the base")),
        (Some(_), Change::Folder(_)) => Some(format!("/{path} is no folder in the base")),
        (Some(_), _) => None,
    }
}

/// The first of some paths that is in a folder.
fn first_below<'o>(folder: &str, paths: &'o BTreeSet<String>) -> Option<&'o String> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    paths.range(prefix.clone()..).next().filter(|path| path.starts_with(&prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::sample::{Entry, tar};
    use crate::oci::{Compression, DiffId, Digest, Layer, Listing, TarReader};

    fn whole(entries: &[Entry]) -> Arc<Whole> {
        let bytes = tar(entries);
        let listing = Listing::read(&mut TarReader::new(bytes.as_slice())).unwrap();
        let digest = Digest::of(&bytes);
        let diff_id = DiffId(digest.clone());
        Arc::new(Whole {
            layer: Layer { digest, size: bytes.len() as u64, compression: Compression::None, diff_id },
            listing,
        })
    }

    fn ground() -> Rootfs {
        let entries = [
            Entry::folder("etc"),
            Entry::file("etc/passwd", ""),
            Entry::folder("etc/apt"),
            Entry::file("etc/apt/sources", ""),
            Entry::folder("usr"),
            Entry::folder("usr/bin"),
            Entry::link("bin", "usr/bin"),
        ];
        Rootfs::of([&whole(&entries).listing]).unwrap()
    }

    #[track_caller]
    fn check(layers: &[&[Entry]], exclude: &[&str], others: &[&str], expect: &Fit) {
        let layers: Vec<_> = layers.iter().map(|entries| whole(entries)).collect();
        let exclude: Vec<PathPattern> = exclude.iter().map(|text| text.parse().unwrap()).collect();
        let others: BTreeSet<String> = others.iter().map(ToString::to_string).collect();
        assert_eq!(fit(&layers, &ground(), &exclude, &others), *expect);
    }

    fn anew(why: &str) -> Fit {
        Fit::Anew(why.to_owned())
    }

    fn refused(paths: &[&str]) -> Fit {
        Fit::Refused(paths.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn layers_that_fit() {
        let app = [Entry::folder("usr"), Entry::folder("usr/bin"), Entry::file("usr/bin/app", "")];
        check(&[&app], &["/tmp"], &["usr/bin/other"], &Fit::Whole);
        check(&[&[Entry::file("etc/passwd", "x")]], &[], &[], &Fit::Whole);
        check(
            &[&[Entry::folder("srv"), Entry::file("srv/a", ""), Entry::hard_link("srv/b", "srv/a")]],
            &[],
            &[],
            &Fit::Whole,
        );
    }

    #[test]
    fn layers_that_do_not() {
        check(&[&[Entry::file("etc/x", "")]], &["/etc"], &[], &anew("/etc/x is left out"));
        check(&[&[Entry::file("bin/x", "")]], &[], &[], &anew("/bin is a link in the base"));
        check(&[&[Entry::folder("bin")]], &[], &[], &anew("/bin is no folder in the base"));
        check(&[&[Entry::file("usr", "")]], &[], &[], &anew("/usr is a folder in the base"));
        let closed = Entry { mode: 0o700, ..Entry::folder("etc") };
        check(&[&[closed]], &[], &[], &anew("the folder /etc has another mode or owner in the base"));
        check(&[&[Entry::hard_link("x", "etc/passwd")]], &[], &[], &anew("it names files of its base once more"));
    }

    #[test]
    fn what_layers_take_away() {
        let whiteout = |name: &str| [Entry::file(name, "")];
        let made = [Entry::folder("tmp"), Entry::file("tmp/build", "")];
        check(&[&made, &whiteout("tmp/.wh.build")], &[], &["srv/x"], &Fit::Whole);
        check(
            &[&made, &whiteout("tmp/.wh.build")],
            &[],
            &["tmp/build"],
            &anew("/tmp/build of another component would be hidden"),
        );
        check(
            &[&made, &whiteout("tmp/.wh..wh..opq")],
            &[],
            &["tmp/x"],
            &anew("/tmp/x of another component would be hidden"),
        );
        check(&[&whiteout("etc/.wh.passwd")], &[], &[], &refused(&["/etc/passwd"]));
        check(&[&whiteout("etc/.wh.apt")], &[], &[], &refused(&["/etc/apt"]));
        check(&[&whiteout("etc/apt/.wh..wh..opq")], &[], &[], &refused(&["/etc/apt/sources"]));
        check(&[&whiteout("etc/.wh.gone")], &[], &[], &Fit::Whole);
        check(&[&whiteout("etc/.wh.passwd")], &["/etc/passwd"], &[], &anew("/etc/passwd stays"));
        // one that is replaced is not gone
        check(&[&whiteout("etc/.wh.passwd"), &[Entry::file("etc/passwd", "x")]], &[], &[], &Fit::Whole);
    }
}
