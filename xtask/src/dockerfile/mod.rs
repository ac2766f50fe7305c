//! Dockerfiles of other people, read completely and without loss. Text in, values out; nothing here touches a disk.
//!
//! | file | does |
//! |---|---|
//! | `place.rs` | [`Extent`], [`Word`]: texts that know where each of their bytes was written |
//! | `lines.rs` | lines into [`Piece`]s: directives, continued lines, comments, heredocs |
//! | `words.rs`, `json.rs`, `flags.rs`, `time.rs` | what stands on a joined line |
//! | `read.rs` | one [`Instruction`] from it |
//! | `instruction.rs` | the types of instructions |
//! | `parts.rs` | every byte of the file has its [`Part`]; printing them gives the file |
//! | `value.rs`, `scope.rs`, `expand.rs` | variables: [`Value`], known or unknown for a [`Reason`] |
//! | `evaluate/` | [`evaluate()`]: what the image of a stage will be, and what gives it files |
//! | `commands.rs`, `accounts.rs` | what stands in a `RUN`: commands, and the [`Accounts`] that they make |
//! | `uses.rs` | where stages, images and variables are named; [`rewrite`] puts other words there |
//! | `error.rs` | [`DockerfileError`]: what, where, next step |
//!
//! The authority is BuildKit's reader (`frontend/dockerfile/parser`, `instructions` and `shell` in moby/buildkit), as it is
//! described in <https://docs.docker.com/reference/dockerfile/>. Decisions where versions differ:
//!
//! - Two escape characters at the end of a line do not continue it, as in the BuildKit of Docker 20.10 and later.
//! - Heredocs are read whatever `# syntax=` says. The reader inside of Docker 20.10 does not know them.
//! - In `ARG a=1 b=$a`, `b` sees `a`, as in the BuildKit of today; that of Docker 20.10 leaves it empty.
//! - Of an `ENV` and an `ARG` of one name the later one counts below it. The reference says that `ENV` always wins; no
//!   BuildKit does that.
//! - Flags of an instruction that has none are an error; BuildKit passes over those of `ARG` and `STOPSIGNAL`.

mod accounts;
mod commands;
mod error;
mod evaluate;
mod expand;
mod flags;
mod instruction;
mod json;
mod lines;
mod parts;
mod place;
mod read;
mod scope;
pub(crate) mod time;
mod uses;
mod value;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;

pub use accounts::{Account, Accounts, PrimaryGroup};
pub use error::DockerfileError;
pub use evaluate::{
    Base, Check, CommandLine, CopyStep, EnvironmentVariable, Fact, ImageRole, ImageUse, MountUse, Origin, Ports, Reach,
    RunStep, Setting, Source, StageFacts, Step, StepKind, clean_path, evaluate,
};
pub use instruction::{
    Argument, Command, Directive, Flag, Healthcheck, Heredoc, Instruction, Keyword, Kind, Mount, Pair, Run, Transfer,
    TransferSource,
};
pub use parts::{Part, PartKind};
pub use place::{Extent, Quoting, Word};
pub use uses::{Edit, StageUse, VariableScope, VariableUse, rewrite};
pub use value::{Reason, Unknown, Value};
pub(crate) use words::double_quoted;

/// A Dockerfile: its text, and what stands where in it.
///
/// ```
/// use groupage::dockerfile::Dockerfile;
/// let file = Dockerfile::parse("FROM busybox AS base\nRUN echo \\\n  # why\n  hello\n").map_err(|errors| errors[0].clone())?;
/// assert_eq!(file.stages()[0].name.as_ref().map(|name| name.text()), Some("base"));
/// assert_eq!(file.pieces().iter().map(|piece| piece.span.of(file.text())).collect::<String>(), file.text());
/// # Ok::<(), groupage::dockerfile::DockerfileError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    text: String,
    escape: char,
    pieces: Vec<Piece>,
    directives: Vec<Directive>,
    instructions: Vec<Instruction>,
    stages: Vec<Stage>,
    /// Numbers of stages by their names in small letters, in order.
    names: BTreeMap<String, Vec<usize>>,
}

/// One piece of the file. Pieces stand side by side, from the first byte to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Whole lines, but for the byte order mark.
    pub span: Extent,
    /// What it is.
    pub kind: PieceKind,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    /// The mark at the start of the file.
    ByteOrderMark,
    /// By its number in [`Dockerfile::directives`].
    Directive(usize),
    /// Lines with `#`.
    Comment,
    /// Lines without anything.
    Blank,
    /// By its number in [`Dockerfile::instructions`].
    Instruction(usize),
}

/// A stage: `FROM` and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its number, from 0.
    pub index: usize,
    /// As written; [`Dockerfile::stage`] compares without case.
    pub name: Option<Word>,
    /// What it begins with.
    pub base: Word,
    /// The value of `--platform`.
    pub platform: Option<Word>,
    /// Its instructions by number, `FROM` among them.
    pub instructions: Range<usize>,
}

impl Dockerfile {
    /// Reads a Dockerfile.
    ///
    /// # Errors
    /// All that Docker would refuse before it builds anything, in order of place.
    pub fn parse(text: &str) -> Result<Self, Vec<DockerfileError>> {
        let mut read = lines::read(text);
        let stages = stages(&read.instructions, &mut read.errors);
        if read.errors.is_empty() && stages.is_empty() {
            let error = DockerfileError::new(Extent::new(0, 0), "there is no FROM in this Dockerfile");
            read.errors.push(error.help("begin with `FROM image`"));
        }
        if !read.errors.is_empty() {
            read.errors.sort_by_key(|error| error.span);
            return Err(read.errors);
        }
        let lines::Read { escape, pieces, directives, instructions, .. } = read;
        let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for stage in &stages {
            if let Some(name) = &stage.name {
                names.entry(name.text().to_ascii_lowercase()).or_default().push(stage.index);
            }
        }
        Ok(Self { text: text.to_owned(), escape, pieces, directives, instructions, stages, names })
    }

    /// The text that was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `\`, or what `# escape=` says.
    pub fn escape(&self) -> char {
        self.escape
    }

    /// The pieces of the file, side by side.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The directives at the top.
    pub fn directives(&self) -> &[Directive] {
        &self.directives
    }

    /// All instructions in order; triggers stand inside of their `ONBUILD`.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// All stages in order.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The instructions of a stage, `FROM` first.
    pub fn stage_instructions(&self, stage: &Stage) -> &[Instruction] {
        self.instructions.get(stage.instructions.clone()).unwrap_or_default()
    }

    /// The stage of a name or number, as `--target` has it; of two with one name, the later one.
    pub fn stage(&self, target: &str) -> Option<&Stage> {
        let number = || target.parse::<usize>().ok().and_then(|index| self.stages.get(index));
        self.stage_before(target, self.stages.len()).or_else(number)
    }

    /// The last stage of a name that stands before a number: what `FROM` and `--from` of that stage mean by it.
    pub fn stage_before(&self, name: &str, number: usize) -> Option<&Stage> {
        let numbers = self.names.get(&name.to_ascii_lowercase())?;
        let earlier = numbers.partition_point(|index| *index < number).checked_sub(1)?;
        self.stages.get(numbers[earlier])
    }

    /// The `ARG`s before the first `FROM`: only `FROM` and each other see them.
    pub fn global_args(&self) -> impl Iterator<Item = (&Instruction, &Argument)> {
        let end = self.stages.first().map_or(0, |stage| stage.instructions.start);
        self.instructions[..end].iter().flat_map(|instruction| {
            let arguments = if let Kind::Arg(arguments) = &instruction.kind { arguments.as_slice() } else { &[] };
            arguments.iter().map(move |argument| (instruction, argument))
        })
    }
}

fn stages(instructions: &[Instruction], errors: &mut Vec<DockerfileError>) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    // a FROM that could not be read has been reported
    let is_whole = errors.is_empty();
    for (number, instruction) in instructions.iter().enumerate() {
        if let Kind::From { base, name } = &instruction.kind {
            let platform = instruction.flag("platform").cloned();
            let (base, name, index) = (base.clone(), name.clone(), stages.len());
            stages.push(Stage { index, name, base, platform, instructions: number..number + 1 });
        } else if let Some(stage) = stages.last_mut() {
            stage.instructions.end = number + 1;
        } else if instruction.keyword != Keyword::Arg && is_whole {
            let message = format!("{} stands before the first FROM", instruction.keyword.name());
            let error = DockerfileError::new(instruction.keyword_span, message);
            errors.push(error.help("only ARG may stand there; begin with `FROM image`"));
        }
    }
    stages
}
