//! Patterns of paths in an image: `*` is any text without `/`, `?` one character but `/`, `**/` any folders or none, and `**` any
//! text. A folder that fits is meant with all that is in it.

use std::fmt;
use std::str::FromStr;

use super::text::{Text, Texts};
use crate::workspace::glob::{Fit, Token, fits};

/// Longest pattern, in bytes.
const MAX_LENGTH: usize = 1024;

/// One pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    /// Without the `/` in front.
    tokens: Vec<Token>,
}

impl PathPattern {
    /// Whether it means a path, which is relative to the root: the path itself, or a folder above it.
    pub fn means(&self, path: &str) -> bool {
        fits(&self.tokens, path, Fit::PathOrFolder)
    }
}

impl Text for PathPattern {
    fn texts() -> Texts {
        Texts::Pattern("^/.")
    }
}

impl FromStr for PathPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shown = || text.chars().take(128).collect::<String>();
        let refuse = |why: &str| Err(format!("`{}` is not a pattern of paths: {why}", shown()));
        let Some(mut rest) = text.strip_prefix('/').filter(|rest| !rest.is_empty()) else {
            return refuse("it is absolute, such as `/etc/apk` or `/**/*.pyc`");
        };
        if text.len() > MAX_LENGTH {
            return refuse("it is too long");
        }
        if let Some(bad) = text.chars().find(|c| c.is_control() || "[]{}!\\".contains(*c)) {
            return refuse(&format!("`{}` is not allowed in it", bad.escape_default()));
        }
        if rest.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return refuse("it has an empty segment, `.` or `..`");
        }
        let mut tokens = Vec::new();
        while let Some((token, length)) = Token::first_of(rest) {
            tokens.push(token);
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(Self { text: text.to_owned(), tokens })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.text)
    }
}

impl serde::Serialize for PathPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_patterns_mean() {
        let check = |pattern: &str, means: &[&str], not: &[&str]| {
            let pattern: PathPattern = pattern.parse().unwrap();
            means.iter().for_each(|path| assert!(pattern.means(path), "{pattern} {path}"));
            not.iter().for_each(|path| assert!(!pattern.means(path), "{pattern} {path}"));
        };
        check("/etc/apk", &["etc/apk", "etc/apk/world", "etc/apk/keys/a"], &["etc/apks", "etc", "usr/etc/apk"]);
        check("/etc/*", &["etc/passwd", "etc/apk/world"], &["etc", "usr/etc/x"]);
        check("/**/*.pyc", &["a.pyc", "usr/lib/a.pyc"], &["a.py"]);
        check("/var/cache/**", &["var/cache/apk/x"], &["var/cache"]);
        check("/usr/lib/?", &["usr/lib/a", "usr/lib/a/b"], &["usr/lib/ab"]);
    }

    #[test]
    fn what_is_no_pattern() {
        for text in ["", "/", "etc", "/etc//x", "/etc/", "/../x", "/a[b]", "/a{b}", "/!a", "/a\\b", "/a\n", "/./a"] {
            assert!(text.parse::<PathPattern>().is_err(), "{text:?}");
        }
        assert!(format!("/{}", "a".repeat(MAX_LENGTH)).parse::<PathPattern>().is_err());
    }
}
