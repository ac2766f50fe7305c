//! What an engine would find now: the compiler of this machine, and the images behind names without a digest.

use super::super::records::{EngineName, Known, Last, Records};
use super::super::session::{Loaded, Session};
use super::super::{daemon, native};
use crate::engine::docker::Stock;
use crate::plan::changes::Recorded;
use crate::plan::{Found, ImagePlan, Plan};
use crate::workspace::MEMORY_FOLDER;

/// As far as the last builds need it. What cannot be asked, such as a daemon that does not answer, is taken to be as it was.
#[derive(Debug, Default)]
pub(super) struct Now {
    compilers: Option<Found>,
    stock: Option<Stock>,
}

impl Now {
    /// Asks what the engines of the last builds would ask.
    pub(super) fn of(
        plan: &Plan,
        records: &Records,
        host: Option<&str>,
        session: &Session<'_>,
        loaded: &Loaded,
    ) -> Self {
        let engines = |image: &ImagePlan| {
            let platforms = records.platforms(&image.id).into_iter();
            platforms.map(|platform| records.last(&image.id, &platform)).collect::<Vec<_>>()
        };
        let all: Vec<Known> = plan.images.iter().flat_map(engines).collect();
        let is_by = |engine| all.iter().any(|known| matches!(known, Known::All(last, _) if last.engine == engine));
        let mut now = Self::default();
        if is_by(EngineName::Native) {
            let memory = loaded.workspace.root.join(MEMORY_FOLDER);
            now.compilers = native::compilers(session, loaded, plan, &memory).ok();
        }
        if is_by(EngineName::Docker) {
            let asked = daemon::wait(async {
                let docker = daemon::connect(session, host).await?;
                docker.stock().await.map_err(daemon::stop)
            });
            now.stock = asked.ok();
        }
        now
    }

    /// What would be found for an image, given what was found for its last build.
    pub(super) fn found(&self, image: &ImagePlan, last: &Last, record: &Recorded) -> Found {
        let mut found = record.found();
        match (last.engine, &self.stock, &self.compilers) {
            (EngineName::Native, _, Some(now)) => {
                found.toolchain.clone_from(&now.toolchain);
                found.go_toolchain.clone_from(&now.go_toolchain);
            }
            (EngineName::Docker, Some(stock), _) => {
                found.images.extend(stock.behind(image.open_images()));
            }
            _ => {}
        }
        found
    }

    /// Whether the daemon is known not to have an image any more.
    pub(super) fn lacks(&self, image_id: &str) -> bool {
        self.stock.as_ref().is_some_and(|stock| !stock.has(image_id))
    }
}
