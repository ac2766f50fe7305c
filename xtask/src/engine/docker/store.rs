//! Docker contexts: named daemons in the folder of the docker command line.
//!
//! `config.json` has `currentContext`; `contexts/meta/<sha256 of the name>/meta.json` has the endpoint;
//! `contexts/tls/<sha256 of the name>/docker/` has `ca.pem`, `cert.pem` and `key.pem` where TLS is spoken.
//! See <https://docs.docker.com/engine/manage-resources/contexts/>.

use std::fmt::Write as _;
use std::io;

use camino::Utf8Path;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::host::{Certificates, Environment, Host, HostError, ReadFile, parse_address};

/// `config.json`, as far as it matters here.
#[derive(Deserialize)]
struct Config {
    #[serde(default, rename = "currentContext")]
    current_context: String,
}

/// `meta.json`, as far as it matters here.
#[derive(Deserialize)]
struct Meta {
    #[serde(default, rename = "Endpoints")]
    endpoints: Endpoints,
}

#[derive(Default, Deserialize)]
struct Endpoints {
    docker: Option<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host")]
    host: String,
    #[serde(default, rename = "SkipTLSVerify")]
    skip_verify: bool,
}

/// The daemon of the selected context, or `None` when that is the default one.
pub(super) fn selected(
    environment: &Environment,
    variable: Option<String>,
    read: ReadFile<'_>,
) -> Result<Option<Host>, HostError> {
    let Some(folder) = environment.config_folder() else { return Ok(None) };
    let (name, origin) = match variable {
        Some(name) => (name, "DOCKER_CONTEXT".to_owned()),
        None => (current_context(&folder, read)?, folder.join("config.json").into_string()),
    };
    match name.as_str() {
        "" | "default" => Ok(None),
        _ => load(&folder, &name, &origin, read).map(Some),
    }
}

fn current_context(folder: &Utf8Path, read: ReadFile<'_>) -> Result<String, HostError> {
    let path = folder.join("config.json");
    let bytes = match read(&path) {
        Ok(bytes) => bytes,
        // Most machines have no such file; one that only somebody else may read cannot choose for us either.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
            return Ok(String::new());
        }
        Err(error) => return Err(HostError::Unreadable { path, error }),
    };
    let config: Config =
        serde_json::from_slice(&bytes).map_err(|error| HostError::Unreadable { path, error: error.into() })?;
    Ok(config.current_context)
}

fn load(folder: &Utf8Path, name: &str, origin: &str, read: ReadFile<'_>) -> Result<Host, HostError> {
    let wrong = |detail: String| HostError::DockerContext { name: name.to_owned(), origin: origin.to_owned(), detail };
    let store = folder.join("contexts");
    let bytes = read(&store.join("meta").join(folder_name(name)).join("meta.json")).map_err(|error| {
        let missing = error.kind() == io::ErrorKind::NotFound;
        wrong(if missing { "there is no such context".to_owned() } else { error.to_string() })
    })?;
    let meta: Meta = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    let endpoint = meta.endpoints.docker.ok_or_else(|| wrong("it has no docker endpoint".to_owned()))?;
    let tls_folder = store.join("tls").join(folder_name(name)).join("docker");
    let tls = read(&tls_folder.join("ca.pem")).is_ok();
    if tls && endpoint.skip_verify {
        return Err(wrong("it turns verification off, which is not supported".to_owned()));
    }
    let origin = format!("docker context {name:?}");
    let address = parse_address(&endpoint.host, &origin, tls, &|| Certificates::in_folder(&tls_folder, read))?;
    Ok(Host { address, origin })
}

/// SHA-256 of the name, in hexadecimal.
pub(super) fn folder_name(name: &str) -> String {
    Sha256::digest(name.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
