//! What a scalar of YAML is to Velero: `sigs.k8s.io/yaml` over go-yaml v2, which follows YAML 1.1.
//!
//! A field that is text takes numbers and booleans too, but not as they were written: `1.10` arrives as `1.1`, `yes` as
//! `true`, `0644` as `420`, and nothing, `~` or `null` as an empty text.

use serde_json::{Number, Value};

use crate::yaml::Style;

/// What a plain scalar means.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `yes`, `on`, `y` and the like.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// Any other number, infinity and `.nan` among them.
    Float(f64),
    /// Everything else.
    Text(String),
}

/// What a scalar means that is written in this style, with this tag.
pub fn read(text: &str, style: Style, tag: Option<&str>) -> Scalar {
    if style != Style::Plain || matches!(tag, Some("!!str" | "!!binary" | "!")) {
        return Scalar::Text(text.to_owned());
    }
    plain(text)
}

fn plain(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return Scalar::Text(text.to_owned());
    }
    let digits: String = text.chars().filter(|&c| c != '_').collect();
    if let Some(number) = int(&digits) {
        return Scalar::Int(number);
    }
    match is_float(&digits).then(|| digits.parse()) {
        Some(Ok(number)) => Scalar::Float(number),
        _ => Scalar::Text(text.to_owned()),
    }
}

/// Whole numbers of Go with base 0: `0x`, `0o`, `0b`, and `0` before octal digits.
fn int(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.get(..2) {
        Some("0x") => (16, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        Some(_) if lower.starts_with('0') => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let number = if negative { -number } else { number };
    (number >= i128::from(i64::MIN)).then_some(number)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let whole = match mantissa.split_once('.') {
        Some((before, after)) => digits(before) && digits(after) && !(before.is_empty() && after.is_empty()),
        None => digits(mantissa) && !mantissa.is_empty(),
    };
    whole && exponent.is_none_or(|exponent| digits(exponent) && !exponent.is_empty())
}

impl Scalar {
    /// What arrives in a field that is text.
    pub fn arrives(self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => shortest(value),
            Self::Text(text) => text,
        }
    }

    /// What it is in JSON; infinity and `.nan` have no form there.
    pub fn json(self) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => match (u64::try_from(value), i64::try_from(value)) {
                (Ok(value), _) => Value::from(value),
                (_, Ok(value)) => Value::from(value),
                _ => return None,
            },
            Self::Float(value) => Value::Number(Number::from_f64(value)?),
            Self::Text(text) => Value::String(text),
        })
    }
}

/// Go's `strconv.FormatFloat(value, 'g', -1, 64)`.
fn shortest(value: f64) -> String {
    if !value.is_finite() {
        return match (value.is_nan(), value > 0.0) {
            (true, _) => "NaN",
            (false, true) => "+Inf",
            (false, false) => "-Inf",
        }
        .to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(read(text, Style::Plain, None).arrives(), expect, "{text}");
    }

    #[test]
    fn what_arrives() {
        for text in ["premium", "1.2.3", "v1", "-", "+", "1e", "1.1.1.1:5000", "0x", "2020-01-01", "a: b", "09x"] {
            check(text, text);
        }
        for (text, expect) in [
            ("1.10", "1.1"),
            ("1.0", "1"),
            ("3", "3"),
            ("0644", "420"),
            ("0x1F", "31"),
            ("1_000", "1000"),
            ("yes", "true"),
            ("Off", "false"),
            ("~", ""),
            ("null", ""),
            ("", ""),
            ("-.5", "-0.5"),
            ("1e-7", "1e-07"),
            ("1e30", "1e+30"),
            ("1234567.5", "1.2345675e+06"),
            ("1000000", "1000000"),
            (".nan", "NaN"),
            ("08", "8"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            check(text, expect);
        }
        assert_eq!(read("1.10", Style::Double, None).arrives(), "1.10");
        assert_eq!(read("1.10", Style::Plain, Some("!!str")).arrives(), "1.10");
    }
}
