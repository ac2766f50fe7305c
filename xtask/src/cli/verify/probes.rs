//! `verify --run`: the probe of every role, in a container of the Docker daemon. An image that the daemon does not have is loaded
//! under a name of its own, which goes away afterwards.

use std::time::Duration;

use super::Read;
use crate::cli::args::VerifyArguments;
use crate::cli::daemon;
use crate::cli::session::Session;
use crate::cli::status::Stop;
use crate::engine::Events;
use crate::engine::docker::{Docker, Probe, Probed};
use crate::engine::store::Store;
use crate::oci;
use crate::verify::{Check, Component, Contract, Finding, Level, Role};

/// How long a probe may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Names of images that are there for their probes only. The host cannot exist (RFC 6761, section 6.4).
const REPOSITORY: &str = "groupage.invalid/verify";

/// What is found by starting something.
pub(super) const CHECK: Check = Check::without_bytes(
    &[
        ("probe-failed", "the probe of a role does not end with 0"),
        ("no-probe", "a role declares no probe"),
        ("not-run", "the probes of a platform were not run"),
    ],
    "what cannot say its version will not do its work",
);

/// Starts all probes.
pub(super) fn run(
    read: &Read,
    contract: &Contract,
    store: &Store,
    arguments: &VerifyArguments,
    session: &Session<'_>,
) -> Result<Vec<Finding>, Stop> {
    let platform = &read.image.platform;
    let (with, without): (Vec<_>, Vec<_>) = contract.roles().partition(|(_, _, role)| role.probe.is_some());
    let mut findings: Vec<Finding> = without
        .iter()
        .map(|(component, name, _)| {
            let message = format!("role `{name}` declares no probe");
            let mut finding = Finding::new(platform, "no-probe", Level::Note, message);
            finding.of_role(&component.name, name);
            finding
        })
        .collect();
    if with.is_empty() {
        return Ok(findings);
    }
    let ran = daemon::wait(async {
        let docker = daemon::connect(session, arguments.host.as_deref()).await?;
        let own = docker.daemon();
        if (own.os.as_str(), own.arch.as_str()) != (platform.os(), platform.architecture()) {
            let message = format!("not run: the platform is {platform}, and the daemon's {}/{}", own.os, own.arch);
            return Ok(vec![Finding::new(platform, "not-run", Level::Note, message)]);
        }
        let here = Here::of(read, &docker, store).await?;
        let ended = all(&with, &here.name, read, &docker, session).await;
        // also when it was cancelled
        here.remove(&docker).await?;
        ended
    });
    findings.extend(ran?);
    Ok(findings)
}

async fn all(
    roles: &[(&Component, &str, &Role)],
    image: &str,
    read: &Read,
    docker: &Docker,
    session: &Session<'_>,
) -> Result<Vec<Finding>, Stop> {
    let mut findings = Vec::new();
    for (component, name, role) in roles {
        let probe = Probe {
            image: image.to_owned(),
            command: role.probe.clone().unwrap_or_default(),
            user: role.user.clone(),
            workdir: role.workdir.clone(),
            env: role.env.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            limit: LIMIT,
        };
        let why = match docker.probe(&probe, &session.cancel).await.map_err(daemon::stop)? {
            Probed::Ended { code: 0, .. } => continue,
            Probed::Ended { code, log } if log.is_empty() => format!("ends with {code} and says nothing"),
            Probed::Ended { code, log } => format!("ends with {code}: {}", log.join(" | ")),
            Probed::TooLong => format!("did not end within {} seconds", LIMIT.as_secs()),
            Probed::NotStarted(why) => format!("does not start: {why}"),
        };
        let message = format!("the probe {:?} of role `{name}` {why}", probe.command);
        let mut finding = Finding::new(&read.image.platform, "probe-failed", Level::Error, message);
        finding.of_role(&component.name, name);
        findings.push(finding);
    }
    Ok(findings)
}

/// The image in the daemon.
struct Here {
    name: String,
    /// Whether it is there only for us.
    is_loaded: bool,
}

impl Here {
    async fn of(read: &Read, docker: &Docker, store: &Store) -> Result<Self, Stop> {
        let document = &read.base.document;
        let has =
            |id: String| async move { docker.inspect(&id).await.map_err(daemon::stop).map(|found| found.map(|_| id)) };
        if let Some(name) = has(document.digest.to_string()).await? {
            return Ok(Self { name, is_loaded: false });
        }
        if let oci::ImageSource::Daemon(reference) = &read.source {
            return Ok(Self { name: reference.to_string(), is_loaded: false });
        }
        let config = document.value().map_err(Stop::refused)?;
        let image = oci::Image::new(read.image.platform.clone(), config, read.base.layers.clone());
        let short = image.config.digest.hex().get(..32).unwrap_or_default().to_owned();
        // of two runs at once each has a name of its own
        let name = format!("{REPOSITORY}/{short}:{}", std::process::id());
        let tags = [name.clone()];
        docker.load("verify", &image, &tags, store, &Events::nowhere()).await.map_err(daemon::stop)?;
        Ok(Self { name, is_loaded: true })
    }

    async fn remove(&self, docker: &Docker) -> Result<(), Stop> {
        if self.is_loaded {
            docker.remove_name(&self.name).await.map_err(daemon::stop)?;
        }
        Ok(())
    }
}
