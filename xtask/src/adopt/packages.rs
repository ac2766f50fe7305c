//! Commands that install packages of a distribution and do nothing else: what they install can be asked of a base instead.
//!
//! | manager | words | beside them, allowed |
//! |---|---|---|
//! | apk | `apk add [OPTION…] NAME…` | `apk update`, `apk upgrade`, `rm -rf /var/cache/apk…` |
//! | apt | `apt-get install [OPTION…] NAME…` | `apt-get update`, `apt-get clean`, `rm -rf /var/lib/apt/lists…` |
//! | dnf | `dnf`, `microdnf`, `yum` `install [OPTION…] NAME…` | `… clean all`, `… makecache`, `rm -rf /var/cache/…` |
//!
//! A name may say a version (`curl=8.5.0-r0`, `curl~8`); it is the package that is needed. Steps are joined with `&&` or `;`; anything
//! with a variable, a pipe, a redirection or a quote is not looked into.

use std::collections::BTreeSet;

/// The packages of a command in shell form, and who installs them; `None` when it does anything else.
pub fn installed(command: &str) -> Option<(&'static str, BTreeSet<String>)> {
    if command.contains(['|', '$', '`', '>', '<', '"', '\'', '(', '{', '*']) && !only_cleans_with_globs(command) {
        return None;
    }
    let joined = command.replace("\\\r\n", " ").replace("\\\n", " ").replace("&&", ";").replace('\n', ";");
    let mut manager = None;
    let mut packages = BTreeSet::new();
    for step in joined.split(';') {
        let words: Vec<&str> = step.split_whitespace().filter(|word| *word != "sudo").collect();
        let words = if words.first() == Some(&"set") { &[][..] } else { &words[..] };
        match words {
            [] => {}
            [program, rest @ ..] if manager_of(program).is_some() => {
                let own = manager_of(program)?;
                if manager.is_some_and(|known| known != own) {
                    return None;
                }
                manager = Some(own);
                packages.extend(of_step(own, rest)?);
            }
            ["rm", options, paths @ ..] if options.starts_with("-r") && paths.iter().all(|path| is_cache(path)) => {}
            _ => return None,
        }
    }
    manager.filter(|_| !packages.is_empty()).map(|manager| (manager, packages))
}

/// `rm -rf /var/lib/apt/lists/*` is usual, and the only place for a `*`.
fn only_cleans_with_globs(command: &str) -> bool {
    let others = ['|', '$', '`', '>', '<', '"', '\'', '(', '{'];
    !command.contains(others)
        && command.split(['&', ';', '\n']).all(|step| !step.contains('*') || step.trim_start().starts_with("rm "))
}

fn is_cache(path: &str) -> bool {
    ["/var/cache/", "/var/lib/apt/lists", "/tmp/", "/var/tmp/", "/var/log/"].iter().any(|cache| path.starts_with(cache))
        && !path.contains("..")
}

fn manager_of(program: &str) -> Option<&'static str> {
    match program.rsplit('/').next()? {
        "apk" => Some("apk"),
        "apt-get" | "apt" => Some("apt"),
        "dnf" | "microdnf" | "yum" => Some("dnf"),
        _ => None,
    }
}

/// The packages of one step; `None` when it removes something, or takes files instead of names.
fn of_step(manager: &str, words: &[&str]) -> Option<BTreeSet<String>> {
    let (verb, rest) = after_options(manager, words)?;
    let installs = if manager == "apk" { "add" } else { "install" };
    let harmless = ["update", "upgrade", "clean", "autoclean", "makecache", "autoremove", "dist-upgrade"];
    if harmless.contains(&verb) {
        return Some(BTreeSet::new());
    }
    if verb != installs {
        return None;
    }
    let mut packages = BTreeSet::new();
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        if takes_value(manager, word) {
            words.next()?;
            // packages that another step removes as a group are for building, not for running
            if manager == "apk" && matches!(*word, "-t" | "--virtual") {
                return None;
            }
        } else if !word.starts_with('-') {
            packages.insert(plain_name(word)?);
        }
    }
    Some(packages)
}

/// The first word that is no option, and all after it.
fn after_options<'w, 's>(manager: &str, words: &'w [&'s str]) -> Option<(&'s str, &'w [&'s str])> {
    let mut at = 0;
    while words.get(at)?.starts_with('-') {
        at += if takes_value(manager, words[at]) { 2 } else { 1 };
    }
    Some((*words.get(at)?, &words[at + 1..]))
}

fn takes_value(manager: &str, word: &str) -> bool {
    match manager {
        "apk" => matches!(word, "-t" | "--virtual" | "-X" | "--repository" | "-p" | "--root"),
        "apt" => matches!(word, "-t" | "--target-release" | "-o" | "--option"),
        _ => matches!(word, "--installroot" | "--releasever" | "--setopt" | "--enablerepo" | "--disablerepo"),
    }
}

/// The name of a package without its version or architecture; `None` for what is no name.
fn plain_name(word: &str) -> Option<String> {
    let name = word.split(['=', '~', '@', ':', '>']).next().unwrap_or(word);
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-._".contains(&byte);
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (begins && name.len() <= 63 && name.bytes().all(fits)).then(|| name.to_owned())
}

/// What a role needs when it uses a package: a word of its own for what many bases have.
pub fn need_of(package: &str) -> String {
    match package {
        "ca-certificates" | "ca-certificates-bundle" => "ca-certificates".to_owned(),
        "tzdata" => "tzdata".to_owned(),
        other => format!("package:{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &str, expect: Option<(&str, &[&str])>) {
        let found = installed(command);
        let found =
            found.as_ref().map(|(manager, names)| (*manager, names.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(found, expect.map(|(manager, names)| (manager, names.to_vec())), "{command}");
    }

    #[test]
    fn installations() {
        check("apk add --no-cache curl", Some(("apk", &["curl"])));
        check("apk --no-cache add socat=1.8.0-r0 curl~8", Some(("apk", &["curl", "socat"])));
        check("apk update && apk add -U bash; rm -rf /var/cache/apk/*", Some(("apk", &["bash"])));
        check(
            "apt-get update \\\n && apt-get install -y --no-install-recommends curl \\\n    socat && rm -rf /var/lib/apt/lists/*",
            Some(("apt", &["curl", "socat"])),
        );
        check("set -eux; apt-get -y -t bookworm-backports install git", Some(("apt", &["git"])));
        check("microdnf install -y --setopt install_weak_deps=0 tar && microdnf clean all", Some(("dnf", &["tar"])));
    }

    #[test]
    fn other_commands() {
        for command in [
            "",
            "make",
            "apk update",
            "apk add curl && make",
            "apk add $PACKAGES",
            "apk add --virtual .build gcc && make && apk del .build",
            "apk add -t .build gcc",
            "apt-get install -y ./local.deb",
            "apt-get remove curl",
            "apk add curl && rm -rf /etc",
            "apk add curl; apt-get install curl",
            "apk add curl*",
            "rm -rf /var/cache/apk/*",
            "apk",
        ] {
            check(command, None);
        }
    }
}
