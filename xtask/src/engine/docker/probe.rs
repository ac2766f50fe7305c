//! A command in a container that has nothing: no network, no capability, a file system that cannot be written, and an end that
//! is known beforehand. The container is removed, however the command ends.

use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig};
use bollard::query_parameters::{
    CreateContainerOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
    WaitContainerOptions,
};
use futures_util::StreamExt as _;

use super::{Docker, errors, images};
use crate::engine::{Cancel, EngineError, LOG_TAIL};

/// Label of the containers, by which people find what a killed run has left.
const LABEL: &str = "dev.groupage.probe";
/// Most processes.
const MAX_PROCESSES: i64 = 256;

/// A command, and how it is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Name or ID of the image.
    pub image: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// User and group.
    pub user: String,
    /// Working folder.
    pub workdir: String,
    /// Environment besides that of the image, as `NAME=value`.
    pub env: Vec<String>,
    /// How long it may take.
    pub limit: Duration,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probed {
    /// By itself.
    Ended {
        /// Its exit code.
        code: i64,
        /// The last [`LOG_TAIL`] lines that it wrote.
        log: Vec<String>,
    },
    /// It did not, in its time.
    TooLong,
    /// It did not start, and why.
    NotStarted(String),
}

impl Docker {
    /// Runs a command to its end, or until Ctrl-C.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`]; the daemon has no such image, or refuses the container.
    pub async fn probe(&self, probe: &Probe, cancel: &Cancel) -> Result<Probed, EngineError> {
        let failed = |error: Error| errors::other(format!("run a probe in {}", probe.image), &error);
        images::checked(&probe.image)?;
        let created = self.api.create_container(None::<CreateContainerOptions>, body(probe)).await;
        let container = created.map_err(failed)?.id;
        let end = tokio::select! {
            end = tokio::time::timeout(probe.limit, self.run_probe(&container)) => end.unwrap_or(Ok(Probed::TooLong)).map_err(failed),
            () = cancel.cancelled() => Err(EngineError::Cancelled),
            _ = cancel.on_interrupt() => Err(EngineError::Cancelled),
        };
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let removed = self.api.remove_container(&container, Some(options)).await;
        let end = end?;
        removed.map_err(failed)?;
        Ok(end)
    }

    async fn run_probe(&self, container: &str) -> Result<Probed, Error> {
        // a daemon says so when the kernel refuses the program
        if let Err(error) = self.api.start_container(container, None::<StartContainerOptions>).await {
            return match error {
                Error::DockerResponseServerError { message, .. } => Ok(Probed::NotStarted(message)),
                error => Err(error),
            };
        }
        let mut ends = Box::pin(self.api.wait_container(container, None::<WaitContainerOptions>));
        let code = match ends.next().await {
            Some(Ok(end)) => end.status_code,
            Some(Err(Error::DockerContainerWaitError { code, .. })) => code,
            Some(Err(error)) => return Err(error),
            None => return Ok(Probed::NotStarted("the daemon does not say how it ended".to_owned())),
        };
        Ok(Probed::Ended { code, log: self.last_lines(container).await? })
    }

    async fn last_lines(&self, container: &str) -> Result<Vec<String>, Error> {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&LOG_TAIL.to_string()).build();
        let mut pieces = Box::pin(self.api.logs(container, Some(options)));
        let mut text = String::new();
        while let Some(piece) = pieces.next().await {
            text.push_str(&piece?.to_string());
        }
        let plain = |c: char| if c.is_control() && c != '\t' { '?' } else { c };
        let lines: Vec<String> =
            text.lines().map(|line| line.chars().take(500).map(plain).collect::<String>()).collect();
        Ok(lines.into_iter().rev().take(LOG_TAIL).rev().collect())
    }
}

fn body(probe: &Probe) -> ContainerCreateBody {
    let (program, arguments) = probe.command.split_at(probe.command.len().min(1));
    let host = HostConfig {
        network_mode: Some("none".to_owned()),
        readonly_rootfs: Some(true),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        pids_limit: Some(MAX_PROCESSES),
        log_config: Some(HostConfigLogConfig { typ: Some("json-file".to_owned()), config: None }),
        ..HostConfig::default()
    };
    ContainerCreateBody {
        image: Some(probe.image.clone()),
        entrypoint: Some(program.to_vec()),
        cmd: Some(arguments.to_vec()),
        user: Some(probe.user.clone()),
        working_dir: Some(probe.workdir.clone()).filter(|folder| !folder.is_empty()),
        env: Some(probe.env.clone()),
        labels: Some(std::iter::once((LABEL.to_owned(), String::new())).collect()),
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    }
}
