//! Conditions besides `groupResource`: expressions, selectors, `matches`.

use super::super::pointer::{is_index, split};
use super::super::re2;
use super::super::rule::{Expression, Selector};
use super::super::written::WrittenRule;
use super::operation::{self, Use};
use super::{Options, filled};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

const EVERY: &str = "Velero takes it, and then reports an error for every object; they are restored as they were";

pub(super) fn check(rule: &WrittenRule, _options: &Options<'_>, findings: &mut Vec<Diagnostic>) {
    let conditions = &rule.conditions;
    if let Some(text) = filled(&conditions.resource_name_regex)
        && let Err(why) = re2::compile(&text.value)
    {
        let bad = Diagnostic::error("bad-regex", format!("`{}` is no valid expression: {why}", text.value));
        findings
            .push(bad.label(text.span, "").note(EVERY).help("the syntax is that of https://golang.org/s/re2syntax"));
    }
    if let Some((selector, span)) = &conditions.label_selector {
        findings.extend(selector_problems(selector, *span));
    }
    for one in conditions.matches.iter().flat_map(|list| &list.items) {
        match filled(&one.path) {
            None => {
                let none = Diagnostic::error("match-without-path", "the match has no `path`").label(one.span, "");
                findings.push(none.note(EVERY).help("write a JSON pointer, such as `path: /spec/storageClassName`"));
            }
            Some(path) => {
                operation::pointer(path, findings);
                positional(path, findings);
            }
        }
        if let Some(value) = &one.value {
            operation::value(value, filled(&one.path), Use::Match, findings);
        }
    }
}

fn selector_problems(selector: &Selector, span: Span) -> Option<Diagnostic> {
    let why = selector.match_expressions.iter().find_map(expression_problem)?;
    let bad = Diagnostic::error("bad-selector", format!("the label selector is not valid: {why}")).label(span, "");
    Some(bad.note(EVERY).help("see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/"))
}

fn expression_problem(expression: &Expression) -> Option<String> {
    let Expression { key, operator, values } = expression;
    let wants_values = match operator.as_str() {
        "In" | "NotIn" => true,
        "Exists" | "DoesNotExist" => false,
        other => return Some(format!("there is no operator `{other}`")),
    };
    match (key.is_empty(), wants_values, values.is_empty()) {
        (true, ..) => Some("an expression has no key".to_owned()),
        (_, true, true) => Some(format!("`{operator}` needs values")),
        (_, false, false) => Some(format!("`{operator}` takes no values")),
        _ => None,
    }
}

/// A condition on an init container by position, which sees the object before Velero adds its own.
fn positional(path: &super::Text, findings: &mut Vec<Diagnostic>) {
    let keys = split(&path.value);
    if keys.windows(2).any(|pair| pair[0] == "initContainers" && is_index(&pair[1])) {
        let message = "the init container is named by position, and Velero puts its own first";
        let positional = Diagnostic::warning("positional-init-container", message).label(path.span, "");
        findings.push(positional.help("name it: `strategicPatches` with `initContainers: [{name: …}]`"));
    }
}
