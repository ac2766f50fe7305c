//! What is in an image, component by component.

use std::collections::BTreeMap;

use serde_json::Value;

use super::files::{self, Side};
use super::image::is_host;
use super::recorded::Recorded;
use super::{Changes, What, text};

/// Adds what differs in components.
pub(super) fn compare(before: &Recorded, after: &Recorded, all: &mut Changes) {
    let (old, new) = (by_name(&before.plan), by_name(&after.plan));
    for (name, part) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        all.push(None, What::Component, name, Some(version(part)), None);
    }
    for (name, part) in &new {
        match old.get(name) {
            None => all.push(None, What::Component, name, None, Some(version(part))),
            Some(other) => Pair { name, before, after, old: other, new: part }.compare(all),
        }
    }
}

fn version(part: &Value) -> String {
    text(part.get("version")).unwrap_or_default()
}

/// The components of an image.
fn by_name(plan: &Value) -> BTreeMap<&str, &Value> {
    let parts = plan["components"].as_array().into_iter().flatten();
    parts.filter_map(|part| Some((part["name"].as_str()?, part))).collect()
}

/// A component that is in both.
struct Pair<'a> {
    name: &'a str,
    before: &'a Recorded,
    after: &'a Recorded,
    old: &'a Value,
    new: &'a Value,
}

impl Pair<'_> {
    fn compare(&self, all: &mut Changes) {
        let name = Some(self.name);
        let both = |key: &str| (self.old.get(key), self.new.get(key));
        let known = |key: &str| {
            let says = |side: &Recorded, part: &Value| !side.is_summary || part.get(key).is_some();
            says(self.before, self.old) && says(self.after, self.new)
        };
        let (old, new) = both("version");
        if known("version") {
            all.value(name, What::Version, "", old, new);
        }
        let (old, new) = both("features");
        if known("features") {
            all.members(name, What::Feature, old, new);
        }
        let (old, new) = both("roles");
        if known("roles") {
            all.map(old, new, |all, role, old, new| self.role(role, old, new, all));
        }
        if self.before.is_summary {
            self.inputs(all);
            return;
        }
        let (old, new) = both("excluded");
        all.members(name, What::Excluded, old, new);
        self.build(all);
        self.installs(all);
        let (old, new) = both("links");
        all.map(old, new, |all, path, old, new| {
            let target = |link: Option<&Value>| text(link?.get("target"));
            all.push(name, What::Link, path, target(old), target(new));
        });
        self.files(all);
    }

    /// Of an image that says no more than a hash.
    fn inputs(&self, all: &mut Changes) {
        let (old, new) = (text(self.old.get("fingerprint")), text(self.new.get("fingerprint")));
        let (old, mut new) = (old.unwrap_or_default(), new.unwrap_or_default());
        if !new.starts_with(&old) || old.is_empty() {
            new.truncate(old.len());
            all.push(Some(self.name), What::Inputs, "", Some(old), Some(new));
        }
    }

    fn role(&self, role: &str, old: Option<&Value>, new: Option<&Value>, all: &mut Changes) {
        let name = Some(self.name);
        let (Some(before), Some(after)) = (old, new) else {
            let command = |side: Option<&Value>| side.map(|side| text(side.get("command")).unwrap_or_default());
            return all.push(name, What::Role, role, command(old), command(new));
        };
        all.map(Some(before), Some(after), |all, key, old, new| match key {
            "env" => all.map(old, new, |all, variable, old, new| {
                all.push(name, What::RoleSetting, &format!("{role} env {variable}"), text(old), text(new));
            }),
            _ => all.value(name, What::RoleSetting, &format!("{role} {key}"), old, new),
        });
    }

    fn is_host(&self) -> bool {
        is_host(&self.before.plan) && is_host(&self.after.plan)
    }

    fn build(&self, all: &mut Changes) {
        let name = Some(self.name);
        let (old, new) = (&self.old["build"], &self.new["build"]);
        if old["kind"] != new["kind"] {
            return all.value(name, What::Setting, "kind", old.get("kind"), new.get("kind"));
        }
        let compiled_here = self.is_host() && (old["kind"] == "cargo" || old["kind"] == "go");
        all.map(Some(old), Some(new), |all, key, old, new| match key {
            "builder" if compiled_here => {}
            "builder" => all.value(name, What::Builder, "", old, new),
            "image" => all.value(name, What::SourceImage, "", old, new),
            // texts of many lines
            "stages" | "steps" | "packages" => all.push(name, What::Setting, "Dockerfile", digest(old), digest(new)),
            "features" => all.members(name, What::CargoFeature, old, new),
            "tags" => all.members(name, What::BuildTag, old, new),
            "env" => all.map(old, new, |all, variable, old, new| {
                all.push(name, What::Setting, &format!("env {variable}"), text(old), text(new));
            }),
            _ => all.value(name, What::Setting, key, old, new),
        });
    }

    /// Files that the build's stage gives, by where they go.
    fn installs(&self, all: &mut Changes) {
        let list = |part: &Value| -> BTreeMap<String, String> {
            let installs = part["installs"].as_array().into_iter().flatten();
            installs.map(|install| (text(install.get("to")).unwrap_or_default(), installed(install))).collect()
        };
        let (old, new) = (list(self.old), list(self.new));
        for to in old.keys().chain(new.keys()) {
            all.push(Some(self.name), What::Install, to, old.get(to).cloned(), new.get(to).cloned());
        }
    }

    fn files(&self, all: &mut Changes) {
        let crates = self.crates(all);
        let side = |part: &Value, key: &str| part.get(key).cloned();
        let area = |key: &str, is_installed: bool, all: &mut Changes| {
            let (old, new) = (side(self.old, key), side(self.new, key));
            let sides = Side { component: self.name, is_installed, crates_are_named: crates };
            files::compare(sides, old.as_ref(), new.as_ref(), all);
        };
        area("inputs", false, all);
        area("files", true, all);
        let (old, new) = (self.old.get("platform_files"), self.new.get("platform_files"));
        all.map(old, new, |all, _, old, new| {
            files::compare(Side { component: self.name, is_installed: true, crates_are_named: false }, old, new, all);
        });
    }

    /// Adds crates of the lock file that are other ones; whether there are any.
    fn crates(&self, all: &mut Changes) -> bool {
        let locks = (self.before.locks.get(self.name), self.after.locks.get(self.name));
        let (Some(old), Some(new)) = locks else { return false };
        let count = all.0.len();
        let none = BTreeMap::new();
        for name in old.keys().chain(new.keys()) {
            let (old, new) = (old.get(name).unwrap_or(&none), new.get(name).unwrap_or(&none));
            let is_version = old.keys().ne(new.keys());
            let (before, after) = (versions(old, is_version), versions(new, is_version));
            all.push(Some(self.name), What::Crate, name, before, after);
        }
        all.0.len() > count
    }
}

/// Versions of a crate; with checksums where they are what differs.
fn versions(locked: &BTreeMap<String, String>, is_version: bool) -> Option<String> {
    let shown = |(version, checksum): (&String, &String)| match is_version {
        true => version.clone(),
        false => format!("{version} sha256:{checksum}"),
    };
    (!locked.is_empty()).then(|| locked.iter().map(shown).collect::<Vec<_>>().join(", "))
}

/// What stands for a long text.
fn digest(value: Option<&Value>) -> Option<String> {
    let hash = crate::plan::fingerprint::text(&value?.to_string());
    hash.get(..12).map(str::to_owned)
}

/// What an install takes and what it makes of it.
fn installed(install: &Value) -> String {
    let mut from = text(install.get("from")).unwrap_or_default();
    if install["is_likely"] == true {
        from.push_str(", if it is there");
    }
    match install["mode"].as_u64() {
        Some(mode) => format!("{from}, mode {mode:04o}"),
        None => from,
    }
}
