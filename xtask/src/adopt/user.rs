//! As whom a program of a Dockerfile runs: numbers where anything says them, else what has to be asked.
//!
//! | the Dockerfile says | numbers come from |
//! |---|---|
//! | nothing | the base, where its name tells |
//! | `root`, `0` | 0:0 |
//! | numbers | themselves; the group of a user without one is that of its account, else root's |
//! | a name | `adduser -u`, `useradd -u`, `addgroup -g`, `groupadd -g` in its own RUNs; a copied `/etc/passwd` |
//!
//! `nobody` without any of these stays a name: it is 65534 in Alpine and Debian, 99 in older Red Hat, and the rule `named-user`
//! proposes the number.

use std::collections::BTreeMap;

use super::base;
use super::facts::UserFacts;

/// Accounts that a Dockerfile makes or brings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Accounts {
    /// User and group by name.
    users: BTreeMap<String, (u32, Option<u32>)>,
    groups: BTreeMap<String, u32>,
}

impl Accounts {
    /// Reads the accounts that a command makes.
    pub(super) fn learn(&mut self, command: &str) {
        let steps = command.replace("\\\n", " ").replace("&&", ";").replace("||", ";").replace('\n', ";");
        for step in steps.split(';') {
            let words: Vec<&str> = step.split_whitespace().collect();
            match words.iter().position(|word| ["adduser", "useradd", "addgroup", "groupadd"].contains(word)) {
                Some(at) if words[at].ends_with("user") || words[at] == "useradd" => self.learn_user(&words[at + 1..]),
                Some(at) => self.learn_group(&words[at + 1..]),
                None => {}
            }
        }
    }

    fn learn_user(&mut self, words: &[&str]) {
        let uid = option(words, &["-u", "--uid"]).and_then(|uid| uid.parse().ok());
        let group = option(words, &["-g", "--gid", "-G", "--ingroup"]);
        let gid = group.and_then(|group| group.parse().ok().or_else(|| self.groups.get(group).copied()));
        if let (Some(name), Some(uid)) = (last_name(words), uid) {
            // without a group of its own, the group of a user has the number of the user
            let gid = gid.or(group.is_none().then_some(uid));
            self.users.insert(name.to_owned(), (uid, gid));
        }
    }

    fn learn_group(&mut self, words: &[&str]) {
        let gid = option(words, &["-g", "--gid"]).and_then(|gid| gid.parse().ok());
        if let (Some(name), Some(gid)) = (last_name(words), gid) {
            self.groups.insert(name.to_owned(), gid);
        }
    }

    /// Reads a passwd file that is put into the image.
    pub(super) fn learn_passwd(&mut self, text: &str) {
        for line in text.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            if let [name, _, uid, gid, ..] = fields.as_slice()
                && let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse())
            {
                self.users.insert((*name).to_owned(), (uid, Some(gid)));
            }
        }
    }

    /// Reads a group file that is put into the image.
    pub(super) fn learn_groups(&mut self, text: &str) {
        for line in text.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            if let [name, _, gid, ..] = fields.as_slice()
                && let Ok(gid) = gid.parse()
            {
                self.groups.insert((*name).to_owned(), gid);
            }
        }
    }
}

/// The value of an option, written as `-u 7`, `-u7` or `--uid=7`.
fn option<'w>(words: &[&'w str], names: &[&str]) -> Option<&'w str> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if names.contains(word) {
            return words.next().copied();
        }
        if let Some(value) = names.iter().find_map(|name| word.strip_prefix(name)?.strip_prefix('=')) {
            return Some(value);
        }
    }
    None
}

/// The account is the last word; `addgroup USER GROUP` names two, and the last one is the group.
fn last_name<'w>(words: &[&'w str]) -> Option<&'w str> {
    words.last().copied().filter(|word| !word.starts_with('-') && !word.contains(['$', '/', '"', '\'']))
}

/// The user of a stage on a base.
pub(super) fn user(written: Option<&str>, line: Option<usize>, base: &str, accounts: &Accounts) -> UserFacts {
    let said = |numbers: Option<String>, because: String| UserFacts {
        written: written.map(str::to_owned),
        numbers,
        because,
        line,
    };
    let at = line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let Some(written) = written.filter(|written| !written.is_empty()) else {
        return match base::user(base) {
            Some(numbers) => said(Some(numbers.to_owned()), format!("no USER; {base} runs as {numbers}, by its name")),
            None => said(None, format!("the Dockerfile has no USER, and what {base} runs as is not known by its name")),
        };
    };
    let (user, group) = written.split_once(':').map_or((written, None), |(user, group)| (user, Some(group)));
    let known = accounts.users.get(user).copied();
    let by_number = || user.parse().ok().map(|uid: u32| (uid, (uid == 0).then_some(0)));
    let by_root = || (user == "root").then_some((0, Some(0)));
    let Some((uid, own)) = known.or_else(by_number).or_else(by_root) else {
        return said(None, format!("{at}the Dockerfile says USER {written}; {}", hint(user)));
    };
    let gid = match group {
        None => own,
        Some(group) => match group.parse().ok().or_else(|| accounts.groups.get(group).copied()) {
            Some(gid) => Some(gid),
            None if group == "root" => Some(0),
            // groups of their own have the names of users
            None => match accounts.users.get(group) {
                Some((_, Some(gid))) => Some(*gid),
                _ => {
                    return said(
                        None,
                        format!("{at}the Dockerfile says USER {written}, and nothing says which number the group has"),
                    );
                }
            },
        },
    };
    let numbers = gid.map_or_else(|| uid.to_string(), |gid| format!("{uid}:{gid}"));
    let because = match known {
        Some(_) if user.parse::<u32>().is_err() => format!("{at}USER {written}, an account that the Dockerfile makes"),
        _ => format!("{at}USER {written}"),
    };
    said(Some(numbers), because)
}

fn hint(name: &str) -> &'static str {
    match name {
        "nobody" => "65534:65534 in Alpine and Debian",
        "nonroot" => "65532:65532 in distroless images",
        _ => "/etc/passwd of the image that exists says it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: Option<&str>, base: &str, commands: &[&str], expect: Option<&str>) {
        let mut accounts = Accounts::default();
        commands.iter().for_each(|command| accounts.learn(command));
        let found = user(written, None, base, &accounts);
        assert_eq!(found.numbers.as_deref(), expect, "{written:?} {base} {commands:?}: {}", found.because);
        assert!(!found.because.is_empty());
    }

    #[test]
    fn users() {
        check(None, "alpine", &[], Some("0:0"));
        check(None, "gcr.io/distroless/static:nonroot", &[], Some("65532:65532"));
        check(None, "ghcr.io/example/base", &[], None);
        check(Some("root"), "ghcr.io/example/base", &[], Some("0:0"));
        check(Some("0"), "alpine", &[], Some("0:0"));
        check(Some("1000"), "alpine", &[], Some("1000"));
        check(Some("1000:2000"), "alpine", &[], Some("1000:2000"));
        check(Some("nobody"), "alpine", &[], None);
        check(Some("app"), "alpine", &["adduser -D -u 1001 app"], Some("1001:1001"));
        check(Some("app"), "alpine", &["addgroup -g 50 -S team && adduser -S -G team -u 1001 app"], Some("1001:50"));
        check(Some("app:team"), "debian", &["groupadd --gid=50 team; useradd --uid=7 -g team app"], Some("7:50"));
        check(Some("app:other"), "debian", &["useradd -u 7 app"], None);
        check(Some("app"), "alpine", &["adduser -D app"], None);
        check(Some("app"), "alpine", &["adduser -u $UID $NAME"], None);
    }

    #[test]
    fn copied_accounts() {
        let mut accounts = Accounts::default();
        accounts.learn_passwd("root:x:0:0::/:/bin/sh\nfluent:x:100:101::/:\nbad\n");
        accounts.learn_groups("team:x:7:\n");
        assert_eq!(user(Some("fluent"), Some(3), "scratch", &accounts).numbers.as_deref(), Some("100:101"));
        assert_eq!(user(Some("fluent:team"), Some(3), "scratch", &accounts).numbers.as_deref(), Some("100:7"));
    }
}
