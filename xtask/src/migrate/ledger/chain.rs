//! The end of a chain: what a retired name became in the end, with its tag, floor and command.

use super::entry::{At, Entry, Ledger};
use super::name::{Found, Written};
use super::version;
use crate::manifest::{NamePattern, TagRule};

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The versions of products.
    pub at: &'a At,
    /// Platforms that the consumer runs on, as `OS` or `OS/ARCH`; their floors count.
    pub platforms: &'a [String],
}

/// What a retired reference became.
#[derive(Debug, Clone)]
pub struct Answer<'l> {
    /// The entries that were followed, in order; at least one.
    pub steps: Vec<&'l Entry>,
    /// The name to use now; `None` when there is nothing.
    pub name: Option<NamePattern>,
    /// Its tag.
    pub tag: NewTag,
    /// The lowest tag that will do.
    pub floor: Option<String>,
    /// How many parts of a mirror's path are the retired name's own.
    pub mirrored: Option<usize>,
    /// How many parts the retired name has.
    pub old_parts: usize,
    /// True when the chain bites its tail: there is no answer then.
    pub is_cycle: bool,
}

/// A tag to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewTag {
    /// None was written, and none is needed.
    None,
    /// This one.
    Is(String),
    /// None can be named, and why.
    Unknown(String),
}

impl Answer<'_> {
    /// The entry that a written name belongs to.
    pub fn first(&self) -> &Entry {
        self.steps[0]
    }

    /// The command that consumers must name, of the last entry that has one.
    pub fn command(&self) -> Option<&[String]> {
        self.steps.iter().rev().find_map(|entry| entry.command.as_deref())
    }

    /// The arguments that consumers must give.
    pub fn args(&self) -> Option<&[String]> {
        self.steps.iter().rev().find_map(|entry| entry.args.as_deref())
    }

    /// True when consumers find the replacement by themselves.
    pub fn is_consumer_default(&self) -> bool {
        self.steps.iter().any(|entry| entry.consumer_default)
    }

    /// True when the same contract cannot be kept.
    pub fn changes_contract(&self) -> bool {
        self.steps.iter().any(|entry| entry.changes_contract())
    }

    /// Name and tag, as people write them; empty when there is nothing.
    pub fn reference(&self) -> String {
        let Some(name) = &self.name else { return String::new() };
        match &self.tag {
            NewTag::Is(tag) => format!("{name}:{tag}"),
            NewTag::None | NewTag::Unknown(_) => name.to_string(),
        }
    }

    /// The new name where a mirror's registry and prefix stay.
    pub fn path_below(&self) -> Option<String> {
        let name = self.name.as_ref()?;
        // what the mirror left out of the old path is left out of the new one
        let left_out = self.old_parts.saturating_sub(self.mirrored?).min(name.parts.len() - 1);
        Some(name.parts[left_out..].join("/"))
    }
}

impl Ledger {
    /// Follows a chain to its end. `tag` is what is written now.
    pub fn resolve<'l>(&'l self, found: &Found<'l>, tag: Option<&str>, wanted: Wanted<'_>) -> Answer<'l> {
        let mut answer = Answer {
            steps: vec![found.entry],
            name: None,
            tag: NewTag::None,
            floor: None,
            mirrored: found.mirrored,
            old_parts: found.name.parts.len(),
            is_cycle: false,
        };
        let mut last = found.name.last().to_owned();
        let mut tag = tag.map_or(NewTag::None, |tag| NewTag::Is(tag.to_owned()));
        loop {
            let entry = answer.steps[answer.steps.len() - 1];
            tag = self.tag_after(entry, tag, wanted);
            let floor = entry.floor_on(wanted.platforms).map(str::to_owned);
            // tags that stay the same stay above what they had to reach before
            answer.floor = if entry.tag == TagRule::Keep { highest(answer.floor, floor) } else { floor };
            let Some(name) = entry.replacement_of(&last) else {
                return Answer { name: None, tag: NewTag::None, ..answer };
            };
            name.last().clone_into(&mut last);
            let next = self.next(&name, entry, wanted.at);
            answer.name = Some(name);
            match next {
                Some(next) if answer.steps.iter().any(|step| std::ptr::eq(*step, next)) => {
                    return Answer { name: None, is_cycle: true, ..answer };
                }
                Some(next) => answer.steps.push(next),
                None => return Answer { tag, ..answer },
            }
        }
    }

    /// The entry of the same product that retires a replacement.
    fn next(&self, name: &NamePattern, from: &Entry, at: &At) -> Option<&Entry> {
        let written =
            Written { registry: Some(&name.registry), parts: name.parts.iter().map(String::as_str).collect() };
        let own = |found: &Found<'_>| found.mirrored.is_none() && found.entry.product == from.product;
        self.find_all(&written, at).into_iter().find(own).map(|found| found.entry)
    }

    fn tag_after(&self, entry: &Entry, tag: NewTag, wanted: Wanted<'_>) -> NewTag {
        let floor = entry.floor_on(wanted.platforms);
        let suffix = suffix(entry, &tag);
        let at_floor = || floor.map(|floor| with_suffix(floor, suffix));
        match (&entry.tag, tag) {
            (TagRule::Keep, NewTag::Is(tag)) => kept(tag, floor),
            (TagRule::Keep, tag) => tag,
            (TagRule::Fixed(tag), _) => NewTag::Is(tag.clone()),
            (TagRule::Restart, _) => at_floor().map_or_else(
                || NewTag::Unknown("its tags began anew, and the ledger has no `floor` to begin with".to_owned()),
                NewTag::Is,
            ),
            (TagRule::AppVersion(form), _) => {
                let version = self.version_of(entry, wanted.at);
                let made = version.map(|version| app_version(form.as_deref(), version, suffix, floor));
                let high = made.filter(|made| floor.is_none_or(|floor| !version::is_below(made, floor)));
                high.or_else(at_floor).map_or_else(
                    || NewTag::Unknown("its tag is the product's version: say which with --at".to_owned()),
                    NewTag::Is,
                )
            }
        }
    }
}

/// The same tag, if it is known not to be below the floor.
fn kept(tag: String, floor: Option<&str>) -> NewTag {
    let Some(floor) = floor else { return NewTag::Is(tag) };
    match version::compare(&tag, floor) {
        Some(order) => NewTag::Is(if order.is_lt() { floor.to_owned() } else { tag }),
        None => NewTag::Unknown(format!("nobody can tell whether `{tag}` is below the floor {floor}")),
    }
}

fn highest(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if version::is_below(&one, &other) { other } else { one }),
        (one, other) => one.or(other),
    }
}

/// The variant that the new tag has: that of the old one, or the first.
fn suffix<'e>(entry: &'e Entry, tag: &NewTag) -> &'e str {
    let ends =
        |suffix: &&String| matches!(tag, NewTag::Is(tag) if !suffix.is_empty() && tag.ends_with(suffix.as_str()));
    entry.suffixes.iter().find(ends).or_else(|| entry.suffixes.first()).map(String::as_str).unwrap_or_default()
}

fn with_suffix(tag: &str, suffix: &str) -> String {
    if tag.ends_with(suffix) { tag.to_owned() } else { format!("{tag}{suffix}") }
}

/// The product's version as a tag: in the form that the ledger gives, or with a `v` where the floor has one.
fn app_version(form: Option<&str>, version: &str, suffix: &str, floor: Option<&str>) -> String {
    let plain = version.strip_prefix('v').unwrap_or(version);
    let letter = if floor.is_some_and(|floor| floor.starts_with('v')) { "v" } else { "" };
    match form {
        Some(form) => form.replace("{version}", plain).replace("{suffix}", suffix),
        None => with_suffix(&format!("{letter}{plain}"), suffix),
    }
}
