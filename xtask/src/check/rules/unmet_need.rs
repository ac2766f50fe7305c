//! `unmet-need`: roles need something that neither the base nor a component gives.
//!
//! One finding for each thing that is missing, with all that need it; packages of a distribution are one thing together, because a
//! base is chosen once for all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{Base, BuildKind, ComponentName, Link, Need, RoleName, RuleLevel};
use crate::resolve::{ResolvedComponent, ResolvedRole};
use crate::source::{Span, Spanned};

pub(super) const RULE: Rule = Rule {
    code: "unmet-need",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "a role needs what the base does not give",
    reason: "a sidecar that needed a shell was once shipped on `scratch` and never started",
    check,
};

/// The need that no small base meets.
const SHELL: &str = "shell";
/// What a program that is linked dynamically needs.
const GLIBC: &str = "libc:glibc";

/// Something that is needed, and by whom.
struct Wish<'a> {
    need: Need,
    component: &'a ComponentName,
    /// The role that needs it; the program itself when none.
    role: Option<&'a RoleName>,
    place: Span,
}

impl Wish<'_> {
    /// As the subject of a sentence.
    fn who(&self) -> String {
        match self.role {
            Some(role) => format!("role `{role}`"),
            None => format!("the dynamically linked program of component `{}`", self.component),
        }
    }
}

/// What gets a finding of its own, in the order of the findings.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Kind<'a> {
    /// One need.
    Other(&'a str),
    /// All packages together.
    Packages,
}

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let parts = subject.image.components.iter().flat_map(|part| &part.manifest.provides).map(|need| &need.value);
    let given: BTreeSet<&Need> =
        subject.image.base.provides.iter().map(|need| &need.value).chain(parts.clone()).collect();
    let wishes: Vec<Wish<'_>> = subject.image.components.iter().flat_map(wishes).collect();
    let of_base: BTreeSet<&Need> =
        wishes.iter().map(|wish| &wish.need).filter(|need| !parts.clone().any(|own| own == *need)).collect();
    let mut unmet = BTreeMap::<Kind<'_>, Vec<&Wish<'_>>>::new();
    for wish in wishes.iter().filter(|wish| !given.contains(&wish.need)) {
        let kind = if wish.need.package().is_some() { Kind::Packages } else { Kind::Other(wish.need.as_str()) };
        unmet.entry(kind).or_default().push(wish);
    }
    for wishes in unmet.values() {
        let components: BTreeSet<&ComponentName> = wishes.iter().map(|wish| wish.component).collect();
        let finding = Diagnostic::error(RULE.code, message(subject, wishes));
        let finding = wishes.iter().fold(finding, |finding, wish| finding.label(wish.place, label(wish, wishes)));
        findings.push(
            components.iter().copied(),
            with_base(subject, finding, &components, wishes).help(help(subject, &of_base)),
        );
    }
}

fn message(subject: &Subject<'_>, wishes: &[&Wish<'_>]) -> String {
    let base =
        format!("which the base `{}` of image `{}` does not give", subject.image.base.name.value, subject.plan.name);
    let packages: BTreeSet<&str> = wishes.iter().filter_map(|wish| wish.need.package()).collect();
    let what = match (packages.len(), wishes.first()) {
        (0, Some(wish)) => format!("`{}`", wish.need),
        (1, _) => format!("the package {}", list(packages)),
        _ => format!("the packages {}", list(packages)),
    };
    let roles: Option<BTreeSet<&RoleName>> = wishes.iter().map(|wish| wish.role).collect();
    match (wishes, roles) {
        ([only], _) => format!("{} needs {what}, {base}", only.who()),
        (_, Some(roles)) if roles.len() > 1 => {
            let names: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
            format!("roles {} need {what}, {base}", names.join(", "))
        }
        _ => {
            let who: BTreeSet<String> = wishes.iter().map(|wish| wish.who()).collect();
            format!("{} need {what}, {base}", list(who.iter().map(String::as_str)))
        }
    }
}

/// Whose place it is, where there are several.
fn label(wish: &Wish<'_>, all: &[&Wish<'_>]) -> String {
    if all.len() == 1 { String::new() } else { format!("{} needs it", wish.who()) }
}

fn with_base(
    subject: &Subject<'_>,
    finding: Diagnostic,
    components: &BTreeSet<&ComponentName>,
    wishes: &[&Wish<'_>],
) -> Diagnostic {
    let mut finding = finding.label(subject.image.definition.base.span, "the base");
    if let Some(base) = subject.image.base.definition {
        finding = finding.label(base.span, "what it gives is said here, with `provides = […]`");
    }
    if wishes.iter().any(|wish| wish.need.as_str() == SHELL) {
        let because = list(components.iter().map(|name| name.as_str()));
        finding = finding.note(format!(
            "a base without a shell, such as a distroless or static one, is refused because of {because}"
        ));
    }
    finding
}

/// The bases that would do, with all that is asked of one.
fn help(subject: &Subject<'_>, needs: &BTreeSet<&Need>) -> String {
    let all = list(needs.iter().map(|need| need.as_str()));
    let would_do = |base: &Base| needs.iter().all(|need| base.provides.iter().any(|given| given.value == **need));
    let bases = subject.resolution.manifests.settings.bases.iter().filter(|(_, base)| would_do(base));
    let names: Vec<String> = bases.map(|(name, _)| format!("`base = \"{name}\"`")).collect();
    let choose = match names.as_slice() {
        [] => format!("choose a base that gives all that is needed of it ({all})"),
        names => format!("write {}, which gives all that is needed of a base ({all})", names.join(" or ")),
    };
    format!("{choose}; or add a component that gives it (`provides`), or say in [bases] that this base does")
}

fn list<'t>(items: impl IntoIterator<Item = &'t str>) -> String {
    items.into_iter().collect::<Vec<_>>().join(", ")
}

fn wishes<'a>(component: &'a ResolvedComponent<'_>) -> Vec<Wish<'a>> {
    let name = component.name();
    let of_role = |role: &'a ResolvedRole<'_>| {
        let wish = move |need: &Spanned<Need>| Wish {
            need: need.value.clone(),
            component: name,
            role: Some(role.name),
            place: need.span,
        };
        role.role.needs.iter().map(wish)
    };
    let mut wishes: Vec<Wish<'a>> = component.roles.iter().flat_map(of_role).collect();
    let is_dynamic = match &component.manifest.build.kind {
        BuildKind::Cargo(cargo) => cargo.link == Link::Dynamic,
        // unless the linker is told otherwise
        BuildKind::Go(go) => go.cgo && !go.ldflags.iter().any(|flag| flag.value.contains("-static")),
        _ => false,
    };
    if is_dynamic && let Ok(need) = GLIBC.parse() {
        wishes.push(Wish { need, component: name, role: None, place: component.manifest.build.span });
    }
    wishes
}
