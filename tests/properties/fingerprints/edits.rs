//! One small edit of a monorepo, chosen by three numbers. Whether it is one of an input is not said here.

use super::monorepo::{COMPONENTS, File, Kind, Monorepo, PLATFORMS};

/// How many kinds of edits there are.
pub const KINDS: usize = 33;

/// Which kind, and where.
pub type Edit = (usize, usize, usize);

pub fn apply(monorepo: &mut Monorepo, (kind, at, below): Edit) {
    let index = at % COMPONENTS;
    let image = at % monorepo.images.len();
    match kind {
        0 => monorepo.base += 1,
        1 => monorepo.node += 1,
        2 => monorepo.rust += 1,
        3 => monorepo.lib.text += 1,
        4 => monorepo.lib.executable ^= true,
        5 => monorepo.lib_version += 1,
        6 => monorepo.unrelated = monorepo.unrelated.map_or(Some(0), |_| None),
        7 => monorepo.unrelated = monorepo.unrelated.map(|text| text + 1),
        8 => monorepo.comment += 1,
        9 => monorepo.turn += 1,
        10..=16 => edit_image(monorepo, kind, image, below),
        17..=19 => edit_file(monorepo, kind, index, below),
        _ => edit_component(monorepo, kind, index),
    }
}

fn edit_image(monorepo: &mut Monorepo, kind: usize, image: usize, below: usize) {
    let image = &mut monorepo.images[image];
    let part = below % image.parts.len();
    match kind {
        10 => image.label += 1,
        11 => image.version += 1,
        12 => image.prose += 1,
        13 => image.platforms = image.platforms % PLATFORMS.len() + 1,
        14 => image.on_by_default ^= true,
        15 => image.has_base ^= true,
        _ if part > 0 && below.is_multiple_of(2) => image.parts[part].optional ^= true,
        _ if part > 0 && below.is_multiple_of(3) => _ = image.parts.remove(part),
        _ => image.parts[part].asks_f1 ^= true,
    }
}

fn edit_file(monorepo: &mut Monorepo, kind: usize, index: usize, below: usize) {
    let component = &mut monorepo.components[index];
    let name = component.files.keys().nth(below % component.files.len()).cloned().unwrap_or_default();
    match kind {
        17 | 18 => {
            let file = component.files.get_mut(&name).expect("it is there");
            if kind == 17 { file.text += 1 } else { file.executable ^= true }
        }
        _ => {
            // comes when it is not there, and goes when it is
            let folder = if component.kind == Kind::Files { "data" } else { "src" };
            let path = format!("{folder}/new-{}", below % 2);
            if component.files.remove(&path).is_none() {
                component.files.insert(path, File { text: 0, executable: false });
            }
        }
    }
}

fn edit_component(monorepo: &mut Monorepo, kind: usize, index: usize) {
    let component = &mut monorepo.components[index];
    match kind {
        20 => component.version += 1,
        21 => component.command += 1,
        22 => component.environment += 1,
        23 => component.argument += 1,
        24 => component.port = (component.port + 1) % 50,
        25 => component.writable ^= true,
        26 => component.by_platform ^= true,
        27 => component.default ^= true,
        28 => component.f1_enables_f0 ^= true,
        29 => component.uses_lib ^= true,
        30 => component.prose += 1,
        31 => component.uses = component.uses.map(|used| super::monorepo::Use { asks_f1: !used.asks_f1, ..used }),
        _ => component.uses = None,
    }
}
