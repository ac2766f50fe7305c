//! `[[replaces]]`: the ledger of retired images, and what each of them promised.
//!
//! A contract is data about a retired image: how its consumers start it, as whom, on which ports and platforms. The rule
//! `lost-contract` holds the merged image to it. Its id names the meaning: `groupage.lock` remembers what an id meant, so that
//! nobody changes a promise under the eyes of those who rely on it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::decode::{Item, Table};
use super::name::ContractId;
use super::pattern::NamePattern;
use super::role::{ArgsStyle, Protocol, User, decode_command, decode_protocol};
use super::text::{Text, Texts};
use crate::diagnostic::Diagnostic;
use crate::oci::{Platform, Reference};
use crate::source::{Span, Spanned};

/// An image that the component replaces: an entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// The retired reference, without a tag.
    pub image: Spanned<Reference>,
    /// What happened to it.
    pub kind: Spanned<RetirementKind>,
    /// First release in which the old name is retired; one for each release line, when it came to several.
    pub since: Vec<Spanned<String>>,
    /// The merged image's name, where the component is in several images.
    pub replacement: Option<Spanned<NamePattern>>,
    /// Lowest tag of the merged image that contains it.
    pub floor: Option<Spanned<String>>,
    /// What a consumer of the retired name must now be given as its command: program, then arguments.
    pub command: Option<Spanned<Vec<Spanned<String>>>>,
    /// What the retired image promised.
    pub contract: Option<Contract>,
}

/// What a retired image promised its consumers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Where it stands.
    pub span: Span,
    /// Names its meaning: another meaning needs another id.
    pub id: Spanned<ContractId>,
    /// The image's ENTRYPOINT, or the command that consumers name.
    pub command: Spanned<Vec<Spanned<String>>>,
    /// How consumers start it; by naming the command when absent.
    pub args_style: Option<Spanned<ArgsStyle>>,
    /// As whom its program runs; anybody when absent.
    pub user: Option<Spanned<User>>,
    /// Ports that it listens on.
    pub ports: Vec<ContractPort>,
    /// Platforms that it was published for; all of the merged image when empty.
    pub platforms: Vec<Spanned<Platform>>,
}

/// A port of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractPort {
    /// `port`: its number, 1 to 65535.
    pub number: Spanned<u16>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: Protocol,
}

/// What happened to a retired image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetirementKind {
    /// Same content, other registry or repository.
    Moved,
    /// Same content, other name.
    Renamed,
    /// Part of another image now.
    Folded,
    /// Another program with another contract.
    Replaced,
    /// Gone.
    Withdrawn,
    /// A tag suffix became a repository, or the reverse.
    Variant,
    /// Gone for some platforms.
    PlatformDropped,
    /// Part of another image now, and harmful where it is still there.
    MustBeAbsent,
}

const RETIREMENT_KINDS: &[(&str, RetirementKind)] = &[
    ("moved", RetirementKind::Moved),
    ("renamed", RetirementKind::Renamed),
    ("folded", RetirementKind::Folded),
    ("replaced", RetirementKind::Replaced),
    ("withdrawn", RetirementKind::Withdrawn),
    ("variant", RetirementKind::Variant),
    ("platform-dropped", RetirementKind::PlatformDropped),
    ("must-be-absent", RetirementKind::MustBeAbsent),
];

impl RetirementKind {
    /// What happened, after the name of an image: `was moved`.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Moved => "was moved",
            Self::Renamed => "was renamed",
            Self::Folded => "was folded",
            Self::Replaced => "was replaced",
            Self::Withdrawn => "was withdrawn",
            Self::Variant => "became a variant",
            Self::PlatformDropped => "lost platforms",
            Self::MustBeAbsent => "must be absent",
        }
    }

    /// The word that is written for it.
    pub fn as_str(self) -> &'static str {
        RETIREMENT_KINDS.iter().find(|(_, kind)| *kind == self).map(|(name, _)| *name).unwrap_or_default()
    }
}

impl Text for RetirementKind {
    fn texts() -> Texts {
        Texts::Words(RETIREMENT_KINDS.iter().map(|(name, _)| *name).collect())
    }
}

impl FromStr for RetirementKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let names: Vec<&str> = RETIREMENT_KINDS.iter().map(|(name, _)| *name).collect();
        let found = RETIREMENT_KINDS.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind);
        found.ok_or_else(|| {
            format!("`{}` is not one of {}", text.chars().take(64).collect::<String>(), names.join(", "))
        })
    }
}

impl Contract {
    /// How consumers start it.
    pub fn args_style(&self) -> ArgsStyle {
        self.args_style.as_ref().map(|style| style.value).unwrap_or_default()
    }

    /// The words of its command.
    pub fn words(&self) -> Vec<&str> {
        self.command.value.iter().map(|word| word.value.as_str()).collect()
    }

    /// What it promises, as one line of JSON: the same for the same promise, whatever the order of its lists. The retired image
    /// and the id are not part of it; they say whose meaning this is.
    pub fn meaning(&self) -> String {
        let ports: BTreeSet<String> = self.ports.iter().map(ContractPort::to_string).collect();
        let platforms: BTreeSet<String> = self.platforms.iter().map(|own| own.value.to_string()).collect();
        let meaning = serde_json::json!({
            "command": self.words(),
            "args-style": self.args_style().as_str(),
            "user": self.user.as_ref().map(|user| user.value.to_string()),
            "ports": ports,
            "platforms": platforms,
        });
        meaning.to_string()
    }
}

/// `9533/tcp`, as in plans.
impl fmt::Display for ContractPort {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.number.value, self.protocol)
    }
}

/// All entries. Two contracts of one image would be two promises under one name.
pub(super) fn decode_replaces(item: &Item<'_>) -> Option<Vec<Replaces>> {
    let entries = item.list(|entry| entry.table(decode_entry))?;
    for (index, entry) in entries.iter().enumerate() {
        let same = |other: &&Replaces| other.image.value == entry.image.value && other.contract.is_some();
        if let (Some(contract), Some(other)) = (&entry.contract, entries[..index].iter().find(same)) {
            let message = format!("two entries have a contract of {}", entry.image.value);
            item.diagnose(
                Diagnostic::error("duplicate-contract", message)
                    .label(contract.span, "")
                    .label(other.image.span, "first here")
                    .help("what consumers of one image are promised is one contract: keep one of them"),
            );
        }
    }
    Some(entries)
}

fn decode_entry(table: &mut Table<'_>) -> Option<Replaces> {
    let image = table.required("image").and_then(|item| item.parsed());
    let kind = table.required("kind").and_then(|item| item.parsed());
    let since = table.required("since").and_then(|item| decode_versions(&item));
    let replacement = table.optional("replacement").and_then(|item| item.parsed());
    let floor = table.optional("floor").and_then(|item| item.line());
    let command = table.optional("command").and_then(|item| spanned_command(&item));
    let contract = table.optional("contract").and_then(|item| item.table(|table| decode_contract(table, item.span)));
    Some(Replaces { image: image?, kind: kind?, since: since?, replacement, floor, command, contract })
}

fn decode_contract(table: &mut Table<'_>, span: Span) -> Option<Contract> {
    let id = table.required("id").and_then(|item| item.parsed());
    let command = table.required("command").and_then(|item| spanned_command(&item));
    let args_style = table.optional("args-style").and_then(|item| item.parsed());
    let user = table.optional("user").and_then(|item| item.parsed());
    let ports = table.optional("ports").and_then(|item| item.list(decode_port));
    let platforms = table.optional("platforms").and_then(|item| item.list(Item::parsed));
    Some(Contract {
        span,
        id: id?,
        command: command?,
        args_style,
        user,
        ports: ports.unwrap_or_default(),
        platforms: platforms.unwrap_or_default(),
    })
}

/// A version, or a list of them that is not empty.
pub(super) fn decode_versions(item: &Item<'_>) -> Option<Vec<Spanned<String>>> {
    if !item.is_array() {
        return Some(vec![item.line()?]);
    }
    let versions = item.list(Item::line)?;
    if versions.is_empty() {
        item.report("invalid-value", "one version at least: the first in which it is retired");
        return None;
    }
    Some(versions)
}

pub(super) fn spanned_command(item: &Item<'_>) -> Option<Spanned<Vec<Spanned<String>>>> {
    Some(Spanned::new(decode_command(item)?, item.span))
}

/// A number, or `{ port = 53, protocol = "udp" }`.
fn decode_port(item: &Item<'_>) -> Option<ContractPort> {
    if !item.is_table() {
        return Some(ContractPort { number: decode_number(item)?, protocol: Protocol::default() });
    }
    item.table(|table| {
        let number = table.required("port").and_then(|item| decode_number(&item));
        let protocol = decode_protocol(table);
        Some(ContractPort { number: number?, protocol })
    })
}

fn decode_number(item: &Item<'_>) -> Option<Spanned<u16>> {
    Some(item.integer(1..=65535)?.map(|number| u16::try_from(number).unwrap_or(u16::MAX)))
}
