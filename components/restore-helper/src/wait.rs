//! The loop: look, report, sleep.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use crate::log;
use crate::progress;
use crate::restores::{self, Progress};

const POLL: Duration = Duration::from_secs(1);
/// An unchanged state is repeated this often, in polls, so that a long restore does not look like a hung one.
const REMIND_EVERY: u32 = 30;

/// Waits until every volume below `dir` is restored.
pub(crate) fn until_restored(dir: &Path, id: &OsStr) -> ExitCode {
    let mut reporter = Reporter::default();
    let mut started = false;
    loop {
        match restores::look(dir, id) {
            Ok(progress) if progress.volumes() == 0 => {
                log(format_args!(
                    "error: {dir:?} has no volumes to wait for\n  hint: mount each restored volume as {}/<volume>",
                    dir.display()
                ));
                return ExitCode::FAILURE;
            }
            Ok(progress) => {
                started = true;
                reporter.report(&progress);
                if progress.is_done() {
                    return ExitCode::SUCCESS;
                }
            }
            Err(error) if !started && error.kind() == io::ErrorKind::NotFound => {
                log(format_args!(
                    "error: {dir:?} does not exist\n  hint: mount each restored volume as {}/<volume>",
                    dir.display()
                ));
                return ExitCode::FAILURE;
            }
            // The restore may be changing permissions at this very moment: report, and look again.
            Err(error) => log(format_args!("failed to look into {}: {error}; trying again", dir.display())),
        }
        thread::sleep(POLL);
    }
}

/// Prints a state when it is new, and now and then when it is not.
#[derive(Default)]
struct Reporter {
    last: Option<Progress>,
    repeats: u32,
}

impl Reporter {
    fn report(&mut self, progress: &Progress) {
        if !self.is_due(progress) {
            return;
        }
        log(progress::text(progress));
        #[cfg(feature = "progress-json")]
        let _ = program_output::print(&progress::json(progress));
    }

    fn is_due(&mut self, progress: &Progress) -> bool {
        let same = self.last.as_ref() == Some(progress);
        self.repeats = if same { (self.repeats + 1) % REMIND_EVERY } else { 0 };
        if !same {
            self.last = Some(Progress { restored: progress.restored.clone(), waiting: progress.waiting.clone() });
        }
        self.repeats == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_reported_when_new_and_as_a_reminder() {
        let waiting = |names: &[&str]| Progress {
            restored: Vec::new(),
            waiting: names.iter().map(ToString::to_string).collect(),
        };
        let mut reporter = Reporter::default();
        assert!(reporter.is_due(&waiting(&["a", "b"])));
        assert!(!reporter.is_due(&waiting(&["a", "b"])));
        assert!(reporter.is_due(&waiting(&["b"])));
        let reminders = (0..REMIND_EVERY).filter(|_| reporter.is_due(&waiting(&["b"]))).count();
        assert_eq!(reminders, 1);
    }
}
