//! The command line: words → calls of the library → output. One file per command; the only place that prints, chooses exit
//! codes, and uses `anyhow`.
//!
//! Another repository's `xtask` calls [`main`], or puts [`Command`] into its own with `#[command(flatten)]` and calls
//! [`execute`].
//!
//! **Invariants**: stdout carries data only, messages go to stderr; nothing depends on colour; a command does no work that it
//! does not need (no cargo without cargo components, no daemon before `build`).

mod advise;
mod affected;
mod args;
mod bootstrap;
mod build;
mod cache;
mod check;
mod choose;
mod completions;
mod copies;
mod daemon;
mod destination;
mod diff;
mod docker;
mod explain;
mod generate;
mod images;
mod init;
mod inspect;
mod ledger;
mod list;
mod lock;
mod look;
mod man;
mod metadata;
mod migrate;
mod mirror;
mod native;
mod newer;
mod output;
mod pins;
mod plan;
mod program;
mod promote;
mod records;
mod references;
mod registry;
mod release;
mod report;
mod rerun;
mod schema;
mod session;
mod size;
mod stamp;
mod status;
mod swap;
mod verify;
mod watch;
mod words;

use std::process::ExitCode;

pub use args::{Arguments, Command, Global};
use camino::Utf8PathBuf;
pub use status::ExitStatus;

use crate::workspace::Environment;
use output::Output;
use session::Session;
use status::Stop;

/// Runs the program with the arguments, environment and working directory of this process.
pub fn main() -> ExitCode {
    match parse() {
        Ok(arguments) => execute(&arguments.command, &arguments.global),
        Err(error) => {
            // help and version go to stdout and are no errors
            let status = if error.use_stderr() { ExitStatus::BadInput } else { ExitStatus::Done };
            _ = error.print();
            status.into()
        }
    }
}

fn parse() -> Result<Arguments, clap::Error> {
    words::parse(std::env::args_os(), &program::name())
}

/// Runs one command.
pub fn execute(command: &Command, global: &Global) -> ExitCode {
    let environment = Environment::read();
    let output = Output::new(global, &environment);
    let result = working_directory().and_then(|cwd| {
        let session = Session::new(cwd, environment, global, output);
        dispatch(command, &session)
    });
    let status = match result {
        Ok(status) => status,
        Err(stop) => {
            if let Some(error) = &stop.error {
                output.error(error);
            }
            stop.status
        }
    };
    status.into()
}

fn dispatch(command: &Command, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    match command {
        Command::Init(arguments) => init::run(arguments, session),
        Command::List(arguments) => list::run(arguments, session),
        Command::Check(arguments) => check::run(arguments, session),
        Command::Plan(arguments) => plan::run(arguments, session),
        Command::Generate(arguments) => generate::run(arguments, session),
        Command::Build(arguments) => build::run(arguments, session),
        Command::Lock(arguments) => lock::run(arguments, session),
        Command::Update(arguments) => lock::update(arguments, session),
        Command::Explain(arguments) => explain::run(arguments, session),
        Command::Diff(arguments) => diff::run(arguments, session),
        Command::Inspect(arguments) => inspect::run(arguments, session),
        Command::Verify(arguments) => verify::run(arguments, session),
        Command::Report(arguments) => report::run(arguments, session),
        Command::Advise(arguments) => advise::run(arguments, session),
        Command::Affected(arguments) => affected::run(arguments, session),
        Command::Images(arguments) => images::run(arguments, session),
        Command::Mirror(arguments) => mirror::run(arguments, session),
        Command::Promote(arguments) => promote::run(arguments, session),
        Command::Release(arguments) => release::run(arguments, session),
        Command::Watch(arguments) => watch::run(arguments, session),
        Command::Cache(arguments) => cache::run(arguments, session),
        Command::Ledger(arguments) => ledger::run(arguments, session),
        Command::Migrate(arguments) => migrate::run(arguments, session),
        Command::Schema(arguments) => schema::run(arguments, session),
        Command::Man(arguments) => man::run(arguments, session),
        Command::Completions(arguments) => completions::run(arguments, session),
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the working directory")]
fn working_directory() -> Result<Utf8PathBuf, Stop> {
    let path = std::env::current_dir()
        .map_err(|error| Stop::input(anyhow::anyhow!("cannot read the working directory: {error}")))?;
    Utf8PathBuf::from_path_buf(path)
        .map_err(|path| Stop::input(anyhow::anyhow!("the path {} is not UTF-8", path.display())))
}
