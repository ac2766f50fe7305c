//! For people at a terminal.

use super::model::Report;
use super::remarks::remarks;
use super::tables::tables;

/// Tables, and remarks below them.
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    for table in tables(report) {
        table.text(&mut text);
        text.push('\n');
    }
    remarks(report).iter().for_each(|remark| text.push_str(&format!("note: {remark}\n")));
    text
}
