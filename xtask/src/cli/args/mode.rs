//! The words of `--mode`.

use clap::ValueEnum;

use crate::manifest::Mode;

/// How components are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModeChoice {
    /// One image per component.
    Split,
    /// One image, each component's own program in a layer of its own.
    Colocated,
    /// One image, one program for all cargo components.
    Multicall,
}

impl From<ModeChoice> for Mode {
    fn from(choice: ModeChoice) -> Self {
        match choice {
            ModeChoice::Split => Self::Split,
            ModeChoice::Colocated => Self::Colocated,
            ModeChoice::Multicall => Self::Multicall,
        }
    }
}
