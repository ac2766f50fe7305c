//! Exit codes, as a type.

use std::process::ExitCode;

/// How a run ended, from good to bad. The numbers are an interface: CI depends on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// Done; also when there was nothing to do.
    Done = 0,
    /// The work says no: a finding, a failed build, drift.
    Refused = 1,
    /// Bad input or usage.
    BadInput = 2,
    /// The environment is missing: no daemon, an image that cannot be had.
    Environment = 3,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        ExitCode::from(status as u8)
    }
}

/// Why a command stops early.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) status: ExitStatus,
    /// What is still to be said; diagnostics were printed already.
    pub(super) error: Option<anyhow::Error>,
}

impl Stop {
    /// Bad input, told in one error.
    pub(super) fn input(error: impl Into<anyhow::Error>) -> Self {
        Self { status: ExitStatus::BadInput, error: Some(error.into()) }
    }

    /// The work says no, told in one error.
    pub(super) fn refused(error: impl Into<anyhow::Error>) -> Self {
        Self { status: ExitStatus::Refused, error: Some(error.into()) }
    }

    /// Something outside is missing.
    pub(super) fn environment(error: impl Into<anyhow::Error>) -> Self {
        Self { status: ExitStatus::Environment, error: Some(error.into()) }
    }

    /// Everything was said.
    pub(super) fn silent(status: ExitStatus) -> Self {
        Self { status, error: None }
    }
}
