//! The ledger as a table: for people, for release notes, for programs.

use serde::Serialize;

use super::entry::{Entry, Ledger};
use crate::manifest::TagRule;

/// Headings of the table.
const HEAD: [&str; 6] = ["product", "retired", "kind", "since", "use instead", "tag"];

/// Rows of equal length, the first with the headings.
pub type Table = Vec<Vec<String>>;

/// One entry for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EntryJson {
    /// Whose versions are meant.
    pub product: Option<String>,
    /// The retired name as written.
    pub image: String,
    /// All names that it stands for.
    pub names: Vec<String>,
    /// What happened.
    pub kind: &'static str,
    /// First version of each release line.
    pub since: Vec<String>,
    /// What to use instead.
    pub replacement: Option<String>,
    /// Lowest tag that will do.
    pub floor: Option<String>,
    /// Higher floors of platforms.
    pub floors: std::collections::BTreeMap<String, String>,
    /// What becomes of the tag.
    pub tag: String,
    /// The command that consumers must name.
    pub command: Option<Vec<String>>,
    /// Version until which the old name is published.
    pub until: Option<String>,
    /// Overrides are removed.
    pub consumer_default: bool,
    /// A line for people.
    pub note: Option<String>,
}

/// The ledger for programs.
pub fn to_json(ledger: &Ledger) -> Vec<EntryJson> {
    ledger.entries.iter().map(entry_json).collect()
}

fn entry_json(entry: &Entry) -> EntryJson {
    EntryJson {
        product: entry.product.clone(),
        image: entry.text.clone(),
        names: entry.names.iter().map(ToString::to_string).collect(),
        kind: entry.kind.as_str(),
        since: entry.since.clone(),
        replacement: entry.replacement.clone(),
        floor: entry.floor.clone(),
        floors: entry.platform_floors.clone(),
        tag: tag(entry),
        command: entry.command.clone(),
        until: entry.until.clone(),
        consumer_default: entry.consumer_default,
        note: entry.note.clone(),
    }
}

/// The ledger for people.
pub fn to_table(ledger: &Ledger) -> Table {
    let row = |entry: &Entry| {
        vec![
            entry.product.clone().unwrap_or_else(|| "-".to_owned()),
            entry.text.clone(),
            entry.kind.as_str().to_owned(),
            entry.since.join(", "),
            entry.replacement.clone().unwrap_or_else(|| "-".to_owned()),
            tag(entry),
        ]
    };
    std::iter::once(HEAD.map(str::to_owned).to_vec()).chain(ledger.entries.iter().map(row)).collect()
}

fn tag(entry: &Entry) -> String {
    let rule = match &entry.tag {
        TagRule::Keep => "the same".to_owned(),
        TagRule::Fixed(tag) => tag.clone(),
        TagRule::Restart => "numbered anew".to_owned(),
        TagRule::AppVersion(None) => "the version".to_owned(),
        TagRule::AppVersion(Some(form)) => form.clone(),
    };
    let floors = entry.platform_floors.iter().map(|(platform, floor)| format!("{platform} {floor}"));
    let floors: Vec<String> = entry.floor.iter().cloned().chain(floors).collect();
    if entry.replacement.is_none() {
        return "-".to_owned();
    }
    if floors.is_empty() { rule } else { format!("{rule}, from {}", floors.join(", ")) }
}
