//! What `check references` says: one finding for each reference, with its places.

use super::super::args::Format;
use super::super::output::counted;
use super::super::session::Session;
use super::super::status::{ExitStatus, Stop};
use super::trees::{Mention, Place, Tree};
use crate::diagnostic::{Diagnostic, Level, to_json};
use crate::manifest::Date;
use crate::policy::{Judge, Objection, TargetEnvironment};
use crate::source::SourceMap;

/// How many places of a reference are named.
const PLACES: usize = 3;

/// A tree with all that speaks against it.
pub(super) struct Judged<'a> {
    tree: &'a Tree,
    day: Option<Date>,
    findings: Vec<(&'a Mention, &'static str, Objection)>,
}

impl<'a> Judged<'a> {
    pub(super) fn new(tree: &'a Tree, judge: &Judge<'_>) -> Self {
        let class = |mention: &Mention| judge.policy.classes.class(&mention.reference);
        let findings = tree.mentions.values().flat_map(|mention| {
            let class = class(mention).map_or("none", |class| class.as_str());
            judge.objections(&mention.reference).into_iter().map(move |objection| (mention, class, objection))
        });
        Self { tree, day: judge.day, findings: findings.collect() }
    }

    fn is_refused(&self) -> bool {
        self.findings.iter().any(|(_, _, objection)| objection.level == Level::Error)
    }

    /// What the tree is called.
    fn name(&self) -> &str {
        self.tree.revision.as_deref().unwrap_or(self.tree.path.as_str())
    }

    fn diagnostics(&self) -> impl Iterator<Item = Diagnostic> {
        let revision = self.tree.revision.as_ref().map(|revision| format!("{revision}:")).unwrap_or_default();
        self.findings.iter().map(move |(mention, _, objection)| {
            let message = format!("`{}` {}", mention.reference, objection.message);
            let diagnostic = Diagnostic::new(objection.level, objection.code, message).help(&objection.help);
            let at = |place: &Place| format!("at {revision}{}:{}:{}", place.path, place.line, place.column);
            let diagnostic = mention.places.iter().take(PLACES).map(at).fold(diagnostic, Diagnostic::note);
            match mention.places.len().saturating_sub(PLACES) {
                0 => diagnostic,
                further => diagnostic.note(format!("and at {}", counted(further, "further place"))),
            }
        })
    }

    fn json(&self) -> serde_json::Value {
        let finding = |(mention, class, objection): &(&Mention, &str, Objection)| {
            serde_json::json!({
                "code": objection.code, "level": objection.level, "reference": mention.reference, "class": class,
                "message": format!("`{}` {}", mention.reference, objection.message), "help": objection.help,
                "places": mention.places,
            })
        };
        serde_json::json!({
            "revision": self.tree.revision, "path": self.tree.path, "day": self.day, "accepted": !self.is_refused(),
            "files": self.tree.files, "references": self.tree.mentions.len(),
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    }
}

/// Shows what was found: findings as messages; of revisions also which of them are accepted, as data.
pub(super) fn show(
    format: Format,
    session: &Session<'_>,
    map: &SourceMap,
    environment: Option<&TargetEnvironment>,
    judged: &[Judged<'_>],
    unused: &[Diagnostic],
) -> Result<ExitStatus, Stop> {
    let refused = judged.iter().filter(|tree| tree.is_refused()).count();
    let status = if refused > 0 { ExitStatus::Refused } else { ExitStatus::Done };
    if format == Format::Json {
        let trees: Vec<_> = judged.iter().map(Judged::json).collect();
        let unused: Vec<_> = unused.iter().map(|diagnostic| to_json(diagnostic, map)).collect();
        let environment = environment.map(|environment| environment.name.as_str());
        session.output.json(&serde_json::json!({ "environment": environment, "trees": trees, "unused": unused }))?;
        return Ok(status);
    }
    let findings: Vec<Diagnostic> = judged.iter().flat_map(Judged::diagnostics).chain(unused.iter().cloned()).collect();
    session.output.diagnostics(&findings, map);
    let revisions = judged.iter().filter(|tree| tree.tree.revision.is_some());
    let line =
        |tree: &Judged<'_>| format!("{} {}\n", tree.name(), if tree.is_refused() { "refused" } else { "accepted" });
    session.output.data(&revisions.map(line).collect::<String>())?;
    let (files, references) = judged.iter().fold((0, 0), |(files, references), judged| {
        (files + judged.tree.files, references + judged.tree.mentions.len())
    });
    let (files, references) = (counted(files, "file"), counted(references, "reference"));
    let place = environment.map(|environment| format!(" for environment `{}`", environment.name)).unwrap_or_default();
    let trees = if judged.len() > 1 { format!(" of {} trees, {refused} refused", judged.len()) } else { String::new() };
    session.output.message(&format!("judged {references} in {files}{trees}{place}"));
    Ok(status)
}
