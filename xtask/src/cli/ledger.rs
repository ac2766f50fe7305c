//! `ledger show`, `ledger resolve`, `ledger check`.
//!
//! | `show --format json` | is |
//! |---|---|
//! | `schema` | 1 |
//! | `retired[]` | `product`, `image` as written, `names` it stands for, `kind`, `since`, `replacement`, `floor`, `floors`, `tag`, `command`, `until`, `consumer-default`, `note` |
//!
//! `resolve --format json` has `reference`, `retired` (false: everything else is absent), `expected`, `mirror` (the same there), `floor`, `command`, `args`,
//! `steps` (the entries that were followed) and `why-no-tag`.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::args::{
    Format, LedgerArguments, LedgerCheckArguments, LedgerCommand, LedgerFormat, LedgerResolveArguments,
    LedgerShowArguments,
};
use super::output::counted;
use super::session::Session;
use super::status::{ExitStatus, Stop};
use crate::diagnostic::{Problems, to_json};
use crate::manifest::LedgerFile;
use crate::migrate::ledger::{
    Answer, At, Builder, EntryJson, Ledger, NewTag, Table, Wanted, Written, findings, to_json as entries, to_table,
};
use crate::oci::Reference;
use crate::source::{SourceFile, SourceMap};

/// Format of the JSON documents.
const SCHEMA: u32 = 1;

pub(super) fn run(arguments: &LedgerArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    match &arguments.what {
        LedgerCommand::Show(arguments) => show(arguments, session),
        LedgerCommand::Resolve(arguments) => resolve(arguments, session),
        LedgerCommand::Check(arguments) => check(arguments, session),
    }
}

/// The ledger that is meant, with the texts that it comes from: some files, or the workspace's own.
pub(super) fn load(files: &[Utf8PathBuf], session: &Session<'_>) -> Result<(Ledger, SourceMap), Stop> {
    if !files.is_empty() {
        let mut map = SourceMap::default();
        let files: Vec<(Utf8PathBuf, Utf8PathBuf)> =
            files.iter().map(|file| (file.clone(), session.path(file))).collect();
        let builder = read(&files, Builder::default(), &mut map, session)?;
        return Ok((builder.finish(), map));
    }
    if !session.is_in_workspace()? {
        return Err(Stop::input(anyhow::anyhow!(
            "there is no ledger: this is no workspace, and no file was named\nhint: name one with --ledger FILE"
        )));
    }
    let loaded = session.load_manifests()?;
    let root = &loaded.workspace.root;
    let named = loaded.manifests.settings.ledgers.iter();
    let files: Vec<(Utf8PathBuf, Utf8PathBuf)> =
        named.map(|file| (file.value.as_path().to_owned(), root.join(file.value.as_path()))).collect();
    let mut map = loaded.sources.map;
    let builder = read(&files, Builder::default().manifests(&loaded.manifests), &mut map, session)?;
    Ok((builder.finish(), map))
}

/// Adds files, each under the name that people know it by.
fn read(
    files: &[(Utf8PathBuf, Utf8PathBuf)],
    mut builder: Builder,
    map: &mut SourceMap,
    session: &Session<'_>,
) -> Result<Builder, Stop> {
    let mut problems = Problems::default();
    for (name, path) in files {
        let text = fs_err::read_to_string(path).map_err(|error| {
            Stop::input(anyhow::anyhow!(
                "failed to read the ledger {name}: {error}\nhint: a ledger is TOML with `schema = 1` and [[retired]]"
            ))
        })?;
        let id = map.add(SourceFile::new(name.clone(), text));
        if let Some(file) = LedgerFile::parse(id, map.file(id), &mut problems) {
            builder = builder.file(&file);
        }
    }
    if problems.has_errors() { Err(session.bad_input(&problems.into_list(), map)) } else { Ok(builder) }
}

/// The versions that are asked about, if they make sense with the ledger.
pub(super) fn at(words: &[At], ledger: &Ledger) -> Result<At, Stop> {
    let at = At::all(words);
    ledger.wrong_at(&at).map_or(Ok(at), |why| Err(Stop::input(anyhow::anyhow!("{why}"))))
}

fn show(arguments: &LedgerShowArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    #[derive(Serialize)]
    struct Document {
        schema: u32,
        retired: Vec<EntryJson>,
    }
    let (ledger, _) = load(&arguments.source.ledger, session)?;
    match arguments.format {
        LedgerFormat::Json => session.output.json(&Document { schema: SCHEMA, retired: entries(&ledger) })?,
        LedgerFormat::Text => session.output.data(&plain(&to_table(&ledger)))?,
        LedgerFormat::Markdown => session.output.data(&markdown(&to_table(&ledger)))?,
    }
    session.output.message(&format!("{} in the ledger", counted(ledger.entries.len(), "retirement")));
    Ok(ExitStatus::Done)
}

fn plain(table: &Table) -> String {
    let columns = table.first().map_or(0, Vec::len);
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    table.iter().map(line).collect()
}

fn markdown(table: &Table) -> String {
    let cell = |cell: &String| cell.replace('|', "\\|");
    let line = |row: &Vec<String>| format!("| {} |\n", row.iter().map(cell).collect::<Vec<_>>().join(" | "));
    let Some((head, rows)) = table.split_first() else { return String::new() };
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    std::iter::once(line(head)).chain([rule]).chain(rows.iter().map(line)).collect()
}

/// What `resolve --format json` prints.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Resolved {
    schema: u32,
    reference: String,
    retired: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    /// The same at the mirror that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    mirror: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_no_tag: Option<String>,
}

fn resolve(arguments: &LedgerResolveArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let (ledger, _) = load(&arguments.source.ledger, session)?;
    let at = at(&arguments.at.at, &ledger)?;
    let reference: Reference = arguments.reference.parse().map_err(Stop::input)?;
    let name = reference.name();
    let found = ledger.find(&Written::parse(&name), &at);
    let wanted = Wanted { at: &at, platforms: &arguments.at.platforms };
    let answer = found.as_ref().map(|found| ledger.resolve(found, reference.tag(), wanted));
    let resolved = resolved(&arguments.reference, answer.as_ref());
    match arguments.format {
        Format::Json => session.output.json(&resolved)?,
        Format::Text => session.output.data(&text(&resolved))?,
    }
    if resolved.expected.is_none() && resolved.retired {
        session.output.message("note: there is nothing to use instead");
    }
    Ok(ExitStatus::Done)
}

fn resolved(reference: &str, answer: Option<&Answer<'_>>) -> Resolved {
    let Some(answer) = answer else {
        return Resolved { schema: SCHEMA, reference: reference.to_owned(), ..Resolved::default() };
    };
    let step = |entry: &&crate::migrate::ledger::Entry| {
        format!("{} {} since {}", entry.text, entry.kind.as_str(), entry.since.join(", "))
    };
    Resolved {
        schema: SCHEMA,
        reference: reference.to_owned(),
        retired: true,
        expected: Some(answer.reference()).filter(|goal| !goal.is_empty()),
        mirror: mirror(reference, answer),
        floor: answer.floor.clone(),
        command: answer.command().map(<[String]>::to_vec),
        args: answer.args().map(<[String]>::to_vec),
        steps: answer.steps.iter().map(step).collect(),
        why_no_tag: match &answer.tag {
            NewTag::Unknown(why) => Some(why.clone()),
            NewTag::Is(_) | NewTag::None => None,
        },
    }
}

/// The new reference below the registry and prefix of a mirror.
fn mirror(reference: &str, answer: &Answer<'_>) -> Option<String> {
    let reference: Reference = reference.parse().ok()?;
    let name = reference.name();
    let parts: Vec<&str> = name.split('/').collect();
    let prefix = parts[..parts.len().saturating_sub(answer.mirrored?)].join("/");
    let tag = match &answer.tag {
        NewTag::Is(tag) => format!(":{tag}"),
        NewTag::None | NewTag::Unknown(_) => String::new(),
    };
    Some(format!("{prefix}/{}{tag}", answer.path_below()?))
}

fn text(resolved: &Resolved) -> String {
    if !resolved.retired {
        return format!("{} is not retired\n", resolved.reference);
    }
    let mut lines = vec![resolved.expected.clone().unwrap_or_else(|| "-".to_owned())];
    lines.extend(resolved.mirror.iter().map(|mirror| format!("  at this mirror: {mirror}")));
    lines.extend(resolved.steps.iter().map(|step| format!("  {step}")));
    lines.extend(resolved.floor.iter().map(|floor| format!("  no tag below {floor}")));
    lines.extend(resolved.command.iter().map(|command| format!("  start {}", command.join(" "))));
    lines.extend(resolved.args.iter().map(|args| format!("  with the arguments {}", args.join(" "))));
    lines.extend(resolved.why_no_tag.iter().map(|why| format!("  no tag: {why}")));
    lines.join("\n") + "\n"
}

fn check(arguments: &LedgerCheckArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let (ledger, map) = load(&arguments.source.ledger, session)?;
    let found = findings(&ledger);
    if arguments.format == Format::Json {
        let found: Vec<_> = found.iter().map(|finding| to_json(finding, &map)).collect();
        session.output.json(&found)?;
    } else {
        session.output.diagnostics(&found, &map);
    }
    session.output.message(&format!("checked {}", counted(ledger.entries.len(), "retirement")));
    Ok(if found.is_empty() { ExitStatus::Done } else { ExitStatus::Refused })
}
