//! In what a role differs from the image that it was taken from. Somebody may want it so; who did not has a role that starts
//! something else than consumers of that image know.

use std::collections::BTreeSet;

use super::super::Config;
use super::with_protocol;
use crate::plan::RolePlan;

/// What ends a program that says nothing else.
const TERM: &str = "SIGTERM";

/// Each difference, as a sentence whose subject is the role. Values of variables may be secrets and are not shown; a user by name
/// is not compared, because only the image's own files say which number it is.
pub fn source_differences(role: &RolePlan, config: &Config) -> Vec<String> {
    let mut all = Vec::new();
    let own: Vec<&String> = role.command.iter().chain(&role.args).collect();
    let other: Vec<&String> = config.entrypoint.iter().chain(&config.cmd).collect();
    if !is_same_command(&own, &other) {
        all.push(format!("starts {own:?}, and its image {other:?}"));
    }
    if let Some((own, other)) = differing_users(&role.user, &config.user) {
        all.push(format!("runs as {own}, and its image as {other}"));
    }
    let (own, other) = (folder(&role.workdir), folder(&config.workdir));
    if own != other {
        all.push(format!("works in {own}, and its image in {other}"));
    }
    let (own, other): (BTreeSet<String>, BTreeSet<String>) =
        (role.ports.iter().cloned().collect(), config.ports.iter().map(|port| with_protocol(port)).collect());
    if own != other {
        all.push(format!("has the ports {}, and its image {}", listed(&own), listed(&other)));
    }
    let own = role.stop_signal.as_ref().map(|signal| signal.as_str()).filter(|signal| *signal != TERM);
    let other = Some(config.stop_signal.as_str()).filter(|signal| !signal.is_empty() && *signal != TERM);
    if own != other {
        all.push(format!("is ended with {}, and its image with {}", own.unwrap_or(TERM), other.unwrap_or(TERM)));
    }
    let (own, other): (BTreeSet<String>, BTreeSet<String>) =
        (role.volumes.iter().map(ToString::to_string).collect(), config.volumes.iter().cloned().collect());
    if own != other {
        all.push(format!("has the volumes {}, and its image {}", listed(&own), listed(&other)));
    }
    // each image has a PATH of its own
    let missing = config.env.iter().filter(|(name, value)| *name != "PATH" && role.env.get(*name) != Some(value));
    all.extend(missing.map(|(name, _)| format!("has not the variable {name} as its image has it")));
    all
}

/// The same words; the first one may be looked up in `PATH` by the image, and be a path in the role.
fn is_same_command(role: &[&String], image: &[&String]) -> bool {
    let (Some(own), Some(other)) = (role.first(), image.first()) else { return role.is_empty() && image.is_empty() };
    let is_same_program = own == other || (!other.contains('/') && own.rsplit('/').next() == Some(other.as_str()));
    is_same_program && role.iter().skip(1).eq(image.iter().skip(1))
}

/// Two users, where they are numbers and not the same; a group that one of them does not say is not compared.
fn differing_users(role: &str, image: &str) -> Option<(String, String)> {
    let image = if image.is_empty() { "0" } else { image };
    let parts = |user: &str| {
        let (uid, gid) = user.split_once(':').map_or((user, None), |(uid, gid)| (uid, Some(gid)));
        let gid = gid.map(str::parse::<u32>).transpose().ok()?;
        Some((uid.parse::<u32>().ok()?, gid))
    };
    let ((uid, gid), (other_uid, other_gid)) = (parts(role)?, parts(image)?);
    let is_other_group = gid.zip(other_gid).is_some_and(|(gid, other)| gid != other);
    (uid != other_uid || is_other_group).then(|| (role.to_owned(), image.to_owned()))
}

fn folder(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    }
}

fn listed(words: &BTreeSet<String>) -> String {
    if words.is_empty() { "none".to_owned() } else { words.iter().cloned().collect::<Vec<_>>().join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn role() -> RolePlan {
        RolePlan {
            command: vec!["/usr/bin/app".to_owned()],
            is_replaced: false,
            args: vec!["--all".to_owned()],
            args_style: crate::manifest::ArgsStyle::default(),
            probe: Vec::new(),
            user: "7:7".to_owned(),
            workdir: "/srv".to_owned(),
            ports: vec!["80/tcp".to_owned()],
            env: [("MODE".to_owned(), "a".to_owned())].into(),
            volumes: vec!["/data".parse().unwrap()],
            stop_signal: Some("SIGQUIT".parse().unwrap()),
            healthcheck: None,
            needs: Vec::new(),
            waits_for: Vec::new(),
            aliases: Vec::new(),
            boundary: None,
        }
    }

    #[track_caller]
    fn check(key: &str, value: Value, expect: &[&str]) {
        let mut config = json!({
            "Entrypoint": ["/usr/bin/app"], "Cmd": ["--all"], "User": "7:7", "WorkingDir": "/srv/",
            "ExposedPorts": { "80": {} }, "Env": ["PATH=/bin", "MODE=a"],
            "Volumes": { "/data": {} }, "StopSignal": "SIGQUIT",
        });
        config[key] = value;
        let config = Config::of(&json!({ "config": config }));
        assert_eq!(source_differences(&role(), &config), expect, "{key}");
    }

    #[test]
    fn what_is_the_same_and_what_is_not() {
        check("Labels", json!({}), &[]);
        check("Entrypoint", json!(["app"]), &[]);
        check(
            "Entrypoint",
            json!(["other"]),
            &[r#"starts ["/usr/bin/app", "--all"], and its image ["other", "--all"]"#],
        );
        check("Cmd", json!([]), &[r#"starts ["/usr/bin/app", "--all"], and its image ["/usr/bin/app"]"#]);
        check("User", json!("7"), &[]);
        check("User", json!("nobody"), &[]);
        check("User", json!(""), &["runs as 7:7, and its image as 0"]);
        check("User", json!("7:8"), &["runs as 7:7, and its image as 7:8"]);
        check("WorkingDir", json!(""), &["works in /srv, and its image in /"]);
        check("ExposedPorts", json!(null), &["has the ports 80/tcp, and its image none"]);
        check("StopSignal", json!(""), &["is ended with SIGQUIT, and its image with SIGTERM"]);
        check("Volumes", json!({}), &["has the volumes /data, and its image none"]);
        check("Env", json!(["MODE=secret"]), &["has not the variable MODE as its image has it"]);
    }
}
