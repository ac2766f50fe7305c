//! The Docker daemon, as the command line and the environment name it.

use std::thread::JoinHandle;

use camino::Utf8PathBuf;

use super::session::Session;
use super::status::Stop;
use crate::engine::docker::host::{self, Host};
use crate::engine::docker::{Credentials, Docker, Environment, Stock};
use crate::engine::{EngineError, ErrorClass};
use crate::oci::Reference;
use crate::workspace::{self, Account, accounts};

/// Connects to the daemon that is meant.
pub(super) async fn connect(session: &Session<'_>, argument: Option<&str>) -> Result<Docker, Stop> {
    Docker::connect(&address(session, argument)?).await.map_err(stop)
}

/// A daemon that is asked what it is and what it has while somebody else works.
pub(super) struct Ahead {
    answer: JoinHandle<Result<(Docker, Stock), EngineError>>,
}

impl Ahead {
    /// Begins to ask; nothing when it is not known whom, which whoever needs the answer will say.
    pub(super) fn ask(session: &Session<'_>, argument: Option<&str>) -> Option<Self> {
        let host = address(session, argument).ok()?;
        let ask = async move { Docker::connect_and_look(&host).await };
        let lost = |error: std::io::Error| EngineError::Local {
            action: "ask the Docker daemon".to_owned(),
            detail: error.to_string(),
        };
        let answer = std::thread::spawn(move || crate::engine::block_on(ask).map_err(lost)?);
        Some(Self { answer })
    }

    /// Waits for the answer.
    pub(super) fn end(self) -> Result<(Docker, Stock), Stop> {
        self.answer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).map_err(stop)
    }
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
