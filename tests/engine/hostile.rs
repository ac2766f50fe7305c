//! Hostile values in every field that reaches an image: each is either refused, with a place, before anything is built, or the
//! image holds exactly that value. Nothing of it is ever an instruction, a variable or a command.
//!
//! All accepted values go into few images: labels, environment, command words, paths and roles share one. Fields of which an
//! image has one share a small image per value.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use serde_json::Value;

use crate::support::archive::{Image, Kind};
use crate::support::workspace::Workspace;
use crate::support::{Ended, builders, daemon};

/// Beside these, a text of 10 kB.
const VALUES: &[&str] = &[
    "plain",
    "",
    " ",
    " leading",
    "trailing ",
    "tab\there",
    "two\nlines",
    "carriage\r\nreturn",
    "\nUSER 0\n",
    "x\"\nRUN touch /pwned\n",
    "\"",
    "'",
    "\"; touch /pwned; \"",
    "'; touch /pwned; '",
    "`id`",
    "$(id)",
    "$HOME",
    "${HOME}",
    "${HOME:-x}",
    "$$",
    "\\",
    "\\\\",
    "\\n",
    "\\$HOME",
    "trailing\\",
    "#",
    "# comment",
    "a #b",
    "# escape=`",
    "# syntax=x/y",
    "größe 語 🚢",
    "\u{202e}rtl",
    "\u{feff}bom",
    "e\u{301}",
    "\u{2028}line",
    "{{image}}",
    "{{{raw}}}",
    "{{> stages/cargo}}",
    "[\"a\", \"b\"]",
    "]",
    "=",
    "a=b c=d",
    "--from=x",
    "-rf",
    "<<EOF",
    "&& false",
    "; false",
    "| false",
    "> /pwned",
    "*",
    "?",
    "[a-z]",
    "!x",
    "~",
    ".",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "a//b",
    "%s%n",
    "\0",
    "bell\u{7}",
    "\u{1b}[31m",
    "\u{7f}",
    ".wh.x",
    ".wh..wh..opq",
    ".dockerignore",
    "Dockerfile",
    "comp-main",
];

/// A place where a value is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Label,
    LabelName,
    Environment,
    EnvironmentName,
    CommandWord,
    InstalledPath,
    InstalledFrom,
    /// A file below a folder that is installed.
    FileName,
    LinkTarget,
    Alias,
    RoleName,
    ComponentVersion,
    ScriptEnvironment,
    ScriptCommand,
    // an image has one of each of these
    Description,
    WorkingFolder,
    ImageVersion,
}

const SHARED: &[Field] = &[
    Field::Label,
    Field::LabelName,
    Field::Environment,
    Field::EnvironmentName,
    Field::CommandWord,
    Field::InstalledPath,
    Field::InstalledFrom,
    Field::FileName,
    Field::LinkTarget,
    Field::Alias,
    Field::RoleName,
    Field::ComponentVersion,
    Field::ScriptEnvironment,
    Field::ScriptCommand,
];

const OWN: &[Field] = &[Field::Description, Field::WorkingFolder, Field::ImageVersion];

/// A value, its number, and where it is put.
type Trial<'a> = (Field, usize, &'a str);

/// A string of TOML.
fn quoted(text: &str) -> String {
    // what JSON escapes, TOML does too; it wants one more
    serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007f")
}

/// The values of one field.
fn of<'a>(trials: &'a [Trial<'a>], field: Field) -> impl Iterator<Item = (usize, &'a str)> {
    trials.iter().filter(move |trial| trial.0 == field).map(|(_, index, value)| (*index, *value))
}

/// `key = value` in TOML for each value of a field.
fn pairs(trials: &[Trial<'_>], field: Field, pair: impl Fn(usize, &str) -> String) -> String {
    of(trials, field).map(|(index, value)| pair(index, value)).collect::<Vec<_>>().join("\n")
}

/// A workspace with one image that holds all these values; `None` when the file system refuses one of them.
fn workspace(trials: &[Trial<'_>], shell: &str) -> Option<Workspace> {
    let workspace = Workspace::empty();
    let settings =
        format!("schema = 1\n[builders]\nshell = {}\n[rules]\nunexpanded-variable = \"allow\"\n", quoted(shell));
    workspace.write("groupage.toml", settings);
    let mut installs = String::new();
    let mut install = |from: &str, to: &str| {
        _ = writeln!(installs, "[[install]]\nfrom = {}\nto = {}", quoted(from), quoted(to));
    };
    workspace.write("components/main/main", "main");
    for (index, value) in of(trials, Field::InstalledPath) {
        install("main", &format!("/to/{index}/{value}"));
    }
    for (index, value) in of(trials, Field::InstalledFrom) {
        put(&workspace, &format!("from-{index}"), value, None)?;
        install(&format!("from-{index}/{value}"), &format!("/from/{index}"));
    }
    for (index, value) in of(trials, Field::FileName) {
        put(&workspace, &format!("folder-{index}"), value, None)?;
        install(&format!("folder-{index}"), &format!("/folder/{index}"));
    }
    for (index, value) in of(trials, Field::LinkTarget) {
        put(&workspace, &format!("links-{index}"), "link", Some(value))?;
        install(&format!("links-{index}"), &format!("/links/{index}"));
    }
    let words: Vec<String> = of(trials, Field::CommandWord).map(|(_, value)| quoted(value)).collect();
    let aliases: Vec<String> =
        of(trials, Field::Alias).map(|(index, value)| quoted(&format!("/alias/{index}/{value}"))).collect();
    let environment = pairs(trials, Field::Environment, |index, value| format!("V{index} = {}", quoted(value)));
    let names = pairs(trials, Field::EnvironmentName, |index, value| format!("{} = \"{index}\"", quoted(value)));
    let roles = pairs(trials, Field::RoleName, |_, value| {
        format!("[roles.{}]\ncommand = [\"/srv/main\"]\nuser = \"65532:65532\"", quoted(value))
    });
    workspace.files_component(
        "main",
        &format!(
            "[[install]]\nfrom = \"main\"\nto = \"/srv/main\"\nmode = \"0755\"\n{installs}\n[roles.main]\ncommand = [{}]\nuser = \"65532:65532\"\naliases = [{}]\n[roles.main.env]\n{environment}\n\
             {names}\n{roles}\n",
            [vec!["\"/srv/main\"".to_owned()], words].concat().join(", "),
            aliases.join(", ")
        ),
    );
    let mut components = vec!["main".to_owned()];
    for (index, value) in of(trials, Field::ComponentVersion) {
        let name = format!("version-{index}");
        workspace
            .write(&format!("components/{name}/file"), name.as_str())
            .files_component(&name, &format!("[[install]]\nfrom = \"file\"\nto = \"/version/{index}\"\n"));
        let path = format!("components/{name}/component.toml");
        let text = std::fs::read_to_string(workspace.root().join(&path)).unwrap();
        workspace.write(&path, text.replace("version = \"1.0.0\"", &format!("version = {}", quoted(value))));
        components.push(name);
    }
    if let Some(text) = script(trials) {
        workspace.write("components/made/component.toml", text);
        components.push("made".to_owned());
    }
    let labels = pairs(trials, Field::Label, |index, value| format!("\"test.{index}\" = {}", quoted(value)));
    let label_names = pairs(trials, Field::LabelName, |index, value| format!("{} = \"{index}\"", quoted(value)));
    let components: Vec<&str> = components.iter().map(String::as_str).collect();
    let more = format!("default-role = \"main\"\n[labels]\n{labels}\n{label_names}\n");
    workspace.image("app", &components, &more);
    Some(workspace)
}

/// Puts a file, or a link, of this name into a folder of the component; `None` when the file system refuses.
fn put(workspace: &Workspace, folder: &str, name: &str, target: Option<&str>) -> Option<()> {
    let folder = workspace.root().join("components/main").join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    // this is about names, not about ways out of the folder
    if name.contains('/') || name == "." || name == ".." {
        return None;
    }
    match target {
        Some(target) => std::os::unix::fs::symlink(target, folder.join(name)).ok(),
        None => std::fs::write(folder.join(name), name).ok(),
    }
}

/// A component whose commands write the values that they are given.
fn script(trials: &[Trial<'_>]) -> Option<String> {
    let by_variable = of(trials, Field::ScriptEnvironment)
        .map(|(index, _)| format!("printf %s \"$S{index}\" > /out/env-{index}"))
        .collect::<Vec<_>>();
    let by_word = of(trials, Field::ScriptCommand)
        .map(|(index, value)| format!("printf %s '{}' > /out/command-{index}", value.replace('\'', "'\\''")))
        .collect::<Vec<_>>();
    // several at once, because each command is a step of its own
    let lines = |chunk: &[String]| quoted(&chunk.join("\n"));
    let mut commands = vec![quoted("mkdir /out")];
    commands.extend(by_variable.chunks(20).map(lines));
    commands.extend(by_word.chunks(10).map(lines));
    let environment = pairs(trials, Field::ScriptEnvironment, |index, value| format!("S{index} = {}", quoted(value)));
    (commands.len() > 1).then(|| {
        format!(
            "schema = 1\nname = \"made\"\nowner = \"@test\"\nversion = \"1.0.0\"\n[build.script]\nbuilder = \"shell\"\n\
             commands = [{}]\n[build.script.outputs]\nout = \"/out\"\n[build.script.env]\n{environment}\n\
             [[install]]\nfrom = \"output:out\"\nto = \"/made\"\n",
            commands.join(", ")
        )
    })
}

/// The value is where it belongs, byte by byte.
#[track_caller]
fn holds(image: &Image, (field, index, value): Trial<'_>) {
    let config = |pointer: &str| image.config.pointer(pointer).cloned().unwrap_or_default();
    let is_file = |path: String, text: &str| {
        let small = matches!(image.tree.get(&path).map(|entry| &entry.kind), Some(Kind::File { .. }));
        assert!(small && image.read(&path) == text.as_bytes(), "{path:?} is not {text:?}");
    };
    let links_to = |path: String, target: Option<&str>| match image.tree.get(&path).map(|entry| &entry.kind) {
        Some(Kind::Link { target: seen }) => {
            assert!(target.is_none_or(|target| target == seen), "{path:?} -> {seen:?}")
        }
        other => panic!("{path:?} is {other:?}"),
    };
    let listed = |pointer: &str| config(pointer).as_array().cloned().unwrap_or_default();
    let text = |value: &str| Value::from(value);
    match field {
        Field::Label => assert_eq!(config("/Labels")[format!("test.{index}")], text(value)),
        Field::LabelName => assert_eq!(config("/Labels")[value], text(&index.to_string())),
        Field::Environment => {
            assert!(listed("/Env").contains(&text(&format!("V{index}={value}"))), "{:?}", listed("/Env"))
        }
        Field::EnvironmentName => assert!(listed("/Env").contains(&text(&format!("{value}={index}")))),
        // their order is checked for all of them together
        Field::CommandWord => assert!(listed("/Entrypoint").contains(&text(value))),
        Field::InstalledPath => is_file(format!("/to/{index}/{value}"), "main"),
        Field::InstalledFrom => is_file(format!("/from/{index}"), value),
        Field::FileName => is_file(format!("/folder/{index}/{value}"), value),
        Field::LinkTarget => links_to(format!("/links/{index}/link"), Some(value)),
        Field::Alias => links_to(format!("/alias/{index}/{value}"), None),
        Field::RoleName => {
            let main = image.description()["components"]
                .as_array()
                .unwrap()
                .iter()
                .find(|part| part["name"] == "main")
                .cloned();
            assert!(main.unwrap()["roles"].get(value).is_some());
        }
        Field::ComponentVersion => {
            let parts = image.description()["components"].as_array().unwrap().clone();
            let part = parts.iter().find(|part| part["name"] == format!("version-{index}")).unwrap();
            assert_eq!(part["version"], text(value));
        }
        Field::ScriptEnvironment => is_file(format!("/made/env-{index}"), value),
        Field::ScriptCommand => is_file(format!("/made/command-{index}"), value),
        Field::Description => {
            assert_eq!(config("/Labels")["org.opencontainers.image.description"], text(value));
        }
        Field::WorkingFolder => assert_eq!(config("/WorkingDir"), text(&format!("/work/{value}"))),
        Field::ImageVersion => assert_eq!(config("/Labels")["org.opencontainers.image.version"], text(value)),
    }
}

/// True when the plan takes it. A refusal must be a diagnostic with a place, not a failure on the way.
#[track_caller]
fn is_accepted(trial: Trial<'_>, ended: &Ended) -> bool {
    match ended.code {
        Some(0) => return true,
        Some(1 | 2) if trial.2 == "plain" => panic!("{trial:?} is refused:\n{}", ended.stderr),
        Some(1 | 2) => {}
        code => panic!("{trial:?}: exit {code:?}\n{}", ended.stderr),
    }
    let place = ended.stderr.lines().any(|line| {
        line.trim_start().strip_prefix("--> ").is_some_and(|place| {
            (place.starts_with("components/") || place.starts_with("images/")) && place.split(':').count() >= 3
        })
    });
    assert!(place, "{trial:?} is refused without a place:\n{}", ended.stderr);
    false
}

/// All values; long ones are given by their field, for a path has its own limits.
fn values() -> Vec<String> {
    let long = "0123456789".repeat(1000);
    VALUES.iter().map(|value| (*value).to_owned()).chain([long]).collect()
}

/// Which of these trials a plan takes, each by itself, on all cores. A value that means nothing to anybody must be taken.
fn accepted<'a>(trials: Vec<Trial<'a>>, try_it: impl Fn(Trial<'a>) -> Option<Ended> + Sync) -> Vec<Trial<'a>> {
    let (queue, good) = (Mutex::new(trials), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(trial) = { queue.lock().unwrap().pop() } {
                    if try_it(trial).is_some_and(|ended| is_accepted(trial, &ended)) {
                        good.lock().unwrap().push(trial);
                    }
                }
            });
        }
    });
    let mut good = good.into_inner().unwrap();
    good.sort();
    good
}

fn trials<'a>(fields: &[Field], values: &'a [String]) -> Vec<Trial<'a>> {
    let of_field = |field: Field| values.iter().enumerate().map(move |(index, value)| (field, index, value.as_str()));
    fields.iter().flat_map(|field| of_field(*field)).collect()
}

#[test]
fn an_image_holds_every_accepted_value_exactly() {
    if !daemon() {
        return;
    }
    let (values, shell) = (values(), builders::shell());
    let good = accepted(trials(SHARED, &values), |trial| Some(workspace(&[trial], &shell)?.run(["plan"])));
    for field in SHARED {
        assert!(of(&good, *field).next().is_some(), "no value at all is accepted for {field:?}");
    }
    // texts that mean something to Docker or a shell, and must still be possible
    for value in
        ["$(id)", "${HOME}", "\"", "trailing\\", "# comment", "größe 語 🚢", "{{image}}", values.last().unwrap()]
    {
        for field in
            [Field::Label, Field::Environment, Field::CommandWord, Field::ScriptEnvironment, Field::ScriptCommand]
        {
            assert!(of(&good, field).any(|(_, seen)| seen == value), "{value:?} is refused for {field:?}");
        }
    }
    let workspace = workspace(&good, &shell).expect("each of them can be made");
    workspace.run(["build", "--no-verify"]).expect(0);
    let image = Image::of_daemon(&workspace.tag("app:1.0.0"));
    good.iter().for_each(|trial| holds(&image, *trial));

    let entrypoint: Vec<&str> =
        std::iter::once("/srv/main").chain(of(&good, Field::CommandWord).map(|(_, value)| value)).collect();
    assert_eq!(image.config["Entrypoint"], serde_json::json!(entrypoint));
    assert_eq!(image.config["User"], "65532:65532");
    assert!(!image.tree.contains_key("/pwned"));
    let tops: Vec<&str> = image.tree.keys().map(|path| path[1..].split('/').next().unwrap()).collect();
    let tops: std::collections::BTreeSet<&str> = tops.into_iter().collect();
    let expect = [".groupage", "alias", "folder", "from", "links", "made", "srv", "to", "version"];
    assert_eq!(tops.into_iter().collect::<Vec<_>>(), expect, "nothing else came into being");
}

/// An image for each value, with that value in every field that takes it.
fn own_images(good: &[Trial<'_>]) -> (Workspace, BTreeMap<usize, String>) {
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", "schema = 1\n").write("components/file/file", "file");
    let mut images = BTreeMap::new();
    let indexes: std::collections::BTreeSet<usize> = good.iter().map(|trial| trial.1).collect();
    for index in indexes {
        let with = |field: Field| of(good, field).find(|(seen, _)| *seen == index).map(|(_, value)| value);
        let (name, component) = (format!("i{index}"), format!("c{index}"));
        let workdir = with(Field::WorkingFolder)
            .map(|value| format!("workdir = {}\n", quoted(&format!("/work/{value}"))))
            .unwrap_or_default();
        workspace.write(&format!("components/{component}/file"), "file").files_component(
            &component,
            &format!(
                "[[install]]\nfrom = \"file\"\nto = \"/file\"\nmode = \"0755\"\n[roles.{component}]\ncommand = [\"/file\"]\n\
                 user = \"65532:65532\"\n{workdir}"
            ),
        );
        let description =
            with(Field::Description).map(|value| format!("description = {}\n", quoted(value))).unwrap_or_default();
        let more = format!("default-role = \"{component}\"\n{description}");
        workspace.image(&name, &[&component], &more);
        let version = with(Field::ImageVersion).unwrap_or("1.0.0");
        if version != "1.0.0" {
            let path = format!("images/{name}/image.toml");
            let text = std::fs::read_to_string(workspace.root().join(&path)).unwrap();
            workspace.write(&path, text.replace("version = \"1.0.0\"", &format!("version = {}", quoted(version))));
        }
        images.insert(index, name);
    }
    (workspace, images)
}

#[test]
fn what_an_image_has_once_is_exact_too() {
    if !daemon() {
        return;
    }
    let values = values();
    let good = accepted(trials(OWN, &values), |trial| Some(own_images(&[trial]).0.run(["plan"])));
    let (workspace, images) = own_images(&good);
    let built = workspace.run(["build", "--no-verify", "--progress", "quiet"]).expect(0).stdout;
    for (index, name) in images {
        let prefix = workspace.tag(&format!("{name}:"));
        let tag =
            built.lines().find(|line| line.starts_with(&prefix)).expect("it was built").split(' ').next().unwrap();
        let image = Image::of_daemon(tag);
        good.iter().filter(|trial| trial.1 == index).for_each(|trial| holds(&image, *trial));
        assert!(!image.tree.contains_key("/pwned") && image.config["User"] == "65532:65532");
    }
}
