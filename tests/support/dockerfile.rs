//! A reader of Dockerfiles that knows nothing of the one who wrote them. After
//! <https://docs.docker.com/reference/dockerfile/> and what BuildKit's `parser.go` and `shlex` do:
//!
//! - The first lines may be parser directives (`# key=value`); any other line with `#` at its start is a comment, also
//!   between the lines of one instruction.
//! - A `\` at the end of a line, spaces after it aside, joins the next one. Lines end at `\n`, nowhere else.
//! - `LABEL` and `ENV` take `key=value` pairs of words; a word may be quoted, `\` escapes, and `$` is replaced.
//! - `ENTRYPOINT`, `CMD`, `RUN` and `COPY` take JSON; paths of `COPY` are words all the same, the others are not.
//! - Anything else is the rest of the line, spaces (as Unicode has them) at both ends removed.

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// In capitals.
    pub name: String,
    /// Flags such as `--from=x`.
    pub flags: Vec<String>,
    /// What the instruction is given.
    pub arguments: Arguments,
}

/// What an instruction is given, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// `LABEL` and `ENV`.
    Pairs(Vec<(String, String)>),
    /// The JSON form.
    Words(Vec<String>),
    /// The rest of the line.
    Text(String),
}

/// Longest line that BuildKit reads.
const MAX_LINE: usize = 65_535;

/// All instructions of a Dockerfile.
///
/// # Errors
/// Whatever Docker would refuse, or would read as something else than text: directives, variables, open quotes.
pub fn read(text: &str) -> Result<Vec<Instruction>, String> {
    let mut instructions = Vec::new();
    let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).enumerate();
    let mut at_top = true;
    while let Some((number, line)) = lines.next() {
        if line.len() > MAX_LINE {
            return Err(format!("line {} has more than {MAX_LINE} bytes", number + 1));
        }
        if at_top && let Some(directive) = directive(line) {
            return Err(format!("line {} is the parser directive `{directive}`", number + 1));
        }
        at_top = at_top && line.starts_with('#');
        if is_comment(line) || line.trim().is_empty() {
            continue;
        }
        let mut whole = String::new();
        let mut part = Some(line);
        while let Some(line) = part {
            let (line, goes_on) = continued(line);
            whole.push_str(line);
            part = if goes_on { lines.by_ref().map(|(_, line)| line).find(|line| !is_comment(line)) } else { None };
        }
        instructions.push(instruction(&whole).map_err(|error| format!("line {}: {error}: {whole}", number + 1))?);
    }
    Ok(instructions)
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// `# key=value`: any key counts, since engines learn new ones.
fn directive(line: &str) -> Option<&str> {
    let (key, value) = line.strip_prefix('#')?.trim_start().split_once('=')?;
    let key = key.trim_end();
    let is_key = key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_key && !value.trim().is_empty()).then_some(line)
}

fn continued(line: &str) -> (&str, bool) {
    match line.trim_end_matches([' ', '\t']).strip_suffix('\\') {
        Some(line) => (line, true),
        None => (line, false),
    }
}

fn instruction(line: &str) -> Result<Instruction, String> {
    let line = line.trim();
    let (name, mut rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let name = name.to_ascii_uppercase();
    let mut flags = Vec::new();
    rest = rest.trim_start();
    while rest.starts_with("--") {
        let (flag, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        flags.push(flag.to_owned());
        rest = after.trim_start();
    }
    let arguments = match name.as_str() {
        "LABEL" | "ENV" => Arguments::Pairs(pairs(rest)?),
        "ENTRYPOINT" | "CMD" | "COPY" | "RUN" | "VOLUME" if rest.starts_with('[') => {
            let words: Vec<String> = serde_json::from_str(rest).map_err(|error| error.to_string())?;
            let plain = |word: &String| unquoted(word).as_ref() == Ok(word);
            if ["COPY", "VOLUME"].contains(&name.as_str()) && !words.iter().all(plain) {
                return Err("a path that changes when it is expanded".to_owned());
            }
            Arguments::Words(words)
        }
        "RUN" => Arguments::Text(rest.to_owned()),
        "HEALTHCHECK" => Arguments::Text(rest.strip_prefix("CMD ").unwrap_or(rest).to_owned()),
        "ARG" | "FROM" | "WORKDIR" | "USER" | "EXPOSE" | "STOPSIGNAL" => Arguments::Text(unquoted(rest)?),
        _ => return Err(format!("`{name}` is no instruction that is expected")),
    };
    Ok(Instruction { name, flags, arguments })
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    for word in words(text) {
        let split = word.find('=').ok_or("a word without `=`")?;
        pairs.push((unquoted(&word[..split])?, unquoted(&word[split + 1..])?));
    }
    Ok(pairs)
}

/// Words parted by spaces that stand outside of quotes; quotes are kept.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut escaped) = (Vec::new(), String::new(), None, false);
    for character in text.chars() {
        if quote.is_none() && !escaped && character.is_whitespace() {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            continue;
        }
        word.push(character);
        if escaped {
            escaped = false;
        } else if character == '\\' && quote != Some('\'') {
            escaped = true;
        } else if quote == Some(character) {
            quote = None;
        } else if quote.is_none() && (character == '"' || character == '\'') {
            quote = Some(character);
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// A word without its quotes and escapes. A `$` that would be replaced is an error: nothing here is a variable.
fn unquoted(word: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut characters = word.chars();
    let mut in_double = false;
    while let Some(character) = characters.next() {
        match character {
            '"' => in_double = !in_double,
            '\'' if !in_double => loop {
                match characters.next().ok_or("an open `'`")? {
                    '\'' => break,
                    inside => text.push(inside),
                }
            },
            '\\' => match characters.next().ok_or("a `\\` at the end")? {
                escaped if !in_double || matches!(escaped, '"' | '$' | '\\') => text.push(escaped),
                other => text.extend(['\\', other]),
            },
            '$' => return Err("a variable".to_owned()),
            other => text.push(other),
        }
    }
    if in_double { Err("an open `\"`".to_owned()) } else { Ok(text) }
}
