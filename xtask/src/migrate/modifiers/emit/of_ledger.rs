//! The ledger as what knows which images are retired.

use super::super::super::ledger::{Answer, At, Ledger, NewTag, Wanted, Written};
use super::{Retired, Retirement, Rewrite};
use crate::oci::Reference;

/// A ledger, and the versions that are asked about.
#[derive(Debug, Clone, Copy)]
pub struct OfLedger<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// Versions of products.
    pub at: &'a At,
    /// Platforms of the cluster, whose floors count.
    pub platforms: &'a [String],
}

impl Retired for OfLedger<'_> {
    fn of(&self, reference: &Reference) -> Retirement {
        let name = name(reference);
        let Some(found) = self.ledger.find(&Written::parse(&name), self.at) else { return Retirement::None };
        let wanted = Wanted { at: self.at, platforms: self.platforms };
        let answer = self.ledger.resolve(&found, reference.tag(), wanted);
        match rewrite(reference, &answer) {
            Ok(rewrite) => Retirement::To(rewrite),
            Err(why) => Retirement::Without(why),
        }
    }
}

fn rewrite(reference: &Reference, answer: &Answer<'_>) -> Result<Rewrite, String> {
    if answer.is_cycle {
        return Err("the ledger leads in a circle".to_owned());
    }
    let Some(new) = &answer.name else { return Err("nothing takes its place".to_owned()) };
    if reference.digest().is_some() {
        return Err(format!("a digest says nothing of a version of {new}"));
    }
    let tag = match &answer.tag {
        NewTag::Is(tag) => Some(tag.as_str()),
        NewTag::None => None,
        NewTag::Unknown(why) => return Err(why.clone()),
    };
    let words = |words: Option<&[String]>| words.map(<[String]>::to_vec);
    Ok(Rewrite {
        new: renamed(reference, answer, tag)?,
        floor: answer.floor.clone(),
        command: words(answer.command()),
        args: words(answer.args()),
    })
}

/// The new reference: a mirror stays one.
fn renamed(reference: &Reference, answer: &Answer<'_>, tag: Option<&str>) -> Result<Reference, String> {
    let text = match (answer.mirrored, answer.path_below(), &answer.name) {
        (Some(own), Some(path), _) => {
            let old = name(reference);
            let parts: Vec<&str> = old.split('/').collect();
            let prefix = parts.get(..parts.len().saturating_sub(own)).unwrap_or_default();
            prefix.iter().copied().chain([path.as_str()]).collect::<Vec<_>>().join("/")
        }
        (_, _, Some(name)) => name.to_string(),
        _ => String::new(),
    };
    let text = tag.map_or(text.clone(), |tag| format!("{text}:{tag}"));
    let new: Result<Reference, _> = text.parse();
    // where Docker Hub was written it is again: not every cluster takes short names
    let is_short = new.as_ref().is_ok_and(|new| new.canonical() != text);
    let text = match new {
        Ok(new) if is_short && name(reference).starts_with("docker.io/") => new.canonical(),
        _ => text,
    };
    text.parse().map_err(|error: crate::oci::ReferenceError| error.to_string())
}

/// A reference without tag and digest, as written.
fn name(reference: &Reference) -> String {
    let text = reference.without_digest().to_string();
    match reference.tag() {
        Some(tag) => text.strip_suffix(tag).and_then(|text| text.strip_suffix(':')).unwrap_or(&text).to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Problems;
    use crate::manifest::LedgerFile;
    use crate::migrate::ledger::Builder;
    use crate::source::{SourceFile, SourceMap};

    const LEDGER: &str = r#"
schema = 1
[[retired]]
image = "velero/velero-restore-helper"
mirrors = "name"
kind = "folded"
since = "v1.16.0"
replacement = "velero/velero"
floor = "v1.16.0"
command = ["/velero-restore-helper"]
[[retired]]
image = "velero/fsfreeze-pause"
kind = "withdrawn"
since = "v1.3.0"
"#;

    /// What becomes of a reference: the new one, or why not; nothing when it is not retired.
    fn check(reference: &str, expect: &str) {
        let mut map = SourceMap::default();
        let id = map.add(SourceFile::new("ledger.toml", LEDGER));
        let mut problems = Problems::default();
        let file = LedgerFile::parse(id, map.file(id), &mut problems);
        let ledger = Builder::default().file(&file.unwrap_or_else(|| panic!("{:?}", problems.into_list()))).finish();
        let at = "v1.16.1".parse().unwrap();
        let retired = OfLedger { ledger: &ledger, at: &at, platforms: &[] };
        let found = match retired.of(&reference.parse().unwrap()) {
            Retirement::None => String::new(),
            Retirement::To(rewrite) => rewrite.new.to_string(),
            Retirement::Without(why) => format!("! {why}"),
        };
        assert_eq!(found, expect, "{reference}");
    }

    #[test]
    fn what_the_ledger_says() {
        check("velero/velero:v1.16.0", "");
        check("velero/velero-restore-helper:v1.15.2", "velero/velero:v1.16.1");
        check("docker.io/velero/velero-restore-helper:v1.16.1", "docker.io/velero/velero:v1.16.1");
        check("mirror.io:5000/apps/velero-restore-helper:v1.15.2", "mirror.io:5000/apps/velero:v1.16.1");
        check(
            &format!("velero/velero-restore-helper@sha256:{}", "0".repeat(64)),
            "! a digest says nothing of a version of velero/velero",
        );
        check("velero/fsfreeze-pause:1", "! nothing takes its place");
    }
}
