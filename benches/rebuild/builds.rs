//! Everything new, one program changed, nothing changed: by each of the builders.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::builders::{ALL, Builder, Cost};
use crate::daemon::Made;
use crate::monorepo::Monorepo;
use crate::targets::Targets;
use crate::{median, millis};

/// What was done before the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Everything,
    One,
    Nothing,
}

const CHANGES: [(Change, &str); 3] = [
    (Change::Nothing, "nothing changed"),
    (Change::One, "one program changed"),
    (Change::Everything, "everything new"),
];

/// The component that changes.
const CHANGED: usize = 0;

/// All rounds, and their table.
pub fn run(monorepo: &Monorepo, rounds: usize, targets: &mut Targets) {
    let size = monorepo.size;
    println!(
        "\n{} components of {:.1} MB in {} images of {}; medians of {rounds} rounds",
        size.components,
        monorepo.component_bytes() as f64 / 1e6,
        size.images,
        size.per_image
    );
    let here: Vec<Builder> = ALL.into_iter().filter(|builder| builder.missing().is_none()).collect();
    let (mut costs, mut made) = (Costs::default(), Made::default());
    // bytes that no earlier run had either
    let mut stamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    for round in 0..rounds {
        let mut order = here.clone();
        order.rotate_left(round % here.len());
        for builder in order {
            for change in [Change::Everything, Change::One, Change::Nothing] {
                stamp += 1;
                match change {
                    Change::Everything => (0..size.components).for_each(|number| monorepo.change(number, stamp)),
                    Change::One => monorepo.change(CHANGED, stamp),
                    Change::Nothing => {}
                }
                settle();
                costs.add(change, builder, builder.build(monorepo));
                if builder != Builder::Native {
                    made.look(monorepo);
                }
            }
        }
    }
    costs.tell(&here);
    costs.judge(monorepo, targets);
    made.remove();
    let _ = std::fs::remove_dir_all(monorepo.root.join("target/groupage"));
}

/// What was written goes to the disk first, so that nobody pays for another one's bytes.
fn settle() {
    let _ = Command::new("sync").status();
}

#[derive(Default)]
struct Costs {
    all: BTreeMap<(Change, Builder), Vec<Cost>>,
}

impl Costs {
    fn add(&mut self, change: Change, builder: Builder, cost: Cost) {
        self.all.entry((change, builder)).or_default().push(cost);
    }

    /// In milliseconds, and bytes of context.
    fn of(&self, change: Change, builder: Builder) -> Option<(f64, u64)> {
        let all = self.all.get(&(change, builder))?;
        let context = median(all.iter().map(|cost| cost.context).collect());
        Some((median(all.iter().map(|cost| millis(cost.time)).collect()), context))
    }

    /// The time of ours as a part of another's.
    fn ratio(&self, change: Change, ours: Builder, other: Builder) -> Option<f64> {
        Some(self.of(change, ours)?.0 / self.of(change, other)?.0)
    }

    fn tell(&self, here: &[Builder]) {
        let peer = if here.contains(&Builder::Bake) { Builder::Bake } else { Builder::Requests };
        for (change, name) in CHANGES {
            println!("{name:<24} {:>12} {:>12}   ratio to {}", "time", "context", peer.name());
            for builder in ALL {
                match self.of(change, builder) {
                    None => {
                        println!("  {:<22} not measured: {}", builder.name(), builder.missing().unwrap_or("no rounds"))
                    }
                    Some((time, context)) => {
                        let ratio = self.ratio(change, builder, peer);
                        let ratio =
                            ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.4} (1/{:.1})", 1.0 / ratio));
                        println!("  {:<22} {time:>9.1} ms {:>9.2} MB   {ratio}", builder.name(), context as f64 / 1e6);
                    }
                }
            }
        }
    }

    fn judge(&self, monorepo: &Monorepo, targets: &mut Targets) {
        let (size, name) = (monorepo.size, monorepo.size.name());
        let large = size.components >= 100;
        let mut compare = |change, ours: Builder, most: f64, what: &str| {
            if let Some(ratio) = self.ratio(change, ours, Builder::Bake) {
                targets.at_most(format!("{name}, {what}, {}: part of bake's time", ours.name()), ratio, most);
            }
        };
        compare(Change::Nothing, Builder::Docker, if large { 0.01 } else { 0.05 }, "nothing changed");
        if large {
            compare(Change::One, Builder::Docker, 0.1, "one program changed");
            compare(Change::One, Builder::Native, 1.0 / 30.0, "one program changed");
            compare(Change::Everything, Builder::Docker, 1.0, "everything new");
        }
        if let Some((_, context)) = self.of(Change::Nothing, Builder::Docker) {
            targets.at_most(
                format!("{name}, nothing changed, groupage, docker: bytes of context"),
                context as f64,
                0.0,
            );
        }
        if let Some((_, context)) = self.of(Change::One, Builder::Docker) {
            let bytes = (monorepo.component_bytes() * size.holders(CHANGED) as u64) as f64;
            let what = format!("{name}, one program changed, groupage, docker: context to component in each image");
            targets.at_most(what, context as f64 / bytes, 1.05);
        }
        if let (true, Some((time, _))) = (large, self.of(Change::Nothing, Builder::Native)) {
            targets.at_most(format!("{name}, nothing changed, groupage, native: milliseconds"), time, 50.0);
        }
    }
}
