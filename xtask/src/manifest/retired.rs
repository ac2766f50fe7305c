//! `[[retired]]`: retired images that no component of the workspace replaces, as written. It stands in `groupage.toml`, or in a
//! ledger file that `ledger = ["…"]` there, or `--ledger` on the command line, names.
//!
//! ```toml
//! schema = 1
//!
//! [products.velero]
//! newest = "1.18.0"                        # no floor may be above it
//!
//! [[retired]]
//! product     = "velero"                   # whose versions `since` and `until` are; `--at velero=1.16.0`
//! image       = "velero/velero-restore-helper"
//! aliases     = ["oadp/oadp-velero-{restic-,}restore-helper-rhel9"]
//! mirrors     = "name"                     # the last part of the path is enough: REGISTRY/velero-restore-helper
//! kind        = "folded"
//! since       = "1.16.0"                   # or one version for each release line: ["1.19.3", "1.20.1"]
//! replacement = "velero/velero"
//! floor       = "v1.16.0"                  # lowest tag of the replacement that will do
//! floors      = { windows = "v1.17.0" }
//! tag         = "app-version"              # keep, app-version, restart, or { fixed = "3.9" }, { app-version = "{version}-full" }
//! command     = ["/velero-restore-helper"]
//! until       = "1.18.0"                   # the old name is published until then
//! consumer-default = true                  # overrides are removed: consumers find the new image by themselves
//! ```

use std::collections::BTreeMap;
use std::str::FromStr;

use super::decode::{Document, Item, Table};
use super::pattern::ImagePattern;
use super::replaces::{RetirementKind, decode_versions, spanned_command};
use super::schema_version;
use super::shape::Shape;
use super::text::{Text, Texts};
use crate::diagnostic::Problems;
use crate::source::{FileId, SourceFile, Span, Spanned};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// Where it stands.
    pub span: Span,
    /// Whose versions are meant; may be absent where only one product's are.
    pub product: Option<Spanned<String>>,
    /// The retired name, or a pattern.
    pub image: Spanned<ImagePattern>,
    /// Further names of the same image.
    pub aliases: Vec<Spanned<ImagePattern>>,
    /// Which other names are mirrors of it.
    pub mirrors: Option<Spanned<Mirrors>>,
    /// What happened.
    pub kind: Spanned<RetirementKind>,
    /// First version in which it happened, for each release line.
    pub since: Vec<Spanned<String>>,
    /// What to use instead; `{name}` is the last part of the old path.
    pub replacement: Option<Spanned<String>>,
    /// Lowest tag of the replacement that will do.
    pub floor: Option<Spanned<String>>,
    /// `floors`: the same for an operating system or platform that needs a higher one.
    pub platform_floors: BTreeMap<String, Spanned<String>>,
    /// What becomes of the tag.
    pub tag: Option<Spanned<TagRule>>,
    /// Variants that a tag keeps: `-full`; the first is that of tags without one.
    pub suffixes: Vec<Spanned<String>>,
    /// The command that consumers must name.
    pub command: Option<Spanned<Vec<Spanned<String>>>>,
    /// The arguments that consumers must give.
    pub args: Option<Vec<Spanned<String>>>,
    /// The command that consumers named before.
    pub old_command: Option<Spanned<Vec<Spanned<String>>>>,
    /// Version until which the old name is published.
    pub until: Option<Spanned<String>>,
    /// Consumers take the replacement by themselves where nothing overrides it.
    pub consumer_default: bool,
    /// Keys of values that hold a part of the reference and never its name, such as `configReloaderImage`.
    pub keys: Vec<Spanned<String>>,
    /// The key that several old keys fold into.
    pub slot: Option<Spanned<String>>,
    /// A line for people.
    pub note: Option<Spanned<String>>,
}

/// Which other names hold the same image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mirrors {
    /// None.
    None,
    /// Those with the same path, below any registry and prefix.
    Path,
    /// Those with the same last part: for names that nobody else uses.
    Name,
}

/// What becomes of the tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagRule {
    /// The replacement has the same tags.
    Keep,
    /// The tag is the version of the product, in this form.
    AppVersion(Option<String>),
    /// The tags began anew: no old one means anything.
    Restart,
    /// This one.
    Fixed(String),
}

/// A ledger file, or what stands of one in `groupage.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerFile {
    /// `[products.NAME] newest`: the newest release; no floor may be above it.
    ///
    /// `[products]`: what the versions of retired images are those of, by name.
    pub newest: BTreeMap<String, Spanned<String>>,
    /// `[[retired]]`: retired images that no component of the workspace replaces.
    pub retired: Vec<Retired>,
}

impl LedgerFile {
    /// Parses a ledger file; every problem in it is added to `problems`.
    pub fn parse(id: FileId, source: &SourceFile, problems: &mut Problems) -> Option<Self> {
        Document::read(id, &source.text, problems, Self::decode_file)
    }

    /// What a ledger file may hold.
    pub fn shape() -> Shape {
        Document::shape(Self::decode_file)
    }

    fn decode_file(table: &mut Table<'_>) -> Option<Self> {
        schema_version(table);
        Some(Self::decode(table))
    }

    /// Reads the two keys from the table that holds them.
    pub(super) fn decode(table: &mut Table<'_>) -> Self {
        table.held_by::<Self>();
        let newest = table.optional("products").and_then(|item| item.table(|table| Some(decode_products(table))));
        let retired = table
            .optional("retired")
            .and_then(|item| item.list(|entry| entry.table(|table| decode_entry(table, entry.span))));
        Self { newest: newest.unwrap_or_default(), retired: retired.unwrap_or_default() }
    }
}

fn decode_products(table: &mut Table<'_>) -> BTreeMap<String, Spanned<String>> {
    let decode = |(name, item): (Spanned<String>, Item<'_>)| {
        let newest = item.table(|table| table.required("newest").and_then(|item| item.line()))?;
        Some((name.value, newest))
    };
    table.named::<String>().into_iter().filter_map(decode).collect()
}

fn decode_entry(table: &mut Table<'_>, span: Span) -> Option<Retired> {
    let product = table.optional("product").and_then(|item| item.line());
    let image = table.required("image").and_then(|item| item.parsed());
    let aliases = table.optional("aliases").and_then(|item| item.list(Item::parsed));
    let mirrors = table.optional("mirrors").and_then(|item| item.parsed());
    let kind = table.required("kind").and_then(|item| item.parsed());
    let since = table.required("since").and_then(|item| decode_versions(&item));
    let replacement = table.optional("replacement").and_then(|item| replacement(&item));
    let floor = table.optional("floor").and_then(|item| item.line());
    let floors = table.optional("floors").and_then(|item| item.table(|table| Some(decode_lines(table))));
    let tag = table.optional("tag").and_then(|item| decode_tag(&item));
    let suffixes = table.optional("suffixes").and_then(|item| item.list(Item::line_or_empty));
    let command = table.optional("command").and_then(|item| spanned_command(&item));
    let args = table.optional("args").and_then(|item| item.list(Item::line_or_empty));
    let old_command = table.optional("old-command").and_then(|item| spanned_command(&item));
    let until = table.optional("until").and_then(|item| item.line());
    let consumer_default = table.optional("consumer-default").and_then(|item| item.boolean());
    let keys = table.optional("keys").and_then(|item| item.list(Item::line));
    let slot = table.optional("slot").and_then(|item| item.line());
    let note = table.optional("note").and_then(|item| item.line());
    Some(Retired {
        span,
        product,
        image: image?,
        aliases: aliases.unwrap_or_default(),
        mirrors,
        kind: kind?,
        since: since?,
        replacement,
        floor,
        platform_floors: floors.unwrap_or_default(),
        tag,
        suffixes: suffixes.unwrap_or_default(),
        command,
        args,
        old_command,
        until,
        consumer_default: consumer_default.unwrap_or(false),
        keys: keys.unwrap_or_default(),
        slot,
        note,
    })
}

fn decode_lines(table: &mut Table<'_>) -> BTreeMap<String, Spanned<String>> {
    let decode = |(name, item): (Spanned<String>, Item<'_>)| Some((name.value, item.line()?));
    table.named::<String>().into_iter().filter_map(decode).collect()
}

/// A name, in which `{name}` stands for the last part of the old one.
fn replacement(item: &Item<'_>) -> Option<Spanned<String>> {
    let text = item.line()?;
    match text.value.replace("{name}", "x").parse::<super::pattern::NamePattern>() {
        Ok(name) if !name.is_pattern() => Some(text),
        Ok(_) => {
            item.report_with_help(
                "invalid-value",
                "a replacement is one name",
                "`{name}` stands for the old last part",
            );
            None
        }
        Err(why) => {
            item.report("invalid-value", why);
            None
        }
    }
}

/// A word, or a table with the one that needs a text.
fn decode_tag(item: &Item<'_>) -> Option<Spanned<TagRule>> {
    if !item.is_table() {
        return item.parsed();
    }
    let rule = item.table(|table| {
        let fixed = table.optional("fixed").and_then(|item| item.line());
        let version = table.optional("app-version").and_then(|item| item.line());
        match (fixed, version) {
            (Some(tag), None) => Some(TagRule::Fixed(tag.value)),
            (None, Some(form)) if form.value.contains("{version}") => Some(TagRule::AppVersion(Some(form.value))),
            _ => {
                item.report("invalid-value", "a tag is { fixed = \"3.9\" } or { app-version = \"v{version}\" }");
                None
            }
        }
    });
    rule.map(|rule| Spanned::new(rule, item.span))
}

impl Text for TagRule {
    fn texts() -> Texts {
        Texts::Words(vec!["keep", "app-version", "restart"])
    }
}

impl FromStr for TagRule {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "keep" => Ok(Self::Keep),
            "app-version" => Ok(Self::AppVersion(None)),
            "restart" => Ok(Self::Restart),
            _ => Err("it is \"keep\", \"app-version\", \"restart\", or a table".to_owned()),
        }
    }
}

impl Text for Mirrors {
    fn texts() -> Texts {
        Texts::Words(vec!["none", "path", "name"])
    }
}

impl FromStr for Mirrors {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "path" => Ok(Self::Path),
            "name" => Ok(Self::Name),
            _ => Err("it is \"none\", \"path\" or \"name\"".to_owned()),
        }
    }
}
