//! Numbers of the users that a Dockerfile names. They stand in the image's `/etc/passwd`, which nobody has before the build;
//! but whoever adds a user there mostly says its number, in one of a few ways.
//!
//! | who | says |
//! |---|---|
//! | `users` of the manifest | anything; it wins |
//! | `adduser`, `useradd` in a `RUN` of the file | `-u NUMBER`, `--uid NUMBER`; the group by `-g`, `--gid`, `-G`, `--ingroup` |
//! | `addgroup`, `groupadd` | `-g NUMBER`, `--gid NUMBER` |
//! | everybody | `root` is 0 |
//!
//! A group that is not said is left to the image: a container of a user without a group gets the one of its `/etc/passwd`.

use std::collections::BTreeMap;

use crate::manifest::role::User;
use crate::source::Spanned;

/// Users and groups by name.
#[derive(Debug, Default)]
pub(crate) struct Users {
    users: BTreeMap<String, (u32, Option<u32>)>,
    groups: BTreeMap<String, u32>,
}

impl Users {
    /// What commands of a file say, and a manifest.
    pub(crate) fn new<'t>(runs: impl IntoIterator<Item = &'t str>, said: &BTreeMap<String, Spanned<User>>) -> Self {
        let mut users = Self::default();
        users.users.insert("root".to_owned(), (0, Some(0)));
        users.groups.insert("root".to_owned(), 0);
        for run in runs {
            for command in run.split(['&', ';', '|', '\n']) {
                let words: Vec<&str> = command.split_whitespace().filter(|word| *word != "\\").collect();
                users.learn(&words);
            }
        }
        for (name, user) in said {
            if let User::Numeric { uid, gid } = user.value {
                users.users.insert(name.clone(), (uid, gid));
                users.groups.insert(name.clone(), gid.unwrap_or(uid));
            }
        }
        users
    }

    fn learn(&mut self, words: &[&str]) {
        let Some((program, rest)) = words.split_first() else { return };
        let program = program.rsplit('/').next().unwrap_or_default();
        let value = |flags: &[&str]| {
            let separate = rest.windows(2).find(|pair| flags.contains(&pair[0])).map(|pair| pair[1]);
            let joined = || {
                rest.iter().find_map(|word| {
                    flags.iter().find_map(|flag| word.strip_prefix(flag)?.strip_prefix('=').filter(|_| flag.len() > 2))
                })
            };
            separate.or_else(joined)
        };
        let name = rest.last().filter(|name| !name.starts_with('-')).map(|name| (*name).to_owned());
        match (program, name) {
            ("addgroup" | "groupadd", Some(name)) => {
                if let Some(gid) = value(&["-g", "--gid"]).and_then(|gid| gid.parse().ok()) {
                    self.groups.insert(name, gid);
                }
            }
            ("adduser" | "useradd", Some(name)) => {
                let flags: &[&str] =
                    if program == "useradd" { &["-g", "--gid"] } else { &["-G", "--ingroup", "--gid"] };
                let Some(uid) = value(&["-u", "--uid"]).and_then(|uid| uid.parse().ok()) else { return };
                let group = value(flags);
                let gid = group.and_then(|group| group.parse().ok().or_else(|| self.groups.get(group).copied()));
                self.users.insert(name, (uid, gid));
            }
            _ => {}
        }
    }

    /// The numbers of what `USER` or `--chown` says; `None` when a name in it is not known.
    pub(crate) fn user(&self, text: &str) -> Option<User> {
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        let (uid, own) = match user.parse::<u32>() {
            Ok(uid) => (uid, None),
            Err(_) => *self.users.get(user)?,
        };
        let gid = match group.filter(|group| !group.is_empty()) {
            Some(group) => Some(group.parse().ok().or_else(|| self.groups.get(group).copied())?),
            None => own,
        };
        Some(User::Numeric { uid, gid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers() {
        let runs = [
            "addgroup -g 1001 ops && adduser -D -u 1000 -G ops app",
            "groupadd --gid=2001 team; useradd --uid=2000 -g team worker",
            "adduser -S nobody2",
            "useradd -u 3000 lone",
        ];
        let check = |text: &str, expect: Option<&str>| {
            let users = Users::new(runs, &BTreeMap::new());
            assert_eq!(users.user(text).map(|user| user.to_string()).as_deref(), expect, "{text}");
        };
        check("app", Some("1000:1001"));
        check("worker", Some("2000:2001"));
        check("worker:ops", Some("2000:1001"));
        check("lone", Some("3000"));
        check("lone:7", Some("3000:7"));
        check("root", Some("0:0"));
        check("1234", Some("1234"));
        check("1234:5", Some("1234:5"));
        check("nobody2", None);
        check("app:none", None);
        check("", None);
    }
}
