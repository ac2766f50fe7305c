//! What the image starts holds no variable that nobody expands.

use super::super::{Check, Findings, Subject};
use crate::check::has_variable;

pub(super) const CHECK: Check = Check {
    codes: &[("unexpanded-variable", "ENTRYPOINT or CMD holds a variable, which the exec form does not expand")],
    reason: "`ENTRYPOINT [\"/${BIN}\"]` starts a program that is called `${BIN}`; such an image was once a release blocker",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let config = &subject.image.config;
    let words: Vec<&String> = config.entrypoint.iter().chain(&config.cmd).collect();
    // what stands behind `sh -c` is expanded
    let end = words.iter().position(|word| *word == "-c").filter(|_| words.first().is_some_and(|word| is_shell(word)));
    for word in words.iter().take(end.unwrap_or(words.len())).filter(|word| has_variable(word)) {
        let place = if config.entrypoint.contains(word) { "ENTRYPOINT" } else { "CMD" };
        let message = format!("{place} of the image holds {word}, and in the exec form nobody expands it");
        findings.error("unexpanded-variable", message);
    }
}

fn is_shell(word: &str) -> bool {
    word.rsplit('/').next().unwrap_or(word).ends_with("sh")
}
