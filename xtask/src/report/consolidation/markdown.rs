//! For a pull request: what matters on top, the rest behind a fold.

use super::super::table;
use super::model::Report;
use super::remarks::remarks;
use super::tables::tables;

/// Markdown as GitHub reads it.
pub fn markdown(report: &Report) -> String {
    let mut text = "## What merging these images gains\n\n".to_owned();
    let tables = tables(report);
    let (details, overview): (Vec<_>, Vec<_>) = tables.iter().partition(|table| table.title.contains("unique bytes"));
    for table in overview {
        table.markdown(&mut text);
        text.push('\n');
    }
    for remark in remarks(report) {
        text.push_str(&format!("- {}\n", table::markdown(&remark)));
    }
    text.push_str("\n<details><summary>Bytes by component and layer</summary>\n\n");
    for table in details {
        table.markdown(&mut text);
        text.push('\n');
    }
    text.push_str("</details>\n");
    text
}
