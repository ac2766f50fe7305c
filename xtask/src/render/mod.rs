//! Phase 5: how Docker is told: Dockerfile text, and the list of files that travel with it. Pure.
//!
//! | file | is |
//! |---|---|
//! | `quote.rs` | every value quoted for its place, so that none can become an instruction |
//! | `dockerfile.rs` | what templates see of an existing Dockerfile |
//! | `view.rs` | what templates see: text that is already quoted, lists that are never absent |
//! | `template.rs` | Handlebars templates: the embedded ones, each replaceable by the workspace's own |
//! | `description.rs` | `/.groupage/manifest.json`, by which a program finds what its own image holds |
//! | `layout.rs` | how files lie in a stage, and how they get from there into the image |
//! | `parts.rs` | the stage of each component alone, and the image put together from images of those |
//! | `context.rs` | the files that travel with a Dockerfile |
//! | `native_only.rs` | what no Dockerfile can say |
//!
//! The Dockerfile is for every engine: no `# syntax=`, no heredoc, no `RUN --network`, no named context (Docker 20.10 and
//! buildah 1.28 know none of them). The network of a build is a setting of the request instead. Cargo stages keep a cache of
//! `target/` between builds; because files of a context have no meaningful times, sources are touched before cargo runs,
//! which would otherwise take a changed file with an old time for unchanged.

pub mod context;
mod description;
mod dockerfile;
mod layout;
mod native_only;
pub mod parts;
mod quote;
mod template;
mod view;

pub use native_only::{NativeOnly, User, What, native_only};
pub use template::{Templates, template_texts};

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::diagnostic::Diagnostic;
use crate::plan::{ComponentPlan, ImagePlan, Input};
use context::{Bytes, Context, ContextEntry};
use layout::Layout;

/// Longest line that Docker reads, in bytes.
const MAX_LINE: usize = 65_535;

/// The Dockerfile of an image. Where something depends on the platform the plan is that of one platform
/// ([`ImagePlan::for_platform`]); files that do give the same Dockerfile on every platform, and only left-out components another.
///
/// # Errors
/// A template that names a field which does not exist, at its line; a line that Docker would not read; an image that is
/// [`native_only`].
pub fn dockerfile(plan: &ImagePlan, templates: &Templates) -> Result<String, Diagnostic> {
    if let Some(reason) = native_only(plan).next() {
        return Err(reason.diagnostic());
    }
    let text = templates.render(&view::image(plan))?;
    let Some(line) = text.lines().find(|line| line.len() > MAX_LINE) else { return Ok(text) };
    let start: String = line.chars().take(40).collect();
    let (id, length) = (&plan.id, line.len());
    let message = format!("a line of the Dockerfile of `{id}` has {length} bytes; Docker reads at most {MAX_LINE}");
    let report = Diagnostic::error("too-long", message).note(format!("it begins with: {start}"));
    Err(report.help("shorten the values in it"))
}

/// Where an image says what is in it.
pub const DESCRIPTION: &str = "/.groupage/manifest.json";

/// What an image says of itself: the text of [`DESCRIPTION`].
pub fn description(plan: &ImagePlan) -> String {
    description::text(plan)
}

/// The files that travel with the Dockerfile of an image.
#[derive(Debug, Default)]
pub struct Files {
    /// Files and links that are known one by one.
    pub context: Context,
    /// Folders of extracted crates, whose files the caller adds.
    pub crates: Vec<CrateFolder>,
}

/// The folder of an extracted crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CrateFolder {
    /// Where its files go in the context.
    pub path: Utf8PathBuf,
    /// Where they are on this machine.
    pub folder: Utf8PathBuf,
    /// Paths below it that are left out.
    pub exclude: Vec<String>,
}

/// All files that the Dockerfile of an image copies, on the platform of the plan. `root` is the workspace, on this machine.
pub fn files(plan: &ImagePlan, root: &Utf8Path) -> Files {
    let mut files = Files { context: description_files(plan), crates: Vec::new() };
    for component in &plan.components {
        files.add_component(component, plan.base.image.is_none(), root);
    }
    files
}

/// The files that the stage of one component copies, and no others.
pub fn component_files(plan: &ImagePlan, component: &ComponentPlan, root: &Utf8Path) -> Files {
    let mut files = Files::default();
    files.add_component(component, plan.base.image.is_none(), root);
    files
}

/// The files that an image has besides those of its components.
pub fn description_files(plan: &ImagePlan) -> Context {
    let mut context = Context::default();
    let text = description::text(plan);
    context.insert_bytes(format!("{}/manifest.json", view::DESCRIPTION_FOLDER), text.into_bytes(), 0o644);
    context
}

impl Files {
    fn add_component(&mut self, component: &ComponentPlan, scratch: bool, root: &Utf8Path) {
        let folder = Utf8Path::new(component.name.as_str());
        for (path, input) in &component.inputs {
            self.add(folder.join(view::inputs_folder(&component.build)).join(path), input, root);
        }
        let layout = Layout::of(component, scratch);
        let top = folder.join(view::ROOT_FOLDER);
        for (path, file) in &component.files {
            self.add(top.join(layout.place(path, &file.folder)), &file.input, root);
        }
        for (path, link) in &component.links {
            let entry = ContextEntry::Link { target: link.target.clone() };
            self.context.insert(top.join(layout.place(path, path.folder())), entry);
        }
    }

    fn add(&mut self, path: Utf8PathBuf, input: &Input, root: &Utf8Path) {
        let entry = match input {
            Input::File { source, mode, .. } => {
                ContextEntry::File { bytes: Bytes::Disk(root.join(source)), mode: *mode }
            }
            Input::Link { target } => ContextEntry::Link { target: target.clone() },
            Input::Text { text, .. } => {
                ContextEntry::File { bytes: Bytes::Memory(Arc::from(text.as_bytes())), mode: 0o644 }
            }
            Input::Crate { folder, exclude, .. } => {
                return self.crates.push(CrateFolder { path, folder: folder.clone(), exclude: exclude.clone() });
            }
        };
        self.context.insert(path, entry);
    }
}
