//! `migrate outputs`: what consumers can use without this tool.

use super::super::args::{ConsumerOutput, MigrateOutputsArguments};
use super::super::session::Session;
use super::super::status::{ExitStatus, Stop};
use super::read;
use crate::migrate::consumers::{guard, helm_post_render, kustomize, note, openshift};
use crate::migrate::ledger::Wanted;

pub(super) fn run(arguments: &MigrateOutputsArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let (ledger, at) = read::ledger(&arguments.source, &arguments.at, session)?;
    let wanted = Wanted { at: &at, platforms: &arguments.at.platforms };
    let text = match arguments.what {
        ConsumerOutput::Kustomize => kustomize(&ledger, wanted),
        ConsumerOutput::HelmPostRender => helm_post_render(&ledger, wanted),
        ConsumerOutput::Note => note(&ledger, wanted),
        ConsumerOutput::Guard => guard(&ledger, wanted),
        ConsumerOutput::Openshift => openshift(&ledger, wanted),
    };
    session.output.data(&text)?;
    Ok(ExitStatus::Done)
}
