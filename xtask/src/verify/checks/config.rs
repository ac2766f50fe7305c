//! The configuration is that of the roles.

use super::super::{Check, Findings, Role, Subject};

pub(super) const CHECK: Check = Check {
    codes: &[
        ("wrong-user", "the image runs as another user than its default role"),
        ("port-not-exposed", "a port of a role is not exposed"),
        ("wrong-default", "the image gives its default role other arguments, or another stop signal"),
        ("volume-not-declared", "a volume of a role is not one of the image"),
        ("missing-environment", "the image does not set what a role relies on"),
    ],
    reason: "whoever starts the image without further words gets its configuration, not its description",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let config = &subject.image.config;
    default_role(subject, findings);
    for (component, name, role) in subject.contract.roles() {
        for port in role.ports.iter().filter(|port| !config.ports.contains(port)) {
            let message = format!("port {port} of role `{name}` is not exposed");
            findings.error("port-not-exposed", message).of_role(&component.name, name);
        }
        for path in role.volumes.iter().filter(|path| !config.volumes.contains(path)) {
            let message = format!("{path} is a volume of role `{name}` and not of the image");
            findings.error("volume-not-declared", message).of_role(&component.name, name);
        }
        for (variable, value) in &role.env {
            let own = config.env.get(variable);
            if own != Some(value) {
                // values may be secrets of somebody
                let what = if own.is_some() { "has another value" } else { "is not set" };
                let message = format!("{variable}, which role `{name}` relies on, {what}");
                findings.error("missing-environment", message).of_role(&component.name, name);
            }
        }
    }
}

/// The default role is the one that the image starts. Several roles may start the same: one of them has to fit.
fn default_role(subject: &Subject<'_>, findings: &mut Findings) {
    let config = &subject.image.config;
    let is_default = |role: &Role| !role.command.is_empty() && role.command == config.entrypoint;
    let roles: Vec<_> = subject.contract.roles().filter(|(_, _, role)| is_default(role)).collect();
    let Some((component, name, role)) = roles.first() else { return };
    if roles.iter().all(|(_, _, role)| role.user != config.user) {
        let own = if config.user.is_empty() { "root" } else { &config.user };
        let message = format!("the image runs as {own}, and its default role `{name}` as {}", role.user);
        findings.error("wrong-user", message).of_role(&component.name, name);
    }
    if roles.iter().all(|(_, _, role)| role.args != config.cmd) {
        let message =
            format!("the image gives {:?} by default, and its default role `{name}` has {:?}", config.cmd, role.args);
        findings.error("wrong-default", message).of_role(&component.name, name);
    }
    let signal = |role: &Role| role.stop_signal.clone().unwrap_or_default();
    if roles.iter().all(|(_, _, role)| role.stop_signal.is_some() && signal(role) != config.stop_signal) {
        let message = format!(
            "the image is stopped with {:?}, and its default role `{name}` with {:?}",
            config.stop_signal,
            signal(role)
        );
        findings.error("wrong-default", message).of_role(&component.name, name);
    }
}
