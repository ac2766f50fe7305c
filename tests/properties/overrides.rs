//! Who wins among the sources of a value, for every pair of them and every kind of key; and that what came out, said again,
//! changes nothing.

use std::collections::BTreeMap;

use groupage::lock::{self, Builders, Mode};
use groupage::manifest::Manifests;
use groupage::oci::{ImageSource, Reference};
use groupage::resolve::{Overrides, Packages, Profile, Resolution, Selection, explain_value, resolve, variable_name};
use groupage::source::{SourceFile, SourceMap, Span, Spanned};
use groupage::workspace::OverrideEntry;
use proptest::prelude::*;

use super::parsed;

/// The sources, strongest first.
const SOURCES: [&str; 4] = ["flag", "variable", "file", "profile"];

/// One key of every kind, with a value for each source.
const KEYS: [(&str, [&str; 4]); 13] = [
    ("bases.b", ["f/a:1", "v/a:1", "o/a:1", "p/a:1"]),
    ("bases.b.registry", ["f.io", "v.io", "o.io", "p.io"]),
    ("bases.b.repository", ["f", "v", "o", "p"]),
    ("bases.b.tag", ["f", "v", "o", "p"]),
    ("builders.r", ["f/a:1", "v/a:1", "o/a:1", "p/a:1"]),
    ("components.c.image", ["f/a:1", "v/a:1", "o/a:1", "p/a:1"]),
    ("components.c.tag", ["f", "v", "o", "p"]),
    ("registry.default", ["f.io/x", "v.io/x", "o.io/x", "p.io/x"]),
    ("registry.mirror", ["f.io/x", "v.io/x", "o.io/x", "p.io/x"]),
    ("images.i.registry", ["f.io/x", "v.io/x", "o.io/x", "p.io/x"]),
    ("images.i.repository", ["f", "v", "o", "p"]),
    ("images.i.tag", ["f", "v", "o", "p"]),
    ("images.i.mode", ["split", "multicall", "colocated", "split"]),
];

fn manifests() -> Manifests {
    let files = [
        (
            "groupage.toml",
            "schema = 1\n[bases]\nb = 'd.io/t/b:1'\n[builders]\nr = 'd.io/t/r:1'\n[registry]\ndefault = 'd.io/out'\n",
        ),
        (
            "images/i/image.toml",
            "schema = 1\nname = 'i'\nversion = '1'\nbase = 'b'\nplatforms = ['linux/amd64']\n[components]\nc = {}\ns = {}\n",
        ),
        (
            "components/c/component.toml",
            "schema = 1\nname = 'c'\nowner = 't'\nversion = '1'\n[build.image]\nimage = 'd.io/t/c:1'\n[[install]]\nfrom = 'stage:/c'\nto = '/c'\n[roles.c]\ncommand = ['/c']\nuser = '1:1'\n",
        ),
        (
            "components/s/component.toml",
            "schema = 1\nname = 's'\nowner = 't'\nversion = '1'\n[build.script]\nbuilder = 'r'\ncommands = ['make']\noutputs = { s = '/s' }\n[[install]]\nfrom = 'output:s'\nto = '/s'\n",
        ),
    ];
    parsed(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into())
}

fn entry(value: &str) -> OverrideEntry {
    let span = Span::new(SourceMap::default().add(SourceFile::new("o.toml", "")), 0..0);
    OverrideEntry { key: span, value: Spanned::new(value.to_owned(), span) }
}

/// Overrides with some values, each `(source, key, value)`.
fn overrides(said: &[(&str, &str, &str)]) -> Overrides {
    let mut overrides = Overrides::default();
    let mut profile = BTreeMap::new();
    for (source, key, value) in said {
        match *source {
            "flag" => overrides.flags.push(((*key).to_owned(), (*value).to_owned())),
            "variable" => _ = overrides.environment.insert(variable_name(key), (*value).to_owned()),
            "file" => _ = overrides.file.insert((*key).to_owned(), entry(value)),
            _ => _ = profile.insert((*key).to_owned(), entry(value)),
        }
    }
    overrides.profile = Some(Profile { name: "dev".to_owned(), keys: profile });
    overrides
}

/// What a key comes to, told by the references that a plan would use, and by where images go.
fn effect(manifests: &Manifests, overrides: &Overrides) -> BTreeMap<&'static str, String> {
    let packages = Packages::new();
    let resolution =
        resolve(manifests, &packages, &Selection::default(), overrides).unwrap_or_else(|p| panic!("{p:?}"));
    told(&resolution)
}

fn told(resolution: &Resolution<'_>) -> BTreeMap<&'static str, String> {
    let wanted = lock::of_resolution(resolution, Builders::Used);
    let pins = lock::require(&wanted, None, Mode::Prefer).expect("nothing is required").pins;
    let image = &resolution.images[0];
    let component = image.components.iter().find_map(|component| component.image.as_ref());
    let builder = resolution.builders.values().next().expect("there is one");
    let tag = image.output.tag.as_ref().map(|tag| tag.value.to_string()).unwrap_or_default();
    BTreeMap::from([
        ("bases.b", pins.pin_source(image.base.image.as_ref().expect("it is no scratch")).to_string()),
        ("builders.r", pins.pin(builder).to_string()),
        ("components.c.image", component.map(|image| pins.pin_source(image).to_string()).unwrap_or_default()),
        ("name", image.output.name()),
        ("tag", tag),
        ("mode", image.mode.to_string()),
    ])
}

#[test]
fn every_pair_of_sources_for_every_kind_of_key() {
    let manifests = manifests();
    for (key, values) in KEYS {
        for (strong, (source, value)) in SOURCES.iter().zip(values).enumerate() {
            let alone = overrides(&[(source, key, value)]);
            let expect = effect(&manifests, &alone);
            if key != "images.i.mode" {
                assert_ne!(expect, effect(&manifests, &Overrides::default()), "{source} alone decides {key}");
            }
            for (other, weaker) in SOURCES.iter().zip(values).skip(strong + 1) {
                let both = overrides(&[(other, key, weaker), (source, key, value)]);
                assert_eq!(effect(&manifests, &both), expect, "{key}: {source} before {other}");
                let explained = explain_value(&manifests, &both, key).unwrap_or_else(|problems| panic!("{problems:?}"));
                let winner = explained.said.iter().find(|saying| saying.wins).map(|saying| saying.value.as_str());
                assert!(
                    explained.said.len() > 1 && winner == Some(value),
                    "{key}: {source} before {other}: {explained:?}"
                );
            }
        }
    }
}

#[test]
fn an_empty_value_of_any_source_is_an_error() {
    let (manifests, packages) = (manifests(), Packages::new());
    for (key, values) in KEYS {
        for (source, _) in SOURCES.iter().zip(values) {
            let empty = overrides(&[(source, key, " ")]);
            let problems = resolve(&manifests, &packages, &Selection::default(), &empty).expect_err("it is empty");
            assert!(problems.iter().any(|problem| problem.code == "empty-value"), "{source} {key}: {problems:?}");
        }
    }
}

/// Anything that sources can say of inputs.
fn said() -> impl Strategy<Value = Vec<(usize, usize, u8)>> {
    proptest::collection::vec((0..SOURCES.len(), 0..9_usize, 0..4_u8), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_came_out_said_again_changes_nothing(said in said(), mode in 0..3_usize) {
        let manifests = manifests();
        let mode = ["replace-host", "prepend", "flatten"][mode];
        let mut all: Vec<(&str, &str, &str)> =
            said.iter().map(|(source, key, value)| (SOURCES[*source], KEYS[*key].0, KEYS[*key].1[*value as usize])).collect();
        all.push(("profile", "registry.mirror-mode", mode));
        let before = effect(&manifests, &overrides(&all));
        let again = ["bases.b", "builders.r", "components.c.image"];
        let again: Vec<(&str, &str, &str)> = again.iter().map(|key| ("flag", *key, before[key].as_str())).collect();
        // the last flag of a key counts, and a field of the same source is stronger than the whole: fields are left out
        all.retain(|(source, key, _)| *source != "flag" || key.matches('.').count() < 2 || key.ends_with(".image"));
        all.extend(again);
        let after = effect(&manifests, &overrides(&all));
        for key in ["bases.b", "builders.r", "components.c.image"] {
            prop_assert_eq!(&after[key], &before[key]);
            let source: ImageSource = after[key].parse().expect("it is a reference");
            let reference: &Reference = source.reference().expect("it is of a registry");
            prop_assert!(!reference.to_string().contains("//"));
        }
    }
}
