//! Figures that were measured, or a reason why not.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::super::bytes::iec;

/// A figure, or why there is none. In JSON `{"value": …}`, or `{"value": null, "reason": …}`.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure<T> {
    /// It was measured.
    Is(T),
    /// It was not, for this reason.
    NotMeasured(String),
}

impl<T> Figure<T> {
    /// The figure, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::NotMeasured(_) => None,
        }
    }

    /// Why there is none.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Is(_) => None,
            Self::NotMeasured(reason) => Some(reason),
        }
    }

    /// The figure in words; without one, that it was not measured.
    pub fn words(&self, words: impl FnOnce(&T) -> String) -> String {
        self.value().map_or_else(|| "not measured".to_owned(), words)
    }
}

impl<T: Serialize> Serialize for Figure<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("value", &self.value())?;
        if let Some(reason) = self.reason() {
            map.serialize_entry("reason", reason)?;
        }
        map.end()
    }
}

/// A number of bytes, unpacked and as a registry gets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Size {
    /// Unpacked.
    pub bytes: Option<u64>,
    /// Compressed.
    pub gzip: Option<u64>,
}

impl Size {
    /// Nothing at all.
    pub const ZERO: Self = Self { bytes: Some(0), gzip: Some(0) };

    /// Both together; what is not known of one is not known of the sum.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let add = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
        Self { bytes: add(self.bytes, other.bytes), gzip: add(self.gzip, other.gzip) }
    }

    /// Of two figures the one that can be had: compressed, else unpacked.
    pub fn weight(self) -> u64 {
        self.gzip.or(self.bytes).unwrap_or(0)
    }
}

impl std::iter::Sum for Size {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::ZERO, Self::and)
    }
}

/// Bytes, if they are known.
pub(super) fn shown(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "not known".to_owned(), iec)
}
