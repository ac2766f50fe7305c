//! Users and groups that commands of a `RUN` make, with the numbers that they say.
//!
//! | program | of | number | primary group |
//! |---|---|---|---|
//! | `useradd` | shadow | `-u`, `--uid` | `-g`, `--gid`, by name or number; else its own; with `-N` that of the defaults. `-G` names others |
//! | `adduser` | Red Hat | as `useradd`, which it is | as `useradd` |
//! | `adduser` | busybox | `-u`, `--uid` | `-G`, `--ingroup`; else its own; with `-S` it is `nogroup`. `-g` is the user's full name |
//! | `adduser` | Debian | `--uid` | `--ingroup`, `--gid`; else its own; with `--system` and no `--group` it is `nogroup` |
//! | `groupadd`, `addgroup`, `adduser --group` | | `-g`, `--gid` | |
//!
//! Which `adduser` it is, its options tell: those that only `useradd` has make it that one.
//! <https://man7.org/linux/man-pages/man8/useradd.8.html>, <https://manpages.debian.org/bookworm/adduser/adduser.8.en.html>,
//! <https://busybox.net/downloads/BusyBox.html>

use std::collections::BTreeMap;

use super::commands::commands;

/// Users and groups by name; `root` is in every image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    users: BTreeMap<String, Account>,
    groups: BTreeMap<String, u32>,
}

/// A user with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub uid: u32,
    /// Its primary group.
    pub group: PrimaryGroup,
}

/// The primary group of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrimaryGroup {
    /// Of this number: it is said, or that of a group that was made before.
    Known(u32),
    /// One of its own, with its name. It gets the number of the user, unless another group has that.
    Own,
    /// Nothing says its number.
    Unknown,
}

/// Letters of options that have a value: of all that make users, and of all that make groups.
const USER_VALUES: &str = "bcdefgGhkKpPRsuZ";
const GROUP_VALUES: &str = "cgKpPRU";
/// Names of options that have a value.
const VALUES: [&str; 24] = [
    "base-dir",
    "comment",
    "conf",
    "expiredate",
    "firstgid",
    "firstuid",
    "gecos",
    "gid",
    "groups",
    "home",
    "home-dir",
    "inactive",
    "ingroup",
    "key",
    "lastgid",
    "lastuid",
    "password",
    "prefix",
    "root",
    "selinux-user",
    "shell",
    "skel",
    "uid",
    "users",
];
/// Options that `useradd` has, and an `adduser` that is another program has not.
const ONLY_USERADD: [&str; 31] = [
    "b",
    "d",
    "e",
    "f",
    "F",
    "K",
    "l",
    "m",
    "M",
    "N",
    "o",
    "p",
    "P",
    "r",
    "R",
    "U",
    "Z",
    "base-dir",
    "create-home",
    "expiredate",
    "groups",
    "home-dir",
    "inactive",
    "key",
    "no-log-init",
    "no-user-group",
    "non-unique",
    "password",
    "prefix",
    "root",
    "user-group",
];

impl Accounts {
    /// Adds what the commands of a script make.
    pub fn learn(&mut self, script: &str) {
        for words in commands(script) {
            let Some((program, rest)) = words.split_first() else { continue };
            match program.rsplit('/').next() {
                Some("groupadd" | "addgroup") => self.learn_group(&Options::read(rest, GROUP_VALUES)),
                Some("useradd") => self.learn_user(&Options::read(rest, USER_VALUES), true),
                Some("adduser") => {
                    let options = Options::read(rest, USER_VALUES);
                    match options.has(&["group"]) && !options.has(&["system"]) {
                        true => self.learn_group(&options),
                        false => self.learn_user(&options, options.has(&ONLY_USERADD)),
                    }
                }
                _ => {}
            }
        }
    }

    fn learn_user(&mut self, options: &Options<'_>, is_useradd: bool) {
        let Some(uid) = options.value(&["u", "uid"]).and_then(|uid| uid.parse().ok()) else { return };
        let (names, without): (&[&str], bool) = match is_useradd {
            true => (&["g", "gid"], options.has(&["N", "no-user-group"])),
            false => (&["G", "ingroup", "gid"], options.has(&["S", "system"]) && !options.has(&["group"])),
        };
        let group = match options.value(names) {
            Some(group) => match group.parse().ok().or_else(|| self.group(group)) {
                Some(gid) => PrimaryGroup::Known(gid),
                None => PrimaryGroup::Unknown,
            },
            None if without => PrimaryGroup::Unknown,
            None => PrimaryGroup::Own,
        };
        // a second name is no user
        if let Some(name) = options.names.first().filter(|name| is_plain(name)) {
            self.users.insert((*name).to_owned(), Account { uid, group });
        }
    }

    fn learn_group(&mut self, options: &Options<'_>) {
        let gid = options.value(&["g", "gid"]).and_then(|gid| gid.parse().ok());
        // of two names, the first one is a user that becomes a member
        if let ([name], Some(gid)) = (options.names.as_slice(), gid)
            && is_plain(name)
        {
            self.groups.insert((*name).to_owned(), gid);
        }
    }

    /// The user of a name.
    pub fn user(&self, name: &str) -> Option<Account> {
        let root = || (name == "root").then_some(Account { uid: 0, group: PrimaryGroup::Known(0) });
        self.users.get(name).copied().or_else(root)
    }

    /// The number of a group that has it by its own command; those of users are in [`Account::group`].
    pub fn group(&self, name: &str) -> Option<u32> {
        self.groups.get(name).copied().or_else(|| (name == "root").then_some(0))
    }
}

/// Whether a name is none that something else makes.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['$', '`', '/', ':'])
}

/// The words after a program, as `getopt_long` reads them.
struct Options<'w> {
    given: Vec<(&'w str, Option<&'w str>)>,
    names: Vec<&'w str>,
}

impl<'w> Options<'w> {
    /// `letters` are those with a value.
    fn read(words: &'w [String], letters: &str) -> Self {
        let mut found = Self { given: Vec::new(), names: Vec::new() };
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            if word == "--" {
                found.names.extend(words.by_ref());
            } else if let Some(name) = word.strip_prefix("--") {
                found.given.push(match name.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (name, if VALUES.contains(&name) { words.next() } else { None }),
                });
            } else if let Some(mut rest) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                while let Some(letter) = rest.chars().next() {
                    let (name, after) = rest.split_at(letter.len_utf8());
                    let has_value = letters.contains(letter);
                    let joined = Some(after).filter(|after| !after.is_empty());
                    found.given.push((name, if has_value { joined.or_else(|| words.next()) } else { None }));
                    rest = if has_value { "" } else { after };
                }
            } else {
                found.names.push(word);
            }
        }
        found
    }

    fn has(&self, names: &[&str]) -> bool {
        self.given.iter().any(|(name, _)| names.contains(name))
    }

    /// Of an option that is given twice, the later one counts.
    fn value(&self, names: &[&str]) -> Option<&'w str> {
        self.given.iter().rev().find(|(name, _)| names.contains(name))?.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `script` makes these users (`NAME=UID:GROUP`, where the group is a number, `own` or `?`) and groups (`NAME=GID`).
    #[track_caller]
    fn check(script: &str, users: &[&str], groups: &[&str]) {
        let mut accounts = Accounts::default();
        accounts.learn(script);
        let user = |(name, account): (&String, &Account)| match account.group {
            PrimaryGroup::Known(gid) => format!("{name}={}:{gid}", account.uid),
            PrimaryGroup::Own => format!("{name}={}:own", account.uid),
            PrimaryGroup::Unknown => format!("{name}={}:?", account.uid),
        };
        assert_eq!(accounts.users.iter().map(user).collect::<Vec<_>>(), users, "{script}");
        let group = |(name, gid): (&String, &u32)| format!("{name}={gid}");
        assert_eq!(accounts.groups.iter().map(group).collect::<Vec<_>>(), groups, "{script}");
    }

    #[test]
    fn of_shadow() {
        check("useradd -u 7 app", &["app=7:own"], &[]);
        check("groupadd --gid=50 team; useradd --uid=7 -g team app", &["app=7:50"], &["team=50"]);
        check("groupadd -f -g 50 team && useradd --uid 7 --gid 50 app", &["app=7:50"], &["team=50"]);
        check("groupadd -rg 50 team && useradd -rmu7 -gteam app", &["app=7:50"], &["team=50"]);
        // these are others than the primary one
        check("useradd -u 7 -G root,wheel app", &["app=7:own"], &[]);
        check("useradd -u 7 --groups 50 app", &["app=7:own"], &[]);
        check("useradd -N -u 7 app", &["app=7:?"], &[]);
        check("useradd -u 7 -g other app", &["app=7:?"], &[]);
        check("useradd -u 7 -g root -d /srv/app -s /bin/false app", &["app=7:0"], &[]);
        check("useradd -r -c 'the program; all of it' -u 7 app", &["app=7:own"], &[]);
        check("useradd -u 6 -u 7 app", &["app=7:own"], &[]);
    }

    #[test]
    fn of_busybox() {
        check("adduser -D -u 1001 app", &["app=1001:own"], &[]);
        check("addgroup -g 50 -S team && adduser -S -G team -u 1001 app", &["app=1001:50"], &["team=50"]);
        // there it is the full name
        check("adduser -D -g 50 -u 7 app", &["app=7:own"], &[]);
        check("adduser -D -g 'The app' -h /app -u 7 app", &["app=7:own"], &[]);
        check("adduser -SDH -u 7 app", &["app=7:?"], &[]);
        check("adduser app -D -u 7", &["app=7:own"], &[]);
        check("addgroup -g 50 team; addgroup app team; adduser app team", &[], &["team=50"]);
    }

    #[test]
    fn of_debian() {
        check("adduser --disabled-password --gecos '' --uid 7 app", &["app=7:own"], &[]);
        check("addgroup --gid 50 team && adduser --uid 7 --ingroup team app", &["app=7:50"], &["team=50"]);
        check("adduser --uid 7 --gid 50 app", &["app=7:50"], &[]);
        check("adduser --system --uid 7 app", &["app=7:?"], &[]);
        check("adduser --system --group --uid 7 app", &["app=7:own"], &[]);
        check("adduser --group --gid 50 team", &[], &["team=50"]);
    }

    #[test]
    fn of_red_hat() {
        check("groupadd -g 50 team && adduser -r -u 7 -g team app", &["app=7:50"], &["team=50"]);
        check("adduser -m -u 7 -G wheel app", &["app=7:own"], &[]);
    }

    #[test]
    fn in_scripts() {
        check("set -eux; /usr/sbin/useradd -u 7 app", &["app=7:own"], &[]);
        check("if ! id app; then sudo useradd -u 7 app >/dev/null 2>&1; fi", &["app=7:own"], &[]);
        check("getent group team || groupadd -g 50 team # as elsewhere", &[], &["team=50"]);
        check("(busybox adduser -D -u 7 \\\n  app)", &["app=7:own"], &[]);
        check("useradd -u \"7\" \"app\"", &["app=7:own"], &[]);
        // what only names the program
        check("apt-get install -y adduser -u 7 app; echo useradd -u 7 app; which adduser", &[], &[]);
        // what nothing says
        check("adduser -D app; useradd -u $UID app; useradd -u 7 \"$NAME\"; groupadd -g $(id -g) team", &[], &[]);
        check("useradd; useradd -u; useradd -u 7; useradd --uid; groupadd -g 50; useradd -u 4294967296 app", &[], &[]);
    }

    #[test]
    fn root_is_there() {
        let accounts = Accounts::default();
        assert_eq!(accounts.user("root").map(|root| (root.uid, root.group)), Some((0, PrimaryGroup::Known(0))));
        assert_eq!([accounts.group("root"), accounts.group("app")], [Some(0), None]);
    }
}
