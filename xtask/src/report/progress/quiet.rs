//! Nothing at all: `--progress quiet`. Failures are printed by whoever has the outcome.

use std::io;

use super::Consumer;
use crate::engine::Event;

/// Shows nothing.
#[derive(Debug, Default)]
pub struct Quiet;

impl Consumer for Quiet {
    fn event(&mut self, _: &Event) {}

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}
