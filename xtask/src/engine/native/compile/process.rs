//! A program that runs, with everything that it starts.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader, Split};
use tokio::process::{Child, Command};

/// How long a program that has ended may leave its output open: a server that it has started may hold it for ever.
const LINGER: Duration = Duration::from_secs(1);

/// One line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

/// Runs a program and gives each line that it writes to `on_line`. When the future is dropped, the program and all that it
/// has started are ended at once.
pub(super) async fn run(mut command: Command, mut on_line: impl FnMut(Line)) -> io::Result<ExitStatus> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut group = Group { child: command.spawn()?, ended: false };
    let mut out = group.child.stdout.take().map(lines);
    let mut err = group.child.stderr.take().map(lines);
    let mut status = None;
    while out.is_some() || err.is_some() {
        tokio::select! {
            line = next(&mut out), if out.is_some() => match line? {
                Some(line) => on_line(Line::Out(line)),
                None => out = None,
            },
            line = next(&mut err), if err.is_some() => match line? {
                Some(line) => on_line(Line::Err(line)),
                None => err = None,
            },
            ended = group.child.wait(), if status.is_none() => status = Some(ended?),
            () = tokio::time::sleep(LINGER), if status.is_some() => break,
        }
    }
    let status = match status {
        Some(status) => status,
        None => group.child.wait().await?,
    };
    group.ended = true;
    Ok(status)
}

type Lines<R> = Split<BufReader<R>>;

fn lines<R: AsyncRead + Unpin>(stream: R) -> Lines<R> {
    BufReader::new(stream).split(b'\n')
}

async fn next<R: AsyncRead + Unpin>(lines: &mut Option<Lines<R>>) -> io::Result<Option<Vec<u8>>> {
    match lines {
        Some(lines) => lines.next_segment().await,
        None => Ok(None),
    }
}

/// A process group, which is ended with its leader.
struct Group {
    child: Child,
    ended: bool,
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // as long as nobody has waited for the leader, no other group has its number
        #[cfg(unix)]
        if let Some(leader) = self.child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_of_both_streams_and_the_status() {
        let mut lines = Vec::new();
        let work = run(shell("echo a; echo b >&2; printf c; exit 3"), |line| lines.push(line));
        let status = crate::engine::block_on(work).unwrap().unwrap();
        assert_eq!(status.code(), Some(3));
        lines.sort_by_key(|line| matches!(line, Line::Err(_)));
        assert_eq!(lines, [Line::Out(b"a".to_vec()), Line::Out(b"c".to_vec()), Line::Err(b"b".to_vec())]);
    }

    #[test]
    fn output_that_somebody_else_holds_open_is_not_waited_for() {
        let status = crate::engine::block_on(run(shell("sleep 100 & exit 0"), |_| ())).unwrap().unwrap();
        assert!(status.success());
    }

    #[test]
    fn dropping_it_ends_everything_that_it_has_started() {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let work = run(shell("sleep 1000 & echo $!; wait"), |line| sender.send(line).unwrap());
        let pid = crate::engine::block_on(async {
            tokio::select! {
                _ = work => unreachable!("it sleeps"),
                line = receiver.recv() => match line.unwrap() {
                    Line::Out(pid) => String::from_utf8(pid).unwrap(),
                    Line::Err(error) => panic!("{}", String::from_utf8_lossy(&error)),
                },
            }
        });
        let stat = format!("/proc/{}/stat", pid.unwrap());
        // ended, and perhaps not yet waited for by whoever inherits orphans
        let runs = || fs_err::read_to_string(&stat).is_ok_and(|text| !text.contains(") Z "));
        while runs() {
            std::thread::yield_now();
        }
    }
}
