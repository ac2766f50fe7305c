//! What an image is made of, found by walking over the monorepo in the simplest way that is right: a set of facts. An image has
//! to be built again when, and only when, its set is another one. No code of the plan is used.

use std::collections::{BTreeMap, BTreeSet};

use super::monorepo::{Component, Image, Kind, Monorepo, PLATFORMS};

/// Facts of every image in every variant, by its ID.
pub fn facts(monorepo: &Monorepo) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for (index, image) in monorepo.images.iter().enumerate() {
        for variant in ["", "=full"] {
            let id = format!("i{index}{variant}");
            all.insert(id.clone(), of_image(monorepo, image, &id));
        }
    }
    all
}

fn of_image(monorepo: &Monorepo, image: &Image, id: &str) -> BTreeSet<String> {
    let on = on(monorepo, image, id.ends_with("=full"));
    let parts: Vec<usize> = (0..monorepo.components.len()).filter(|index| on.contains(&format!("c{index}"))).collect();
    let depends = parts.iter().map(|index| &monorepo.components[*index]);
    let depends = depends.clone().any(|part| part.kind == Kind::Files && part.by_platform);
    let platforms = &PLATFORMS[..image.platforms];
    let mut facts = BTreeSet::from([format!("image {id}"), format!("label {}", image.label)]);
    facts.insert(format!("starts c{}", image.parts[0].component));
    facts.insert(if image.has_base { format!("base {}", monorepo.base) } else { "scratch".to_owned() });
    facts.extend(on.iter().map(|what| format!("on {what}")));
    if depends {
        facts.insert(format!("platforms {platforms:?}"));
    }
    for index in parts {
        let component = &monorepo.components[index];
        let is_on = |feature: &str| on.contains(&format!("c{index}/{feature}"));
        let mut own = of_component(component, platforms, &is_on);
        own.extend(of_kind(monorepo, component, &is_on));
        facts.extend(own.into_iter().map(|fact| format!("c{index}: {fact}")));
    }
    facts
}

/// Components as `c0`, features of them as `c0/f0`, those of the image as `/x`: every rule, again and again, until nothing is new.
fn on(monorepo: &Monorepo, image: &Image, is_full: bool) -> BTreeSet<String> {
    let mut on = BTreeSet::from(["/default".to_owned()]);
    loop {
        let mut next = on.clone();
        if image.on_by_default || is_full {
            next.insert("/x".to_owned());
        }
        for part in image.parts.iter().filter(|part| !part.optional || on.contains("/x")) {
            let name = format!("c{}", part.component);
            next.insert(format!("{name}/default"));
            next.extend(part.asks_f1.then(|| format!("{name}/f1")));
            next.insert(name);
        }
        for (index, component) in monorepo.components.iter().enumerate() {
            if on.contains(&format!("c{index}/default")) && component.default
                || on.contains(&format!("c{index}/f1")) && component.f1_enables_f0
            {
                next.insert(format!("c{index}/f0"));
            }
            let Some(used) = component.uses.filter(|_| on.contains(&format!("c{index}"))) else { continue };
            let name = format!("c{}", used.component);
            next.extend(used.default_features.then(|| format!("{name}/default")));
            next.extend(used.asks_f1.then(|| format!("{name}/f1")));
            next.insert(name);
        }
        if next == on {
            return on;
        }
        on = next;
    }
}

/// What does not depend on how it is built, and the files that are installed.
fn of_component(component: &Component, platforms: &[&str], is_on: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let Component { version, argument, environment, port, writable, .. } = component;
    let mut facts = BTreeSet::from([
        format!("version {version}"),
        format!("argument {argument}"),
        format!("environment {environment}"),
        format!("port {port}"),
    ]);
    // what is installed with a mode of its own does not depend on that of the file
    let extra = component.kind == Kind::Script && !is_on("f0");
    facts.extend((!extra).then(|| format!("writable {writable}")));
    if component.kind == Kind::Files {
        facts.insert(format!("app {}", component.files["app"].text));
        facts.insert(format!("depends on platform {}", component.by_platform));
        for (path, file) in &component.files {
            let of_platform = |name: &&str| *path == format!("linux-{name}.bin");
            let is_installed = path.starts_with("data/")
                || path == "app.conf" && is_on("f0")
                || component.by_platform && platforms.iter().any(of_platform);
            facts.extend(is_installed.then(|| format!("{path} is {file:?}")));
        }
    }
    facts
}

/// What the build reads.
fn of_kind(monorepo: &Monorepo, component: &Component, is_on: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    let files = component.files.iter();
    match component.kind {
        Kind::Files => {}
        Kind::Script => {
            facts.insert(format!("builder node {}", monorepo.node));
            facts.insert(format!("command {}", component.command));
            facts.insert(format!("extra {}", is_on("f0")));
            let inputs = files.filter(|(path, _)| path.starts_with("src/") || *path == "config");
            facts.extend(inputs.map(|(path, file)| format!("{path} is {file:?}")));
        }
        Kind::Cargo => {
            facts.insert(format!("builder rust {}", monorepo.rust));
            facts.insert(format!("depends on lib {}", component.uses_lib));
            facts.extend(files.map(|(path, file)| format!("{path} is {file:?}")));
            if component.uses_lib {
                facts.insert(format!("lib {} is {:?}", monorepo.lib_version, monorepo.lib));
            }
        }
    }
    facts
}
