//! Ending on SIGTERM and SIGINT.
//!
//! In a container the program is PID 1, for which the kernel has no default action: without a handler a pod would hang
//! until it is killed. The work runs on a thread of its own and the calling thread waits for its end or for a signal,
//! so that the answer to a signal is prompt whatever the work is blocked in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

enum Ending {
    Work(ExitCode),
    Signal(i32),
}

/// Runs `work` until it ends or a signal arrives; a signal ends with `on_signal(number)`.
pub(crate) fn run_until_signal(
    work: impl FnOnce() -> ExitCode + Send + 'static,
    on_signal: impl FnOnce(i32) -> ExitCode,
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
        Err(error) => crate::log(format_args!("warning: signals cannot be caught: {error}")),
    }
    thread::spawn(move || {
        let code = catch_unwind(AssertUnwindSafe(work)).unwrap_or(ExitCode::FAILURE);
        let _ = sender.send(Ending::Work(code));
    });
    match endings.recv() {
        Ok(Ending::Work(code)) => code,
        Ok(Ending::Signal(signal)) => on_signal(signal),
        Err(_) => ExitCode::FAILURE,
    }
}
