//! The user of an image in numbers, as container runtimes find them out: a name stands in the image's own `/etc/passwd`; a
//! number has the group that it has there, else that of root.

use serde::Serialize;

use crate::oci::{group_of, group_of_user, user_of};

/// A user as it is written, and what it means.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceUser {
    /// As the configuration has it; empty is root.
    pub written: String,
    /// `UID:GID`, where it is known.
    pub numeric: Option<String>,
    /// Why it is not known, in words.
    pub why: Option<String>,
}

pub(super) fn of(written: &str, text: &dyn Fn(&str) -> Option<String>) -> SourceUser {
    let (numeric, why) = match numbers(written, text) {
        Ok((uid, gid)) => (Some(format!("{uid}:{gid}")), None),
        Err(why) => (None, Some(why)),
    };
    SourceUser { written: written.to_owned(), numeric, why }
}

fn numbers(written: &str, text: &dyn Fn(&str) -> Option<String>) -> Result<(u32, u32), String> {
    let passwd = || text("/etc/passwd").unwrap_or_default();
    let (user, group) = written.split_once(':').map_or((written, None), |(user, group)| (user, Some(group)));
    let (uid, gid) = match user.parse::<u32>() {
        _ if user.is_empty() => (0, 0),
        Ok(uid) => (uid, group_of_user(&passwd(), uid).unwrap_or_default()),
        Err(_) => user_of(&passwd(), user).ok_or_else(|| missing(text, "/etc/passwd", "user", user))?,
    };
    match group.map(|group| (group, group.parse::<u32>())) {
        None | Some(("", _)) => Ok((uid, gid)),
        Some((_, Ok(gid))) => Ok((uid, gid)),
        Some((group, Err(_))) => {
            let gid = text("/etc/group").and_then(|groups| group_of(&groups, group));
            gid.map(|gid| (uid, gid)).ok_or_else(|| missing(text, "/etc/group", "group", group))
        }
    }
}

fn missing(text: &dyn Fn(&str) -> Option<String>, file: &str, what: &str, name: &str) -> String {
    match text(file) {
        Some(_) => format!("{file} of the image has no {what} `{name}`"),
        None => format!("the image has no {file} that says what {what} `{name}` is"),
    }
}
