//! Values quoted for a Dockerfile that is written, with the usual escape character.

/// A word in double quotes, for `LABEL`, `ENV` and `ARG`: quotes, backslashes and `$` in it lose their meaning.
///
/// A line is read before anything is quoted, so that no value may hold a line break.
pub fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\' | '$') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::dockerfile::{Dockerfile, evaluate};

    #[test]
    fn words() {
        for (text, expect) in [
            ("plain", r#""plain""#),
            ("", r#""""#),
            ("a b", r#""a b""#),
            (r#"say "hi""#, r#""say \"hi\"""#),
            ("${HOME} $(id)", r#""\${HOME} \$(id)""#),
            (r"back\slash\", r#""back\\slash\\""#),
            ("# no comment", r##""# no comment""##),
            ("it's", r#""it's""#),
        ] {
            assert_eq!(double_quoted(text), expect);
            // and what is written is read as it was
            let file = format!("FROM scratch\nLABEL l={expect}\nARG a={expect}\n");
            let file = Dockerfile::parse(&file).expect("it is one");
            let facts = evaluate(&file, None, &BTreeMap::new()).expect("nothing is open");
            assert_eq!(facts.labels["l"].value.known(), Some(text));
            assert_eq!(facts.arguments["a"].value.as_ref().and_then(|value| value.known()), Some(text));
        }
    }
}
