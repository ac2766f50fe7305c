//! What an existing Dockerfile uses that not every engine can read, by what engines of different ages understood when they were
//! tried: the frontend inside Docker 20.10 and buildah 1.28.

use super::{Newer, Subject};
use crate::dockerfile::{Instruction, Keyword, Kind, Source, StepKind};

/// Flags, and how they are called.
const FLAGS: [(Keyword, &str, &str); 9] = [
    (Keyword::Copy, "link", "`COPY --link`"),
    (Keyword::Add, "link", "`ADD --link`"),
    (Keyword::Copy, "parents", "`COPY --parents`"),
    (Keyword::Copy, "exclude", "`COPY --exclude`"),
    (Keyword::Add, "exclude", "`ADD --exclude`"),
    (Keyword::Add, "checksum", "`ADD --checksum`"),
    (Keyword::Add, "unpack", "`ADD --unpack`"),
    (Keyword::Run, "network", "`RUN --network`"),
    (Keyword::Run, "security", "`RUN --security`"),
];

/// Everything in the stages that count, in order of place.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Newer> {
    let mut found = Vec::new();
    for (index, facts) in &subject.read.stages {
        let Some(stage) = subject.read.dockerfile.stages().get(*index) else { continue };
        for instruction in subject.read.dockerfile.stage_instructions(stage) {
            of_instruction(subject, instruction, &mut found);
        }
        for step in facts.steps.iter().filter(|step| step.stage == *index) {
            if let StepKind::Copy(copy) = &step.kind
                && copy.sources.iter().any(|source| matches!(source.value, Source::Git(_)))
            {
                found.push(Newer { what: "`ADD` of a git repository", place: subject.span(step.span) });
            }
        }
    }
    found.sort_by_key(|newer| (newer.place, newer.what));
    found
}

fn of_instruction(subject: &Subject<'_>, instruction: &Instruction, found: &mut Vec<Newer>) {
    for flag in &instruction.flags {
        let known = FLAGS.iter().find(|(keyword, name, _)| *keyword == instruction.keyword && *name == flag.name);
        if let Some((_, _, what)) = known {
            found.push(Newer { what, place: subject.span(flag.span) });
        }
        if instruction.keyword == Keyword::Healthcheck && flag.name == "start-interval" {
            found.push(Newer { what: "`HEALTHCHECK --start-interval`", place: subject.span(flag.span) });
        }
    }
    if let Some(heredoc) = instruction.heredocs.first() {
        found.push(Newer { what: "a heredoc", place: subject.span(heredoc.mark) });
    }
    if let Kind::Run(run) = &instruction.kind {
        let env = run.mounts.iter().filter(|mount| mount.kind() == "secret" && mount.field(&["env"]).is_some());
        found.extend(env.map(|mount| Newer { what: "a secret as a variable", place: subject.span(mount.span) }));
    }
}
