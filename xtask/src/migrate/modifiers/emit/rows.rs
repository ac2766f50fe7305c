//! Rows of change-image-name: `old,new`, where every reference that contains `old` gets `new` in its place.

use std::collections::BTreeMap;

use super::super::print;
use super::{Inventory, Options, Wanted};
use crate::diagnostic::Diagnostic;
use crate::oci::Reference;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    old: String,
    new: String,
}

/// The rows for all retired images of an inventory.
///
/// # Errors
/// Why rows cannot do it.
pub(super) fn rows(inventory: &Inventory, wanted: &BTreeMap<String, Wanted>) -> Result<Vec<Row>, Diagnostic> {
    for container in inventory.containers().filter(|container| !container.is_wait()) {
        if let Some(one) = wanted.get(&container.image)
            && container.lacks_words_of(&one.rewrite)
        {
            let why = format!("{} needs another command, and rows change the image alone", one.rewrite.new);
            return Err(Diagnostic::error("ambiguous-rows", why).label(one.span, "").help("take `--style patches`"));
        }
    }
    let mut rows = Vec::new();
    for one in wanted.values() {
        let same = wanted.values().filter(|other| repository(&other.old) == repository(&one.old));
        // where all tags stay, one row does for all of them, also for those that nobody has listed
        let swap = same.map(swap).reduce(|all, one| all.filter(|row| Some(row) == one.as_ref())).flatten();
        rows.push(swap.unwrap_or_else(|| Row { old: one.old.clone(), new: one.rewrite.new.to_string() }));
    }
    rows.sort();
    rows.dedup();
    for container in inventory.containers() {
        fits(&container.image, wanted.get(&container.image), &rows).map_err(|why| {
            let cannot = Diagnostic::error("ambiguous-rows", why).label(container.span, "");
            cannot.help("take `--style patches`")
        })?;
    }
    Ok(rows)
}

/// The name without tag and digest, as written.
fn repository(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    let last = name.rfind('/').map_or(0, |at| at + 1);
    name[last..].find(':').map_or(name, |colon| &name[..last + colon])
}

/// A row that exchanges the names before a tag that stays. The `:` is a part of it: no longer name ends with it. A tag below
/// the floor would stay too, so that there is none without a floor that all tags have.
fn swap(wanted: &Wanted) -> Option<Row> {
    let old: Reference = wanted.old.parse().ok()?;
    let new = &wanted.rewrite.new;
    let keeps = old.tag().is_some() && old.tag() == new.tag() && old.digest().is_none() && new.digest().is_none();
    // tags that nobody has listed may be below it
    (keeps && wanted.rewrite.floor.is_none()).then(|| Row {
        old: format!("{}:", repository(&wanted.old)),
        new: format!("{}:", repository(&new.to_string())),
    })
}

/// Whether exactly the right row fits a reference.
fn fits(image: &str, wanted: Option<&Wanted>, rows: &[Row]) -> Result<(), String> {
    let fitting: Vec<&Row> = rows.iter().filter(|row| image.contains(&row.old)).collect();
    match (fitting.as_slice(), wanted) {
        ([], None) => Ok(()),
        ([row], Some(wanted)) if image.replace(&row.old, &row.new) == wanted.rewrite.new.to_string() => Ok(()),
        ([_], None) => Err(format!("a row would also change {image}, which is not retired")),
        ([_], Some(wanted)) => Err(format!("the row for {image} would not make it {}", wanted.rewrite.new)),
        ([], Some(_)) => Err(format!("no row fits {image}")),
        (several, _) => {
            let rows: Vec<String> = several.iter().map(|row| format!("`{}`", row.old)).collect();
            Err(format!("{image} fits {} rows, {}, and Velero takes any of them", several.len(), rows.join(" and ")))
        }
    }
}

/// The ConfigMap. Velero finds it by its labels, and fails when there are two.
pub(super) fn print(rows: &[Row], options: &Options<'_>) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n  namespace: {}\n  labels:\n    velero.io/plugin-config: \"\"\n    \
         velero.io/change-image-name: RestoreItemAction\ndata:\n",
        print::text(options.name),
        print::text(options.namespace)
    );
    for (index, row) in rows.iter().enumerate() {
        text.push_str(&format!("  row-{}: {}\n", index + 1, print::quoted(&format!("{},{}", row.old, row.new))));
    }
    text
}
