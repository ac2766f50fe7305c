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
    let platforms = subject.image.definition.platforms.iter();
    for platform in platforms.filter(|platform| platform.value.rust_target().is_none()) {
        let cargo = |component: &&crate::resolve::ResolvedComponent<'_>| {
            matches!(component.manifest.build.kind, BuildKind::Cargo(_))
        };
        let Some(component) = subject.image.components.iter().find(cargo) else { continue };
        let message = format!(
            "no Rust target is known for {}, which component `{}` would need",
            platform.value,
            component.name()
        );
        let finding = Diagnostic::error(RULE.code, message)
            .label(platform.span, "")
            .label(component.manifest.build.span, "built by cargo");
        findings.push([component.name()], finding.help("remove the platform, or the component"));
    }
}
