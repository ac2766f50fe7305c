//! Numbers of the users that a Dockerfile names. They stand in the image's `/etc/passwd`, which nobody has before the build;
//! but whoever adds a user there mostly says its number, in one of a few ways.
//!
//! | who | says |
//! |---|---|
//! | `users` of the manifest | anything; it wins |
//! | commands of a `RUN` of the file | what [`Accounts`] reads |
//! | everybody | `root` is 0 |
//!
//! A group that is not said is left to the image: a container of a user without a group gets the one of its `/etc/passwd`.

use std::collections::BTreeMap;

use crate::dockerfile::{Accounts, PrimaryGroup};
use crate::manifest::role::User;
use crate::source::Spanned;

/// Users and groups by name.
#[derive(Debug, Default)]
pub(crate) struct Users {
    said: BTreeMap<String, (u32, Option<u32>)>,
    made: Accounts,
}

impl Users {
    /// What commands of a file say, and a manifest.
    pub(crate) fn new<'t>(runs: impl IntoIterator<Item = &'t str>, said: &BTreeMap<String, Spanned<User>>) -> Self {
        let mut users = Self::default();
        runs.into_iter().for_each(|run| users.made.learn(run));
        for (name, user) in said {
            if let User::Numeric { uid, gid } = user.value {
                users.said.insert(name.clone(), (uid, gid));
            }
        }
        users
    }

    /// The numbers of what `USER` or `--chown` says; `None` when a name in it is not known.
    pub(crate) fn user(&self, text: &str) -> Option<User> {
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        let (uid, own) = match user.parse::<u32>() {
            Ok(uid) => (uid, None),
            Err(_) => self.numbers(user)?,
        };
        let gid = match group.filter(|group| !group.is_empty()) {
            Some(group) => Some(group.parse().ok().or_else(|| self.group(group))?),
            None => own,
        };
        Some(User::Numeric { uid, gid })
    }

    fn numbers(&self, name: &str) -> Option<(u32, Option<u32>)> {
        let made = || {
            let account = self.made.user(name)?;
            let gid = if let PrimaryGroup::Known(gid) = account.group { Some(gid) } else { None };
            Some((account.uid, gid))
        };
        self.said.get(name).copied().or_else(made)
    }

    /// A user that the manifest says has a group of its name.
    fn group(&self, name: &str) -> Option<u32> {
        let said = self.said.get(name).map(|(uid, gid)| gid.unwrap_or(*uid));
        said.or_else(|| self.made.group(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Span};

    #[test]
    fn names_become_numbers() {
        let runs = [
            "addgroup -g 1001 ops && adduser -D -u 1000 -G ops app",
            "groupadd --gid=2001 team; useradd --uid=2000 -g team worker",
            "adduser -S nobody2",
            "useradd -u 3000 lone",
            "if true; then adduser -D \\\n -u 4000 late; fi",
            "useradd -u 5000 said",
        ];
        let nowhere = Span::new(FileId::default(), 0..0);
        let numeric = |uid, gid| Spanned::new(User::Numeric { uid, gid }, nowhere);
        let said =
            BTreeMap::from([("said".to_owned(), numeric(6000, None)), ("both".to_owned(), numeric(7000, Some(7001)))]);
        let check = |text: &str, expect: Option<&str>| {
            let users = Users::new(runs, &said);
            assert_eq!(users.user(text).map(|user| user.to_string()).as_deref(), expect, "{text}");
        };
        check("app", Some("1000:1001"));
        check("worker", Some("2000:2001"));
        check("worker:ops", Some("2000:1001"));
        check("lone", Some("3000"));
        check("lone:7", Some("3000:7"));
        check("lone:lone", None);
        check("late", Some("4000"));
        check("said", Some("6000"));
        check("said:both", Some("6000:7001"));
        check("app:said", Some("1000:6000"));
        check("root", Some("0:0"));
        check("root:root", Some("0:0"));
        check("1234", Some("1234"));
        check("1234:5", Some("1234:5"));
        check("nobody2", None);
        check("app:none", None);
        check("", None);
    }
}
