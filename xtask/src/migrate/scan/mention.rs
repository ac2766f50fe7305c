//! A reference as it stands in a text, in parts, with what is computed around it: `$REG/a/b:${TAG}`, `{{ .Reg }}/a/b:{{ .Tag }}`.
//! On bytes: files of others are not always UTF-8.

use std::ops::Range;

/// A reference in a text. All ranges are of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Registry and path, or the path below something computed.
    pub name: Range<usize>,
    /// True when something computed stands before the name: `$REGISTRY/`.
    pub is_below: bool,
    /// The tag.
    pub tag: Tag,
    /// The digest with its `@`.
    pub digest: Option<Range<usize>>,
}

/// The tag of a mention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// None is written.
    None,
    /// Its bytes, without `:`.
    Is(Range<usize>),
    /// Something computes it.
    Computed(Range<usize>),
}

/// Longest text that is looked at on either side of a hit.
const MOST: usize = 512;

impl Mention {
    /// Everything that is written of the reference, but what is computed before it.
    pub fn range(&self) -> Range<usize> {
        let tag = match &self.tag {
            Tag::None => self.name.end,
            Tag::Is(tag) | Tag::Computed(tag) => tag.end,
        };
        self.name.start..self.digest.as_ref().map_or(tag, |digest| digest.end)
    }

    /// True when nothing but one part of a path is written.
    pub fn is_bare(&self, bytes: &[u8]) -> bool {
        let alone = !self.is_below && !bytes[self.name.clone()].contains(&b'/');
        alone && self.tag == Tag::None && self.digest.is_none()
    }
}

/// The reference around a hit on the last part of its path, if it is one by its form.
pub(super) fn around(bytes: &[u8], hit: Range<usize>) -> Option<Mention> {
    let end = part_end(bytes, hit.end)?;
    let (start, is_below) = begin(bytes, hit.start)?;
    let name = start..end;
    if !has_form(bytes.get(name.clone())?) {
        return None;
    }
    let (tag, after) = tag(bytes, end);
    // a tag that goes on as a path is none
    if after > end && bytes.get(after) == Some(&b'/') {
        return None;
    }
    Some(Mention { name, is_below, tag, digest: digest(bytes, after) })
}

fn in_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// Registry and path: no empty parts, capitals only in a registry.
fn has_form(name: &[u8]) -> bool {
    let mut parts = name.split(|byte| *byte == b'/');
    let first = parts.next().unwrap_or_default();
    let path = |part: &[u8]| !part.is_empty() && !part.iter().any(|byte| byte.is_ascii_uppercase() || *byte == b':');
    !first.is_empty() && !first.starts_with(b"-") && !matches!(first, b"." | b"..") && parts.all(path)
}

/// The end of the part; none when it is a folder, or something other goes on.
fn part_end(bytes: &[u8], from: usize) -> Option<usize> {
    let long = bytes[from..].iter().take(MOST).position(|&byte| !in_part(byte));
    let mut end = from + long.unwrap_or_else(|| (bytes.len() - from).min(MOST));
    // a full stop or dash at the end is of the sentence
    while end > from && matches!(bytes[end - 1], b'.' | b'-' | b'_') {
        end -= 1;
    }
    let next = bytes.get(end);
    (!matches!(next, Some(b'/' | b'(' | b'\\' | b'$' | b'*'))).then_some(end)
}

/// Where the name begins, and whether something computed stands before it.
fn begin(bytes: &[u8], hit: usize) -> Option<(usize, bool)> {
    let low = hit.saturating_sub(MOST);
    let goes_on = |byte: u8| in_part(byte) || matches!(byte, b'/' | b':');
    let mut start = bytes[low..hit].iter().rposition(|&byte| !goes_on(byte)).map_or(low, |at| low + at + 1);
    if let Some(scheme) = find_last(&bytes[start..hit], b"://") {
        if matches!(&bytes[start..start + scheme], b"http" | b"https" | b"git" | b"ssh" | b"file" | b"ftp") {
            return None;
        }
        start += scheme + 3;
    }
    // a colon is of a port, or it ends something else
    while let Some(colon) = bytes[start..hit].iter().rposition(|byte| *byte == b':') {
        let port = &bytes[start + colon + 1..hit];
        let digits = port.iter().position(|byte| !byte.is_ascii_digit());
        if digits.is_some_and(|digits| digits > 0 && port[digits] == b'/') {
            break;
        }
        start += colon + 1;
    }
    match computed_before(bytes, start, hit) {
        Some(below) => Some((below, true)),
        None if matches!(bytes.get(start), Some(b'/')) => None,
        // `~/bin`, `@scope/name`, `\path`
        None if start > 0 && matches!(bytes[start - 1], b'~' | b'@' | b'\\' | b'+') => None,
        None => Some((start, false)),
    }
}

fn find_last(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).rposition(|window| window == wanted)
}

/// Where the path goes on below something computed: `${A}/`, `$(A)/`, `{{ .A }}/`, `$A/`, `%s/`, `<registry>/`.
fn computed_before(bytes: &[u8], start: usize, hit: usize) -> Option<usize> {
    let before = start.checked_sub(1).map(|at| bytes[at])?;
    let slash = bytes[start..hit].iter().position(|byte| *byte == b'/')?;
    let is_computed = match before {
        b'}' => slash == 0,
        b')' => slash == 0 && closes_substitution(bytes, start - 1),
        b'>' => slash == 0 && !closes_element(bytes, start - 1) && bytes[..start - 1].contains(&b'<'),
        b'$' => true,
        b'%' => slash == 1,
        _ => return None,
    };
    // `$A/a/b` goes on after its first slash
    is_computed.then_some(start + slash + 1).filter(|below| *below <= hit)
}

/// Whether a `)` ends `$(…)`.
fn closes_substitution(bytes: &[u8], close: usize) -> bool {
    let low = close.saturating_sub(MOST);
    let open = bytes[low..close].iter().rposition(|byte| *byte == b'(').map(|at| low + at);
    open.is_some_and(|open| open > 0 && bytes[open - 1] == b'$')
}

/// Whether a `>` ends an element such as `<code>`, which is no place holder such as `<your-registry>`.
fn closes_element(bytes: &[u8], close: usize) -> bool {
    let low = close.saturating_sub(MOST);
    let Some(open) = bytes[low..close].iter().rposition(|byte| *byte == b'<') else { return true };
    let word = &bytes[low + open + 1..close];
    matches!(
        word,
        b"code" | b"pre" | b"td" | b"li" | b"p" | b"b" | b"kbd" | b"tt" | b"span" | b"br" | b"/code" | b"string"
    )
}

/// The tag behind a name, and where it ends.
fn tag(bytes: &[u8], name_end: usize) -> (Tag, usize) {
    if bytes.get(name_end) != Some(&b':') {
        return (Tag::None, name_end);
    }
    let start = name_end + 1;
    let (mut at, mut is_computed) = (start, false);
    while at < bytes.len() && at - start < MOST {
        if in_part(bytes[at]) {
            at += 1;
        } else if let Some(end) = computed(bytes, at) {
            (at, is_computed) = (end, true);
        } else {
            break;
        }
    }
    while at > start && matches!(bytes[at - 1], b'.' | b'-') {
        at -= 1;
    }
    match (at > start, is_computed) {
        (false, _) => (Tag::None, name_end),
        (true, true) => (Tag::Computed(start..at), at),
        (true, false) if at - start <= 128 => (Tag::Is(start..at), at),
        (true, false) => (Tag::Computed(start..at), at),
    }
}

/// The end of something computed that begins here.
fn computed(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..bytes.len().min(at + MOST)];
    let until =
        |end: &[u8]| rest.windows(end.len()).position(|window| window == end).map(|found| at + found + end.len());
    match rest {
        [b'{', b'{', ..] => until(b"}}"),
        [b'$', b'{', b'{', ..] => until(b"}}"),
        [b'$', b'{', ..] | [b'{', ..] => until(b"}"),
        [b'$', b'(', ..] => until(b")"),
        [b'$', next, ..] if next.is_ascii_alphabetic() || *next == b'_' => {
            let name = rest[1..].iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
            Some(at + 1 + name.unwrap_or(rest.len() - 1))
        }
        [b'%', b's' | b'v' | b'd', ..] => Some(at + 2),
        [b'<', next, ..] if next.is_ascii_alphabetic() => until(b">"),
        _ => None,
    }
}

fn digest(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = bytes.get(at..)?.strip_prefix(b"@")?;
    let long = rest.iter().take(MOST).position(|&byte| !byte.is_ascii_alphanumeric() && byte != b':');
    let long = long.unwrap_or(rest.len().min(MOST));
    let is_digest = rest.starts_with(b"sha256") || rest.starts_with(b"sha512");
    match computed(bytes, at + 1) {
        Some(end) => Some(at..end),
        None => is_digest.then_some(at..at + 1 + long),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name|tag|digest`, with `+` before a name below something computed and `$` before a computed tag.
    fn check(text: &str, expect: &str) {
        let at = text.find("helper").unwrap();
        let found = around(text.as_bytes(), at..at + "helper".len()).map(|mention| {
            let below = if mention.is_below { "+" } else { "" };
            let tag = match &mention.tag {
                Tag::None => String::new(),
                Tag::Is(tag) => text[tag.clone()].to_owned(),
                Tag::Computed(tag) => format!("${}", &text[tag.clone()]),
            };
            let digest = mention.digest.map(|digest| &text[digest]).unwrap_or_default();
            format!("{below}{}|{tag}|{digest}", &text[mention.name])
        });
        assert_eq!(found.unwrap_or_default(), expect, "{text}");
    }

    #[test]
    fn references() {
        check("helper", "helper||");
        check("image: a/helper:v1.2", "a/helper|v1.2|");
        check("\"r.io:5000/a/helper:1\",", "r.io:5000/a/helper|1|");
        check("use a/helper:v1.2.", "a/helper|v1.2|");
        check("a/helper, or", "a/helper||");
        check("docker://a/helper:1", "a/helper|1|");
        check("oci-archive:a/helper:1", "a/helper|1|");
        check("A=a/helper", "a/helper||");
        check("a/helper@sha256:d2c7da", "a/helper||@sha256:d2c7da");
        check("a/helper:1@sha256:d2c7da", "a/helper|1|@sha256:d2c7da");
        check("a/helper: x", "a/helper||");
    }

    #[test]
    fn computed_parts() {
        check("$REG/a/helper:$TAG", "+a/helper|$$TAG|");
        check("${REG}/helper:v1", "+helper|v1|");
        check("$(REG)/helper:$(V)-x", "+helper|$$(V)-x|");
        check("{{ .Reg }}/a/helper:{{ .Tag }}", "+a/helper|${{ .Tag }}|");
        check("%s/helper:%s", "+helper|$%s|");
        check("<registry>/helper:v1", "+helper|v1|");
        check("a/helper:v${{ matrix.v }}", "a/helper|$v${{ matrix.v }}|");
        check("{{ if x }}a/helper:1{{ end }}", "a/helper|$1{{ end }}|");
    }

    #[test]
    fn not_references() {
        for text in [
            "/helper",
            "./cmd/helper",
            "../helper",
            "helper/main.go",
            "~/helper",
            "https://hub.docker.com/r/a/helper",
            "a//helper",
            "A/B/helper",
            "helper()",
            "<code>/helper</code>",
        ] {
            check(text, "");
        }
    }
}
