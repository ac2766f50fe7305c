//! What two published images became runs, as a container of either.

use std::process::Command;

use crate::native_above::two;
use crate::support::{Ended, daemon, docker};

#[test]
fn both_programs_run() {
    if !daemon() {
        return;
    }
    let published = two();
    let mut build = published.workspace.with_daemon(&["--load"]);
    Ended::of(&mut build).expect(0);
    let reference = published.workspace.tag("both:1.0.0");
    let run = |program: &str| {
        let mut run = Command::new("docker");
        run.args(["run", "--rm", "--network=none", "--entrypoint", program, &reference]);
        Ended::of(&mut run).code
    };
    assert_eq!([run("/usr/bin/one"), run("/usr/bin/two")], [Some(11), Some(12)]);
    let size = docker(["image", "inspect", "--format", "{{len .RootFS.Layers}}", &reference]);
    assert_eq!(size.trim(), "4");
}
