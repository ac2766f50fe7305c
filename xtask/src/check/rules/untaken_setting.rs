//! `untaken-setting`: an existing Dockerfile says something of its image that the merged image does not have.
//!
//! Labels speak of the image as a whole, so those of a component are not those of the merged one. Without ENTRYPOINT and CMD there
//! is no role that could have a user, variables, ports or volumes: what the base starts is not known here.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::dockerfile::{Extent, StageFacts};
use crate::manifest::{BuildKind, RuleLevel};

pub(super) const RULE: Rule = Rule {
    code: "untaken-setting",
    level: RuleLevel::Warn,
    fixed: false,
    summary: "a Dockerfile of a component sets what the merged image does not have",
    reason: "whoever relies on it would find it missing, and nothing else would say so",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let labels = &subject.image.definition.labels;
    for component in &subject.image.components {
        let BuildKind::Dockerfile(build) = &component.manifest.build.kind else { continue };
        let Some(read) = &build.read else { continue };
        let mut lost = of_image(&read.facts, |label| labels.contains_key(label));
        let has_role = !component.manifest.roles.is_empty();
        if !has_role {
            lost.extend(of_role(&read.facts));
        }
        let Some((_, first)) = lost.first() else { continue };
        let (first, names) = (*first, lost.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "));
        let message = format!("the image does not have what the Dockerfile of `{}` sets: {names}", component.name());
        let mut finding = Diagnostic::error(RULE.code, message).label(read.span(first), "");
        for (_, extent) in lost.iter().skip(1).filter(|(_, extent)| *extent != first) {
            finding = finding.label(read.span(*extent), "and this");
        }
        let help = match has_role {
            true => "write labels that are to stay under [labels] in image.toml".to_owned(),
            false => format!(
                "say what is started with `command` under [roles.{}]; write labels that are to stay under [labels] in image.toml",
                component.name()
            ),
        };
        findings.push([component.name()], finding.help(help));
    }
}

/// What no component can say of a merged image.
fn of_image(facts: &StageFacts, is_kept: impl Fn(&str) -> bool) -> Vec<(String, Extent)> {
    let labels = facts.labels.iter().filter(|(name, _)| !is_kept(name));
    let labels = labels.map(|(name, fact)| (format!("LABEL {name}"), fact.span));
    let maintainer = facts.maintainer.iter().map(|fact| ("MAINTAINER".to_owned(), fact.span));
    labels.chain(maintainer).collect()
}

/// What only a role can have.
fn of_role(facts: &StageFacts) -> Vec<(String, Extent)> {
    let one = |name: &str, span: Option<Extent>| span.map(|span| (name.to_owned(), span));
    let user = one("USER", facts.user.as_ref().map(|fact| fact.span));
    let signal = one("STOPSIGNAL", facts.stop_signal.as_ref().map(|fact| fact.span));
    let health = one("HEALTHCHECK", facts.healthcheck.as_ref().map(|fact| fact.span));
    let env = facts.env.iter().map(|variable| (format!("ENV {}", variable.name), variable.value.span));
    let ports = facts.exposed.iter().map(|fact| ("EXPOSE".to_owned(), fact.span));
    let volumes = facts.volumes.iter().map(|fact| ("VOLUME".to_owned(), fact.span));
    user.into_iter().chain(signal).chain(health).chain(env).chain(ports).chain(volumes).collect()
}
