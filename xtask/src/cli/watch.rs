//! `watch`: builds again whenever a file is saved, by the ordinary way of `build`.
//!
//! ```text
//! save ─▶ quiet for a moment ─▶ watch the folders of the plan ─▶ plan ─▶ other fingerprints? ─▶ build them ─▶ one line
//!   ▲                                                              └─ same: nothing is said        │
//!   └──────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! **No save is lost**: folders are watched before they are read, and what is saved during a build waits for the next
//! round. When a plan brings folders that were not watched, it is made again.
//! **Whether something is to be built is decided by fingerprints**, not by which file was saved: a comment in a manifest, a
//! file that no image holds and the temporary files of editors build nothing. Only the images that changed are built.
//! While the workspace cannot be read, every folder is watched: whichever file mends it is noticed.

mod folders;
mod saves;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use super::args::{BuildArguments, Format, WatchArguments};
use super::build::{self, Ended};
use super::output::counted;
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use crate::lock::Pins;
use crate::plan::Plan;
use crate::workspace::{FileEvent, FolderWatch, MEMORY_FOLDER};
use saves::{Ending, Line, Saves, Shown};

/// Saves that follow one another more closely than this are one.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// A tree that never comes to rest is built all the same.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often folders are looked at when nobody tells.
const LOOK: Duration = Duration::from_secs(1);
/// How often a plan is made again because it brings new folders.
const PASSES: usize = 5;

/// What ends the waiting.
enum Event {
    File(FileEvent),
    Interrupted,
}

/// What an image was built from: its fingerprint, version and references.
type Keys = BTreeMap<String, (String, String, Vec<String>)>;

struct Watch<'s> {
    arguments: &'s WatchArguments,
    build: BuildArguments,
    session: &'s Session<'s>,
    root: Utf8PathBuf,
    watch: FolderWatch,
    events: Receiver<Event>,
    /// What was built, where the last build of it succeeded.
    built: Keys,
    /// The digest of each image.
    digests: BTreeMap<String, String>,
    /// Whether the last round did not end well.
    failed: bool,
    /// Files that the plans before this round have read.
    matters: BTreeSet<Utf8PathBuf>,
}

/// What can be built.
struct Prepared {
    loaded: Loaded,
    plan: Plan,
    pins: Pins,
}

pub(super) fn run(arguments: &WatchArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let root = session.workspace()?.root;
    let (sender, events) = mpsc::channel();
    let interrupted = sender.clone();
    let end = move || _ = interrupted.send(Event::Interrupted);
    session.cancel.always_on_interrupt(end).map_err(Stop::environment)?;
    let on_event = Arc::new(move |event| _ = sender.send(Event::File(event)));
    let (watch, limit) = FolderWatch::new(arguments.poll, on_event).map_err(Stop::environment)?;
    let mut this = Watch {
        arguments,
        build: build_arguments(arguments),
        session,
        root,
        watch,
        events,
        built: Keys::new(),
        digests: BTreeMap::new(),
        failed: false,
        matters: BTreeSet::new(),
    };
    limit.iter().for_each(|limit| this.say_limit(limit));
    let mut saves = Saves::start();
    loop {
        this.round(&saves)?;
        if session.cancel.is_cancelled() {
            return Ok(ExitStatus::Done);
        }
        if saves.is_start {
            let (folders, how) = (this.watch.len(), if this.watch.looks() { "looking at" } else { "watching" });
            session.output.message(&format!("{how} {}; Ctrl-C ends", counted(folders, "folder")));
        }
        match this.next_saves() {
            Some(next) => saves = next,
            None => return Ok(ExitStatus::Done),
        }
    }
}

/// The same build, again and again.
fn build_arguments(arguments: &WatchArguments) -> BuildArguments {
    use clap::Parser as _;
    // options that make no sense here have the values that they have when nobody names them
    let parsed = super::Arguments::try_parse_from(["groupage", "build"]).ok().map(|parsed| parsed.command);
    let Some(super::Command::Build(defaults)) = parsed else { unreachable!("`build` needs no options") };
    let WatchArguments { selection, platforms, tags, jobs, keep_going, engine, load, push, progress, host, .. } =
        arguments;
    BuildArguments {
        selection: selection.clone(),
        platforms: platforms.clone(),
        tags: tags.clone(),
        jobs: *jobs,
        keep_going: *keep_going,
        engine: *engine,
        load: *load,
        push: *push,
        progress: *progress,
        host: host.clone(),
        ..defaults
    }
}

impl Watch<'_> {
    /// Plans, and builds what is another one than before.
    fn round(&mut self, saves: &Saves) -> Result<(), Stop> {
        let begin = Instant::now();
        let kept = RefCell::new(String::new());
        let prepared = self.prepare(&kept)?;
        let (again, messages) = (self.failed, kept.into_inner());
        if prepared.is_err() || again || saves.may_warn() {
            let messages = messages.trim_end();
            Some(messages)
                .filter(|text| !text.is_empty())
                .into_iter()
                .for_each(|text| self.session.output.message(text));
        }
        let Prepared { loaded, mut plan, pins } = match prepared {
            Ok(prepared) => prepared,
            Err(stop) => {
                self.failed = true;
                return self.tell_stop(saves, &stop, begin);
            }
        };
        let keys = keys(&plan);
        plan.images.retain(|image| self.built.get(&image.id) != keys.get(&image.id));
        self.built.retain(|image, _| keys.contains_key(image));
        if !plan.images.is_empty() {
            return self.build(saves, Prepared { loaded, plan, pins }, &keys, begin);
        }
        self.failed = false;
        if again { self.tell(saves, Ending::Unchanged, &[], begin) } else { Ok(()) }
    }

    /// Reads the workspace and watches what was read; again as long as that brings new folders. The files that mattered
    /// before still do: one of them may be gone.
    fn prepare(&mut self, kept: &RefCell<String>) -> Result<Result<Prepared, Stop>, Stop> {
        let quiet = self.session.with_output(self.session.output.keeping(kept));
        let mut pass = 0;
        loop {
            pass += 1;
            kept.borrow_mut().clear();
            let prepared = prepared(&self.build, &quiet);
            let wanted = match &prepared {
                Ok(Prepared { loaded, plan, .. }) => {
                    self.matters.extend(folders::inputs(plan).cloned());
                    self.matters.extend(loaded.sources.map.files().iter().map(|file| file.path.clone()));
                    folders::of_plan(loaded, plan)
                }
                Err(_) => folders::all(&self.root),
            };
            let renewed = self.watch.set(&wanted).map_err(Stop::environment)?;
            renewed.limit.iter().for_each(|limit| self.say_limit(limit));
            if !renewed.added || pass == PASSES || self.session.cancel.is_cancelled() {
                return Ok(prepared);
            }
        }
    }

    fn build(&mut self, saves: &Saves, prepared: Prepared, keys: &Keys, begin: Instant) -> Result<(), Stop> {
        let Prepared { loaded, plan, pins } = prepared;
        plan.images.iter().for_each(|image| _ = self.built.remove(&image.id));
        let ended = match build::perform(&self.build, self.session, loaded, plan, &pins, None) {
            Ok(ended) => ended,
            Err(stop) => {
                self.failed = true;
                return self.tell_stop(saves, &stop, begin);
            }
        };
        // who is interrupted has not failed
        if ended.outcome.is_cancelled() || self.session.cancel.is_cancelled() && !ended.outcome.is_success() {
            return Ok(());
        }
        self.failed = build::tell_what_failed(&self.build, self.session, &ended) != ExitStatus::Done;
        let built = self.remember(&ended, keys);
        if self.failed {
            let failed = ended.outcome.failures().map(|(image, _)| Shown {
                image: image.to_owned(),
                references: Vec::new(),
                digest: String::new(),
                up_to_date: false,
            });
            return self.tell(saves, Ending::Failed, &failed.collect::<Vec<_>>(), begin);
        }
        let is_made = ended.outcome.built().any(|built| !built.up_to_date) || built.iter().any(|own| !own.up_to_date);
        self.tell(saves, if is_made { Ending::Built } else { Ending::Unchanged }, &built, begin)
    }

    /// Keeps what was built; the images that are other ones than before, or that are seen for the first time.
    fn remember(&mut self, ended: &Ended, keys: &Keys) -> Vec<Shown> {
        let mut shown = Vec::new();
        for built in ended.outcome.built() {
            if let Some(key) = keys.get(&built.image) {
                self.built.insert(built.image.clone(), key.clone());
            }
            let digest = built.pin().to_owned();
            let before = self.digests.insert(built.image.clone(), digest.clone());
            if before.as_ref() != Some(&digest) {
                let (image, references) = (built.image.clone(), built.tags.clone());
                // one that takes the place of another is news, even if a daemon still had it
                let up_to_date = built.up_to_date && before.is_none();
                shown.push(Shown { image, references, digest, up_to_date });
            }
        }
        shown
    }

    /// The workspace, or the machine, does not let anything be built.
    fn tell_stop(&self, saves: &Saves, stop: &Stop, begin: Instant) -> Result<(), Stop> {
        stop.error.iter().for_each(|error| self.session.output.error(error));
        self.tell(saves, Ending::Refused, &[], begin)
    }

    fn tell(&self, saves: &Saves, result: Ending, images: &[Shown], begin: Instant) -> Result<(), Stop> {
        let reason = saves.reason(&self.matters);
        let line = Line { result, images, ..Line::new(saves, &reason, &self.matters, begin.elapsed()) };
        match self.arguments.format {
            Format::Text => self.session.output.data(&line.text()),
            Format::Json => {
                let text = serde_json::to_string(&line).map_err(Stop::input)?;
                self.session.output.data(&(text + "\n"))
            }
        }
    }

    fn say_limit(&self, limit: &crate::workspace::Limit) {
        self.session.output.message(&format!("warning: {limit}\nnote: folders are looked at every second instead"));
    }

    /// Waits for a save, and then until the files have come to rest; nothing when the run is to end.
    fn next_saves(&mut self) -> Option<Saves> {
        let mut saves = Saves::default();
        while saves.is_empty() {
            self.wait(&mut saves, None)?;
        }
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE && self.wait(&mut saves, Some(DEBOUNCE))? {}
        Some(saves)
    }

    /// Waits for one event; `Some(false)` when none comes in time, nothing when the run is to end.
    fn wait(&mut self, saves: &mut Saves, limit: Option<Duration>) -> Option<bool> {
        match self.events.recv_timeout(limit.unwrap_or(LOOK)) {
            Ok(Event::Interrupted) | Err(RecvTimeoutError::Disconnected) => None,
            Ok(Event::File(event)) => {
                self.note(saves, event);
                Some(true)
            }
            Err(RecvTimeoutError::Timeout) => {
                let seen = self.watch.look();
                let is_new = !seen.is_empty();
                seen.into_iter().for_each(|event| self.note(saves, event));
                Some(is_new)
            }
        }
    }

    fn note(&mut self, saves: &mut Saves, event: FileEvent) {
        let path = match event {
            FileEvent::Lost => {
                saves.lost = true;
                return;
            }
            FileEvent::Gone(path) => {
                self.watch.forget(&path);
                path
            }
            FileEvent::Changed(path) => path,
        };
        let below = path.strip_prefix(&self.root).unwrap_or(&path);
        if !below.starts_with(MEMORY_FOLDER) && !is_git(below) {
            saves.paths.insert(below.to_owned());
        }
    }
}

fn is_git(path: &Utf8Path) -> bool {
    path.components().any(|part| part.as_str() == ".git")
}

fn prepared(arguments: &BuildArguments, session: &Session<'_>) -> Result<Prepared, Stop> {
    let loaded = session.load()?;
    let (plan, pins) = build::checked_plan(arguments, session, &loaded)?;
    Ok(Prepared { loaded, plan, pins })
}

fn keys(plan: &Plan) -> Keys {
    let key = |image: &crate::plan::ImagePlan| (image.fingerprint.clone(), image.version.clone(), image.tags.clone());
    plan.images.iter().map(|image| (image.id.clone(), key(image))).collect()
}
