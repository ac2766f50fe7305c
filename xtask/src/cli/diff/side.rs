//! What a word of `diff` means, and all that is read of it.

use std::collections::BTreeMap;

use anyhow::anyhow;

use crate::cli::args::DiffArguments;
use crate::cli::daemon;
use crate::cli::explain::against::{self, Against, Seen};
use crate::cli::look::Wholes;
use crate::cli::records::Records;
use crate::cli::session::Session;
use crate::cli::status::Stop;
use crate::engine::docker::ImageConfig;
use crate::engine::native::base::{Tree, Trees};
use crate::lock::Builders;
use crate::oci::{Layer, Platform};
use crate::plan::ImagePlan;
use crate::plan::changes::{Change, Recorded, What};
use crate::resolve::{ImageSelector, Selection};

/// What the words for the plan of this workspace begin with.
const PLAN: &str = "plan:";

/// One of the two.
pub(super) enum Side {
    /// Plans, each of all its platforms.
    Plans(Vec<Planned>),
    /// An image for one platform.
    Image(Box<ImageSide>),
}

/// A plan.
pub(super) struct Planned {
    pub(super) record: Recorded,
    /// Absent when it was read from a document.
    plan: Option<ImagePlan>,
}

/// An image.
pub(super) struct ImageSide {
    /// As it was named.
    pub(super) name: String,
    seen: Seen,
    /// What is known of its inputs.
    pub(super) record: Option<Recorded>,
    pub(super) layers: Vec<Layer>,
    pub(super) tree: Tree,
}

impl Planned {
    /// The plan on a platform, with what an engine had found for another record.
    pub(super) fn on(&self, platform: &Platform, other: &Recorded) -> Recorded {
        match &self.plan {
            Some(plan) if plan.platforms.contains(platform) => {
                Recorded::of(&plan.for_platform(platform).with_found(&other.found()))
            }
            _ => self.record.clone(),
        }
    }
}

impl ImageSide {
    pub(super) fn platform(&self) -> &Platform {
        &self.seen.platform
    }

    /// `IMAGE[/COMPONENT][=VARIANT]`, as it says itself.
    pub(super) fn id(&self) -> Option<String> {
        self.seen.id()
    }

    pub(super) fn what_it_is(&self) -> String {
        self.seen.what_it_is()
    }
}

/// What two configurations say, where nothing is known of inputs.
pub(super) fn configurations(old: &ImageSide, new: &ImageSide) -> Vec<Change> {
    let (old, new) = (&old.seen.inspection.config, &new.seen.inspection.config);
    let mut all = Vec::new();
    let mut push = |what: What, subject: &str, before: Option<String>, after: Option<String>| {
        if before != after {
            all.push(Change { component: None, what, subject: subject.to_owned(), before, after });
        }
    };
    let values = |config: &ImageConfig| {
        let list = |list: &[String]| serde_json::json!(list).to_string();
        [
            ("platform", config.platform.clone()),
            ("user", config.user.clone()),
            ("entrypoint", list(&config.entrypoint)),
            ("cmd", list(&config.cmd)),
            ("workdir", config.working_dir.clone()),
            ("ports", list(&config.ports)),
        ]
    };
    for ((name, before), (_, after)) in values(old).into_iter().zip(values(new)) {
        push(What::Config, name, Some(before), Some(after));
    }
    let env = |config: &ImageConfig| -> BTreeMap<String, String> {
        let pair = |text: &String| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        config.env.iter().filter_map(pair).collect()
    };
    let (env_before, env_after) = (env(old), env(new));
    for (what, before, after) in [(What::Config, &env_before, &env_after), (What::Label, &old.labels, &new.labels)] {
        let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for key in keys {
            let subject = if what == What::Config { format!("env {key}") } else { key.clone() };
            push(what, &subject, before.get(key).cloned(), after.get(key).cloned());
        }
    }
    all.sort();
    all
}

/// Reads both sides; layers that they share are read once.
pub(super) struct Reader<'a> {
    arguments: &'a DiffArguments,
    session: &'a Session<'a>,
    trees: Trees,
    wholes: Wholes<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(arguments: &'a DiffArguments, session: &'a Session<'a>) -> Result<Self, Stop> {
        let wholes = Wholes::new(session, arguments.host.as_deref())?;
        Ok(Self { arguments, session, trees: Trees::default(), wholes })
    }

    /// Reads what a word means.
    pub(super) fn side(&mut self, word: &str) -> Result<Side, Stop> {
        if let Some(selected) = word.strip_prefix(PLAN) {
            return self.planned(selected).map(Side::Plans);
        }
        match against::read(word, self.arguments.host.as_deref(), self.session)? {
            Against::Plans(plans) => {
                Ok(Side::Plans(plans.into_iter().map(|record| Planned { record, plan: None }).collect()))
            }
            Against::Images(images) => self.image(word, images).map(Box::new).map(Side::Image),
        }
    }

    fn planned(&self, selected: &str) -> Result<Vec<Planned>, Stop> {
        let selector =
            |text: &str| text.parse::<ImageSelector>().map_err(|error| Stop::input(anyhow!("{PLAN}{text}: {error}")));
        let images = if selected.is_empty() { Vec::new() } else { vec![selector(selected)?] };
        let session = self.session;
        let loaded = session.load()?;
        let resolution = session.resolve(&loaded, &Selection { images, ..Selection::default() })?;
        let pins = session.pins(&loaded, &resolution, Builders::Used)?;
        let plan = session.plan(&loaded, &resolution, &pins)?;
        Ok(plan.images.into_iter().map(|plan| Planned { record: Recorded::of(&plan), plan: Some(plan) }).collect())
    }

    fn image(&mut self, word: &str, images: Vec<Seen>) -> Result<ImageSide, Stop> {
        let seen = self.one_platform(word, images)?;
        let store = self.wholes.store()?;
        let (source, base) = self.wholes.base(word, &seen.platform, &store)?;
        let tree = self.trees.of(&source, &base, &store).map_err(daemon::stop)?;
        let records = self.wholes.root.as_ref().map(|root| Records::of(root));
        let record = seen.recorded(records.as_ref(), None).ok();
        Ok(ImageSide { name: word.to_owned(), seen, record, layers: base.layers, tree })
    }

    /// The image for the platform that was asked for, or for this machine, or the first one.
    fn one_platform(&self, word: &str, images: Vec<Seen>) -> Result<Seen, Stop> {
        let names: Vec<String> = images.iter().map(|seen| seen.platform.to_string()).collect();
        let wanted = self.arguments.platform.clone();
        let here = Platform::of_this_machine();
        let platform = wanted.clone().unwrap_or(here);
        let position = images.iter().position(|seen| seen.platform == platform);
        let position = if wanted.is_none() { position.or(Some(0)) } else { position };
        position.and_then(|position| images.into_iter().nth(position)).ok_or_else(|| {
            let hint = format!("hint: it is for {}; choose one with --platform", names.join(", "));
            Stop::input(anyhow!("{word} is not for {platform}\n{hint}"))
        })
    }
}
