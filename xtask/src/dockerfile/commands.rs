//! The commands of a shell's script, as words. Enough for commands that say something of the image by plain words: quotes are
//! taken away, variables and substitutions stay as they are written, redirections and comments are left out.
//! <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html>

use std::mem::take;

/// Words that stand before a program: reserved ones of the shell, and programs that start another one as it is.
const BEFORE: [&str; 14] =
    ["!", "{", "if", "then", "elif", "else", "while", "until", "do", "sudo", "exec", "command", "env", "busybox"];

/// The commands of a script in order, each from its program on.
pub(super) fn commands(script: &str) -> Vec<Vec<String>> {
    let mut found = Found::default();
    let mut chars = script.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('\n') | None => {}
                Some('\r') if chars.next_if_eq(&'\n').is_some() => {}
                Some(c) => found.word().push(c),
            },
            '\'' => found.word().extend(chars.by_ref().take_while(|c| *c != '\'')),
            '"' => {
                let word = found.word();
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    match chars.peek() {
                        Some('"' | '\\' | '$' | '`') if c == '\\' => word.extend(chars.next()),
                        Some('\n') if c == '\\' => _ = chars.next(),
                        _ => word.push(c),
                    }
                }
            }
            '#' if found.word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            '<' | '>' => {
                while chars.next_if(|c| "<>&|".contains(*c)).is_some() {}
                found.redirect();
            }
            // both outputs go to one file
            '&' if chars.peek() == Some(&'>') => {}
            ';' | '&' | '|' | '\n' | '(' | ')' => found.end_command(),
            c if c.is_whitespace() => found.end_word(),
            c => found.word().push(c),
        }
    }
    found.end_command();
    found.commands
}

#[derive(Default)]
struct Found {
    commands: Vec<Vec<String>>,
    words: Vec<String>,
    word: Option<String>,
    /// Whether the word is where a redirection goes to, and none of the command.
    is_target: bool,
}

impl Found {
    /// The word that is read; an empty one in quotes counts.
    fn word(&mut self) -> &mut String {
        self.word.get_or_insert_default()
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take()
            && !take(&mut self.is_target)
        {
            self.words.push(word);
        }
    }

    /// Digits before it say which file is redirected.
    fn redirect(&mut self) {
        self.word.take_if(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        self.end_word();
        self.is_target = true;
    }

    fn end_command(&mut self) {
        self.end_word();
        self.is_target = false;
        let words = take(&mut self.words);
        // options here are those of what stands before the program
        let is_before = |word: &String| BEFORE.contains(&word.as_str()) || word.starts_with('-') || is_assignment(word);
        let words: Vec<String> = words.into_iter().skip_while(is_before).collect();
        if !words.is_empty() {
            self.commands.push(words);
        }
    }
}

/// `NAME=value`.
fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_plain && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_commands() {
        let check = |script: &str, expect: &[&[&str]]| assert_eq!(commands(script), expect, "{script}");
        check("a b && c || d; e | f & g", &[&["a", "b"], &["c"], &["d"], &["e"], &["f"], &["g"]]);
        check("a \\\n  b\nc\\\r\n d", &[&["a", "b"], &["c", "d"]]);
        check("a 'b; c' \"d && \\\"e\\\"\" f\\ g ''", &[&["a", "b; c", "d && \"e\"", "f g", ""]]);
        check("if ! a; then b; else { c; }; fi", &[&["a"], &["b"], &["c"], &["}"], &["fi"]]);
        check("(a x) && A=1 B=\"2 3\" sudo -E /bin/b", &[&["a", "x"], &["/bin/b"]]);
        check("a >/dev/null 2>&1; b&>f <x c>>y d", &[&["a"], &["b", "c", "d"]]);
        check("a b # c; d\ne f#g", &[&["a", "b"], &["e", "f#g"]]);
        check("a \"$B\" $(c d)", &[&["a", "$B", "$"], &["c", "d"]]);
        check("a 'b", &[&["a", "b"]]);
        check("a \"b\\", &[&["a", "b\\"]]);
        check(" ;\n&& >", &[]);
    }
}
