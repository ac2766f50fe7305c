//! `[environments.NAME]`: what a release of one kind may hold.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::ReferenceClass;
use crate::diagnostic::Diagnostic;
use crate::manifest::decode::{Item, Table};
use crate::manifest::name::{EnvironmentName, VariantName};
use crate::manifest::settings::{RegistryPath, RuleLevel};
use crate::manifest::text::{Text, Texts};
use crate::source::{Span, Spanned};

/// One environment, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentSettings {
    /// Where its name stands.
    pub span: Span,
    /// Classes that references may have; when absent, all but `retired`, `staging` and `local`.
    pub classes: Option<Vec<Spanned<ReferenceClass>>>,
    /// Patterns of the names that inputs and outputs may have; all when absent.
    pub registries: Option<Vec<Spanned<String>>>,
    /// Which tags references may have.
    pub tags: TagDemand,
    /// Whether every input must have a digest.
    pub pinned: bool,
    /// `variants.required`: every image must have them.
    ///
    /// `variants`: variants that images need here.
    pub required_variants: Vec<Spanned<VariantName>>,
    /// What a reference does that only a record of `[[temporary]]` allows.
    pub temporary: RuleLevel,
    /// What an input does whose tag is no release.
    pub pre_release: RuleLevel,
    /// `warn-for`: patterns of revisions, such as alphas, for which `check references` only warns.
    pub warn_for: Vec<Spanned<String>>,
    /// `values`: overrides that hold in this environment, with the keys of `--set`.
    pub values: BTreeMap<String, Spanned<String>>,
    /// The environment that images come from.
    pub promoted_from: Option<Spanned<EnvironmentName>>,
    /// Where its images are.
    pub registry: Option<Spanned<RegistryPath>>,
    /// Whether an image must have a signature before it is promoted here. That one is there is all that is asked: whether it is a
    /// good one is for whoever has the keys.
    pub signed: bool,
    /// Whether commands that change its registry need `--confirm`.
    pub protected: bool,
}

/// Which tags an environment accepts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TagDemand {
    /// All.
    #[default]
    Any,
    /// Only those that never move, or a digest.
    Immutable,
    /// Only those that move, such as for a nightly environment that follows them.
    Moving,
}

impl Text for TagDemand {
    fn texts() -> Texts {
        Texts::Words(vec!["any", "immutable", "moving"])
    }
}

impl FromStr for TagDemand {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "any" => Ok(Self::Any),
            "immutable" => Ok(Self::Immutable),
            "moving" => Ok(Self::Moving),
            _ => Err("it is \"any\", \"immutable\" or \"moving\"".to_owned()),
        }
    }
}

pub(super) fn decode_all(table: &mut Table<'_>) -> Option<BTreeMap<EnvironmentName, EnvironmentSettings>> {
    let entries = table.named::<EnvironmentName>();
    let decode = |(name, item): (Spanned<EnvironmentName>, Item<'_>)| {
        let environment = item.table(|table| Some(decode(name.span, table)))?;
        Some((name.value, environment))
    };
    let all: BTreeMap<_, _> = entries.into_iter().filter_map(decode).collect();
    for from in all.values().filter_map(|environment| environment.promoted_from.as_ref()) {
        if !all.contains_key(&from.value) {
            let unknown = Diagnostic::error("unknown-environment", format!("there is no environment `{}`", from.value));
            let known = all.keys().map(EnvironmentName::as_str);
            table.report(unknown.label(from.span, "").suggest(from.value.as_str(), known, None));
        }
    }
    Some(all)
}

fn decode(span: Span, table: &mut Table<'_>) -> EnvironmentSettings {
    let protected = table.optional("protected").and_then(|item| item.boolean()).unwrap_or(false);
    let level = |table: &mut Table<'_>, key| table.optional(key).and_then(|item| item.parsed::<RuleLevel>());
    let temporary = level(table, "temporary").map(|level| level.value);
    let pre_release = level(table, "pre-release").map_or(RuleLevel::Allow, |level| level.value);
    let tags = table.optional("tags").and_then(|item| item.parsed::<TagDemand>());
    let variants = table
        .optional("variants")
        .and_then(|item| item.table(|table| table.optional("required").and_then(|item| item.list(Item::parsed))));
    let values = table.optional("values").and_then(|item| item.table(decode_values));
    EnvironmentSettings {
        span,
        classes: table.optional("classes").and_then(|item| item.list(Item::parsed)),
        registries: table.optional("registries").and_then(|item| item.list(Item::line)),
        tags: tags.map(|tags| tags.value).unwrap_or_default(),
        pinned: table.optional("pinned").and_then(|item| item.boolean()).unwrap_or(false),
        required_variants: variants.unwrap_or_default(),
        // what is protected is a release, and a release waits for what is temporary
        temporary: temporary.unwrap_or(if protected { RuleLevel::Deny } else { RuleLevel::Allow }),
        pre_release,
        warn_for: table.optional("warn-for").and_then(|item| item.list(Item::line)).unwrap_or_default(),
        values: values.unwrap_or_default(),
        promoted_from: table.optional("promoted-from").and_then(|item| item.parsed()),
        registry: table.optional("registry").and_then(|item| item.parsed()),
        signed: table.optional("signed").and_then(|item| item.boolean()).unwrap_or(false),
        protected,
    }
}

/// The keys of `--set`, written as tables, as in `groupage.override.toml`, or as `"registry.default"`; an empty value is an
/// error, as everywhere.
fn decode_values(table: &mut Table<'_>) -> Option<BTreeMap<String, Spanned<String>>> {
    let mut values = BTreeMap::new();
    for (key, item) in table.named::<String>() {
        if item.is_table() {
            let below = item.table(decode_values).unwrap_or_default();
            values.extend(below.into_iter().map(|(name, value)| (format!("{}.{name}", key.value), value)));
        } else if let Some(value) = item.line() {
            values.insert(key.value, value);
        }
    }
    Some(values)
}
