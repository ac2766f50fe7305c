//! The Docker daemon besides building: is it there, and what has been left in it.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use crate::monorepo::Monorepo;

/// Runs the docker command line; a failure where there is none.
pub fn run(arguments: &[&str]) -> Output {
    Command::new("docker").args(arguments).output().unwrap_or_else(|_| Output {
        status: std::os::unix::process::ExitStatusExt::from_raw(1 << 8),
        stdout: Vec::new(),
        stderr: Vec::new(),
    })
}

pub fn answers() -> bool {
    run(&["version"]).status.success()
}

/// Images that a run of the benchmark made, found by name and by label while they have one.
#[derive(Default)]
pub struct Made {
    ids: BTreeSet<String>,
}

impl Made {
    /// Looks for those that are there now: a later build takes their names away.
    pub fn look(&mut self, monorepo: &Monorepo) {
        let reference = format!("reference={}/*", monorepo.registry("*"));
        let title = |image: usize| format!("label=org.opencontainers.image.title={}", Monorepo::image_name(image));
        let labels = (0..monorepo.size.images).map(title);
        for filter in std::iter::once(reference).chain(labels) {
            let found = run(&["images", "--quiet", "--no-trunc", "--filter", &filter]);
            self.ids.extend(String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned));
        }
    }

    /// Removes them, and nothing else.
    pub fn remove(&self) {
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        for some in ids.chunks(50) {
            let mut arguments = vec!["rmi", "--force"];
            arguments.extend(some);
            run(&arguments);
        }
    }
}
