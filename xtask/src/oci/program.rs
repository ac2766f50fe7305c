//! Where the program of a command is, as a container runtime looks it up.

/// Where programs are looked for when an image says nothing, and the `PATH` that builders give an image without one.
/// <https://github.com/moby/moby/blob/master/oci/defaults.go>
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The absolute path of a program: as it is written, below the working folder, or the first of that name in a folder of `path`,
/// which is the value of `PATH`. Only in the last case is `is_there` asked, which says whether there is a program at a path.
///
/// Folders of `PATH` that are not absolute are passed over: what they mean changes with the working folder.
pub fn program_path(
    program: &str,
    workdir: &str,
    path: Option<&str>,
    is_there: impl Fn(&str) -> bool,
) -> Option<String> {
    if program.starts_with('/') {
        return Some(program.to_owned());
    }
    if program.contains('/') {
        return Some(format!("{}/{}", workdir.trim_end_matches('/'), program.trim_start_matches("./")));
    }
    let folders = path.unwrap_or(DEFAULT_PATH).split(':').filter(|folder| folder.starts_with('/'));
    let mut places = folders.map(|folder| format!("{}/{program}", folder.trim_end_matches('/')));
    places.find(|place| is_there(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs() {
        let files = ["/usr/bin/tini", "/opt/bin/app", "/usr/bin/app", "/usr/local/bin/app", "/srv/here"];
        let check = |program: &str, workdir: &str, path: Option<&str>, expect: Option<&str>| {
            let found = program_path(program, workdir, path, |path| files.contains(&path));
            assert_eq!(found.as_deref(), expect, "{program} in {workdir} by {path:?}");
        };
        check("/runner", "/", None, Some("/runner"));
        check("./bin/x", "/srv/", None, Some("/srv/bin/x"));
        check("bin/x", "/srv", None, Some("/srv/bin/x"));
        check("bin/x", "/", None, Some("/bin/x"));
        check("bin/x", "", None, Some("/bin/x"));
        check("tini", "/", None, Some("/usr/bin/tini"));
        check("app", "/", None, Some("/usr/local/bin/app"));
        check("app", "/", Some("/opt/bin/:/usr/bin"), Some("/opt/bin/app"));
        check("here", "/srv", Some(".:srv::/usr/bin"), None);
        check("tini", "/", Some(""), None);
        check("python", "/", None, None);
    }
}
