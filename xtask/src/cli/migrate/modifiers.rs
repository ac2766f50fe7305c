//! `migrate modifiers`: a ConfigMap that rewrites retired images while Velero restores an old backup.
//!
//! | `--format json` | is |
//! |---|---|
//! | `schema` | 1 |
//! | `style` | `patches` or `change-image-name` |
//! | `why` | why that one |
//! | `config-map` | the text; null when there is nothing to rewrite |
//! | `changes[]` | `namespace`, `workload`, `container`, `old`, `new` |
//! | `findings[]` | what is left, as in `check --format json` |

use serde_json::json;

use super::super::args::{Format, ModifierStyle, ModifiersArguments};
use super::super::output::counted;
use super::super::session::Session;
use super::super::status::{ExitStatus, Stop};
use super::lint::add;
use super::read;
use crate::diagnostic::{Level, to_json};
use crate::migrate::modifiers::emit::{Emission, Inventory, OfLedger, Options, Style, emit};
use crate::source::SourceMap;

pub(super) fn run(arguments: &ModifiersArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let (ledger, at) = read::ledger(&arguments.source, &arguments.at, session)?;
    let mut map = SourceMap::default();
    let id = add(&arguments.inventory, &mut map, session)?;
    let inventory = Inventory::read(id, &map.file(id).text.clone());
    let inventory = inventory.map_err(|problem| session.bad_input(&[problem], &map))?;
    let retired = OfLedger { ledger: &ledger, at: &at, platforms: &arguments.at.platforms };
    let options = Options {
        style: match arguments.style {
            ModifierStyle::Auto => Style::Auto,
            ModifierStyle::Patches => Style::Patches,
            ModifierStyle::ChangeImageName => Style::ChangeImageName,
        },
        velero: arguments.velero,
        name: &arguments.name,
        namespace: &arguments.namespace,
    };
    let emission = match emit(&inventory, &retired, &options) {
        Ok(emission) => emission,
        Err(problems) => {
            session.output.diagnostics(&problems, &map);
            return Ok(ExitStatus::Refused);
        }
    };
    show(arguments, &emission, &map, session)?;
    let is_whole = emission.findings.iter().all(|finding| finding.level != Level::Error);
    Ok(if is_whole { ExitStatus::Done } else { ExitStatus::Refused })
}

fn show(
    arguments: &ModifiersArguments,
    emission: &Emission,
    map: &SourceMap,
    session: &Session<'_>,
) -> Result<(), Stop> {
    let style = match emission.style {
        Style::ChangeImageName => "change-image-name",
        Style::Auto | Style::Patches => "patches",
    };
    if arguments.format == Format::Json {
        let findings: Vec<_> = emission.findings.iter().map(|finding| to_json(finding, map)).collect();
        return session.output.json(&json!({
            "schema": 1,
            "style": style,
            "why": emission.why,
            "config-map": emission.text,
            "changes": emission.changes,
            "findings": findings,
        }));
    }
    session.output.diagnostics(&emission.findings, map);
    let Some(text) = &emission.text else {
        session.output.message(&format!("nothing is written: {}", emission.why));
        return Ok(());
    };
    session.output.data(text)?;
    let changes = counted(emission.changes.len(), "container");
    session.output.message(&format!("{style} for {changes}: {}", emission.why));
    session.output.message(match emission.style {
        Style::ChangeImageName => "note: Velero takes these rows for every restore, until the ConfigMap is deleted; it fails when there are two such ConfigMaps",
        Style::Auto | Style::Patches => {
            "note: only pods are rewritten; what owns them is restored with the old images, and makes new pods with them: change \
             it once the restore is complete"
        }
    });
    Ok(())
}
