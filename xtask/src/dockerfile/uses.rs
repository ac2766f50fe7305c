//! Where stages and variables are named, and other words in their places.

use super::error::DockerfileError;
use super::evaluate::{ImageRole, sources};
use super::expand::{Expanded, expand, expand_text};
use super::place::Quoting;
use super::scope::{Outside, Scope};
use super::{Dockerfile, Extent, Instruction, Kind, Transfer, TransferSource, Word};

/// A place that names a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageUse {
    /// The stage that is named, by its number.
    pub stage: usize,
    /// What to replace.
    pub span: Extent,
    /// The stage in which it is named, by its number.
    pub by: usize,
    /// How a word is written there.
    pub quoting: Quoting,
}

/// Which variables a word sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VariableScope {
    /// Those of `ARG`s before the first `FROM`.
    Global,
    /// Those of a stage, by its number.
    Stage(usize),
}

/// A place that names a variable: `name` in `ARG name=x`, `ENV name=x`, `$name` or `${name:-x}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableUse {
    /// The name.
    pub name: String,
    /// The name alone, without `$` and braces.
    pub span: Extent,
    /// Whose variable it is.
    pub scope: VariableScope,
    /// It is set here, not used.
    pub is_definition: bool,
    /// The instruction, by its number.
    pub instruction: usize,
}

/// Other text at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What to replace; where to insert, if it is empty.
    pub span: Extent,
    /// The new text.
    pub text: String,
}

/// The Dockerfile with other texts at some places, and every other byte as it was.
///
/// # Errors
/// Places that overlap, or that are not in the file.
pub fn rewrite(dockerfile: &Dockerfile, edits: &[Edit]) -> Result<String, DockerfileError> {
    rewrite_part(dockerfile, Extent::new(0, dockerfile.text().len()), edits)
}

/// The same for a part of the file; all places are in it.
fn rewrite_part(dockerfile: &Dockerfile, part: Extent, edits: &[Edit]) -> Result<String, DockerfileError> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.span);
    let mut text = String::new();
    let mut at = part.start;
    for edit in edits {
        let before = dockerfile.text().get(at..edit.span.start).filter(|_| edit.span.end <= part.end);
        let Some(before) = before else {
            return Err(DockerfileError::new(edit.span, "two changes of one place").help("change it once"));
        };
        text.push_str(before);
        text.push_str(&edit.text);
        at = edit.span.end;
    }
    let rest = dockerfile.text().get(at..part.end);
    let rest =
        rest.ok_or_else(|| DockerfileError::new(part, "a change that cuts a letter").help("change all of it"))?;
    text.push_str(rest);
    Ok(text)
}

impl Dockerfile {
    /// Some lines of the file with other texts at some places in them; see [`rewrite`].
    ///
    /// # Errors
    /// Places that overlap, or that are not in that part.
    pub fn rewritten(&self, part: Extent, edits: &[Edit]) -> Result<String, DockerfileError> {
        rewrite_part(self, part, edits)
    }

    /// Every place that names a stage by its name or number: `FROM`, `COPY --from`, `RUN --mount=from=`. The place where
    /// a stage gets its name is [`super::Stage::name`].
    pub fn stage_uses(&self) -> Vec<StageUse> {
        let mut uses = Vec::new();
        for stage in self.stages() {
            let by = stage.index;
            // a trigger runs in a later stage, and may name any above that one
            let mut push = |word: &Word, below: usize, is_number: bool| {
                let named = self.stage_before(word.text(), below).map(|stage| stage.index);
                let number = || word.text().parse().ok().filter(|number| is_number && *number < below);
                if let Some(stage) = named.or_else(number) {
                    uses.push(StageUse { stage, span: word.span, by, quoting: word.quoting });
                }
            };
            if stage.base.text() != "scratch" {
                push(&stage.base, by, false);
            }
            for instruction in self.stage_instructions(stage) {
                let (inner, below) = match &instruction.kind {
                    Kind::Onbuild(trigger) => (&**trigger, self.stages().len()),
                    _ => (instruction, by),
                };
                sources(inner).for_each(|(_, word): (ImageRole, &Word)| push(word, below, true));
            }
        }
        uses
    }

    /// Every place that names a variable that the builder sets or replaces. What shells do in `RUN` is not among them.
    pub fn variable_uses(&self) -> Vec<VariableUse> {
        let mut uses = Vec::new();
        let first = self.stages().first().map_or(0, |stage| stage.instructions.start);
        let mut stage = 0;
        for (number, instruction) in self.instructions().iter().enumerate() {
            while self.stages().get(stage).is_some_and(|stage| stage.instructions.end <= number) {
                stage += 1;
            }
            let is_from = matches!(instruction.kind, Kind::From { .. });
            let scope = if number < first || is_from { VariableScope::Global } else { VariableScope::Stage(stage) };
            let inner = if let Kind::Onbuild(trigger) = &instruction.kind { trigger } else { instruction };
            let mut push = |name: String, span, is_definition| {
                uses.push(VariableUse { name, span, scope, is_definition, instruction: number });
            };
            let names: Vec<&Word> = match &inner.kind {
                Kind::Arg(arguments) => arguments.iter().map(|argument| &argument.name).collect(),
                Kind::Env(pairs) => pairs.iter().map(|pair| &pair.name).collect(),
                _ => Vec::new(),
            };
            // a name with variables or quotes in it is made up by the builder
            for name in names.into_iter().filter(|name| !name.text().contains(['$', '"', '\'', self.escape()])) {
                push(name.text().to_owned(), name.span, true);
            }
            for (name, span) in self.variables(inner) {
                push(name, span, false);
            }
            for heredoc in instruction.heredocs.iter().filter(|heredoc| heredoc.expand) {
                if matches!(inner.kind, Kind::Copy(_) | Kind::Add(_)) {
                    let word = heredoc.word(self.text());
                    let found = expand_text(&word, &nothing());
                    found
                        .into_iter()
                        .flat_map(|found| found.variables)
                        .for_each(|(name, span)| push(name, span, false));
                }
            }
        }
        uses
    }

    /// The variables in the words that the builder expands.
    fn variables(&self, instruction: &Instruction) -> Vec<(String, Extent)> {
        let found = |word: &Word| expand(word, &nothing(), self.escape()).map(|Expanded { variables, .. }| variables);
        expanded_words(instruction).into_iter().filter_map(|word| found(word).ok()).flatten().collect()
    }
}

/// A scope in which every variable is unknown, so that nothing is an error for want of a value.
fn nothing() -> Scope {
    Scope::stage(Outside::Image)
}

/// The words of an instruction in which the builder replaces variables.
fn expanded_words(instruction: &Instruction) -> Vec<&Word> {
    let flag_values = |names: &'static [&str]| {
        let flags = instruction.flags.iter().filter(|flag| names.contains(&flag.name.as_str()));
        flags.filter_map(|flag| flag.value.as_ref())
    };
    match &instruction.kind {
        Kind::From { base, .. } => [base].into_iter().chain(flag_values(&["platform"])).collect(),
        Kind::Copy(Transfer { sources, destination }) | Kind::Add(Transfer { sources, destination }) => {
            let sources = sources.iter().filter_map(|source| match source {
                TransferSource::Written(word) => Some(word),
                TransferSource::Heredoc(..) => None,
            });
            let flags = flag_values(&["chown", "chmod", "checksum", "exclude"]);
            sources.chain([destination]).chain(flags).collect()
        }
        Kind::Run(run) => {
            let fields = run.mounts.iter().flat_map(|mount| &mount.fields);
            fields.filter_map(|(_, value)| value.as_ref()).collect()
        }
        Kind::Arg(_) | Kind::Env(_) | Kind::Label(_) => instruction.words(),
        Kind::Expose(_) | Kind::User(_) | Kind::Workdir(_) | Kind::Volume(_) | Kind::Stopsignal(_) => {
            instruction.words()
        }
        Kind::Cmd(_) | Kind::Entrypoint(_) | Kind::Shell(_) | Kind::Healthcheck(_) => Vec::new(),
        Kind::Onbuild(_) | Kind::Maintainer(_) => Vec::new(),
    }
}
