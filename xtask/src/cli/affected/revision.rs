//! The plan of a revision: the same pipeline with the same selection and overrides, in the tree of the revision.
//!
//! Files that git ignores, such as programs that somebody has built before, exist in the work tree only. They are taken from
//! there, so that they count as unchanged. A file that a manifest of the revision names and that is nowhere stands for
//! something else than any file of today: the component is affected, and the others can still be compared.

use std::cell::RefCell;
use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::super::args::{AffectedArguments, Global};
use super::super::pins;
use super::super::session::{Loaded, Session};
use super::super::status::Stop;
use crate::diagnostic::Diagnostic;
use crate::plan::Plan;
use crate::resolve::{Selection, VariantSelector};
use crate::workspace::{self, Entry, EntryKind, RevisionTree, SETTINGS_FILE, Tree, Want};

/// The plan of a revision.
pub(super) struct Before {
    pub(super) plan: Plan,
    /// Components that the revision has, whether or not an image does.
    pub(super) components: BTreeSet<String>,
    /// Files that were taken from the work tree.
    pub(super) borrowed: Vec<Utf8PathBuf>,
}

/// The work tree: what is borrowed from it.
pub(super) struct WorkTree<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) tree: &'a Tree,
}

/// The plan of a revision, or in one line why there is none.
pub(super) fn plan(
    arguments: &AffectedArguments,
    session: &Session<'_>,
    work: &WorkTree<'_>,
    tree: &RevisionTree,
) -> Result<Before, String> {
    let settings = tree.root.join(SETTINGS_FILE);
    if !settings.is_file() {
        return Err(format!("there is no {SETTINGS_FILE}"));
    }
    let messages = RefCell::new(String::new());
    let global = Global { manifest_path: Some(settings), ..session.global.clone() };
    let output = session.output.plain().keeping(&messages);
    let own = Session::new(tree.root.clone(), session.environment.clone(), &global, output);
    plan_there(arguments, &own, work).map_err(|stop| why(&stop, &messages.borrow()))
}

fn plan_there(arguments: &AffectedArguments, own: &Session<'_>, work: &WorkTree<'_>) -> Result<Before, Stop> {
    let mut loaded = own.load()?;
    let lent = work.loaded.workspace.lend_overrides(&mut loaded.sources);
    lent.map_err(|problems| own.bad_input(&problems, &loaded.sources.map))?;
    loaded.overrides.file = loaded.sources.override_keys.clone();
    let selection = what_was_there(arguments.selection.selection(true), &loaded);
    let resolution = own.resolve(&loaded, &selection)?;
    let pins = pins::that_fit(&loaded, &resolution);
    let mut borrowed = Vec::new();
    let plan = own.plan_from(&loaded, &resolution, &pins, |wants| read(own, &loaded, work, wants, &mut borrowed))?;
    borrowed.sort();
    borrowed.dedup();
    let components = loaded.manifests.components.keys().map(ToString::to_string).collect();
    Ok(Before { plan, components, borrowed })
}

/// What is selected now and was not there then is new, and no mistake.
fn what_was_there(mut selection: Selection, loaded: &Loaded) -> Selection {
    let some = !selection.images.is_empty();
    selection.images.retain(|selector| {
        let definition = loaded.manifests.images.get(&selector.image);
        definition.is_some_and(|definition| match &selector.variant {
            VariantSelector::One(variant) => definition.variants.contains_key(variant),
            VariantSelector::Plain | VariantSelector::All => true,
        })
    });
    if some && selection.images.is_empty() {
        // nothing would mean everything; whatever is not selected now is left out later
        selection.features.clear();
    }
    selection
}

fn read(
    own: &Session<'_>,
    loaded: &Loaded,
    work: &WorkTree<'_>,
    mut wants: Vec<Want>,
    borrowed: &mut Vec<Utf8PathBuf>,
) -> Result<Tree, Vec<Diagnostic>> {
    let required: Vec<bool> = wants.iter().map(|want| want.required).collect();
    wants.iter_mut().for_each(|want| want.required &= loaded.workspace.root.join(&want.path).exists());
    let mut tree = own.read(loaded, &wants)?;
    let ignored = ignored(&tree, &wants, work);
    for (want, required) in wants.iter().zip(required) {
        let mut listing = tree.wanted(want).to_vec();
        let lent = only_now(&tree, want, work).filter(|entry| ignored.contains(&path(want, entry)));
        let before = listing.len();
        listing.extend(lent.cloned());
        borrowed.extend(listing[before..].iter().map(|entry| path(want, entry)));
        // an empty folder can only be a submodule that is not there
        if required && listing.is_empty() {
            listing.push(nowhere());
        }
        if listing.len() > before {
            listing.sort_by(|a, b| a.path.cmp(&b.path));
            tree.of_mut(want.context.as_ref()).insert(want.path.clone(), want.exclude.clone(), listing);
        }
    }
    Ok(tree)
}

/// Files of the work tree that the revision does not have and git ignores.
fn ignored(tree: &Tree, wants: &[Want], work: &WorkTree<'_>) -> Vec<Utf8PathBuf> {
    let new = wants.iter().flat_map(|want| only_now(tree, want, work).map(|entry| path(want, entry)));
    let mut new: Vec<Utf8PathBuf> = new.collect();
    new.sort();
    new.dedup();
    workspace::ignored(&work.loaded.workspace.root, &new)
}

/// Entries of the work tree that the revision does not have.
fn only_now<'t>(tree: &Tree, want: &Want, work: &WorkTree<'t>) -> impl Iterator<Item = &'t Entry> + use<'t> {
    let then: Vec<Utf8PathBuf> = tree.wanted(want).iter().map(|entry| entry.path.clone()).collect();
    let now = work.tree.wanted(want);
    now.iter().filter(move |entry| then.binary_search(&entry.path).is_err())
}

fn path(want: &Want, entry: &Entry) -> Utf8PathBuf {
    if entry.path.as_str().is_empty() { want.path.clone() } else { want.path.join(&entry.path) }
}

/// What stands for a file that is nowhere; no file has this digest.
fn nowhere() -> Entry {
    let kind = EntryKind::File { digest: String::new(), mode: 0o644, size: 0, seen: Default::default() };
    Entry { path: Utf8PathBuf::new(), kind }
}

/// The first of all problems, in one line.
fn why(stop: &Stop, messages: &str) -> String {
    let last = stop.error.as_ref().map(ToString::to_string).unwrap_or_default();
    let errors = messages.lines().filter_map(|line| line.strip_prefix("error"));
    let told = errors.map(|line| line.split_once(": ").map_or(line, |(_, message)| message));
    let line = told.chain(last.lines()).find(|line| !line.trim().is_empty()).unwrap_or("it cannot be read");
    line.to_owned()
}
