//! Properties that hold for every workspace, checked on random ones (always the same: the seed is fixed).
//!
//! Workspaces are made of a few components and features with every kind of dependency between them; what they mean is
//! computed a second time by [`slow`], which tries every rule again and again until nothing changes.

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

mod support;

#[path = "properties/fingerprints/mod.rs"]
mod fingerprints;
#[path = "properties/overrides.rs"]
mod overrides;
#[path = "properties/platforms.rs"]
mod platforms;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};
use std::str::FromStr;

use groupage::diagnostic::Problems;
use groupage::lock::{Entry, LockFile};
use groupage::manifest::{FeatureTable, FeatureValue, Manifests, parse};
use groupage::oci::{Digest, ImageSource, Platform, Reference};
use groupage::resolve::{ImageSelector, Node, Overrides, Packages, Resolution, Selection, resolve};
use groupage::source::{SourceFile, SourceMap};
use groupage::workspace::ManifestFiles;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// Runs a property on so many values.
fn check<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    check_and_shrink(cases, 2000, strategy, property);
}

/// The same for properties that take their time: fewer attempts to find a smaller value that breaks them.
fn check_and_shrink<S: Strategy>(
    cases: u32,
    max_shrink_iters: u32,
    strategy: &S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = ProptestConfig { cases, failure_persistence: None, max_shrink_iters, ..ProptestConfig::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"groupage: the same on every box.");
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(strategy, property) {
        panic!("{error}");
    }
}

// ---- random workspaces

const COMPONENTS: usize = 5;
const FEATURES: usize = 3;

/// What a feature turns on: a feature, `dep:`, `x/f` or `x?/f`.
type Enables = (u8, usize, usize);

/// One table of features, of a component or of the image.
#[derive(Debug, Clone)]
struct Owner {
    /// For each component: not used, always there, optional.
    uses: Vec<u8>,
    defaults: Vec<bool>,
    asks: Vec<usize>,
    features: Vec<Vec<Enables>>,
    default: Vec<usize>,
    conflict: bool,
}

fn owner() -> impl Strategy<Value = Owner> {
    let enables = (0..4_u8, 0..COMPONENTS, 0..FEATURES);
    (
        proptest::collection::vec(0..3_u8, COMPONENTS),
        proptest::collection::vec(any::<bool>(), COMPONENTS),
        proptest::collection::vec(0..FEATURES + 2, COMPONENTS),
        proptest::collection::vec(proptest::collection::vec(enables, 0..4), FEATURES),
        proptest::collection::vec(0..FEATURES, 0..3),
        proptest::bool::weighted(0.1),
    )
        .prop_map(|(uses, defaults, asks, features, default, conflict)| Owner {
            uses,
            defaults,
            asks,
            features,
            default,
            conflict,
        })
}

/// Components, then the image.
fn workspace() -> impl Strategy<Value = Vec<Owner>> {
    proptest::collection::vec(owner(), COMPONENTS + 1)
}

impl Owner {
    /// As TOML. Components name only later ones and features only later features, so that there are no cycles.
    fn write(&self, first: usize, key: &str) -> String {
        let is_used = |component: usize| component >= first && self.uses[component] > 0;
        let is_optional = |component: usize| is_used(component) && self.uses[component] == 2;
        let mut text = String::new();
        if self.conflict {
            text.push_str("conflicts = [[\"f0\", \"f1\"]]\n");
        }
        text.push_str(&format!("\n[{key}]\n"));
        for component in (0..COMPONENTS).filter(|component| is_used(*component)) {
            let ask =
                if self.asks[component] < FEATURES { format!("\"f{}\"", self.asks[component]) } else { String::new() };
            text.push_str(&format!(
                "c{component} = {{ optional = {}, default-features = {}, features = [{ask}] }}\n",
                is_optional(component),
                self.defaults[component]
            ));
        }
        let default: Vec<String> = self.default.iter().map(|feature| format!("\"f{feature}\"")).collect();
        text.push_str(&format!("\n[features]\ndefault = [{}]\n", default.join(", ")));
        for (feature, enables) in self.features.iter().enumerate() {
            let value = |(kind, component, other): &Enables| match kind {
                0 if *other > feature => Some(format!("\"f{other}\"")),
                1 if is_optional(*component) => Some(format!("\"dep:c{component}\"")),
                2 if is_used(*component) => Some(format!("\"c{component}/f{other}\"")),
                3 if is_optional(*component) => Some(format!("\"c{component}?/f{other}\"")),
                _ => None,
            };
            let values: Vec<String> = enables.iter().filter_map(value).collect();
            text.push_str(&format!("f{feature} = [{}]\n", values.join(", ")));
        }
        text
    }
}

/// The files of a workspace, by path.
fn files(owners: &[Owner]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([("groupage.toml".to_owned(), "schema = 1\n".to_owned())]);
    for (index, owner) in owners[..COMPONENTS].iter().enumerate() {
        let head = format!(
            "schema = 1\nname = \"c{index}\"\nowner = \"@team\"\nversion = \"1.0.0\"\nbuild = {{ files = {{}} }}\n"
        );
        let text = format!("{head}{}", owner.write(index + 1, "dependencies"));
        files.insert(format!("components/c{index}/component.toml"), text);
    }
    let head = "schema = 1\nname = \"app\"\nversion = \"1.0.0\"\nbase = \"scratch\"\nplatforms = [\"linux/amd64\"]\n";
    files.insert("images/app/image.toml".to_owned(), format!("{head}{}", owners[COMPONENTS].write(0, "components")));
    files
}

fn parsed(files: &BTreeMap<String, String>) -> Manifests {
    let mut map = SourceMap::default();
    let mut ids = ManifestFiles::default();
    for (path, text) in files {
        let id = map.add(SourceFile::new(path.as_str(), text.as_str()));
        match path {
            path if path.starts_with("components/") => ids.components.push(id),
            path if path.starts_with("images/") => ids.images.push(id),
            _ => ids.settings = Some(id),
        }
    }
    parse(&map, &ids).unwrap_or_else(|problems| panic!("{problems:?}\n{files:#?}"))
}

/// Which flags are given: `-F` of features, of components' features, `--no-default-features`.
fn selection() -> impl Strategy<Value = Selection> {
    let feature = prop_oneof![
        (0..FEATURES).prop_map(|feature| format!("f{feature}")),
        (0..COMPONENTS, 0..FEATURES).prop_map(|(component, feature)| format!("c{component}/f{feature}")),
        (0..COMPONENTS, 0..FEATURES).prop_map(|(component, feature)| format!("c{component}?/f{feature}")),
    ];
    (proptest::collection::vec(feature, 0..3), any::<bool>()).prop_map(|(features, no_default_features)| Selection {
        features: features.iter().map(|feature| feature.parse().expect("it is a feature")).collect(),
        no_default_features,
        ..Selection::default()
    })
}

/// `None` when something is asked for that the image does not have, or a conflict is reported.
fn resolved<'m>(manifests: &'m Manifests, selection: &Selection) -> Option<Resolution<'m>> {
    match resolve(manifests, &Packages::new(), selection, &Overrides::default()) {
        Ok(resolution) => Some(resolution),
        Err(problems) => {
            let fair = |code| matches!(code, "feature-conflict" | "unknown-feature" | "not-optional");
            assert!(problems.iter().all(|problem| fair(problem.code)), "{problems:?}");
            None
        }
    }
}

/// What is on: components as `c`, features as `c/f`, features of the image as `/f`.
fn on(resolution: &Resolution<'_>) -> BTreeSet<String> {
    let name = |node: &Node| match node {
        Node::Component(component) => Some(component.to_string()),
        Node::ComponentFeature(component, feature) => Some(format!("{component}/{feature}")),
        Node::ImageFeature(_, feature) => Some(format!("/{feature}")),
        Node::Image(_) | Node::Request(_) => None,
    };
    resolution.images[0].reasons.nodes().filter_map(name).collect()
}

// ---- the same, slowly

/// Between an owner and a component that a dependency of it brings.
const BRINGS: char = '>';

/// Applies every rule to everything that is on, until nothing new comes.
fn slow(manifests: &Manifests, selection: &Selection) -> BTreeSet<String> {
    let image = &manifests.images["app"].features;
    let mut on = BTreeSet::new();
    loop {
        let mut next = on.clone();
        enter(image, "", &mut next);
        if !selection.no_default_features {
            next.insert("/default".to_owned());
        }
        for value in &selection.features {
            apply(image, "", value, &mut next);
        }
        for name in on.iter().filter(|name| !name.contains(BRINGS)) {
            match name.split_once('/') {
                None => enter(table(manifests, name), name, &mut next),
                Some((owner, feature)) => {
                    let table = table(manifests, owner);
                    let values = table.features.iter().filter(|(name, _)| name.as_str() == feature);
                    for value in values.flat_map(|(_, feature)| &feature.enables) {
                        apply(table, owner, &value.value, &mut next);
                    }
                    let implied = feature.parse().ok().and_then(|feature| table.implied(&feature));
                    implied.into_iter().for_each(|component| bring(table, owner, component.as_str(), &mut next));
                }
            }
        }
        if next == on {
            return on.into_iter().filter(|name| !name.contains(BRINGS)).collect();
        }
        on = next;
    }
}

fn table<'m>(manifests: &'m Manifests, owner: &str) -> &'m FeatureTable {
    if owner.is_empty() { &manifests.images["app"].features } else { &manifests.components[owner].features }
}

/// What is always there when the owner is.
fn enter(table: &FeatureTable, owner: &str, on: &mut BTreeSet<String>) {
    let always = table.dependencies.iter().filter(|(_, dependency)| !dependency.optional);
    always.for_each(|(name, _)| bring(table, owner, name.as_str(), on));
}

fn bring(table: &FeatureTable, owner: &str, component: &str, on: &mut BTreeSet<String>) {
    let dependency = &table.dependencies[component];
    on.insert(format!("{owner}{BRINGS}{component}"));
    on.insert(component.to_owned());
    on.extend(dependency.default_features.then(|| format!("{component}/default")));
    on.extend(dependency.features.iter().map(|feature| format!("{component}/{}", feature.value)));
}

fn apply(table: &FeatureTable, owner: &str, value: &FeatureValue, on: &mut BTreeSet<String>) {
    match value {
        FeatureValue::Feature(feature) => _ = on.insert(format!("{owner}/{feature}")),
        FeatureValue::Component(component) => bring(table, owner, component.as_str(), on),
        FeatureValue::ComponentFeature { component, feature, weak } => {
            let Some(dependency) = table.dependencies.get(component) else { return };
            if !weak {
                bring(table, owner, component.as_str(), on);
                // as in cargo, `x/f` turns on the feature `x` of an optional `x` too
                let own = component.as_str().parse().is_ok_and(|own| table.has(&own));
                on.extend((dependency.optional && own).then(|| format!("{owner}/{component}")));
            }
            // as in cargo, a weak feature waits for its own dependency, whoever else brings the component
            if on.contains(&format!("{owner}{BRINGS}{component}")) {
                on.insert(format!("{component}/{feature}"));
            }
        }
    }
}

// ---- properties of resolution

#[test]
fn resolution_is_what_the_rules_say() {
    check(600, &(workspace(), selection()), |(owners, selection)| {
        let manifests = parsed(&files(&owners));
        if let Some(resolution) = resolved(&manifests, &selection) {
            prop_assert_eq!(on(&resolution), slow(&manifests, &selection));
        }
        Ok(())
    });
}

#[test]
fn more_features_never_take_something_away() {
    check(400, &(workspace(), selection(), selection()), |(owners, less, more)| {
        let manifests = parsed(&files(&owners));
        let features = less.features.iter().chain(&more.features).cloned().collect();
        let no_default_features = less.no_default_features && more.no_default_features;
        let both = Selection { features, no_default_features, ..Selection::default() };
        let all = Selection { all_features: true, ..less.clone() };
        let Some(before) = resolved(&manifests, &less) else { return Ok(()) };
        for after in [both, all].iter().filter_map(|more| resolved(&manifests, more)) {
            prop_assert!(on(&before).is_subset(&on(&after)));
        }
        Ok(())
    });
}

#[test]
fn a_weak_feature_never_brings_a_component() {
    check(400, &(workspace(), 0..COMPONENTS, 0..FEATURES), |(owners, component, feature)| {
        let manifests = parsed(&files(&owners));
        let weak = format!("c{component}?/f{feature}").parse().expect("it is a feature");
        let Some(before) = resolved(&manifests, &Selection::default()) else { return Ok(()) };
        let Some(after) = resolved(&manifests, &Selection { features: vec![weak], ..Selection::default() }) else {
            return Ok(());
        };
        let component = format!("c{component}");
        prop_assert_eq!(on(&before).contains(&component), on(&after).contains(&component));
        Ok(())
    });
}

#[test]
fn everything_that_is_on_has_a_chain_to_who_asked() {
    check(400, &(workspace(), selection()), |(owners, selection)| {
        let manifests = parsed(&files(&owners));
        let Some(resolution) = resolved(&manifests, &selection) else { return Ok(()) };
        let reasons = &resolution.images[0].reasons;
        for node in reasons.nodes() {
            let chain = reasons.chain(node);
            prop_assert_eq!(chain.first(), Some(node));
            prop_assert!(matches!(chain.last(), Some(Node::Request(_) | Node::Image(_))), "{:?}", chain);
            for pair in chain.windows(2) {
                prop_assert!(reasons.causes(&pair[0]).any(|cause| *cause == pair[1]), "{:?}", chain);
            }
        }
        Ok(())
    });
}

// ---- properties of whole runs

/// A file with its tables, and the lines of each table, in another order.
fn shuffled(text: &str, turn: usize) -> String {
    let mut tables: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.lines().filter(|line| !line.is_empty()) {
        if line.starts_with('[') {
            tables.push(Vec::new());
        }
        tables.last_mut().expect("there is one").push(line);
    }
    let (head, rest) = tables.split_first_mut().expect("there is one");
    let count = head.len();
    head.rotate_left(turn % count.max(1));
    for table in rest.iter_mut() {
        let keys = table.len() - 1;
        table[1..].rotate_left(turn % keys.max(1));
    }
    let count = rest.len();
    rest.rotate_left(turn % count.max(1));
    tables.concat().join("\n") + "\n"
}

#[test]
fn order_and_place_do_not_change_a_byte() {
    check(12, &(workspace(), 1..5_usize), |(owners, turn)| {
        let files = files(&owners);
        let run = |text: &dyn Fn(&str) -> String, backwards: bool, folder: &dyn Fn(&str) -> String| {
            let sandbox = support::sandbox::Sandbox::new();
            let mut paths: Vec<&String> = files.keys().collect();
            if backwards {
                paths.reverse();
            }
            for path in paths {
                sandbox.write(&folder(path), text(&files[path]));
            }
            let plan = sandbox.groupage(["plan", "--format", "json"]);
            let context = sandbox.groupage(["generate", "app", "--context", "out"]);
            let out = support::sandbox::snapshot(&sandbox.root().join("out"));
            (plan.code, plan.stdout, context.code, out)
        };
        let same = |path: &str| path.to_owned();
        let moved = |path: &str| path.replace("components/c", "components/z9-");
        let plain = run(&str::to_owned, false, &same);
        prop_assert_eq!(&plain, &run(&|text| shuffled(text, turn), true, &same));
        // folders of components have no meaning: nothing here installs a file of one
        prop_assert_eq!(&plain, &run(&str::to_owned, false, &moved));
        Ok(())
    });
}

#[test]
fn shuffling_is_not_the_identity() {
    let text = "a = 1\nb = 2\n\n[x]\nc = 3\nd = 4\n\n[y]\ne = 5\n";
    assert_eq!(shuffled(text, 1), "b = 2\na = 1\n[y]\ne = 5\n[x]\nd = 4\nc = 3\n");
}

// ---- printing and parsing

/// Texts that parse print as what parses to the same value again.
fn round_trip<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(pattern: &str) {
    let strategy = proptest::string::string_regex(pattern).expect("a pattern");
    let parsed = std::cell::Cell::new(0);
    check(2000, &strategy, |text| {
        if let Ok(value) = text.parse::<T>() {
            parsed.set(parsed.get() + 1);
            prop_assert_eq!(value.to_string().parse::<T>().expect("it was printed by us"), value, "{}", text);
        }
        Ok(())
    });
    assert!(parsed.get() > 200, "only {} of 2000 texts of {pattern} could be parsed", parsed.get());
}

#[test]
fn what_is_printed_can_be_parsed() {
    let host = r"(([a-zA-Z]{1,3}(\.[a-z-]{1,3}){0,2}|localhost|\[::1\]|10\.0\.0\.1)(:[0-9]{1,5})?/)?";
    let path = r"[a-z0-9]{1,3}(/?(\.|_|__|-{1,3})?[a-z0-9]{1,2}){0,3}";
    round_trip::<Reference>(&format!(r"{host}{path}(:[\w.-]{{1,5}})?(@sha256:[0-9a-f]{{64}})?"));
    round_trip::<ImageSource>(
        r"(docker://|docker-daemon:|oci:|oci-archive:|docker-archive:)?([a-z0-9]{1,3}/?){1,3}(:[a-z0-9]{1,3})?(@sha256:[0-9a-f]{64})?",
    );
    round_trip::<ImageSource>(r"(oci|oci-archive|docker-archive):/?([a-zé .]{1,3}/){0,2}[^:@]{1,3}");
    round_trip::<FeatureValue>(r"(dep:)?[a-z0-9]{1,3}(-[a-z]{1,2})?(\??/[a-zA-Z0-9_+.]{1,4})?");
    round_trip::<ImageSelector>(r"[a-z]{1,3}(-[0-9]{1,2})?(=([a-z]{1,3}|\*))?");
    round_trip::<Platform>(
        r"(linux|windows|[a-z0-9._-]{1,5})/(amd64|arm64|arm|[a-z0-9]{1,4})(/(v8|v7|[a-z0-9]{1,3}))?",
    );
}

/// A lock file prints as what parses to the same, and its bytes do not depend on the order in which it was made.
#[test]
fn lock_files_are_what_they_print() {
    let reference =
        proptest::string::string_regex(r"([a-z]{1,2}\.[a-z]{1,2}(:[1-9]0)?/)?[a-z]{1,2}(/[a-z])?(:[\w.]{1,2})?");
    let key = prop_oneof![
        "[a-z]{1,2}".prop_map(|name| format!("bases.{name}")),
        "[a-z]{1,2}".prop_map(|name| format!("builders.{name}")),
        "[a-z]{1,2}".prop_map(|name| format!("components.{name}.image")),
    ];
    let entry = (reference.expect("a pattern"), proptest::collection::vec(key, 0..3), any::<u8>());
    check(400, &proptest::collection::vec(entry, 0..6), |entries| {
        let mut file = LockFile::default();
        for (name, used_by, byte) in entries {
            let Ok(name) = name.parse::<Reference>() else { continue };
            let used_by = used_by.iter().map(|key| key.parse().expect("it is a key")).collect();
            file.insert(Entry { name, digest: Digest::of(&[byte]), used_by, place: None });
        }
        let text = file.to_string();
        let (mut map, mut problems) = (SourceMap::default(), Problems::default());
        let id = map.add(SourceFile::new("groupage.lock", text.as_str()));
        let parsed = LockFile::parse(id, map.file(id), &mut problems);
        prop_assert_eq!(parsed.as_ref(), Some(&file), "{}", text);
        let mut backwards = LockFile::default();
        for entry in file.entries().into_iter().rev() {
            backwards.insert(entry.clone());
        }
        prop_assert_eq!(backwards.to_string(), text);
        Ok(())
    });
}
