//! Manual pages: one for each command, with every option of its help, and nothing that `man` complains about.

use std::fs;
use std::process::Command;

use crate::completions::{commands, options};
use crate::support::sandbox::Sandbox;

#[test]
fn every_command_has_a_page_with_its_options() {
    let sandbox = Sandbox::new();
    let ended = sandbox.groupage(["man", "--output", "pages"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
    let again = sandbox.groupage(["man", "--output", "pages"]);
    assert_eq!(again.stderr, "", "the same program writes the same pages");
    let mut names = Vec::new();
    for words in commands() {
        let name = [vec!["groupage".to_owned()], words.clone()].concat().join("-");
        let page = fs::read_to_string(sandbox.root().join(format!("pages/{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH {name} 1")), "{name}: {page:.200}");
        for option in options(&words) {
            // roff has hyphens where the option has minus signs
            let written = option.replace('-', "\\-");
            assert!(page.contains(&format!("\\fB{written}\\fR")), "{name} does not say {option}");
        }
        names.push(format!("{name}.1"));
    }
    let entries = fs::read_dir(sandbox.root().join("pages")).unwrap();
    let mut written: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    written.sort();
    names.sort();
    assert_eq!(written, names);
    let main = sandbox.groupage(["man"]);
    assert_eq!(main.stdout, fs::read_to_string(sandbox.root().join("pages/groupage.1")).unwrap());
}

/// What the programs that show pages say of them, where they are installed.
#[test]
fn man_and_its_index_take_every_page() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.groupage(["man", "--output", "pages"]).code, Some(0));
    for entry in fs::read_dir(sandbox.root().join("pages")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let groff = Command::new("groff").args(["-Kutf8", "-man", "-ww", "-Tutf8", "-z"]).arg(&path).output();
        if let Ok(output) = groff {
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
            assert!(output.status.success(), "{name}");
        }
        // what `apropos` knows: the name and one line
        if let Ok(output) = Command::new("lexgrog").arg(&path).output() {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(text.contains(&format!("\"{name} - ")), "{name}: {text}");
        }
    }
}
