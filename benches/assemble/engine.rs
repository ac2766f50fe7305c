//! The native engine alone, in this process: from a plan to the layout. Whoever builds pays for reading manifests and planning
//! as well, which [`crate::ours`] measures.

use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use groupage::engine::native::{Native, NativeJob, Times};
use groupage::engine::registry::{Registry, RegistryOptions};
use groupage::engine::{Engine as _, Events, block_on};
use groupage::lock::Pins;
use groupage::manifest;

use crate::payload::Payload;
use groupage::oci::Compression;
use groupage::plan::{self, Plan, PrunedWorkspaces, Read};
use groupage::resolve::{Overrides, Packages, Selection, resolve};
use groupage::workspace::{Memory, Workspace, read_tree};

/// A workspace that was planned.
pub struct Planned {
    root: Utf8PathBuf,
    plan: Plan,
}

impl Planned {
    /// Plans all images of a workspace.
    pub fn new(root: &std::path::Path) -> Self {
        let root = Utf8Path::from_path(root).unwrap().to_owned();
        let sources =
            Workspace::discover(&root, None).unwrap().read(manifest::folders, manifest::named_dockerfile).unwrap();
        let manifests = manifest::parse(&sources.map, &sources.files).unwrap();
        let (packages, overrides, pruned) = (Packages::new(), Overrides::default(), PrunedWorkspaces::new());
        let resolution = resolve(&manifests, &packages, &Selection::default(), &overrides).unwrap();
        let wants = plan::wants(&resolution, &pruned, &root);
        // files that were written a moment ago are hashed again by the engine: no user's are that young
        let tree = loop {
            let memory = Memory::open(&root);
            let tree = read_tree(&root, &wants, &memory).unwrap();
            if memory.save() {
                break tree;
            }
        };
        std::fs::remove_dir_all(root.join("target")).unwrap();
        let templates = std::collections::BTreeMap::new();
        let read = Read { tree: &tree, root: &root, templates: &templates, pruned: &pruned, go: &Default::default() };
        let plan = plan::plan(&resolution, &Pins::default(), &read).unwrap();
        Self { root, plan }
    }

    /// Nothing remembered: how long it takes from the first system call in a folder that does not exist to the whole layout.
    pub fn anew(&self, payload: &Payload, compression: Compression) -> Duration {
        self.build(Utf8Path::from_path(&payload.scratch()).unwrap(), compression)
    }

    /// The same in a folder that is kept.
    pub fn build(&self, folder: &Utf8Path, compression: Compression) -> Duration {
        let job = |image: &plan::ImagePlan| NativeJob {
            image: image.id.clone(),
            plans: image.platforms.iter().map(|platform| (platform.clone(), image.for_platform(platform))).collect(),
            tags: Vec::new(),
            times: Times::default(),
            compression,
            outputs: Vec::new(),
            no_cache: false,
            no_cache_filter: Default::default(),
            verify: true,
            pull: false,
            made: None,
        };
        let jobs: Vec<NativeJob> = self.plan.images.iter().map(job).collect();
        let registry = Registry::new(RegistryOptions::default());
        let begin = Instant::now();
        let engine = Native::open(&self.root, &folder.join("groupage"), registry).unwrap();
        for job in &jobs {
            block_on(engine.build(job, &Events::nowhere())).unwrap().unwrap();
        }
        begin.elapsed()
    }
}
