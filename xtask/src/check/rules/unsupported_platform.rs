//! `unsupported-platform`: an image is made for a platform that one of its components cannot be compiled for.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{BuildKind, RuleLevel};

pub(super) const RULE: Rule = Rule {
    code: "unsupported-platform",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "a cargo or Go component cannot be compiled for a platform of the image",
    reason: "images were once published for a platform that silently lacked a merged program",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let written = &subject.image.definition.platforms;
    for platform in &subject.image.platforms {
        for component in &subject.image.components {
            let (what, by) = match component.manifest.build.kind {
                BuildKind::Cargo(_) if platform.rust_target().is_none() => ("no Rust target is known for", "cargo"),
                BuildKind::Go(_) if !platform.is_known_to_go() => ("Go does not compile for", "go"),
                _ => continue,
            };
            let message = format!("{what} {platform}, which component `{}` would need", component.name());
            let place = written.iter().find(|written| written.value == *platform).map(|written| written.span);
            let finding = Diagnostic::error(RULE.code, message)
                .label(place.unwrap_or(subject.image.definition.span), "")
                .label(component.manifest.build.span, format!("built by {by}"));
            let help = format!(
                "remove the platform, or leave the component out there with `exclude-platforms = [\"{platform}\"]`"
            );
            findings.push([component.name()], finding.help(help));
        }
    }
}
