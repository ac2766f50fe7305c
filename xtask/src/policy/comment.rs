//! What is a comment in a text of any kind: what stands there is used by nobody.
//!
//! - A line whose first characters are `#` or `//` is one, in every kind of file, because YAML stands in Go and shell in YAML; but
//!   `#` is a heading in prose, an attribute in Rust and a directive in C.
//! - What follows ` #` or ` //` on a line is one as well, unless a quote is open before it.
//! - `# syntax=` of a Dockerfile is none: it names an image.
//! - In prose (Markdown and the like) nothing is a comment. `/* … */` and `<!-- … -->` are not seen: what stands in them counts.

/// Which marks begin a comment in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Comments {
    /// None.
    Prose,
    /// `//`.
    Slashes,
    /// `#` and `//`.
    Both,
}

impl Comments {
    /// What a file has, by its name.
    pub(super) fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("md" | "markdown" | "txt" | "rst" | "adoc" | "html") => Self::Prose,
            Some("rs" | "c" | "h" | "cc" | "cpp" | "hpp") => Self::Slashes,
            _ => Self::Both,
        }
    }

    /// Whether a place of a text is in a comment.
    pub(super) fn hold(self, text: &str, place: usize) -> bool {
        let start = text[..place].rfind('\n').map_or(0, |newline| newline + 1);
        let line = &text[start..place];
        let marks: &[&str] = match self {
            Self::Prose => return false,
            Self::Slashes => &["//"],
            Self::Both => &["#", "//"],
        };
        let first = line.trim_start();
        if first.strip_prefix('#').is_some_and(|rest| rest.trim_start().starts_with("syntax=")) {
            return false;
        }
        marks.iter().any(|mark| first.starts_with(mark) || trails(line, mark))
    }
}

/// Whether a line has a mark behind white space, and outside of quotes.
fn trails(line: &str, mark: &str) -> bool {
    let is_one = |(at, _): (usize, &str)| {
        let before = &line[..at];
        let closed = |quote: char| before.matches(quote).count().is_multiple_of(2);
        before.ends_with([' ', '\t']) && closed('"') && closed('\'') && closed('`')
    };
    line.match_indices(mark).any(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments() {
        let check = |path: &str, text: &str, expect: bool| {
            let place = text.find("r.io").unwrap();
            assert_eq!(Comments::of(path).hold(text, place), expect, "{path}: {text}");
        };
        check("a.yaml", "image: r.io/a:1", false);
        check("a.yaml", "x: 1\n  #image: r.io/a:1", true);
        check("a.yaml", "image: b # r.io/a:1", true);
        check("a.yaml", "image: \"b # r.io/a:1\"", false);
        check("a.yaml", "url: x#r.io/a:1", false);
        // a manifest in a Go string
        check("model.go", "const m = `\n    #image: r.io/a:1\n", true);
        check("model.go", "x := \"r.io/a:1\"", false);
        check("model.go", "x := 1 // r.io/a:1", true);
        check("main.rs", "#[image(\"r.io/a:1\")]", false);
        check("main.rs", "/// r.io/a:1", true);
        check("README.md", "# r.io/a:1", false);
        check("Dockerfile", "# syntax=r.io/a:1", false);
        check("Dockerfile", "#FROM r.io/a:1", true);
        check("run.sh", "docker pull r.io/a:1", false);
    }
}
