//! From facts to figures.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::facts::{ColumnFacts, Facts, ImageFacts, LayerFacts, Owner};
use super::figure::Size;
use super::model::{Column, ImageRow, LayerRow, Named, OnPlatform, OwnerRow, Report, RolePull};

/// Format of the document.
const SCHEMA: u32 = 1;

/// Counts and compares.
pub fn report(facts: Facts) -> Report {
    let platforms: BTreeSet<&String> =
        facts.columns.iter().flat_map(|column| &column.images).map(|image| &image.platform).collect();
    let on = |platform: &String| OnPlatform {
        platform: platform.clone(),
        columns: facts.columns.iter().filter_map(|facts| column(facts, platform)).collect(),
    };
    Report {
        schema: SCHEMA,
        platforms: platforms.into_iter().map(on).collect(),
        releases: facts.columns.iter().map(|own| Named { column: own.name.clone(), of: own.release.clone() }).collect(),
        builds: facts.columns.iter().map(|own| Named { column: own.name.clone(), of: own.build.clone() }).collect(),
        memory: facts.memory,
    }
}

/// A set of images on one platform; nothing where it has none.
fn column(facts: &ColumnFacts, platform: &str) -> Option<Column> {
    let images: Vec<&ImageFacts> = facts.images.iter().filter(|image| image.platform == platform).collect();
    let layers = || images.iter().flat_map(|image| &image.layers);
    let unique = unique(layers());
    let with_roles = images.iter().filter(|image| !image.roles.is_empty()).flat_map(|image| &image.layers);
    let no_roles = images.iter().all(|image| image.roles.is_empty());
    (!images.is_empty()).then(|| Column {
        name: facts.name.clone(),
        origin: facts.origin,
        image_count: images.len(),
        total: layers().map(size).sum(),
        unique,
        // of images that tell no roles, all may be needed
        pull_all_roles: if no_roles { unique } else { self::unique(with_roles) },
        pull_one_role: images.iter().flat_map(|image| pulls(image)).collect(),
        images: images.iter().map(|image| ImageRow { id: image.id.clone(), size: own(image) }).collect(),
        owners: owners(&images),
        reason: facts.unknown.clone(),
    })
}

fn size(layer: &LayerFacts) -> Size {
    Size { bytes: layer.bytes, gzip: layer.gzip }
}

/// Bytes of some layers, each once.
fn unique<'f>(layers: impl Iterator<Item = &'f LayerFacts>) -> Size {
    let each: BTreeMap<&str, Size> = layers.map(|layer| (layer.diff_id.as_str(), size(layer))).collect();
    each.into_values().sum()
}

/// An image that names a layer twice is pulled with it once.
fn own(image: &ImageFacts) -> Size {
    unique(image.layers.iter())
}

fn pulls(image: &ImageFacts) -> Vec<RolePull> {
    let pull = |role: &String| RolePull {
        definition: image.definition.clone(),
        role: role.clone(),
        image: image.id.clone(),
        size: own(image),
    };
    image.roles.iter().map(pull).collect()
}

/// Each layer once, with its first owner: so that all owners together have the unique bytes.
fn owners(images: &[&ImageFacts]) -> Vec<OwnerRow> {
    let mut layers: BTreeMap<&str, (&Owner, LayerRow)> = BTreeMap::new();
    for (image, layer) in images.iter().flat_map(|image| image.layers.iter().map(move |layer| (image, layer))) {
        let row = || LayerRow {
            name: layer.name.clone(),
            diff_id: layer.diff_id.clone(),
            images: Vec::new(),
            size: size(layer),
        };
        let (owner, row) = layers.entry(&layer.diff_id).or_insert_with(|| (&layer.owner, row()));
        *owner = (*owner).min(&layer.owner);
        if !row.images.contains(&image.id) {
            row.images.push(image.id.clone());
        }
    }
    let mut owned: BTreeMap<&Owner, Vec<LayerRow>> = BTreeMap::new();
    layers.into_values().for_each(|(owner, row)| owned.entry(owner).or_default().push(row));
    let mut rows: Vec<OwnerRow> = owned.into_iter().map(|(owner, layers)| row(owner, layers)).collect();
    rows.sort_by_key(|row| (Reverse(row.size.weight()), row.owner.clone()));
    rows
}

fn row(owner: &Owner, mut layers: Vec<LayerRow>) -> OwnerRow {
    layers.sort_by_key(|layer| (Reverse(layer.size.weight()), layer.diff_id.clone()));
    OwnerRow { owner: owner.label(), size: layers.iter().map(|layer| layer.size).sum(), layers }
}
