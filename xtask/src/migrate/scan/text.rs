//! Where a mention stands in everything that is not YAML.

use super::file_kind::FileKind;
use super::flow;
use super::lines::scalar;
use super::place::{Container, Place, PlaceKind, is_image_key, is_other_name, is_variable};

/// The place of some bytes; none where such a file only names programs.
pub(super) fn place(kind: FileKind, bytes: &[u8], at: usize) -> Option<Place> {
    let line = line(bytes, at);
    match kind {
        FileKind::Json => Some(json(bytes, at)),
        FileKind::Toml if is_ledger(bytes, at) => None,
        FileKind::Toml => Some(toml(bytes, at, line)),
        FileKind::Dockerfile => dockerfile(bytes, at, line),
        FileKind::Shell => shell(bytes, at, line, PlaceKind::Shell),
        FileKind::Source => Some(source(bytes, at, line)),
        FileKind::Markdown => shell(bytes, at, line, PlaceKind::Markdown),
        FileKind::Yaml | FileKind::Text => shell(bytes, at, line, PlaceKind::Text),
    }
}

/// Longest part of a line that is looked at on either side.
const MOST: usize = 4096;

fn line(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let low = at.saturating_sub(MOST);
    let start = memchr::memrchr(b'\n', &bytes[low..at]).map_or(low, |newline| low + newline + 1);
    let high = bytes.len().min(at + MOST);
    let end = memchr::memchr(b'\n', &bytes[at..high]).map_or(high, |newline| at + newline);
    start..end
}

fn json(bytes: &[u8], at: usize) -> Place {
    let mut place = Place::plain(PlaceKind::Json);
    let Some(flow) = flow::around(bytes, 0, at) else { return place };
    let entry = flow.entry();
    let mut keys = flow.above.clone();
    if entry.key.is_empty() {
        place.items = flow.items();
    } else {
        keys.push(entry.key.clone());
        place.siblings = flow.siblings();
        place.insertion = Some(flow.insertion(bytes));
    }
    if entry.value.contains(&at) {
        place.value = Some(entry.value.clone());
    }
    place.is_quoted = entry.is_quoted;
    place.removal = Some(flow.removal());
    place.key = keys.last().cloned().unwrap_or_default();
    place.takes_bare =
        is_image_key(&place.key) || keys.iter().any(|key| key.contains("matrix") && !is_other_name(&place.key));
    let is_container = place.key == "image" && keys.iter().any(|key| key.to_ascii_lowercase().ends_with("containers"));
    if is_container {
        let words = |key: &str| place.sibling(key).map(|sibling| flow::list(bytes, &sibling.value));
        place.container = Some(Container { command: words("command"), args: words("args") });
    }
    // the data of a ConfigMap
    place.is_override = keys.len() > 1 && keys[keys.len() - 2] == "data" && !place.siblings.is_empty();
    place.path = keys.join(".");
    place
}

/// Whether the table around a place says what is retired.
fn is_ledger(bytes: &[u8], at: usize) -> bool {
    let lines = bytes[at.saturating_sub(MOST)..at].rsplit(|byte| *byte == b'\n');
    let header = lines.into_iter().find(|line| line.trim_ascii_start().starts_with(b"[") && !line.contains(&b'='));
    header.is_some_and(|line| line.starts_with(b"[[retired]]") || line.starts_with(b"[[replaces]]"))
}

fn toml(bytes: &[u8], at: usize, line: std::ops::Range<usize>) -> Place {
    let mut place = Place::plain(PlaceKind::Toml);
    let text = &bytes[line.clone()];
    let Some(equals) = text.iter().position(|byte| *byte == b'=').filter(|equals| line.start + equals < at) else {
        return place;
    };
    let key = text[..equals].trim_ascii();
    place.key = String::from_utf8_lossy(key.rsplit(|byte| *byte == b'.').next().unwrap_or_default()).into_owned();
    if let Some(flow) = flow::around(bytes, line.start + equals, at).filter(|flow| !flow.entry().key.is_empty()) {
        place.key = flow.entry().key.clone();
        place.siblings = flow.siblings();
        place.value = Some(flow.entry().value.clone());
        place.is_quoted = flow.entry().is_quoted;
    } else {
        let value = scalar(bytes, line.start + equals + 1..line.end);
        place.value = Some(value).filter(|value| value.contains(&at));
        place.is_quoted = true;
    }
    place.path = place.key.clone();
    place.takes_bare = is_image_key(&place.key);
    place
}

/// `FROM [--platform=…] REF [AS name]`, `COPY --from=REF`, `--mount=…,from=REF`; the rest of the file is shell.
fn dockerfile(bytes: &[u8], at: usize, line: std::ops::Range<usize>) -> Option<Place> {
    let before = &bytes[line.start..at];
    let lower = before.trim_ascii_start().to_ascii_lowercase();
    let from = lower.starts_with(b"from ")
        && lower.split(u8::is_ascii_whitespace).skip(1).all(|word| word.is_empty() || word.starts_with(b"--"));
    let copy = [&b"--from="[..], b"from="].iter().any(|option| lower.ends_with(option));
    if from || copy {
        let mut place = Place::plain(PlaceKind::Dockerfile);
        place.takes_bare = from;
        return Some(place);
    }
    shell(bytes, at, line, PlaceKind::Dockerfile)
}

/// A word of a command line or of prose. What follows `-o` is a file.
fn shell(bytes: &[u8], at: usize, line: std::ops::Range<usize>, kind: PlaceKind) -> Option<Place> {
    let before = &bytes[line.start..at];
    let mut place = Place::plain(kind);
    let trimmed = before.trim_ascii_end();
    if before.len() > trimmed.len()
        && [&b" -o"[..], b" --output", b"\t-o"].iter().any(|option| trimmed.ends_with(option))
    {
        return None;
    }
    if let Some(name) = before.strip_suffix(b"=").or_else(|| before.strip_suffix(b"=\"")) {
        let start = name.iter().rposition(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').map_or(0, |at| at + 1);
        place.key = String::from_utf8_lossy(&name[start..]).into_owned();
        place.takes_bare = is_variable(&place.key) && place.key.starts_with("RELATED_IMAGE_");
        if is_variable(&place.key) && kind != PlaceKind::Markdown {
            place.path = place.key.clone();
        }
    }
    Some(place)
}

fn source(bytes: &[u8], at: usize, line: std::ops::Range<usize>) -> Place {
    let before = bytes[line.start..at].trim_ascii_start();
    let is_comment = [&b"//"[..], b"#", b"*", b"/*", b"--"].iter().any(|mark| before.starts_with(mark));
    Place::plain(if is_comment { PlaceKind::SourceComment } else { PlaceKind::Constant })
}
