//! Which files a `//go:embed` pattern means. <https://pkg.go.dev/embed#hdr-Directives>

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::workspace::glob::{Fit, Token, fits};
use crate::workspace::go::GoFolder;

/// The files that patterns match, relative to the folder. A folder that matches means all in it, without names that begin with
/// `.` or `_`, unless the pattern begins with `all:`. A pattern that matches nothing is the compiler's to report.
pub(super) fn matched<'p>(folder: &GoFolder, patterns: impl Iterator<Item = &'p String>) -> BTreeSet<Utf8PathBuf> {
    let files = || {
        let here = folder.others.iter().chain(folder.sources.keys()).map(Utf8Path::new);
        here.chain(folder.below.iter().map(Utf8PathBuf::as_path))
    };
    let mut matched = BTreeSet::new();
    for pattern in patterns {
        let (pattern, all) = pattern.strip_prefix("all:").map_or((pattern.as_str(), false), |rest| (rest, true));
        let tokens = tokens(pattern);
        let is_meant = |file: &&Utf8Path| {
            let mut folders = file.ancestors().filter(|above| !above.as_str().is_empty() && above != file);
            fits(&tokens, file.as_str(), Fit::Path)
                || folders.any(|above| {
                    let is_it = pattern == "." || fits(&tokens, above.as_str(), Fit::Path);
                    is_it && (all || is_plain(file, above))
                })
                || (pattern == "." && (all || is_plain(file, Utf8Path::new(""))))
        };
        matched.extend(files().filter(is_meant).map(Utf8Path::to_owned));
    }
    matched
}

fn is_plain(file: &Utf8Path, above: &Utf8Path) -> bool {
    let below = file.strip_prefix(above).unwrap_or(file);
    below.components().all(|part| !part.as_str().starts_with(['.', '_']))
}

/// A pattern of Go's `path.Match`.
fn tokens(pattern: &str) -> Vec<Token> {
    let (mut tokens, mut characters) = (Vec::new(), pattern.chars().peekable());
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => Token::Some,
            '?' => Token::Any,
            '\\' => Token::Is(characters.next().unwrap_or('\\')),
            '[' => {
                let negated = characters.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while let Some(low) = characters.next().filter(|low| *low != ']') {
                    let low = if low == '\\' { characters.next().unwrap_or(low) } else { low };
                    let high = match characters.next_if_eq(&'-') {
                        Some(_) => characters.next().filter(|high| *high != '\\').or_else(|| characters.next()),
                        None => None,
                    };
                    ranges.push((low, high.unwrap_or(low)));
                }
                Token::Class { negated, ranges }
            }
            other => Token::Is(other),
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let folder = GoFolder {
            others: ["a.txt", "b.txt", ".hidden", "_draft"].map(str::to_owned).into(),
            below: ["d/x", "d/.y", "d/_z", "d/e/f", ".g/h"].map(Utf8PathBuf::from).into(),
            ..GoFolder::default()
        };
        let check = |pattern: &str, expect: &[&str]| {
            let seen = matched(&folder, [pattern.to_owned()].iter());
            assert_eq!(seen.iter().map(|path| path.as_str()).collect::<Vec<_>>(), expect, "{pattern}");
        };
        check("a.txt", &["a.txt"]);
        check("*.txt", &["a.txt", "b.txt"]);
        check("[ab].txt", &["a.txt", "b.txt"]);
        check("[^a].txt", &["b.txt"]);
        check("[a-b].t?t", &["a.txt", "b.txt"]);
        check(".hidden", &[".hidden"]);
        check("d", &["d/e/f", "d/x"]);
        check("all:d", &["d/.y", "d/_z", "d/e/f", "d/x"]);
        check("d/*", &["d/.y", "d/_z", "d/e/f", "d/x"]);
        check(".g", &[".g/h"]);
        check("none", &[]);
        check("\\a.txt", &["a.txt"]);
    }
}
