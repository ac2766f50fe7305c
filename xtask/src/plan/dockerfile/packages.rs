//! `RUN`s that do nothing but install packages: those of all components become one step of the image.
//!
//! What is recognised is written as nearly everybody writes it, for one of three package managers; anything else in the `RUN`
//! (a version, a repository, a second command) makes it an ordinary one, which is replayed as it stands.
//!
//! | manager | form |
//! |---|---|
//! | apk | `apk add [--no-cache] PACKAGE…`, `apk update &&` before it |
//! | apt | `apt-get update && apt-get install [-y] [--no-install-recommends] PACKAGE…`, then `rm -rf /var/lib/apt/lists/*`, `apt-get clean` |
//! | dnf | `dnf`, `microdnf` or `yum install -y PACKAGE…`, then `dnf clean all` and the like |

use std::collections::BTreeSet;

use serde::Serialize;

/// Who installs packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageManager {
    /// Alpine's.
    Apk,
    /// Debian's and Ubuntu's, without recommended packages.
    Apt,
    /// Debian's and Ubuntu's, with recommended packages.
    AptRecommends,
    /// Fedora's and Red Hat's.
    Dnf,
    /// The small one of Red Hat's minimal images.
    Microdnf,
    /// The old one.
    Yum,
}

/// Packages of one manager.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Packages {
    /// Who installs them.
    pub manager: PackageManager,
    /// Their names.
    pub names: BTreeSet<String>,
}

impl Packages {
    /// The line that installs them: sorted, each once.
    pub fn line(&self) -> String {
        let names = self.names.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        match self.manager {
            PackageManager::Apk => format!("RUN apk add --no-cache {names}"),
            PackageManager::Apt => format!(
                "RUN apt-get update && apt-get install -y --no-install-recommends {names} && rm -rf /var/lib/apt/lists/*"
            ),
            PackageManager::AptRecommends => {
                format!("RUN apt-get update && apt-get install -y {names} && rm -rf /var/lib/apt/lists/*")
            }
            PackageManager::Dnf => format!("RUN dnf install -y {names} && dnf clean all"),
            PackageManager::Microdnf => format!("RUN microdnf install -y {names} && microdnf clean all"),
            PackageManager::Yum => format!("RUN yum install -y {names} && yum clean all"),
        }
    }

    /// The packages of a command line, if it does nothing else.
    pub(super) fn of(line: &str) -> Option<Self> {
        let mut found: Option<Self> = None;
        for command in line.split("&&") {
            let words: Vec<&str> = command.split_whitespace().collect();
            if is_around(&words) {
                continue;
            }
            let own = install(&words)?;
            match &mut found {
                None => found = Some(own),
                Some(other) if other.manager == own.manager => other.names.extend(own.names),
                Some(_) => return None,
            }
        }
        found
    }
}

/// What stands before and after the installation and leaves nothing behind.
fn is_around(words: &[&str]) -> bool {
    const AROUND: [&[&str]; 12] = [
        &["apk", "update"],
        &["apk", "--no-cache", "update"],
        &["rm", "-rf", "/var/cache/apk/*"],
        &["apt-get", "update"],
        &["apt", "update"],
        &["apt-get", "clean"],
        &["rm", "-rf", "/var/lib/apt/lists/*"],
        &["rm", "-rf", "/var/lib/apt/lists/"],
        &["rm", "-rf", "/var/lib/apt/lists"],
        &["dnf", "clean", "all"],
        &["microdnf", "clean", "all"],
        &["yum", "clean", "all"],
    ];
    let quiet: Vec<&str> = words.iter().copied().filter(|word| !["-y", "-q", "-qq", "--yes"].contains(word)).collect();
    AROUND.contains(&words) || AROUND.contains(&quiet.as_slice())
}

fn install(words: &[&str]) -> Option<Packages> {
    let (program, rest) = words.split_first()?;
    let flags = |own: &[&str]| rest.iter().filter(|word| word.starts_with('-')).all(|word| own.contains(word));
    let plain: Vec<&str> = rest.iter().copied().filter(|word| !word.starts_with('-')).collect();
    let (verb, names) = plain.split_first()?;
    let manager = match (*program, *verb) {
        ("apk", "add") if flags(&["--no-cache", "--update", "-q", "--quiet"]) => PackageManager::Apk,
        ("apt-get" | "apt", "install") if flags(&["-y", "-q", "-qq", "--yes", "--no-install-recommends"]) => {
            match rest.contains(&"--no-install-recommends") {
                true => PackageManager::Apt,
                false => PackageManager::AptRecommends,
            }
        }
        ("dnf", "install") if flags(&["-y", "-q"]) => PackageManager::Dnf,
        ("microdnf", "install") if flags(&["-y"]) => PackageManager::Microdnf,
        ("yum", "install") if flags(&["-y", "-q"]) => PackageManager::Yum,
        _ => return None,
    };
    let is_name = |name: &&str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._:".contains(&byte))
    };
    let good = !names.is_empty() && names.iter().all(is_name);
    good.then(|| Packages { manager, names: names.iter().map(|name| (*name).to_owned()).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pure_installations_are_recognised() {
        let check = |line: &str, expect: Option<&str>| {
            assert_eq!(Packages::of(line).map(|packages| packages.line()).as_deref(), expect, "{line}");
        };
        check("apk add --no-cache curl bash", Some("RUN apk add --no-cache bash curl"));
        check("apk update && apk add curl && rm -rf /var/cache/apk/*", Some("RUN apk add --no-cache curl"));
        let apt = "RUN apt-get update && apt-get install -y --no-install-recommends a b && rm -rf /var/lib/apt/lists/*";
        check(
            "apt-get update && apt-get install -y --no-install-recommends b a && rm -rf /var/lib/apt/lists/*",
            Some(apt),
        );
        check(
            "apt-get update -qq && apt-get install -qq -y --no-install-recommends a && apt-get install --no-install-recommends b",
            Some(apt),
        );
        check("microdnf install -y tar", Some("RUN microdnf install -y tar && microdnf clean all"));
        check("apk add --no-cache --virtual .build gcc", None);
        check("apk add curl=8.1", None);
        check("apk add --no-cache curl && adduser -D app", None);
        check("apk add --no-cache curl; true", None);
        check("apk add --no-cache $PACKAGES", None);
        check("apt-get update && apt-get install -y a && dnf install -y b", None);
        check("echo apk add curl", None);
        check("apk add --no-cache", None);
        check("", None);
    }
}
