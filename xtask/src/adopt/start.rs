//! How a stage is started, with the program by its own path: a program that is found by PATH, or by the folder that it is
//! started in, would be another one in another image.

use std::collections::{BTreeMap, BTreeSet};

use crate::oci::program_path;

/// What a stage says of its program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// Its working directory.
    pub(super) workdir: Option<&'a str>,
    /// Its environment.
    pub(super) env: &'a BTreeMap<String, String>,
    /// Files that it is known to hold.
    pub(super) files: &'a BTreeSet<&'a str>,
}

/// The absolute path of a program.
///
/// # Errors
/// What has to be asked.
pub(super) fn absolute(program: &str, place: Place<'_>) -> Result<String, String> {
    if program.contains(char::is_control) {
        return Err("its command holds a control character".to_owned());
    }
    let (workdir, path) = (place.workdir.unwrap_or("/"), place.env.get("PATH").map(String::as_str));
    match program_path(program, workdir, path, |path| place.files.contains(path)) {
        Some(found) => Ok(found),
        // where POSIX shells are, in every distribution
        None if matches!(program, "sh" | "ash" | "dash") => Ok("/bin/sh".to_owned()),
        None => Err(format!(
            "it starts `{program}`, which is looked for in PATH, and nothing that it copies says where it is: write the absolute path \
             into `command`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs() {
        let env = BTreeMap::from([("PATH".to_owned(), "/opt/bin:/usr/bin".to_owned())]);
        let files = BTreeSet::from(["/usr/bin/tini", "/opt/bin/app", "/usr/bin/app"]);
        let check = |program: &str, workdir: Option<&str>, expect: Option<&str>| {
            let place = Place { workdir, env: &env, files: &files };
            assert_eq!(absolute(program, place).ok().as_deref(), expect, "{program}");
        };
        check("/runner", None, Some("/runner"));
        check("./bin/x", Some("/srv/"), Some("/srv/bin/x"));
        check("bin/x", None, Some("/bin/x"));
        check("tini", None, Some("/usr/bin/tini"));
        check("app", None, Some("/opt/bin/app"));
        check("sh", None, Some("/bin/sh"));
        check("python", None, None);
        check("/a\nb", None, None);
    }
}
