//! What other programs take for the same image, as information: they do other things besides.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::payload::Payload;

/// What is run before the clock starts, what is measured, and what cleans up; in a folder with the files `c0` and so on.
struct Other {
    name: &'static str,
    before: &'static str,
    run: &'static str,
    after: &'static str,
}

const OTHERS: [Other; 4] = [
    Other {
        name: "docker build, into its store",
        before: "docker version",
        run: "docker build --no-cache --quiet --tag groupage-bench-others .",
        after: "docker rmi groupage-bench-others",
    },
    Other {
        name: "docker build, BuildKit",
        before: "docker version",
        run: "DOCKER_BUILDKIT=1 docker build --no-cache --quiet --tag groupage-bench-others .",
        after: "docker rmi groupage-bench-others",
    },
    Other {
        name: "umoci, one layer for each file",
        before: "umoci --version && umoci init --layout l && umoci new --image l:x",
        run: "for f in c?; do umoci insert --rootless --image l:x $f /usr/bin/$f || exit 1; done",
        after: "rm -r l",
    },
    Other {
        name: "buildah, one layer",
        before: "buildah --version",
        run: "buildah --storage-driver vfs bud --isolation chroot --no-cache --quiet --tag groupage-bench-others .",
        after: "buildah --storage-driver vfs rmi groupage-bench-others",
    },
];

const ROUNDS: usize = 3;

/// Prints a line for each of them that is on this machine.
pub fn tell(payload: &Payload) {
    let folder = tempfile::tempdir_in(crate::disk()).unwrap();
    let mut dockerfile = "FROM scratch\n".to_owned();
    for (index, file) in payload.files.iter().enumerate() {
        std::fs::hard_link(file, folder.path().join(format!("c{index}"))).unwrap();
        dockerfile += &format!("COPY c{index} /usr/bin/\n");
    }
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
    for other in OTHERS {
        let times: Option<Vec<Duration>> = (0..ROUNDS).map(|_| other.time(folder.path())).collect();
        let shown = times.map(|times| format!("{:>7.1} ms", crate::millis(crate::median(times))));
        println!("{:32} {}", other.name, shown.as_deref().unwrap_or("cannot be had here"));
    }
}

impl Other {
    fn time(&self, folder: &Path) -> Option<Duration> {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).current_dir(folder).stdin(Stdio::null());
            command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        let prepared = shell(self.before);
        let begin = Instant::now();
        let done = prepared && shell(self.run);
        let time = begin.elapsed();
        shell(self.after);
        done.then_some(time)
    }
}
