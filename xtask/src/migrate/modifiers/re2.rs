//! Regular expressions of Go (RE2 syntax), compiled with the crate `regex`, which is close to it but not the same.
//!
//! What differs is translated or refused: `\Q…\E`; counts above 1000; the flags that Go does not have; brackets inside
//! brackets, `&&`, `--` and `~~`, which are plain characters to Go; escapes that only one of the two knows. Neither of them
//! has look-around or back references.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// Largest count that Go takes in `{n,m}`.
const MAX_COUNT: u32 = 1000;

/// Compiles an expression of Go.
///
/// # Errors
/// Why Go refuses it, in one line.
///
/// ```
/// use groupage::migrate::modifiers::re2::compile;
/// assert!(compile("^(a|b)-").unwrap().is_match("b-1"));
/// assert!(compile("^(?!a)").is_err());
/// ```
pub fn compile(text: &str) -> Result<Regex, String> {
    let translated = translate(text)?;
    Regex::new(&translated).map_err(|error| match error {
        regex::Error::Syntax(message) => reason(&message),
        _ => "it is too large".to_owned(),
    })
}

/// The line of a message that says why.
fn reason(message: &str) -> String {
    let line = message.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or("it is not valid");
    line.to_owned()
}

fn translate(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => escape(&mut rest, &mut out, false)?,
            '[' => class(&mut rest, &mut out)?,
            '(' if rest.peek() == Some(&'?') => group(&mut rest, &mut out)?,
            '{' => count(&mut rest, &mut out)?,
            // Rust has no literal one outside of a class
            '}' | ']' => out.extend(['\\', character]),
            other => out.push(other),
        }
    }
    Ok(out)
}

fn escape(rest: &mut Peekable<Chars<'_>>, out: &mut String, in_class: bool) -> Result<(), String> {
    let escaped = rest.next().ok_or("nothing follows its last `\\`")?;
    match escaped {
        'Q' if !in_class => {
            while let Some(character) = rest.next() {
                if character == '\\' && rest.next_if_eq(&'E').is_some() {
                    break;
                }
                out.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
            }
        }
        'p' | 'P' | 'x' | 'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'a' | 'f' | 't' | 'n' | 'r' | 'v' => {
            out.extend(['\\', escaped]);
        }
        'b' | 'B' | 'A' | 'z' if !in_class => out.extend(['\\', escaped]),
        '0'..='7' => octal(escaped, rest, out)?,
        other if other.is_ascii_punctuation() => out.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        other => return Err(format!("unknown escape `\\{other}`")),
    }
    Ok(())
}

/// `\0`, `\012` and `\123` are characters, `\1` alone would be a back reference.
fn octal(first: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    let mut digits = String::from(first);
    while let Some(digit) = rest.next_if(|c| digits.len() < 3 && ('0'..='7').contains(c)) {
        digits.push(digit);
    }
    if first != '0' && digits.len() == 1 {
        return Err("back references are not supported".to_owned());
    }
    let code = u32::from_str_radix(&digits, 8).unwrap_or_default();
    out.push_str(&format!("\\x{{{code:x}}}"));
    Ok(())
}

fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    out.push('[');
    out.extend(rest.next_if_eq(&'^'));
    // the first one is a character
    if rest.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
    loop {
        match rest.next().ok_or("a `[` is not closed")? {
            ']' => break,
            '\\' => escape(rest, out, true)?,
            '[' if rest.peek() == Some(&':') => {
                out.push('[');
                for character in rest.by_ref() {
                    out.push(character);
                    if character == ']' {
                        break;
                    }
                }
            }
            character @ ('[' | '&' | '~') => out.extend(['\\', character]),
            '-' if rest.peek() == Some(&'-') => out.push_str("\\-"),
            other => out.push(other),
        }
    }
    out.push(']');
    Ok(())
}

/// A group with `?`: flags, or a name.
fn group(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    out.push('(');
    out.extend(rest.next());
    let mut flags = rest.clone();
    match flags.next() {
        Some('P' | '<') => return Ok(()),
        Some('=' | '!') => return Err("look-around is not supported".to_owned()),
        _ => {}
    }
    for flag in rest.clone().take_while(|c| !matches!(c, ':' | ')')) {
        if !matches!(flag, 'i' | 'm' | 's' | 'U' | '-') {
            return Err(format!("unknown flag `{flag}`"));
        }
    }
    Ok(())
}

/// `{2}`, `{2,}` and `{2,5}` count; anything else in braces is text to Go.
fn count(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    let inside: String = rest.clone().take_while(|&c| c != '}').collect();
    let closed = rest.clone().nth(inside.chars().count()) == Some('}');
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (low, high) = inside.split_once(',').unwrap_or((&inside, ""));
    if !closed || !digits(low) || !(high.is_empty() || digits(high)) {
        out.push_str("\\{");
        return Ok(());
    }
    if [low, high].iter().any(|number| number.parse().unwrap_or(u32::from(!number.is_empty()) * u32::MAX) > MAX_COUNT) {
        return Err(format!("a count above {MAX_COUNT}"));
    }
    out.push('{');
    out.push_str(&inside);
    out.push('}');
    (0..=inside.chars().count()).for_each(|_| _ = rest.next());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, fits: &[&str], others: &[&str]) {
        let regex = compile(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        for text in fits {
            assert!(regex.is_match(text), "{expression} {text}");
        }
        for text in others {
            assert!(!regex.is_match(text), "{expression} {text}");
        }
    }

    #[test]
    fn what_go_takes() {
        check("", &["", "a"], &[]);
        check("^mysql.*$", &["mysql-0"], &["a-mysql"]);
        check("^(a|b)$", &["a"], &["a-1"]);
        check(r"\Qa.b\E+", &["a.bb"], &["axb"]);
        check("[[:alpha:]]", &["a"], &["1"]);
        check("[a[b]", &["["], &["c"]);
        check("[a&&b]", &["&"], &["c"]);
        check(r"[\]]", &["]"], &["a"]);
        check("a{2,3}b", &["aab"], &["ab"]);
        check("a{x}", &["a{x}"], &["ax"]);
        check("(?i)A", &["a"], &["b"]);
        check("(?P<n>a)(?:b)", &["ab"], &["b"]);
        check(r"\x41\101\.", &["AA."], &["AAx"]);
        check("a]}", &["a]}"], &["a"]);
    }

    #[test]
    fn what_go_refuses() {
        for expression in
            ["(", "a)", "[a", "*", "a**", r"\Z", r"\1", "(?!a)", "(?<=a)", "(?x)a", "a{1001}", "a{2,1}", "\\"]
        {
            let refused = compile(expression).is_err();
            // Rust takes a repeated repetition
            assert_eq!(refused, expression != "a**", "{expression}");
        }
    }
}
