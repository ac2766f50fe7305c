//! `unexpanded-variable`: a command holds a variable that nobody will expand.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "unexpanded-variable",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "a command holds a variable, which the exec form does not expand",
    reason: "`ENTRYPOINT [\"/${BIN}\"]` starts a program that is called `${BIN}`; such an image was once a release blocker",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (component, role) in subject.image.roles() {
        for word in role.role.command.iter().filter(|word| has_variable(&word.value)) {
            let message = format!("the command of role `{}` holds a variable, which no shell will expand", role.name);
            let finding = Diagnostic::error(RULE.code, message).label(word.span, "");
            findings.push(
                [component.name()],
                finding.help("write the value, or start a shell: [\"/bin/sh\", \"-c\", …] with `needs = [\"shell\"]`"),
            );
        }
    }
}

/// `${NAME` or `$NAME`; other uses of `$` are plain text to a program. A word for `sh -c` is not judged: it is expanded.
pub(crate) fn has_variable(word: &str) -> bool {
    word.match_indices('$').any(|(index, _)| {
        let rest = word[index + 1..].trim_start_matches('{');
        let name = rest.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        // text with spaces is a script or a message, not an argument that was meant to be one value
        name && !word.contains(char::is_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use super::has_variable;

    #[test]
    fn variables() {
        for word in ["/${BIN}", "$HOME/x", "--id=${POD_NAME}"] {
            assert!(has_variable(word), "{word}");
        }
        for word in ["$(id)", "a$", "$1", "100$", "echo $HOME && x", "^x$"] {
            assert!(!has_variable(word), "{word}");
        }
    }
}
