//! The borders of the source tree: who may use what, and how files look. A border that has to be crossed is a decision: it is
//! made in the tables below, with a reason.

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Modules in flow order, and those above them that each may use besides those of [`SHARED`].
const ARROWS: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("diagnostic", &[]),
    ("yaml", &[]),
    ("oci", &[]),
    ("dockerfile", &[]),
    ("workspace", &[]),
    ("manifest", &["workspace"]),
    ("policy", &["workspace", "manifest"]),
    ("resolve", &["workspace", "manifest", "policy"]),
    ("lock", &["workspace", "manifest", "resolve"]),
    ("plan", &["workspace", "manifest", "policy", "resolve", "lock"]),
    ("release", &["workspace", "manifest", "policy", "resolve", "lock", "plan"]),
    // for the thread pool
    ("check", &["workspace", "manifest", "policy", "resolve", "lock", "plan"]),
    ("migrate", &["workspace", "manifest", "policy"]),
    ("render", &["workspace", "manifest", "resolve", "plan"]),
    ("verify", &["plan", "check", "render"]),
    ("adopt", &["workspace", "manifest", "verify"]),
    ("engine", &["workspace", "manifest", "plan", "render", "verify"]),
    ("report", &["manifest", "resolve", "plan", "render", "verify", "engine"]),
];

/// What every module may use.
const SHARED: &[&str] = &["source", "diagnostic", "yaml", "oci", "dockerfile"];

/// Words that only some modules may hold, and why.
const RESERVED: &[(&[&str], &[&str], &str)] = &[
    (&["fs_err", "std::fs", "walkdir"], &["workspace", "engine", "cli"], "only the edges touch the disk"),
    (
        &["process::Command", "cargo_metadata"],
        &["workspace", "engine"],
        "only the edges start programs; the right one compiles",
    ),
    (
        &["env::var", "env::vars", "env::vars_os", "env::current_dir"],
        &["workspace", "cli"],
        "the environment is read once",
    ),
    (
        &["print!(", "println!(", "eprint!(", "eprintln!(", "stdout()", "stderr()"],
        &["cli", "report", "workspace"],
        "only cli prints",
    ),
    (&["anyhow"], &["cli"], "errors of modules are enums"),
    (&["bollard", "tokio", "reqwest"], &["engine"], "async and the network live at the edge"),
    (&["process::exit", "ExitCode"], &["cli", "main"], "only cli chooses exit codes"),
    (&["SystemTime"], &["workspace"], "outputs must not depend on the clock; `--on today` asks for it in words"),
    (&["HashMap", "HashSet"], &[], "their order can leak into outputs"),
];

/// The longest file that can still be read at one go.
const MAX_LINES: usize = 400;

struct Source {
    /// Below `xtask/src`.
    path: PathBuf,
    text: String,
}

impl Source {
    /// The first part of the path: the phase that the file belongs to.
    fn module(&self) -> String {
        let first = self.path.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
        first.unwrap_or_default().trim_end_matches(".rs").to_owned()
    }

    fn is_test(&self) -> bool {
        self.path.iter().any(|part| part == "tests" || part == "tests.rs")
    }

    /// Lines of code with their numbers: no comments, no unit tests.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let code = lines.take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
        code.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("it is there")
}

fn files_below(top: &Path, wanted: &mut dyn FnMut(&Path)) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(top).expect("a folder").map(|entry| entry.expect("it is listed").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.is_symlink() {
            files_below(&path, wanted);
        } else {
            wanted(&path);
        }
    }
}

fn sources() -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    files_below(&top, &mut |path| {
        let below = path.strip_prefix(&top).expect("it is below").to_owned();
        sources.push(Source { path: below, text: fs::read_to_string(path).expect("it is text") });
    });
    sources
}

/// Shows all that is wrong at once.
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn arrows_point_to_earlier_phases() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let module = source.module();
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else { continue };
        for (line, text) in source.code() {
            for used in text.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                let fits = used == module || SHARED.contains(&used.as_str()) || allowed.contains(&used.as_str());
                if ARROWS.iter().any(|(name, _)| *name == used) && !fits {
                    wrong.push(format!("src/{}:{line}: {module} uses {used}", source.path.display()));
                }
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_module_has_its_arrows() {
    let known: BTreeSet<String> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let found: BTreeSet<String> = sources().iter().map(Source::module).collect();
    let new: Vec<&String> =
        found.difference(&known).filter(|name| !["lib", "main", "cli"].contains(&name.as_str())).collect();
    assert!(new.is_empty(), "say in ARROWS what {new:?} may use");
}

#[test]
fn words_stay_in_their_modules() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        for (words, modules, why) in
            RESERVED.iter().filter(|(_, modules, _)| !modules.contains(&source.module().as_str()))
        {
            for (line, text) in source.code() {
                for word in words.iter().filter(|word| text.contains(*word)) {
                    let place = source.path.display();
                    wrong.push(format!("src/{place}:{line}: {word}: {why} ({})", modules.join(", ")));
                }
            }
        }
    }
    none(&wrong);
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("src/{} has {lines} lines; at most {MAX_LINES}", source.path.display()));
        }
        if !source.text.starts_with("//!") {
            wrong.push(format!("src/{} does not begin with `//!`", source.path.display()));
        }
    }
    none(&wrong);
}

#[test]
fn every_dependency_says_why() {
    let manifest = fs::read_to_string(repository().join("xtask/Cargo.toml")).expect("it is there");
    let mut wrong = Vec::new();
    let (mut inside, mut above) = (false, "");
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if inside && line.contains('=') && !line.starts_with(['#', ' ']) && !above.starts_with('#') {
            wrong.push(format!("xtask/Cargo.toml: no line of why above `{line}`"));
        }
        above = line;
    }
    none(&wrong);
}

#[test]
fn generated_dockerfiles_are_current() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["generate", "--check"])
        .current_dir(repository())
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn readme_names_every_command() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("it is there");
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("--help").output().expect("it starts");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> =
        commands.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    assert!(names.contains(&"plan"), "{help}");
    let missing: Vec<&&str> = names.iter().filter(|name| !readme.contains(&format!("`{name}"))).collect();
    assert!(missing.is_empty(), "README.md does not name {missing:?}");
}

/// Nothing in the repository knows the machine that it was written on.
#[test]
fn no_machine_paths() {
    let root = repository();
    let mut wrong = Vec::new();
    // put together here, so that this file does not hold them; `/home/u` is everybody
    let machine = ["/home", "/Users", "/root"].map(|home| format!("{home}/"));
    let folder = root.to_string_lossy().into_owned();
    let listed = Command::new("git").args(["ls-files", "--cached"]).current_dir(&root).output().expect("git starts");
    for path in String::from_utf8_lossy(&listed.stdout).lines() {
        let Ok(text) = fs::read_to_string(root.join(path)) else { continue };
        for (index, line) in text.lines().enumerate() {
            // a folder as short as `/app` is a word like any other
            let here = folder.matches('/').count() > 1 && line.contains(&format!("{folder}/"));
            let begins = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_-.".contains(c));
            let everybody = |at: usize| {
                let rest = line[at..].strip_prefix("/home/u");
                rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
            };
            let is_home = |(at, _): (usize, &str)| begins(at) && !everybody(at);
            if here || machine.iter().any(|home| line.match_indices(home.as_str()).any(is_home)) {
                wrong.push(format!("{path}:{}: {:.120}", index + 1, line.trim()));
            }
        }
    }
    none(&wrong);
}
