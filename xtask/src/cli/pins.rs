//! The lock file of a run: whether it must fit, and what is said when it does not.

use super::session::{Loaded, Session};
use super::status::Stop;
use crate::lock::{self, Builders, Difference, Key, Locked, Mode, Pins};
use crate::resolve::Resolution;
use crate::workspace::LOCK_FILE;

impl Session<'_> {
    /// The digests of what a run uses. Entries that do not fit are a warning; with `--locked` they end the run with exit
    /// code 1.
    pub(super) fn pins(&self, loaded: &Loaded, resolution: &Resolution<'_>, builders: Builders) -> Result<Pins, Stop> {
        let mode = self.lock_mode(loaded);
        let wanted = lock::of_resolution(resolution, builders);
        let locked = lock::require(&wanted, loaded.lock_file.as_ref(), mode);
        let Locked { pins, differences } = locked.map_err(|differences| self.refusal(loaded, &differences))?;
        self.warn(&differences);
        Ok(pins)
    }

    /// What [`Session::pins`] has left out with [`Builders::NotUsed`], for a run that uses them after all.
    pub(super) fn check_builders(&self, loaded: &Loaded, resolution: &Resolution<'_>) -> Result<(), Stop> {
        let mode = self.lock_mode(loaded);
        let wanted = lock::of_resolution(resolution, Builders::Used);
        let locked = lock::require(&wanted, loaded.lock_file.as_ref(), mode);
        let mut differences = locked.map_or_else(|differences| differences, |locked| locked.differences);
        differences.retain(|difference| matches!(difference.key(), Some(Key::Builder(_) | Key::Outside(..))));
        if mode == Mode::Require && !differences.is_empty() {
            return Err(self.refusal(loaded, &differences));
        }
        self.warn(&differences);
        Ok(())
    }

    fn warn(&self, differences: &[Difference]) {
        if !differences.is_empty() {
            let (list, next) = (list(differences), next_step(self));
            self.output.message(&format!(
                "warning: {LOCK_FILE} does not fit the manifests; what it lacks is used without a digest\n{list}hint: {next}"
            ));
        }
    }

    /// `--locked`, and what CI implies: a workspace that has a lock file wants it to be true there. One that has none pins
    /// nothing on purpose, and only the flag asks it for one.
    fn lock_mode(&self, loaded: &Loaded) -> Mode {
        let ci = self.is_ci() && loaded.lock_file.is_some() && !self.global.no_locked;
        if self.global.locked || ci { Mode::Require } else { Mode::Prefer }
    }

    /// What the services for continuous integration set.
    fn is_ci(&self) -> bool {
        self.environment.get("CI").is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// Why a run ends here: every difference, and what repairs it.
    fn refusal(&self, loaded: &Loaded, differences: &[Difference]) -> Stop {
        let why = if self.global.locked {
            "--locked was given"
        } else {
            "CI=true asks for one that does (--no-locked goes on)"
        };
        let what = match &loaded.lock_file {
            Some(_) => format!("{LOCK_FILE} does not fit the manifests, and {why}"),
            None => format!("there is no {LOCK_FILE}, and {why}"),
        };
        Stop::refused(anyhow::anyhow!("{what}\n{}hint: {}", list(differences), next_step(self)))
    }
}

/// The digests that a run can use, whatever is missing.
pub(super) fn that_fit(loaded: &Loaded, resolution: &Resolution<'_>) -> Pins {
    let wanted = lock::of_resolution(resolution, Builders::Used);
    let locked = lock::require(&wanted, loaded.lock_file.as_ref(), Mode::Prefer);
    locked.map(|locked| locked.pins).unwrap_or_default()
}

/// One line for each difference.
pub(super) fn list(differences: &[Difference]) -> String {
    differences.iter().map(|difference| format!("  {difference}\n")).collect()
}

/// What repairs a lock file that does not fit.
pub(super) fn next_step(session: &Session<'_>) -> String {
    format!("run `{} lock` and commit {LOCK_FILE}", session.program)
}
