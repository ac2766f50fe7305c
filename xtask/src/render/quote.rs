//! Every value quoted for its place in a Dockerfile; words in double quotes are [`crate::dockerfile::double_quoted`].
//!
//! Dockerfile reference, "Environment replacement" and "Shell and exec form":
//! <https://docs.docker.com/reference/dockerfile/>. A Dockerfile is read line by line before anything is quoted, so no value
//! may hold a line break; manifests refuse them, and commands of a script, which may have several lines, are written in the
//! JSON form, where a line break is `\n`.

use serde::Serialize;

/// The JSON form of `ENTRYPOINT`, `RUN` and `COPY`. Docker expands nothing in the first two; for `COPY`, paths hold none of
/// the characters that it would expand.
pub(super) fn json(words: &[impl Serialize]) -> String {
    let words: Vec<String> = words.iter().map(|word| serde_json::to_string(word).unwrap_or_default()).collect();
    format!("[{}]", words.join(", "))
}

/// A word for a POSIX shell, only quoted when it must be. Paths and names hold no single quote.
pub(super) fn shell(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+=:@,%".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// Text for a comment: one line, whatever it was.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_forms() {
        assert_eq!(json(&["/bin/x", "--a b", "q\"", "l\n2"]), r#"["/bin/x", "--a b", "q\"", "l\n2"]"#);
        assert_eq!(json(&[] as &[&str]), "[]");
    }

    #[test]
    fn shell_words() {
        assert_eq!(shell("/usr/bin/x"), "/usr/bin/x");
        assert_eq!(shell("/a b"), "'/a b'");
        assert_eq!(shell("/ü(1)"), "'/ü(1)'");
    }
}
