//! Where a mention stands in YAML, or in a template of it.

use std::ops::Range;

use super::lines::{Form, Tree};
use super::place::{
    Container, Insertion, Place, PlaceKind, Removal, Sibling, Words, is_image_key, is_other_name, is_variable,
};
use super::{document, flow};

/// How many keys are looked at on either side, and levels above.
const MOST: usize = 32;

/// The place of some bytes.
pub(super) fn place(path: &str, bytes: &[u8], tree: &Tree<'_>, at: usize) -> Place {
    let Some(index) = tree.at(at) else { return Place::plain(PlaceKind::Text) };
    let node = tree.node(index);
    let value = tree.value_of(index);
    let mut place = Place::plain(PlaceKind::Values);
    place.document = tree.document_of(index);
    place.object = document::object(bytes, tree, index);
    let mut keys = keys_above(tree, index);
    let is_flow = value.contains(&at) && matches!(bytes[value.start], b'{' | b'[');
    // a key of the line above may open the braces
    let flow = if is_flow || node.form == Form::Text { flow::around(bytes, flow_start(tree, index), at) } else { None };
    match flow {
        Some(flow) => {
            keys.extend(flow.above.iter().filter(|key| keys.last() != Some(*key)).cloned().collect::<Vec<_>>());
            from_flow(&mut place, &flow, bytes, &mut keys);
            if keys.last().is_some_and(|key| key == "value") && place.sibling("name").is_some() {
                place.removal = whole_item(tree, index, at);
            }
        }
        None => from_lines(&mut place, tree, bytes, index, value, at),
    }
    place.key = keys.iter().rev().find(|key| *key != "[]").cloned().unwrap_or_default();
    place.path = joined(&keys);
    place.kind = kind(path, &place, &keys, node.is_comment);
    place.takes_bare = takes_bare(&place, &keys);
    place.is_override = is_override(bytes, &place, &keys);
    let is_container = place.key == "image" && keys.iter().any(|key| key.to_ascii_lowercase().ends_with("containers"));
    place.container = is_container.then(|| container(bytes, tree, index, &place));
    place
}

/// Flow collections begin at the value of their key, perhaps some lines above.
fn flow_start(tree: &Tree<'_>, index: usize) -> usize {
    let own = tree.value_of(index).start;
    if tree.node(index).form != Form::Text {
        return own;
    }
    tree.parent(index).map_or(own, |parent| tree.value_of(parent).start)
}

/// The keys that lead to a node, its own included; `[]` for an item of a list.
fn keys_above(tree: &Tree<'_>, index: usize) -> Vec<String> {
    let word = |index: usize| match tree.node(index).form {
        Form::Key(_) => Some(String::from_utf8_lossy(tree.key_of(index).unwrap_or_default()).into_owned()),
        Form::Item => Some("[]".to_owned()),
        Form::Text | Form::Document => None,
    };
    let mut keys: Vec<String> = std::iter::once(index).chain(tree.above(index)).take(MOST).filter_map(word).collect();
    keys.reverse();
    keys
}

/// `a.b[].c`
fn joined(keys: &[String]) -> String {
    let mut text = String::new();
    for key in keys {
        if key != "[]" && !text.is_empty() {
            text.push('.');
        }
        text.push_str(key);
    }
    text
}

fn from_flow(place: &mut Place, flow: &flow::Flow, bytes: &[u8], keys: &mut Vec<String>) {
    let entry = flow.entry();
    if entry.key.is_empty() {
        keys.push("[]".to_owned());
        place.items = flow.items();
    } else {
        keys.push(entry.key.clone());
        place.siblings = flow.siblings();
    }
    place.value = Some(entry.value.clone());
    place.is_quoted = entry.is_quoted;
    place.removal = Some(flow.removal());
    place.insertion = Some(flow.insertion(bytes)).filter(|_| !entry.key.is_empty());
}

fn from_lines(place: &mut Place, tree: &Tree<'_>, bytes: &[u8], index: usize, value: Range<usize>, at: usize) {
    let node = tree.node(index);
    if !value.contains(&at) {
        // a comment behind a value, or a key
        return;
    }
    place.is_quoted = is_quoted(bytes, &value);
    let beside = tree.beside(index, MOST);
    let others: Vec<usize> = beside.iter().copied().filter(|other| *other != index).collect();
    match node.form {
        Form::Key(_) => {
            place.value = Some(value);
            let siblings = others.iter().filter_map(|other| sibling(tree, bytes, *other));
            place.siblings = siblings.collect();
            place.removal = removal(tree, index, others.is_empty());
            place.insertion = Some(insertion(tree, bytes, index));
        }
        Form::Text => from_text(place, tree, index, value),
        Form::Item | Form::Document => {}
    }
}

/// A scalar: alone behind a dash it is an item of a list.
fn from_text(place: &mut Place, tree: &Tree<'_>, index: usize, value: Range<usize>) {
    let Some(item) = tree.parent(index).filter(|parent| tree.node(*parent).form == Form::Item) else { return };
    place.value = Some(value);
    let items = tree.beside(item, MOST);
    place.items = items.iter().filter(|other| **other != item).map(|other| tree.value_of(*other)).collect();
    place.removal = Some(Removal { range: tree.block(item), is_only: items.len() == 1 });
}

fn sibling(tree: &Tree<'_>, bytes: &[u8], index: usize) -> Option<Sibling> {
    let key = String::from_utf8_lossy(tree.key_of(index)?).into_owned();
    let value = tree.value_of(index);
    Some(Sibling { key, is_quoted: is_quoted(bytes, &value), value })
}

fn is_quoted(bytes: &[u8], value: &Range<usize>) -> bool {
    value.start > 0
        && matches!(bytes[value.start - 1], b'"' | b'\'')
        && bytes.get(value.end) == Some(&bytes[value.start - 1])
}

/// The lines of a key; those of the whole item when it is the value of a named variable.
fn removal(tree: &Tree<'_>, index: usize, is_only: bool) -> Option<Removal> {
    let item = tree.parent(index).filter(|parent| tree.node(*parent).form == Form::Item);
    let range = match item {
        Some(item) if tree.key_of(index) == Some(b"value") => tree.block(item),
        // its line holds the dash of the others
        Some(item) if tree.node(item).end == tree.node(index).end => return None,
        _ => tree.block(index),
    };
    Some(Removal { range, is_only })
}

fn insertion(tree: &Tree<'_>, bytes: &[u8], index: usize) -> Insertion {
    let node = tree.node(index);
    let line = tree.lines(node.start as usize..node.start as usize).start;
    let lead = bytes[line..node.start as usize].iter().map(|byte| if *byte == b'-' { ' ' } else { char::from(*byte) });
    let before = format!("{}{}", tree.line_end(node.end as usize), lead.collect::<String>());
    Insertion { at: node.end as usize, before, is_json: false }
}

fn kind(path: &str, place: &Place, keys: &[String], is_comment: bool) -> PlaceKind {
    let has = |key: &str| place.sibling(key).is_some();
    let above = |key: &str| keys.iter().any(|other| other == key);
    let is_variable_value = place.key == "value" && has("name") && above("env");
    let file = path.rsplit('/').next().unwrap_or_default();
    let in_images = above("images") && matches!(place.key.as_str(), "name" | "newName" | "newTag");
    if is_comment {
        PlaceKind::Comment
    } else if in_images && (file.starts_with("kustomization") || has("newTag") || has("newName") || place.key != "name")
    {
        PlaceKind::Kustomize
    } else if is_variable_value || is_variable(&place.key) {
        PlaceKind::Environment
    } else if keys.iter().any(|key| key.to_ascii_lowercase().contains("matrix")) {
        PlaceKind::Matrix
    } else if place.key == "image" && keys.iter().any(|key| key.to_ascii_lowercase().ends_with("containers")) {
        PlaceKind::Container
    } else if is_config_map(place, keys) {
        PlaceKind::ConfigMap
    } else if is_split(place) {
        PlaceKind::SplitValues
    } else {
        PlaceKind::Values
    }
}

/// Below `data` of a ConfigMap, or directly below that of what a chart makes one of.
fn is_config_map(place: &Place, keys: &[String]) -> bool {
    let in_map = keys.first().is_some_and(|key| key == "data");
    is_below_data(keys) || (in_map && place.object.as_ref().is_some_and(|object| object.kind == "ConfigMap"))
}

fn is_below_data(keys: &[String]) -> bool {
    keys.len() > 1 && keys[keys.len() - 2] == "data"
}

fn is_override(bytes: &[u8], place: &Place, keys: &[String]) -> bool {
    let related = |name: &[u8]| name.starts_with(b"RELATED_IMAGE_");
    match place.kind {
        PlaceKind::ConfigMap => is_below_data(keys),
        PlaceKind::Environment => {
            let named = place.sibling("name").is_some_and(|name| related(&bytes[name.value.clone()]));
            related(place.key.as_bytes()) || (place.key == "value" && named)
        }
        _ => false,
    }
}

/// The lines of `- {name: …, value: …}`; none where it shares them.
fn whole_item(tree: &Tree<'_>, index: usize, at: usize) -> Option<Removal> {
    let item = tree.parent(index).filter(|parent| tree.node(*parent).form == Form::Item)?;
    let is_own = tree.node(index).form == Form::Text && tree.value_of(index).contains(&at);
    is_own.then(|| Removal { range: tree.block(item), is_only: false })
}

fn is_split(place: &Place) -> bool {
    let parts = ["tag", "registry", "digest", "sha", "version", "pullPolicy"];
    place.key == "repository"
        || (matches!(place.key.as_str(), "image" | "name" | "repo")
            && parts.iter().take(5).any(|part| place.sibling(part).is_some()))
}

fn takes_bare(place: &Place, keys: &[String]) -> bool {
    match place.kind {
        PlaceKind::Matrix => !is_other_name(&place.key),
        PlaceKind::Kustomize => true,
        PlaceKind::Environment => {
            let name = place.sibling("name").is_some();
            name || is_image_key(&place.key)
        }
        PlaceKind::SplitValues => place.key != "name",
        _ => is_image_key(&place.key) && !keys.is_empty(),
    }
}

fn container(bytes: &[u8], tree: &Tree<'_>, index: usize, place: &Place) -> Container {
    let words = |key: &str| -> Option<Words> {
        let sibling = place.sibling(key)?;
        let in_flow = matches!(bytes.get(sibling.value.start), Some(b'['));
        if in_flow {
            return Some(flow::list(bytes, &sibling.value));
        }
        let node = tree.beside(index, MOST).into_iter().find(|other| tree.key_of(*other) == Some(key.as_bytes()))?;
        let items = tree.first_child(node).map(|child| tree.beside(child, MOST)).unwrap_or_default();
        let text = |item: usize| String::from_utf8_lossy(&bytes[tree.value_of(item)]).into_owned();
        let Form::Key(colon) = tree.node(node).form else { return None };
        let block = tree.block(node);
        let end =
            block.end - bytes[block.clone()].iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let words = items.into_iter().map(text).collect();
        Some(Words { words, range: colon as usize + 1..end, is_block: true })
    };
    Container { command: words("command"), args: words("args") }
}

/// A mapping that holds nothing but one value, and the mapping around it: what several keys are folded in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its whole lines.
    pub block: Range<usize>,
    /// True when it holds one value only.
    pub is_alone: bool,
    /// The node of the mapping around it.
    pub outer: usize,
    /// The keys beside it.
    pub beside: Vec<String>,
    /// What stands before its key on the line.
    pub lead: String,
    /// How its line ends.
    pub line_end: &'static str,
}

/// The group of a value: `apiServer:` of `apiServer.image`.
pub(crate) fn group(bytes: &[u8], tree: &Tree<'_>, at: usize) -> Option<Group> {
    let index = tree.at(at).filter(|index| matches!(tree.node(*index).form, Form::Key(_)))?;
    let is_flow = matches!(bytes.get(tree.value_of(index).start), Some(b'{'));
    let own = if is_flow { index } else { tree.parent(index)? };
    let node = tree.node(own);
    let key = |other: usize| tree.key_of(other).map(|key| String::from_utf8_lossy(key).into_owned());
    key(own)?;
    let is_alone = if is_flow {
        flow::around(bytes, tree.value_of(index).start, at).is_some_and(|flow| flow.entries.len() == 1)
    } else {
        tree.beside(index, 1).len() == 1
    };
    let line = tree.lines(node.start as usize..node.start as usize).start;
    let lead = String::from_utf8_lossy(&bytes[line..node.start as usize]).into_owned();
    // its line holds the dash of an item
    lead.trim().is_empty().then(|| Group {
        block: tree.block(own),
        is_alone,
        outer: tree.parent(own).unwrap_or(usize::MAX),
        beside: tree.beside(own, MOST).into_iter().filter_map(key).collect(),
        lead,
        line_end: tree.line_end(node.end as usize),
    })
}
