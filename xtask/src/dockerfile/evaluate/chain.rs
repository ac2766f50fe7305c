//! Which stages and images a stage stands on, and which it copies from.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Origin;
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::expand::expand;
use crate::dockerfile::lines::MAX_ERRORS;
use crate::dockerfile::scope::{Outside, Scope};
use crate::dockerfile::{Dockerfile, Extent, Instruction, Kind, Stage, Value, Word};

/// The most instructions that are looked at, triggers once for each stage that they run in.
const MAX_USES: usize = 4_000_000;

/// What a stage begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// A stage above, by its number.
    Stage(usize),
    /// An image.
    Image {
        /// The reference, its variables replaced.
        reference: Value,
        /// What to replace to name another one.
        span: Extent,
    },
}

/// All that a build of a stage needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Stages by number, itself among them.
    pub stages: BTreeSet<usize>,
    /// Images, in order of place.
    pub images: Vec<ImageUse>,
}

/// A place that names an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUse {
    /// The reference.
    pub reference: Value,
    /// What to replace to name another one.
    pub span: Extent,
    /// In this stage.
    pub stage: usize,
    /// What for.
    pub role: ImageRole,
}

/// What an image is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageRole {
    /// `FROM`.
    Base,
    /// `COPY --from`.
    Copy,
    /// `RUN --mount=from=`.
    Mount,
}

/// The scope of `FROM`, with all `ARG`s before the first one.
pub(super) fn global(dockerfile: &Dockerfile, args: &BTreeMap<String, String>) -> Result<Scope, DockerfileError> {
    let mut scope = Scope::global(args);
    for (_, argument) in dockerfile.global_args() {
        let name = argument.name.text();
        match (args.get(name), &argument.default) {
            (Some(given), _) => scope.set(name, Value::Known(given.clone())),
            (None, Some(default)) => {
                let value = expand(default, &scope, dockerfile.escape())?.value;
                scope.set(name, value);
            }
            (None, None) => scope.declare(name, argument.name.span),
        }
    }
    Ok(scope)
}

/// What a stage begins with.
pub(super) fn base(dockerfile: &Dockerfile, stage: &Stage, global: &Scope) -> Result<Base, DockerfileError> {
    let reference = expand(&stage.base, global, dockerfile.escape())?.value;
    Ok(match reference.known() {
        Some("scratch") => Base::Scratch,
        Some("") => {
            let error = DockerfileError::new(stage.base.span, "this names no image");
            return Err(error.help("write an image, or give its argument a default"));
        }
        Some(name) if let Some(parent) = dockerfile.stage_before(name, stage.index) => Base::Stage(parent.index),
        _ => Base::Image { reference, span: stage.base.span },
    })
}

/// A stage with its parents, the outermost first, and what that one begins with.
pub(super) struct Chain {
    pub stages: Vec<usize>,
    pub base: Base,
}

/// The stages that a stage is made of.
pub(super) fn parents(dockerfile: &Dockerfile, target: usize, global: &Scope) -> Result<Chain, DockerfileError> {
    let mut stages = vec![target];
    let mut next = target;
    loop {
        match base(dockerfile, &dockerfile.stages()[next], global)? {
            Base::Stage(parent) => {
                stages.push(parent);
                next = parent;
            }
            base => {
                stages.reverse();
                return Ok(Chain { stages, base });
            }
        }
    }
}

/// What `--from` names: a stage above, by name or number, or an image.
pub(super) fn origin(dockerfile: &Dockerfile, stage: usize, from: &Word) -> Result<Origin, DockerfileError> {
    let name = from.text();
    let wrong = |message: String, help: &str| Err(DockerfileError::new(from.span, message).help(help));
    if name.contains('$') {
        let help = "add `FROM image AS name` with the variable there, and name that stage here";
        return wrong(format!("variables are not replaced in `--from={name}`"), help);
    }
    if let Some(found) = dockerfile.stage_before(name, stage) {
        return Ok(Origin::Stage(found.index));
    }
    if dockerfile.stage_before(name, usize::MAX).is_some() {
        return wrong(format!("the stage `{name}` does not stand above this one"), "move it above");
    }
    match name.parse::<usize>() {
        Ok(number) if number < stage => Ok(Origin::Stage(number)),
        Ok(number) => wrong(format!("there is no stage {number} above this one"), "stages are counted from 0"),
        Err(_) if name.is_empty() => Ok(Origin::Context),
        Err(_) => Ok(Origin::Image(Value::Known(name.to_owned()))),
    }
}

/// The same of a mount, in which variables are replaced: without a scope, those of the base are unknown.
fn mount_origin(dockerfile: &Dockerfile, stage: usize, from: &Word) -> Result<Origin, DockerfileError> {
    if !from.text().contains('$') {
        return origin(dockerfile, stage, from);
    }
    let value = expand(from, &Scope::stage(Outside::Image), dockerfile.escape())?.value;
    Ok(Origin::Image(value))
}

/// Every stage and image that a stage needs, to the last one.
///
/// # Errors
/// All names that lead nowhere.
pub(super) fn reach(dockerfile: &Dockerfile, target: &Stage, global: &Scope) -> Result<Reach, Vec<DockerfileError>> {
    let mut reach = Reach::default();
    let mut errors = Vec::new();
    let mut open = vec![target.index];
    let mut uses = 0;
    while let Some(index) = open.pop() {
        if !reach.stages.insert(index) {
            continue;
        }
        let stage = &dockerfile.stages()[index];
        let mut triggers: &[Instruction] = &[];
        match base(dockerfile, stage, global) {
            Ok(Base::Scratch) => {}
            Ok(Base::Stage(parent)) => {
                open.push(parent);
                triggers = dockerfile.stage_instructions(&dockerfile.stages()[parent]);
            }
            Ok(Base::Image { reference, span }) => {
                reach.images.push(ImageUse { reference, span, stage: index, role: ImageRole::Base });
            }
            Err(error) => errors.push(error),
        }
        let triggers = triggers.iter().filter_map(|instruction| match &instruction.kind {
            Kind::Onbuild(trigger) => Some(&**trigger),
            _ => None,
        });
        for instruction in triggers.chain(dockerfile.stage_instructions(stage)) {
            uses += 1;
            if uses > MAX_USES || errors.len() >= MAX_ERRORS {
                let message = "the triggers of this file run millions of times";
                let error = DockerfileError::new(instruction.span, message);
                errors.extend(errors.is_empty().then(|| error.help("remove some of them")));
                return Err(errors);
            }
            for (role, word) in sources(instruction) {
                let found = match role {
                    ImageRole::Mount => mount_origin(dockerfile, index, word),
                    _ => origin(dockerfile, index, word),
                };
                match found {
                    Ok(Origin::Stage(stage)) => open.push(stage),
                    Ok(Origin::Image(reference)) => {
                        reach.images.push(ImageUse { reference, span: word.span, stage: index, role });
                    }
                    Ok(Origin::Context) => {}
                    Err(error) => errors.push(error),
                }
            }
        }
    }
    reach.images.sort_by_key(|image| (image.span, image.stage));
    if errors.is_empty() { Ok(reach) } else { Err(errors) }
}

/// The words of an instruction that name a stage or an image to take files from.
pub(in crate::dockerfile) fn sources(instruction: &Instruction) -> impl Iterator<Item = (ImageRole, &Word)> {
    let copy = matches!(instruction.kind, Kind::Copy(_)).then(|| instruction.flag("from")).flatten();
    let mounts = if let Kind::Run(run) = &instruction.kind { run.mounts.as_slice() } else { &[] };
    let mounts = mounts.iter().filter_map(|mount| mount.from()).map(|word| (ImageRole::Mount, word));
    copy.map(|word| (ImageRole::Copy, word)).into_iter().chain(mounts)
}
