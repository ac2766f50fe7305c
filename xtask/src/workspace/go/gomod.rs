//! `go.mod` and `go.work`, as far as they decide which files a build reads. <https://go.dev/ref/mod#go-mod-file>

use std::collections::{BTreeMap, BTreeSet};

/// What is read of a `go.mod`, or of a `go.work`, which has `use` and no `module`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoMod {
    /// The path of the module; empty in a `go.work`.
    pub module: String,
    /// The version of the language, such as `1.19`; empty when it is not said.
    pub go: String,
    /// Modules that it requires.
    pub requires: BTreeSet<String>,
    /// Folders that stand in for modules, as written, by the path of the module.
    pub folders: BTreeMap<String, String>,
    /// Folders of the modules of a `go.work`, as written.
    pub uses: BTreeSet<String>,
}

impl GoMod {
    /// Reads a file.
    ///
    /// # Errors
    /// A line, from 1, and what is wrong with it. Directives that decide nothing here are not judged: Go does that.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut parsed = Self::default();
        let mut block: Option<String> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let words = words(line).map_err(|what| (number, what))?;
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match (&block, words.as_slice()) {
                (_, []) => {}
                (Some(_), [")"]) => block = None,
                (Some(directive), words) => parsed.directive(directive, words).map_err(|what| (number, what))?,
                (None, [directive, "("]) => block = Some((*directive).to_owned()),
                (None, [directive, words @ ..]) => {
                    parsed.directive(directive, words).map_err(|what| (number, what))?;
                }
            }
        }
        match block {
            Some(directive) => Err((text.lines().count(), format!("the block `{directive} (` does not end"))),
            None => Ok(parsed),
        }
    }

    fn directive(&mut self, directive: &str, words: &[&str]) -> Result<(), String> {
        match (directive, words) {
            ("module", [path]) => (*path).clone_into(&mut self.module),
            ("go", [version]) => (*version).clone_into(&mut self.go),
            ("require", [path, _]) => _ = self.requires.insert((*path).to_owned()),
            ("use", [folder]) => _ = self.uses.insert((*folder).to_owned()),
            ("replace", [path, "=>", folder] | [path, _, "=>", folder]) if is_folder(folder) => {
                self.folders.insert((*path).to_owned(), (*folder).to_owned());
            }
            ("replace", [_, "=>", _, _] | [_, _, "=>", _, _]) => {}
            ("module" | "go" | "require" | "use" | "replace", _) => {
                return Err(format!("this is no `{directive}`"));
            }
            _ => {}
        }
        Ok(())
    }

    /// Modules that somebody must fetch: those that it requires and no folder stands in for.
    pub fn fetched(&self) -> impl Iterator<Item = &str> {
        self.requires.iter().map(String::as_str).filter(|path| !self.folders.contains_key(*path))
    }
}

/// Go's rule for what is a folder and not the path of a module.
fn is_folder(text: &str) -> bool {
    text == "." || text == ".." || ["./", "../", "/"].iter().any(|start| text.starts_with(start))
}

/// The words of a line, without comments and quotes. Parentheses and arrows are words when they stand alone.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with("//") {
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '`'));
        let (word, end) = match quote {
            Some(quote) => {
                let end = rest[1..].find(quote).ok_or_else(|| "a string does not end".to_owned())?;
                (&rest[1..=end], end + 2)
            }
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let end = rest[..end].find("//").unwrap_or(end);
                // `require(` is as good as `require (`
                let end = match rest[..end].strip_suffix('(') {
                    Some(before) if !before.is_empty() => before.len(),
                    _ => end,
                };
                (&rest[..end], end)
            }
        };
        words.push(word.to_owned());
        rest = rest[end..].trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_files() {
        let text = "// c\nmodule \"example.com/m\" // x\n\ngo 1.19\nrequire(\n\ta.b/c v1.0.0 // indirect\n\td.e/f v0.1.0\n)\n\
                    require g.h/i v1.0.0\nreplace d.e/f v0.1.0 => ../f\nreplace (\n\tg.h/i => ./i\n\ta.b/c => j.k/l v1.0.0\n)\n\
                    exclude x v1.0.0\nretract (\n\tv1.0.0 // bad\n)\ntoolchain go1.21.0\n";
        let parsed = GoMod::parse(text).unwrap();
        assert_eq!((parsed.module.as_str(), parsed.go.as_str()), ("example.com/m", "1.19"));
        assert_eq!(parsed.requires.iter().collect::<Vec<_>>(), ["a.b/c", "d.e/f", "g.h/i"]);
        assert_eq!(
            parsed.folders,
            [("d.e/f", "../f"), ("g.h/i", "./i")].map(|(a, b)| (a.to_owned(), b.to_owned())).into()
        );
        assert_eq!(parsed.fetched().collect::<Vec<_>>(), ["a.b/c"]);
        let work = GoMod::parse("go 1.19\nuse ./a\nuse (\n\t.\n\t../b\n)\n").unwrap();
        assert_eq!(work.uses.iter().collect::<Vec<_>>(), [".", "../b", "./a"]);
    }

    #[test]
    fn what_is_wrong_has_a_line() {
        let check = |text: &str, line: usize, what: &str| {
            assert_eq!(GoMod::parse(text), Err((line, what.to_owned())), "{text}");
        };
        check("module a\nrequire b\n", 2, "this is no `require`");
        check("module \"a\n", 1, "a string does not end");
        check("module a\nrequire (\nb v1\n", 3, "the block `require (` does not end");
        check("replace a => \n", 1, "this is no `replace`");
    }
}
