//! What a change causes: every webhook, then the signal.

use crate::log;
use crate::options::{Hook, Process};
use crate::process;
use crate::stats::Stats;
use crate::webhook;

/// Runs all parts, also when one of them fails, and tells whether all succeeded.
pub(crate) fn run(hook: &Hook, stats: &Stats) -> bool {
    let called = webhook::call_all(&hook.webhooks, stats);
    let signalled = hook.process.as_ref().is_none_or(signal);
    let success = called && signalled;
    stats.reloaded(success);
    success
}

fn signal(Process { name, signal }: &Process) -> bool {
    match process::signal_all(name, *signal) {
        Ok(pids) if pids.is_empty() => {
            log(format_args!(
                "no process is named {name:?}\n  hint: in another container it is visible with shareProcessNamespace: true"
            ));
            false
        }
        Ok(pids) => {
            log(format_args!("signalled {name:?}: {pids:?}"));
            true
        }
        Err(problem) => {
            log(format_args!("failed to signal {name:?}: {problem}"));
            false
        }
    }
}
