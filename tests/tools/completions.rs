//! Completion scripts: every command and every option of its help, in all four shells; and in a real bash, what it offers.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::support::sandbox::Sandbox;

/// Every command, as the words after the name of the program; the program by itself is no words.
pub fn commands() -> Vec<Vec<String>> {
    let (mut all, mut next) = (Vec::new(), vec![Vec::new()]);
    while let Some(words) = next.pop() {
        next.extend(below(&words).into_iter().map(|word| [words.clone(), vec![word]].concat()));
        all.push(words);
    }
    assert!(all.len() > 30, "only {all:?}");
    all
}

/// The commands below one, as its help lists them.
fn below(words: &[String]) -> Vec<String> {
    let help = help(words);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.map(ToOwned::to_owned).collect()
}

/// The long options of a command, as its help lists them.
pub fn options(words: &[String]) -> BTreeSet<String> {
    let help = help(words);
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let long = lines.filter_map(|line| line.split([' ', ',', '=', '[']).find(|word| word.starts_with("--")));
    let options: BTreeSet<String> = long.map(|word| word.trim_end_matches("...").to_owned()).collect();
    assert!(options.contains("--help"), "{words:?}: {help}");
    options
}

fn help(words: &[String]) -> String {
    let ended = Sandbox::new().groupage(words.iter().map(String::as_str).chain(["-h"]));
    assert_eq!(ended.code, Some(0), "{words:?}: {}", ended.stderr);
    ended.stdout
}

fn script(shell: &str) -> String {
    let ended = Sandbox::new().shell(&format!("groupage completions {shell}"));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{shell}");
    ended.stdout
}

/// The part of a script that is about one command, and how it writes an option.
fn part(shell: &str, script: &str, words: &[String]) -> (String, fn(&str, &str) -> bool) {
    let lines = |keep: &dyn Fn(&str) -> bool| script.lines().filter(|line| keep(line)).collect::<Vec<_>>().join("\n");
    let between = |start: &str, end: &str| {
        let from = script.split_once(start).unwrap_or_else(|| panic!("{shell} has no `{start}`")).1;
        from.split_once(end).unwrap_or((from, "")).0.to_owned()
    };
    match shell {
        "bash" => {
            let name = [&["groupage".to_owned()], words].concat().join("__subcmd__");
            (between(&format!("\n        {name})\n"), ";;"), |part, option| {
                part.split([' ', '"', '\n']).any(|word| word == option)
            })
        }
        "powershell" => {
            let name = [&["groupage".to_owned()], words].concat().join(";");
            (between(&format!("        '{name}' {{"), "break"), |part, option| part.contains(&format!("'{option}'")))
        }
        "fish" => {
            let condition = match words {
                [] => "__fish_groupage_needs_command".to_owned(),
                [first] => format!("__fish_groupage_using_subcommand {first}"),
                [first, rest @ ..] => {
                    format!(
                        "__fish_groupage_using_subcommand {first}; and __fish_seen_subcommand_from {}",
                        rest.join(" ")
                    )
                }
            };
            let kept = lines(&|line| {
                line.contains(&format!("-n \"{condition}\"")) || line.contains(&format!("-n \"{condition}; and not"))
            });
            (kept, |part, option| {
                part.contains(&format!(" -l {} ", option.trim_start_matches('-')))
                    || part.contains(&format!(" -l {}\n", option.trim_start_matches('-')))
            })
        }
        _ => {
            let script: String = script.lines().map(|line| format!("{}\n", line.trim_start())).collect();
            let inner = words.last().map_or_else(|| "_groupage() {".to_owned(), |last| format!("\n({last})\n"));
            // commands of the same name stand in several places: the one below the right command
            let above = words.iter().rev().skip(1).rev().fold(script.as_str(), |rest, word| {
                rest.split_once(&format!("\n({word})\n")).unwrap_or_else(|| panic!("zsh has no `{word}`")).1
            });
            let from = above.split_once(&inner).unwrap_or_else(|| panic!("zsh has no `{inner}`")).1;
            let part = from.split_once("&& ret=0").unwrap_or((from, "")).0.to_owned();
            (part, |part, option| [format!("{option}["), format!("{option}=[")].iter().any(|one| part.contains(one)))
        }
    }
}

#[test]
fn every_shell_knows_every_option_of_every_command() {
    let all: Vec<_> = commands().into_iter().map(|words| (options(&words), words)).collect();
    for shell in ["bash", "fish", "powershell", "zsh"] {
        let script = script(shell);
        for (options, words) in &all {
            let (part, has) = part(shell, &script, words);
            for option in options {
                assert!(has(&part, option), "{shell} does not complete {option} of {words:?}:\n{part}");
            }
        }
    }
}

/// What bash offers for a line, in the place after its last word.
fn offered(folder: &Sandbox, line: &str) -> BTreeSet<String> {
    let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
    let (last, before) = (words.len() - 1, words.len() - 2);
    let ask = format!(
        "source ./script\nCOMP_WORDS=({})\nCOMP_CWORD={last}\n_groupage groupage {} {}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words[last],
        words[before],
    );
    let output =
        Command::new("bash").args(["--norc", "-c", &ask]).current_dir(folder.root()).output().expect("bash is there");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

#[test]
fn bash_offers_commands_options_and_values() {
    let sandbox = Sandbox::new();
    sandbox.write("script", script("bash"));
    let syntax = Command::new("bash").arg("-n").arg(sandbox.root().join("script")).output().expect("bash is there");
    assert!(syntax.status.success(), "{}", String::from_utf8_lossy(&syntax.stderr));
    for words in commands() {
        let line = [vec!["groupage".to_owned()], words.clone(), vec![String::new()]].concat().join(" ");
        let found = offered(&sandbox, &line);
        for name in below(&words) {
            assert!(found.contains(&name), "`{line}` offers {found:?}, and not {name}");
        }
        let found = offered(&sandbox, &format!("{line}--"));
        let options = options(&words);
        assert_eq!(found.intersection(&options).count(), options.len(), "`{line}--` offers {found:?}");
    }
    // without a first letter, options are offered too
    let check = |line: &str, expect: &[&str]| {
        let found = offered(&sandbox, line);
        let values: Vec<&str> = found.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
        assert_eq!(values, expect, "{line}");
    };
    check("groupage build --engine ", &["auto", "docker", "native"]);
    check("groupage build --engine n", &["native"]);
    check("groupage schema ", &["component", "image", "ledger", "plan", "settings"]);
    check("groupage completions z", &["zsh"]);
    check("groupage migr", &["migrate"]);
    check("groupage migrate app", &["apply"]);
    check("groupage plan --format j", &["json"]);
    // paths are files
    fs::write(sandbox.root().join("groupage.toml"), "schema = 1\n").unwrap();
    check("groupage plan --manifest-path group", &["groupage.toml"]);
}
