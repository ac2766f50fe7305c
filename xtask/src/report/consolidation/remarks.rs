//! What figures alone do not say.

use super::super::bytes::{change, iec};
use super::facts::Origin;
use super::figure::Figure;
use super::model::{Build, Column, Named, OnPlatform, Report, RolePull};

/// Sentences about a report: what got worse before what got better.
pub fn remarks(report: &Report) -> Vec<String> {
    let mut remarks = Vec::new();
    for on in &report.platforms {
        for (before, after) in pairs(on) {
            remarks.extend(single_roles(on, before, after));
            remarks.extend(no_gain(on, before, after));
        }
    }
    remarks.extend(not_built(report));
    if report.builds.iter().any(|build| build.of.value().is_some()) {
        remarks.push(
            "build times are those of this run, in this order: what one column compiled, a later one did not compile again"
                .to_owned(),
        );
    }
    remarks.extend(memory(report));
    remarks
}

/// What is before, with each set that is after.
fn pairs(on: &OnPlatform) -> impl Iterator<Item = (&Column, &Column)> {
    let before = on.columns.iter().find(|column| column.origin == Origin::Before);
    let after = on.columns.iter().filter(|column| column.origin == Origin::After);
    before.into_iter().flat_map(move |before| after.clone().map(move |after| (before, after)))
}

/// A node that runs one role pulls the whole merged image for it.
fn single_roles(on: &OnPlatform, before: &Column, after: &Column) -> Vec<String> {
    let worse = |old: &RolePull| {
        let new =
            after.pull_one_role.iter().find(|new| (&new.definition, &new.role) == (&old.definition, &old.role))?;
        let (was, is) = (old.size.gzip.or(old.size.bytes)?, new.size.gzip.or(new.size.bytes)?);
        (is > was).then(|| {
            format!(
                "{}: a node that runs only `{}` of {} gets worse: with {} it pulls {} instead of {} ({})",
                on.platform,
                old.role,
                old.definition,
                after.name,
                iec(is),
                iec(was),
                change(was, is)
            )
        })
    };
    before.pull_one_role.iter().filter_map(worse).collect()
}

/// Putting images together does not make bytes fewer that were shared already.
fn no_gain(on: &OnPlatform, before: &Column, after: &Column) -> Option<String> {
    let (was, is) = (before.unique.gzip?, after.unique.gzip?);
    (is >= was).then(|| {
        format!(
            "{}: {} has no fewer unique bytes than {}: {} against {} ({}); the gain is in the number of images",
            on.platform,
            after.name,
            before.name,
            iec(is),
            iec(was),
            change(was, is)
        )
    })
}

fn not_built(report: &Report) -> Vec<String> {
    let reason = |build: &Named<Figure<Build>>| {
        build.of.reason().map(|reason| format!("build time of {} not measured: {reason}", build.column))
    };
    report.builds.iter().filter_map(reason).collect()
}

/// How memory was measured, or why not.
fn memory(report: &Report) -> Vec<String> {
    let memory = match &report.memory {
        Figure::Is(memory) => memory,
        Figure::NotMeasured(reason) => return vec![format!("memory not measured: {reason}")],
    };
    let method = memory.method.iter().map(|sentence| format!("memory: {sentence}"));
    let failed = memory.sets.iter().filter_map(|set| {
        set.all_roles.reason().map(|reason| format!("memory of {} not measured: {reason}", set.column))
    });
    method.chain(failed).collect()
}
