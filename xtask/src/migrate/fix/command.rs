//! `command` and `args` of a container whose image becomes another. They change together with the image, or not at all.

use super::Case;
use crate::migrate::edit::Edit;
use crate::migrate::scan::{Insertion, Words};

/// The edits that let a container start the right program, beside that of its image.
pub(super) fn edits(case: &Case<'_>) -> Result<Vec<Edit>, String> {
    let Some(container) = &case.place.container else { return Ok(Vec::new()) };
    let mut edits = Vec::new();
    let mut added = String::new();
    let insertion = case.place.insertion.as_ref();
    if let Some(wanted) = case.answer.command() {
        match &container.command {
            Some(own) if same_program(&own.words, wanted) => {}
            Some(own) if is_old(case, &own.words) => edits.push(replaced(own, wanted)),
            Some(own) => {
                return Err(format!(
                    "its command `{}` is not that of the retired image, and the new one is started with `{}`: decide what is meant",
                    own.words.join(" "),
                    wanted.join(" ")
                ));
            }
            None => added.push_str(&line(insertion, "command", wanted)?),
        }
    }
    if let Some(wanted) = case.answer.args() {
        match &container.args {
            Some(own) if own.words == wanted => {}
            Some(own) if own.words.is_empty() => {
                return Err(format!("its args must be {}, and cannot be read here", list(wanted)));
            }
            Some(own) => edits.push(replaced(own, wanted)),
            None => added.push_str(&line(insertion, "args", wanted)?),
        }
    }
    if let (Some(insertion), false) = (insertion, added.is_empty()) {
        edits.push(Edit::insert(insertion.at, added));
    }
    Ok(edits)
}

/// The program is the same, whatever its arguments.
fn same_program(own: &[String], wanted: &[String]) -> bool {
    own == wanted || (wanted.len() == 1 && own.first() == wanted.first())
}

fn is_old(case: &Case<'_>, own: &[String]) -> bool {
    let old = case.answer.steps.iter().filter_map(|entry| entry.old_command.as_deref());
    old.into_iter().any(|old| own.first() == old.first())
}

fn line(insertion: Option<&Insertion>, key: &str, words: &[String]) -> Result<String, String> {
    let insertion = insertion.ok_or_else(|| format!("`{key}` must be {}, and cannot be added here", list(words)))?;
    let quote = if insertion.is_json { "\"" } else { "" };
    Ok(format!("{}{quote}{key}{quote}: {}", insertion.before, list(words)))
}

/// A block is replaced from behind its colon, a list in brackets as it stands.
fn replaced(own: &Words, words: &[String]) -> Edit {
    let blank = if own.is_block { " " } else { "" };
    Edit::replace(own.range.clone(), format!("{blank}{}", list(words)))
}

/// `["/a", "b"]`: JSON, which YAML reads as well.
fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| serde_json::Value::from(word.as_str()).to_string()).collect();
    format!("[{}]", words.join(", "))
}
