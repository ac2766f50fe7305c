//! Repairs of resource modifiers, as edits: what can be told from the file alone.
//!
//! | found | becomes |
//! |---|---|
//! | a bare list of rules, no `version` | `version: v1` and `resourceModifierRules:` above it |
//! | `rollout` | the same change on `pods`, or on pods, ReplicaSets and Deployments alike |
//! | `trailing-slash`, `operation-case` | the path without it, the operation in small letters |
//! | `value-type` where only text fits | the value in quotes of its own |
//!
//! A rule that is turned into one for pods keeps its text where only words of it change; where an `add` would overwrite an
//! object, or the rule did more than that, it is written anew, with the comments that stood in it above.

mod rule;
mod word;

use super::lint::{Options, Read, lint, rollout};
use super::rule::VERSION;
use super::written::Written;
use crate::diagnostic::{Diagnostic, Level};
use crate::migrate::edit::{Edit, Overlap, apply};
use crate::source::{FileId, Span};

/// What becomes of a rule that replaces pods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum How {
    /// A rule on `pods`.
    #[default]
    Pods,
    /// Rules on `pods`, `replicasets.apps` and `deployments.apps`.
    Triple,
}

/// Edits, what they mean, and what they leave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fix {
    /// In order of place.
    pub edits: Vec<Edit>,
    /// What is different afterwards, and what could not be done and why.
    pub notes: Vec<Diagnostic>,
}

impl Fix {
    /// The text with all edits; every other byte stays as it is.
    ///
    /// # Errors
    /// When two of them want the same bytes, which is a mistake of this module.
    pub fn apply(&self, text: &str) -> Result<String, Overlap> {
        let bytes = apply(text.as_bytes(), &self.edits)?;
        String::from_utf8(bytes).map_err(|error| Overlap(error.utf8_error().valid_up_to()))
    }
}

/// Repairs what was read of a text. `options` are those of the findings.
pub fn fix(id: FileId, text: &str, read: &Read, how: How, options: &Options<'_>) -> Fix {
    let mut fix = Fix::default();
    if !read.lines.is_empty() {
        return indented(id, text, read, how, options);
    }
    for written in &read.written {
        if written.editable {
            file(id, text, written, how, options, &mut fix);
        } else {
            let cannot = Diagnostic::warning("not-editable", "the rules cannot be edited where they are")
                .label(first(written.span), "");
            let cannot = cannot.note("they stand in a text with escapes or folded lines, or use aliases");
            fix.notes.push(cannot.help("write them as a literal block (`|`) without aliases"));
        }
    }
    fix.edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    fix
}

/// Lines are indented first, and all the rest is done to what that gives: one edit for both.
fn indented(id: FileId, text: &str, read: &Read, how: How, options: &Options<'_>) -> Fix {
    let lines = read.lines.iter().map(|&at| Edit::insert(at, "  ")).collect();
    let Ok(indented) = (Fix { edits: lines, notes: Vec::new() }).apply(text) else { return Fix::default() };
    let read = lint(id, &indented, options);
    if !read.lines.is_empty() {
        return Fix::default();
    }
    let mut fix = fix(id, &indented, &read, how, options);
    // places are those of a text that nobody has
    fix.notes.iter_mut().for_each(|note| note.labels.clear());
    let Ok(new) = fix.apply(&indented) else { return Fix::default() };
    let same = |pairs: &mut dyn Iterator<Item = (u8, u8)>| pairs.take_while(|(old, new)| old == new).count();
    let mut start = same(&mut text.bytes().zip(new.bytes()));
    let mut end = same(&mut text.bytes().rev().zip(new.bytes().rev())).min(text.len().min(new.len()) - start);
    while !text.is_char_boundary(start) || !new.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(text.len() - end) || !new.is_char_boundary(new.len() - end) {
        end -= 1;
    }
    fix.edits = vec![Edit { range: start..text.len() - end, text: new[start..new.len() - end].to_owned() }];
    fix
}

fn first(span: Span) -> Span {
    Span { end: span.end.min(span.start + 1), ..span }
}

fn file(id: FileId, text: &str, written: &Written, how: How, options: &Options<'_>, fix: &mut Fix) {
    let rules = written.meant().rules;
    fix.edits.extend(head(text, written));
    for (index, one) in written.rules.iter().enumerate() {
        let is_rollout = rollout::finding(id, one, index, &rules, options).is_some();
        if is_rollout {
            match rule::convert(text, one, how, options) {
                Ok(converted) => {
                    fix.edits.extend(converted.edits);
                    fix.notes.extend(converted.notes);
                    continue;
                }
                Err(why) => fix.notes.push(not_converted(one.target(), &why)),
            }
        }
        fix.edits.extend(word::edits(text, one));
    }
}

fn not_converted(place: Span, why: &str) -> Diagnostic {
    Diagnostic::new(Level::Warning, "not-converted", format!("the rule cannot be turned into one for pods: {why}"))
        .label(place, "")
        .help("write the change for `pods` by hand, or delete the controller before the restore")
}

/// What is missing above the rules.
fn head(text: &str, written: &Written) -> Option<Edit> {
    let start = written.span.range().start;
    let (end, pad) = (line_end(text), pad(text, start)?);
    let version = format!("version: {VERSION}{end}{pad}");
    let head = match (written.is_list, &written.version) {
        (true, _) => format!("{version}resourceModifierRules:{end}{pad}"),
        (false, None) if !written.rules.is_empty() => version,
        _ => return None,
    };
    // a list in brackets would need more than that
    (!text.get(start..)?.starts_with(['[', '{'])).then_some(Edit { range: start..start, text: head })
}

/// How lines of a text end.
fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The spaces before a place, if there is nothing else on its line before it.
fn pad(text: &str, at: usize) -> Option<&str> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let before = text.get(start..at)?.trim_start_matches('\u{feff}');
    before.bytes().all(|byte| byte == b' ').then_some(before)
}
