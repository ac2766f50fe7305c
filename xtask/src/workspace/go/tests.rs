//! Modules on the disk, and what is said of those that are not right.

use super::*;

fn sandbox(files: &[(&str, &str)]) -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap().join("w");
    fs::create_dir(&root).unwrap();
    for (path, text) in files {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }
    (folder, root)
}

fn request(from: &str, module: Option<&str>, package: &str) -> GoRequest {
    GoRequest { from: from.into(), module: module.map(str::to_owned), package: package.to_owned() }
}

fn ask(files: &[(&str, &str)], request: GoRequest) -> Result<GoPackage, GoReadError> {
    let (_folder, root) = sandbox(files);
    read(&root, &[request]).pop().unwrap()
}

const MAIN: &str = "package main\nfunc main() {}\n";

#[test]
fn modules_are_found() {
    let files = [
        ("go.mod", "module example.com/top\ngo 1.19\n"),
        ("main.go", MAIN),
        ("cmd/tool/main.go", "package main\nimport \"example.com/top/lib\"\nfunc main() { lib.F() }\n"),
        ("lib/lib.go", "package lib\nimport \"fmt\"\nfunc F() { fmt.Println() }\n"),
        ("other/go.mod", "module example.com/other/v2\n"),
        ("other/main.go", MAIN),
    ];
    let check = |request: GoRequest, folder: &str, path: &str, program: &str, folders: &[&str]| {
        let found = ask(&files, request).unwrap();
        assert_eq!((found.folder.as_str(), found.path.as_str(), found.program()), (folder, path, program));
        assert_eq!(found.folders.keys().map(|folder| folder.as_str()).collect::<Vec<_>>(), folders);
    };
    let own = ["cmd/tool", "lib"];
    check(request("", None, "."), "", "example.com/top", "top", &[""]);
    check(request("components/a", None, "./cmd/tool"), "cmd/tool", "example.com/top/cmd/tool", "tool", &own);
    check(request("x", Some(".."), "example.com/top/cmd/tool"), "cmd/tool", "example.com/top/cmd/tool", "tool", &own);
    check(request("", Some("other"), "."), "other", "example.com/other/v2", "other", &["other"]);
}

#[test]
fn errors_say_what_to_do() {
    let check = |files: &[(&str, &str)], request: GoRequest, expect: &str| {
        let error = ask(files, request).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{error}");
    };
    let module = ("go.mod", "module a\n");
    check(&[], request("c", None, "."), "there is no go.mod in c or in a folder above it\nhint: name");
    check(&[], request("c", Some("m"), "."), "there is no go.mod in c/m\nhint: name");
    check(&[module], request("c", Some("../.."), "."), "c/../.. is outside of the workspace\nhint: ");
    check(&[("go.mod", "module a\nrequire b\n")], request("", None, "."), "go.mod:2: this is no `require`\nhint: ");
    check(&[("go.mod", "go 1.19\n")], request("", None, "."), "go.mod:1: there is no `module`\nhint: ");
    check(&[module], request("", None, "./x"), "module a has no package `./x`\nhint: write it as");
    check(&[module], request("", None, "x/y"), "module a has no package `x/y`\nhint: write it as");
    let lib = ("lib.go", "package lib\n");
    check(&[module, lib], request("", None, "."), " is package `lib`, and a program is package `main`\nhint: ");
    let out = ("go.mod", "module a\nrequire b v1.0.0\nreplace b => ../b\n");
    check(&[out, ("main.go", MAIN)], request("", None, "."), "../b is outside of the workspace\nhint: ");
}

#[test]
fn what_has_to_be_fetched() {
    let check = |files: &[(&str, &str)], expect: &[&str]| {
        let files: Vec<(&str, &str)> = files.iter().copied().chain([("main.go", MAIN)]).collect();
        let found = ask(&files, request("", None, ".")).unwrap();
        assert_eq!(found.modules.fetched.iter().map(String::as_str).collect::<Vec<_>>(), expect);
    };
    let requires = ("go.mod", "module a\nrequire (\n\tb v1.0.0\n\tc v1.0.0\n)\nreplace c => ./c\n");
    let c = ("c/go.mod", "module c\n");
    check(&[requires, c], &["b"]);
    check(&[requires, c, ("vendor/modules.txt", "")], &[]);
    check(&[requires, c, ("go.work", "go 1.19\nuse (\n\t.\n\t./b\n)\n"), ("b/go.mod", "module b\n")], &[]);
    // a go.work that does not name the module is not for it
    check(&[requires, c, ("go.work", "go 1.19\nuse ./b\n"), ("b/go.mod", "module b\n")], &["b"]);
}
