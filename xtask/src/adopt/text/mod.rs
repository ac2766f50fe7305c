//! Manifests as text, with a comment for every inference and a question where there was none.
//!
//! **Invariant**: no word that was read ends a line or a string: values are quoted as TOML has it, and what stands in a comment
//! holds no control characters.

mod component;
mod empty;
mod image;
mod settings;

use std::fmt::Write as _;

pub use component::component;
pub use empty::empty;
pub use image::image;
pub use settings::{BaseNames, settings};

/// A file that is to be written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NewFile {
    /// Relative to the root of the workspace.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// A basic string of TOML. <https://toml.io/en/v1.0.0#string>
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control.is_control() => _ = write!(quoted, "\\u{:04X}", u32::from(control)),
            plain => quoted.push(plain),
        }
    }
    quoted + "\""
}

/// A list of strings on one line.
fn list<'t>(items: impl IntoIterator<Item = &'t str>) -> String {
    let items: Vec<String> = items.into_iter().map(quoted).collect();
    format!("[{}]", items.join(", "))
}

/// Text for a comment: one line.
fn remark(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Lines that are gathered.
#[derive(Debug, Default)]
struct Lines(String);

impl Lines {
    /// A comment that fills a line.
    fn comment(&mut self, text: &str) {
        _ = writeln!(self.0, "# {}", remark(text));
    }

    /// `key = value`, and why.
    fn value(&mut self, key: &str, value: &str, why: &str) {
        match why {
            "" => _ = writeln!(self.0, "{key} = {value}"),
            why => _ = writeln!(self.0, "{key} = {value}  # {}", remark(why)),
        }
    }

    /// A line that is left to be filled in.
    fn question(&mut self, key: &str, value: &str, question: &str) {
        _ = writeln!(self.0, "# {key} = {value}  # question: {}", remark(question));
    }

    /// The head of a table, with a free line above it.
    fn table(&mut self, head: &str) {
        _ = write!(self.0, "\n[{head}]\n");
    }

    fn free(&mut self) {
        self.0.push('\n');
    }
}

/// `a-b` as it is, anything else in quotes. <https://toml.io/en/v1.0.0#keys>
fn key(text: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !text.is_empty() && text.bytes().all(is_bare) { text.to_owned() } else { quoted(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_line_or_a_string() {
        assert_eq!(quoted("a\"b\\c\nd\u{7f}"), r#""a\"b\\c\u000Ad\u007F""#);
        assert_eq!(remark("a\nb = 1\r"), "a b = 1 ");
        assert_eq!(key("A_b-1"), "A_b-1");
        assert_eq!(key("a.b"), "\"a.b\"");
        for text in ["", "\"", "\\", "'''", "\u{0}\u{1f}\u{85}", "größe #"] {
            let table: toml::Table = format!("a = {}", quoted(text)).parse().unwrap();
            assert_eq!(table["a"].as_str(), Some(text));
        }
    }
}
