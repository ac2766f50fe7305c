//! The instructions of a Dockerfile, as written: nothing is expanded, every word knows its place.

use std::ops::RangeInclusive;

use super::place::{Quoting, Traced};
use super::{Extent, Word};

/// `# syntax=…`, `# escape=…` or `# check=…` at the top of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// In small letters.
    pub name: String,
    /// What it is set to.
    pub value: String,
    /// The line.
    pub span: Extent,
    /// The value in it.
    pub value_span: Extent,
}

/// The instructions that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "they are named as they are written")]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
}

impl Keyword {
    /// All of them with their names, sorted.
    pub const ALL: [(&'static str, Self); 18] = [
        ("ADD", Self::Add),
        ("ARG", Self::Arg),
        ("CMD", Self::Cmd),
        ("COPY", Self::Copy),
        ("ENTRYPOINT", Self::Entrypoint),
        ("ENV", Self::Env),
        ("EXPOSE", Self::Expose),
        ("FROM", Self::From),
        ("HEALTHCHECK", Self::Healthcheck),
        ("LABEL", Self::Label),
        ("MAINTAINER", Self::Maintainer),
        ("ONBUILD", Self::Onbuild),
        ("RUN", Self::Run),
        ("SHELL", Self::Shell),
        ("STOPSIGNAL", Self::Stopsignal),
        ("USER", Self::User),
        ("VOLUME", Self::Volume),
        ("WORKDIR", Self::Workdir),
    ];

    /// In capitals.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, keyword)| *keyword == self).map_or("", |(name, _)| name)
    }
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// From the start of its first line to the end of its last one, with the line end, comments inside and heredocs; of
    /// a trigger (`ONBUILD`), its words alone.
    pub span: Extent,
    /// Its lines, counted from 1.
    pub lines: RangeInclusive<usize>,
    /// Which one it is.
    pub keyword: Keyword,
    /// Where the keyword stands.
    pub keyword_span: Extent,
    /// Its flags in order, those of a trigger apart.
    pub flags: Vec<Flag>,
    /// What it is given.
    pub kind: Kind,
    /// The texts of its heredocs, in order; those of a trigger stand with the `ONBUILD`.
    pub heredocs: Vec<Heredoc>,
}

impl Instruction {
    /// The value of the first flag of a name; of a switch (`--link`), nothing.
    pub fn flag(&self, name: &str) -> Option<&Word> {
        self.flags.iter().find(|flag| flag.name == name)?.value.as_ref()
    }

    /// Whether a switch such as `--link` is on.
    pub fn switch(&self, name: &str) -> bool {
        let flag = self.flags.iter().find(|flag| flag.name == name);
        flag.is_some_and(|flag| flag.value.as_ref().is_none_or(|value| value.text().eq_ignore_ascii_case("true")))
    }
}

/// `--name=value`, or `--name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// All of it.
    pub span: Extent,
    /// Without `--`.
    pub name: String,
    /// After `=`.
    pub value: Option<Word>,
}

/// What an instruction is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `FROM base AS name`; `--platform` is among the flags.
    From {
        /// An image, a stage above, or `scratch`; may hold variables of the global scope.
        base: Word,
        /// The name as it is written; compared without case.
        name: Option<Word>,
    },
    /// `ARG name=default …`.
    Arg(Vec<Argument>),
    /// `ENV name=value …`, `ENV name value`.
    Env(Vec<Pair>),
    /// `LABEL name=value …`.
    Label(Vec<Pair>),
    /// `RUN`.
    Run(Run),
    /// `COPY`.
    Copy(Transfer),
    /// `ADD`.
    Add(Transfer),
    /// `CMD`.
    Cmd(Command),
    /// `ENTRYPOINT`.
    Entrypoint(Command),
    /// Ports, ranges of ports, variables.
    Expose(Vec<Word>),
    /// A user, or a user and a group.
    User(Word),
    /// A folder, absolute or below the last one.
    Workdir(Word),
    /// Folders.
    Volume(Vec<Word>),
    /// A name or number.
    Stopsignal(Word),
    /// `HEALTHCHECK`; times are among the flags.
    Healthcheck(Healthcheck),
    /// `SHELL ["program", "argument"]`.
    Shell(Vec<Word>),
    /// `ONBUILD` and its trigger.
    Onbuild(Box<Instruction>),
    /// A name; out of use.
    Maintainer(Word),
}

/// One name of an `ARG`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The name.
    pub name: Word,
    /// What it is if nobody sets it.
    pub default: Option<Word>,
}

/// One name and its value, of `ENV` or `LABEL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The name; may be quoted in a `LABEL`.
    pub name: Word,
    /// The value, with quotes and variables.
    pub value: Word,
}

/// A program with arguments, or a line for a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The JSON form.
    Exec(Vec<Word>),
    /// The rest of the line; the shell gets it as it is.
    Shell(Word),
}

/// What `RUN` is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What runs; with a heredoc in the first place of the shell form, the heredoc is the script.
    pub command: Command,
    /// Its `--mount` flags.
    pub mounts: Vec<Mount>,
}

/// `--mount=type=…,from=…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The flag.
    pub span: Extent,
    /// Its fields in order: key (in small letters) and value.
    pub fields: Vec<(String, Option<Word>)>,
}

impl Mount {
    /// The value of a field, under any of its names.
    pub fn field(&self, names: &[&str]) -> Option<&Word> {
        self.fields.iter().find(|(key, _)| names.contains(&key.as_str()))?.1.as_ref()
    }

    /// `bind`, `cache`, `tmpfs`, `secret` or `ssh`.
    pub fn kind(&self) -> &str {
        self.field(&["type"]).map_or("bind", Word::text)
    }

    /// A stage or an image.
    pub fn from(&self) -> Option<&Word> {
        self.field(&["from"])
    }

    /// A path in [`Mount::from`], or in the context.
    pub fn source(&self) -> Option<&Word> {
        self.field(&["source", "src"])
    }

    /// Where it appears.
    pub fn target(&self) -> Option<&Word> {
        self.field(&["target", "dst", "destination"])
    }
}

/// What `COPY` and `ADD` are given; `--from` and the like are among the flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// At least one.
    pub sources: Vec<TransferSource>,
    /// A path.
    pub destination: Word,
}

/// One source of a `COPY` or `ADD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferSource {
    /// A path or an address.
    Written(Word),
    /// `<<NAME`: the text of a heredoc, by its number in [`Instruction::heredocs`], and the word that names it.
    Heredoc(usize, Word),
}

/// What `HEALTHCHECK` is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healthcheck {
    /// `NONE`: the one of the base is off.
    None,
    /// `CMD …`.
    Command(Command),
}

/// The text of a heredoc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends it, without quotes.
    pub name: String,
    /// `<<NAME` in the instruction.
    pub mark: Extent,
    /// The lines up to the one that ends it.
    pub body: Extent,
    /// The line that ends it.
    pub end: Extent,
    /// Variables in it are replaced (by the shell in `RUN`, by the builder in `COPY`): the name is not quoted.
    pub expand: bool,
    /// `<<-`: tabs at the start of its lines are taken away.
    pub strip_tabs: bool,
}

impl Heredoc {
    /// The text as a file gets it.
    pub fn content(&self, text: &str) -> String {
        self.word(text).text().to_owned()
    }

    /// The same, with the places of its parts.
    pub(super) fn word(&self, text: &str) -> Word {
        let mut traced = Traced::default();
        let mut at = self.body.start;
        for line in self.body.of(text).split_inclusive('\n') {
            let kept = line.trim_start_matches(|c| self.strip_tabs && c == '\t');
            traced.push(kept, at + line.len() - kept.len());
            at += line.len();
        }
        Word::new(traced, self.body, Quoting::Plain)
    }
}
