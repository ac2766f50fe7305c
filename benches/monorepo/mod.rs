//! A monorepo of any size, always the same one: what a workspace looks like when many small images were merged into few.
//!
//! | is there | for each |
//! |---|---|
//! | `components/bench-0000/component.toml`: files, a role with ports, a feature | component |
//! | `components/bench-0000/app`, 4 MB that do not compress, and `app.conf` | component |
//! | `components/bench-0000/src/`, 200 files of 2 KB that lie beside it and are in no image | component |
//! | `images/bench-000/image.toml`, k components, one of them by a feature | image |
//! | `bake/bench-000.Dockerfile` and `bake/docker-bake.json`: the same images for `docker buildx bake` | image |
//!
//! Components go round the images like cards, so that each is in one at least. Where nothing is built, programs may have a hole
//! behind a head of their own ([`Size::sparse`]): they take no room on the disk, and reading them takes as long. A folder that
//! is complete is used again.

mod bake;
mod manifests;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Counted up when something else is generated.
const VERSION: &str = "2";
const SOURCE: usize = 2 << 10;
/// Where the bytes of a program begin to be its own.
const HEAD: u64 = 4096;

/// How large a monorepo is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub components: usize,
    pub images: usize,
    /// Components of each image.
    pub per_image: usize,
    /// Bytes of each program.
    pub program: u64,
    /// Files beside each program.
    pub sources: usize,
    /// Whether programs have a hole.
    pub sparse: bool,
}

impl Size {
    /// A size that is built.
    pub const fn built(components: usize, images: usize, per_image: usize) -> Self {
        Self { components, images, per_image, program: 4 << 20, sources: 200, sparse: false }
    }

    /// A size that is planned only.
    pub const fn planned(components: usize, images: usize, sources: usize) -> Self {
        Self { components, images, per_image: 7, program: 4 << 20, sources, sparse: true }
    }

    /// `100/20`
    pub fn name(&self) -> String {
        format!("{}/{}", self.components, self.images)
    }

    /// The components of an image, by number.
    pub fn parts(&self, image: usize) -> impl Iterator<Item = usize> + use<> {
        let (first, count) = (image * self.per_image, self.components);
        (first..first + self.per_image).map(move |slot| slot % count)
    }

    /// How many images hold a component.
    pub fn holders(&self, component: usize) -> usize {
        (0..self.images).filter(|image| self.parts(*image).any(|part| part == component)).count()
    }

    /// What a monorepo of this size is named after.
    fn folder(&self) -> String {
        let Self { components, images, per_image, program, sources, sparse } = self;
        format!("monorepo-{components}-{images}-{per_image}-{program}-{sources}-{sparse}-v{VERSION}")
    }
}

/// One of them, on the disk.
pub struct Monorepo {
    pub size: Size,
    pub root: PathBuf,
}

impl Monorepo {
    /// Generates it in `folder`, unless it is there.
    pub fn new(folder: &Path, size: Size) -> Self {
        assert!(size.components <= size.images * size.per_image, "every component is in an image");
        assert!(size.per_image <= size.components, "an image holds a component once");
        let root = folder.join(size.folder());
        let complete = root.join("target/complete");
        if !complete.exists() {
            let _ = fs::remove_dir_all(&root);
            let monorepo = Self { size, root: root.clone() };
            (0..size.components).for_each(|component| monorepo.component(component));
            manifests::write(&monorepo);
            bake::write(&monorepo);
            monorepo.write("target/complete", "");
        }
        Self { size, root }
    }

    /// `bench-0042`
    pub fn component_name(number: usize) -> String {
        format!("bench-{number:04}")
    }

    /// `bench-042`
    pub fn image_name(number: usize) -> String {
        format!("bench-i{number:03}")
    }

    /// The registry of the references of all images; each size and each tool has its own.
    pub fn registry(&self, tool: &str) -> String {
        format!("localhost/groupage-bench/{}-{}/{tool}", self.size.components, self.size.images)
    }

    /// Bytes of the files of one component that are in images.
    pub fn component_bytes(&self) -> u64 {
        self.size.program + manifests::configuration(0).len() as u64
    }

    /// Other bytes in a program, as after a compilation. `stamp` makes them new.
    pub fn change(&self, component: usize, stamp: u64) {
        let path = self.program(component);
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        // in the middle and at its end, so that nobody gets away with the head; what makes it a program stays
        for at in [HEAD, self.size.program / 2, self.size.program - 8] {
            file.write_all_at(&stamp.to_le_bytes(), at).unwrap();
        }
    }

    fn program(&self, component: usize) -> PathBuf {
        self.root.join("components").join(Self::component_name(component)).join("app")
    }

    fn component(&self, number: usize) {
        let folder = format!("components/{}", Self::component_name(number));
        let mut bytes = Bytes::new(number as u64);
        for source in 0..self.size.sources {
            self.write(&format!("{folder}/src/part_{source:03}.rs"), bytes.text(SOURCE));
        }
        self.write(&format!("{folder}/app.conf"), manifests::configuration(number));
        let mut program = fs::File::create(self.program(number)).unwrap();
        let filled = if self.size.sparse { 64 } else { self.size.program as usize };
        // `build` looks at what it has made: a program is one by its head
        let head = groupage::verify::sample::Program::amd64().bytes();
        program.write_all(&head).unwrap();
        program.write_all(&bytes.take(filled.saturating_sub(head.len()))).unwrap();
        program.set_len(self.size.program).unwrap();
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Bytes that look random and are the same in every run: xorshift.
struct Bytes(u64);

impl Bytes {
    fn new(seed: u64) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ (seed + 1).wrapping_mul(0xff51_afd7_ed55_8ccd))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..count.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(count);
        bytes
    }

    fn text(&mut self, count: usize) -> String {
        let mut text = String::with_capacity(count + 24);
        while text.len() < count {
            text.push_str(&format!("// {:016x}\n", self.next()));
        }
        text.truncate(count);
        text
    }
}
