//! An existing Dockerfile passes through: the image that groupage builds of it alone, on its own base, and the one that plain
//! `docker build` makes of it are the same, file by file, and are started in the same way.
//!
//! The Dockerfiles are those of `tests/dockerfiles` that can be built here. All are taken whole (`take = "stage"`); those that
//! run nothing in their last stage also by their copies alone. What groupage refuses is listed, with the code of the refusal.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use groupage::dockerfile::{Base, Dockerfile, Setting, StageFacts, StepKind, evaluate};
use serde_json::{Value, json};

use crate::needs_engine_context::{built_by_docker, docker_client};
use crate::support::archive::Image;
use crate::support::image::same_tree;
use crate::support::workspace::Workspace;
use crate::support::{builders, daemon};

/// What is not merged, and the code of the diagnostic that says so.
const REFUSED: &[(&str, &str)] = &[
    // its lines end with another character than those of other files
    ("26-escape-backtick", "dockerfile-escape"),
    // programs of which only the base knows where they are
    ("14-empty-exec", "relative-command"),
    ("22-carriage-returns", "relative-command"),
    ("25-tabs-and-blanks", "relative-command"),
    // its number stands in a file that a RUN writes
    ("48-named-user", "unknown-user"),
    // a command of several lines
    ("17-json-escapes", "control-character"),
    // triggers are for files that begin with the image
    ("55-onbuild", "dockerfile-onbuild"),
    ("56-onbuild-published", "dockerfile-onbuild"),
];

/// Folders of the corpus that Docker builds here.
fn buildable() -> Vec<PathBuf> {
    let shelf = builders::repository().join("tests/dockerfiles");
    let list = fs::read_to_string(shelf.join("buildable.txt")).unwrap();
    let names = list.lines().filter(|line| line.split(' ').any(|word| word == "docker"));
    names.map(|line| shelf.join(line.split(' ').next().unwrap())).collect()
}

fn arguments(folder: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder.join("args.txt")).unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A workspace with the Dockerfile as its only component.
fn workspace(folder: &Path, facts: &StageFacts, arguments: &BTreeMap<String, String>, take: &str) -> Workspace {
    let workspace = Workspace::empty();
    for entry in walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap) {
        let below = entry.path().strip_prefix(folder).unwrap();
        let to = workspace.root().join("components/own").join(below);
        if entry.file_type().is_dir() {
            fs::create_dir_all(to).unwrap();
        } else if entry.file_type().is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
    let arguments: Vec<String> = arguments.iter().map(|(name, value)| format!("{name} = {value:?}")).collect();
    let is_started = facts.entrypoint.is_some() || matches!(facts.cmd, Setting::Set(_));
    // the local base is of no name that says whose user it has
    let role = match (is_started, &facts.user) {
        (true, None) => "[roles.own]\nuser = \"0:0\"\n",
        _ => "",
    };
    workspace.write(
        "components/own/component.toml",
        format!(
            "schema = 1\nname = \"own\"\nowner = \"@test\"\nversion = \"1.0.0\"\n[build.dockerfile]\ntake = {take:?}\nargs = {{ {} }}\n{role}",
            arguments.join(", ")
        ),
    );
    let base = match &facts.base {
        Base::Image { reference, .. } => reference.known().unwrap().to_owned(),
        Base::Scratch | Base::Stage(_) => String::new(),
    };
    let bases = if base.is_empty() {
        String::new()
    } else {
        format!("[bases.own]\nimage = {base:?}\nprovides = [\"shell\"]\n")
    };
    // what the rules have against the samples is not the question here
    let rules = ["program-not-installed", "newer-frontend", "unexpanded-variable", "moving-tag", "ambiguous-user"];
    let rules: String = rules.iter().map(|rule| format!("{rule} = \"allow\"\n")).collect();
    workspace.write("groupage.toml", format!("schema = 1\n{bases}[build]\nnetwork = \"none\"\n[rules]\n{rules}"));
    let role = if is_started { "default-role = \"own\"\n" } else { "" };
    let base = if base.is_empty() { "scratch" } else { "own" };
    workspace.write(
        "images/app/image.toml",
        format!("schema = 1\nname = \"app\"\nversion = \"1.0.0\"\nbase = {base:?}\nplatforms = [\"linux/amd64\"]\n{role}[components]\nown = {{}}\n"),
    );
    workspace
}

/// How an image is started, in one form: root is `0:0`, the top is `/`.
fn behaviour(image: &Image) -> BTreeMap<&'static str, Value> {
    let mut behaviour = image.behaviour();
    behaviour.remove("Labels");
    for name in ["Healthcheck", "StopSignal"] {
        behaviour.insert(name, image.config[name].clone());
    }
    if let Some(Value::Array(env)) = behaviour.get_mut("Env") {
        env.sort_by_key(ToString::to_string);
    }
    let mut otherwise = |name: &'static str, plain: &[Value], form: Value| {
        let value = behaviour.entry(name).or_default();
        if plain.contains(value) {
            *value = form;
        }
    };
    otherwise("User", &[Value::Null, json!(""), json!("root"), json!("0")], json!("0:0"));
    otherwise("WorkingDir", &[Value::Null, json!("")], json!("/"));
    behaviour
}

fn compare(name: &str, seen: Image, expect: &Image) {
    let mut seen = seen;
    seen.tree.retain(|path, _| !path.starts_with("/.groupage"));
    same_tree(name, &seen.tree, &expect.tree);
    let (mut seen, mut expect) = (behaviour(&seen), behaviour(expect));
    // a named user is a number in a merged image
    if expect["User"].as_str().is_some_and(|user| user.starts_with(|first: char| first.is_ascii_alphabetic())) {
        assert!(
            seen["User"].as_str().is_some_and(|user| user.starts_with(|first: char| first.is_ascii_digit())),
            "{name}"
        );
        seen.remove("User");
        expect.remove("User");
    }
    // a program is named by its path
    let is_relative = |words: &Value| words[0].as_str().is_some_and(|program| !program.starts_with('/'));
    for list in ["Entrypoint", "Cmd"] {
        if is_relative(&expect[list]) && expect[list].as_array().map(Vec::len) == seen[list].as_array().map(Vec::len) {
            expect.insert(list, seen[list].clone());
        }
    }
    // what an image tells a runtime belongs to what is started in it
    let is_started = !expect["Entrypoint"].is_null() || !expect["Cmd"].is_null();
    if is_started || seen["Entrypoint"] != Value::Null {
        assert_eq!(seen, expect, "{name}");
    }
}

/// Runs nothing in the target stage and its parents, so that its copies are all it gives.
fn only_copies(facts: &StageFacts) -> bool {
    !facts.steps.iter().any(|step| matches!(step.kind, StepKind::Run(_)))
}

#[test]
fn existing_dockerfiles_give_the_same_image() {
    if !daemon() {
        return;
    }
    let Some(client) = docker_client() else {
        return assert!(std::env::var_os("CI").is_none(), "no client can build with BuildKit");
    };
    builders::shell();
    let only = std::env::var("CASE").unwrap_or_default();
    let (mut passed, mut failed) = (Vec::new(), Vec::new());
    for folder in buildable() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !name.contains(&only) {
            continue;
        }
        let arguments = arguments(&folder);
        let text = fs::read_to_string(folder.join("Dockerfile")).unwrap();
        let facts = evaluate(&Dockerfile::parse(&text).unwrap(), None, &arguments).unwrap();
        let takes = if only_copies(&facts) { &["stage", "copies"][..] } else { &["stage"] };
        let more: Vec<String> =
            arguments.iter().flat_map(|(name, value)| ["--build-arg".to_owned(), format!("{name}={value}")]).collect();
        let expect = built_by_docker(client, &folder, &more);
        for take in takes {
            let workspace = workspace(&folder, &facts, &arguments, take);
            let ended = workspace.run(["build", "app", "--no-verify"]);
            let title = format!("{name}, {take}");
            if let Some((_, code)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
                assert!(ended.stderr.contains(&format!("[{code}]")), "{title}: {ended:?}");
                continue;
            }
            if ended.code != Some(0) {
                failed.push(format!("{title}:\n{}", ended.stderr));
                continue;
            }
            let seen = Image::of_daemon(&workspace.tag("app:1.0.0"));
            match std::panic::catch_unwind(|| compare(&title, seen, &expect)) {
                Ok(()) => passed.push(title),
                Err(_) => failed.push(format!("{title}: another image")),
            }
        }
    }
    println!("{} images are the same: {}", passed.len(), passed.join("; "));
    assert!(failed.is_empty(), "{} of {} are not:\n{}", failed.len(), failed.len() + passed.len(), failed.join("\n"));
    assert!(!only.is_empty() || passed.len() >= 25, "{passed:?}");
}
