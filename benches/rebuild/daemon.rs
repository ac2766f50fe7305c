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

    /// Images of single components keep their label, so that it is enough to look for them once.
    fn look_for_components(&mut self) {
        let label = "dev.groupage.component";
        let found = run(&["images", "--all", "--quiet", "--no-trunc", "--filter", &format!("label={label}")]);
        let found = String::from_utf8_lossy(&found.stdout).into_owned();
        let format = format!("{{{{.Id}}}} {{{{index .Config.Labels \"{label}\"}}}}");
        for some in found.lines().collect::<Vec<_>>().chunks(50) {
            let mut arguments = vec!["inspect", "--type", "image", "--format", format.as_str()];
            arguments.extend(some);
            let shown = run(&arguments);
            let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
            let ours =
                shown.lines().filter_map(|line| line.split_once(' ')).filter(|(_, name)| name.starts_with("bench-"));
            self.ids.extend(ours.map(|(id, _)| id.to_owned()));
        }
    }

    /// Removes them, and nothing else.
    pub fn remove(mut self) {
        self.look_for_components();
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        for some in ids.chunks(50) {
            let mut arguments = vec!["rmi", "--force"];
            arguments.extend(some);
            run(&arguments);
        }
    }
}
