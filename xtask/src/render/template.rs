//! Handlebars templates: `Dockerfile` and one per build kind. They are embedded; a workspace replaces any of them by a file of
//! the same name in its own `templates/`.

use std::collections::BTreeMap;
use std::sync::Arc;

use handlebars::{Handlebars, RenderErrorReason};

use super::view::{ComponentView, ImageView};
use crate::diagnostic::{Diagnostic, Problems, closest};
use crate::source::{FileId, SourceMap, Span};

/// The templates that come with the tool, by name.
const EMBEDDED: &[(&str, &str)] = &[
    ("Dockerfile", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/Dockerfile.hbs"))),
    ("stages/cargo", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/stages/cargo.hbs"))),
    ("stages/dockerfile", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/stages/dockerfile.hbs"))),
    ("stages/files", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/stages/files.hbs"))),
    ("stages/go", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/stages/go.hbs"))),
    ("stages/image", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/stages/image.hbs"))),
    ("stages/script", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/stages/script.hbs"))),
];

/// The text of each template, with those of the workspace in their place. `own` are files below `templates/`.
pub fn template_texts<'a>(own: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, &'a str> {
    let own = own.into_iter().map(|(file, text)| (file.strip_suffix(".hbs").unwrap_or(file), text));
    EMBEDDED.iter().copied().chain(own).map(|(name, text)| (name.to_owned(), text)).collect()
}

/// A set of templates, complete and parsed.
#[derive(Debug)]
pub struct Templates {
    registry: Handlebars<'static>,
    /// Where each template of the workspace is, and its text.
    places: BTreeMap<String, (FileId, Arc<str>)>,
}

impl Templates {
    /// The embedded templates, with those of the workspace in their place. `own` are files below `templates/`.
    ///
    /// # Errors
    /// Every file that is no template, or that replaces nothing.
    pub fn new(own: &[(String, FileId)], sources: &SourceMap) -> Result<Self, Vec<Diagnostic>> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        // a Dockerfile is not HTML
        registry.register_escape_fn(handlebars::no_escape);
        let mut templates = Self { registry, places: BTreeMap::new() };
        let mut problems = Problems::default();
        for (name, text) in EMBEDDED {
            if let Err(error) = templates.registry.register_template_string(name, text) {
                problems.push(Diagnostic::error("template", format!("embedded template {name}: {error}")));
            }
        }
        for (file, id) in own {
            templates.replace(file, *id, sources, &mut problems);
        }
        problems.finish(templates)
    }

    fn replace(&mut self, file: &str, id: FileId, sources: &SourceMap, problems: &mut Problems) {
        let name = file.strip_suffix(".hbs").unwrap_or(file);
        let text = &sources.file(id).text;
        self.places.insert(name.to_owned(), (id, text.clone()));
        let known = EMBEDDED.iter().map(|(name, _)| *name);
        if !known.clone().any(|known| known == name) {
            let close = closest(name, known.clone()).map(|close| format!("did you mean {close}.hbs?"));
            let help = close.unwrap_or_else(|| format!("templates: {}", known.collect::<Vec<_>>().join(", ")));
            problems.push(
                Diagnostic::error("template", format!("{file} replaces no template"))
                    .label(Span::new(id, 0..0), "")
                    .help(help),
            );
        } else if let Err(error) = self.registry.register_template_string(name, text) {
            let (line, column) = error.pos().unwrap_or((1, 1));
            problems.push(self.at(name, Some(line), Some(column), error.reason().to_string()));
        }
    }

    /// Renders the Dockerfile of an image.
    pub(super) fn render(&self, view: &ImageView) -> Result<String, Diagnostic> {
        self.registry.render("Dockerfile", view).map_err(|error| {
            let message = match error.reason() {
                RenderErrorReason::MissingVariable(Some(path)) => format!("there is no field `{path}`"),
                reason => reason.to_string(),
            };
            self.at(error.template_name.as_deref().unwrap_or("Dockerfile"), error.line_no, error.column_no, message)
        })
    }

    /// Renders the stage of one component alone; nothing when its template needs more than the component.
    pub(super) fn stage(&self, view: &ComponentView) -> Option<String> {
        self.registry.render(view.template(), view).ok()
    }

    /// A problem at a line of a template.
    fn at(&self, name: &str, line: Option<usize>, column: Option<usize>, message: String) -> Diagnostic {
        let problem = Diagnostic::error("template", format!("template {name}: {message}"));
        let Some((id, text)) = self.places.get(name) else { return problem };
        // Handlebars counts lines and characters, both from 1
        let mut lines = text.split_inclusive('\n');
        let before: usize = lines.by_ref().take(line.unwrap_or(1).saturating_sub(1)).map(str::len).sum();
        let rest = lines.next().unwrap_or_default().char_indices().map(|(index, _)| index);
        let start = before + rest.take(column.unwrap_or(1)).last().unwrap_or(0);
        problem.label(Span::new(*id, start..start + 1), "").help("fields are listed in the README, under Templates")
    }
}
