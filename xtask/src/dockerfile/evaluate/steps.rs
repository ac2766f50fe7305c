//! What `COPY`, `ADD` and `RUN` do.

use super::chain::origin;
use super::facts::{CopyStep, MountUse, Origin, RunStep, Source};
use super::paths;
use super::state::{State, fact};
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::expand::expand_text;
use crate::dockerfile::{Heredoc, Instruction, Mount, Run, Transfer, TransferSource, Value, Word};

impl State<'_> {
    pub fn copy_step(
        &mut self,
        instruction: &Instruction,
        transfer: &Transfer,
        is_add: bool,
    ) -> Result<CopyStep, DockerfileError> {
        let from = match instruction.flag("from") {
            Some(from) => origin(self.dockerfile, self.stage, from)?,
            None => Origin::Context,
        };
        let mut sources = Vec::new();
        for source in &transfer.sources {
            let source = match source {
                TransferSource::Heredoc(number, _) => match instruction.heredocs.get(*number) {
                    Some(heredoc) => self.heredoc(heredoc)?,
                    None => continue,
                },
                TransferSource::Written(word) => {
                    let value = self.value(word)?;
                    if is_add { add_source(value) } else { Source::Path(value) }
                }
            };
            sources.push(fact(instruction, source));
        }
        let written = self.value(&transfer.destination)?;
        let is_folder = paths::is_folder(written.otherwise());
        let mut destination = self.below_workdir(&written);
        if is_folder && !destination.otherwise().ends_with(['/', '\\']) {
            destination = destination.map(|path| format!("{path}/"));
        }
        let mut excludes = Vec::new();
        for flag in instruction.flags.iter().filter(|flag| flag.name == "exclude") {
            if let Some(word) = &flag.value {
                excludes.push(self.value(word)?);
            }
        }
        Ok(CopyStep {
            is_add,
            from,
            is_folder: is_folder || sources.len() > 1,
            sources,
            destination,
            owner: self.flag(instruction, "chown")?,
            mode: self.flag(instruction, "chmod")?,
            link: instruction.switch("link"),
            parents: instruction.switch("parents"),
            excludes,
            checksum: self.flag(instruction, "checksum")?,
            keep_git_dir: instruction.switch("keep-git-dir"),
            unpack: instruction.flags.iter().any(|flag| flag.name == "unpack").then(|| instruction.switch("unpack")),
        })
    }

    fn flag(&mut self, instruction: &Instruction, name: &str) -> Result<Option<Value>, DockerfileError> {
        instruction.flag(name).map(|word| self.value(word)).transpose()
    }

    fn heredoc(&mut self, heredoc: &Heredoc) -> Result<Source, DockerfileError> {
        let word = heredoc.word(self.dockerfile.text());
        self.count(word.text().len(), &word)?;
        let content =
            if heredoc.expand { expand_text(&word, &self.scope)?.value } else { Value::Known(word.text().to_owned()) };
        self.count(content.otherwise().len(), &word)?;
        Ok(Source::Heredoc { name: heredoc.name.clone(), content })
    }

    pub fn run_step(&mut self, instruction: &Instruction, run: &Run) -> Result<RunStep, DockerfileError> {
        let mut mounts = Vec::new();
        for mount in &run.mounts {
            mounts.push(self.mount(mount)?);
        }
        let text = |name| instruction.flag(name).map(|word: &Word| word.text().to_owned());
        let heredocs = instruction.heredocs.iter().map(|heredoc| {
            // tabs of `<<-` are the shell's business
            (heredoc.body.of(self.dockerfile.text()).to_owned(), heredoc.name.clone())
        });
        Ok(RunStep {
            command: self.command_line(&run.command),
            mounts,
            network: text("network"),
            security: text("security"),
            heredocs: heredocs.collect(),
        })
    }

    fn mount(&mut self, mount: &Mount) -> Result<MountUse, DockerfileError> {
        let from = match mount.from() {
            Some(from) if from.text().contains('$') => Origin::Image(self.value(from)?),
            Some(from) => origin(self.dockerfile, self.stage, from)?,
            None => Origin::Context,
        };
        Ok(MountUse {
            kind: mount.kind().to_owned(),
            from,
            source: mount.source().map(|word| self.value(word)).transpose()?,
            target: mount.target().map(|word| self.value(word)).transpose()?,
        })
    }
}

/// `ADD` takes addresses and git repositories too.
fn add_source(value: Value) -> Source {
    let text = value.otherwise();
    let plain = text.split_once('#').map_or(text, |(plain, _)| plain);
    let is_web = text.starts_with("http://") || text.starts_with("https://");
    let is_git = ["git://", "git@", "ssh://"].iter().any(|scheme| text.starts_with(scheme))
        || (is_web || text.starts_with("github.com/")) && plain.ends_with(".git");
    match (is_git, is_web) {
        (true, _) => Source::Git(value),
        (false, true) => Source::Address(value),
        _ => Source::Path(value),
    }
}
