//! Which flags an instruction may have, and what they take.

use super::error::DockerfileError;
use super::lines::MAX_ERRORS;
use super::{Flag, Keyword};

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// A value, once.
    Value,
    /// A value, and may stand several times.
    Values,
    /// Nothing, `true` or `false`.
    Switch,
}

/// All flags of an instruction.
fn known(keyword: Keyword) -> &'static [(&'static str, Takes)] {
    use Takes::{Switch, Value, Values};
    match keyword {
        Keyword::From => &[("platform", Value)],
        Keyword::Run => &[("mount", Values), ("network", Value), ("security", Value), ("device", Values)],
        Keyword::Copy => &[
            ("from", Value),
            ("chown", Value),
            ("chmod", Value),
            ("link", Switch),
            ("parents", Switch),
            ("exclude", Values),
        ],
        Keyword::Add => &[
            ("chown", Value),
            ("chmod", Value),
            ("checksum", Value),
            ("keep-git-dir", Switch),
            ("unpack", Switch),
            ("link", Switch),
            ("exclude", Values),
        ],
        Keyword::Healthcheck => &[
            ("interval", Value),
            ("timeout", Value),
            ("start-period", Value),
            ("start-interval", Value),
            ("retries", Value),
        ],
        _ => &[],
    }
}

/// Holds the flags of an instruction against what it may have.
pub(super) fn check(keyword: Keyword, flags: &[Flag], errors: &mut Vec<DockerfileError>) {
    let all = known(keyword);
    for (index, flag) in flags.iter().enumerate() {
        if errors.len() >= MAX_ERRORS {
            return;
        }
        let refuse = |message: String| DockerfileError::new(flag.span, message);
        let name = &flag.name;
        let Some((_, takes)) = all.iter().find(|(known, _)| known == name) else {
            let error = refuse(format!("{} has no flag `--{name}`", keyword.name()));
            errors.push(error.suggest(name, all.iter().map(|(known, _)| *known)));
            continue;
        };
        let value = flag.value.as_ref().map(|value| value.text());
        if *takes != Takes::Values && flags[..index].iter().any(|earlier| earlier.name == *name) {
            errors.push(refuse(format!("`--{name}` stands twice")).help("keep one of them"));
        } else if *takes != Takes::Switch && value.is_none() {
            errors.push(refuse(format!("`--{name}` needs a value")).help(format!("write `--{name}=…`")));
        } else if *takes == Takes::Switch && value.is_some_and(|value| !is_bool(value)) {
            let error = refuse(format!("`--{name}` is on or off, not `{}`", value.unwrap_or_default()));
            errors.push(error.help(format!("write `--{name}`, or leave it out")));
        }
    }
}

fn is_bool(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}
