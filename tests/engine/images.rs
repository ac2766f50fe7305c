//! The images of this repository, built by `build` in the repository itself by each engine: they hold exactly what was planned,
//! and every component, started by its role's command, does its job.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

use serde_json::{Value, json};

use crate::needs_engine_roles::{
    AGENT, CONTENTS, FULL, Fixture, PLAIN, buffer_metrics_serves_what_is_in_a_mounted_folder,
    config_reloader_calls_a_webhook_for_each_change_of_a_mounted_file, drain_watch_tells_drained_from_timeout,
    log_controller_renders_and_refuses, old_paths_start_the_same_programs, restore_helper_waits_for_every_volume,
};
use crate::support::archive::{Entry, Image, Kind};
use crate::support::builders::{lock, repository};
use crate::support::workspace::{Registry, program};
use crate::support::{Ended, daemon};

/// Fixtures of one engine that are in use.
type Shared = Mutex<Weak<Fixture>>;

/// Builds all images, once for all tests of this process and engine that run at the same time.
fn images(shared: &Shared, engine: &[&str]) -> Option<Arc<Fixture>> {
    if !daemon() {
        return None;
    }
    let mut shared = shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(fixture) = shared.upgrade() {
        return Some(fixture);
    }
    let registry = Registry::new();
    let _lock = lock("images");
    let mut build = program(&repository());
    build.args(["build", "logging-operator=*", "node-agent", "--set", &format!("registry.default={}", registry.0)]);
    let ended = Ended::of(build.args(engine)).expect(0);
    let read = |name: &str| (name.to_owned(), Image::of_daemon(&format!("{}/{name}", registry.0)));
    assert_eq!(ended.stdout.lines().count(), 3, "{}", ended.stdout);
    let fixture = Arc::new(Fixture { images: BTreeMap::from([PLAIN, FULL, AGENT].map(read)), registry });
    *shared = Arc::downgrade(&fixture);
    Some(fixture)
}

/// Each check, as a test of its own for each engine.
macro_rules! for_each_engine {
    ($($check:ident),* $(,)?) => {
        mod docker {
            static SHARED: super::Shared = super::Shared::new(super::Weak::new());
            $(#[test]
            fn $check() {
                if let Some(images) = super::images(&SHARED, &["--engine", "docker"]) { super::$check(&images) }
            })*
        }
        mod native {
            static SHARED: super::Shared = super::Shared::new(super::Weak::new());
            $(#[test]
            fn $check() {
                if let Some(images) = super::images(&SHARED, &["--engine", "native", "--load"]) { super::$check(&images) }
            })*
        }
    };
}

for_each_engine! {
    an_image_holds_what_was_planned_and_nothing_else,
    an_image_is_told_what_its_roles_need,
    buffer_metrics_serves_what_is_in_a_mounted_folder,
    config_reloader_calls_a_webhook_for_each_change_of_a_mounted_file,
    drain_watch_tells_drained_from_timeout,
    inspect_shows_what_the_image_says_of_itself,
    log_controller_renders_and_refuses,
    old_paths_start_the_same_programs,
    restore_helper_waits_for_every_volume,
}

fn an_image_holds_what_was_planned_and_nothing_else(images: &Fixture) {
    for (name, components) in CONTENTS {
        let image = &images.images[*name];
        let entry = |kind, mode| Entry { kind, mode, owner: (0, 0) };
        // what is compiled has no digest that could be known here
        let any = || Kind::File { digest: String::new() };
        let folders = ["/.groupage", "/usr", "/usr/bin"].map(|path| (path.to_owned(), entry(Kind::Folder, 0o755)));
        let mut expect = BTreeMap::from(folders);
        expect.insert("/.groupage/manifest.json".to_owned(), entry(any(), 0o644));
        for (component, alias) in *components {
            let program = format!("usr/bin/{component}");
            expect.insert(format!("/{program}"), entry(any(), 0o755));
            expect.insert((*alias).to_owned(), entry(Kind::Link { target: program }, 0o777));
        }
        let mut seen = image.tree.clone();
        for entry in seen.values_mut() {
            if let Kind::File { digest } = &mut entry.kind {
                digest.clear();
            }
        }
        assert_eq!(seen, expect, "{name}");
        assert_eq!(
            image.layers,
            components.len() + 1,
            "{name}: one layer for each component and one for its description"
        );
    }
}

fn an_image_is_told_what_its_roles_need(images: &Fixture) {
    let check = |image: &str, expect: Value| {
        let behaviour = serde_json::to_value(images.images[image].clone().without_fingerprint().behaviour()).unwrap();
        assert_eq!(behaviour, expect, "{image}");
    };
    // Docker gives every image without one this
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let operator = |variant: Option<&str>, components: &str, features: &str| {
        let mut labels = json!({
            "dev.groupage.components": components,
            "dev.groupage.features": features,
            "dev.groupage.image": "logging-operator",
            "dev.groupage.mode": "colocated",
            "org.opencontainers.image.description":
                "the controller of a logging pipeline with its reloader and buffer metrics",
            "org.opencontainers.image.title": "logging-operator",
            "org.opencontainers.image.version": "0.1.0",
        });
        if let Some(variant) = variant {
            labels["dev.groupage.variant"] = variant.into();
        }
        json!({
            "Env": [path], "Entrypoint": ["/usr/bin/log-controller"], "Cmd": null, "User": "65532:65532", "Volumes": null,
            "Labels": labels, "ExposedPorts": {"9200/tcp": {}, "9533/tcp": {}, "9534/tcp": {}}, "WorkingDir": "/",
        })
    };
    let three = "buffer-metrics@0.1.0,config-reloader@0.1.0,log-controller@0.1.0";
    check(PLAIN, operator(None, three, "default,metrics,reloader"));
    let four = "buffer-metrics@0.1.0,config-reloader@0.1.0,drain-watch@0.1.0,log-controller@0.1.0";
    check(FULL, operator(Some("full"), four, "default,drain,metrics,reloader"));
    check(
        AGENT,
        json!({
            "Env": [path], "Entrypoint": null, "Cmd": null, "User": "65532:65532", "Volumes": null,
            "ExposedPorts": {"9200/tcp": {}}, "WorkingDir": "/",
            "Labels": {
                "dev.groupage.components": "buffer-metrics@0.1.0,drain-watch@0.1.0,restore-helper@0.1.0",
                "dev.groupage.image": "node-agent",
                "dev.groupage.mode": "colocated",
                "org.opencontainers.image.description":
                    "what runs on each node: buffer metrics, drain watch and the restore helper",
                "org.opencontainers.image.title": "node-agent",
                "org.opencontainers.image.version": "0.1.0",
            },
        }),
    );
}

fn inspect_shows_what_the_image_says_of_itself(images: &Fixture) {
    for (name, image) in &images.images {
        let reference = format!("{}/{name}", images.registry.0);
        let mut inspect = program(&repository());
        let ended = Ended::of(inspect.args(["inspect", &reference, "--format", "json"])).expect(0);
        let seen: Value = serde_json::from_str(&ended.stdout).expect("stdout is one JSON document");
        assert_eq!(seen["groupage"], image.description());
        assert_eq!(seen["config"]["user"], "65532:65532");
    }
}
