//! Values of JSON patches, the way Velero reads them.
//!
//! `value` is text that is put into a JSON document with no escaping at all (`JSONPatch.ToString` in
//! `internal/resourcemodifiers/json_patch.go`). It is put between quotes unless it is `null`, `true` or `false` in any case,
//! begins with `{` or `[`, or is something that Go's `ParseFloat` takes; a text that begins and ends with `"` loses both and
//! is always put between quotes (since 1.12.2). So `1.16` becomes a number, `nan` is no JSON at all, and a quote or a line
//! break inside breaks the whole patch.

use serde_json::Value;

/// The text that stands in Velero's patch document for a value.
///
/// ```
/// use groupage::migrate::modifiers::escape::to_json_text;
/// assert_eq!(to_json_text("1.16"), "1.16");
/// assert_eq!(to_json_text("\"1.16\""), "\"1.16\"");
/// assert_eq!(to_json_text("premium"), "\"premium\"");
/// ```
pub fn to_json_text(value: &str) -> String {
    if let Some(inside) = value.strip_prefix('"').filter(|_| value.ends_with('"')) {
        return format!("\"{}\"", inside.strip_suffix('"').unwrap_or(inside));
    }
    if is_quoted(value) { format!("\"{value}\"") } else { value.to_owned() }
}

/// What a value is in JSON.
///
/// # Errors
/// Why Velero's patch document is none.
pub fn to_json(value: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(&to_json_text(value))
}

/// The value that arrives as this text, and never as a number or the like.
///
/// ```
/// use groupage::migrate::modifiers::escape::{of_text, to_json};
/// assert_eq!(of_text("1.16"), "\"1.16\"");
/// assert_eq!(to_json(&of_text("1.16")).unwrap(), "1.16");
/// assert_eq!(of_text("premium"), "premium");
/// ```
pub fn of_text(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    let inside = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    if is_quoted(inside) { inside.to_owned() } else { quoted }
}

/// The value that arrives as this JSON.
pub fn of_json(value: &Value) -> String {
    match value {
        Value::String(text) => of_text(text),
        other => other.to_string(),
    }
}

/// Whether Velero puts a text between quotes that has none itself.
fn is_quoted(text: &str) -> bool {
    let word = ["null"].contains(&text) || ["true", "false"].contains(&text.to_lowercase().as_str());
    !(word || text.starts_with(['{', '[']) || is_go_float(text))
}

/// Whether Go's `strconv.ParseFloat(text, 64)` succeeds.
fn is_go_float(text: &str) -> bool {
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = number.to_ascii_lowercase();
    match lower.as_str() {
        "inf" | "infinity" => return true,
        // a sign before it is none
        "nan" => return number.len() == text.len(),
        _ => {}
    }
    match lower.strip_prefix("0x") {
        Some(digits) => is_go_hex_float(digits),
        // the same form in Rust, but for its words
        None => {
            number.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                && number.parse::<f64>().is_ok_and(f64::is_finite)
        }
    }
}

/// `1.8p-3` after `0x`; an exponent is needed, `_` may stand between digits.
fn is_go_hex_float(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once('p') else { return false };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let digits = mantissa.bytes().filter(u8::is_ascii_hexdigit).count();
    let rest = mantissa.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b'_'));
    let small = exponent.parse::<i32>().is_ok_and(|exponent| exponent.abs() < 1000);
    digits > 0 && rest && mantissa.matches('.').count() <= 1 && !exponent.starts_with(['+', '-']) && small
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value, what stands in the document, and whether that is JSON.
    fn check(value: &str, text: &str, is_json: bool) {
        assert_eq!(to_json_text(value), text, "{value}");
        assert_eq!(to_json(value).is_ok(), is_json, "{value}");
    }

    #[test]
    fn what_velero_reads() {
        check("", "\"\"", true);
        check("3", "3", true);
        check("1.16", "1.16", true);
        check("\"1.16\"", "\"1.16\"", true);
        check("1.16.0", "\"1.16.0\"", true);
        check("null", "null", true);
        check("Null", "\"Null\"", true);
        check("true", "true", true);
        check("True", "True", false);
        check("{\"a\": 1}", "{\"a\": 1}", true);
        check("{{ x }}", "{{ x }}", false);
        for number in ["nan", "NaN", "inf", "+Infinity", ".5", "5.", "+1", "01", "0x1p4"] {
            check(number, number, false);
        }
        for text in ["+nan", "1e400", "1_000", "0x10", "in", "1e", "."] {
            check(text, &format!("\"{text}\""), true);
        }
        check("say \"hi\"", "\"say \"hi\"\"", false);
        check("a\nb", "\"a\nb\"", false);
        check("\"", "\"\"", true);
    }

    #[test]
    fn texts_survive() {
        for text in
            ["", "1.16", "nan", "true", "null", "{", "[1]", "\"", "\"x\"", "say \"hi\"", "a\\b", "a\nb", "ü", "-0"]
        {
            assert_eq!(to_json(&of_text(text)).unwrap(), text, "{text}");
        }
        assert_eq!(of_text("1.16"), "\"1.16\"");
    }
}
