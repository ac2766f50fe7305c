//! What is found at the paths and references that were named.

use camino::{Utf8Path, Utf8PathBuf};

use super::super::args::InitArguments;
use super::super::session::Session;
use super::super::status::Stop;
use crate::adopt::{self, Findings};

/// All that was found; the order of the words does not matter.
pub(super) fn findings(arguments: &InitArguments, session: &Session<'_>, root: &Utf8Path) -> Result<Findings, Stop> {
    todo!()
}

/// What could not be taken is said, and does not stop the rest.
pub(super) fn show_refused(findings: &Findings, session: &Session<'_>) {
    for refused in &findings.refused {
        session.output.message(&format!("warning: {} is left out: {}", refused.path, refused.because));
    }
}
