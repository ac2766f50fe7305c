//! Names as types: a component's name can never be used where a feature's is meant.
//!
//! Names end up in stage names, paths, labels and references, so their grammar is narrow: lowercase letters, digits and
//! single separators, at most 63 characters (the length of a DNS label, which role names become in pods). Features follow
//! Cargo's grammar, because they are passed to cargo.
//!
//! A name is written once and kept in many places (a feature, its reasons, the plan, the stage), so that copies share the text.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::text::{Text, Texts};

/// How a need begins that is a package of a distribution.
const PACKAGE: &str = "package:";

/// Longest name, in bytes.
const MAX_LENGTH: usize = 63;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: {reason}")]
pub struct NameError {
    kind: &'static str,
    text: String,
    reason: &'static str,
}

macro_rules! name_types {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $grammar:path, $pattern:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// What this is called in messages.
            pub const KIND: &'static str = $kind;

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                match $grammar(text) {
                    None => Ok(Self(text.into())),
                    Some(reason) => Err(NameError { kind: $kind, text: shorten(text), reason }),
                }
            }
        }

        impl Text for $name {
            fn texts() -> Texts {
                Texts::Pattern($pattern)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.as_str().to_owned()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

name_types! {
    /// Name of a component, such as `config-reloader`.
    ComponentName, "component name", plain_name, PLAIN;
    /// Name of an image definition, such as `logging-operator`.
    ImageName, "image name", plain_name, PLAIN;
    /// Name of a role, such as `drain-watch`.
    RoleName, "role name", plain_name, PLAIN;
    /// Name of a variant of an image, such as `full`.
    VariantName, "variant name", plain_name, PLAIN;
    /// Name of an entry of `[bases]`.
    BaseName, "base name", plain_name, PLAIN;
    /// Name of an entry of `[builders]`.
    BuilderName, "builder name", plain_name, PLAIN;
    /// Name of an entry of `[environments]`.
    EnvironmentName, "environment name", plain_name, PLAIN;
    /// Name of an output of a `script` build.
    OutputName, "output name", plain_name, PLAIN;
    /// What a base or a component gives and a role may need, such as `libc:glibc`.
    Need, "need", need_name, NEED;
    /// How often a component is released, such as `weekly` or `with-operator`.
    Cadence, "release cadence", plain_name, PLAIN;
    /// Id of a contract of a retired image, such as `1` or `2026.1`.
    ContractId, "contract id", id_name, ID;
    /// Name of an image that an existing Dockerfile begins with or copies from, such as `golang`.
    OutsideName, "name of an image in a Dockerfile", plain_name, PLAIN;
    /// Name of a feature, in Cargo's grammar.
    FeatureName, "feature name", feature_name, FEATURE;
}

impl Need {
    /// The package of a distribution that is needed, if it is one.
    pub fn package(&self) -> Option<&str> {
        self.0.strip_prefix(PACKAGE)
    }
}

fn shorten(text: &str) -> String {
    let short: String = text.chars().take(MAX_LENGTH).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// [`plain_name`] as a regular expression, for editors; so are those below.
const PLAIN: &str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
const ID: &str = "^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$";
const FEATURE: &str = "^[A-Za-z0-9_][A-Za-z0-9_+.-]{0,62}$";
const NEED: &str =
    "^(package:[a-z0-9][a-z0-9+._-]{0,62}|[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?)$";

fn plain_name(text: &str) -> Option<&'static str> {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        Some("it is empty")
    } else if bytes.len() > MAX_LENGTH {
        Some("it has more than 63 characters")
    } else if !bytes.iter().all(|&byte| alphanumeric(byte) || byte == b'-') {
        Some("only lowercase letters, digits and `-` are allowed")
    } else if !alphanumeric(bytes[0]) || !alphanumeric(bytes[bytes.len() - 1]) {
        Some("it must begin and end with a letter or digit")
    } else {
        None
    }
}

/// Letters, digits and single separators between them; an id stands in the lock file as it is.
fn id_name(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    if bytes.len() > MAX_LENGTH {
        Some("it has more than 63 characters")
    } else if !bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte)) {
        Some("only letters, digits, `.`, `-` and `_` are allowed")
    } else if !ends(bytes.first()) || !ends(bytes.last()) {
        Some("it must begin and end with a letter or digit")
    } else {
        None
    }
}

/// Names of distributions' packages have more characters than ours.
/// <https://www.debian.org/doc/debian-policy/ch-controlfields.html#source>
fn package_name(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !bytes.first().is_some_and(plain) || bytes.len() > MAX_LENGTH {
        Some("the name of a package begins with a lowercase letter or a digit and has at most 63 characters")
    } else if !bytes.iter().all(|byte| plain(byte) || b"+-._".contains(byte)) {
        Some("the name of a package has lowercase letters, digits, `+`, `-`, `.` and `_`")
    } else {
        None
    }
}

fn need_name(text: &str) -> Option<&'static str> {
    if let Some(package) = text.strip_prefix(PACKAGE) {
        return package_name(package);
    }
    let mut parts = text.split(':');
    let first = parts.next().and_then(plain_name);
    first.or_else(|| parts.next().and_then(plain_name)).or_else(|| parts.next().map(|_| "it has more than one `:`"))
}

/// Cargo's rule: letters, digits, `_`, `-`, `+` and `.`; the first one a letter, digit or `_`.
/// <https://doc.rust-lang.org/cargo/reference/features.html>
fn feature_name(text: &str) -> Option<&'static str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.');
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        Some("it is empty")
    } else if bytes.len() > MAX_LENGTH {
        Some("it has more than 63 characters")
    } else if !bytes.iter().all(|&byte| allowed(byte)) {
        Some("only letters, digits, `_`, `-`, `+` and `.` are allowed")
    } else if !(bytes[0].is_ascii_alphanumeric() || bytes[0] == b'_') {
        Some("it must begin with a letter, a digit or `_`")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: bool) {
        assert_eq!(text.parse::<ComponentName>().is_ok(), expect, "{text:?}");
    }

    #[test]
    fn component_names() {
        for good in ["a", "a-b", "config-reloader", "0", "x9"] {
            check(good, true);
        }
        let long = "a".repeat(64);
        for bad in ["", "-", "a-", "-a", "A", "a_b", "a b", "a\nb", "ä", "a/b", "..", "${x}", &long] {
            check(bad, false);
        }
    }

    #[test]
    fn features_follow_cargo() {
        for good in ["metrics", "http2", "_x", "a+b", "v1.2"] {
            assert!(good.parse::<FeatureName>().is_ok(), "{good}");
        }
        for bad in ["", "-x", "+x", "a/b", "dep:x", "a b", "a?"] {
            assert!(bad.parse::<FeatureName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn patterns_say_what_parsers_do() {
        fn check<N: Text>(texts: &[String]) {
            let Texts::Pattern(pattern) = N::texts() else { panic!("names have patterns") };
            let pattern = regex::Regex::new(pattern).unwrap();
            for text in texts {
                assert_eq!(pattern.is_match(text), text.parse::<N>().is_ok(), "{text:?} {pattern}");
            }
        }
        let (long, longer) = ("x".repeat(61), "x".repeat(62));
        let pieces = ["", "a", "0", "A", "-", "_", "+", ".", ":", "package:", "é", "/", " ", &long, &longer];
        let pairs: Vec<String> =
            pieces.iter().flat_map(|first| pieces.map(|second| format!("{first}{second}"))).collect();
        let texts: Vec<String> = pairs.iter().flat_map(|pair| pieces.map(|third| format!("{pair}{third}"))).collect();
        check::<ComponentName>(&texts);
        check::<Need>(&texts);
        check::<ContractId>(&texts);
        check::<FeatureName>(&texts);
    }

    #[test]
    fn needs() {
        assert!("libc:glibc".parse::<Need>().is_ok());
        assert!("shell".parse::<Need>().is_ok());
        assert!("a:b:c".parse::<Need>().is_err());
        assert!(":x".parse::<Need>().is_err());
        assert_eq!("package:libstdc++6".parse::<Need>().unwrap().package(), Some("libstdc++6"));
        assert_eq!("shell".parse::<Need>().unwrap().package(), None);
        for bad in ["package:", "package:Curl", "package:+x", "package:a:b", "package:a b"] {
            assert!(bad.parse::<Need>().is_err(), "{bad}");
        }
    }

    #[test]
    fn contract_ids() {
        for (text, expect) in
            [("1", true), ("2026.1", true), ("a_b-C", true), ("", false), ("-1", false), ("1.", false)]
        {
            assert_eq!(text.parse::<ContractId>().is_ok(), expect, "{text:?}");
        }
        assert!("a\"b".parse::<ContractId>().is_err());
    }
}
