//! `[build.script]`: commands in a builder image.

use std::collections::BTreeMap;

use super::BuildKind;
use crate::manifest::decode::{Item, Table};
use crate::manifest::name::{BuilderName, OutputName};
use crate::manifest::path::{ImagePath, RelativePath};
use crate::manifest::role::decode_env;
use crate::source::Spanned;

/// `[build.script]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptBuild {
    /// The builder image.
    pub builder: Spanned<BuilderName>,
    /// Files and folders beside the manifest that the commands see, at the same relative paths.
    pub inputs: Vec<Spanned<RelativePath>>,
    /// Shell commands, in order; each runs in `/src`.
    pub commands: Vec<Spanned<String>>,
    /// Files and folders that the commands make, by name.
    pub outputs: BTreeMap<OutputName, Spanned<ImagePath>>,
    /// Environment of the commands.
    pub env: BTreeMap<String, Spanned<String>>,
    /// Whether the commands need a network; the workspace's `[build] network` decides when absent.
    pub network: Option<Spanned<bool>>,
}

pub(super) fn decode_script(table: &mut Table<'_>) -> Option<BuildKind> {
    table.held_by::<ScriptBuild>();
    let builder = table.required("builder").and_then(|item| item.parsed());
    let inputs = table.optional("inputs").and_then(|item| item.list(Item::parsed));
    let commands = table.required("commands").and_then(|item| item.list(Item::text));
    let outputs = table.optional("outputs").and_then(|item| item.table(decode_outputs));
    let env = table.optional("env").and_then(|item| item.table(decode_env));
    let network = table.optional("network").and_then(|item| Some(Spanned::new(item.boolean()?, item.span)));
    Some(BuildKind::Script(ScriptBuild {
        builder: builder?,
        inputs: inputs.unwrap_or_default(),
        commands: commands?,
        outputs: outputs.unwrap_or_default(),
        env: env.unwrap_or_default(),
        network,
    }))
}

fn decode_outputs(table: &mut Table<'_>) -> Option<BTreeMap<OutputName, Spanned<ImagePath>>> {
    let decode = |(name, item): (Spanned<OutputName>, Item<'_>)| Some((name.value, item.parsed()?));
    Some(table.named().into_iter().filter_map(decode).collect())
}
