//! The Docker daemon, as the command line and the environment name it.

use camino::Utf8PathBuf;

use super::session::Session;
use super::status::Stop;
use crate::engine::docker::host::{self, Host};
use crate::engine::docker::{Credentials, Docker, Environment};
use crate::engine::{EngineError, ErrorClass};
use crate::oci::Reference;
use crate::workspace::{self, Account, accounts};

/// Connects to the daemon that is meant.
pub(super) async fn connect(session: &Session<'_>, argument: Option<&str>) -> Result<Docker, Stop> {
    Docker::connect(&address(session, argument)?).await.map_err(stop)
}

/// The daemon that is meant.
pub(super) fn address(session: &Session<'_>, argument: Option<&str>) -> Result<Host, Stop> {
    let variable = |name: &str| session.environment.get(name).map(str::to_owned);
    let home = session.environment.get("HOME").map(Utf8PathBuf::from);
    let environment = Environment::from_variables(variable, home);
    host::resolve(argument, &environment, &workspace::read_file).map_err(Stop::input)
}

/// The end of a run that an engine has stopped.
pub(super) fn stop(error: EngineError) -> Stop {
    match error.class() {
        ErrorClass::Work | ErrorClass::Cancelled => Stop::refused(error),
        ErrorClass::Input => Stop::input(error),
        ErrorClass::Environment => Stop::environment(error),
    }
}

/// Runs a future to its end.
pub(super) fn wait<T>(future: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    crate::engine::block_on(future).map_err(Stop::environment)?
}

/// The accounts of the registries of some references.
pub(super) fn credentials<'a>(references: impl IntoIterator<Item = &'a Reference>) -> Credentials {
    accounts(references).into_iter().fold(Credentials::new(), |all, (registry, account)| match account {
        Account::Password { user, password } => all.password(&registry, user, password),
        Account::Token(token) => all.identity_token(&registry, token),
    })
}
