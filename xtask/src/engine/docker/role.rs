//! A role as a container that runs for a while, as restricted as a pod would have it.

use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptions, StartContainerOptions,
};
use futures_util::StreamExt as _;

use super::{Docker, errors, images};
use crate::engine::EngineError;

/// Most bytes of a log that are kept.
const LOG_LIMIT: usize = 1 << 20;

/// How a container is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// Its own name.
    pub name: String,
    /// The role, for people.
    pub role: String,
    /// The image, for people.
    pub shown: String,
    /// The image, by its ID.
    pub image: String,
    /// The program, and what follows it.
    pub command: Vec<String>,
    /// User and group.
    pub user: String,
    /// Working directory, if it is not that of the image.
    pub workdir: Option<String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    /// Folders in memory.
    pub tmpfs: Vec<String>,
    /// `SOURCE:TARGET[:ro]`.
    pub binds: Vec<String>,
}

/// What a container does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Its ID.
    pub id: String,
    /// Its first process, while it runs.
    pub pid: Option<u32>,
    /// Its address.
    pub address: Option<String>,
}

impl Docker {
    /// Starts a container: read-only, without capabilities.
    ///
    /// # Errors
    /// The daemon's refusal.
    pub async fn start_role(&self, start: &Start) -> Result<(), EngineError> {
        let failed = |error| errors::other(format!("start role {} of {}", start.role, start.shown), &error);
        let host = HostConfig {
            readonly_rootfs: Some(true),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            binds: Some(start.binds.clone()),
            tmpfs: Some(start.tmpfs.iter().map(|path| (path.clone(), String::new())).collect()),
            ..HostConfig::default()
        };
        let body = ContainerCreateBody {
            image: Some(images::checked(&start.image)?.to_owned()),
            entrypoint: Some(start.command.iter().take(1).cloned().collect()),
            cmd: Some(start.command.iter().skip(1).cloned().collect()),
            user: Some(start.user.clone()),
            working_dir: start.workdir.clone(),
            env: Some(start.env.clone()),
            host_config: Some(host),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(&start.name).build();
        self.api.create_container(Some(options), body).await.map_err(failed)?;
        self.api.start_container(&start.name, None::<StartContainerOptions>).await.map_err(failed)
    }

    /// What a container does now.
    ///
    /// # Errors
    /// The daemon's refusal.
    pub async fn role_state(&self, name: &str) -> Result<State, EngineError> {
        let seen = self.api.inspect_container(name, None::<InspectContainerOptions>).await;
        let seen = seen.map_err(|error| errors::other(format!("look at container {name}"), &error))?;
        let state = seen.state.unwrap_or_default();
        let pid = state.pid.filter(|_| state.running == Some(true)).and_then(|pid| u32::try_from(pid).ok());
        let networks = seen.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        let address = networks.into_values().filter_map(|own| own.ip_address).find(|address| !address.is_empty());
        Ok(State { id: seen.id.unwrap_or_default(), pid: pid.filter(|pid| *pid > 0), address })
    }

    /// What a container has written so far.
    ///
    /// # Errors
    /// The daemon's refusal.
    pub async fn role_log(&self, name: &str) -> Result<String, EngineError> {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).build();
        let mut stream = Box::pin(self.api.logs(name, Some(options)));
        let mut log = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| errors::other(format!("read the log of {name}"), &error))?;
            log.extend_from_slice(&chunk.into_bytes());
            if log.len() > LOG_LIMIT {
                break;
            }
        }
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// How the daemon keeps the files of images, such as `overlay2`.
    ///
    /// # Errors
    /// The daemon's refusal.
    pub async fn storage_driver(&self) -> Result<String, EngineError> {
        let info =
            self.api.info().await.map_err(|error| errors::other("ask the daemon how it stores images", &error))?;
        Ok(info.driver.unwrap_or_default())
    }

    /// Removes a container and what it has written; one that is not there is no trouble.
    pub async fn remove_role(&self, name: &str) {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        _ = self.api.remove_container(name, Some(options)).await;
    }

    /// Removes an image that has no other name; one that somebody uses stays.
    pub async fn forget(&self, image: &str) {
        _ = self.api.remove_image(image, None::<RemoveImageOptions>, None).await;
    }
}
