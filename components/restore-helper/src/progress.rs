//! Progress for people, and for programs.

use crate::restores::Progress;

/// One line for a reader of the log.
pub(crate) fn text(progress: &Progress) -> String {
    let (restored, volumes) = (progress.restored.len(), progress.volumes());
    match progress.is_done() {
        true => format!("all {volumes} volumes are restored"),
        false => format!("{restored} of {volumes} volumes are restored; waiting for {}", progress.waiting.join(", ")),
    }
}

/// One JSON object and a newline, such as `{"done":false,"restored":["a"],"waiting":["b"]}`.
#[cfg(feature = "progress-json")]
pub(crate) fn json(progress: &Progress) -> String {
    let list = |names: &[String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",");
    format!(
        "{{\"done\":{},\"restored\":[{}],\"waiting\":[{}]}}\n",
        progress.is_done(),
        list(&progress.restored),
        list(&progress.waiting)
    )
}

/// A JSON string. A directory name may hold any character, control characters too.
#[cfg(feature = "progress-json")]
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if u32::from(control) < 0x20 => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(restored: &[&str], waiting: &[&str]) -> Progress {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Progress { restored: owned(restored), waiting: owned(waiting) }
    }

    #[test]
    fn the_text_counts_and_names_volumes() {
        assert_eq!(text(&progress(&["a"], &["b", "c"])), "1 of 3 volumes are restored; waiting for b, c");
        assert_eq!(text(&progress(&["a", "b"], &[])), "all 2 volumes are restored");
    }

    #[cfg(feature = "progress-json")]
    #[test]
    fn the_json_escapes_what_names_may_hold() {
        let expected = "{\"done\":false,\"restored\":[\"a\",\"b\"],\"waiting\":[\"q\\\"\\\\\\u000a\u{fc}\"]}\n";
        assert_eq!(json(&progress(&["a", "b"], &["q\"\\\n\u{fc}"])), expected);
        assert_eq!(json(&progress(&["a"], &[])), "{\"done\":true,\"restored\":[\"a\"],\"waiting\":[]}\n");
    }
}
