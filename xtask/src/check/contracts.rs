//! Contracts of retired images, each with the role that has to keep it.

use super::Subject;
use crate::manifest::{Contract, ImagePath, Replaces};
use crate::resolve::{ResolvedComponent, ResolvedRole};
use crate::source::Spanned;

/// What one retired image promised, and who keeps it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promise<'a, 'm> {
    pub(super) entry: &'m Replaces,
    pub(super) contract: &'m Contract,
    /// The role that its consumers start; none when several could be meant.
    pub(super) role: Option<&'a ResolvedRole<'m>>,
}

/// The contracts of a component.
pub(super) fn promises<'a, 'm>(component: &'a ResolvedComponent<'m>) -> impl Iterator<Item = Promise<'a, 'm>> {
    component.manifest.replaces.iter().filter_map(|entry| {
        let contract = entry.contract.as_ref()?;
        Some(Promise { entry, contract, role: role_of(component, entry) })
    })
}

/// The role that an entry of the ledger is about: the one that its consumers are given, the one that they started, else the only
/// one.
pub(super) fn role_of<'a, 'm>(component: &'a ResolvedComponent<'m>, entry: &Replaces) -> Option<&'a ResolvedRole<'m>> {
    let commands = entry.command.iter().chain(entry.contract.as_ref().map(|contract| &contract.command));
    let programs = commands.filter_map(|command| program(&command.value));
    let started = |path: &str| component.roles.iter().find(|role| starts(role, path));
    let mut named = programs.filter_map(started);
    named.next().or(match component.roles.as_slice() {
        [only] => Some(only),
        _ => None,
    })
}

/// Whether a path leads to the program of a role: it is the program, or an alias of it.
pub(super) fn starts(role: &ResolvedRole<'_>, path: &str) -> bool {
    let aliases = role.role.aliases.iter().map(|alias| ImagePath::as_str(&alias.value));
    program(&role.role.command).into_iter().chain(aliases).any(|own| own == path)
}

/// What an image starts, in the words of manifests: on Windows the plan has other names of programs.
pub(super) fn entrypoint(subject: &Subject<'_>) -> Vec<String> {
    let default =
        subject.image.default_role.and_then(|wanted| subject.image.roles().find(|(_, role)| role.name == wanted));
    match default {
        Some((_, role)) => words(&role.role.command).map(str::to_owned).collect(),
        None => subject.plan.config.entrypoint.clone(),
    }
}

/// The first word of a command.
pub(super) fn program(command: &[Spanned<String>]) -> Option<&str> {
    command.first().map(|word| word.value.as_str())
}

/// A command as it is written in manifests, and in the exec form.
pub(super) fn quoted<'t>(words: impl IntoIterator<Item = &'t str>) -> String {
    serde_json::to_string(&words.into_iter().collect::<Vec<_>>()).unwrap_or_default().replace("\",\"", "\", \"")
}

/// The words of a command.
pub(super) fn words(command: &[Spanned<String>]) -> impl Iterator<Item = &str> {
    command.iter().map(|word| word.value.as_str())
}
