//! Several retired images that became one: their keys fold into one key, and only when they agree. One of several values is
//! never copied into the slot of the merged image.

use std::collections::BTreeSet;

use crate::migrate::edit::Edit;
use crate::migrate::ledger::{Entry, Ledger};
use crate::migrate::scan::{Context, Finding, Fix, Group, by_document, group};

/// Folds the findings of a file, or stops them.
pub(crate) fn fold(ledger: &Ledger, context: &Context<'_>, findings: &mut [Finding]) {
    for ((entry, _), members) in by_document(ledger, findings) {
        let entry = &ledger.entries[entry];
        match folded(entry, context, findings, &members) {
            Ok(fixes) => members.iter().zip(fixes).for_each(|(index, fix)| findings[*index].fix = fix),
            Err(why) => members.iter().for_each(|index| findings[*index].fix = Fix::Explained(why.clone())),
        }
    }
}

/// The new fix of each member.
fn folded(entry: &Entry, context: &Context<'_>, findings: &[Finding], members: &[usize]) -> Result<Vec<Fix>, String> {
    let slot = entry.slot.as_deref().unwrap_or_default();
    let own = || members.iter().map(|index| &findings[*index]);
    let all: Vec<String> = own().map(|finding| format!("{} is {}", finding.path, finding.written)).collect();
    let all = all.join(", ");
    if let Some(why) = own().find_map(|finding| finding.reason()) {
        return Err(format!("{why}; the values fold into one `{slot}`: {all}"));
    }
    if own().any(|finding| !is_default(entry, &finding.written)) {
        return Err(format!(
            "these fold into one `{slot}`, and not all are the retired defaults: {all}; build the merged image of your own ones"
        ));
    }
    let goals: BTreeSet<&str> = own().map(|finding| finding.expected.as_str()).collect();
    let [goal] = goals.into_iter().collect::<Vec<_>>()[..] else {
        return Err(format!("these fold into one `{slot}`, and they disagree: {all}; make them agree first"));
    };
    let names: BTreeSet<&str> = own().map(|finding| finding.written.split(':').next().unwrap_or_default()).collect();
    if names.len() < entry.names.len() {
        return Err(format!(
            "{} of {} values that fold into one `{slot}` are here: {all}; the others must agree",
            names.len(),
            entry.names.len()
        ));
    }
    let groups: Option<Vec<Group>> = match &context.tree {
        Some(tree) => own().map(|finding| group(context.bytes, tree, finding.range.start)).collect(),
        None => None,
    };
    let groups = groups.filter(|groups| fits(groups, slot));
    let groups = groups.ok_or_else(|| format!("these become one value: write `{slot}: {goal}` in place of {all}"))?;
    Ok(groups.iter().enumerate().map(|(index, group)| Fix::Edits(vec![edit(group, index, slot, goal)])).collect())
}

/// The retired image itself, not a mirror or a build of one's own.
fn is_default(entry: &Entry, written: &str) -> bool {
    let name = written.rsplit_once(':').map_or(written, |(name, _)| name);
    entry.names.iter().any(|own| own.to_string() == name)
}

/// Keys beside each other, each with nothing but its image, and no slot yet.
fn fits(groups: &[Group], slot: &str) -> bool {
    let Some(first) = groups.first() else { return false };
    let same = |group: &Group| group.is_alone && group.outer == first.outer && group.lead == first.lead;
    let blocks: BTreeSet<usize> = groups.iter().map(|group| group.block.start).collect();
    groups.iter().all(same) && blocks.len() == groups.len() && !first.beside.iter().any(|key| key == slot)
}

/// The first key becomes the slot, the others go.
fn edit(group: &Group, index: usize, slot: &str, goal: &str) -> Edit {
    if index > 0 {
        return Edit::remove(group.block.clone());
    }
    Edit::replace(group.block.clone(), format!("{}{slot}: {goal}{}", group.lead, group.line_end))
}
