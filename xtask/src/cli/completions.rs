//! `completions`: a script that completes our words in a shell.

use clap::CommandFactory as _;

use super::args::{Arguments, CompletionsArguments};
use super::program;
use super::session::Session;
use super::status::{ExitStatus, Stop};

pub(super) fn run(arguments: &CompletionsArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        program::completed(&session.program),
        &mut script,
    );
    session.output.data(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Done)
}
