//! Records of references that are used for a while: which of them are open, and until when.

use crate::manifest::{Date, Temporary};
use crate::oci::Reference;

/// What a record says on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordState {
    /// It begins later.
    NotYet,
    /// It holds.
    Valid,
    /// Its last day is over.
    Expired,
    /// Nobody says what day it is.
    Unknown,
}

impl RecordState {
    /// What a record says on a day; both its days count.
    pub fn of(record: &Temporary, day: Option<Date>) -> Self {
        match day {
            None => Self::Unknown,
            Some(day) if day < record.added.value => Self::NotYet,
            Some(day) if day > record.expires.value => Self::Expired,
            Some(_) => Self::Valid,
        }
    }
}

/// Whether a record is about a reference: the same canonical form, or the same name where the record names neither tag nor
/// digest.
pub(super) fn is_about(record: &Temporary, reference: &Reference) -> bool {
    let recorded = &record.reference.value;
    recorded.name() == reference.name()
        && match (recorded.tag(), recorded.digest()) {
            (None, None) => true,
            (tag, None) => tag == reference.tag(),
            (_, digest) => digest == reference.digest(),
        }
}
