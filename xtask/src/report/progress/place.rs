//! Which line of a Dockerfile a step comes from.
//!
//! An engine names a step `[stage 2/3] RUN make`: the stage, a position, the instruction. The text finds the line. It may
//! differ from what is written, because the engine has put variables in and joined continued lines; then the position
//! does: BuildKit counts `RUN`, `COPY`, `ADD` and `WORKDIR` within the stage, and `FROM` too where it fetches an image.

use crate::engine::Step;

/// An instruction of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// First line, from 1.
    pub line: usize,
    /// The instruction as it is written, continued lines included.
    pub text: String,
}

/// One instruction, and the stage it belongs to.
struct Instruction<'a> {
    stage: usize,
    line: usize,
    lines: Vec<&'a str>,
}

/// Finds the instruction of a step.
pub fn find(dockerfile: &str, step: &Step) -> Option<Place> {
    let (stage, position, text) = step.parts();
    let all = instructions(dockerfile);
    let in_stage: Vec<&Instruction<'_>> = match stage.map(|name| stage_index(&all, name)) {
        Some(index) => all.iter().filter(|instruction| Some(instruction.stage) == index).collect(),
        // Only a Dockerfile with a single stage has steps without one.
        None => all.iter().collect(),
    };
    let wanted = normal(text);
    let mut same = in_stage.iter().filter(|instruction| instruction.normal() == wanted);
    let first = same.next();
    let unique = first.filter(|_| same.next().is_none());
    let by_position = || by_position(&in_stage, position?);
    unique.or_else(by_position).or(first).map(|instruction| instruction.place())
}

/// The first `FROM` or `COPY --from` that names an image. Engines write references out in full; files seldom do.
pub(super) fn find_reference(dockerfile: &str, reference: &str) -> Option<Place> {
    let short = reference.strip_prefix("docker.io/").unwrap_or(reference);
    let short = short.strip_prefix("library/").unwrap_or(short);
    let spellings = [reference, short, short.strip_suffix(":latest").unwrap_or(short)];
    let names = |word: &str| spellings.contains(&word.strip_prefix("--from=").unwrap_or(word));
    let wanted = |instruction: &&Instruction<'_>| {
        matches!(instruction.word().as_str(), "FROM" | "COPY") && instruction.lines[0].split_whitespace().any(names)
    };
    instructions(dockerfile).iter().find(wanted).map(Instruction::place)
}

/// The place that a parse error speaks of: `… parse error line 3: …` and its relatives.
pub(super) fn find_by_message(dockerfile: &str, message: &str) -> Option<Place> {
    let lower = message.to_ascii_lowercase();
    let (_, rest) = lower.split_once("parse error")?;
    let (_, rest) = rest.split_once("line ")?;
    let digits = rest.split(|character: char| !character.is_ascii_digit()).next()?;
    let line: usize = digits.parse().ok()?;
    let text = dockerfile.lines().nth(line.checked_sub(1)?)?;
    Some(Place { line, text: text.to_owned() })
}

/// The component of a stage: `comp-<name>`, `comp-<name>.build` or `comp-<name>.source`; no name has a dot.
pub fn component_of_stage(stage: &str) -> Option<&str> {
    let name = stage.strip_prefix("comp-")?;
    let name = name.split_once('.').map_or(name, |(name, _)| name);
    (!name.is_empty()).then_some(name)
}

impl Instruction<'_> {
    fn normal(&self) -> String {
        let parts: Vec<&str> = self.lines.iter().map(|line| line.trim_end().trim_end_matches('\\')).collect();
        normal(&parts.join(" "))
    }

    fn word(&self) -> String {
        self.lines[0].split_whitespace().next().unwrap_or_default().to_ascii_uppercase()
    }

    fn place(&self) -> Place {
        Place { line: self.line, text: self.lines.join("\n") }
    }
}

/// One space between words, the first word in capitals: two spellings of one instruction become equal.
fn normal(text: &str) -> String {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default().to_ascii_uppercase();
    words.fold(first, |text, word| text + " " + word)
}

/// Splits a Dockerfile at its instructions. Comments, also between continued lines, belong to none.
fn instructions(dockerfile: &str) -> Vec<Instruction<'_>> {
    let mut all: Vec<Instruction<'_>> = Vec::new();
    let (mut continued, mut stage) = (false, 0);
    for (index, line) in dockerfile.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        match all.last_mut() {
            Some(last) if continued => last.lines.push(line),
            _ => {
                let instruction = Instruction { stage: 0, line: index + 1, lines: vec![line] };
                stage += usize::from(instruction.word() == "FROM");
                all.push(Instruction { stage, ..instruction });
            }
        }
        continued = trimmed.ends_with('\\');
    }
    all
}

/// A stage by its name, or by the number BuildKit gives one without (`stage-2`, from 0).
fn stage_index(all: &[Instruction<'_>], name: &str) -> Option<usize> {
    let named = all.iter().find(|instruction| instruction.word() == "FROM" && stage_name(instruction) == Some(name));
    let numbered = || name.strip_prefix("stage-")?.parse::<usize>().ok().map(|index| index + 1);
    named.map(|instruction| instruction.stage).or_else(numbered)
}

fn stage_name<'a>(instruction: &Instruction<'a>) -> Option<&'a str> {
    let mut words = instruction.lines[0].split_whitespace().rev();
    let name = words.next()?;
    words.next().filter(|word| word.eq_ignore_ascii_case("as")).map(|_| name)
}

/// Counts from the end, where it does not matter whether `FROM` counts.
fn by_position<'a, 'b>(in_stage: &'a [&'a Instruction<'b>], position: &str) -> Option<&'a &'a Instruction<'b>> {
    let (number, of) = position.split_once('/')?;
    let from_end = of.parse::<usize>().ok()?.checked_sub(number.parse().ok()?)?;
    let counted = |word: &str| matches!(word, "RUN" | "COPY" | "ADD" | "WORKDIR" | "FROM");
    in_stage.iter().rev().filter(|instruction| counted(&instruction.word())).nth(from_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKERFILE: &str = "# generated\n\
        FROM rust:1 AS comp-a.build\n\
        WORKDIR /src\n\
        ENV X=1\n\
        COPY a /src/a\n\
        RUN cargo build \\\n    --release \\\n    # why\n    --locked\n\
        RUN true\n\
        FROM comp-a.build AS comp-a\n\
        RUN true\n\
        FROM scratch\n\
        COPY --from=comp-a $X /x\n";

    fn check(name: &str, expect: Option<usize>) {
        let step = Step { number: 1, name: name.to_owned() };
        assert_eq!(find(DOCKERFILE, &step).map(|place| place.line), expect, "{name}");
    }

    #[test]
    fn by_text() {
        check("[comp-a.build 1/5] FROM rust:1 AS comp-a.build", Some(2));
        check("[comp-a.build 3/5] COPY a /src/a", Some(5));
        check("[comp-a.build 4/5] RUN cargo build     --release     --locked", Some(6));
        check("[comp-a.build 5/5] RUN true", Some(10));
        check("[comp-a 1/1] RUN true", Some(12));
    }

    #[test]
    fn by_position_where_variables_were_put_in() {
        check("[stage-2 1/1] COPY --from=comp-a /real /x", Some(14));
        check("[comp-a.build 2/5] WORKDIR /else", Some(3));
    }

    #[test]
    fn nothing_is_invented() {
        check("[internal] load build context", None);
        check("exporting to image", None);
        check("[comp-unknown 1/2] RUN false", None);
    }

    #[test]
    fn parse_errors_have_a_line() {
        let line = |message: &str| find_by_message(DOCKERFILE, message).map(|place| place.line);
        assert_eq!(line("failed to solve: dockerfile parse error line 5: unknown instruction: COPPY"), Some(5));
        assert_eq!(line("Dockerfile parse error on line 5: x"), Some(5));
        assert_eq!(line("parse error line 999: x"), None);
        assert_eq!(line("exit code: 1"), None);
    }

    #[test]
    fn references_are_found_in_any_spelling() {
        let text = "FROM rust:1 AS a\nFROM r.example/b@sha256:00\nCOPY --from=c /x /x\n";
        let check =
            |reference: &str, expect| assert_eq!(find_reference(text, reference).map(|place| place.line), expect);
        check("docker.io/library/rust:1", Some(1));
        check("r.example/b@sha256:00", Some(2));
        check("docker.io/library/c:latest", Some(3));
        check("docker.io/library/d:latest", None);
    }

    #[test]
    fn components_are_told_from_stages() {
        let check = |stage: &str, expect| assert_eq!(component_of_stage(stage), expect);
        check("comp-a", Some("a"));
        check("comp-a-b.build", Some("a-b"));
        check("stage-1", None);
        check("comp-", None);
    }
}
