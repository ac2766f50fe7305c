//! Dockerfiles of every kind: each folder of `tests/dockerfiles` holds one, with the files that it copies, and what is read
//! from it. `UPDATE_EXPECT=1` writes what is read; look at it. `args.txt` holds arguments of the build.

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

#[path = "dockerfiles/corpus.rs"]
mod corpus;
#[path = "dockerfiles/engine.rs"]
mod engine;
#[path = "dockerfiles/properties.rs"]
mod properties;
#[path = "dockerfiles/summary.rs"]
mod summary;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use corpus::{cases, shelf};
use groupage::dockerfile::{Dockerfile, DockerfileError, evaluate};

/// Compares with a file, or writes it.
fn expect(path: &Path, actual: &str) -> Option<String> {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, actual).expect("a file");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    (expected != actual).then(|| format!("{}: expected\n{expected}\nbut is\n{actual}", path.display()))
}

#[test]
fn every_case_is_read_as_expected() {
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let file = Dockerfile::parse(&case.text).unwrap_or_else(|errors| panic!("{}: {errors:?}", case.name));
        let actual = summary::of(&file, &case.args);
        wrong.extend(expect(&case.folder.join("expected.txt"), &actual));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Line and column, from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    (before.matches('\n').count() + 1, before[before.rfind('\n').map_or(0, |end| end + 1)..].chars().count() + 1)
}

#[test]
fn every_error_is_said_with_its_place() {
    let mut actual = String::new();
    let folder = shelf().join("invalid");
    for path in corpus::files(&folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "Dockerfile")) {
        let text = fs::read_to_string(&path).expect("it is text");
        let stages = |file: Dockerfile| {
            let numbers = (0..file.stages().len()).map(|number| number.to_string());
            let all: Vec<DockerfileError> = numbers
                .filter_map(|number| evaluate(&file, Some(&number), &Default::default()).err())
                .flatten()
                .collect();
            all
        };
        let errors = Dockerfile::parse(&text).map_or_else(|errors| errors, stages);
        assert!(!errors.is_empty(), "{} is not wrong", path.display());
        writeln!(actual, "{}", path.file_stem().expect("a name").to_string_lossy()).expect("a text");
        for error in errors {
            let (line, column) = place(&text, error.span.start);
            let shown = error.span.of(&text).lines().next().unwrap_or_default();
            assert!(error.help.is_some(), "{}: no next step: {error}", path.display());
            writeln!(actual, "  {line}:{column} {}", error.message).expect("a text");
            writeln!(actual, "      at {shown:?}; {}", error.help.unwrap_or_default()).expect("a text");
        }
    }
    let wrong = expect(&folder.join("expected.txt"), &actual);
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}

/// What templates of every build kind give, as transcripts of cases show it.
#[test]
fn every_generated_dockerfile_prints_back() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases");
    let mut kinds = std::collections::BTreeSet::new();
    let transcripts = corpus::files(&cases).into_iter().filter(|path| path.ends_with("expected.txt"));
    for path in transcripts {
        let transcript = fs::read_to_string(&path).expect("it is text");
        let mut lines = transcript.lines().peekable();
        while let Some(line) = lines.next() {
            let is_dockerfile = |name: &str| name.rsplit('/').next().is_some_and(|name| name.starts_with("Dockerfile"));
            if !line.strip_prefix("-- wrote ").is_some_and(is_dockerfile) {
                continue;
            }
            let mut text = String::new();
            while let Some(line) = lines.next_if(|line| line.is_empty() || line.starts_with("    ")) {
                text.push_str(line.strip_prefix("    ").unwrap_or_default());
                text.push('\n');
            }
            let file = Dockerfile::parse(&text).unwrap_or_else(|errors| panic!("{}: {errors:?}", path.display()));
            properties::tiles(&file);
            // what only one kind of stage has
            for (kind, sign) in [
                ("cargo", "cargo build"),
                ("dockerfile", "# from components/"),
                ("files", "root/\""),
                ("go", "go build"),
                ("image", ".source"),
                ("script", "\"-euc\""),
            ] {
                if text.contains(sign) {
                    kinds.insert(kind);
                }
            }
        }
    }
    let all = ["cargo", "dockerfile", "files", "go", "image", "script"];
    assert!(kinds.into_iter().eq(all), "a kind has no case");
}

#[test]
fn every_dockerfile_of_the_repository_prints_back() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seen = 0;
    for folder in ["images", "tests", "examples"] {
        for path in corpus::files(&repository.join(folder)) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !name.starts_with("Dockerfile") || name.ends_with(".hbs") || name.ends_with(".dockerignore") {
                continue;
            }
            // what cannot be read has cases of its own
            if name.ends_with(".broken") || path.components().any(|part| part.as_os_str() == "invalid") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("it is text");
            let file = Dockerfile::parse(&text).unwrap_or_else(|errors| panic!("{}: {errors:?}", path.display()));
            properties::tiles(&file);
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
}
