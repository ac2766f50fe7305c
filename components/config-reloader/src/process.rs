//! Finds processes by name and signals them.
//!
//! The name of a process is in two places. `comm` is what the kernel knows, cut to 15 bytes, and for a script it is the
//! script's name; the first word of `cmdline` is what its parent called it. Either may match.

use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

const COMM_LENGTH: usize = 15;

/// Sends the signal to every process of that name except this one, and returns their ids.
pub(crate) fn signal_all(name: &str, signal: Signal) -> Result<Vec<i32>, String> {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let pids = find(Path::new("/proc"), name, own).map_err(|error| format!("failed to read /proc: {error}"))?;
    let mut reached = Vec::new();
    for pid in pids {
        match Pid::from_raw(pid).map(|target| kill_process(target, signal)) {
            Some(Ok(())) => reached.push(pid),
            // It has ended in the meantime: nothing to reload.
            Some(Err(rustix::io::Errno::SRCH)) | None => {}
            Some(Err(error)) => return Err(format!("process {pid}: {error}; it must run as the same user")),
        }
    }
    Ok(reached)
}

/// The signal of that name, with or without `SIG`. KILL and STOP are left out: nothing reloads on them.
pub(crate) fn signal(name: &str) -> Option<Signal> {
    Some(match name.strip_prefix("SIG").unwrap_or(name) {
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "QUIT" => Signal::QUIT,
        "USR1" => Signal::USR1,
        "USR2" => Signal::USR2,
        "TERM" => Signal::TERM,
        "CONT" => Signal::CONT,
        "WINCH" => Signal::WINCH,
        _ => return None,
    })
}

/// The ids of the processes of that name, ascending.
fn find(proc: &Path, name: &str, own: i32) -> io::Result<Vec<i32>> {
    let mut pids: Vec<i32> = fs::read_dir(proc)?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid != own && is_named(&proc.join(pid.to_string()), name))
        .collect();
    pids.sort_unstable();
    Ok(pids)
}

fn is_named(process: &Path, name: &str) -> bool {
    // A process that ends while it is looked at has no files any more, hence no name.
    let comm = fs::read(process.join("comm")).unwrap_or_default();
    let comm = comm.strip_suffix(b"\n").unwrap_or(&comm);
    let cut = &name.as_bytes()[..name.len().min(COMM_LENGTH)];
    let cmdline = fs::read(process.join("cmdline")).unwrap_or_default();
    let command = cmdline.split(|byte| *byte == 0).next().unwrap_or_default();
    let file_name = command.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    match file_name.is_empty() {
        // A kernel thread, or a process that has just ended, has no command line: its comm is all there is.
        true => comm == cut,
        // With a command line, a cut comm must not stand for every longer name.
        false => file_name == name.as_bytes() || comm == name.as_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Processes are id, comm and cmdline with spaces for NUL.
    fn check(name: &str, processes: &[(i32, &str, &str)], expected: &[i32]) {
        let proc = tempfile::tempdir().expect("a temporary directory");
        for (pid, comm, cmdline) in processes {
            let dir = proc.path().join(pid.to_string());
            fs::create_dir(&dir).expect("a directory");
            fs::write(dir.join("comm"), format!("{comm}\n")).expect("a file");
            fs::write(dir.join("cmdline"), cmdline.replace(' ', "\0")).expect("a file");
        }
        fs::create_dir(proc.path().join("sys")).expect("a directory");
        fs::create_dir(proc.path().join("99")).expect("a process without files, about to end");
        assert_eq!(find(proc.path(), name, 7).expect("it is readable"), expected, "{name}");
    }

    #[test]
    fn a_process_is_found_by_comm_or_command() {
        let processes = [
            (1, "pause", "/pause"),
            (10, "fluent-bit", "/fluent-bit/bin/fluent-bit -c /x"),
            (9, "fluentd", "ruby /usr/bin/fluentd --under-supervisor"),
            (11, "a-very-long-nam", "/bin/a-very-long-name-indeed "),
            (12, "a-very-long-nam", "/bin/a-very-long-name-too "),
            (13, "worker", "fluentd "),
            (14, "kworker/0:1", ""),
        ];
        check("fluent-bit", &processes, &[10]);
        check("fluentd", &processes, &[9, 13]);
        check("a-very-long-name-indeed", &processes, &[11]);
        check("ruby", &processes, &[9]);
        check("fluent", &processes, &[]);
        check("/x", &processes, &[]);
    }

    #[test]
    fn the_program_never_finds_itself() {
        check("config-reloader", &[(7, "config-reloader", "config-reloader "), (8, "config-reloader", "")], &[8]);
    }

    #[test]
    fn signals_are_named_with_or_without_sig() {
        for name in ["HUP", "SIGHUP"] {
            assert_eq!(signal(name), Some(Signal::HUP));
        }
        for name in ["KILL", "hup", "1", "SIG", ""] {
            assert_eq!(signal(name), None);
        }
    }
}
