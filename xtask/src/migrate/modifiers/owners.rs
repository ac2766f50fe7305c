//! Pods and the names of what owns them; and regular expressions of the ones turned into those of the others.

use super::kinds::Names;

/// The name of the owner that a pod can have, if it is named after one of this kind.
///
/// ```
/// use groupage::migrate::modifiers::{kinds::Names, owners::owner};
/// assert_eq!(owner("growi-mongodb-5dcfb75c59-qvdmt", Names::Hashed), Some("growi-mongodb"));
/// assert_eq!(owner("growi-mongodb-0", Names::Numbered), Some("growi-mongodb"));
/// assert_eq!(owner("growi-mongodb-0", Names::Hashed), None);
/// ```
pub fn owner(pod: &str, names: Names) -> Option<&str> {
    match names {
        Names::Hashed => without(without(pod, is_random)?, is_hash),
        Names::Random => without(pod, is_random),
        Names::Numbered => without(pod, is_number),
        Names::NumberedRandom => without(without(pod, is_random)?, is_number),
    }
}

/// The expression for the part of a pod's name after that of its owner, as Kubernetes makes it. Its letters are those of
/// `k8s.io/apimachinery/pkg/util/rand`, which has no vowels, so that no word is taken for one.
pub fn suffix(names: Names) -> String {
    const LETTERS: &str = "[bcdfghjklmnpqrstvwxz2456789]";
    match names {
        Names::Hashed => format!("-{LETTERS}{{1,10}}-{LETTERS}{{5}}"),
        Names::Random => format!("-{LETTERS}{{5}}"),
        Names::Numbered => "-[0-9]+".to_owned(),
        Names::NumberedRandom => format!("-[0-9]+-{LETTERS}{{5}}"),
    }
}

fn without(name: &str, is: fn(&str) -> bool) -> Option<&str> {
    let (owner, last) = name.rsplit_once('-')?;
    (is(last) && !owner.is_empty()).then_some(owner)
}

fn is_random(text: &str) -> bool {
    text.len() == 5 && is_hash(text)
}

fn is_hash(text: &str) -> bool {
    (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The expression for the pods of what an expression matches: the end of the name becomes the `-` that follows it in the
/// names of pods.
///
/// ```
/// use groupage::migrate::modifiers::owners::of_pods;
/// assert_eq!(of_pods("^(a|b)$").unwrap(), "^(a|b)-");
/// assert_eq!(of_pods("^a").unwrap(), "^a");
/// ```
///
/// # Errors
/// Why it cannot be told.
pub fn of_pods(regex: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(regex.len());
    let (mut rest, mut in_class) = (regex.chars().peekable(), false);
    while let Some(character) = rest.next() {
        let is_end = match character {
            '\\' if rest.peek() == Some(&'z') && !in_class => {
                rest.next();
                true
            }
            '\\' if rest.peek() == Some(&'Q') => return Err("it has `\\Q`"),
            '\\' => {
                out.push(character);
                out.extend(rest.next());
                continue;
            }
            '(' if !in_class && rest.peek() == Some(&'?') && !is_plain_group(rest.clone()) => {
                return Err("it has flags");
            }
            '[' | ']' => {
                in_class = character == '[';
                false
            }
            '$' => !in_class,
            _ => false,
        };
        if is_end && rest.peek().is_some_and(|next| matches!(next, '?' | '*' | '+' | '{')) {
            return Err("a `$` in it is repeated");
        }
        out.push(if is_end { '-' } else { character });
    }
    Ok(out)
}

/// `(?:` and named groups, after the first bracket.
fn is_plain_group(mut rest: std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    rest.next();
    matches!(rest.next(), Some(':' | 'P' | '<'))
}

/// The names that an expression means, where it is nothing but a name or several of them.
pub fn literals(regex: &str) -> Option<Vec<String>> {
    let inside = regex.strip_prefix('^').unwrap_or(regex);
    let inside = inside.strip_suffix('$').or_else(|| inside.strip_suffix('-')).unwrap_or(inside);
    let group = inside.strip_prefix('(').and_then(|inside| inside.strip_suffix(')'));
    let inside = group.map_or(inside, |inside| inside.strip_prefix("?:").unwrap_or(inside));
    inside.split('|').map(literal).collect()
}

fn literal(text: &str) -> Option<String> {
    let unescaped = text.replace("\\.", ".").replace("\\-", "-");
    let is_name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    // a dot that is not escaped is any character
    (!unescaped.is_empty()
        && is_name(&unescaped)
        && is_name(&text.replace("\\.", "").replace("\\-", ""))
        && !text.replace("\\.", "").contains('.'))
    .then_some(unescaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_become_dashes() {
        for (regex, expect) in [
            ("", Ok("")),
            ("^web$", Ok("^web-")),
            ("^a$|^b$", Ok("^a-|^b-")),
            ("^(a$|b$)", Ok("^(a-|b-)")),
            (r"^a\$[$]$", Ok(r"^a\$[$]-")),
            (r"^a\z", Ok("^a-")),
            ("^(?:a)$", Ok("^(?:a)-")),
            ("^a.*$", Ok("^a.*-")),
            ("(?m)a$", Err("it has flags")),
            ("a$?", Err("a `$` in it is repeated")),
        ] {
            assert_eq!(of_pods(regex), expect.map(str::to_owned), "{regex}");
        }
    }

    #[test]
    fn names_in_expressions() {
        let names = |regex: &str| literals(regex).map(|names| names.join(" ")).unwrap_or_default();
        assert_eq!(names("^(elasticsearch|growi|growi-mongodb)$"), "elasticsearch growi growi-mongodb");
        assert_eq!(names(r"^a\.b$"), "a.b");
        assert_eq!(names("^web-"), "web");
        for regex in ["", "^a.b$", "^a.*$", "[ab]", "(a|(b))"] {
            assert_eq!(names(regex), "", "{regex}");
        }
    }
}
