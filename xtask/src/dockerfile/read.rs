//! One instruction, from its joined line. What each one takes is that of BuildKit's `parser` and `instructions`.

use std::ops::{Range, RangeInclusive};

use super::error::DockerfileError;
use super::json::{Array, array};
use super::place::{Quoting, Traced};
use super::{
    Argument, Command, Extent, Flag, Healthcheck, Instruction, Keyword, Kind, Mount, Pair, Run, Transfer,
    TransferSource, Word, flags, time, words,
};

/// What is known while one instruction is read.
pub(super) struct Reader<'a> {
    /// The joined line.
    pub line: &'a Traced,
    /// Its lines in the file.
    pub lines: RangeInclusive<usize>,
    pub escape: char,
    pub errors: &'a mut Vec<DockerfileError>,
}

impl Reader<'_> {
    /// The instruction in a part of the line; `None` when it is none, and then an error has been added.
    pub fn instruction(&mut self, range: Range<usize>, span: Extent) -> Option<Instruction> {
        let range = words::trim(&self.line.text, range);
        let (name, rest) = words::first(&self.line.text, range.clone());
        let keyword_span = self.line.extent(name.clone());
        let name = self.line.text[name].to_ascii_uppercase();
        let Some((_, keyword)) = Keyword::ALL.into_iter().find(|(known, _)| *known == name) else {
            let error = match name.as_str() {
                "" => DockerfileError::new(span, "nothing follows the continued line").help("remove the line"),
                name => {
                    let known = Keyword::ALL.iter().map(|(name, _)| *name);
                    DockerfileError::new(keyword_span, format!("there is no instruction `{name}`")).suggest(name, known)
                }
            };
            self.errors.push(error);
            return None;
        };
        let (flags, rest) = words::flags(self.line, rest);
        let before = self.errors.len();
        flags::check(keyword, &flags, self.errors);
        let kind = self.kind(keyword, &flags, rest, keyword_span);
        match kind {
            Ok(kind) if self.errors.len() == before => {
                let lines = self.lines.clone();
                Some(Instruction { span, lines, keyword, keyword_span, flags, kind, heredocs: Vec::new() })
            }
            Ok(_) => None,
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn kind(
        &mut self,
        keyword: Keyword,
        flags: &[Flag],
        rest: Range<usize>,
        at: Extent,
    ) -> Result<Kind, DockerfileError> {
        Ok(match keyword {
            Keyword::From => self.from(rest, at)?,
            Keyword::Arg => Kind::Arg(self.arguments(rest, at)?),
            Keyword::Env => Kind::Env(self.pairs(Keyword::Env, rest, at)?),
            Keyword::Label => Kind::Label(self.pairs(Keyword::Label, rest, at)?),
            Keyword::Run => Kind::Run(self.run(flags, rest, at)?),
            Keyword::Copy => Kind::Copy(self.transfer(keyword, rest, at)?),
            Keyword::Add => Kind::Add(self.transfer(keyword, rest, at)?),
            Keyword::Cmd => Kind::Cmd(self.command(rest)?),
            Keyword::Entrypoint => Kind::Entrypoint(self.command(rest)?),
            Keyword::Expose => Kind::Expose(some(words::between_blanks(self.line, rest), keyword, at)?),
            Keyword::User => Kind::User(self.rest(keyword, rest, at)?),
            Keyword::Workdir => Kind::Workdir(self.rest(keyword, rest, at)?),
            Keyword::Stopsignal => Kind::Stopsignal(self.rest(keyword, rest, at)?),
            Keyword::Maintainer => Kind::Maintainer(self.rest(keyword, rest, at)?),
            Keyword::Volume => {
                let volumes = some(self.list(rest)?, keyword, at)?;
                if let Some(empty) = volumes.iter().find(|volume| volume.text().trim().is_empty()) {
                    return Err(DockerfileError::new(empty.span, "a volume needs a path").help("remove it"));
                }
                Kind::Volume(volumes)
            }
            Keyword::Healthcheck => Kind::Healthcheck(self.healthcheck(flags, rest, at)?),
            Keyword::Shell => Kind::Shell(self.shell(rest, at)?),
            Keyword::Onbuild => self.trigger(rest, at)?,
        })
    }

    fn part(&self, range: Range<usize>) -> Traced {
        self.line.part(range)
    }

    fn rest(&self, keyword: Keyword, rest: Range<usize>, at: Extent) -> Result<Word, DockerfileError> {
        if rest.is_empty() {
            return Err(needs(keyword, "an argument", at));
        }
        Ok(words::plain(self.line, rest))
    }

    fn from(&self, rest: Range<usize>, at: Extent) -> Result<Kind, DockerfileError> {
        let mut words = words::between_blanks(self.line, rest.clone());
        let name = match words.as_slice() {
            [] => return Err(needs(Keyword::From, "an image", at)),
            [_] => None,
            [_, r#as, _] if r#as.text().eq_ignore_ascii_case("as") => words.pop(),
            _ => {
                let error = DockerfileError::new(self.line.extent(rest), "FROM takes an image, or an image AS a name");
                return Err(error.help("write `FROM image AS name`"));
            }
        };
        if let Some(name) = name.as_ref().filter(|name| !is_stage_name(name.text())) {
            let error = DockerfileError::new(name.span, format!("`{}` cannot be the name of a stage", name.text()));
            return Err(error.help("a name begins with a letter; letters, digits, `-`, `_` and `.` follow"));
        }
        Ok(Kind::From { base: words.swap_remove(0), name })
    }

    fn arguments(&self, rest: Range<usize>, at: Extent) -> Result<Vec<Argument>, DockerfileError> {
        let words = some(words::quoted(self.line, rest, self.escape), Keyword::Arg, at)?;
        words
            .into_iter()
            .map(|word| {
                let Some(equals) = word.text().find('=') else { return Ok(Argument { name: word, default: None }) };
                let (name, default) = halves(&word, equals);
                if name.text().is_empty() {
                    return Err(DockerfileError::new(word.span, "an ARG needs a name").help("write `ARG name=default`"));
                }
                Ok(Argument { name, default: Some(default) })
            })
            .collect()
    }

    fn pairs(&self, keyword: Keyword, rest: Range<usize>, at: Extent) -> Result<Vec<Pair>, DockerfileError> {
        let words = some(words::quoted(self.line, rest.clone(), self.escape), keyword, at)?;
        if !words[0].text().contains('=') {
            let (name, value) = words::first(&self.line.text, rest);
            let name = words::plain(self.line, name);
            if value.is_empty() {
                let error = DockerfileError::new(name.span, format!("`{}` has no value", name.text()));
                return Err(error.help(format!("write `{} name=value`", keyword.name())));
            }
            return Ok(vec![Pair { name, value: words::plain(self.line, value) }]);
        }
        words
            .into_iter()
            .map(|word| {
                let wrong = |message| Err(DockerfileError::new(word.span, message).help("write `name=value`"));
                match word.text().find('=') {
                    None => wrong(format!("`{}` has no `=`", word.text())),
                    Some(0) => wrong(format!("`{}` has no name", word.text())),
                    Some(equals) => {
                        let (name, value) = halves(&word, equals);
                        Ok(Pair { name, value })
                    }
                }
            })
            .collect()
    }

    fn command(&self, rest: Range<usize>) -> Result<Command, DockerfileError> {
        let part = self.part(rest.clone());
        Ok(match array(&part) {
            Array::Texts(words) => Command::Exec(words),
            Array::Other => Command::Shell(words::plain(self.line, rest)),
            Array::Mixed => return Err(mixed(self.line.extent(rest))),
        })
    }

    fn list(&self, rest: Range<usize>) -> Result<Vec<Word>, DockerfileError> {
        match array(&self.part(rest.clone())) {
            Array::Texts(words) => Ok(words),
            Array::Other => Ok(words::between_blanks(self.line, rest)),
            Array::Mixed => Err(mixed(self.line.extent(rest))),
        }
    }

    fn run(&self, flags: &[Flag], rest: Range<usize>, at: Extent) -> Result<Run, DockerfileError> {
        if rest.is_empty() {
            return Err(needs(Keyword::Run, "a command", at));
        }
        let mounts = flags.iter().filter(|flag| flag.name == "mount").filter_map(mount).collect();
        Ok(Run { command: self.command(rest)?, mounts })
    }

    fn transfer(&self, keyword: Keyword, rest: Range<usize>, at: Extent) -> Result<Transfer, DockerfileError> {
        let mut words = self.list(rest)?;
        let is_json = words.first().is_some_and(|word| word.quoting == Quoting::Json);
        let destination = words.pop().filter(|_| !words.is_empty());
        let destination = destination.ok_or_else(|| needs(keyword, "a source and a destination", at))?;
        if !is_json && words::mark(destination.text()).is_some() {
            let error = DockerfileError::new(destination.span, "a heredoc cannot be a destination");
            return Err(error.help("name a path after it"));
        }
        // the texts are found later, in this order
        let mut heredocs = 0..;
        let sources = words.into_iter().map(|word| {
            let heredoc = if is_json { None } else { words::mark(word.text()).and_then(|_| heredocs.next()) };
            match heredoc {
                Some(number) => TransferSource::Heredoc(number, word),
                None => TransferSource::Written(word),
            }
        });
        Ok(Transfer { sources: sources.collect(), destination })
    }

    fn healthcheck(&self, flags: &[Flag], rest: Range<usize>, at: Extent) -> Result<Healthcheck, DockerfileError> {
        const HELP: &str = "write `HEALTHCHECK CMD command`, or `HEALTHCHECK NONE`";
        if rest.is_empty() {
            return Err(needs(Keyword::Healthcheck, "CMD or NONE", at));
        }
        let (kind, rest) = words::first(&self.line.text, rest);
        let kind_span = self.line.extent(kind.clone());
        let wrong = |message: &str| Err(DockerfileError::new(kind_span, message).help(HELP));
        match self.line.text[kind].to_ascii_uppercase().as_str() {
            "NONE" if rest.is_empty() => return Ok(Healthcheck::None),
            "NONE" => return wrong("HEALTHCHECK NONE takes nothing"),
            "CMD" if rest.is_empty() => return wrong("HEALTHCHECK CMD needs a command"),
            "CMD" => {}
            _ => return wrong("HEALTHCHECK takes CMD or NONE"),
        }
        for flag in flags {
            let Some(value) = &flag.value else { continue };
            let problem = match flag.name.as_str() {
                "retries" => value.text().parse::<u32>().err().map(|_| "is no number"),
                _ => time::duration(value.text()).err(),
            };
            if let Some(problem) = problem {
                let error = DockerfileError::new(value.span, format!("`{}` {problem}", value.text()));
                return Err(error.help("a time is written as `30s` or `1m30s`, retries as `3`"));
            }
        }
        Ok(Healthcheck::Command(self.command(rest)?))
    }

    fn shell(&self, rest: Range<usize>, at: Extent) -> Result<Vec<Word>, DockerfileError> {
        match array(&self.part(rest.clone())) {
            Array::Texts(words) if !words.is_empty() => Ok(words),
            Array::Mixed => Err(mixed(self.line.extent(rest))),
            _ => {
                let place = if rest.is_empty() { at } else { self.line.extent(rest) };
                let error = DockerfileError::new(place, "SHELL needs a program in the JSON form");
                Err(error.help("write `SHELL [\"/bin/sh\", \"-c\"]`"))
            }
        }
    }

    fn trigger(&mut self, rest: Range<usize>, at: Extent) -> Result<Kind, DockerfileError> {
        if rest.is_empty() {
            return Err(needs(Keyword::Onbuild, "an instruction", at));
        }
        let span = self.line.extent(rest.clone());
        let before = self.errors.len();
        let (name, _) = words::first(&self.line.text, rest.clone());
        let name_span = self.line.extent(name.clone());
        if ["ONBUILD", "FROM", "MAINTAINER"]
            .iter()
            .any(|name_of| name_of.eq_ignore_ascii_case(&self.line.text[name.clone()]))
        {
            let error = DockerfileError::new(name_span, "this instruction cannot be a trigger");
            return Err(error.help("ONBUILD takes any instruction but FROM, MAINTAINER and ONBUILD"));
        }
        match self.instruction(rest, span) {
            Some(instruction) => Ok(Kind::Onbuild(Box::new(instruction))),
            None => Err(self.errors.split_off(before).swap_remove(0)),
        }
    }
}

/// The parts of a word before and after a byte.
fn halves(word: &Word, equals: usize) -> (Word, Word) {
    (word.part(0..equals), word.part(equals + 1..word.text().len()))
}

fn needs(keyword: Keyword, what: &str, at: Extent) -> DockerfileError {
    DockerfileError::new(at, format!("{} needs {what}", keyword.name())).help("add it, or remove the line")
}

fn some(words: Vec<Word>, keyword: Keyword, at: Extent) -> Result<Vec<Word>, DockerfileError> {
    if words.is_empty() { Err(needs(keyword, "an argument", at)) } else { Ok(words) }
}

fn mixed(at: Extent) -> DockerfileError {
    DockerfileError::new(at, "the JSON form takes texts only").help("put every element into double quotes")
}

/// What BuildKit takes for the name of a stage, in small letters.
pub(super) fn is_stage_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// The fields of a `--mount`: comma-separated, a field may stand in double quotes.
fn mount(flag: &Flag) -> Option<Mount> {
    let value = flag.value.as_ref()?;
    let text = value.text();
    let (mut fields, mut start, mut is_quoted) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices().chain([(text.len(), ',')]) {
        if c == '"' {
            is_quoted = !is_quoted;
        } else if c == ',' && (!is_quoted || at == text.len()) {
            let mut field = start..at;
            if text[field.clone()].len() > 1
                && text[field.clone()].starts_with('"')
                && text[field.clone()].ends_with('"')
            {
                field = field.start + 1..field.end - 1;
            }
            let equals = text[field.clone()].find('=').map(|equals| field.start + equals);
            let key = text[field.start..equals.unwrap_or(field.end)].to_ascii_lowercase();
            fields.push((key, equals.map(|equals| value.part(equals + 1..field.end))));
            start = at + 1;
        }
    }

    Some(Mount { span: flag.span, fields })
}
