//! `build` through a daemon: what it has already, and jobs for what it has not.
//!
//! The daemon is asked once for all its images. Those behind names without a digest become inputs of the plan; whatever has the
//! labels of the plan then is up to date, once it was looked at. An image that is not is assembled here when it needs no container (`assembled.rs`), else
//! put together from images of its components ([`crate::render::parts`]), and those are built that are not there. When an image that the plan names is not in the
//! daemon, nobody knows here what is behind its name: the builder is asked, and has its own cache.

mod assembled;
mod registered;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::args::BuildArguments;
use super::build::{self, Ended, run_jobs};
use super::session::{Dockerfiles, Loaded, Session};
use super::status::Stop;
use super::{bootstrap, daemon, stamp};
use crate::engine::docker::{Assembled, Docker, Stock};
use crate::engine::store::Store;
use crate::engine::{Job, Network, Present, Proofs, Verify};
use crate::lock::Pins;
use crate::manifest::BuildNetwork;
use crate::oci::Platform;
use crate::plan::{ComponentPlan, Found, ImagePlan, Plan, fingerprint};
use crate::render::parts::{self, COMPONENT_LABEL, Part};
use crate::render::{self, Templates};
use crate::workspace::MEMORY_FOLDER;

pub(super) fn run(
    arguments: &BuildArguments,
    session: &Session<'_>,
    mut loaded: Loaded,
    mut plan: Plan,
    pins: &Pins,
    docker: Docker,
    stock: Option<Stock>,
) -> Result<Ended, Stop> {
    // BuildKit of Docker 20.10 crashes its daemon when builds at once share steps and one ignores the cache
    // (https://github.com/moby/buildkit/issues/2303)
    let anew = arguments.no_cache || !arguments.no_cache_filter.is_empty();
    let at_once = if anew { 1 } else { usize::from(arguments.jobs) };
    let docker = docker.with_credentials(daemon::credentials(build::references(&plan)));
    let docker = docker.with_run(at_once, arguments.keep_going);
    let platform = platform(one_platform(&arguments.platforms)?, &docker, &plan)?;
    let has_stand_ins = bootstrap::stand_ins(arguments, session, &mut loaded, pins, &docker, &platform)?;
    if has_stand_ins {
        // the rules said what they have to say; only the builder is another one now
        plan = session.plan(&loaded, &session.resolve(&loaded, &build::selection(arguments))?, pins)?;
        stamp::add(&mut plan, session, &loaded)?;
    }
    let stock = match stock.filter(|_| !has_stand_ins) {
        Some(stock) => stock,
        None => daemon::wait(async { docker.stock().await.map_err(daemon::stop) })?,
    };
    let plan = settled(plan.for_platform(&platform), &stock);
    let store = Store::of(&loaded.workspace.root.join(MEMORY_FOLDER));
    // a place that cannot be used knows of nothing that was looked at
    let proofs = Proofs::of(store.as_ref().ok().cloned());
    let known = Known { arguments, session, loaded: &loaded, platform: &platform, stock: &stock, proofs: &proofs };
    let pushed = registered::pushed_before(&known, &plan)?;
    let fetched;
    let known = if registered::pull(&known, &plan, &docker)? {
        fetched = daemon::wait(async { docker.stock().await.map_err(daemon::stop) })?;
        Known { stock: &fetched, ..known }
    } else {
        known
    };
    let missing = plan.images.iter().filter(|image| known.present(image).is_none() && !pushed.contains_key(&image.id));
    let missing = Plan { schema: plan.schema, images: missing.cloned().collect() };
    let bench = Bench::new(known, &missing, &docker)?;
    let mut jobs = bench.jobs(&plan)?;
    for job in &mut jobs {
        job.pushed = pushed.get(&job.image).cloned();
    }
    let docker = assembled::with_workshop(docker, &loaded, &jobs, store)?.with_proofs(proofs.clone());
    let outcome = run_jobs(arguments, session, &docker, jobs, at_once)?;
    let dockerfiles = bench.dockerfiles;
    Ok(Ended { loaded, plan, dockerfiles, is_native: false, outcome })
}

/// The references of all images of components that the images of a plan are made of, on every platform.
///
/// # Errors
/// The daemon does not answer, or a template is wrong.
pub(super) fn component_references(
    plan: &Plan,
    session: &Session<'_>,
    loaded: &Loaded,
    docker: &Docker,
) -> Result<BTreeSet<String>, Stop> {
    let stock = daemon::wait(async { docker.stock().await.map_err(daemon::stop) })?;
    let templates = session.templates(loaded)?;
    let mut all = BTreeSet::new();
    for image in &settled(plan.clone(), &stock).images {
        for platform in &image.platforms {
            let own = image.for_platform(platform);
            // what has no Dockerfile has no such images either
            if render::native_only(&own).next().is_some() {
                continue;
            }
            let dockerfile = render::dockerfile(&own, &templates)
                .map_err(|problem| session.bad_input(&[problem], &loaded.sources.map))?;
            let parts = parts::parts(&own, &dockerfile, &templates, platform).unwrap_or_default();
            all.extend(parts.iter().map(Part::reference));
        }
    }
    Ok(all)
}

/// The plan with the images that the daemon has behind the names in it.
fn settled(plan: Plan, stock: &Stock) -> Plan {
    let names: BTreeSet<String> = plan.images.iter().flat_map(ImagePlan::open_images).collect();
    if names.is_empty() {
        return plan;
    }
    let found = Found { images: stock.behind(names), ..Found::default() };
    Plan { schema: plan.schema, images: plan.images.iter().map(|image| image.with_found(&found)).collect() }
}

/// The platform that is asked for, if one is: a daemon without the containerd image store cannot hold more of an image.
fn one_platform(platforms: &[Platform]) -> Result<Option<&Platform>, Stop> {
    if platforms.iter().all(|platform| Some(platform) == platforms.first()) {
        return Ok(platforms.first());
    }
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    Err(Stop::input(anyhow::anyhow!(
        "the Docker engine builds one platform at a time, and several are asked for: {}\nhint: name one of them, or build all with `--engine native`",
        names.join(", ")
    )))
}

/// The platform to build for: the one that is asked for, else that of the daemon.
fn platform(wanted: Option<&Platform>, docker: &Docker, plan: &Plan) -> Result<Platform, Stop> {
    let daemon = docker.daemon();
    let own = format!("{}/{}", daemon.os, daemon.arch);
    let platform = match wanted {
        Some(platform) => platform.clone(),
        None => own.parse().map_err(Stop::environment)?,
    };
    build::fits(&platform, plan).map(|()| platform)
}

/// What jobs are made from.
#[derive(Clone, Copy)]
struct Known<'a> {
    arguments: &'a BuildArguments,
    session: &'a Session<'a>,
    loaded: &'a Loaded,
    platform: &'a Platform,
    stock: &'a Stock,
    proofs: &'a Proofs,
}

/// What is needed besides for images that the daemon does not have: nothing of it is made when it has all.
struct Bench<'a> {
    known: Known<'a>,
    templates: Option<Templates>,
    dockerfiles: Dockerfiles,
    /// What the images are assembled from that need no container, by ID.
    assembled: BTreeMap<String, Assembled>,
}

/// Images of components by their reference, so that images share them.
type Shared = BTreeMap<String, Arc<Job>>;

impl<'a> Bench<'a> {
    fn new(known: Known<'a>, missing: &Plan, docker: &Docker) -> Result<Self, Stop> {
        let mut bench = Self { known, templates: None, dockerfiles: Dockerfiles::new(), assembled: BTreeMap::new() };
        if !missing.images.is_empty() {
            bench.templates = Some(known.session.templates(known.loaded)?);
            bench.dockerfiles = known.session.dockerfiles(known.loaded, missing)?;
            bench.assembled = assembled::choose(&known, missing, docker)?;
        }
        Ok(bench)
    }

    fn jobs(&self, plan: &Plan) -> Result<Vec<Job>, Stop> {
        let mut shared = Shared::new();
        plan.images.iter().map(|image| self.job(image, &mut shared)).collect()
    }

    fn job(&self, image: &ImagePlan, shared: &mut Shared) -> Result<Job, Stop> {
        let known = self.known;
        let dockerfile = self.dockerfiles.get(&image.id).map(String::as_str).unwrap_or_default();
        let job = Job {
            tags: build::tags(known.arguments, image),
            labels: fingerprint::labels(image, known.platform),
            archives: known.arguments.outputs.iter().map(|output| known.session.path(&output.path)).collect(),
            push: known.arguments.push,
            verify: known.verify(image),
            present: known.present(image).cloned(),
            assembled: self.assembled.get(&image.id).cloned().map(Box::new),
            ..known.begin(image, image.id.clone(), dockerfile.to_owned())
        };
        let is_there = job.present.is_some() || job.assembled.is_some() || !self.dockerfiles.contains_key(&image.id);
        let Some(templates) = self.templates.as_ref().filter(|_| !is_there) else { return Ok(job) };
        match parts::parts(image, dockerfile, templates, known.platform) {
            Some(parts) => known.assembly(image, job, &parts, templates, shared),
            None => {
                let no_cache = known.is_anew(image.components.iter());
                Ok(Job { context: known.session.whole_context(known.loaded, image)?, no_cache, ..job })
            }
        }
    }
}

impl Known<'_> {
    /// How an image that is built is looked at.
    fn verify(&self, image: &ImagePlan) -> Option<Verify> {
        let base = image.base.image.as_ref().map(ToString::to_string);
        (!self.arguments.no_verify).then_some(Verify { base })
    }

    /// Whether an image may be taken as it is, wherever it is.
    fn may_be_there(&self, image: &ImagePlan) -> bool {
        !self.is_anew(image.components.iter()) && is_known(image, image.open_images())
    }

    /// The image as the daemon has it.
    fn present(&self, image: &ImagePlan) -> Option<&Present> {
        let (labels, tags) = (fingerprint::labels(image, self.platform), build::tags(self.arguments, image));
        let none = Proofs::default();
        // without a look at them all are alike
        let proofs = if self.arguments.no_verify { &none } else { self.proofs };
        self.stock.labelled(&labels, &tags, proofs).filter(|_| self.may_be_there(image))
    }

    /// An image that is put together from images of its components.
    fn assembly(
        &self,
        image: &ImagePlan,
        job: Job,
        parts: &[Part],
        templates: &Templates,
        shared: &mut Shared,
    ) -> Result<Job, Stop> {
        // what the stamp says comes last, as a setting of the request: no step has to run again because of it
        let bare = ImagePlan { stamp: BTreeMap::new(), ..image.clone() };
        let dockerfile = render::dockerfile(&bare, templates);
        let dockerfile = dockerfile.map_err(|problem| self.session.bad_input(&[problem], &self.loaded.sources.map))?;
        let mut labels = image.stamp.clone();
        labels.extend(job.labels);
        let parts_of_job = parts.iter().map(|part| self.part(image, part, shared)).collect::<Result<_, Stop>>()?;
        Ok(Job {
            dockerfile: parts::assembly(&dockerfile, parts),
            context: render::description_files(image),
            labels,
            parts: parts_of_job,
            ..job
        })
    }

    /// The image of one component.
    fn part(&self, image: &ImagePlan, part: &Part, shared: &mut Shared) -> Result<Arc<Job>, Stop> {
        let reference = part.reference();
        if let Some(known) = shared.get(&reference) {
            return Ok(Arc::clone(known));
        }
        let component = image.components.iter().find(|component| component.name == part.component);
        let component = component.ok_or_else(|| Stop::input(anyhow::anyhow!("no component {}", part.component)))?;
        let labels = BTreeMap::from([
            (COMPONENT_LABEL.to_owned(), part.component.to_string()),
            (fingerprint::LABEL.to_owned(), part.key.clone()),
            (fingerprint::PLATFORM_LABEL.to_owned(), self.platform.to_string()),
        ]);
        let tags = vec![reference.clone()];
        let no_cache = self.is_anew(std::iter::once(component));
        let is_kept = !no_cache && is_known(image, component.open_images(&image.found));
        // a part has no contract of its own
        let present = self.stock.labelled(&labels, &tags, &Proofs::default()).filter(|_| is_kept).cloned();
        let files = render::component_files(image, component, self.root());
        let job = Job {
            context: Session::context(files)?,
            labels,
            tags,
            no_cache,
            present,
            ..self.begin(image, shown_name(part, shared), part.dockerfile.clone())
        };
        let job = Arc::new(job);
        shared.insert(reference, Arc::clone(&job));
        Ok(job)
    }

    fn begin(&self, image: &ImagePlan, name: String, dockerfile: String) -> Job {
        Job {
            platform: Some(self.platform.to_string()),
            network: match image.network {
                BuildNetwork::Default => Network::Default,
                BuildNetwork::None => Network::None,
            },
            no_cache: self.arguments.no_cache,
            ..Job::new(name, dockerfile)
        }
    }

    /// Whether what is there of some components shall not be used.
    fn is_anew<'c>(&self, mut components: impl Iterator<Item = &'c ComponentPlan>) -> bool {
        let filter = &self.arguments.no_cache_filter;
        self.arguments.no_cache || components.any(|part| filter.iter().any(|name| part.name.as_str() == name))
    }

    fn root(&self) -> &camino::Utf8Path {
        &self.loaded.workspace.root
    }
}

/// How the image of a component is called in messages: two images may hold it with different features.
fn shown_name(part: &Part, shared: &Shared) -> String {
    let name = format!("component/{}", part.component);
    if shared.values().any(|known| known.image == name) {
        return format!("{name}:{}", part.key.get(..8).unwrap_or(&part.key));
    }
    name
}

/// Whether it is known what is behind names without a digest.
fn is_known(image: &ImagePlan, mut names: impl Iterator<Item = String>) -> bool {
    names.all(|name| image.found.images.contains_key(&name))
}
