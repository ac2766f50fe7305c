//! Merging is a checked operation: rules over resolution and plan, before anything is built. Pure.
//!
//! Every rule is one file in `rules/`, with its reason inside. A rule has a code, a level that `[rules]` in `groupage.toml`
//! can change, and findings. A definition accepts a finding with `[[allow]]` and a reason; an allowance that accepts nothing
//! is itself a finding.
//!
//! Rules look at what an image holds on one platform ([`Subject`]). Where that is not the same everywhere they run once for each
//! platform, and a finding that is not one on all of them names those that it is for.

mod contracts;
mod inputs;
mod occupancy;
mod platform;
mod rules;

use std::collections::BTreeSet;

pub use rules::RULES;
pub(crate) use rules::unexpanded_variable::has_variable;

use crate::diagnostic::{Diagnostic, Level};
use crate::lock::Difference;
use crate::manifest::{Allow, ComponentName, Manifests, RuleLevel, Settings};
use crate::plan::{ImagePlan, Plan};
use crate::policy::Judge;
use crate::resolve::{Resolution, ResolvedImage};
use crate::source::Span;
use crate::workspace::in_parallel;

/// A check with a code, a level and a reason.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable name, as in `[rules]`.
    pub code: &'static str,
    /// Its level when `[rules]` says nothing.
    pub level: RuleLevel,
    /// Whether neither `[rules]` nor `[[allow]]` can change it, because nothing sensible could be built.
    pub fixed: bool,
    /// What it refuses, in one line.
    pub summary: &'static str,
    /// Why.
    pub reason: &'static str,
    check: fn(&Subject<'_>, &mut Findings),
}

/// What a rule looks at: one image in one variant, with what it holds on its platforms. Where that differs from platform to
/// platform there is a subject for each.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Everything that was resolved.
    pub resolution: &'a Resolution<'a>,
    /// The image, as resolved.
    pub image: &'a ResolvedImage<'a>,
    /// The image, as planned.
    pub plan: &'a ImagePlan,
    /// Who judges references, if a policy is at hand.
    pub judge: Option<&'a Judge<'a>>,
}

/// One thing that a rule found.
#[derive(Debug, Clone, PartialEq)]
struct Finding {
    components: BTreeSet<ComponentName>,
    diagnostic: Diagnostic,
}

/// What a rule found in one image.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Adds a finding that concerns these components. Its level is set from the rule's; a note stays a note.
    pub fn push<'a>(&mut self, components: impl IntoIterator<Item = &'a ComponentName>, diagnostic: Diagnostic) {
        self.list.push(Finding { components: components.into_iter().cloned().collect(), diagnostic });
    }
}

/// Runs every rule over every image. Findings come in the order of images and rules.
pub fn run(resolution: &Resolution<'_>, plan: &Plan) -> Vec<Diagnostic> {
    run_by(resolution, plan, None)
}

/// [`run`], with a policy for the rules about references.
pub fn run_by(resolution: &Resolution<'_>, plan: &Plan, judge: Option<&Judge<'_>>) -> Vec<Diagnostic> {
    let images: Vec<_> = resolution.images.iter().zip(&plan.images).collect();
    let found = in_parallel(&images, |(image, plan)| of_image(resolution, image, plan, judge));
    // two variants of an image mostly have the same findings
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    for diagnostic in found.into_iter().flatten() {
        if !diagnostics.contains(&diagnostic) {
            diagnostics.push(diagnostic);
        }
    }
    diagnostics
}

/// Runs every rule over one image.
fn of_image(
    resolution: &Resolution<'_>,
    image: &ResolvedImage<'_>,
    plan: &ImagePlan,
    judge: Option<&Judge<'_>>,
) -> Vec<Diagnostic> {
    let views = platform::views(image, plan);
    let mut diagnostics = Vec::new();
    let mut used = BTreeSet::new();
    for rule in RULES {
        for finding in platform::findings(rule, resolution, judge, &views) {
            diagnostics.extend(levelled(rule, finding, resolution, image, &mut used));
        }
    }
    diagnostics.extend(unused_allowances(image, &views, &used));
    diagnostics.extend(platform::unused_exclusions(resolution, image));
    diagnostics
}

/// What `lock-drift` and `contract-changed` find: one finding for each difference. A run that was told `--locked` denies,
/// whatever their levels are.
pub fn lock_drift(differences: &[Difference], settings: &Settings, is_locked: bool) -> Vec<Diagnostic> {
    let finding = |difference: &Difference| {
        let rule = match difference.is_changed_contract() {
            true => &rules::contract_changed::RULE,
            false => &rules::lock_drift::RULE,
        };
        let level = match level(rule, settings) {
            _ if is_locked => Level::Error,
            RuleLevel::Allow => return None,
            RuleLevel::Warn => Level::Warning,
            RuleLevel::Deny => Level::Error,
        };
        Some(Diagnostic { level, ..difference.finding(rule.code) })
    };
    differences.iter().filter_map(finding).collect()
}

/// The diagnostic of a finding at its level; `None` when the rule is off.
fn levelled(
    rule: &Rule,
    finding: Finding,
    resolution: &Resolution<'_>,
    image: &ResolvedImage<'_>,
    used: &mut BTreeSet<usize>,
) -> Option<Diagnostic> {
    let mut diagnostic = finding.diagnostic;
    if diagnostic.level == Level::Note {
        return Some(diagnostic);
    }
    // a finding that is only worth a warning stays one
    let most = diagnostic.level;
    if let Some((index, allow)) = allowance(rule, &finding.components, image) {
        used.insert(index);
        diagnostic.level = Level::Note;
        return Some(
            diagnostic.label(allow.rule.span, "accepted here").note(format!("accepted: {}", allow.reason.value)),
        );
    }
    diagnostic.level = match level(rule, &resolution.manifests.settings) {
        RuleLevel::Allow => return None,
        RuleLevel::Warn => Level::Warning,
        RuleLevel::Deny => most,
    };
    Some(diagnostic)
}

/// The allowance of a definition that covers all components of a finding.
fn allowance<'a>(
    rule: &Rule,
    components: &BTreeSet<ComponentName>,
    image: &ResolvedImage<'a>,
) -> Option<(usize, &'a Allow)> {
    let covers = |allow: &&Allow| {
        let allowed: BTreeSet<&ComponentName> = allow.components.iter().map(|name| &name.value).collect();
        allow.rule.value == rule.code && components.iter().all(|component| allowed.contains(component))
    };
    image.definition.allow.iter().enumerate().find(|(_, allow)| covers(allow))
}

fn unused_allowances(
    image: &ResolvedImage<'_>,
    views: &[platform::View<'_, '_>],
    used: &BTreeSet<usize>,
) -> Vec<Diagnostic> {
    let allowances = image.definition.allow.iter().enumerate();
    // a component that is not in with these features, or on these platforms, has nothing to accept
    let parts = views.iter().flat_map(|view| &view.image.components);
    let present =
        |allow: &Allow| allow.components.iter().all(|name| parts.clone().any(|part| *part.name() == name.value));
    let unused = allowances.filter(|(index, allow)| !used.contains(index) && present(allow));
    let report = |(_, allow): (usize, &Allow)| {
        let message = format!("this allowance of rule `{}` accepts nothing", allow.rule.value);
        Diagnostic::warning("unused-allowance", message).label(allow.rule.span, "").help("remove it")
    };
    unused.map(report).collect()
}

/// The level of a rule under these settings.
pub fn level(rule: &Rule, settings: &Settings) -> RuleLevel {
    settings.rules.get(rule.code).map_or(rule.level, |level| level.value)
}

/// Codes in `[rules]` and `[[allow]]` that are no rule's, or of a rule that cannot be changed.
pub fn unknown_rules(manifests: &Manifests) -> Vec<Diagnostic> {
    let settings = manifests.settings.rules.iter().map(|(code, level)| (code, level.span));
    let allowances =
        manifests.images.values().flat_map(|image| &image.allow).map(|allow| (&allow.rule.value, allow.rule.span));
    settings.chain(allowances).filter_map(|(code, span)| unknown_rule(code, span)).collect()
}

fn unknown_rule(code: &str, span: Span) -> Option<Diagnostic> {
    match RULES.iter().find(|rule| rule.code == code) {
        Some(rule) if rule.fixed => {
            let message = format!("the rule `{code}` cannot be changed: without it there is nothing to build");
            Some(
                Diagnostic::error("fixed-rule", message)
                    .label(span, "")
                    .help("remove this, and give what the rule asks for"),
            )
        }
        Some(_) => None,
        None => {
            let unknown = Diagnostic::error("unknown-rule", format!("there is no rule `{code}`")).label(span, "");
            Some(unknown.suggest(code, RULES.iter().map(|rule| rule.code), None))
        }
    }
}
