//! What a Go file says before its code: build constraints, the package, imports; and which files it embeds.
//! <https://go.dev/ref/spec#Source_file_organization>

use std::collections::{BTreeMap, BTreeSet};

use super::constraint::Constraint;

/// The beginning of a Go file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// Name of the package; empty when the file has none, and is therefore no Go file.
    pub package: String,
    /// When it counts, by lines; always when absent.
    pub constraint: Option<Constraint>,
    /// The line on which each tag is named first, from 1.
    pub tags: BTreeMap<String, u32>,
    /// Packages that it imports; `C` is that of cgo.
    pub imports: BTreeSet<String>,
    /// Patterns of `//go:embed`, as they are meant.
    pub embeds: BTreeSet<String>,
}

impl Header {
    /// Reads a file. What cannot be read is left out: the compiler will say it better.
    pub fn read(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut scanner = Scanner { text, at: 0 };
        let mut header = Self::default();
        let begin = scanner.skip_comments();
        header.constraints(&text[..begin]);
        if scanner.word() != Some("package") {
            return Self::default();
        }
        scanner.skip_comments();
        scanner.word().unwrap_or_default().clone_into(&mut header.package);
        loop {
            scanner.skip_separators();
            if scanner.word() != Some("import") {
                break;
            }
            scanner.imports(&mut header.imports);
        }
        if header.imports.contains("embed") {
            let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("//go:embed"));
            lines.filter(|rest| rest.starts_with([' ', '\t'])).for_each(|rest| header.embeds.extend(patterns(rest)));
        }
        header
    }

    /// Whether it needs a C compiler.
    pub fn is_cgo(&self) -> bool {
        self.imports.contains("C")
    }

    /// Constraints among the comments before the package clause. Where there is a `//go:build`, older lines do not count; these
    /// must be followed by an empty line, and by nothing but comments and empty lines after it.
    fn constraints(&mut self, comments: &str) {
        let (mut block, mut older, mut waiting) = (false, Vec::new(), Vec::new());
        for (number, line) in (1..).zip(comments.lines()) {
            let line = line.trim();
            if block {
                block = !line.contains("*/");
                continue;
            }
            if line.is_empty() {
                older.append(&mut waiting);
            }
            block = line.starts_with("/*") && !line.contains("*/");
            if let Some(rest) = line.strip_prefix("//go:build").filter(|rest| rest.starts_with([' ', '\t'])) {
                if let Ok(constraint) = Constraint::parse(rest) {
                    self.tags.clear();
                    self.name(&constraint, number);
                    self.constraint = Some(constraint);
                    return;
                }
            }
            let plus = line.strip_prefix("//").map(str::trim_start).and_then(|rest| rest.strip_prefix("+build"));
            if let Some(constraint) = plus.and_then(Constraint::parse_plus_build) {
                waiting.push((number, constraint));
            }
        }
        for (number, constraint) in older {
            self.name(&constraint, number);
            self.constraint = Some(match self.constraint.take() {
                Some(known) => known.and(constraint),
                None => constraint,
            });
        }
    }

    fn name(&mut self, constraint: &Constraint, line: u32) {
        for tag in constraint.tags() {
            self.tags.entry(tag.to_owned()).or_insert(line);
        }
    }
}

/// The patterns of one `//go:embed`: words, or strings as Go has them.
fn patterns(mut rest: &str) -> Vec<String> {
    let mut patterns = Vec::new();
    loop {
        rest = rest.trim_start();
        let quote = match rest.chars().next() {
            None => return patterns,
            Some(quote @ ('"' | '`')) => quote,
            Some(_) => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                patterns.push(rest[..end].to_owned());
                rest = &rest[end..];
                continue;
            }
        };
        let Some(end) = rest[1..].find(quote) else { return patterns };
        patterns.push(rest[1..=end].to_owned());
        rest = &rest[end + 2..];
    }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Skips blanks, line ends and comments; gives where the next thing begins.
    fn skip_comments(&mut self) -> usize {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            let length = if trimmed.starts_with("//") {
                trimmed.find('\n').unwrap_or(trimmed.len())
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map_or(trimmed.len(), |end| end + 2)
            } else {
                return self.at;
            };
            self.at += length;
        }
    }

    fn skip_separators(&mut self) {
        self.skip_comments();
        while self.eat(';') {
            self.skip_comments();
        }
    }

    fn eat(&mut self, character: char) -> bool {
        let is_there = self.rest().starts_with(character);
        if is_there {
            self.at += character.len_utf8();
        }
        is_there
    }

    fn word(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        self.at += end;
        (end > 0).then(|| &rest[..end])
    }

    /// What follows `import`.
    fn imports(&mut self, imports: &mut BTreeSet<String>) {
        self.skip_comments();
        if !self.eat('(') {
            imports.extend(self.import());
            return;
        }
        loop {
            self.skip_separators();
            if self.eat(')') {
                return;
            }
            match self.import() {
                Some(path) => imports.insert(path),
                None => return,
            };
        }
    }

    /// One import, perhaps under another name.
    fn import(&mut self) -> Option<String> {
        if !self.eat('.') {
            self.word();
        }
        self.skip_comments();
        let rest = self.rest();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '`'))?;
        let end = rest[1..].find(quote)?;
        self.at += end + 2;
        Some(rest[1..=end].to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, package: &str, constraint: &str, imports: &[&str], embeds: &[&str]) {
        let header = Header::read(text);
        let constrained = header.constraint.as_ref().map(ToString::to_string).unwrap_or_default();
        assert_eq!((header.package.as_str(), constrained.as_str()), (package, constraint), "{text}");
        assert_eq!(header.imports.iter().map(String::as_str).collect::<Vec<_>>(), imports, "{text}");
        assert_eq!(header.embeds.iter().map(String::as_str).collect::<Vec<_>>(), embeds, "{text}");
    }

    #[test]
    fn beginnings_of_files() {
        check("package a", "a", "", &[], &[]);
        check("\u{feff}// c\n/* package x */ package a // y\n", "a", "", &[], &[]);
        check("//go:build linux && x\n\npackage a\n", "a", "linux && x", &[], &[]);
        check("//go:build a\n// +build b\n\npackage a\n", "a", "a", &[], &[]);
        check("// +build b,!c d\n// +build e\n\npackage a\n", "a", "(b && !c || d) && e", &[], &[]);
        // part of the documentation of the package
        check("// +build b\npackage a\n", "a", "", &[], &[]);
        check("/*\n//go:build x\n*/\npackage a\n", "a", "", &[], &[]);
        check("package a\n//go:build x\n", "a", "", &[], &[]);
        check("import \"x\"\n", "", "", &[], &[]);
        check("package a; import \"x\"; import (\"y\"; . `z`)\n", "a", "", &["x", "y", "z"], &[]);
        check(
            "package a\n\n/*\n#include <x.h>\nimport \"no\"\n*/\nimport \"C\"\nimport (\n\t_ \"embed\" // e\n\n\tn \"x/y\"\n)\n\
             var s = `import \"z\"`\n",
            "a",
            "",
            &["C", "embed", "x/y"],
            &[],
        );
        let text = "package a\nimport \"embed\"\n//go:embed a *.txt \"b c\" `d`\n//go:embed all:e\n//go:embedded f\nvar f embed.FS\n";
        check(text, "a", "", &["embed"], &["*.txt", "a", "all:e", "b c", "d"]);
        // without the package nothing is embedded
        check("package a\n//go:embed x\n", "a", "", &[], &[]);
    }

    #[test]
    fn lines_of_tags() {
        let header = Header::read("// Copyright\n\n//go:build linux && x\n\npackage a\n");
        assert_eq!(header.tags, [("linux".to_owned(), 3), ("x".to_owned(), 3)].into());
    }

    proptest! {
        #[test]
        fn no_file_is_too_odd(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "package", " ", "a", "\n", "import", "(", ")", "\"", "`", "//", "/*", "*/", "//go:build ", "+build", "//go:embed ",
                "embed", "é", ";", ".", "!", "&&", "\u{feff}",
            ]), 0..40),
        ) {
            Header::read(&pieces.concat());
        }
    }
}
