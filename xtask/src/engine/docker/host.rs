//! Which daemon is meant: a pure function of values. Order, as in the docker command line:
//!
//! 1. an address given as an argument,
//! 2. `DOCKER_HOST`,
//! 3. `DOCKER_CONTEXT`, or `currentContext` of `config.json`, looked up in the context store (see `store.rs`),
//! 4. the default socket.
//!
//! These are Docker's variables, so they keep Docker's meaning: an empty one counts as not set, and any other value of
//! `DOCKER_TLS_VERIFY`, even `0`, turns TLS on.

use std::fmt;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::store;
use crate::oci::redacted;

/// The socket of a daemon that was installed the usual way.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The values that decide; filled by `workspace` from the process environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `DOCKER_HOST`
    pub docker_host: Option<String>,
    /// `DOCKER_CONTEXT`
    pub docker_context: Option<String>,
    /// `DOCKER_TLS_VERIFY`
    pub docker_tls_verify: Option<String>,
    /// `DOCKER_CERT_PATH`
    pub docker_cert_path: Option<String>,
    /// `DOCKER_CONFIG`: the folder, `~/.docker` when absent
    pub docker_config: Option<String>,
    /// The home folder.
    pub home: Option<Utf8PathBuf>,
}

impl Environment {
    /// Names of the variables that [`Environment::from_variables`] asks for.
    pub const VARIABLES: [&str; 5] =
        ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONFIG"];

    /// From a lookup of variables and the home folder.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>, home: Option<Utf8PathBuf>) -> Self {
        let [docker_host, docker_context, docker_tls_verify, docker_cert_path, docker_config] =
            Self::VARIABLES.map(|name| variable(name).filter(|value| !value.is_empty()));
        Self { docker_host, docker_context, docker_tls_verify, docker_cert_path, docker_config, home }
    }

    /// The folder with `config.json`, the context store and the default certificates.
    pub(super) fn config_folder(&self) -> Option<Utf8PathBuf> {
        let given = self.docker_config.as_deref().filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
        given.or_else(|| self.home.as_ref().map(|home| home.join(".docker")))
    }
}

/// Reads a whole file.
pub type ReadFile<'a> = &'a dyn Fn(&Utf8Path) -> io::Result<Vec<u8>>;

/// A daemon, and what chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Where it listens.
    pub address: Address,
    /// What chose it, for messages: `DOCKER_HOST`, `docker context "x"`, …
    pub origin: String,
}

/// Where a daemon listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A unix socket.
    Unix(Utf8PathBuf),
    /// A named pipe of Windows, such as `//./pipe/docker_engine`.
    Pipe(String),
    /// `host:port`, in the clear.
    Tcp(String),
    /// `host:port`, with a client certificate.
    Tls(String, Certificates),
}

/// Files that speak TLS to a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificates {
    /// Who signs the daemon.
    pub ca: Utf8PathBuf,
    /// Who we are.
    pub cert: Utf8PathBuf,
    /// Its key.
    pub key: Utf8PathBuf,
}

impl Certificates {
    /// The three files with Docker's names in one folder, if all of them can be read.
    ///
    /// # Errors
    /// The first one that cannot.
    pub(super) fn in_folder(folder: &Utf8Path, read: ReadFile<'_>) -> Result<Self, HostError> {
        let file = |name: &str| {
            let path = folder.join(name);
            match read(&path) {
                Ok(_) => Ok(path),
                Err(error) => Err(HostError::Unreadable { path, error }),
            }
        };
        Ok(Self { ca: file("ca.pem")?, cert: file("cert.pem")?, key: file("key.pem")? })
    }
}

/// Without a password, if somebody has put one there.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{path}"),
            Self::Pipe(path) => write!(f, "npipe://{path}"),
            Self::Tcp(authority) | Self::Tls(authority, _) => f.write_str(&redacted(&format!("tcp://{authority}"))),
        }
    }
}

/// Why it cannot be told which daemon is meant.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// `ssh://…`
    #[error(
        "{origin} is {address}, and ssh is not spoken here\n\
         hint: forward the socket, `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST`, \
         and set DOCKER_HOST=unix:///tmp/docker.sock"
    )]
    Ssh {
        /// The address.
        address: String,
        /// What holds it.
        origin: String,
    },
    /// Neither unix, npipe, tcp nor http.
    #[error("{origin} is {address:?}, which is no daemon address\nhint: write unix:///PATH or tcp://HOST:PORT")]
    Malformed {
        /// The address.
        address: String,
        /// What holds it.
        origin: String,
    },
    /// A docker context that the store does not have, or has in a form we cannot use.
    #[error("docker context {name:?} (from {origin}): {detail}\nhint: see `docker context ls`, or set DOCKER_HOST")]
    DockerContext {
        /// Its name.
        name: String,
        /// What holds the name.
        origin: String,
        /// What is wrong.
        detail: String,
    },
    /// A file that TLS needs, or a configuration that is there and cannot be used.
    #[error("failed to read {path}: {error}")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Works out which daemon is meant. Reads files only through `read`.
///
/// # Errors
/// [`HostError`] when the choice points at something that cannot be used; nothing is skipped silently.
pub fn resolve(argument: Option<&str>, environment: &Environment, read: ReadFile<'_>) -> Result<Host, HostError> {
    let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    if let Some(address) = argument {
        return from_address(address, "the command line", environment, read);
    }
    if let Some(address) = given(&environment.docker_host) {
        return from_address(&address, "DOCKER_HOST", environment, read);
    }
    if let Some(host) = store::selected(environment, given(&environment.docker_context), read)? {
        return Ok(host);
    }
    Ok(Host { address: default_address(), origin: "the default".to_owned() })
}

fn default_address() -> Address {
    if cfg!(windows) {
        Address::Pipe("//./pipe/docker_engine".to_owned())
    } else {
        Address::Unix(DEFAULT_SOCKET.into())
    }
}

fn from_address(address: &str, origin: &str, environment: &Environment, read: ReadFile<'_>) -> Result<Host, HostError> {
    let certificates = || {
        let given = environment.docker_cert_path.clone().filter(|path| !path.is_empty()).map(Utf8PathBuf::from);
        let folder = given.or_else(|| environment.config_folder()).unwrap_or_default();
        Certificates::in_folder(&folder, read)
    };
    let tls = environment.docker_tls_verify.as_deref().is_some_and(|value| !value.is_empty());
    let address = parse_address(address, origin, tls, &certificates)?;
    Ok(Host { address, origin: origin.to_owned() })
}

/// Parses an address; `tls` and `certificates` matter for TCP only.
pub(super) fn parse_address(
    address: &str,
    origin: &str,
    tls: bool,
    certificates: &dyn Fn() -> Result<Certificates, HostError>,
) -> Result<Address, HostError> {
    let malformed = || HostError::Malformed { address: redacted(address), origin: origin.to_owned() };
    let (scheme, rest) = address.split_once("://").ok_or_else(malformed)?;
    let authority = || {
        let authority = rest.trim_end_matches('/');
        let port = authority.rsplit_once(':').filter(|(name, port)| !name.is_empty() && port.parse::<u16>().is_ok());
        port.map(|_| authority.to_owned()).ok_or_else(malformed)
    };
    match scheme {
        "unix" if rest.starts_with('/') => Ok(Address::Unix(rest.into())),
        "npipe" if !rest.is_empty() => Ok(Address::Pipe(rest.to_owned())),
        "https" => Ok(Address::Tls(authority()?, certificates()?)),
        "tcp" | "http" if tls => Ok(Address::Tls(authority()?, certificates()?)),
        "tcp" | "http" => Ok(Address::Tcp(authority()?)),
        "ssh" => Err(HostError::Ssh { address: redacted(address), origin: origin.to_owned() }),
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests;
