//! Users and groups of an image, looked up in the texts of `/etc/passwd` and `/etc/group`.
//! <https://man7.org/linux/man-pages/man5/passwd.5.html>

/// The user and group numbers of a name in `/etc/passwd`.
pub fn user_of(passwd: &str, name: &str) -> Option<(u32, u32)> {
    numbers(&line(passwd, 0, name)?)
}

/// The group of a user number in `/etc/passwd`.
pub fn group_of_user(passwd: &str, uid: u32) -> Option<u32> {
    numbers(&line(passwd, 2, &uid.to_string())?).map(|(_, gid)| gid)
}

/// The number of a group name in `/etc/group`.
pub fn group_of(groups: &str, name: &str) -> Option<u32> {
    line(groups, 0, name)?.get(2)?.parse().ok()
}

fn numbers(fields: &[&str]) -> Option<(u32, u32)> {
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}

/// The fields of the first line that has a word at a place.
fn line<'t>(text: &'t str, place: usize, word: &str) -> Option<Vec<&'t str>> {
    let lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.into_iter().find(|fields| fields.get(place) == Some(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        let passwd = "root:x:0:0::/root:/bin/sh\nuser:x:1000:1001::/:/bin/sh\nodd:x:\nbig:x:4294967296:0::/:/\n";
        let groups = "root:x:0:\nstaff:x:50:user\n";
        for (name, expect) in
            [("root", Some((0, 0))), ("user", Some((1000, 1001))), ("odd", None), ("big", None), ("nobody", None)]
        {
            assert_eq!(user_of(passwd, name), expect, "{name}");
        }
        assert_eq!([group_of_user(passwd, 1000), group_of_user(passwd, 7)], [Some(1001), None]);
        assert_eq!([group_of(groups, "staff"), group_of(groups, "user")], [Some(50), None]);
    }
}
