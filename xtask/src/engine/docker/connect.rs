//! A connection to a daemon, and what the daemon says about itself.

use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker as Api};

use super::errors;
use super::host::{Address, Host};
use crate::engine::EngineError;

/// How long a daemon may take to say who it is.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// How long it may take for anything else to *begin* answering: a build says nothing while a large context travels.
const ANY_ANSWER: Duration = Duration::from_secs(24 * 60 * 60);

/// What a daemon says about itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Daemon {
    /// `Docker Engine` or `Podman Engine`, as it calls itself.
    pub product: String,
    /// Its version, such as `20.10.24`.
    pub version: String,
    /// Version of the API, such as `1.41`.
    pub api_version: String,
    /// `linux`
    pub os: String,
    /// `amd64`
    pub arch: String,
    /// It has BuildKit.
    pub buildkit: bool,
}

/// Connects and asks the daemon who it is.
///
/// # Errors
/// [`EngineError::NoDaemon`], with the address that was tried and the next step.
pub(super) async fn connect(host: &Host) -> Result<(Api, Daemon), EngineError> {
    let api = open(host)?.with_timeout(FIRST_ANSWER);
    let daemon = who(&api).await.map_err(|error| errors::no_daemon(host, &error))?;
    Ok((api.with_timeout(ANY_ANSWER), daemon))
}

/// A connection for questions that may take long.
///
/// # Errors
/// As [`connect`].
pub(super) fn patient(host: &Host) -> Result<Api, EngineError> {
    Ok(open(host)?.with_timeout(ANY_ANSWER))
}

fn open(host: &Host) -> Result<Api, EngineError> {
    // bollard sends requests without a version in the path, so the daemon answers in its own; nothing is negotiated.
    let version = API_DEFAULT_VERSION;
    let seconds = FIRST_ANSWER.as_secs();
    let opened = match &host.address {
        #[cfg(unix)]
        Address::Unix(path) => Api::connect_with_unix(path.as_str(), seconds, version),
        #[cfg(windows)]
        Address::Pipe(path) => Api::connect_with_named_pipe(path, seconds, version),
        Address::Tcp(authority) => Api::connect_with_http(authority, seconds, version),
        #[cfg(feature = "tls")]
        Address::Tls(authority, files) => {
            let (key, cert, ca) = (files.key.as_std_path(), files.cert.as_std_path(), files.ca.as_std_path());
            crate::engine::crypto::install();
            Api::connect_with_ssl(authority, key, cert, ca, seconds, version)
        }
        #[cfg(not(feature = "tls"))]
        Address::Tls(..) => return Err(errors::no_tls(host)),
        #[allow(unreachable_patterns, reason = "which one is left depends on the system")]
        _ => return Err(errors::unsupported(host)),
    };
    opened.map_err(|error| errors::no_daemon(host, &error))
}

async fn who(api: &Api) -> Result<Daemon, bollard::errors::Error> {
    let answer = api.version().await?;
    let components = answer.components.unwrap_or_default();
    let product = components.first().map_or_else(|| "Engine".to_owned(), |component| component.name.clone());
    let api_version = answer.api_version.unwrap_or_default();
    let os = answer.os.unwrap_or_default();
    let buildkit = has_buildkit(&product, &api_version, &os);
    let product = if product == "Engine" { "Docker Engine".to_owned() } else { product };
    let (version, arch) = (answer.version.unwrap_or_default(), answer.arch.unwrap_or_default());
    Ok(Daemon { product, version, api_version, os, arch, buildkit })
}

/// Docker has BuildKit since API 1.39 (18.09), except for Windows containers. The `Builder-Version` header of a ping says
/// which builder the daemon *prefers*, not what it can do, so it is not asked. Podman answers with a later API version and
/// has buildah instead.
fn has_buildkit(product: &str, api_version: &str, os: &str) -> bool {
    let version =
        api_version.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let version: (u32, u32) = version.unwrap_or_default();
    product == "Engine" && os == "linux" && version >= (1, 39)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buildkit_is_told_from_the_version() {
        let check = |product: &str, version: &str, os: &str, expect| {
            assert_eq!(has_buildkit(product, version, os), expect, "{product} {version} {os}");
        };
        check("Engine", "1.41", "linux", true);
        check("Engine", "1.39", "linux", true);
        check("Engine", "1.38", "linux", false);
        check("Engine", "1.41", "windows", false);
        check("Podman Engine", "1.41", "linux", false);
        check("Engine", "", "linux", false);
    }
}
