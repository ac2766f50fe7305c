//! What the image takes of the target stage and of its parents in the file.
//!
//! With `take = "copies"` that is what `COPY`, `ADD` and `WORKDIR` give, and a `RUN` is an error unless the manifest names it in
//! `ignore-runs`. With `take = "stage"` everything is done again, in its order, in the image's own stage: `RUN` with the
//! `ARG`, `ENV`, `SHELL`, `USER` and `WORKDIR` that stood before it. Then base and file must be of one distribution, because
//! what a `RUN` does depends on what it finds. `RUN`s that only install packages come first in the image, those of all
//! components as one. Afterwards the shell is the usual one again, and the user root.

use std::collections::{BTreeMap, BTreeSet};

use super::folders::{Known, Numbered};
use super::packages::{PackageManager, Packages};
use super::splice::rewritten;
use super::transfer::Place;
use super::{StepPlan, Subject, TransferPlan, arguments, distribution, words};
use crate::diagnostic::{Diagnostic, Problems};
use crate::dockerfile::{Base, Instruction, Kind, Origin, RunStep, Step, StepKind, Value, clean_path};
use crate::manifest::{Take, User};
use crate::oci::{ImageSource, Reference};
use crate::plan::Read;
use crate::plan::model::InstallPlan;
use crate::resolve::ResolvedImage;

/// What is taken.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) steps: Vec<StepPlan>,
    pub(super) packages: Vec<Packages>,
    pub(super) installs: Vec<InstallPlan>,
    /// Folders of the image with what nobody knows before the build.
    pub(super) open: Vec<String>,
}

pub(super) fn take(
    subject: &Subject<'_>,
    image: &ResolvedImage<'_>,
    read: &Read<'_>,
    problems: &mut Problems,
) -> Taken {
    let facts = &subject.read.facts;
    let is_replayed = subject.build.take.value == Take::Stage;
    let mut taking = Taking {
        subject,
        read,
        known: Known::of_base(facts.base == Base::Scratch),
        numbered: Numbered::default(),
        taken: Taken::default(),
        ignored: BTreeSet::new(),
        packages: BTreeMap::new(),
        is_replayed,
        shell: false,
        user: false,
        first_run: None,
    };
    let steps: BTreeMap<usize, &Step> = facts.steps.iter().map(|step| (step.instruction, step)).collect();
    for index in &facts.chain {
        let Some(stage) = subject.read.dockerfile.stages().get(*index) else { continue };
        let numbers = stage.instructions.clone();
        for (number, instruction) in numbers.zip(subject.read.dockerfile.stage_instructions(stage)) {
            taking.instruction(*index, instruction, steps.get(&number).copied(), problems);
        }
    }
    taking.finish(image, problems)
}

struct Taking<'a, 'r> {
    subject: &'a Subject<'a>,
    read: &'a Read<'r>,
    known: Known,
    numbered: Numbered,
    taken: Taken,
    /// Entries of `ignore-runs` that fit something.
    ignored: BTreeSet<usize>,
    packages: BTreeMap<PackageManager, Packages>,
    is_replayed: bool,
    /// Whether another shell, or another user, is in force.
    shell: bool,
    user: bool,
    /// The first `RUN` that is replayed.
    first_run: Option<crate::source::Span>,
}

impl Taking<'_, '_> {
    fn instruction(&mut self, stage: usize, instruction: &Instruction, step: Option<&Step>, problems: &mut Problems) {
        super::splice::refuse_trigger(self.subject, instruction, problems);
        match (&instruction.kind, step, step.map(|step| &step.kind)) {
            (Kind::Copy(transfer) | Kind::Add(transfer), Some(step), Some(StepKind::Copy(copy))) => {
                let (subject, read) = (self.subject, self.read);
                let mut place = Place { subject, read, known: &mut self.known, numbered: &mut self.numbered };
                if let Some(taken) = place.take(step, instruction, transfer, copy, problems) {
                    self.taken.steps.push(StepPlan::Transfer { transfer: taken.transfer });
                    self.taken.installs.extend(taken.installs);
                    self.taken.open.extend(taken.open);
                }
            }
            (Kind::Workdir(_), Some(step), Some(StepKind::Workdir(path))) => {
                self.workdir(instruction, step, path, problems);
            }
            (Kind::Run(_), Some(step), Some(StepKind::Run(run))) => self.run(stage, instruction, step, run, problems),
            (Kind::Arg(_), ..) if self.is_replayed => self.argument(stage, instruction, problems),
            (Kind::Env(_), ..) if self.is_replayed => self.replay(stage, instruction, problems),
            (Kind::Shell(_), ..) if self.is_replayed => {
                self.shell = true;
                self.replay(stage, instruction, problems);
            }
            (Kind::User(_), ..) if self.is_replayed => {
                self.user = true;
                self.replay(stage, instruction, problems);
            }
            _ => {}
        }
    }

    /// `WORKDIR` makes its folder, for the user in force.
    fn workdir(&mut self, instruction: &Instruction, step: &Step, path: &Value, problems: &mut Problems) {
        let Some(path) = words::known(self.subject, path, "the working folder", step.span, problems) else { return };
        let path = clean_path(path);
        if path != "/" && path.parse::<crate::manifest::ImagePath>().is_err() {
            let message = format!("`{path}` is no path that a folder can have in any image");
            let report = Diagnostic::error("path", message).label(self.subject.span(step.span), "");
            return problems.push(report.help("use a plain absolute path"));
        }
        let lines = (*instruction.lines.start(), *instruction.lines.end());
        let is_made = !self.known.has(&path);
        self.known.add(&path);
        let owner = match (&step.user, self.is_replayed) {
            (Some(user), false) => self.owner(user, step, problems),
            _ => None,
        };
        match owner.filter(|owner| owner != "0:0") {
            Some(owner) if is_made => {
                // a copy makes its folder, and those above, for its owner: as this does
                let number = self.numbered.number(&path, Some(&owner));
                let (text, folder, owner) = (format!("WORKDIR /{number}"), path, Some(owner));
                let transfer = TransferPlan { lines, text, number, folder, owner };
                self.taken.steps.push(StepPlan::Transfer { transfer });
            }
            _ if is_made || self.is_replayed => {
                self.taken.steps.push(StepPlan::Line { lines, text: format!("WORKDIR {path}") });
            }
            _ => {}
        }
    }

    fn owner(&self, user: &Value, step: &Step, problems: &mut Problems) -> Option<String> {
        let text = words::known(self.subject, user, "the user", step.span, problems)?;
        match self.subject.users.user(text)? {
            User::Numeric { uid, gid } => Some(format!("{uid}:{}", gid.unwrap_or(uid))),
            User::Named(_) => None,
        }
    }

    fn run(&mut self, stage: usize, instruction: &Instruction, step: &Step, run: &RunStep, problems: &mut Problems) {
        let text = run.command.words.last().map(|text| text.trim()).unwrap_or_default();
        let ignored = self.subject.build.ignore_runs.iter().position(|start| text.starts_with(start.value.as_str()));
        if let Some(ignored) = ignored {
            self.ignored.insert(ignored);
            return;
        }
        let place = self.subject.span(step.span);
        if !self.is_replayed {
            return problems.push(self.refused(text, place));
        }
        self.first_run.get_or_insert(place);
        self.taken.open.push("/".to_owned());
        let is_plain = run.command.is_shell && !self.shell && !self.user && run.mounts.is_empty();
        let packages = Packages::of(text).filter(|_| is_plain && instruction.heredocs.is_empty());
        if let Some(packages) = packages {
            match self.packages.get_mut(&packages.manager) {
                Some(own) => own.names.extend(packages.names),
                None => _ = self.packages.insert(packages.manager, packages),
            }
            return;
        }
        for mount in &run.mounts {
            if let (Some(path), "bind", Origin::Context) = (&mount.source, mount.kind.as_str(), &mount.from) {
                words::context_path(self.subject, path, step.span, problems);
            }
        }
        self.replay(stage, instruction, problems);
        // whatever is copied from now on may replace what was made
        self.numbered.close();
    }

    fn refused(&self, text: &str, place: crate::source::Span) -> Diagnostic {
        let short: String = text.chars().take(60).collect();
        let message = "the result of this RUN is not among the copies that the image takes";
        let report = Diagnostic::error("dockerfile-run", message).label(place, "");
        let report = report.note(
            "a RUN of the target stage, or of a stage that it begins with, changes the base of this Dockerfile; the image may have another one",
        );
        report.help(format!(
            "decide: `take = \"stage\"` runs it on the base of the image, [[install]] with `from = \"stage:/PATH\"` takes what it makes, `ignore-runs = [{short:?}]` does without it"
        ))
    }

    fn argument(&mut self, stage: usize, instruction: &Instruction, problems: &mut Problems) {
        let stages = self.subject.read.dockerfile.stages();
        let Some(stage) = stages.get(stage) else { return };
        let edits = arguments::edits(self.subject, stage, problems);
        let own =
            |span: crate::dockerfile::Extent| span.start >= instruction.span.start && span.end <= instruction.span.end;
        let edits: Vec<_> = edits.into_iter().filter(|edit| own(edit.span)).collect();
        self.line(instruction, &edits, problems);
    }

    /// The instruction as it stands, but for names of stages and paths of the context.
    fn replay(&mut self, stage: usize, instruction: &Instruction, problems: &mut Problems) {
        let edits = words::of_instruction(self.subject, stage, instruction, problems);
        self.line(instruction, &edits, problems);
    }

    fn line(&mut self, instruction: &Instruction, edits: &[crate::dockerfile::Edit], problems: &mut Problems) {
        if let Some(text) = rewritten(self.subject, instruction.span, edits, problems) {
            let lines = (*instruction.lines.start(), *instruction.lines.end());
            self.taken.steps.push(StepPlan::Line { lines, text });
        }
    }

    fn finish(mut self, image: &ResolvedImage<'_>, problems: &mut Problems) -> Taken {
        for (at, unused) in self.subject.build.ignore_runs.iter().enumerate() {
            if !self.ignored.contains(&at) {
                let message = "no RUN of the target stage begins so";
                let report = Diagnostic::error("unknown-run", message).label(unused.span, "");
                problems.push(report.help("remove it, or write how the RUN begins"));
            }
        }
        if let Some(place) = self.first_run {
            self.check_distribution(image, place, problems);
        }
        let generated = |text: &str| StepPlan::Line { lines: (0, 0), text: text.to_owned() };
        if self.shell {
            self.taken.steps.push(generated("SHELL [\"/bin/sh\", \"-c\"]"));
        }
        if self.user {
            self.taken.steps.push(generated("USER 0:0"));
        }
        self.taken.packages = self.packages.into_values().collect();
        self.taken
    }

    /// What a `RUN` does depends on the distribution that it runs on.
    fn check_distribution(&self, image: &ResolvedImage<'_>, place: crate::source::Span, problems: &mut Problems) {
        let own = match &self.subject.read.facts.base {
            Base::Image { reference, .. } => reference.known().and_then(|text| text.parse::<Reference>().ok()),
            Base::Scratch | Base::Stage(_) => None,
        };
        let base = image.base.image.as_ref().map(|image| &image.value);
        let of_image = base.and_then(ImageSource::reference);
        let said = image.base.definition.and_then(|base| base.distribution.as_ref()).map(|said| said.value.clone());
        let (here, there) =
            (own.as_ref().and_then(distribution::of), said.or_else(|| of_image.and_then(distribution::of)));
        let is_same = match (&own, of_image) {
            (Some(own), Some(image)) if own.name() == image.name() && own.tag() == image.tag() => true,
            _ => here.is_some() && here == there,
        };
        if is_same {
            return;
        }
        let shown = |image: Option<&Reference>, distribution: &Option<String>| match (image, distribution) {
            (Some(image), Some(distribution)) => format!("`{image}` ({distribution})"),
            (Some(image), None) => format!("`{image}`, whose distribution is not known"),
            (None, Some(distribution)) => distribution.clone(),
            (None, None) => "`scratch`".to_owned(),
        };
        let (from, to) = (shown(own.as_ref(), &here), shown(of_image, &there));
        let message =
            format!("this RUN was written for {from}, and the base of image `{}` is {to}", image.definition.name.value);
        let report = Diagnostic::error("other-distribution", message).label(place, "");
        let report = report.label(image.definition.base.span, "the base");
        problems.push(report.help(
            "give the image a base of the same distribution; or, where it is the same, say so with `distribution = \"…\"` under [bases.NAME]; or take what the RUN makes with [[install]]",
        ));
    }
}
