//! The block that is printed last when a build has failed: what, where, why, and how to run it again.

use std::io::{self, Write};

use super::place::{Place, component_of_stage, find, find_by_message, find_reference};
use crate::engine::{EngineError, Step, StepFailure};
use crate::verify::Finding;

/// A failed job, and what the caller knows about it.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// Name of the job.
    pub image: &'a str,
    /// Why it failed.
    pub error: &'a EngineError,
    /// The component that failed, where it is known: a builder names no stage when there is only one.
    pub component: Option<&'a str>,
    /// Where the Dockerfile is (or would be, had it been written), such as `images/operator/Dockerfile`.
    pub dockerfile_path: &'a str,
    /// Its text.
    pub dockerfile: &'a str,
    /// The command that builds this image again.
    pub rerun: &'a str,
}

impl Failure<'_> {
    /// Writes the block. `manifest_place` turns a component into the place in its manifest, such as
    /// `components/x/component.toml:12:1`.
    ///
    /// # Errors
    /// When `out` takes no more.
    pub fn write(&self, out: &mut dyn Write, manifest_place: &dyn Fn(&str) -> Option<String>) -> io::Result<()> {
        match self.error {
            EngineError::BuildFailed(failure) => self.write_step(out, failure, manifest_place)?,
            EngineError::UnresolvedImage { reference, detail, .. } => {
                // it may have been asked for by the request for a component, which no user knows by name
                let (image, reference, detail) = (self.image.to_owned(), reference.clone(), detail.clone());
                let place = find_reference(self.dockerfile, &reference);
                let error = EngineError::UnresolvedImage { image, reference, detail };
                self.write_error(out, &error, place.as_ref())?;
            }
            EngineError::Contract { findings, was_there, .. } => {
                let (what, anew) = match was_there {
                    true => {
                        let what = "the image that is there does not keep its contract, and got no name by this run";
                        (what, ", pass --no-cache to build it anew")
                    }
                    false => ("the image does not keep its contract, and got no name", ""),
                };
                self.write_findings(out, what, findings, manifest_place)?;
                writeln!(out, "hint: mend what is found{anew}, or pass --no-verify to have the image all the same")?;
            }
            EngineError::Clash { findings, .. } => {
                let what = "components give the same paths in two ways; nothing was written";
                self.write_findings(out, what, findings, manifest_place)?;
                writeln!(out, "hint: {}", crate::engine::CLASH_HINT)?;
            }
            error => self.write_error(out, error, None)?,
        }
        writeln!(out, "run it again with: {}", self.rerun)
    }

    /// An error that is no step: its words, with the image in front unless they name it, and the place below the first line.
    fn write_error(&self, out: &mut dyn Write, error: &EngineError, place: Option<&Place>) -> io::Result<()> {
        let text = error.to_string();
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let subject = if names_its_image(error) { String::new() } else { format!("failed to build {}: ", self.image) };
        writeln!(out, "error: {subject}{first}")?;
        if let Some(place) = place {
            self.write_place(out, place)?;
        }
        if rest.is_empty() { Ok(()) } else { writeln!(out, "{rest}") }
    }

    /// What was found in an image, each with the component that it is about, and the place where that stands.
    fn write_findings(
        &self,
        out: &mut dyn Write,
        what: &str,
        findings: &[Finding],
        manifest_place: &dyn Fn(&str) -> Option<String>,
    ) -> io::Result<()> {
        writeln!(out, "error: failed to build {}: {what}", self.image)?;
        for finding in findings {
            writeln!(out, "  {finding}")?;
            if let Some(component) = &finding.component {
                let role = finding.role.as_ref().map(|role| format!(", role: {role}")).unwrap_or_default();
                let place = manifest_place(component).map_or(String::new(), |place| format!(" ({place})"));
                writeln!(out, "    component: {component}{role}{place}")?;
            }
        }
        Ok(())
    }

    fn write_step(
        &self,
        out: &mut dyn Write,
        failure: &StepFailure,
        manifest_place: &dyn Fn(&str) -> Option<String>,
    ) -> io::Result<()> {
        let step = failure.step.as_ref().map(|name| Step { number: 0, name: name.clone() });
        writeln!(out, "error: failed to build {}", self.image)?;
        let of_stage = step.as_ref().and_then(|step| component_of_stage(step.parts().0?));
        if let Some(component) = of_stage.or(self.component) {
            let place = manifest_place(component).map_or(String::new(), |place| format!(" ({place})"));
            writeln!(out, "  component: {component}{place}")?;
        }
        if let Some(step) = &step {
            writeln!(out, "  step: {}", step.name)?;
        }
        let by_step = step.as_ref().and_then(|step| find(self.dockerfile, step));
        if let Some(place) = by_step.or_else(|| find_by_message(self.dockerfile, &failure.message)) {
            self.write_place(out, &place)?;
        }
        write_cause(out, failure)
    }

    fn write_place(&self, out: &mut dyn Write, place: &Place) -> io::Result<()> {
        writeln!(out, "  --> {}:{}", self.dockerfile_path, place.line)?;
        let last = place.line + place.text.lines().count();
        let width = last.to_string().len();
        writeln!(out, "  {:width$} |", "")?;
        for (offset, text) in place.text.lines().enumerate() {
            writeln!(out, "  {:width$} | {text}", place.line + offset)?;
        }
        writeln!(out, "  {:width$} |", "")
    }
}

/// Whether the words of an error name the image. The words are not searched for it: an image may be called `a`.
fn names_its_image(error: &EngineError) -> bool {
    use EngineError::{BuildFailed, TransportLost, UnresolvedImage};
    matches!(error, BuildFailed(_) | TransportLost { .. } | UnresolvedImage { .. })
}

fn write_cause(out: &mut dyn Write, failure: &StepFailure) -> io::Result<()> {
    match failure.exit_code {
        Some(code) => writeln!(out, "  exit code: {code}")?,
        None => writeln!(out, "  cause: {}", failure.message)?,
    }
    if !failure.log.is_empty() {
        writeln!(out, "  the last lines of its log:")?;
        for line in &failure.log {
            writeln!(out, "  | {line}")?;
        }
    }
    match &failure.hint {
        Some(hint) => writeln!(out, "hint: {hint}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Level;

    const DOCKERFILE: &str = "FROM b AS comp-a.build\nRUN make \\\n    all\n";

    fn check(error: &EngineError, expect: &str) {
        let failure = Failure {
            image: "op",
            error,
            component: None,
            dockerfile_path: "images/op/Dockerfile",
            dockerfile: DOCKERFILE,
            rerun: "cargo xtask build op",
        };
        let mut out = Vec::new();
        let place = |component: &str| (component == "a").then(|| "components/a/component.toml:3:1".to_owned());
        failure.write(&mut out, &place).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn a_command_failed() {
        let failure = StepFailure {
            image: "op".into(),
            step: Some("[comp-a.build 2/2] RUN make     all".into()),
            exit_code: Some(2),
            message: "exit code: 2".into(),
            log: vec!["a.c:1: no".into()],
            hint: None,
        };
        check(
            &EngineError::BuildFailed(Box::new(failure)),
            "error: failed to build op\n\
             \x20 component: a (components/a/component.toml:3:1)\n\
             \x20 step: [comp-a.build 2/2] RUN make     all\n\
             \x20 --> images/op/Dockerfile:2\n\
             \x20   |\n\
             \x20 2 | RUN make \\\n\
             \x20 3 |     all\n\
             \x20   |\n\
             \x20 exit code: 2\n\
             \x20 the last lines of its log:\n\
             \x20 | a.c:1: no\n\
             run it again with: cargo xtask build op\n",
        );
    }

    #[test]
    fn the_dockerfile_is_wrong() {
        let message = "dockerfile parse error line 2: unknown instruction: RUNN".to_owned();
        let failure = StepFailure { image: "op".into(), message, ..StepFailure::default() };
        check(
            &EngineError::BuildFailed(Box::new(failure)),
            "error: failed to build op\n\
             \x20 --> images/op/Dockerfile:2\n\
             \x20   |\n\
             \x20 2 | RUN make \\\n\
             \x20   |\n\
             \x20 cause: dockerfile parse error line 2: unknown instruction: RUNN\n\
             run it again with: cargo xtask build op\n",
        );
    }

    #[test]
    fn other_errors_are_one_line() {
        check(
            &EngineError::Cancelled,
            "error: failed to build op: cancelled\nrun it again with: cargo xtask build op\n",
        );
        let (action, message) = ("stop it".to_owned(), "it is busy".to_owned());
        check(
            &EngineError::Other { action, message },
            "error: failed to build op: failed to stop it: it is busy\nrun it again with: cargo xtask build op\n",
        );
    }

    #[test]
    fn findings_name_who_promised() {
        let platform = "linux/amd64".parse().unwrap();
        let mut finding = Finding::new(&platform, "missing-program", Level::Error, "/a is not in the image".to_owned());
        finding.of_role("a", "run");
        let other = Finding::new(&platform, "named-user", Level::Error, "the image runs as `x`".to_owned());
        check(
            &EngineError::Contract { image: "op".to_owned(), was_there: false, findings: vec![finding.clone(), other] },
            "error: failed to build op: the image does not keep its contract, and got no name\n\
             \x20 error[missing-program] linux/amd64: /a is not in the image\n\
             \x20   component: a, role: run (components/a/component.toml:3:1)\n\
             \x20 error[named-user] linux/amd64: the image runs as `x`\n\
             hint: mend what is found, or pass --no-verify to have the image all the same\n\
             run it again with: cargo xtask build op\n",
        );
        check(
            &EngineError::Contract { image: "op".to_owned(), was_there: true, findings: vec![finding] },
            "error: failed to build op: the image that is there does not keep its contract, and got no name by this run\n\
             \x20 error[missing-program] linux/amd64: /a is not in the image\n\
             \x20   component: a, role: run (components/a/component.toml:3:1)\n\
             hint: mend what is found, pass --no-cache to build it anew, or pass --no-verify to have the image all the same\n\
             run it again with: cargo xtask build op\n",
        );
    }

    #[test]
    fn a_base_is_shown_where_it_is_named() {
        let (image, reference) = ("op".to_owned(), "docker.io/library/b:latest".to_owned());
        let detail = "not found".to_owned();
        check(
            &EngineError::UnresolvedImage { image, reference, detail },
            "error: failed to build op: the image docker.io/library/b:latest cannot be resolved: not found\n\
             \x20 --> images/op/Dockerfile:1\n\
             \x20   |\n\
             \x20 1 | FROM b AS comp-a.build\n\
             \x20   |\n\
             hint: name another one with `--set bases.NAME=…` or `--set builders.NAME=…`, or load it into the daemon\n\
             run it again with: cargo xtask build op\n",
        );
    }
}
