//! Every byte of a Dockerfile belongs to one part.

use super::{
    Argument, Command, Dockerfile, Extent, Healthcheck, Instruction, Kind, Pair, PieceKind, TransferSource, Word,
};

/// A part of a piece. Parts stand side by side, from the first byte of the file to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Where.
    pub span: Extent,
    /// What.
    pub kind: PartKind,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// The mark at the start of the file.
    ByteOrderMark,
    /// `# syntax=…` and the like.
    Directive,
    /// Lines with `#` between instructions.
    Comment,
    /// Blank lines between instructions.
    Blank,
    /// `RUN`, `COPY` …; a trigger has its own.
    Keyword,
    /// A flag.
    Flag,
    /// A word.
    Word,
    /// The lines of a heredoc.
    HeredocBody,
    /// The line that ends a heredoc.
    HeredocEnd,
    /// What is between the others in an instruction: blanks, `=`, brackets, escape characters and line ends, comments.
    Between,
}

impl Dockerfile {
    /// All parts in order; printing them gives the file.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for piece in &self.pieces {
            let kind = match piece.kind {
                PieceKind::ByteOrderMark => PartKind::ByteOrderMark,
                PieceKind::Directive(_) => PartKind::Directive,
                PieceKind::Comment => PartKind::Comment,
                PieceKind::Blank => PartKind::Blank,
                PieceKind::Instruction(number) => {
                    if let Some(instruction) = self.instructions.get(number) {
                        of_instruction(instruction, &mut parts);
                    }
                    continue;
                }
            };
            parts.push(Part { span: piece.span, kind });
        }
        parts
    }
}

fn of_instruction(instruction: &Instruction, parts: &mut Vec<Part>) {
    let mut known = Vec::new();
    collect(instruction, &mut known);
    known.sort_by_key(|part| part.span);
    let mut at = instruction.span.start;
    for part in known.into_iter().filter(|part| part.span.end > part.span.start) {
        if part.span.start > at {
            parts.push(Part { span: Extent::new(at, part.span.start), kind: PartKind::Between });
        }
        at = part.span.end;
        parts.push(part);
    }
    if instruction.span.end > at {
        parts.push(Part { span: Extent::new(at, instruction.span.end), kind: PartKind::Between });
    }
}

fn collect(instruction: &Instruction, known: &mut Vec<Part>) {
    known.push(Part { span: instruction.keyword_span, kind: PartKind::Keyword });
    known.extend(instruction.flags.iter().map(|flag| Part { span: flag.span, kind: PartKind::Flag }));
    for heredoc in &instruction.heredocs {
        known.push(Part { span: heredoc.body, kind: PartKind::HeredocBody });
        known.push(Part { span: heredoc.end, kind: PartKind::HeredocEnd });
    }
    if let Kind::Onbuild(trigger) = &instruction.kind {
        collect(trigger, known);
    }
    known.extend(instruction.words().iter().map(|word| Part { span: word.span, kind: PartKind::Word }));
}

impl Instruction {
    /// What it is given, word by word, without flags; the words of a trigger stand in the trigger.
    pub fn words(&self) -> Vec<&Word> {
        match &self.kind {
            Kind::From { base, name } => [base].into_iter().chain(name).collect(),
            Kind::Arg(arguments) => {
                arguments.iter().flat_map(|Argument { name, default }| [name].into_iter().chain(default)).collect()
            }
            Kind::Env(pairs) | Kind::Label(pairs) => {
                pairs.iter().flat_map(|Pair { name, value }| [name, value]).collect()
            }
            Kind::Run(run) => words_of(&run.command),
            Kind::Cmd(command) | Kind::Entrypoint(command) | Kind::Healthcheck(Healthcheck::Command(command)) => {
                words_of(command)
            }
            Kind::Copy(transfer) | Kind::Add(transfer) => {
                let sources = transfer.sources.iter().map(|source| match source {
                    TransferSource::Written(word) | TransferSource::Heredoc(_, word) => word,
                });
                sources.chain([&transfer.destination]).collect()
            }
            Kind::Expose(words) | Kind::Volume(words) | Kind::Shell(words) => words.iter().collect(),
            Kind::User(word) | Kind::Workdir(word) | Kind::Stopsignal(word) | Kind::Maintainer(word) => vec![word],
            Kind::Healthcheck(Healthcheck::None) | Kind::Onbuild(_) => Vec::new(),
        }
    }
}

fn words_of(command: &Command) -> Vec<&Word> {
    match command {
        Command::Exec(words) => words.iter().collect(),
        Command::Shell(word) => vec![word],
    }
}
