//! `migrate`: consumers of retired images.

mod apply;
mod lint;
mod modifiers;
mod outputs;
mod read;
mod sarif;
mod scan;

use super::args::{MigrateArguments, MigrateCommand};
use super::session::Session;
use super::status::{ExitStatus, Stop};

pub(super) fn run(arguments: &MigrateArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    match &arguments.what {
        MigrateCommand::Lint(arguments) => lint::run(arguments, session),
        MigrateCommand::Modifiers(arguments) => modifiers::run(arguments, session),
        MigrateCommand::Scan(arguments) => scan::run(arguments, session),
        MigrateCommand::Apply(arguments) => apply::run(arguments, session),
        MigrateCommand::Outputs(arguments) => outputs::run(arguments, session),
    }
}
