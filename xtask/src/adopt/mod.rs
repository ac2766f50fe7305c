//! Adopting what exists: facts of Dockerfiles and published images → findings, groups, and the texts of manifests. Pure.
//!
//! | file | is |
//! |---|---|
//! | `facts.rs` | what is known of one program, with the reason for whatever was inferred |
//! | `dockerfile.rs`, `image.rs` | from a Dockerfile, or an image, to facts |
//! | `context.rs` | the folder that a Dockerfile copies from, and its files |
//! | `start.rs`, `user.rs`, `owners.rs` | how it is started, as whom, and who answers for it |
//! | `fit.rs` | what manifests cannot say becomes a question |
//! | `base.rs`, `packages.rs`, `name.rs` | what names of bases tell; what a RUN installs; names of components |
//! | `group.rs` | which components could be one image, on which base |
//! | `clash.rs` | what clashes when they are |
//! | `text/` | the manifests, with a comment for each inference and a question where there was none |
//!
//! **Invariants**
//!
//! - Nothing is presented as a fact that was not read: an inference has its reason beside it, and what is unknown is a
//!   question. Where the format asks for a value that is unknown, one is written that a rule of `check` asks about (an empty
//!   version, a user that is a name). What cannot be a component before something is decided gets a manifest of another name
//!   ([`UNDECIDED`]), which nobody reads, with the question in it.
//! - Same files, same findings: sorted, no clock, no git history.

pub mod base;
pub mod clash;
mod context;
mod dockerfile;
pub mod facts;
mod fit;
pub mod group;
mod image;
pub mod name;
mod owners;
pub mod packages;
mod start;
pub mod text;
mod user;

use serde::Serialize;

pub use dockerfile::{AdoptedDockerfile, Surroundings, facts as facts_of_dockerfile, wanted};
pub use image::{ReadImage, facts as facts_of_image};
pub use owners::{FILES as OWNER_FILES, owner};

use clash::Clash;
use facts::Facts;
use group::Group;
use text::{BaseNames, NewFile};

/// All that was found; the document of `init --analyze`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Format of this document.
    pub schema: u32,
    /// Each program, by name.
    pub components: Vec<Facts>,
    /// Suggested images, by name.
    pub images: Vec<Group>,
    /// What clashes in them.
    pub clashes: Vec<Clash>,
    /// Files that could not be taken, and why.
    pub refused: Vec<Refused>,
}

/// A file that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The file.
    pub path: String,
    /// Why.
    pub because: String,
}

/// Format of [`Findings`].
const SCHEMA: u32 = 1;

/// Groups programs and finds their clashes, after each has got a name that nobody else has. `merge` asks for one image of all, by its name; `root` is what the workspace is called.
pub fn findings(mut components: Vec<Facts>, refused: Vec<Refused>, merge: Option<&str>, root: &str) -> Findings {
    components.iter_mut().for_each(fit::fit);
    image::with_unique_names(&mut components);
    components.sort_by(|a, b| a.name.cmp(&b.name));
    let images = group::groups(&components, merge, root);
    let clashes = images.iter().flat_map(|image| clash::clashes(image, &components)).collect();
    Findings { schema: SCHEMA, components, images, clashes, refused }
}

/// What the manifest of a component is called that cannot be one before its questions are answered.
pub const UNDECIDED: &str = "component.toml.undecided";

impl Findings {
    /// The files of the workspace. `program` is how people call this one.
    pub fn files(&self, program: &str) -> Vec<NewFile> {
        let names = BaseNames::of(&self.components);
        let mut files = vec![NewFile { path: "groupage.toml".to_owned(), text: text::settings(&names, program) }];
        for facts in &self.components {
            let folder = format!("components/{}", facts.name);
            let file = if facts.obstacle.is_some() { UNDECIDED } else { "component.toml" };
            let group = self.images.iter().find(|image| image.components.contains(&facts.name));
            let text = text::component(facts, group, &names, &folder, program);
            files.push(NewFile { path: format!("{folder}/{file}"), text });
        }
        for group in self.images.iter().filter(|group| !group.components.is_empty()) {
            let text = text::image(group, &self.components, names.get(&group.base.reference), program);
            files.push(NewFile { path: format!("images/{}/image.toml", group.image), text });
        }
        files
    }
}
