//! As whom a program of a Dockerfile runs: numbers where anything says them, else what has to be asked.
//!
//! | the Dockerfile says | numbers come from |
//! |---|---|
//! | nothing | the base, where its name tells |
//! | `root`, `0` | 0:0 |
//! | numbers | themselves; the group of a user without one is that of its account, else root's |
//! | a name | a copied `/etc/passwd` and `/etc/group`; commands of its own RUNs, as [`Accounts`] reads them |
//!
//! Where a command says no group, the user's own one is taken to have the number of the user. That is nearly always so, and
//! who adopts looks at the result.
//!
//! `nobody` without any of these stays a name: it is 65534 in Alpine and Debian, 99 in older Red Hat, and the rule `named-user`
//! proposes the number.

use super::base;
use super::facts::UserFacts;
use crate::dockerfile::{Accounts, PrimaryGroup};
use crate::oci::{group_of, user_of};

/// Accounts that a Dockerfile makes or brings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KnownAccounts {
    /// By its commands.
    pub(super) made: Accounts,
    /// The text of the `/etc/passwd` that it copies.
    pub(super) passwd: Option<String>,
    /// The text of the `/etc/group` that it copies.
    pub(super) groups: Option<String>,
}

impl KnownAccounts {
    /// User and group by the name of a user.
    fn user(&self, name: &str) -> Option<(u32, Option<u32>)> {
        let made = || {
            let account = self.made.user(name)?;
            let gid = match account.group {
                PrimaryGroup::Known(gid) => Some(gid),
                PrimaryGroup::Own => Some(account.uid),
                PrimaryGroup::Unknown => None,
            };
            Some((account.uid, gid))
        };
        let copied = self.passwd.as_deref().and_then(|passwd| user_of(passwd, name));
        copied.map(|(uid, gid)| (uid, Some(gid))).or_else(made)
    }

    /// The number of a group. Groups of their own have the names of users.
    fn group(&self, name: &str) -> Option<u32> {
        let copied = self.groups.as_deref().and_then(|groups| group_of(groups, name));
        let of_copied_user = || user_of(self.passwd.as_deref()?, name).map(|(_, gid)| gid);
        let own = || self.made.user(name).filter(|account| account.group == PrimaryGroup::Own);
        let made = || self.made.group(name).or_else(|| own().map(|account| account.uid));
        copied.or_else(made).or_else(of_copied_user)
    }
}

/// The user of a stage on a base.
pub(super) fn user(written: Option<&str>, line: Option<usize>, base: &str, accounts: &KnownAccounts) -> UserFacts {
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
    let known = accounts.user(user);
    let by_number = || user.parse().ok().map(|uid: u32| (uid, (uid == 0).then_some(0)));
    let Some((uid, own)) = known.or_else(by_number) else {
        return said(None, format!("{at}the Dockerfile says USER {written}; {}", hint(user)));
    };
    let gid = match group {
        None => own,
        Some(group) => match group.parse().ok().or_else(|| accounts.group(group)) {
            Some(gid) => Some(gid),
            None => {
                return said(
                    None,
                    format!("{at}the Dockerfile says USER {written}, and nothing says which number the group has"),
                );
            }
        },
    };
    let numbers = gid.map_or_else(|| uid.to_string(), |gid| format!("{uid}:{gid}"));
    let because = match known {
        Some(_) if user != "root" && user.parse::<u32>().is_err() => {
            format!("{at}USER {written}, an account that the Dockerfile makes")
        }
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
        let mut accounts = KnownAccounts::default();
        commands.iter().for_each(|command| accounts.made.learn(command));
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
    fn groups_of_users() {
        let check = |command: &str, expect: &str| check(Some("app"), "alpine", &[command], Some(expect));
        check("adduser -D -g 'The app' -u 7 app", "7:7");
        check("useradd -u 7 -G wheel app", "7:7");
        check("adduser -S -u 7 app", "7");
        check("/usr/sbin/useradd -u7 -g0 app", "7:0");
        check("if true; then adduser -D -u 7 -G root app; fi", "7:0");
    }

    #[test]
    fn groups_by_their_names() {
        let check = |written: &str, expect: Option<&str>| {
            check(
                Some(written),
                "alpine",
                &["addgroup -g 50 team; adduser -D -u 7 -G team app; adduser -D -u 8 other"],
                expect,
            );
        };
        check("app:team", Some("7:50"));
        check("app:other", Some("7:8"));
        check("app:root", Some("7:0"));
        check("root:team", Some("0:50"));
        // there is no group of this name
        check("other:app", None);
    }

    #[test]
    fn root_is_made_by_nobody() {
        let found = user(Some("root"), Some(2), "alpine", &KnownAccounts::default());
        assert_eq!(found.because, "line 2: USER root");
    }

    #[test]
    fn copied_accounts() {
        let passwd = "root:x:0:0::/:/bin/sh\nfluent:x:100:101::/:\nfluent:x:1:1::/:\nbad\n".to_owned();
        let mut accounts = KnownAccounts { passwd: Some(passwd), ..KnownAccounts::default() };
        accounts.made.learn("groupadd -g 9 team; useradd -u 5 fluent; useradd -u 6 own");
        let check = |accounts: &KnownAccounts, written: &str, expect: &str| {
            assert_eq!(user(Some(written), Some(3), "scratch", accounts).numbers.as_deref(), Some(expect), "{written}");
        };
        // the file says it before commands, and its first line, as in a container
        check(&accounts, "fluent", "100:101");
        check(&accounts, "own", "6:6");
        check(&accounts, "own:team", "6:9");
        accounts.groups = Some("team:x:7:\n".to_owned());
        check(&accounts, "fluent:team", "100:7");
    }
}
