//! What cargo reads and the plan does not know: named and refused, because a change of it would go unseen. No daemon.

use crate::native_samples::image;
use crate::support::Ended;
use crate::support::workspace::Workspace;

/// The image `app` of the program `hello`, whose package depends on `lib`, on a procedural macro and, in its build script, on
/// `maker`. What cargo reads of them is known: it passes.
fn workspace(files: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::empty();
    workspace
        .write("groupage.toml", "schema = 1\n[builders]\nrust = \"registry.invalid/rust:1\"\n")
        .write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"components/*\", \"libs/*\"]\n")
        .write(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"hello\"\nversion = \"0.4.0\"\n\
             dependencies = [\n \"lib\",\n \"mac\",\n \"maker\",\n]\n\n[[package]]\nname = \"lib\"\nversion = \"0.4.0\"\n\n\
             [[package]]\nname = \"mac\"\nversion = \"0.4.0\"\n\n[[package]]\nname = \"maker\"\nversion = \"0.4.0\"\n\n[[package]]\nname = \"other\"\nversion = \"0.4.0\"\n",
        )
        .write(".gitignore", "ignored*\n")
        .write(
            "components/hello/component.toml",
            "schema = 1\nname = \"hello\"\nowner = \"@test\"\nversion = { cargo = true }\n\n[build.cargo]\npackage = \"hello\"\n\n\
             [[install]]\nfrom = \"bin:hello\"\nto = \"/usr/bin/hello\"\n",
        )
        .write(
            "components/hello/Cargo.toml",
            "[package]\nname = \"hello\"\nversion = \"0.4.0\"\nedition = \"2024\"\n\n[dependencies]\nlib.path = \"../../libs/lib\"\n\
             mac.path = \"../../libs/mac\"\n\n[build-dependencies]\nmaker.path = \"../../libs/maker\"\n",
        )
        .write(
            "components/hello/build.rs",
            "fn main() {\n    let out = std::env::var(\"OUT_DIR\").unwrap();\n    std::fs::write(format!(\"{out}/made.rs\"), maker::made()).unwrap();\n\
             \x20   println!(\"cargo:rerun-if-changed=Cargo.toml\\ncargo:rerun-if-changed=a folder\\ncargo:rerun-if-changed=none\");\n}\n",
        )
        .write("components/hello/a folder/text file", "text")
        .write("components/hello/a folder/.gitignore", "/ignored\n")
        .write(
            "components/hello/src/main.rs",
            "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\n\
             fn main() { println!(\"{} {} {} {}\", MADE, lib::TEXT, mac::text!(), include_str!(\"../a folder/text file\")); }\n",
        );
    for (name, more, code) in [
        ("maker", "", "pub fn made() -> String { include_str!(\"made.txt\").to_owned() }\n"),
        ("lib", "", "pub const TEXT: &str = include_str!(\"../text.txt\");\n"),
        (
            "mac",
            "\n[lib]\nproc-macro = true\n",
            "#[proc_macro]\npub fn text(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n    include_str!(\"quoted.txt\").parse().unwrap()\n}\n",
        ),
        ("other", "", ""),
    ] {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.4.0\"\nedition = \"2021\"\n{more}");
        workspace.write(&format!("libs/{name}/Cargo.toml"), manifest).write(&format!("libs/{name}/src/lib.rs"), code);
    }
    workspace
        .write("libs/maker/src/made.txt", "const MADE: &str = \"made\";")
        .write("libs/lib/text.txt", "lib")
        .write("libs/mac/src/quoted.txt", "\"mac\"");
    files.iter().for_each(|(path, text)| _ = workspace.write(path, text));
    image(&workspace, "app", "scratch", &["hello"], "");
    workspace
}

/// Of the image; cargo says as much of crates.
const UP_TO_DATE: &str = "[app] up to date";

/// It is refused twice: the second time cargo has nothing to do.
#[track_caller]
fn refused(workspace: &Workspace, words: &[&str]) {
    for _ in 0..2 {
        let ended = Ended::of(&mut workspace.native(&[])).expect(1);
        for word in [&["component: hello ", "hint: "], words].concat() {
            assert!(ended.stderr.contains(word), "no {word:?} in:\n{}", ended.stderr);
        }
        assert!(!ended.stderr.contains(UP_TO_DATE), "{}", ended.stderr);
        assert!(!workspace.root().join("target/groupage/oci").exists(), "something was written");
    }
}

const MAIN: &str = "components/hello/src/main.rs";
const BUILD: &str = "components/hello/build.rs";

/// A build script that tells cargo of a path.
fn script(path: &str) -> String {
    format!(
        "fn main() {{\n    let out = std::env::var(\"OUT_DIR\").unwrap();\n    std::fs::write(format!(\"{{out}}/made.rs\"), maker::made()).unwrap();\n\
         \x20   println!(\"cargo:rerun-if-changed={path}\");\n}}\n"
    )
}

#[test]
fn what_the_plan_knows_passes_and_is_noticed() {
    let workspace = workspace(&[]);
    workspace.build_native("app", &[]);
    for path in [
        "components/hello/a folder/text file",
        "libs/maker/src/made.txt",
        "libs/lib/text.txt",
        "libs/mac/src/quoted.txt",
    ] {
        let again = Ended::of(&mut workspace.native(&[])).expect(0);
        assert!(again.stderr.contains(UP_TO_DATE), "{}", again.stderr);
        let text = std::fs::read_to_string(workspace.root().join(path)).unwrap();
        workspace.write(path, text + " ");
        let again = Ended::of(&mut workspace.native(&[])).expect(0);
        assert!(!again.stderr.contains(UP_TO_DATE), "{path}: {}", again.stderr);
    }
}

#[test]
fn files_beside_packages() {
    let include = "const T: &str = include_str!(\"../../../shared.txt\");\nfn main() { println!(\"{T}\"); }\n";
    refused(&workspace(&[(MAIN, include), ("shared.txt", "x")]), &["shared.txt", "package"]);
    let (dependency, file) =
        ("pub const TEXT: &str = include_str!(\"../../shared file.txt\");\n", "libs/shared file.txt");
    refused(&workspace(&[("libs/lib/src/lib.rs", dependency), (file, "x")]), &[file]);
    refused(&workspace(&[(BUILD, &script("../../shared.txt")), ("shared.txt", "x")]), &["shared.txt"]);
    refused(&workspace(&[(BUILD, &script("../../shared")), ("shared/x", "x")]), &["shared"]);
    // a package that is none of its own
    let other = "const T: &str = include_str!(\"../../../libs/other/x.txt\");\nfn main() { println!(\"{T}\"); }\n";
    refused(&workspace(&[(MAIN, other), ("libs/other/x.txt", "x")]), &["libs/other/x.txt"]);
}

#[test]
fn files_that_are_left_out() {
    let include = "const T: &str = include_str!(\"ignored.txt\");\nfn main() { println!(\"{T}\"); }\n";
    let text = "components/hello/src/ignored.txt";
    let workspace_of_text = workspace(&[(MAIN, include), (text, "x")]);
    refused(&workspace_of_text, &[text, &format!("`!{text}`"), ".dockerignore"]);
    // the next step that is named is one
    workspace_of_text.write(".dockerignore", format!("!{text}\n"));
    workspace_of_text.build_native("app", &[]);
    workspace_of_text.write(text, "y");
    let again = Ended::of(&mut workspace_of_text.native(&[])).expect(0);
    assert!(!again.stderr.contains(UP_TO_DATE), "{}", again.stderr);

    let (code, module) = ("mod ignored;\nfn main() { ignored::run(); }\n", "components/hello/src/ignored.rs");
    refused(&workspace(&[(MAIN, code), (module, "pub fn run() {}")]), &[module]);
    let inside = "components/hello/a folder/ignored";
    refused(&workspace(&[(inside, "x")]), &[inside]);
    let tests = "const T: &str = include_str!(\"../tests/x.txt\");\nfn main() { println!(\"{T}\"); }\n";
    let file = "components/hello/tests/x.txt";
    refused(&workspace(&[(MAIN, tests), (file, "x")]), &[file, "another folder"]);
}

#[test]
fn files_that_are_no_sources() {
    let git = workspace(&[(BUILD, &script("../../.git/HEAD")), (".git/HEAD", "ref: refs/heads/main\n")]);
    refused(&git, &[".git/HEAD", "stamp"]);
    let workspace = workspace(&[]);
    let outside = workspace.beside("outside.txt");
    std::fs::write(&outside, "x").unwrap();
    let outside = outside.canonicalize().unwrap().display().to_string();
    workspace
        .write(MAIN, format!("const T: &str = include_str!(\"{outside}\");\nfn main() {{ println!(\"{{T}}\"); }}\n"));
    refused(&workspace, &[&outside]);
    // what a link shows is what is read; one that is an input and leads out is refused before
    let link = "components/hello/src/ignored.txt";
    workspace.write(MAIN, "const T: &str = include_str!(\"ignored.txt\");\nfn main() { println!(\"{T}\"); }\n");
    workspace.write("shared.txt", "x");
    std::os::unix::fs::symlink("../../../shared.txt", workspace.root().join(link)).unwrap();
    refused(&workspace, &[link, " shared.txt"]);
}
