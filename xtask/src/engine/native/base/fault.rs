//! Why an image cannot be used, before it is known which one it was.

use std::io;

use crate::engine::store::CommitError;
use crate::engine::{EngineError, ErrorClass};
use crate::oci::LayerError;

/// What is wrong, and so who has to act.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(io::Error),
    /// Nothing is there.
    #[error("{0}")]
    Missing(String),
    /// What was asked for is not in it, or is not the only one.
    #[error("{0}")]
    Choice(String),
    /// What is there is not as it has to be.
    #[error("{0}")]
    Refused(String),
    /// The daemon says no.
    #[error("{0}")]
    Engine(EngineError),
}

impl Fault {
    /// The error of an image.
    pub(super) fn of(self, image: &impl ToString) -> EngineError {
        let class = match self {
            Self::Engine(error) => return error,
            Self::Io(_) | Self::Missing(_) => ErrorClass::Environment,
            Self::Choice(_) => ErrorClass::Input,
            Self::Refused(_) => ErrorClass::Work,
        };
        let hint = match self {
            Self::Missing(_) => "\nhint: check the path, or name another image with `--set bases.NAME=…`",
            Self::Refused(_) => "\nhint: make or fetch the image again, or name another one with `--set`",
            _ => "",
        };
        let mut detail = self.to_string();
        if !detail.contains("\nhint: ") {
            detail += hint;
        }
        EngineError::Image { image: image.to_string(), detail, class }
    }

    /// The same, about a part of the image.
    pub(super) fn within(self, part: &str) -> Self {
        match self {
            Self::Io(error) => Self::Io(io::Error::new(error.kind(), format!("{part}: {error}"))),
            Self::Missing(text) => Self::Missing(format!("{part}: {text}")),
            Self::Choice(text) => Self::Choice(format!("{part}: {text}")),
            Self::Refused(text) => Self::Refused(format!("{part}: {text}")),
            Self::Engine(error) => Self::Engine(error),
        }
    }
}

/// An error with a number is the system's; any other says that the bytes are not what they should be.
impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        let system = error.raw_os_error().is_some() || error.get_ref().is_some_and(is_system);
        if system { Self::Io(error) } else { Self::Refused(error.to_string()) }
    }
}

/// `fs_err` wraps errors of the system to add the path.
fn is_system(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.raw_os_error().is_some())
}

impl From<LayerError> for Fault {
    fn from(error: LayerError) -> Self {
        match error {
            LayerError::Read(error) => error.into(),
            LayerError::Entry { .. } | LayerError::TooMany => Self::Refused(error.to_string()),
        }
    }
}

impl From<CommitError> for Fault {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Io(error) => Self::Io(error),
            CommitError::Mismatch { .. } => Self::Refused(error.to_string()),
        }
    }
}

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}
