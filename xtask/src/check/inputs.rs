//! References that an image is made of, and what a policy has against them: shared by the rules about references.

use super::{Findings, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{BuildKind, ComponentName, Outside, OutsideName, ReferenceClass};
use crate::oci::Reference;
use crate::plan::BuildPlan;
use crate::policy::Judge;
use crate::resolve::{ResolvedComponent, ValueSource, builder_of};
use crate::source::Span;

/// One image of a registry that goes into an image.
pub(super) struct Input<'a> {
    /// What it is there, such as: the base `static`.
    pub(super) role: String,
    /// As planned, pinned where it is.
    pub(super) reference: &'a Reference,
    /// Where it is written.
    place: Span,
    /// What it comes from, if not from there.
    source: Option<&'a ValueSource>,
    /// Who wants it; nobody but the image for a base.
    pub(super) component: Option<&'a ResolvedComponent<'a>>,
}

/// Every input that comes from a registry. Stand-ins that were made on this machine are none, and neither are folders, archives
/// and images of a daemon.
pub(super) fn inputs<'a>(subject: &Subject<'a>) -> Vec<Input<'a>> {
    let base = &subject.image.base;
    let definition = subject.image.definition;
    let place = base.definition.map_or(definition.base.span, |base| base.image.span);
    let reference = subject.plan.base.image.as_ref().and_then(|image| image.reference());
    let role = || format!("the base `{}`", base.name.value);
    let source = base.image.as_ref().map(|image| &image.source);
    let base = reference.map(|reference| Input { role: role(), reference, place, source, component: None });
    let components = subject.image.components.iter().flat_map(|component| {
        let own = of_component(subject, component);
        own.into_iter().chain(base_of_source(subject, component))
    });
    let dockerfiles = subject.image.components.iter().flat_map(|component| of_dockerfile(subject, component));
    base.into_iter().chain(components).chain(dockerfiles).collect()
}

/// The base of the image that a component is taken from: nothing of it gets into the image, and it decides what does.
fn base_of_source<'a>(subject: &Subject<'a>, component: &'a ResolvedComponent<'a>) -> Option<Input<'a>> {
    let planned = subject.plan.components.iter().find(|planned| planned.name == *component.name())?;
    let reference = planned.build.above()?.base_image()?.reference()?;
    let base = component.source_base.as_ref()?;
    let place = base.definition.map_or(component.manifest.build.span, |base| base.image.span);
    let source = base.image.as_ref().map(|image| &image.source);
    let role = format!("the base `{}` of the source of component `{}`", base.name.value, component.name());
    Some(Input { role, reference, place, source, component: Some(component) })
}

fn of_component<'a>(subject: &Subject<'a>, component: &'a ResolvedComponent<'a>) -> Option<Input<'a>> {
    let planned = subject.plan.components.iter().find(|planned| planned.name == *component.name())?;
    let (role, reference, place, source) = match &planned.build {
        BuildPlan::Image { image, .. } => {
            let BuildKind::Image(build) = &component.manifest.build.kind else { return None };
            let source = component.image.as_ref().map(|image| &image.source);
            (format!("the source of component `{}`", component.name()), image.reference()?, build.image.span, source)
        }
        BuildPlan::Cargo { builder, .. } | BuildPlan::Go { builder, .. } | BuildPlan::Script { builder, .. } => {
            let name = builder_of(component.manifest)?;
            let source = subject.resolution.builders.get(&name).map(|value| &value.source);
            if source == Some(&ValueSource::Bootstrap) {
                return None;
            }
            let written = subject.resolution.manifests.settings.builders.get(&name);
            let place = written.map_or(component.manifest.name.span, |written| written.image.span);
            (format!("the builder `{name}`"), builder, place, source)
        }
        BuildPlan::Dockerfile { .. } | BuildPlan::Files => return None,
    };
    Some(Input { role, reference, place, source, component: Some(component) })
}

/// The images that the Dockerfile of a component begins with or copies from, at their places in it.
fn of_dockerfile<'a>(subject: &Subject<'a>, component: &'a ResolvedComponent<'a>) -> Vec<Input<'a>> {
    let planned = subject.plan.components.iter().find(|planned| planned.name == *component.name());
    let planned = planned.and_then(|planned| planned.build.dockerfile());
    let (BuildKind::Dockerfile(build), Some(planned)) = (&component.manifest.build.kind, planned) else {
        return Vec::new();
    };
    let input = |(name, written): (&'a OutsideName, &'a Outside)| {
        let role = format!("`{name}` in the Dockerfile of component `{}`", component.name());
        let source = component.outside.get(name).map(|value| &value.source);
        let reference = planned.images.get(name)?;
        Some(Input { role, reference, place: written.image.span, source, component: Some(component) })
    };
    build.outside().filter_map(input).collect()
}

impl<'a> Input<'a> {
    /// The components that a finding concerns.
    pub(super) fn components(&self) -> impl Iterator<Item = &'a ComponentName> {
        self.component.into_iter().map(|component| component.name())
    }

    /// Where the reference stands, and what replaces it there.
    pub(super) fn locate(&self, finding: Diagnostic) -> Diagnostic {
        match self.source {
            None | Some(ValueSource::Manifest) => finding.label(self.place, ""),
            Some(source) => finding.label(self.place, "").note(format!("`{}` comes from {source}", self.reference)),
        }
    }

    /// A component that is made of the image which it replaces is how a merge begins.
    fn is_own_past(&self, judge: &Judge<'_>) -> bool {
        let replaces = self.component.into_iter().flat_map(|component| &component.manifest.replaces);
        judge.policy.classes.class(self.reference) == Some(ReferenceClass::Retired)
            && replaces.into_iter().any(|replaces| replaces.image.value.name() == self.reference.name())
    }
}

/// Adds what the policy has against the inputs, as far as it is the business of one rule.
pub(super) fn object(subject: &Subject<'_>, code: &'static str, findings: &mut Findings) {
    let Some(judge) = subject.judge.filter(|judge| judge.is_asked()) else { return };
    for input in inputs(subject).iter().filter(|input| !input.is_own_past(judge)) {
        for objection in judge.objections(input.reference).into_iter().filter(|objection| objection.code == code) {
            let message = format!("{}, `{}`, {}", input.role, input.reference, objection.message);
            let finding = input.locate(Diagnostic::new(objection.level, code, message));
            findings.push(input.components(), finding.help(objection.help));
        }
    }
}
