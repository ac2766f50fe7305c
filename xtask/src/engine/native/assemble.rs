//! From a plan for one platform to an image: which layers there are, and the configuration above them.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::config::{self, Step};
use super::contents::{Contents, ContentsError, Folders};
use super::entry::{Content, EntryKind, LayerEntry};
use super::layer_name;
use super::shelf::{LayerPlan, Whole};
use super::user::Owner;
use crate::manifest::ComponentName;
use crate::oci::{Attributes, Image, Layer, Node, Platform, Rootfs};
use crate::plan::{BuildPlan, ComponentPlan, ImagePlan, fingerprint};
use crate::render;

/// Permission bits of a program without a mode of its own, as `install` has it.
const PROGRAM_MODE: u32 = 0o755;

/// Times that stand in layers, in seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// Of the layer of each component; 0 for one that is not named.
    pub components: BTreeMap<ComponentName, u64>,
    /// Of what is the image's own.
    pub image: u64,
}

/// What components are put on.
#[derive(Debug, Clone, Default)]
pub struct Ground {
    /// Layers, lowest first.
    pub layers: Vec<Layer>,
    /// Its configuration, absent on `scratch`.
    pub config: Option<Value>,
    /// What its layers give.
    pub rootfs: Rootfs,
    /// Who owns a working folder that is made on it.
    pub owner: Owner,
}

/// An entry that comes out of another image, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// The entry; its path is not used.
    pub entry: LayerEntry,
    /// Absolute path in the image.
    pub to: String,
    /// The folder that the install puts it into.
    pub folder: String,
}

/// The folders of layers that are used as they are.
fn folders_of(taken: &[Arc<Whole>]) -> Folders {
    let tree = Rootfs::of(taken.iter().map(|whole| &whole.listing)).unwrap_or_default();
    let folder = |(path, node): (String, Node<'_>)| match node {
        Node::Folder(Attributes { mode, uid, gid }) => {
            let entry = LayerEntry { mode, uid: uid.into(), gid: gid.into(), ..LayerEntry::folder(path.clone()) };
            Some((path, entry))
        }
        _ => None,
    };
    tree.since(0).into_iter().filter_map(folder).collect()
}

/// What a component takes out of another image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Files, which make a layer.
    Files(Vec<Extracted>),
    /// Layers as they are, lowest first.
    Layers(Vec<Arc<Whole>>),
}

/// Everything that the image of one platform is made of.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The plan, for this platform.
    pub plan: &'a ImagePlan,
    /// The platform.
    pub platform: &'a Platform,
    /// What it is put on.
    pub ground: &'a Ground,
    /// Compiled programs.
    pub programs: &'a BTreeMap<ComponentName, Utf8PathBuf>,
    /// What comes out of other images.
    pub taken: &'a BTreeMap<ComponentName, Taken>,
    /// Times of the layers.
    pub times: &'a Times,
}

impl Parts<'_> {
    /// The layers above the base: one for each component that has files, and one for the image's own description.
    ///
    /// # Errors
    /// A component that does not fit the base.
    pub fn layers(&self, root: &Utf8Path) -> Result<Vec<LayerPlan>, ContentsError> {
        let (mut layers, mut folders, none) = (Vec::new(), Folders::new(), Folders::new());
        for part in &self.plan.components {
            let time = self.times.components.get(&part.name).copied().unwrap_or_default();
            if let Some(Taken::Layers(taken)) = self.taken.get(&part.name) {
                layers.extend(taken.iter().map(|whole| LayerPlan::taken(&part.name, whole, time)));
                folders.extend(folders_of(taken));
            }
            let mut contents = Contents::on(&self.ground.rootfs, &none);
            self.add_built(part, &mut contents)?;
            contents.add_workspace_files(part, root)?;
            let entries = contents.finish();
            let is_folder = |entry: &&LayerEntry| matches!(entry.kind, EntryKind::Folder);
            folders.extend(entries.iter().filter(is_folder).map(|entry| (entry.path.clone(), entry.clone())));
            if !entries.is_empty() {
                layers.push(LayerPlan::made(layer_name(&part.name), entries, time));
            }
        }
        let mut own = Contents::on(&self.ground.rootfs, &folders);
        let text = Content::Bytes(render::description(self.plan).into_bytes().into());
        own.add(LayerEntry::file("", text, 0o644), render::DESCRIPTION, "/.groupage")?;
        own.make_folders(&self.plan.config.workdir, self.ground.owner)?;
        layers.push(LayerPlan::made("image".to_owned(), own.finish(), self.times.image));
        Ok(layers)
    }

    fn add_built(&self, part: &ComponentPlan, contents: &mut Contents<'_>) -> Result<(), ContentsError> {
        match &part.build {
            BuildPlan::Cargo { .. } | BuildPlan::Go { .. } => {
                for install in &part.installs {
                    let program = self.programs.get(&part.name);
                    let program = program.ok_or_else(|| ContentsError::Plan(format!("{} was not built", part.name)))?;
                    let mode = install.mode.unwrap_or(PROGRAM_MODE);
                    let entry = LayerEntry::file("", Content::Disk(program.clone()), mode);
                    contents.add(entry, install.to.as_str(), install.to.folder())?;
                }
            }
            BuildPlan::Image { .. } => {
                if let Some(Taken::Files(files)) = self.taken.get(&part.name) {
                    for Extracted { entry, to, folder } in files {
                        contents.add(entry.clone(), to, folder)?;
                    }
                }
            }
            BuildPlan::Files => {}
            BuildPlan::Script { .. } | BuildPlan::Dockerfile { .. } => {
                return Err(ContentsError::Plan(format!("{}: it needs a container", part.name)));
            }
        }
        Ok(())
    }

    /// Which layers hold files of components that no manifest lists.
    fn layers_label(&self, plans: &[LayerPlan], own: &[Layer]) -> Option<(String, String)> {
        let of = |part: &ComponentPlan| {
            let all = plans.iter().zip(own).filter(|(plan, _)| plan.component() == Some(part.name.as_str()));
            all.map(|(_, layer)| layer.diff_id.to_string()).collect::<Vec<_>>()
        };
        let parts = self.plan.components.iter().filter(|part| part.build.above().is_some());
        let layers: BTreeMap<&str, Vec<String>> = parts.map(|part| (part.name.as_str(), of(part))).collect();
        let text = serde_json::to_string(&layers).unwrap_or_default();
        (!layers.is_empty()).then(|| (fingerprint::LAYERS_LABEL.to_owned(), text))
    }

    /// The image, when its layers are there: `own` in the order of [`Parts::layers`], `plans` what they were made from.
    pub fn image(&self, plans: &[LayerPlan], own: Vec<Layer>) -> Image {
        let steps: Vec<Step<'_>> = plans.iter().map(|layer| Step { name: &layer.name, time: layer.time }).collect();
        let inherited = self.ground.layers.len();
        let mut told = self.plan.config.clone();
        told.labels.extend(self.plan.stamp.clone());
        told.labels.extend(fingerprint::labels(self.plan, self.platform));
        told.labels.extend(self.layers_label(plans, &own));
        let config = config::config(&told, self.platform, self.ground.config.as_ref(), inherited, &steps);
        let layers = self.ground.layers.iter().cloned().chain(own).collect();
        Image::new(self.platform.clone(), config, layers)
    }
}
