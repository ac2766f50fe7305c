//! `lost-contract`: the image does not keep what a retired image promised.
//!
//! | promised | kept when |
//! |---|---|
//! | the program's path | it is that of the role that takes over, or one of its aliases |
//! | arguments only | the entry says which command consumers are given; else the role is still started like that |
//! | first arguments of the ENTRYPOINT | the command that takes over begins with them |
//! | the user | the role runs as the same one, by number |
//! | ports | the role listens on them with the features that are on |
//! | platforms | the image is built for each of them, with the component |
//!
//! Whether the ENTRYPOINT of the image serves consumers that pass arguments only is judged by `args-only-consumers`.

use super::super::contracts::{Promise, entrypoint, program, promises, quoted, starts, words};
use super::super::occupancy::Claims;
use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{ArgsStyle, Port, RuleLevel};
use crate::oci::Platform;
use crate::resolve::{ResolvedComponent, ResolvedImage, ResolvedRole};

pub(super) const RULE: Rule = Rule {
    code: "lost-contract",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "the image does not keep what a retired image promised its consumers",
    reason: "saved pods and charts keep starting the old path, as the old user, on the old platforms, long after the image is gone",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    if whole(subject).components.iter().all(|component| component.manifest.replaces.is_empty()) {
        return;
    }
    let claims = Claims::of(subject.plan);
    for component in &whole(subject).components {
        let is_here = subject.image.components.iter().any(|own| own.name() == component.name());
        for promise in promises(component) {
            let mut lost = platforms(subject, &promise, is_here);
            if is_here {
                lost.extend(differences(subject, component, &promise, &claims));
            }
            if !lost.is_empty() {
                findings.push([component.name()], finding(subject, &promise, lost));
            }
        }
    }
}

/// The image with the components that are left out on this platform.
fn whole<'a>(subject: &Subject<'a>) -> &'a ResolvedImage<'a> {
    let own = subject.image;
    // by identity of what it was made from: names of all images would be spelt out for every one of them
    let is_same = |image: &&ResolvedImage<'_>| {
        std::ptr::eq(image.definition, own.definition)
            && (image.variant, &image.part, image.mode) == (own.variant, &own.part, own.mode)
    };
    subject.resolution.images.iter().find(is_same).unwrap_or(own)
}

fn finding(subject: &Subject<'_>, promise: &Promise<'_, '_>, lost: Vec<String>) -> Diagnostic {
    let (id, image) = (&promise.contract.id, &promise.entry.image);
    let message = format!("image `{}` does not keep contract {} of {}", subject.plan.name, id.value, image.value);
    let finding =
        Diagnostic::error(RULE.code, message).label(id.span, "this contract").label(image.span, "of this image");
    let finding = lost.into_iter().fold(finding, Diagnostic::note);
    finding.help(
        "change what takes over until it keeps the contract; or, where consumers are to be promised something else, change the contract and give it a new id",
    )
}

/// Platforms that are not built at all, and the one of this subject where the component is left out.
fn platforms(subject: &Subject<'_>, promise: &Promise<'_, '_>, is_here: bool) -> Vec<String> {
    let definition = subject.image.definition;
    let promised = promise.contract.platforms.iter().map(|platform| &platform.value);
    let built = |platform: &Platform| definition.platforms.iter().any(|own| own.value == *platform);
    let missing = promised.clone().filter(|platform| !built(platform));
    let mut lost: Vec<String> = missing.map(|platform| format!("the image is not built for {platform}")).collect();
    if !is_here && promised.clone().any(|platform| subject.plan.platforms.contains(platform)) {
        lost.push("what takes over is left out on a platform that the contract has".to_owned());
    }
    lost
}

fn differences(
    subject: &Subject<'_>,
    component: &ResolvedComponent<'_>,
    promise: &Promise<'_, '_>,
    claims: &Claims<'_>,
) -> Vec<String> {
    let Some(role) = promise.role else {
        let program = program(&promise.contract.command.value).unwrap_or_default();
        return vec![format!("no role of component `{}` starts {program}, which the contract names", component.name())];
    };
    let mut lost = Vec::new();
    lost.extend(path(promise, role, claims));
    lost.extend(given(promise, role, claims));
    lost.extend(style(promise, role, &entrypoint(subject)));
    lost.extend(first_arguments(promise, role));
    lost.extend(user(promise, role));
    lost.extend(ports(promise, role));
    lost
}

/// Nobody names the old path who passes arguments only and is given another command.
fn path(promise: &Promise<'_, '_>, role: &ResolvedRole<'_>, claims: &Claims<'_>) -> Option<String> {
    let is_named = promise.contract.args_style() == ArgsStyle::Command || promise.entry.command.is_none();
    let path = program(&promise.contract.command.value).filter(|_| is_named)?;
    not_started(path, role, claims)
        .map(|what| format!("its program was {path}, where {what}: add the path to `aliases` of role `{}`", role.name))
}

/// What stands at a path, if it does not lead to the program of the role.
fn not_started(path: &str, role: &ResolvedRole<'_>, claims: &Claims<'_>) -> Option<String> {
    if starts(role, path) {
        return None;
    }
    Some(match claims.first_at(path) {
        Some(claim) => format!("component `{}` has something else", claim.component),
        None => "the image has nothing".to_owned(),
    })
}

fn given(promise: &Promise<'_, '_>, role: &ResolvedRole<'_>, claims: &Claims<'_>) -> Option<String> {
    let path = program(&promise.entry.command.as_ref()?.value)?;
    let what = not_started(path, role, claims)?;
    Some(format!("its consumers are given {path}, where {what}: name the program of role `{}`", role.name))
}

/// Consumers that pass arguments only do not notice the change where the ENTRYPOINT of the image starts the role all the same.
fn style(promise: &Promise<'_, '_>, role: &ResolvedRole<'_>, entrypoint: &[String]) -> Option<String> {
    let is_changed =
        promise.contract.args_style() == ArgsStyle::ArgsOnly && role.role.args_style() == ArgsStyle::Command;
    let is_served = promise.entry.command.is_some() || words(&role.role.command).eq(entrypoint);
    (is_changed && !is_served).then(|| {
        format!(
            "its consumers pass arguments only, and role `{}` is started by naming a command: say which with `command = {}`",
            role.name,
            quoted(words(&role.role.command))
        )
    })
}

/// Arguments of consumers that name no command are appended to those of the ENTRYPOINT.
fn first_arguments(promise: &Promise<'_, '_>, role: &ResolvedRole<'_>) -> Option<String> {
    if promise.contract.args_style() == ArgsStyle::Command {
        return None;
    }
    let now = promise.entry.command.as_ref().map_or(role.role.command.as_slice(), |command| &command.value);
    let [old, new] = [&promise.contract.command.value, now].map(|command| quoted(words(command).skip(1)));
    (old != new).then(|| {
        format!("its ENTRYPOINT put the arguments {old} before those of consumers, and the command that takes over puts {new} there")
    })
}

fn user(promise: &Promise<'_, '_>, role: &ResolvedRole<'_>) -> Option<String> {
    let (promised, own) = (&promise.contract.user.as_ref()?.value, &role.role.user.value);
    let Some((uid, gid)) = promised.numbers() else {
        return Some(format!(
            "it ran as the named user `{promised}`, which cannot be compared: write the numbers that its /etc/passwd has"
        ));
    };
    // a name of the role that nobody knows is judged by `named-user`
    let (own_uid, own_gid) = own.numbers()?;
    let is_same = uid == own_uid && gid.is_none_or(|gid| own_gid.is_none_or(|own| own == gid));
    (!is_same).then(|| format!("it ran as user {promised}, role `{}` runs as {own}", role.name))
}

fn ports(promise: &Promise<'_, '_>, role: &ResolvedRole<'_>) -> Vec<String> {
    let name = |port: &Port| format!("{}/{}", port.number.value, port.protocol);
    let open: Vec<String> = role.ports.iter().map(|port| name(port)).collect();
    let lost = promise.contract.ports.iter().map(ToString::to_string).filter(|port| !open.contains(port));
    let line = |port: String| {
        let closed = role.role.ports.iter().find(|own| name(own) == port).and_then(|own| own.when.as_ref());
        match closed {
            Some(feature) => format!(
                "it listened on port {port}, which role `{}` opens with feature `{}` only",
                role.name, feature.value
            ),
            None => format!("it listened on port {port}, which role `{}` does not have", role.name),
        }
    };
    lost.map(line).collect()
}
