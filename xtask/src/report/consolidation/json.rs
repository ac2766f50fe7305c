//! For programs.

use serde::Serialize;

use super::model::Report;
use super::remarks::remarks;

#[derive(Serialize)]
struct Document<'r> {
    #[serde(flatten)]
    report: &'r Report,
    remarks: Vec<String>,
}

/// The report with its remarks; numbers are exact.
pub fn json(report: &Report) -> impl Serialize {
    Document { report, remarks: remarks(report) }
}
