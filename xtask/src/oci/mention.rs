//! References in texts of any kind: the whole word around a place, if it is one.

use std::ops::Range;

use super::Reference;

/// A reference in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Its bytes.
    pub range: Range<usize>,
    /// What it says.
    pub reference: Reference,
}

/// The reference that stands around a place of a text. The word ends where no reference goes on, and punctuation at its end
/// is of the sentence; `docker://` and the like before it are left out.
///
/// ```
/// use groupage::oci::mention_around;
/// let text = "pull docker://a.io/team/app:1.2, then";
/// let mention = mention_around(text, text.find("team").unwrap()).unwrap();
/// assert_eq!(&text[mention.range], "a.io/team/app:1.2");
/// assert_eq!(mention.reference.tag(), Some("1.2"));
/// ```
pub fn mention_around(text: &str, place: usize) -> Option<Mention> {
    let bytes = text.as_bytes();
    if !bytes.get(place).is_some_and(|&byte| goes_on(byte)) {
        return None;
    }
    let start = bytes[..place].iter().rposition(|&byte| !goes_on(byte)).map_or(0, |before| before + 1);
    let end = bytes[place..].iter().position(|&byte| !goes_on(byte)).map_or(bytes.len(), |length| place + length);
    let start = text[start..place].rfind("://").map_or(start, |scheme| start + scheme + 3);
    let word = text[start..end].trim_end_matches(['.', ':', ',', '/', '-', '@']);
    let range = start..start + word.len();
    word.parse().ok().filter(|_| range.contains(&place)).map(|reference| Mention { range, reference })
}

/// Whether a byte can be part of a reference.
fn goes_on(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b':' | b'@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, at: &str, expect: Option<&str>) {
        let mention = mention_around(text, text.find(at).unwrap());
        assert_eq!(mention.map(|mention| &text[mention.range]), expect, "{text}");
    }

    #[test]
    fn words_of_texts() {
        check("image: \"ghcr.io/a/b:1\"", "a/b", Some("ghcr.io/a/b:1"));
        check("FROM --platform=linux/amd64 a.io/b AS c", "a.io", Some("a.io/b"));
        check("see a.io/b:1.", "b:1", Some("a.io/b:1"));
        check("a.io/b:{{ .Tag }}", "a.io", Some("a.io/b"));
        check("x ä a.io/b", "ä", None);
        check("a.io//b", "b", None);
        check("REF=a.io/b@sha256:12", "a.io", None);
    }
}
