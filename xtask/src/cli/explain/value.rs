//! `explain value KEY`: who decides a value, and who would have.

use crate::cli::args::Format;
use crate::cli::session::{Loaded, Session};
use crate::cli::status::{ExitStatus, Stop};
use crate::resolve::{Explained, Saying, explain_value};

pub(super) fn run(key: &str, format: Format, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = session.load_manifests()?;
    let explained = explain_value(&loaded.manifests, &loaded.overrides, key)
        .map_err(|problems| session.bad_input(&problems, &loaded.sources.map))?;
    match format {
        Format::Json => session.output.json(&json(&explained, &loaded))?,
        Format::Text => session.output.data(&text(&explained, &loaded))?,
    }
    Ok(ExitStatus::Done)
}

fn text(explained: &Explained, loaded: &Loaded) -> String {
    let Explained { key, value, said, mirrored } = explained;
    let mut text = match value {
        Some(value) => format!("{key} = {value}\n"),
        None => format!("{key} is not set\n"),
    };
    if let Some(mirrored) = mirrored {
        text.push_str(&format!("  had from {mirrored}\n"));
    }
    let name = |saying: &Saying| match &saying.key[..] == key {
        true => String::new(),
        false => saying.key.rsplit('.').next().map(|field| format!(" ({field})")).unwrap_or_default(),
    };
    let sources: Vec<String> = said.iter().map(|saying| source(saying) + &name(saying)).collect();
    let (wide, wider) = (longest(&sources), longest(said.iter().map(|saying| &saying.value)));
    for (saying, source) in said.iter().zip(&sources) {
        let mark = if saying.wins { "*" } else { " " };
        let place = place(saying, loaded).unwrap_or_default();
        let line = format!("  {mark} {source:wide$}  {:wider$}  {place}", saying.value);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn longest<'a>(texts: impl IntoIterator<Item = &'a String>) -> usize {
    texts.into_iter().map(|text| text.chars().count()).max().unwrap_or(0)
}

fn source(saying: &Saying) -> String {
    saying.source.as_ref().map_or_else(|| "built in".to_owned(), ToString::to_string)
}

/// `groupage.toml:3:10`.
fn place(saying: &Saying, loaded: &Loaded) -> Option<String> {
    let (map, span) = (&loaded.sources.map, saying.place?);
    let position = map.position(span);
    Some(format!("{}:{}:{}", map.file(span.file).path, position.line, position.column))
}

fn json(explained: &Explained, loaded: &Loaded) -> serde_json::Value {
    let said = |saying: &Saying| {
        serde_json::json!({
            "key": saying.key, "value": saying.value, "source": source(saying), "place": place(saying, loaded),
            "wins": saying.wins,
        })
    };
    let Explained { key, value, mirrored, .. } = explained;
    let said: Vec<_> = explained.said.iter().map(said).collect();
    serde_json::json!({ "key": key, "value": value, "mirrored": mirrored, "said": said })
}
