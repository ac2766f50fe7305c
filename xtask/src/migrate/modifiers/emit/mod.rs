//! Rules that rewrite retired images when an old backup is restored.
//!
//! | style | is | rewrites | needs |
//! |---|---|---|---|
//! | change-image-name | one ConfigMap of `old,new` rows | pods and all that has a template alike: nothing is rolled out | that the text of one row is in each retired reference and in no other, and no new command |
//! | patches | resource modifiers | pods alone, container by container, by name | Velero 1.13 |
//!
//! Velero takes the rows of change-image-name in no order and uses the first that fits (velero#6344), so that two of them must
//! never fit one reference. Rules by container name would ADD a container to a pod that has none of that name: a rule that
//! would match such a pod is not written.

mod inventory;
mod of_ledger;
mod patches;
mod rows;

pub use inventory::{Container, Inventory, Workload};
pub use of_ledger::OfLedger;

use std::collections::BTreeMap;

use super::super::ledger::is_below;
use super::version::{MERGES, Velero};
use crate::diagnostic::Diagnostic;
use crate::oci::Reference;
use crate::source::Span;

/// What knows which images are retired.
pub trait Retired {
    /// What became of an image.
    fn of(&self, reference: &Reference) -> Retirement;
}

/// What became of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retirement {
    /// Nothing.
    None,
    /// It is another one now.
    To(Rewrite),
    /// It is retired, and cannot be rewritten; why.
    Without(String),
}

/// What stands for a retired image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The new reference.
    pub new: Reference,
    /// Lowest tag that holds the program.
    pub floor: Option<String>,
    /// The command, if the new image needs one.
    pub command: Option<Vec<String>>,
    /// The arguments, if the new image needs other ones.
    pub args: Option<Vec<String>>,
}

/// How images are rewritten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    /// Rows if they are safe, else patches.
    #[default]
    Auto,
    /// Resource modifiers.
    Patches,
    /// Rows of change-image-name.
    ChangeImageName,
}

/// Where the ConfigMap goes, and what for.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// How.
    pub style: Style,
    /// The version that takes the rules; any since 1.13 when absent.
    pub velero: Option<Velero>,
    /// Name of the ConfigMap.
    pub name: &'a str,
    /// Its namespace, that of Velero.
    pub namespace: &'a str,
}

/// A ConfigMap, and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emission {
    /// What it is: never [`Style::Auto`].
    pub style: Style,
    /// Why it is that.
    pub why: String,
    /// The ConfigMap; none when there is nothing to rewrite.
    pub text: Option<String>,
    /// What it rewrites, by container, in order.
    pub changes: Vec<Change>,
    /// What it leaves, and why.
    pub findings: Vec<Diagnostic>,
}

/// One image that is rewritten.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// Namespace of the workload.
    pub namespace: String,
    /// Name of the workload.
    pub workload: String,
    /// The container.
    pub container: String,
    /// The retired image.
    pub old: String,
    /// The new one.
    pub new: String,
}

/// A retired image of the inventory that can be rewritten.
struct Wanted {
    old: String,
    rewrite: Rewrite,
    span: Span,
}

/// Writes the rules for an inventory.
///
/// # Errors
/// When the style that was asked for is not possible.
pub fn emit(inventory: &Inventory, retired: &dyn Retired, options: &Options<'_>) -> Result<Emission, Vec<Diagnostic>> {
    let (wanted, mut findings) = wanted(inventory, retired);
    let (style, why, text) = match options.style {
        _ if wanted.is_empty() => (Style::Patches, "no retired image can be rewritten".to_owned(), None),
        Style::ChangeImageName => {
            let rows = rows::rows(inventory, &wanted).map_err(|why| vec![why])?;
            (Style::ChangeImageName, "it was asked for".to_owned(), Some(rows::print(&rows, options)))
        }
        Style::Patches => {
            let text = patches(inventory, &wanted, options, &mut findings)?;
            (Style::Patches, "it was asked for".to_owned(), text)
        }
        Style::Auto => match rows::rows(inventory, &wanted) {
            Ok(rows) => (Style::ChangeImageName, ROWS.to_owned(), Some(rows::print(&rows, options))),
            Err(why) => {
                let text = patches(inventory, &wanted, options, &mut findings)?;
                (Style::Patches, format!("rows of change-image-name cannot do it: {}", why.message), text)
            }
        },
    };
    let changes = if text.is_some() { changes(inventory, &wanted) } else { Vec::new() };
    Ok(Emission { style, why, text, changes, findings })
}

const ROWS: &str =
    "one row fits each retired reference, and rows rewrite Deployments and their pods alike: nothing is rolled out";

fn patches(
    inventory: &Inventory,
    wanted: &BTreeMap<String, Wanted>,
    options: &Options<'_>,
    findings: &mut Vec<Diagnostic>,
) -> Result<Option<String>, Vec<Diagnostic>> {
    if let Some(stated) = options.velero.filter(|stated| *stated < MERGES) {
        let message = format!("rules by container name need Velero {MERGES}, and {stated} is stated");
        let old = Diagnostic::error("velero-version", message);
        let old = old.note("JSON patches name containers by position, and Velero puts its own first");
        return Err(vec![old.help("take `--style change-image-name`, or update Velero")]);
    }
    let modifiers = patches::modifiers(inventory, wanted, findings);
    let print = |modifiers| super::print::config_map(options.namespace, options.name, "modifiers.yaml", &modifiers);
    Ok(modifiers.map(print))
}

/// The retired images of an inventory, by their text; and those that cannot be rewritten.
fn wanted(inventory: &Inventory, retired: &dyn Retired) -> (BTreeMap<String, Wanted>, Vec<Diagnostic>) {
    let (mut wanted, mut findings) = (BTreeMap::new(), Vec::new());
    for container in inventory.containers().filter(|container| !container.is_wait()) {
        let Ok(reference) = container.image.parse::<Reference>() else {
            let odd = Diagnostic::warning("bad-image", format!("`{}` is no image reference", container.image));
            findings.push(odd.label(container.span, "").help("it is left as it is"));
            continue;
        };
        let why = match retired.of(&reference) {
            Retirement::None => continue,
            Retirement::Without(why) => why,
            Retirement::To(rewrite) => match below_floor(&rewrite) {
                Some(why) => why,
                None => {
                    let old = container.image.clone();
                    wanted.entry(old.clone()).or_insert(Wanted { old, rewrite, span: container.span });
                    continue;
                }
            },
        };
        let stays = Diagnostic::error(
            "not-rewritten",
            format!("{} is retired and cannot be rewritten: {why}", container.image),
        );
        findings.push(stays.label(container.span, "").help("restore it by hand, or extend the ledger"));
    }
    for container in inventory.containers().filter(|container| container.is_wait()) {
        let note = Diagnostic::new(
            crate::diagnostic::Level::Note,
            "wait-container",
            format!("`{}` is left out", container.name),
        );
        let note = note.label(container.span, "").note("it is Velero's own: the restore puts a new one there");
        findings.push(note.help("since 1.17 Velero removes old ones from backups; before, delete it from the object"));
    }
    findings.sort_by_key(|finding| finding.labels.first().map(|label| label.span));
    findings.dedup_by(|a, b| a.message == b.message);
    (wanted, findings)
}

fn below_floor(rewrite: &Rewrite) -> Option<String> {
    let floor = rewrite.floor.as_deref()?;
    match rewrite.new.tag() {
        Some(tag) if is_below(tag, floor) => Some(format!("{} is below its floor {floor}", rewrite.new)),
        Some(_) => None,
        None if rewrite.new.digest().is_some() => None,
        None => Some(format!("{} has no tag, and its floor is {floor}", rewrite.new)),
    }
}

fn changes(inventory: &Inventory, wanted: &BTreeMap<String, Wanted>) -> Vec<Change> {
    let mut changes = Vec::new();
    for workload in &inventory.workloads {
        for container in workload.containers.iter().filter(|container| !container.is_wait()) {
            changes.extend(wanted.get(&container.image).map(|wanted| Change {
                namespace: workload.namespace.clone(),
                workload: workload.name.clone(),
                container: container.name.clone(),
                old: wanted.old.clone(),
                new: wanted.rewrite.new.to_string(),
            }));
        }
    }
    changes.sort();
    changes.dedup();
    changes
}
