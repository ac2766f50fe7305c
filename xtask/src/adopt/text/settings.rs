//! `groupage.toml` of an adopted repository, and the names of its bases.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lines, list, quoted};
use crate::adopt::base::{self, Family};
use crate::adopt::facts::Facts;
use crate::adopt::name::unique;

/// Names in `[bases]` by reference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BaseNames(BTreeMap<String, String>);

impl BaseNames {
    /// Names all bases that some programs run on now.
    pub fn of(all: &[Facts]) -> Self {
        let mut references: Vec<&str> =
            all.iter().filter(|facts| facts.obstacle.is_none()).map(|facts| facts.base.reference.as_str()).collect();
        references.sort_by_key(|reference| (Family::of(reference), *reference));
        references.dedup();
        let mut taken = BTreeSet::from(["scratch".to_owned()]);
        let named = references.into_iter().filter(|reference| *reference != "scratch");
        Self(named.map(|reference| (reference.to_owned(), unique(&base::short_name(reference), &mut taken))).collect())
    }

    /// The name of a base.
    pub fn get(&self, reference: &str) -> &str {
        self.0.get(reference).map_or("scratch", String::as_str)
    }
}

/// The text of the settings.
pub fn settings(names: &BaseNames, program: &str) -> String {
    let mut lines = Lines::default();
    lines.comment(&format!("Written by `{program} init`; yours from now on."));
    lines.value("schema", "1", "");
    let mut named: Vec<(&String, &String)> = names.0.iter().collect();
    named.sort_by_key(|(reference, name)| (Family::of(reference), name.as_str()));
    for (reference, name) in named {
        let given = base::provides(reference);
        lines.table(&format!("bases.{name}"));
        lines.value("image", &quoted(reference), "");
        match given.is_empty() {
            true => lines.question("provides", "[\"shell\"]", "what does it give? Its name does not tell"),
            false => lines.value("provides", &list(given), "by its name; add what else it gives"),
        }
    }
    lines.table("registry");
    lines.question("default", "\"registry.example/team\"", "where do merged images go?");
    lines.0
}
