//! The fields of one map: taken out one by one, and what is left over is unknown.

use crate::problem::Problems;
use crate::yaml::{Key, Node, Value};

/// The fields that are not read yet, and the names that were asked for.
pub(super) struct Fields {
    line: usize,
    entries: Vec<(Key, Node)>,
    known: Vec<&'static str>,
}

impl Fields {
    /// The fields of `node`, which must be a map.
    pub(super) fn of(node: Node, what: &str, problems: &mut Problems<'_>) -> Option<Self> {
        match node.value {
            Value::Map(entries) => Some(Fields { line: node.line, entries, known: Vec::new() }),
            _ => {
                problems.add(node.line, format!("{what} must be a map of fields, such as `name: value`"));
                None
            }
        }
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, _)| key.name == name)
    }

    pub(super) fn optional(&mut self, name: &'static str) -> Option<(Key, Node)> {
        self.known.push(name);
        let at = self.entries.iter().position(|(key, _)| key.name == name)?;
        Some(self.entries.remove(at))
    }

    pub(super) fn required(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Option<(Key, Node)> {
        let field = self.optional(name);
        if field.is_none() {
            problems.add(self.line, format!("the field `{name}` is missing"));
        }
        field
    }

    /// A required text that is not empty.
    pub(super) fn text(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Option<String> {
        self.checked(name, problems, |_| Ok(()))
    }

    /// A required text that `check` accepts.
    pub(super) fn checked(
        &mut self,
        name: &'static str,
        problems: &mut Problems<'_>,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) -> Option<String> {
        let (_, node) = self.required(name, problems)?;
        let line = node.line;
        let text = text(node, &format!("`{name}`"), problems)?;
        match check(&text) {
            Ok(()) => Some(text),
            Err(expected) => {
                problems.add(line, format!("`{name}` is {text:?}; {expected}"));
                None
            }
        }
    }

    /// A required text that is one of `words`.
    pub(super) fn one_of(&mut self, name: &'static str, words: &[&str], problems: &mut Problems<'_>) -> Option<String> {
        self.checked(name, problems, |text| match words.contains(&text) {
            true => Ok(()),
            false => Err(format!("expected one of {}", words.join(", "))),
        })
    }

    /// A required name, as Kubernetes names its objects.
    pub(super) fn name(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Option<String> {
        self.checked(name, problems, |text| {
            let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
            let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            match text.starts_with(edge) && text.ends_with(edge) && text.chars().all(inner) && text.len() <= 253 {
                true => Ok(()),
                false => Err("expected lower case letters, digits, `-` and `.`, such as `shop-archive`".to_owned()),
            }
        })
    }

    /// Reports the fields that nobody asked for; `None` when there are any.
    pub(super) fn finish(self, owner: &str, problems: &mut Problems<'_>) -> Option<()> {
        for (key, _) in &self.entries {
            let hint = match self.known.iter().find(|known| is_close(known, &key.name)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("it knows {}", self.known.join(", ")),
            };
            problems.add(key.line, format!("{owner} has no field `{}`; {hint}", key.name));
        }
        self.entries.is_empty().then_some(())
    }
}

/// The text of a scalar that is not empty.
pub(super) fn text(node: Node, what: &str, problems: &mut Problems<'_>) -> Option<String> {
    match node.value {
        Value::Scalar(text) if !text.is_empty() => Some(text),
        Value::Scalar(_) => {
            problems.add(node.line, format!("{what} is empty"));
            None
        }
        _ => {
            problems.add(node.line, format!("{what} must be a single value"));
            None
        }
    }
}

/// Whether two names differ by one letter that is wrong, missing, or too much.
fn is_close(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same_start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same_start..], &b[same_start..]);
    match (a, b) {
        ([_, a_rest @ ..], [_, b_rest @ ..]) => a_rest == b_rest || a_rest == b || a == b_rest,
        ([_], []) | ([], [_]) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_letter_is_close() {
        for close in ["output", "outputss", "outpots", "utputs"] {
            assert!(is_close("outputs", close), "{close}");
        }
        for far in ["out", "inputs", "", "sutptuo"] {
            assert!(!is_close("outputs", far), "{far}");
        }
    }
}
