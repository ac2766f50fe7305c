//! `man`: manual pages, from the same definition as the command line. No date stands in them: same program, same bytes.

use camino::Utf8Path;
use clap::{Command, CommandFactory as _};

use super::args::{Arguments, ManArguments};
use super::session::Session;
use super::status::{ExitStatus, Stop};
use crate::workspace::write;

pub(super) fn run(arguments: &ManArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    // `help` is for the terminal; options that all commands share are put to each
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &arguments.output else {
        session.output.data(&page(&command).map_err(Stop::input)?)?;
        return Ok(ExitStatus::Done);
    };
    write_below(&command, folder, session)?;
    Ok(ExitStatus::Done)
}

/// Writes the page of a command and of all below it.
fn write_below(command: &Command, folder: &Utf8Path, session: &Session<'_>) -> Result<(), Stop> {
    let path = folder.join(format!("{}.1", name(command)));
    let page = page(command).map_err(Stop::input)?;
    if write::file(&session.path(&path), page.as_bytes(), 0o644).map_err(Stop::input)? {
        session.output.message(&format!("wrote {path}"));
    }
    command.get_subcommands().try_for_each(|below| write_below(below, folder, session))
}

/// `groupage`, `groupage-build`, `groupage-migrate-apply`.
fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(command: &Command) -> std::io::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
