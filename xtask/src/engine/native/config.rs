//! The image configuration, as BuildKit would write it for the generated Dockerfile.
//! <https://github.com/opencontainers/image-spec/blob/main/config.md>
//!
//! What a base says is kept, also what the specification does not know (a health check, say), unless the plan says
//! otherwise: environment and labels are merged by name, ports are added, user, working folder, entry point and arguments
//! replaced. There always is a `PATH`, as with Docker.

use serde_json::{Map, Value, json};

use crate::manifest::{HealthTest, Healthcheck};
use crate::oci::{DEFAULT_PATH, Platform, rfc3339};
use crate::plan::ConfigPlan;

/// One layer of ours, as it stands in the history.
#[derive(Debug)]
pub(super) struct Step<'a> {
    /// What made it.
    pub(super) name: &'a str,
    /// When, in seconds since 1970.
    pub(super) time: u64,
}

/// The configuration; the diff IDs are added with the layers. `base` is that of the base, absent on `scratch`; `inherited`
/// is the number of its layers.
pub(super) fn config(
    plan: &ConfigPlan,
    platform: &Platform,
    base: Option<&Value>,
    inherited: usize,
    steps: &[Step<'_>],
) -> Value {
    let mut config = base.cloned().unwrap_or_else(|| json!({}));
    if !config.is_object() {
        config = json!({});
    }
    let created = steps.iter().map(|step| step.time).max().unwrap_or_default();
    let inner = object(&mut config, "config");
    merge(inner, plan);
    let history = history(config.get("history"), inherited, steps);
    config["history"] = history;
    config["created"] = rfc3339(created).into();
    config["os"] = platform.os().into();
    config["architecture"] = platform.architecture().into();
    if let Some(variant) = platform.variant() {
        config["variant"] = variant.into();
    }
    // what Docker's classic builder wrote about the container that the base was made in
    ["container", "container_config", "docker_version", "id", "parent"].iter().for_each(|key| {
        _ = config.as_object_mut().and_then(|config| config.remove(*key));
    });
    config
}

fn merge(inner: &mut Map<String, Value>, plan: &ConfigPlan) {
    let mut env: Vec<String> = strings(inner.get("Env"));
    if !env.iter().any(|known| known.starts_with("PATH=")) {
        // as BuildKit
        env.push(format!("PATH={DEFAULT_PATH}"));
    }
    for (name, value) in &plan.env {
        let own = format!("{name}={value}");
        match env.iter_mut().find(|known| known.split('=').next() == Some(name.as_str())) {
            Some(known) => *known = own,
            None => env.push(own),
        }
    }
    inner.insert("Env".to_owned(), json!(env));
    if !plan.labels.is_empty() {
        object_of(inner, "Labels").extend(plan.labels.iter().map(|(key, value)| (key.clone(), json!(value))));
    }
    if !plan.ports.is_empty() {
        object_of(inner, "ExposedPorts").extend(plan.ports.iter().map(|port| (port.clone(), json!({}))));
    }
    if !plan.volumes.is_empty() {
        object_of(inner, "Volumes").extend(plan.volumes.iter().map(|path| (path.to_string(), json!({}))));
    }
    inner.insert("WorkingDir".to_owned(), json!(plan.workdir));
    if let Some(user) = &plan.user {
        inner.insert("User".to_owned(), json!(user));
    }
    inner.remove("Cmd");
    inner.remove("Entrypoint");
    if !plan.entrypoint.is_empty() {
        inner.insert("Entrypoint".to_owned(), json!(plan.entrypoint));
    }
    if !plan.cmd.is_empty() {
        inner.insert("Cmd".to_owned(), json!(plan.cmd));
    }
    if let Some(signal) = &plan.stop_signal {
        inner.insert("StopSignal".to_owned(), json!(signal));
    }
    if let Some(check) = &plan.healthcheck {
        inner.insert("Healthcheck".to_owned(), healthcheck(check));
    }
}

/// The form that Docker gave it; the OCI specification reserves the key.
fn healthcheck(check: &Healthcheck) -> Value {
    let times = [("Interval", check.interval), ("Timeout", check.timeout), ("StartPeriod", check.start_period)];
    let times =
        times.into_iter().filter_map(|(key, time)| Some((key.to_owned(), json!(time.filter(|time| time.0 > 0)?))));
    let retries = check.retries.map(|retries| ("Retries".to_owned(), json!(retries)));
    let test = [("Test".to_owned(), json!(check.words()))];
    match check.test {
        HealthTest::Disabled => test.into_iter().collect(),
        _ => test.into_iter().chain(times).chain(retries).collect(),
    }
}

/// One entry for each layer, which is what readers count on. A history of the base that does not fit its layers is left out
/// for one that does.
fn history(base: Option<&Value>, inherited: usize, steps: &[Step<'_>]) -> Value {
    let known = base.and_then(Value::as_array).cloned().unwrap_or_default();
    let layers = known.iter().filter(|entry| entry["empty_layer"] != Value::Bool(true)).count();
    let mut history =
        if layers == inherited { known } else { vec![json!({ "created_by": "layer of the base" }); inherited] };
    history.extend(
        steps
            .iter()
            .map(|step| json!({ "created": rfc3339(step.time), "created_by": format!("groupage {}", step.name) })),
    );
    Value::Array(history)
}

fn object<'v>(value: &'v mut Value, key: &str) -> &'v mut Map<String, Value> {
    if !value[key].is_object() {
        value[key] = json!({});
    }
    match &mut value[key] {
        Value::Object(map) => map,
        _ => unreachable!("it was made one just now"),
    }
}

fn object_of<'v>(map: &'v mut Map<String, Value>, key: &str) -> &'v mut Map<String, Value> {
    let slot = map.entry(key.to_owned()).or_insert_with(|| json!({}));
    if !slot.is_object() {
        *slot = json!({});
    }
    match slot {
        Value::Object(map) => map,
        _ => unreachable!("it was made one just now"),
    }
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// One of our layers, as a history says it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Its name.
    pub(super) name: String,
    /// When it was made.
    pub(super) created: String,
}

/// The layers of ours that a configuration tells of, highest first. A base may be an image of ours as well: its own last
/// layer is where ours begin.
pub(super) fn own_steps(config: &Value) -> Vec<Told> {
    let history = config["history"].as_array().map(Vec::as_slice).unwrap_or_default();
    let told = |entry: &Value| {
        let name = entry["created_by"].as_str()?.strip_prefix("groupage ")?.to_owned();
        Some(Told { name, created: entry["created"].as_str()?.to_owned() })
    };
    let ours = history.iter().rev().map_while(told).enumerate();
    ours.take_while(|(index, step)| *index == 0 || step.name != "image").map(|(_, step)| step).collect()
}

/// How many layers of an image are ours, as its configuration tells it; none when the native engine has not made it.
pub fn own_layers(config: &Value) -> usize {
    own_steps(config).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_of_ours() {
        let check = |history: &[&str], expect: &[&str]| {
            let entry = |name: &&str| json!({ "created_by": name, "created": "x" });
            let config = json!({ "history": history.iter().map(entry).collect::<Vec<_>>() });
            let names: Vec<String> = own_steps(&config).into_iter().map(|step| step.name).collect();
            assert_eq!(names, expect, "{history:?}");
        };
        check(&[], &[]);
        check(&["ENV", "groupage comp-a", "groupage image"], &["image", "comp-a"]);
        check(&["groupage comp-b", "groupage image", "groupage comp-a", "groupage image"], &["image", "comp-a"]);
        check(&["groupage comp-a", "groupage image", "RUN x"], &[]);
    }

    fn check(base: Option<Value>, expect: Value) {
        let test = HealthTest::Shell("test -e /x".into());
        let interval = "30s".parse().ok();
        let health = Healthcheck { test, interval, timeout: None, start_period: None, retries: Some(2) };
        let plan = ConfigPlan {
            user: Some("1:1".into()),
            entrypoint: vec!["/x".into()],
            cmd: vec!["-a".into()],
            workdir: "/".into(),
            env: [("A".into(), "1".into()), ("B".into(), "2".into())].into(),
            ports: vec!["80/tcp".into()],
            volumes: vec!["/data".parse().unwrap()],
            stop_signal: Some("SIGQUIT".parse().unwrap()),
            healthcheck: Some(health),
            labels: [("l".into(), "new".into())].into(),
        };
        let platform = "linux/arm/v7".parse().unwrap();
        let inherited = usize::from(base.is_some());
        let steps = [Step { name: "comp-x", time: 60 }];
        assert_eq!(config(&plan, &platform, base.as_ref(), inherited, &steps), expect);
    }

    #[test]
    fn scratch() {
        check(
            None,
            json!({
                "architecture": "arm", "os": "linux", "variant": "v7", "created": "1970-01-01T00:01:00Z",
                "config": {
                    "Env": [format!("PATH={DEFAULT_PATH}"), "A=1", "B=2"], "ExposedPorts": { "80/tcp": {} }, "Labels": { "l": "new" },
                    "WorkingDir": "/", "User": "1:1", "Entrypoint": ["/x"], "Cmd": ["-a"], "Volumes": { "/data": {} },
                    "StopSignal": "SIGQUIT",
                    "Healthcheck": { "Test": ["CMD-SHELL", "test -e /x"], "Interval": 30_000_000_000_u64, "Retries": 2 },
                },
                "history": [{ "created": "1970-01-01T00:01:00Z", "created_by": "groupage comp-x" }],
            }),
        );
    }

    #[test]
    fn what_a_base_says_is_kept_or_replaced() {
        check(
            Some(json!({
                "architecture": "arm", "os": "linux", "variant": "v7", "created": "2001-01-01T00:00:00Z",
                "docker_version": "1", "container_config": { "Cmd": ["x"] },
                "config": {
                    "Env": ["B=0", "PATH=/bin"], "Labels": { "l": "old", "m": "kept" }, "Cmd": ["sh"],
                    "Healthcheck": { "Test": ["NONE"] }, "User": "root", "ExposedPorts": null,
                },
                "history": [{ "created_by": "base" }, { "created_by": "ENV", "empty_layer": true }],
            })),
            json!({
                "architecture": "arm", "os": "linux", "variant": "v7", "created": "1970-01-01T00:01:00Z",
                "config": {
                    "Env": ["B=2", "PATH=/bin", "A=1"], "ExposedPorts": { "80/tcp": {} },
                    "Labels": { "l": "new", "m": "kept" },
                    "WorkingDir": "/", "User": "1:1", "Entrypoint": ["/x"], "Cmd": ["-a"], "Volumes": { "/data": {} },
                    "StopSignal": "SIGQUIT",
                    "Healthcheck": { "Test": ["CMD-SHELL", "test -e /x"], "Interval": 30_000_000_000_u64, "Retries": 2 },
                },
                "history": [
                    { "created_by": "base" }, { "created_by": "ENV", "empty_layer": true },
                    { "created": "1970-01-01T00:01:00Z", "created_by": "groupage comp-x" },
                ],
            }),
        );
    }
}
