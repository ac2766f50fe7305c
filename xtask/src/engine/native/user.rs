//! Who owns what `WORKDIR` makes: the user that the image has until then, as BuildKit and buildah read it.
//!
//! `UID`, `UID:GID`, `NAME` and `NAME:GROUP` are understood; a number alone is the group too. Names are looked up in
//! `/etc/passwd` and `/etc/group` of the base; one that is not there is root.

use std::io;

use super::entry::{Content, EntryKind, LayerEntry};
use crate::engine::store::Store;
use crate::oci::{group_of, user_of};

/// More of `/etc/passwd` is not read.
const MAX_TEXT: u64 = 4 << 20;

/// Owner and group of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: u64,
    /// The group.
    pub gid: u64,
}

impl Owner {
    /// Of what nobody else owns.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };

    /// The owner that the `User` of a configuration stands for; `read` gives a text file of the image, where there is one.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn of<E>(user: &str, read: impl Fn(&str) -> Result<Option<String>, E>) -> Result<Self, E> {
        let (user, group) = user.split_once(':').map_or((user, None), |(user, group)| (user, Some(group)));
        let mut owner = match user.parse() {
            Ok(uid) => Self { uid, gid: uid },
            Err(_) if user.is_empty() => Self::ROOT,
            Err(_) => {
                let passwd = read("/etc/passwd")?.unwrap_or_default();
                let found = user_of(&passwd, user).map(|(uid, gid)| Self { uid: uid.into(), gid: gid.into() });
                found.unwrap_or_default()
            }
        };
        match group.map(str::parse) {
            None => {}
            Some(Ok(gid)) => owner.gid = gid,
            Some(Err(_)) => {
                let groups = read("/etc/group")?.unwrap_or_default();
                owner.gid = group_of(&groups, group.unwrap_or_default()).map(u64::from).unwrap_or_default();
            }
        }
        Ok(owner)
    }
}

/// The text of a file that was taken out of an image.
pub(super) fn text(entry: &LayerEntry, store: &Store) -> io::Result<Option<String>> {
    let bytes = match &entry.kind {
        EntryKind::File(Content::Bytes(bytes)) => bytes.to_vec(),
        EntryKind::File(Content::Blob { digest, .. }) => {
            store.read(digest, MAX_TEXT)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?
        }
        _ => return Ok(None),
    };
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_of_configurations() {
        let read = |path: &str| -> Result<Option<String>, ()> {
            Ok(match path {
                "/etc/passwd" => Some("root:x:0:0::/root:/bin/sh\nuser:x:1000:1001::/:/bin/sh\nodd:x:\n".to_owned()),
                "/etc/group" => Some("root:x:0:\nstaff:x:50:user\n".to_owned()),
                _ => None,
            })
        };
        for (user, uid, gid) in [
            ("", 0, 0),
            ("65532", 65532, 65532),
            ("65532:7", 65532, 7),
            ("user", 1000, 1001),
            ("user:staff", 1000, 50),
            ("user:7", 1000, 7),
            ("12:staff", 12, 50),
            ("nobody", 0, 0),
            ("user:nobody", 1000, 0),
            ("odd", 0, 0),
        ] {
            assert_eq!(Owner::of(user, read), Ok(Owner { uid, gid }), "{user}");
        }
    }
}
