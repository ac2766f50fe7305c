//! Reads nodes as flows and outputs, and collects every mistake on the way.

use crate::problem::{Place, Problem, Problems};
use crate::yaml::{Key, Node, Value};

mod fields;

use fields::Fields;

/// A document that was read without mistakes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Document {
    Flow(Flow),
    Output(Output),
}

/// Which records go through which filters to which outputs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flow {
    pub(crate) place: Place,
    pub(crate) name: String,
    /// Labels that must all be equal; none matches every record.
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) filters: Vec<Filter>,
    /// The names of outputs, each with its place.
    pub(crate) outputs: Vec<(String, Place)>,
}

/// One step that a record goes through.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    /// Lets a record pass when the value of `key` matches the regular expression.
    Grep { key: String, pattern: String },
    /// Sets `key` to `value`.
    Add { key: String, value: String },
    /// Removes `key`.
    Drop { key: String },
}

/// Where records go.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Output {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) target: Target,
    /// `json` or `text`.
    pub(crate) format: String,
}

/// The kinds of outputs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    File { path: String },
    Http { url: String, headers: Vec<(String, String)> },
    Stdout,
}

/// Reads the documents of one file: those without mistakes, and the mistakes of the others.
pub(crate) fn read(file: &str, nodes: Vec<Node>) -> (Vec<Document>, Vec<Problem>) {
    let mut problems = Problems::new(file);
    let documents = nodes.into_iter().filter_map(|node| document(node, &mut problems)).collect();
    (documents, problems.into_found())
}

fn document(node: Node, problems: &mut Problems<'_>) -> Option<Document> {
    let mut fields = Fields::of(node, "a document", problems)?;
    let kind = fields.one_of("kind", &["flow", "output"], problems);
    match kind.as_deref() {
        Some("flow") => flow(fields, problems).map(Document::Flow),
        Some(_) => output(fields, problems).map(Document::Output),
        // Without a kind, nobody knows which other fields belong here.
        None => None,
    }
}

/// Every field is read before the first `?`, so that all mistakes are found in one go.
fn flow(mut fields: Fields, problems: &mut Problems<'_>) -> Option<Flow> {
    let place = problems.place(fields.line());
    let name = fields.name("name", problems);
    let labels = match fields.required("match", problems) {
        Some((_, node)) => text_map(node, "match", problems),
        None => None,
    };
    let filters = match fields.optional("filters") {
        Some((_, node)) => list(node, "filters", problems, filter),
        None => Some(Vec::new()),
    };
    let outputs = match fields.required("outputs", problems) {
        Some((key, node)) => output_names(key.line, node, problems),
        None => None,
    };
    fields.finish("a flow", problems)?;
    Some(Flow { place, name: name?, labels: labels?, filters: filters?, outputs: outputs? })
}

fn output_names(line: usize, node: Node, problems: &mut Problems<'_>) -> Option<Vec<(String, Place)>> {
    let mut names: Vec<(String, Place)> = list(node, "outputs", problems, |node, problems| {
        let place = problems.place(node.line);
        fields::text(node, "an output's name", problems).map(|name| (name, place))
    })?;
    if names.is_empty() {
        problems.add(line, "`outputs` is empty: the records would go nowhere");
        return None;
    }
    names.sort();
    for pair in names.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        problems.add(pair[1].1.line, format!("the output `{}` is named twice", pair[1].0));
    }
    Some(names)
}

fn filter(node: Node, problems: &mut Problems<'_>) -> Option<Filter> {
    let mut fields = Fields::of(node, "a filter", problems)?;
    let kind = fields.one_of("type", &["add", "drop", "grep"], problems)?;
    let key = fields.text("key", problems);
    let filter = match kind.as_str() {
        "grep" => fields.text("pattern", problems).zip(key).map(|(pattern, key)| Filter::Grep { key, pattern }),
        "add" => fields.text("value", problems).zip(key).map(|(value, key)| Filter::Add { key, value }),
        _ => key.map(|key| Filter::Drop { key }),
    };
    fields.finish(&format!("the filter `{kind}`"), problems)?;
    filter
}

fn output(mut fields: Fields, problems: &mut Problems<'_>) -> Option<Output> {
    let place = problems.place(fields.line());
    let name = fields.name("name", problems);
    let kind = fields.one_of("type", &["file", "http", "stdout"], problems);
    let format = match fields.has("format") {
        true => fields.one_of("format", &["json", "text"], problems),
        false => Some("json".to_owned()),
    };
    // Which other fields belong here depends on the type.
    let kind = kind?;
    let target = match kind.as_str() {
        "file" => path(&mut fields, problems).map(|path| Target::File { path }),
        "http" => http(&mut fields, problems),
        _ => Some(Target::Stdout),
    };
    fields.finish(&format!("the output type `{kind}`"), problems)?;
    Some(Output { place, name: name?, target: target?, format: format? })
}

fn path(fields: &mut Fields, problems: &mut Problems<'_>) -> Option<String> {
    fields.checked("path", problems, |path| match path.starts_with('/') {
        true => Ok(()),
        false => Err("expected an absolute path".to_owned()),
    })
}

fn http(fields: &mut Fields, problems: &mut Problems<'_>) -> Option<Target> {
    let url = fields.checked("url", problems, |url| {
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
        let bad =
            rest.is_empty() || rest.starts_with('/') || rest.contains(|c: char| c.is_whitespace() || c.is_control());
        if bad { Err("expected a URL such as http://host:8080/path".to_owned()) } else { Ok(()) }
    });
    let headers = match fields.optional("headers") {
        Some((_, node)) => text_map(node, "headers", problems),
        None => Some(Vec::new()),
    };
    Some(Target::Http { url: url?, headers: headers? })
}

/// A map from text to text, sorted by key.
fn text_map(node: Node, what: &str, problems: &mut Problems<'_>) -> Option<Vec<(String, String)>> {
    let Value::Map(entries) = node.value else {
        problems.add(node.line, format!("`{what}` must be a map of names to values"));
        return None;
    };
    let count = entries.len();
    let entry = |(key, node): (Key, Node)| {
        let value = fields::text(node, &format!("`{}`", key.name), problems)?;
        Some((key.name, value))
    };
    let mut entries: Vec<_> = entries.into_iter().filter_map(entry).collect();
    entries.sort();
    (entries.len() == count).then_some(entries)
}

/// A list whose items are all read, also when one of them is wrong.
fn list<T>(
    node: Node,
    what: &str,
    problems: &mut Problems<'_>,
    mut item: impl FnMut(Node, &mut Problems<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Value::List(nodes) = node.value else {
        problems.add(node.line, format!("`{what}` must be a list"));
        return None;
    };
    let items: Vec<_> = nodes.into_iter().map(|node| item(node, problems)).collect();
    items.into_iter().collect()
}

#[cfg(test)]
mod tests;
