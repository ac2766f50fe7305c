//! Resident memory of the roles, as it was read of running containers.

use serde::Serialize;

use super::super::bytes::iec;
use super::super::table::Table;
use super::figure::Figure;
use super::tables::compared;
pub use crate::engine::measure::Resident;

/// What was read, and how.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Memory {
    /// How it was measured, in sentences.
    pub method: Vec<String>,
    /// How often.
    pub rounds: u32,
    /// Each set of images.
    pub sets: Vec<MemorySet>,
}

/// One set of images whose roles ran at the same time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemorySet {
    /// The column.
    pub column: String,
    /// Medians over all rounds of the sum over all roles.
    pub all_roles: Figure<Resident>,
    /// Medians for each role.
    pub roles: Vec<RoleMemory>,
}

/// One role.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoleMemory {
    /// The definition that has it.
    pub definition: String,
    /// The role.
    pub role: String,
    /// The image that it was started from.
    pub image: String,
    /// What it was waited for.
    pub ready: String,
    /// Medians over all rounds.
    pub resident: Figure<Resident>,
}

/// What is taken of [`Resident`].
type Part = fn(&Resident) -> u64;

/// Its parts, in the order in which they are shown.
const PARTS: [(&str, Part); 6] = [
    ("PSS", |own| own.pss),
    ("RSS", |own| own.rss),
    ("private", |own| own.private),
    ("shared text", |own| own.shared_clean),
    ("cgroup", |own| own.cgroup),
    ("cgroup working set", |own| own.working_set),
];

/// All roles together, then each.
pub(super) fn tables(memory: &Memory) -> Vec<Table> {
    let head = || memory.sets.iter().map(|set| set.column.clone());
    let mut all = Table::new(format!("memory of all roles, medians of {} rounds", memory.rounds), head());
    for (name, part) in PARTS {
        let values: Vec<Option<u64>> = memory.sets.iter().map(|set| set.all_roles.value().map(part)).collect();
        all.push(0, name, compared(&values, iec));
    }
    let mut each = Table::new("memory of each role, PSS", head());
    let mut roles = Vec::new();
    for own in memory.sets.iter().flat_map(|set| &set.roles) {
        let role = (&own.definition, &own.role);
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    for (definition, role) in roles {
        let of = |set: &MemorySet| {
            let own = set.roles.iter().find(|own| (&own.definition, &own.role) == (definition, role))?;
            own.resident.value().map(|own| own.pss)
        };
        let values: Vec<Option<u64>> = memory.sets.iter().map(of).collect();
        each.push(0, format!("{definition} {role}"), compared(&values, iec));
    }
    vec![all, each]
}
