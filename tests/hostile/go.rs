//! The same for `[build.go]`, whose sources decide with its texts what is built.

use std::collections::BTreeMap;

use super::*;
use groupage::manifest::BuildKind;
use groupage::plan::go::{GoPackages, go_program, go_request};
use groupage::workspace::go;

const IMAGE: &str = "schema = 1\nname = \"app\"\nversion = \"1.0.0\"\nbase = \"scratch\"\nplatforms = [\"linux/amd64\"]\n\n[components]\ng = {}\n";
const SETTINGS: &str = "schema = 1\n[builders]\nmake = \"registry.example/make:1\"\n";

/// Every text of `[build.go]`.
const GO_FIELDS: &[&str] = &[
    r#"module = ‹"mod"›"#,
    r#"package = ‹"./cmd/tool"›"#,
    r#"bin = ‹"tool"›"#,
    r#"tags = [‹"special"›]"#,
    r#"ldflags = [‹"-X main.v={version}"›]"#,
    r#"builder = ‹"make"›"#,
    r#"from = ‹"bin:tool"›"#,
    r#"version = ‹"1.0.0"›"#,
];

fn component() -> String {
    std::fs::read_to_string(support::hostile::folder().join("go.toml")).expect("the manifest is there")
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write("components/g/mod/go.mod", "module example.com/g\n\ngo 1.18\n")
        .write("components/g/mod/cmd/tool/main.go", "package main\n\nfunc main() {}\n")
        .write("components/g/mod/cmd/tool/special.go", "//go:build special\n\npackage main\n")
        .write("components/g/mod/cmd/tool/tag.go", "//go:build tag\n\npackage main\n");
    sandbox
}

/// The Dockerfile of the workspace with a component; nothing when a diagnostic refuses it.
fn dockerfile(root: &Utf8Path, component: &str) -> Result<Option<Vec<Instruction>>, String> {
    match generated_go(root, component) {
        Ok(text) => read(&text).map(Some),
        Err(problems) if problems.iter().any(|problem| problem.level == Level::Error) => Ok(None),
        Err(problems) => Err(format!("refused without an error: {problems:?}")),
    }
}

fn generated_go(root: &Utf8Path, component: &str) -> Result<String, Vec<Diagnostic>> {
    let (mut map, mut ids) = (SourceMap::default(), ManifestFiles::default());
    ids.settings = Some(map.add(SourceFile::new("groupage.toml", SETTINGS)));
    ids.components.push(map.add(SourceFile::new("components/g/component.toml", component)));
    ids.images.push(map.add(SourceFile::new("images/app/image.toml", IMAGE)));
    let manifests = groupage::manifest::parse(&map, &ids)?;
    let (mut packages, mut go) = (Packages::new(), GoPackages::new());
    for (name, component) in &manifests.components {
        let BuildKind::Go(build) = &component.build.kind else { continue };
        let found = go::read(root, &[go_request(&component.folder, build)]).remove(0);
        packages.go.insert(name.clone(), go_program(&found));
        go.extend(found.ok().map(|package| (name.clone(), package)));
    }
    let resolution = resolve(&manifests, &packages, &Selection::default(), &Overrides::default())?;
    let pruned = plan::prune(&resolution, None, &go)?;
    let tree = read_tree(root, &plan::wants(&resolution, &pruned, root), &Memory::default())?;
    let templates = BTreeMap::new();
    let read = Read { tree: &tree, pruned: &pruned, go: &go, root, templates: &templates };
    let plan = plan::plan(&resolution, &Pins::default(), &read)?;
    let findings = groupage::check::run(&resolution, &plan);
    if findings.iter().any(|finding| finding.level == Level::Error) {
        return Err(findings);
    }
    render::dockerfile(&plan.images[0], &Templates::new(&[], &map)?).map_err(|problem| vec![problem])
}

/// What the shell reads behind the words of the template, which no value changes.
fn words_of_build(instructions: &[Instruction]) -> String {
    let texts = instructions.iter().filter_map(|one| match &one.arguments {
        Arguments::Text(text) if one.name == "RUN" => text.split_once("go build -trimpath"),
        _ => None,
    });
    texts.map(|(_, rest)| rest.replace("&& install", "install")).collect()
}

#[test]
fn no_value_of_a_go_build_becomes_an_instruction() {
    let sandbox = sandbox();
    let root = Utf8Path::from_path(sandbox.root()).expect("it is UTF-8");
    let harmless = dockerfile(root, &component()).expect("it is read").expect("it is harmless");
    assert!(words_of_build(&harmless).contains("'-ldflags=-X main.v=1.0.0'"), "{}", words_of_build(&harmless));
    let mut accepted = 0;
    for field in GO_FIELDS {
        assert!(component().contains(&edit(field, "").0), "there is no {field}");
        for value in values() {
            let (old, new) = edit(field, &value.text());
            let seen = dockerfile(root, &component().replacen(&old, &new, 1));
            let seen = seen.unwrap_or_else(|error| panic!("{field}: {}: {error}", value.name));
            let Some(seen) = seen else { continue };
            accepted += 1;
            assert_eq!(names(&seen), names(&harmless), "{field}: {}", value.name);
            let run = Instruction {
                name: "RUN".to_owned(),
                arguments: Arguments::Text(words_of_build(&seen)),
                ..harmless[0].clone()
            };
            assert_eq!(unsafe_shell(&run), None, "{field}: {}", value.name);
        }
    }
    assert!(accepted > values().len() / 2, "only {accepted} were accepted");
}

#[test]
fn every_text_of_a_go_build_is_a_field() {
    let text = component();
    let build = text.split("[build.go]").nth(1).and_then(|rest| rest.split("[features]").next()).unwrap_or_default();
    for text in texts_of(build) {
        assert!(GO_FIELDS.iter().any(|field| field.contains(&format!("‹{text}›"))), "the text {text} is in no field");
    }
}
