//! Where the program of a command is. A role names it by its absolute path, which depends on no `PATH`; a Dockerfile often
//! does not.

use super::ReadDockerfile;
use crate::dockerfile::{Source, StepKind};

/// Where programs are looked for. <https://github.com/moby/moby/blob/master/oci/defaults.go>
const PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The absolute path of a program; `None` when nobody can know it.
pub(super) fn absolute(program: &str, workdir: &str, read: &ReadDockerfile) -> Option<String> {
    if program.starts_with('/') {
        return Some(program.to_owned());
    }
    if let Some(below) = program.strip_prefix("./") {
        return Some(format!("{}/{below}", workdir.trim_end_matches('/')));
    }
    if program.contains('/') {
        return Some(format!("{}/{program}", workdir.trim_end_matches('/')));
    }
    if matches!(program, "sh") {
        return Some("/bin/sh".to_owned());
    }
    let copied = read.facts.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Copy(copy) => Some(copy),
        _ => None,
    });
    let mut found: Vec<String> = copied
        .flat_map(|copy| {
            let destination = copy.destination.known().unwrap_or_default().to_owned();
            let names = copy.sources.iter().filter_map(|source| match &source.value {
                Source::Path(path) => Some(path.known()?.trim_end_matches('/').rsplit('/').next()?.to_owned()),
                Source::Heredoc { name, .. } => Some(name.clone()),
                _ => None,
            });
            let folder = destination.trim_end_matches('/').to_owned();
            let below = names.map(|name| format!("{folder}/{name}")).collect::<Vec<_>>();
            below.into_iter().chain([destination])
        })
        .filter(|path| PATH.iter().any(|folder| path.strip_prefix(folder) == Some(&format!("/{program}"))))
        .collect();
    found.sort();
    found.dedup();
    if found.len() == 1 { found.pop() } else { None }
}
