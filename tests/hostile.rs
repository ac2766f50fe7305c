//! No value of a manifest becomes an instruction: every value of `tests/hostile/values.json` in every text of every manifest.
//!
//! Each combination is either refused with a diagnostic, or gives a Dockerfile with the same instructions as a harmless
//! value, in which a reader of its own ([`support::dockerfile`]) finds exactly the value. `tests/engine` proves the same on
//! real images.

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

mod support;

#[path = "hostile/go.rs"]
mod go;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use camino::Utf8Path;
use groupage::diagnostic::{Diagnostic, Level};
use groupage::lock::Pins;
use groupage::plan::{self, PrunedWorkspaces, Read};
use groupage::render::{self, Templates};
use groupage::resolve::{Overrides, Packages, Selection, resolve};
use groupage::source::{SourceFile, SourceMap};
use groupage::workspace::{ManifestFiles, Memory, read_tree};
use serde_json::Value;
use support::dockerfile::{Arguments, Instruction, read};
use support::hostile::{Hostile, manifest, toml_string, values};
use support::sandbox::{Sandbox, Seen};

/// Every text of every manifest: the manifest, what stands there with the replaced part between `‹` and `›`, and where a
/// Dockerfile shows the value.
const FIELDS: &[(&str, &str, Shown)] = &[
    ("groupage.toml", r#"[‹"components/*"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"‹"registry.example/static:1"›"#, Shown::Base),
    ("groupage.toml", r#"[‹"shell"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"‹"registry.example/make:1"›"#, Shown::Builder),
    ("groupage.toml", r#"‹"bootstrap"›"#, Shown::Nowhere),
    ("groupage.toml", r#"‹"registry.example/team"›"#, Shown::Nowhere),
    ("groupage.toml", r#"‹"static-1"›"#, Shown::Nowhere),
    ("groupage.toml", r#"‹"make-1"›"#, Shown::Nowhere),
    ("groupage.toml", r#"mirror = ‹"registry.example"›"#, Shown::Nowhere),
    ("groupage.toml", r#"mirror-mode = ‹"replace-host"›"#, Shown::Nowhere),
    ("groupage.toml", r#"[‹"registry.example"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"[‹"ca.pem"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"network = ‹"default"›"#, Shown::Nowhere),
    ("groupage.toml", r#"stamp = [‹"revision"›"#, Shown::Nowhere),
    ("groupage.toml", r#"stamp = ["revision", ‹"created"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"user = ‹"allow"›"#, Shown::Nowhere),
    ("groupage.toml", "[bases.‹static›]", Shown::Nowhere),
    ("groupage.toml", "[builders.‹make›]", Shown::Nowhere),
    ("groupage.toml", "‹unexpanded-variable› =", Shown::Nowhere),
    ("groupage.toml", r#"release = [‹"registry.example/team/**"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"staging = [‹"registry.example/staging-*/**:{commit}"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"local = [‹"localhost:*/**"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"third-party = [‹"docker.io/**"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"retired = [‹"registry.example/old/**"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"known-registries = [‹"registry.example"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"ignore = [‹"tests/**/[a-z]?"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"moving = [‹"latest"›"#, Shown::Nowhere),
    ("groupage.toml", r#"moving = ["latest", ‹"{major}"›"#, Shown::Nowhere),
    ("groupage.toml", r#""{major}", ‹"{major}.{minor}"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"immutable = [‹"*-build.*"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"‹"registry.example/**"› = "#, Shown::Nowhere),
    ("groupage.toml", r#"= ‹"v?3.0.YYYYMMDD"›"#, Shown::Nowhere),
    ("groupage.toml", r#"reference = ‹"registry.example/staging-a/b:f1ea649"›"#, Shown::Nowhere),
    ("groupage.toml", r#"reason = ‹"for a while"›"#, Shown::Nowhere),
    ("groupage.toml", r#"issue = ‹"https://issues.example/1"›"#, Shown::Nowhere),
    ("groupage.toml", r#"expires = ‹"2024-11-01"›"#, Shown::Nowhere),
    ("groupage.toml", "[environments.‹staging›]", Shown::Nowhere),
    ("groupage.toml", "[environments.‹release›]", Shown::Nowhere),
    ("groupage.toml", r#"classes = [‹"release"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"registries = [‹"registry.example/**"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"tags = ‹"immutable"›"#, Shown::Nowhere),
    ("groupage.toml", r#"required = [‹"full"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"temporary = ‹"deny"›"#, Shown::Nowhere),
    ("groupage.toml", r#"pre-release = ‹"warn"›"#, Shown::Nowhere),
    ("groupage.toml", r#"warn-for = [‹"*-alpha*"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"{ ‹"registry.default"› ="#, Shown::Nowhere),
    ("groupage.toml", r#"= ‹"registry.example/released"› }"#, Shown::Nowhere),
    ("groupage.toml", r#"promoted-from = ‹"staging"›"#, Shown::Nowhere),
    ("groupage.toml", r#"registry = ‹"registry.example/released"›"#, Shown::Nowhere),
    ("image.toml", r#"tags = [‹"{version}{variant}"›"#, Shown::Nowhere),
    ("image.toml", r#"{variant}", ‹"{version}-{fingerprint}"›]"#, Shown::Nowhere),
    ("groupage.toml", "[products.‹p›]", Shown::Nowhere),
    ("groupage.toml", r#"newest = ‹"2.0.0"›"#, Shown::Nowhere),
    ("groupage.toml", r#"product = ‹"p"›"#, Shown::Nowhere),
    ("groupage.toml", r#"image = ‹"registry.example/old/{a,b}"›"#, Shown::Nowhere),
    ("groupage.toml", r#"aliases = [‹"registry.example/older/*-b"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"mirrors = ‹"path"›"#, Shown::Nowhere),
    ("groupage.toml", r#"kind = ‹"folded"›"#, Shown::Nowhere),
    ("groupage.toml", r#"since = [‹"1.0.0"›, "1.1.2"]"#, Shown::Nowhere),
    ("groupage.toml", r#"since = ["1.0.0", ‹"1.1.2"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"replacement = ‹"registry.example/new/{name}"›"#, Shown::Nowhere),
    ("groupage.toml", r#"floor = ‹"v1.0.0"›"#, Shown::Nowhere),
    ("groupage.toml", r#"windows = ‹"v1.1.2"›"#, Shown::Nowhere),
    ("groupage.toml", "{ ‹windows› =", Shown::Nowhere),
    ("groupage.toml", r#"app-version = ‹"v{version}{suffix}"›"#, Shown::Nowhere),
    ("groupage.toml", r#"suffixes = [‹"-base"›"#, Shown::Nowhere),
    ("groupage.toml", r#""-base", ‹"-full"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"command = [‹"/usr/bin/a"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"args = [‹"given"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"old-command = [‹"/a"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"until = ‹"1.5.0"›"#, Shown::Nowhere),
    ("groupage.toml", r#"keys = [‹"aImage"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"slot = ‹"image"›"#, Shown::Nowhere),
    ("groupage.toml", r#"note = ‹"a line"›"#, Shown::Nowhere),
    ("groupage.toml", r#"image = ‹"registry.example/older/c"›"#, Shown::Nowhere),
    ("groupage.toml", r#"kind = ‹"moved"›"#, Shown::Nowhere),
    ("groupage.toml", r#"since = ‹"1.0.0"›"#, Shown::Nowhere),
    ("groupage.toml", r#"replacement = ‹"registry.example/new/c"›"#, Shown::Nowhere),
    ("groupage.toml", r#"fixed = ‹"1"›"#, Shown::Nowhere),
    ("component.toml", r#"name = ‹"a"›"#, Shown::Nowhere),
    ("component.toml", r#"description = ‹"text"›"#, Shown::Nowhere),
    ("component.toml", r#"‹"@team"›"#, Shown::Nowhere),
    ("component.toml", r#"‹"weekly"›"#, Shown::Nowhere),
    ("component.toml", r#"version = ‹"1.0.0"›"#, Shown::Nowhere),
    ("component.toml", r#"[‹"tzdata"›]"#, Shown::Nowhere),
    ("component.toml", r#"[‹"linux/s390x"›]"#, Shown::Nowhere),
    ("component.toml", r#"[["one", ‹"two"›]]"#, Shown::Nowhere),
    ("component.toml", r#"builder = ‹"make"›"#, Shown::Nowhere),
    ("component.toml", r#"[‹"input"›]"#, Shown::Nowhere),
    ("component.toml", r#"[‹"make all"›]"#, Shown::Command),
    ("component.toml", r#"BUILD_TEXT = ‹"text"›"#, Shown::Env("BUILD_TEXT")),
    ("component.toml", "{ ‹BUILD_TEXT›", Shown::Nowhere),
    ("component.toml", r#"‹"/out/a"›"#, Shown::Copied),
    ("component.toml", "‹out› =", Shown::Nowhere),
    ("component.toml", "‹one› = []", Shown::Nowhere),
    ("component.toml", r#"[‹"b?/x"›]"#, Shown::Nowhere),
    ("component.toml", r#"[‹"x"›]"#, Shown::Nowhere),
    ("component.toml", r#"‹"output:out"›"#, Shown::Nowhere),
    ("component.toml", r#"to = ‹"/usr/bin/a"›"#, Shown::Nowhere),
    ("component.toml", r#"‹"0755"›"#, Shown::Nowhere),
    ("component.toml", "mode = \"0755\"\nwhen = ‹\"one\"›", Shown::Nowhere),
    ("component.toml", r#"‹"stage:/out/other"›"#, Shown::Nowhere),
    ("component.toml", r#"to = ‹"/usr/share/other"›"#, Shown::Copied),
    ("component.toml", r#"from = ‹"data"›"#, Shown::Nowhere),
    ("component.toml", r#"to = ‹"/usr/share/data"›"#, Shown::Nowhere),
    ("component.toml", r#"[‹"/usr/bin/a"›,"#, Shown::Nowhere),
    ("component.toml", r#"/usr/bin/a", ‹"text"›"#, Shown::Entrypoint),
    ("component.toml", r#"args = [‹"given"›]"#, Shown::Cmd),
    ("component.toml", "args-style = ‹\"command\"›\nprobe", Shown::Nowhere),
    ("component.toml", r#"volumes = [‹"/var/lib/a"›]"#, Shown::Volume),
    ("component.toml", r#"stop-signal = ‹"SIGQUIT"›"#, Shown::StopSignal),
    ("component.toml", r#"shell = ‹"test -e /x"›"#, Shown::Health),
    ("component.toml", r#"interval = ‹"30s"›"#, Shown::Nowhere),
    ("component.toml", r#"timeout = ‹"5s"›"#, Shown::Nowhere),
    ("component.toml", r#"start-period = ‹"1m"›"#, Shown::Nowhere),
    ("component.toml", r#"probe = [‹"/usr/bin/a"›,"#, Shown::Nowhere),
    ("component.toml", r#"‹"probe"›]"#, Shown::Nowhere),
    ("component.toml", r#"‹"65532:65532"›"#, Shown::User),
    ("component.toml", r#"‹"/work"›"#, Shown::Workdir),
    ("component.toml", r#"‹"http"›"#, Shown::Nowhere),
    ("component.toml", r#"‹"tcp"›"#, Shown::Nowhere),
    ("component.toml", r#"protocol = "tcp", when = ‹"one"›"#, Shown::Nowhere),
    ("component.toml", r#"{ TEXT = ‹"text"›"#, Shown::Env("TEXT")),
    ("component.toml", "{ ‹TEXT›", Shown::Nowhere),
    ("component.toml", r#"needs = [‹"shell"›]"#, Shown::Nowhere),
    ("component.toml", r#"[‹"/a"›]"#, Shown::Nowhere),
    ("component.toml", r#"‹"unprivileged"›"#, Shown::Nowhere),
    ("component.toml", r#"[‹"a"›]"#, Shown::Nowhere),
    ("component.toml", "waits-for = [\"a\"]\nwhen = ‹\"one\"›", Shown::Nowhere),
    ("component.toml", "[roles.‹a›]", Shown::Nowhere),
    ("component.toml", r#"‹"registry.example/old/a"›"#, Shown::Nowhere),
    ("component.toml", r#"‹"folded"›"#, Shown::Nowhere),
    ("component.toml", r#"replacement = ‹"registry.example/app"›"#, Shown::Nowhere),
    ("component.toml", r#"since = [‹"1.0.0"›, "1.1.2"]"#, Shown::Nowhere),
    ("component.toml", r#"since = ["1.0.0", ‹"1.1.2"›]"#, Shown::Nowhere),
    ("component.toml", r#"floor = ‹"1.0.0"›"#, Shown::Nowhere),
    ("component.toml", "floor = \"1.0.0\"\ncommand = [‹\"/usr/bin/a\"›,", Shown::Nowhere),
    ("component.toml", r#"‹"given"›]"#, Shown::Nowhere),
    ("component.toml", r#"id = ‹"1"›"#, Shown::Nowhere),
    ("component.toml", r#"[‹"/a"›, "promised"]"#, Shown::Nowhere),
    ("component.toml", r#"‹"promised"›]"#, Shown::Nowhere),
    ("component.toml", "args-style = ‹\"command\"›\nuser = \"65532\"", Shown::Nowhere),
    ("component.toml", r#"‹"65532"›"#, Shown::Nowhere),
    ("component.toml", r#"{ port = 8080, protocol = ‹"tcp"› }"#, Shown::Nowhere),
    ("component.toml", r#"platforms = [‹"linux/amd64"›]"#, Shown::Nowhere),
    ("dependency.toml", r#"‹"registry.example/b:1"›"#, Shown::Nowhere),
    ("existing.toml", r#"path = ‹"sub/existing"›"#, Shown::Nowhere),
    ("existing.toml", r#"target = ‹"last"›"#, Shown::Nowhere),
    ("existing.toml", r#"TEXT = ‹"given"›"#, Shown::Nowhere),
    ("existing.toml", "{ ‹TEXT› =", Shown::Nowhere),
    ("existing.toml", r#"context = ‹"sub"›"#, Shown::Nowhere),
    ("existing.toml", r#"take = ‹"copies"›"#, Shown::Nowhere),
    ("existing.toml", r#"‹"1000:1000"›"#, Shown::Nowhere),
    ("existing.toml", "{ ‹worker› =", Shown::Nowhere),
    ("existing.toml", r#"[‹"echo ignored"›]"#, Shown::Nowhere),
    ("groupage.toml", r#"distribution = ‹"alpine 3.19"›"#, Shown::Nowhere),
    ("image.toml", r#"name = ‹"app"›"#, Shown::Nowhere),
    ("image.toml", r#"description = ‹"text"›"#, Shown::Label("org.opencontainers.image.description")),
    ("image.toml", r#"version = ‹"1.0.0"›"#, Shown::Label("org.opencontainers.image.version")),
    ("image.toml", r#"base = ‹"static"›"#, Shown::Nowhere),
    ("image.toml", r#"‹"colocated"›"#, Shown::Nowhere),
    ("image.toml", r#"default-role = ‹"a"›"#, Shown::Nowhere),
    ("image.toml", r#"[‹"linux/amd64"›]"#, Shown::Nowhere),
    ("image.toml", r#"[[‹"a"›]]"#, Shown::Nowhere),
    ("image.toml", r#"[["small", ‹"full"›]]"#, Shown::Nowhere),
    ("image.toml", r#"[[‹"small"›,"#, Shown::Nowhere),
    ("image.toml", "\n‹a› = {", Shown::Nowhere),
    ("image.toml", r#"features = [‹"one"›]"#, Shown::Nowhere),
    ("image.toml", r#"[‹"linux/riscv64"›]"#, Shown::Nowhere),
    ("image.toml", "‹small› = []", Shown::Nowhere),
    ("image.toml", r#"‹"dep:b"›"#, Shown::Nowhere),
    ("image.toml", r#"‹"a/one"›"#, Shown::Nowhere),
    ("image.toml", r#"features = [‹"full"›]"#, Shown::Nowhere),
    ("image.toml", "[variants.‹v›]", Shown::Nowhere),
    ("image.toml", r#"‹"-v"›"#, Shown::Nowhere),
    ("image.toml", r#""example.com/label" = ‹"text"›"#, Shown::Label("example.com/label")),
    ("image.toml", r#"‹"example.com/label"› ="#, Shown::Nowhere),
    ("image.toml", r#"‹"port-collision"›"#, Shown::Nowhere),
    ("image.toml", "components = [‹\"a\"›]\nreason", Shown::Nowhere),
    ("image.toml", r#"reason = ‹"text"›"#, Shown::Nowhere),
];

/// Where a Dockerfile shows a value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shown {
    Nowhere,
    Base,
    Builder,
    Command,
    Copied,
    Entrypoint,
    Cmd,
    Volume,
    StopSignal,
    Health,
    Workdir,
    User,
    Env(&'static str),
    Label(&'static str),
}

/// What stands in the manifest, and what is put there for a value.
fn edit(field: &str, value: &str) -> (String, String) {
    let (before, rest) = field.split_once('‹').expect("a field marks what is replaced");
    let (_, after) = rest.split_once('›').expect("a field marks what is replaced");
    (field.replace(['‹', '›'], ""), format!("{before}{}{after}", toml_string(value)))
}

/// A workspace in which everything is harmless.
fn workspace() -> Sandbox {
    let sandbox = Sandbox::new();
    for (path, text) in manifests() {
        sandbox.write(path, text);
    }
    sandbox.write("components/c/sub/existing", include_str!("hostile/existing.Dockerfile"));
    sandbox.write("components/c/sub/file", "x\n");
    sandbox.write("components/a/input", "x\n").write("components/a/data/file", "x\n");
    sandbox
}

fn harmless() -> Vec<Vec<Instruction>> {
    dockerfiles(workspace().root(), &manifests()).expect("it is harmless")
}

/// The Dockerfiles of a workspace, or nothing when a diagnostic refuses it. In this process, since there are thousands.
fn dockerfiles(root: &Path, files: &[(&str, String)]) -> Result<Vec<Vec<Instruction>>, String> {
    match generated(Utf8Path::from_path(root).expect("it is UTF-8"), files) {
        Ok(texts) => texts.iter().map(|text| read(text)).collect(),
        Err(problems) if problems.iter().any(|problem| problem.level == Level::Error) => Ok(Vec::new()),
        Err(problems) => Err(format!("refused without an error: {problems:?}")),
    }
}

fn generated(root: &Utf8Path, files: &[(&str, String)]) -> Result<Vec<String>, Vec<Diagnostic>> {
    let (mut map, mut ids) = (SourceMap::default(), ManifestFiles::default());
    for (path, text) in files {
        let id = map.add(SourceFile::new(*path, text.as_str()));
        match *path {
            "groupage.toml" => ids.settings = Some(id),
            path if path.starts_with("images/") => ids.images.push(id),
            _ => {
                ids.components.push(id);
                let named = groupage::manifest::named_dockerfile(id, map.file(id)).map(|path| path.value);
                if let Some(path) = named
                    && let Ok(text) = std::fs::read_to_string(root.join(&path))
                {
                    let dockerfile = map.add(SourceFile::new(path.clone(), text));
                    ids.dockerfiles.insert(path, dockerfile);
                }
            }
        }
    }
    let manifests = groupage::manifest::parse(&map, &ids)?;
    let problems = groupage::check::unknown_rules(&manifests);
    if !problems.is_empty() {
        return Err(problems);
    }
    let selection = Selection { all_variants: true, ..Selection::default() };
    let resolution = resolve(&manifests, &Packages::new(), &selection, &Overrides::default())?;
    let pruned = PrunedWorkspaces::new();
    let tree = read_tree(root, &plan::wants(&resolution, &pruned, root), &Memory::default())?;
    let plan = plan::plan(
        &resolution,
        &Pins::default(),
        &Read { tree: &tree, pruned: &pruned, go: &Default::default(), root, templates: &Default::default() },
    )?;
    let findings = groupage::check::run(&resolution, &plan);
    if findings.iter().any(|finding| finding.level == Level::Error) {
        return Err(findings);
    }
    let templates = Templates::new(&[], &map)?;
    plan.images.iter().map(|image| render::dockerfile(image, &templates).map_err(|problem| vec![problem])).collect()
}

/// The manifests of the harmless workspace, by path.
fn manifests() -> Vec<(&'static str, String)> {
    let names = ["groupage.toml", "component.toml", "dependency.toml", "existing.toml", "image.toml"];
    let mut manifests = names.map(manifest).to_vec();
    // the other tests of these manifests have no Dockerfile
    let (_, image) = manifests.last_mut().expect("there are some");
    *image = image.replace("b = { optional = true }", "b = { optional = true }\nc = {}");
    manifests
}

fn names(instructions: &[Instruction]) -> Vec<&str> {
    instructions.iter().map(|instruction| instruction.name.as_str()).collect()
}

#[test]
fn a_harmless_workspace_is_what_the_reader_expects() {
    let files = harmless();
    assert_eq!(files.len(), 2, "the plain image and its variant");
    for (_, field, shown) in FIELDS {
        let (_, value) = edit(field, "text");
        assert!(value.contains("\"text\""), "{field} → {value}");
        assert!(*shown == Shown::Nowhere || files[0].iter().any(|one| shows(one, *shown).is_some()), "{shown:?}");
    }
}

#[test]
fn every_text_of_every_manifest_is_a_field() {
    for name in ["groupage.toml", "component.toml", "image.toml"] {
        let (_, text) = manifest(name);
        for (_, field, _) in FIELDS.iter().filter(|(file, ..)| *file == name) {
            assert!(text.contains(&edit(field, "").0), "{name} has no {field}");
        }
        for text in texts_of(&text) {
            let known = FIELDS.iter().any(|(file, field, _)| *file == name && field.contains(&format!("‹{text}›")));
            assert!(known, "{name}: the text {text} is in no field");
        }
    }
}

/// Every quoted text of a manifest.
fn texts_of(manifest: &str) -> BTreeSet<String> {
    let quoted = manifest.split('"').skip(1).step_by(2);
    quoted.map(|text| format!("\"{text}\"")).filter(|text| text != "\"images/*\"").collect()
}

#[test]
fn no_value_becomes_an_instruction() {
    let (sandbox, harmless, values) = (workspace(), harmless(), values());
    let queue = Mutex::new(FIELDS.iter().collect::<Vec<_>>());
    let failures = Mutex::new(Vec::new());
    let accepted = Mutex::new(0_usize);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(field) = { queue.lock().expect("nothing panics").pop() } {
                    for value in &values {
                        match check(sandbox.root(), field, value, &harmless) {
                            Ok(is_accepted) => *accepted.lock().expect("nothing panics") += usize::from(is_accepted),
                            Err(failure) => failures
                                .lock()
                                .expect("nothing panics")
                                .push(format!("{}: {} = {:.60}: {failure}", field.0, field.1, value.name)),
                        }
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("all threads are done");
    assert!(failures.is_empty(), "{} of them:\n{}", failures.len(), failures.join("\n"));
    // a test that only ever sees refusals would prove nothing
    let accepted = accepted.into_inner().expect("all threads are done");
    assert!(accepted > values.len() * 8, "only {accepted} combinations were accepted");
}

/// Whether the value was accepted.
fn check(
    root: &Path,
    field: &(&str, &str, Shown),
    value: &Hostile,
    harmless: &[Vec<Instruction>],
) -> Result<bool, String> {
    let (file, place, shown) = field;
    let (old, new) = edit(place, &value.text());
    let (path, _) = manifest(file);
    let mut manifests = manifests();
    let (_, text) = manifests.iter_mut().find(|(own, _)| *own == path).expect("it is one of them");
    *text = text.replacen(&old, &new, 1);
    let files = dockerfiles(root, &manifests)?;
    if files.is_empty() {
        return Ok(false);
    }
    for (instructions, harmless) in files.iter().zip(harmless) {
        let same = names(instructions) == names(harmless);
        // texts that decide what is in an image may leave parts of it out, and add nothing
        let fewer = *shown == Shown::Nowhere && instructions.len() <= harmless.len();
        if !same && !fewer {
            return Err(format!("{:?} instead of {:?}", names(instructions), names(harmless)));
        }
        if let Some(line) = instructions.iter().find_map(unsafe_shell) {
            return Err(format!("a shell would read more than words: {line}"));
        }
        let found: Vec<String> = instructions.iter().filter_map(|one| shows(one, *shown)).collect();
        let text = value.text();
        // the bare name of an image could also be that of a stage, and is written out
        let written_out = format!("docker.io/library/{text}");
        let is_image = matches!(shown, Shown::Base | Shown::Builder);
        let holds = holds(&found, &text) || (is_image && holds(&found, &written_out));
        if *shown != Shown::Nowhere && !holds && instructions != harmless {
            return Err(format!("{found:.200?} instead of {text:.100?}"));
        }
    }
    Ok(true)
}

/// Whether one of the found texts is the value. A path may also be copied in two steps: into a folder of its own, and from
/// there to where it belongs.
fn holds(found: &[String], value: &str) -> bool {
    let mut parts = found.iter().flat_map(|found| found.split('\n'));
    let (folder, name) = value.rsplit_once('/').unwrap_or(("", value));
    let in_two_steps = parts.clone().any(|part| part == format!("{folder}/"))
        && parts.clone().any(|part| part.ends_with(&format!("/{name}")));
    found.iter().any(|found| found == value) || parts.any(|part| part == value) || in_two_steps
}

/// A line for a shell that holds more than plain words outside of single quotes.
fn unsafe_shell(instruction: &Instruction) -> Option<String> {
    let Arguments::Text(text) = &instruction.arguments else { return None };
    let plain = |c: char| c.is_ascii_alphanumeric() || " ./_-+=:@,%{}".contains(c);
    let outside = text.split('\'').step_by(2);
    let is_plain = outside.flat_map(str::chars).all(plain) && text.matches('\'').count() % 2 == 0;
    (instruction.name == "RUN" && !is_plain).then(|| text.clone())
}

/// The value that an instruction shows.
fn shows(instruction: &Instruction, shown: Shown) -> Option<String> {
    let Instruction { name, arguments, .. } = instruction;
    let pair = |wanted: &str| match arguments {
        Arguments::Pairs(pairs) => pairs.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.clone()),
        _ => None,
    };
    match (shown, name.as_str(), arguments) {
        (Shown::Label(key), "LABEL", _) | (Shown::Env(key), "ENV", _) => pair(key),
        (Shown::Entrypoint, "ENTRYPOINT", Arguments::Words(words)) => words.last().cloned(),
        (Shown::Cmd, "CMD", Arguments::Words(words)) | (Shown::Volume, "VOLUME", Arguments::Words(words)) => {
            words.last().cloned()
        }
        (Shown::StopSignal, "STOPSIGNAL", Arguments::Text(text))
        | (Shown::Health, "HEALTHCHECK", Arguments::Text(text)) => Some(text.clone()),
        (Shown::Command, "RUN", Arguments::Words(words)) => words.last().cloned(),
        (Shown::Workdir, "WORKDIR", Arguments::Text(text)) | (Shown::User, "USER", Arguments::Text(text)) => {
            Some(text.clone())
        }
        (Shown::Base, "FROM", Arguments::Text(text)) => text.strip_suffix(" AS image").map(str::to_owned),
        (Shown::Builder, "FROM", Arguments::Text(text)) => {
            let (image, stage) = text.split_once(" AS ")?;
            (image != "scratch" && stage != "image").then(|| image.to_owned())
        }
        (Shown::Copied, "COPY", Arguments::Words(words)) => Some(words.join("\n")),
        _ => None,
    }
}

/// Texts that are no values: names of folders and files end up in comments and paths.
#[test]
fn names_on_disk_are_harmless_too() {
    let harmless = harmless();
    for value in values().iter().filter(|value| value.text().len() < 200 && !value.text().contains(['\0', '/'])) {
        let text = value.text();
        if ["", ".", ".."].contains(&text.as_str()) {
            continue;
        }
        let sandbox = workspace();
        let (_, image) = manifests().pop().expect("there are some");
        sandbox.write(&format!("images/{text}/image.toml"), image.replace("\"app\"", "\"other\""));
        sandbox.write(&format!("components/a/data/{text}"), "x");
        let ended = sandbox.groupage(["generate"]);
        assert!(matches!(ended.code, Some(0 | 2)) && !ended.stderr.contains("panicked"), "{}: {ended:?}", value.name);
        for (path, seen) in support::sandbox::snapshot(sandbox.root()) {
            let Seen::File { bytes, .. } = seen else { continue };
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if let Some(index) = ["Dockerfile", "Dockerfile.v"].iter().position(|own| *own == name) {
                let read =
                    read(&String::from_utf8_lossy(&bytes)).unwrap_or_else(|error| panic!("{}: {error}", value.name));
                assert_eq!(names(&read), names(&harmless[index]), "{}", value.name);
            }
        }
    }
}

/// The plan is data for programs: it holds every accepted value as it was written.
#[test]
fn the_plan_holds_the_value() {
    for value in values() {
        let sandbox = workspace();
        let (path, text) = manifest("image.toml");
        let text = text.replacen("description = \"text\"", &format!("description = {}", toml_string(&value.text())), 1);
        sandbox.write(path, text);
        let ended = sandbox.groupage(["plan", "--format", "json", "app"]);
        if ended.code == Some(0) {
            let plan: Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
            let label = &plan["images"][0]["stamp"]["org.opencontainers.image.description"];
            assert_eq!(label.as_str(), Some(value.text().as_str()), "{}", value.name);
        }
    }
}
