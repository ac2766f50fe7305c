//! `alias-shadows-file`: an alias stands where a component installs a file.

use super::super::occupancy::{Claims, What};
use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "alias-shadows-file",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "an alias stands at the path of an installed file",
    reason: "either the link or the file would be lost, and with it an old path that somebody relies on",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for claims in Claims::of(subject.plan).by_path() {
        let is_alias = |what: &What<'_>| matches!(what, What::Alias(_));
        let Some(alias) = claims.iter().find(|claim| is_alias(&claim.what)) else { continue };
        let Some(file) = claims.iter().find(|claim| !is_alias(&claim.what)) else { continue };
        let message = format!(
            "alias {} of component `{}` stands where component `{}` installs a file",
            alias.path, alias.component, file.component
        );
        let finding =
            Diagnostic::error(RULE.code, message).label(alias.place, "the alias").label(file.place, "the file");
        findings
            .push([alias.component, file.component], finding.help("remove the alias, or install the file elsewhere"));
    }
}
