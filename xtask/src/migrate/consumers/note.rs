//! An upgrade note: what consumers must know and do, in Markdown.

use std::fmt::Write as _;

use super::rows;
use crate::migrate::ledger::{Ledger, NewTag, Wanted};

/// The note.
pub fn note(ledger: &Ledger, wanted: Wanted<'_>) -> String {
    let mut text = "## Retired images\n\n".to_owned();
    let rows = rows(ledger, wanted);
    if rows.is_empty() {
        return text + "None.\n";
    }
    text.push_str("| do not use | since | use instead | start |\n|---|---|---|---|\n");
    for row in &rows {
        let goal = match (&row.answer.name, &row.answer.tag) {
            (None, _) => "nothing".to_owned(),
            (Some(name), NewTag::Is(tag)) => format!("`{name}:{tag}`"),
            (Some(name), _) => format!("`{name}`"),
        };
        let command = row.answer.command().map(|command| format!("`{}`", command.join(" "))).unwrap_or_default();
        _ = writeln!(text, "| `{}` | {} | {goal} | {command} |", row.name, row.entry.since.join(", "));
    }
    let defaults: Vec<String> =
        rows.iter().filter(|row| row.answer.is_consumer_default()).map(|row| format!("`{}`", row.name)).collect();
    if !defaults.is_empty() {
        _ = write!(
            text,
            "\nConsumers find the new image by themselves: **remove** what sets {}, in ConfigMaps, values, variables of operators and \
             lists for air gaps.\n",
            defaults.join(", ")
        );
    }
    for row in &rows {
        for (platform, floor) in &row.entry.platform_floors {
            _ = writeln!(text, "\nOn {platform}, use no tag of the replacement of `{}` below {floor}.", row.name);
        }
    }
    for note in rows.iter().filter_map(|row| Some((row.name, row.entry.note.as_ref()?))) {
        _ = writeln!(text, "\n`{}`: {}.", note.0, note.1);
    }
    text.push_str(
        "\nWorkloads that are changed while they run: file-system backups from before cannot be restored over them. Take a new \
         backup after the change, or delete the controller before such a restore.\n",
    );
    text
}
