//! One `COPY` or `ADD` of the target stage: into which folder of the image it goes, and what stands there then. See
//! `folders.rs` for the rules.

use super::context::{self, Kind};
use super::folders::{Known, Numbered, above, name};
use super::splice::rewritten;
use super::{Subject, TransferPlan, words};
use crate::diagnostic::{Diagnostic, Problems};
use crate::dockerfile::{
    Base, CopyStep, Edit, Extent, Instruction, Origin, Source, Step, Transfer, TransferSource, Value, Word, clean_path,
};
use crate::manifest::{ImagePath, User};
use crate::oci::Reference;
use crate::plan::Read;
use crate::plan::model::InstallPlan;

/// A copy, and what it gives.
pub(super) struct Taken {
    pub(super) transfer: TransferPlan,
    pub(super) installs: Vec<InstallPlan>,
    /// The folder of the image, if something gets into it that only the build knows.
    pub(super) open: Option<String>,
}

/// What is copied, as far as it is known.
enum What {
    /// A file of this name.
    File(String),
    /// The files of a folder, by their paths in it.
    Folder(Vec<String>),
    /// A file or a folder of this name in a stage or image.
    Either(String),
    /// Nobody knows.
    Anything,
}

/// Where one copy happens, and what is there.
pub(super) struct Place<'a, 'r> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) read: &'a Read<'r>,
    pub(super) known: &'a mut Known,
    pub(super) numbered: &'a mut Numbered,
}

impl Place<'_, '_> {
    pub(super) fn take(
        &mut self,
        step: &Step,
        instruction: &Instruction,
        transfer: &Transfer,
        copy: &CopyStep,
        problems: &mut Problems,
    ) -> Option<Taken> {
        let destination = self.destination(step, copy, problems)?;
        let whats: Vec<What> = copy.sources.iter().map(|source| self.what(copy, &source.value)).collect();
        let owner = match &copy.owner {
            Some(owner) => Some(self.owner(step, owner, problems)?),
            None => None,
        };
        let is_folder = copy.is_folder
            || self.known.has(&destination)
            || whats.len() != 1
            || matches!(whats.first(), Some(What::Folder(_) | What::Anything));
        let folder = if is_folder { destination.clone() } else { above(&destination).to_owned() };
        let number = self.numbered.number(&folder, owner.as_deref());
        let inner = if is_folder { format!("/{number}/") } else { format!("/{number}/{}", name(&destination)) };
        let text = self.text(step, instruction, transfer, copy, &inner, problems)?;
        self.known.add(&folder);
        let lines = (*instruction.lines.start(), *instruction.lines.end());
        let installs = self.installs(step, &destination, is_folder, copy, &whats);
        let is_open = whats.iter().any(|what| match what {
            What::Anything => true,
            What::Either(_) => is_folder,
            What::Folder(files) => files.is_empty(),
            What::File(_) => false,
        });
        let open = (is_open || copy.parents).then(|| folder.clone());
        Some(Taken { open, transfer: TransferPlan { lines, text, number, folder, owner }, installs })
    }

    fn destination(&self, step: &Step, copy: &CopyStep, problems: &mut Problems) -> Option<String> {
        let text = match copy.destination.known() {
            Some(text) => text,
            // these begin at the top
            None if is_plain(&self.subject.read.facts.base) && of_folder(&copy.destination, &step.workdir) => {
                copy.destination.otherwise()
            }
            None => words::known(self.subject, &copy.destination, "where this goes", step.span, problems)?,
        };
        let path = clean_path(text);
        if path != "/" && path.parse::<ImagePath>().is_err() || !text.starts_with('/') {
            let message = format!("`{text}` is no path that files can be copied to in any image");
            let report = Diagnostic::error("path", message).label(self.subject.span(step.span), "");
            problems.push(report.help("use a plain absolute path"));
            return None;
        }
        Some(path)
    }

    fn what(&self, copy: &CopyStep, source: &Source) -> What {
        let last = |path: &Value| path.known().map(|path| name(path.trim_end_matches('/')).to_owned());
        match source {
            Source::Heredoc { name, .. } => What::File(name.clone()),
            Source::Address(address) => match last(address) {
                Some(name) if !copy.destination.otherwise().ends_with('/') => What::File(name),
                Some(name) => What::Either(name),
                None => What::Anything,
            },
            Source::Git(_) => What::Folder(Vec::new()),
            Source::Path(path) => {
                let Some(text) = path.known() else { return What::Anything };
                match copy.from {
                    Origin::Context => self.in_context(copy, text),
                    _ if text.contains(['*', '?', '[']) => What::Anything,
                    _ if text.ends_with('/') || text.ends_with("/.") || text == "." => What::Folder(Vec::new()),
                    _ => What::Either(name(text).to_owned()),
                }
            }
        }
    }

    fn in_context(&self, copy: &CopyStep, path: &str) -> What {
        let Some(sources) = context::of(self.subject.manifest) else { return What::Anything };
        let (kind, files) = sources.look(path, self.read);
        let file = name(path.trim_end_matches('/'));
        match kind {
            // an archive is unpacked
            Kind::File if copy.is_add && is_archive(file) => What::Folder(Vec::new()),
            Kind::File => What::File(file.to_owned()),
            // what fits is a file, or a folder whose files are copied
            Kind::Pattern => {
                let depth = path.split('/').filter(|part| !part.is_empty() && *part != ".").count();
                let below = |path: &str| {
                    let parts: Vec<&str> = path.split('/').collect();
                    parts.get(if parts.len() > depth { depth } else { depth - 1 }..).map(|rest| rest.join("/"))
                };
                What::Folder(files.iter().filter_map(|(path, _)| below(path.as_str())).collect())
            }
            Kind::Folder => {
                let top = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/");
                let below = |path: &str| match top.as_str() {
                    "" => Some(path.to_owned()),
                    top => Some(path.strip_prefix(top)?.trim_start_matches('/').to_owned()),
                };
                What::Folder(files.iter().filter_map(|(path, _)| below(path.as_str())).collect())
            }
        }
    }

    fn owner(&self, step: &Step, owner: &Value, problems: &mut Problems) -> Option<String> {
        let text = words::known(self.subject, owner, "the owner", step.span, problems)?;
        let found = match self.subject.users.user(text) {
            Some(User::Numeric { uid, gid: Some(gid) }) => Some(format!("{uid}:{gid}")),
            // a number alone is both
            Some(User::Numeric { uid, gid: None }) if text.parse::<u32>().is_ok() => Some(format!("{uid}:{uid}")),
            _ => None,
        };
        if found.is_none() {
            let message =
                format!("nothing says the numbers of the owner `{text}`, and a stage without users needs them");
            let report = Diagnostic::error("unknown-user", message).label(self.subject.span(step.span), "");
            let plain = text.split(':').next().unwrap_or_default();
            let help =
                format!("write `users = {{ {plain:?} = \"1000:1000\" }}` with its numbers under [build.dockerfile]");
            problems.push(report.help(help));
        }
        found
    }

    /// The instruction, with the numbered folder as its destination.
    fn text(
        &self,
        step: &Step,
        instruction: &Instruction,
        transfer: &Transfer,
        copy: &CopyStep,
        inner: &str,
        problems: &mut Problems,
    ) -> Option<String> {
        let subject = self.subject;
        let mut edits = words::names(subject, step.stage, instruction.span);
        // owners go with the copy into the image; a file stage has no users
        let owner = instruction.flags.iter().filter(|flag| flag.name == "chown");
        let blank = |end: usize| usize::from(subject.read.dockerfile.text()[end..].starts_with(' '));
        edits.extend(owner.map(|flag| {
            let end = flag.span.end + blank(flag.span.end);
            Edit { span: Extent::new(flag.span.start, end), text: String::new() }
        }));
        let flags = [("chmod", copy.mode.as_ref()), ("checksum", copy.checksum.as_ref())];
        for (name, value) in flags {
            if let (Some(word), Some(value)) = (instruction.flag(name), value) {
                edits.extend(self.expanded(word, value, problems)?);
            }
        }
        for (source, evaluated) in transfer.sources.iter().zip(&copy.sources) {
            match (source, &evaluated.value) {
                (TransferSource::Heredoc(number, word), _) => {
                    let body = instruction.heredocs.get(*number).map(|heredoc| heredoc.body);
                    if body.is_some_and(|body| words::has_variable(subject, body)) {
                        let message = "variables in a heredoc of a COPY cannot be replaced where it stands then";
                        let report = Diagnostic::error("unknown-value", message).label(subject.span(word.span), "");
                        problems.push(report.help("quote its name (`<<'EOF'`) and write the values out"));
                        return None;
                    }
                }
                (TransferSource::Written(word), Source::Path(path)) if copy.from == Origin::Context => {
                    let path = words::context_path(subject, path, step.span, problems)?;
                    edits.push(words::moved(subject, word, &path, copy.parents, problems)?);
                }
                (TransferSource::Written(word), Source::Path(value) | Source::Address(value) | Source::Git(value)) => {
                    edits.extend(self.expanded(word, value, problems)?);
                }
                (TransferSource::Written(_), Source::Heredoc { .. }) => {}
            }
        }
        edits.push(words::replaced(subject, &transfer.destination, inner, problems)?);
        rewritten(subject, instruction.span, &edits, problems)
    }

    /// A word with its variables replaced; `Some(None)` when it has none.
    fn expanded(&self, word: &Word, value: &Value, problems: &mut Problems) -> Option<Option<Edit>> {
        if !words::has_variable(self.subject, word.span) {
            return Some(None);
        }
        let text = words::known(self.subject, value, "this word", word.span, problems)?;
        words::replaced(self.subject, word, text, problems).map(Some)
    }

    /// What stands where in the image.
    fn installs(
        &self,
        step: &Step,
        destination: &str,
        is_folder: bool,
        copy: &CopyStep,
        whats: &[What],
    ) -> Vec<InstallPlan> {
        let place = self.subject.span(step.span);
        let install = |from: &str, to: String, is_likely: bool| {
            let to = to.parse().ok()?;
            Some(InstallPlan { from: from.to_owned(), to, mode: None, is_likely, place })
        };
        let below = |name: &str| format!("{}/{name}", destination.trim_end_matches('/'));
        let mut installs = Vec::new();
        for (source, what) in copy.sources.iter().zip(whats) {
            let from = match &source.value {
                Source::Path(value) | Source::Address(value) | Source::Git(value) => value.otherwise(),
                Source::Heredoc { name, .. } => name,
            };
            if copy.parents {
                continue;
            }
            match what {
                What::File(name) if is_folder => installs.extend(install(from, below(name), false)),
                What::Either(name) if is_folder => installs.extend(install(from, below(name), true)),
                What::File(_) | What::Either(_) => installs.extend(install(from, destination.to_owned(), false)),
                What::Folder(files) => {
                    installs.extend(files.iter().filter_map(|file| install(from, below(file), false)));
                }
                What::Anything => {}
            }
        }
        installs
    }
}

/// Bases whose working folder everybody knows to be `/`.
fn is_plain(base: &Base) -> bool {
    const PLAIN: [&str; 9] =
        ["alpine", "almalinux", "busybox", "debian", "fedora", "rockylinux", "ubi", "ubi-minimal", "ubuntu"];
    let Base::Image { reference, .. } = base else { return false };
    let reference = reference.known().and_then(|text| text.parse::<Reference>().ok());
    reference.is_some_and(|reference| PLAIN.contains(&name(reference.repository())))
}

/// Whether all that is not known of a path is the folder that it is relative to.
fn of_folder(path: &Value, folder: &Value) -> bool {
    path.because().iter().all(|why| folder.because().contains(why))
}

/// Names of archives that `ADD` unpacks.
fn is_archive(name: &str) -> bool {
    let ends = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst"];
    ends.iter().any(|end| name.ends_with(end))
}
