//! Whether a user may start a file, by owner and permission bits. Further groups of the user are not known: Kubernetes and
//! `docker run` add them.

use crate::oci::{Attributes, Node, Rootfs};

/// A numeric user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// `UID` or `UID:GID`; without a group it is that of root, as in Docker for a user that /etc/passwd does not know. Nothing
    /// where it is not numeric.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (uid, gid) = text.split_once(':').unwrap_or((text, "0"));
        let number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
        Some(Self { uid: number(uid)?, gid: number(gid)? })
    }

    /// Whether the bits let this user execute a file, or search a folder. Root may search all folders.
    fn may_execute(self, own: Attributes, is_folder: bool) -> bool {
        let bits = match () {
            () if self.uid == 0 && is_folder => return true,
            () if self.uid == 0 => own.mode | own.mode >> 3 | own.mode >> 6,
            () if self.uid == own.uid => own.mode >> 6,
            () if self.gid == own.gid => own.mode >> 3,
            () => own.mode,
        };
        bits & 1 != 0
    }
}

/// Why a user may not start a file, in words that go behind its path; `path` has no links.
pub(super) fn refusal(rootfs: &Rootfs, path: &str, own: Attributes, user: User) -> Option<String> {
    if !user.may_execute(own, false) {
        let Attributes { mode, uid, gid } = own;
        return Some(format!(
            "may not be executed by user {}:{}: mode {mode:04o}, owner {uid}:{gid}",
            user.uid, user.gid
        ));
    }
    let ends = path.match_indices('/').map(|(end, _)| end).filter(|end| *end > 0);
    let closed = ends.filter_map(|end| path.get(..end)).find_map(|folder| match rootfs.get(folder) {
        Some(Node::Folder(own)) if !user.may_execute(own, true) => Some((folder, own)),
        _ => None,
    });
    closed.map(|(folder, Attributes { mode, uid, gid })| {
        format!(
            "is in {folder}, which user {}:{} may not enter: mode {mode:04o}, owner {uid}:{gid}",
            user.uid, user.gid
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users() {
        let check = |text: &str, expect: Option<(u32, u32)>| {
            assert_eq!(User::parse(text).map(|user| (user.uid, user.gid)), expect, "{text}");
        };
        check("65532:65532", Some((65532, 65532)));
        check("7", Some((7, 0)));
        for text in ["", "nobody", "1:staff", "-1", "+1", "1:", "4294967296"] {
            check(text, None);
        }
    }

    #[test]
    fn bits() {
        let check = |user: &str, mode: u32, owner: (u32, u32), expect: bool| {
            let own = Attributes { mode, uid: owner.0, gid: owner.1 };
            assert_eq!(User::parse(user).unwrap().may_execute(own, false), expect, "{user} {mode:o} {owner:?}");
        };
        check("1:1", 0o755, (0, 0), true);
        check("1:1", 0o750, (0, 0), false);
        check("1:2", 0o750, (0, 2), true);
        check("1:1", 0o055, (1, 0), false);
        check("1:2", 0o705, (0, 2), false);
        check("0:0", 0o644, (0, 0), false);
        check("0:0", 0o001, (5, 5), true);
    }
}
