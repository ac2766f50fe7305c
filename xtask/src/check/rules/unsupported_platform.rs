//! `unsupported-platform`: an image is made for a platform that one of its components cannot be compiled for.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{BuildKind, RuleLevel};

pub(super) const RULE: Rule = Rule {
    code: "unsupported-platform",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "a cargo component cannot be compiled for a platform of the image",
    reason: "images were once published for a platform that silently lacked a merged program",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let written = &subject.image.definition.platforms;
    for platform in subject.image.platforms.iter().filter(|platform| platform.rust_target().is_none()) {
        for component in &subject.image.components {
            let BuildKind::Cargo(_) = component.manifest.build.kind else { continue };
            let message =
                format!("no Rust target is known for {platform}, which component `{}` would need", component.name());
            let place = written.iter().find(|written| written.value == *platform).map(|written| written.span);
            let finding = Diagnostic::error(RULE.code, message)
                .label(place.unwrap_or(subject.image.definition.span), "")
                .label(component.manifest.build.span, "built by cargo");
            let help = format!(
                "remove the platform, or leave the component out there with `exclude-platforms = [\"{platform}\"]`"
            );
            findings.push([component.name()], finding.help(help));
        }
    }
}
