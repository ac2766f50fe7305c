//! The figures as tables, for every form but JSON.

use super::super::bytes::{change, iec};
use super::super::table::Table;
use super::figure::{Figure, Size, shown};
use super::model::{Build, Column, Named, OnPlatform, Release, Report};

/// All tables, in the order in which they are read.
pub(super) fn tables(report: &Report) -> Vec<Table> {
    let mut tables = Vec::new();
    for on in &report.platforms {
        tables.push(sizes(on));
        tables.push(single(on));
        tables.extend(on.columns.iter().map(|column| parts(on, column)));
    }
    tables.push(releases(report));
    tables.extend(report.memory.value().map(super::memory::tables).into_iter().flatten());
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// The images and their bytes, before and after.
fn sizes(on: &OnPlatform) -> Table {
    let mut table = Table::new(on.platform.clone(), on.columns.iter().map(|column| column.name.clone()));
    let counts: Vec<Option<u64>> = on.columns.iter().map(|column| Some(column.image_count as u64)).collect();
    table.push(0, "images", compared(&counts, |count| count.to_string()));
    let mut push = |depth, label: &str, of: &dyn Fn(&Column) -> Option<u64>| {
        let values: Vec<Option<u64>> = on.columns.iter().map(of).collect();
        table.push(depth, label, compared(&values, iec));
    };
    push(0, "all layers", &|column| column.total.bytes);
    push(1, "gzip", &|column| column.total.gzip);
    push(0, "unique layers", &|column| column.unique.bytes);
    push(1, "gzip", &|column| column.unique.gzip);
    push(0, "cold pull of a node that runs all roles, gzip", &|column| column.pull_all_roles.gzip);
    table
}

/// What a node pulls for one role.
fn single(on: &OnPlatform) -> Table {
    let head = on.columns.iter().map(|column| column.name.clone());
    let mut table = Table::new(format!("{}: cold pull of a node that runs one role, gzip", on.platform), head);
    let mut roles = Vec::new();
    for pull in on.columns.iter().flat_map(|column| &column.pull_one_role) {
        let role = (&pull.definition, &pull.role);
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    for (definition, role) in roles {
        let of = |column: &Column| {
            let pull = column.pull_one_role.iter().find(|pull| (&pull.definition, &pull.role) == (definition, role));
            pull.and_then(|pull| pull.size.gzip)
        };
        let values: Vec<Option<u64>> = on.columns.iter().map(of).collect();
        table.push(0, format!("{definition} {role}"), compared(&values, iec));
    }
    table
}

/// Unique bytes of one set by component and layer.
fn parts(on: &OnPlatform, column: &Column) -> Table {
    let head = ["bytes", "gzip", "in images"].map(str::to_owned);
    let mut table = Table::new(format!("{}: unique bytes of {}", on.platform, column.name), head);
    let cells = |size: Size, images: String| vec![shown(size.bytes), shown(size.gzip), images];
    for owner in &column.owners {
        let images: std::collections::BTreeSet<&String> = owner.layers.iter().flat_map(|layer| &layer.images).collect();
        table.push(0, owner.owner.clone(), cells(owner.size, images.len().to_string()));
        for layer in &owner.layers {
            let digest = layer.diff_id.strip_prefix("sha256:").unwrap_or(&layer.diff_id);
            let label = format!("{} {}", digest.get(..12).unwrap_or(digest), layer.name);
            table.push(1, label, cells(layer.size, layer.images.len().to_string()));
        }
    }
    table
}

/// What a release takes, and what a build took.
fn releases(report: &Report) -> Table {
    let mut table = Table::new("for each release", report.releases.iter().map(|own| own.column.clone()));
    let mut push = |label: &str, of: &dyn Fn(&Release) -> usize| {
        let figure = |own: &Named<Figure<Release>>| own.of.value().map(|release| of(release) as u64);
        let values: Vec<Option<u64>> = report.releases.iter().map(figure).collect();
        table.push(0, label, compared(&values, |count| count.to_string()));
    };
    push("pulls of a node that runs all roles", &|release| release.images);
    push("platform images to push, scan and mirror", &|release| release.platform_images);
    push("tags to move", &|release| release.tags);
    let time = |own: &Named<Figure<Build>>| own.of.words(|build| seconds(build.millis));
    table.push(0, "build time", report.builds.iter().map(time).collect());
    table
}

/// `12.3 s`.
pub(super) fn seconds(millis: u64) -> String {
    format!("{}.{} s", millis / 1000, millis % 1000 / 100)
}

/// Figures, and what became of the first of them.
pub(super) fn compared(values: &[Option<u64>], show: impl Fn(u64) -> String) -> Vec<String> {
    let first = values.first().copied().flatten();
    let cell = |(index, value): (usize, &Option<u64>)| match (value, first) {
        (None, _) => "not known".to_owned(),
        (Some(value), Some(first)) if index > 0 => format!("{} ({})", show(*value), change(first, *value)),
        (Some(value), _) => show(*value),
    };
    values.iter().enumerate().map(cell).collect()
}
