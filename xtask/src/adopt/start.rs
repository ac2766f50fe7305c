//! How a stage is started, with the program by its own path: a program that is found by PATH, or by the folder that it is
//! started in, would be another one in another image.

use std::collections::{BTreeMap, BTreeSet};

/// Where programs are looked for when an image says nothing.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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
    if program.starts_with('/') {
        return Ok(program.to_owned());
    }
    if program.contains('/') {
        let folder = place.workdir.unwrap_or("/").trim_end_matches('/');
        return Ok(format!("{folder}/{}", program.trim_start_matches("./")));
    }
    let path = place.env.get("PATH").map_or(PATH, String::as_str);
    let candidates = path.split(':').filter(|folder| folder.starts_with('/'));
    let mut candidates = candidates.map(|folder| format!("{}/{program}", folder.trim_end_matches('/')));
    if let Some(found) = candidates.find(|path| place.files.contains(path.as_str())) {
        return Ok(found);
    }
    match program {
        // where POSIX shells are, in every distribution
        "sh" | "ash" | "dash" => Ok("/bin/sh".to_owned()),
        _ => Err(format!(
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
