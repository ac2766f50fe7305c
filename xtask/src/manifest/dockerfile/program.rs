//! Where the program of a command is. A role names it by its absolute path, which depends on no `PATH`; a Dockerfile often
//! does not.
//!
//! What the base image holds nobody can see here, so that a program without a path must be one that the file copies. `PATH` is
//! what the file says, where that is known, else the usual one.

use std::collections::BTreeSet;

use crate::dockerfile::{Source, StageFacts, StepKind};
use crate::oci::program_path;

/// The absolute path of a program; `None` when nobody can know it.
pub(super) fn absolute(program: &str, workdir: &str, facts: &StageFacts) -> Option<String> {
    let path = facts.env.iter().find(|variable| variable.name == "PATH").and_then(|path| path.value.value.known());
    let copied = copied(facts);
    let found = program_path(program, workdir, path, |path| copied.contains(path));
    // where the POSIX shell is, in every distribution
    found.or_else(|| (program == "sh").then(|| "/bin/sh".to_owned()))
}

/// Paths that copies may give: a destination is a file or a folder.
fn copied(facts: &StageFacts) -> BTreeSet<String> {
    let copies = facts.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Copy(copy) => Some(copy),
        _ => None,
    });
    let paths = copies.flat_map(|copy| {
        let destination = copy.destination.known().unwrap_or_default();
        let folder = destination.trim_end_matches('/');
        let names = copy.sources.iter().filter_map(|source| match &source.value {
            Source::Path(path) => path.known()?.trim_end_matches('/').rsplit('/').next(),
            Source::Heredoc { name, .. } => Some(name.as_str()),
            _ => None,
        });
        let below = names.map(move |name| format!("{folder}/{name}"));
        below.chain([destination.to_owned()])
    });
    paths.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::dockerfile::{Dockerfile, evaluate};

    #[test]
    fn programs() {
        let check = |file: &str, program: &str, expect: Option<&str>| {
            let file = Dockerfile::parse(file).expect("it is one");
            let facts = evaluate(&file, None, &BTreeMap::new()).expect("nothing is open");
            assert_eq!(absolute(program, "/srv", &facts).as_deref(), expect, "{program} in {}", file.text());
        };
        let file = "FROM alpine\nCOPY app tool /usr/bin/\nCOPY other /usr/local/bin/tool\nCOPY x /opt/bin/\n";
        check(file, "/opt/bin/y", Some("/opt/bin/y"));
        check(file, "./y", Some("/srv/y"));
        check(file, "app", Some("/usr/bin/app"));
        // the first one of the usual folders is started
        check(file, "tool", Some("/usr/local/bin/tool"));
        check(file, "x", None);
        check(file, "tini", None);
        check(file, "sh", Some("/bin/sh"));
        check("FROM alpine\nCOPY sh /usr/local/bin/sh\n", "sh", Some("/usr/local/bin/sh"));
        check("FROM scratch\nENV PATH=/opt/bin:$PATH\nCOPY x /opt/bin/\nCOPY x /bin/x\n", "x", Some("/opt/bin/x"));
        check("FROM alpine\nENV PATH=/opt/bin\nCOPY x /usr/bin/\n", "x", None);
        // what the base says of it is not known
        check("FROM alpine\nENV PATH=/opt/bin:$PATH\nCOPY x /usr/bin/\n", "x", Some("/usr/bin/x"));
    }
}
