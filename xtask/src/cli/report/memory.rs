//! `--measure-memory`: every set of images runs, one after the other, and is read.

use camino::{Utf8Path, Utf8PathBuf};

use super::sets::{self, Set};
use super::workload::Workload;
use crate::cli::args::ReportArguments;
use crate::cli::daemon;
use crate::cli::look::LAYOUTS;
use crate::cli::session::Session;
use crate::cli::status::{ExitStatus, Stop};
use crate::engine::Events;
use crate::engine::docker::{Docker, Start};
use crate::engine::measure::{self, Resident, Subject};
use crate::engine::native::base::Base;
use crate::engine::native::layout_folder;
use crate::engine::store::Store;
use crate::oci::{Image, ImageFile, ImageFileKind, Platform};
use crate::plan::ImagePlan;
use crate::report::consolidation::Figure;
use crate::report::consolidation::memory::{Memory, MemorySet, RoleMemory};

/// The workload of a workspace, unless another one is named.
const WORKLOAD: &str = "images/workload.toml";
/// Storage drivers whose containers do not share pages of the files of one layer.
/// <https://docs.docker.com/engine/storage/drivers/select-storage-driver/>
const APART: [&str; 5] = ["btrfs", "devicemapper", "fuse-overlayfs", "vfs", "zfs"];

/// Runs all sets. Without a daemon nothing is measured, and the reason said.
pub(super) fn measured(
    arguments: &ReportArguments,
    session: &Session<'_>,
    sets: &[Set],
    root: &Utf8Path,
    store: &Store,
) -> Result<Figure<Memory>, Stop> {
    if !arguments.measure_memory {
        return Ok(Figure::NotMeasured("it was not asked for, with --measure-memory".to_owned()));
    }
    let platform = Platform::of_this_machine();
    if !super::platforms(arguments).contains(&platform) {
        return Ok(Figure::NotMeasured(format!("this machine is {platform}, which was not asked for")));
    }
    let path = workload_path(arguments, session, root);
    let workload = path.as_deref().map(Workload::read).transpose()?.unwrap_or_default();
    let folder = path.as_deref().and_then(Utf8Path::parent).unwrap_or(root).to_owned();
    daemon::wait(async {
        let docker = match daemon::connect(session, arguments.host.as_deref()).await {
            Ok(docker) => docker,
            Err(stop) if stop.status == ExitStatus::Environment && arguments.host.is_none() => {
                let why = stop.error.map(|error| error.to_string()).unwrap_or_default();
                return Ok(Figure::NotMeasured(why.lines().next().unwrap_or_default().to_owned()));
            }
            Err(stop) => return Err(stop),
        };
        let driver = docker.storage_driver().await.map_err(daemon::stop)?;
        let runner = Runner {
            docker,
            driver,
            session,
            platform,
            workload,
            folder,
            root,
            store,
            rounds: arguments.rounds.into(),
        };
        let mut measured = Vec::new();
        for set in sets {
            measured.push(runner.set(set).await?);
        }
        Ok(Figure::Is(Memory { method: runner.method(), rounds: runner.rounds, sets: measured }))
    })
}

fn workload_path(arguments: &ReportArguments, session: &Session<'_>, root: &Utf8Path) -> Option<Utf8PathBuf> {
    let named = arguments.workload.as_ref().map(|path| session.path(path));
    named.or_else(|| Some(root.join(WORKLOAD)).filter(|path| path.exists()))
}

struct Runner<'r> {
    docker: Docker,
    /// How the daemon keeps files.
    driver: String,
    session: &'r Session<'r>,
    platform: Platform,
    workload: Workload,
    /// What mounts begin at.
    folder: Utf8PathBuf,
    root: &'r Utf8Path,
    store: &'r Store,
    rounds: u32,
}

impl Runner<'_> {
    fn method(&self) -> Vec<String> {
        let version = &self.docker.daemon().version;
        let mut method = vec![
            format!(
                "all roles of a set run at the same time, one set after the other, each role in a read-only container without \
                 capabilities, through Docker {version} with storage driver {}",
                self.driver
            ),
            format!(
                "when every role is ready they are read in {} rounds; each figure is the median of its rounds by itself",
                self.rounds
            ),
            "RSS, PSS, private (Private_Clean and Private_Dirty) and shared text (Shared_Clean) are sums of \
             /proc/PID/smaps_rollup; cgroup is what the kernel charges, the working set that less inactive_file"
                .to_owned(),
        ];
        if APART.contains(&self.driver.as_str()) {
            method.push(format!(
                "with {} each container has pages of its own even of the same file, so that no text is shared; with overlay2 it is",
                self.driver
            ));
        }
        method
    }

    /// Loads the images of a set, measures them, and takes away those that were not there before.
    async fn set(&self, set: &Set) -> Result<MemorySet, Stop> {
        let mut subjects = Vec::new();
        let mut roles = Vec::new();
        let mut loaded = Vec::new();
        for image in set.images.iter().filter(|image| image.platforms.contains(&self.platform)) {
            let (id, is_new) = self.load(image).await?;
            if is_new {
                loaded.push(id.clone());
            }
            self.subjects(&image.for_platform(&self.platform), &id, &mut subjects, &mut roles);
        }
        let rounds = measure::measure(&self.docker, &subjects, self.rounds, &self.session.cancel).await;
        for id in &loaded {
            self.docker.forget(id).await;
        }
        Ok(told(set, roles, rounds.map_err(daemon::stop)?))
    }

    /// The image ID in the daemon, and whether it was not there before.
    async fn load(&self, plan: &ImagePlan) -> Result<(String, bool), Stop> {
        let path = Utf8PathBuf::from(format!("{LAYOUTS}/{}", layout_folder(&plan.id)));
        let file = ImageFile { kind: ImageFileKind::Layout, path, digest: None };
        let base = Base::from_file(&file, &self.platform, self.root, self.store).map_err(daemon::stop)?;
        let config = base.document.value().map_err(Stop::refused)?;
        let image = Image::new(self.platform.clone(), config, base.layers);
        let id = image.config.digest.to_string();
        let is_new = self.docker.inspect(&id).await.map_err(daemon::stop)?.is_none();
        self.docker.load(&plan.id, &image, &[], self.store, &Events::nowhere()).await.map_err(daemon::stop)?;
        Ok((id, is_new))
    }

    fn subjects(&self, plan: &ImagePlan, id: &str, subjects: &mut Vec<Subject>, roles: &mut Vec<RoleMemory>) {
        for (name, role) in plan.components.iter().flat_map(|part| &part.roles) {
            let work = self.workload.of(name.as_str());
            let (ready, words) = work.ready(role);
            let env = role.env.iter().chain(&work.env).map(|(name, value)| format!("{name}={value}"));
            let start = Start {
                name: format!("groupage-measure-{}-{}", std::process::id(), subjects.len()),
                role: name.to_string(),
                shown: plan.id.clone(),
                image: id.to_owned(),
                command: role.command.iter().chain(&work.args).cloned().collect(),
                user: role.user.clone(),
                workdir: Some(role.workdir.clone()).filter(|workdir| !workdir.is_empty()),
                env: env.collect(),
                tmpfs: work.tmpfs.clone(),
                binds: work.mounts.iter().map(|mount| self.absolute(mount)).collect(),
            };
            subjects.push(Subject { start, ready });
            roles.push(RoleMemory {
                definition: sets::definition(plan.name.as_str(), plan.variant.as_ref()),
                role: name.to_string(),
                image: plan.id.clone(),
                ready: words,
                resident: Figure::NotMeasured(String::new()),
            });
        }
    }

    /// A mount whose source begins at the folder of the workload.
    fn absolute(&self, mount: &str) -> String {
        match mount.split_once(':') {
            Some((source, rest)) => format!("{}:{rest}", self.folder.join(source)),
            None => mount.to_owned(),
        }
    }
}

/// The medians of a set and its roles.
fn told(set: &Set, roles: Vec<RoleMemory>, rounds: measure::Rounds) -> MemorySet {
    let nothing = || "nothing in it is started".to_owned();
    let figure = |median: Option<Resident>| median.map_or_else(|| Figure::NotMeasured(nothing()), Figure::Is);
    let (all_roles, of_roles) = match rounds {
        Err(reason) => {
            let of_role = |role| RoleMemory { resident: Figure::NotMeasured(reason.clone()), ..role };
            (Figure::NotMeasured(reason.clone()), roles.into_iter().map(of_role).collect())
        }
        Ok(rounds) => {
            let count = rounds.first().map_or(0, Vec::len);
            let sum = |round: usize| {
                rounds.iter().filter_map(|own| own.get(round)).fold(Resident::default(), |sum, own| sum.and(*own))
            };
            let sums: Vec<Resident> = (0..count).map(sum).collect();
            let of_role = |(role, own): (RoleMemory, &Vec<Resident>)| RoleMemory {
                resident: figure(Resident::median(own)),
                ..role
            };
            (figure(Resident::median(&sums)), roles.into_iter().zip(&rounds).map(of_role).collect())
        }
    };
    MemorySet { column: set.name.clone(), all_roles, roles: of_roles }
}
