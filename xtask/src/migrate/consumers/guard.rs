//! A chart guard: a template for NOTES.txt that fails when a value names a retired image. `contains` would also fail on names
//! that hold a retired one, and on the program of the same name; here a whole value must be the image.

use std::fmt::Write as _;

use super::rows;
use crate::manifest::{Mirrors, NamePattern};
use crate::migrate::ledger::{Ledger, Wanted};

/// The template.
pub fn guard(ledger: &Ledger, wanted: Wanted<'_>) -> String {
    let mut text = "{{- /* Fails on values that name a retired image, and on nothing else. */ -}}\n{{- $values := toJson .Values -}}\n".to_owned();
    for row in rows(ledger, wanted) {
        let goal = row.answer.reference();
        let advice = match (row.answer.is_consumer_default(), goal.is_empty()) {
            (true, _) => "remove the value: the new image is found without it".to_owned(),
            (false, true) => "nothing replaces it".to_owned(),
            (false, false) => format!("use {goal}"),
        };
        let pattern = pattern(row.name, row.entry.mirrors);
        let message = format!("the image {} is retired: {advice}", row.name).replace('`', "'").replace('"', "'");
        _ = writeln!(
            text,
            "{{{{- if regexMatch `{pattern}` $values -}}}}\n{{{{- fail \"{message}\" -}}}}\n{{{{- end -}}}}"
        );
    }
    text
}

/// An expression (RE2, and POSIX extended) for a JSON string that is the retired image: below any registry, with or without tag
/// and digest. A mirror known by its last part alone must have a tag or digest, for else it could be a program or folder.
pub fn pattern(name: &NamePattern, mirrors: Mirrors) -> String {
    const TAG: &str = ":[A-Za-z0-9_][A-Za-z0-9_.-]*";
    const DIGEST: &str = "@sha256:[0-9a-f]+";
    const PREFIX: &str = "([a-z0-9][A-Za-z0-9._:-]*/)";
    let path = name.parts.join("/").replace('.', "[.]");
    let registry = name.registry.replace('.', "[.]");
    let hub = name.registry == "docker.io";
    let whole = match (mirrors, hub) {
        (Mirrors::None, true) => format!("(docker[.]io/(library/)?)?{path}"),
        (Mirrors::None, false) => format!("{registry}/{path}"),
        (Mirrors::Path | Mirrors::Name, _) => format!("{PREFIX}*{path}"),
    };
    let whole = format!("{whole}({TAG})?({DIGEST})?");
    let last = name.last().replace('.', "[.]");
    match mirrors {
        Mirrors::Name => format!("\"({whole}|{PREFIX}+{last}({TAG}({DIGEST})?|{DIGEST}))\""),
        Mirrors::None | Mirrors::Path => format!("\"{whole}\""),
    }
}
