//! Ending on SIGTERM and SIGINT.
//!
//! In a container the program is PID 1, for which the kernel has no default action: without a handler a pod would hang
//! until it is killed. The work runs on a thread of its own and the calling thread waits for its end or for a signal,
//! so that the answer to a signal is prompt whatever the work is blocked in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use program_output::log;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What it means when a signal arrives before the work has ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSignal {
    /// The program would go on for ever: told to end, it has done its work, and succeeds.
    Done,
    /// The work has an end, which was not reached, and that must not look like success: 128 + signal, as a shell
    /// reports it. The text follows `stopped by signal N` in the log, such as `before the restore was done`.
    Unfinished(&'static str),
}

enum Ending {
    Work(ExitCode),
    Signal(i32),
}

/// Runs `work` until it ends or a signal arrives, and returns the exit code. Log lines begin with `program`.
pub fn run_until_signal(
    program: &str,
    work: impl FnOnce() -> ExitCode + Send + 'static,
    on_signal: OnSignal,
) -> ExitCode {
    let (sender, endings) = mpsc::channel();
    match Signals::new([SIGTERM, SIGINT]) {
        Ok(mut signals) => {
            let sender = sender.clone();
            thread::spawn(move || {
                if let Some(signal) = signals.forever().next() {
                    let _ = sender.send(Ending::Signal(signal));
                }
            });
        }
        Err(error) => log(program, format_args!("warning: signals cannot be caught: {error}")),
    }
    thread::spawn(move || {
        let code = catch_unwind(AssertUnwindSafe(work)).unwrap_or(ExitCode::FAILURE);
        let _ = sender.send(Ending::Work(code));
    });
    match endings.recv() {
        Ok(Ending::Work(code)) => code,
        Ok(Ending::Signal(signal)) => ended_by(program, signal, on_signal),
        Err(_) => ExitCode::FAILURE,
    }
}

fn ended_by(program: &str, signal: i32, on_signal: OnSignal) -> ExitCode {
    match on_signal {
        OnSignal::Done => {
            log(program, format_args!("stopped by signal {signal}"));
            ExitCode::SUCCESS
        }
        OnSignal::Unfinished(what) => {
            log(program, format_args!("stopped by signal {signal} {what}"));
            ExitCode::from(u8::try_from(128 + signal).unwrap_or(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_ends_decides_the_exit_code() {
        let run = |work: fn() -> ExitCode| run_until_signal("test", work, OnSignal::Done);
        assert_eq!(run(|| ExitCode::SUCCESS), ExitCode::SUCCESS);
        assert_eq!(run(|| ExitCode::from(3)), ExitCode::from(3));
        assert_eq!(run(|| panic!("a panic of the test")), ExitCode::FAILURE);
    }

    #[test]
    fn a_signal_is_success_only_for_work_without_end() {
        assert_eq!(ended_by("test", SIGTERM, OnSignal::Done), ExitCode::SUCCESS);
        let unfinished = OnSignal::Unfinished("before the work was done");
        assert_eq!(ended_by("test", SIGTERM, unfinished), ExitCode::from(143));
        assert_eq!(ended_by("test", SIGINT, unfinished), ExitCode::from(130));
    }
}
