//! Random monorepos as values, and as files. Everything that is a number is written into a file, so that counting it up is an
//! edit.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;

pub const COMPONENTS: usize = 5;
pub const PLATFORMS: [&str; 2] = ["amd64", "arm64"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Files,
    Script,
    Cargo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    pub text: u32,
    pub executable: bool,
}

/// What a component brings along.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    pub component: usize,
    pub default_features: bool,
    pub asks_f1: bool,
}

#[derive(Debug, Clone)]
pub struct Component {
    pub kind: Kind,
    pub version: u32,
    pub command: u32,
    pub environment: u32,
    pub argument: u32,
    pub port: u32,
    pub writable: bool,
    /// Files that depend on the platform.
    pub by_platform: bool,
    /// `default = ["f0"]`
    pub default: bool,
    /// `f1 = ["f0"]`
    pub f1_enables_f0: bool,
    pub uses: Option<Use>,
    /// A cargo package that depends on `lib`.
    pub uses_lib: bool,
    /// Below its folder.
    pub files: BTreeMap<String, File>,
    pub prose: u32,
}

#[derive(Debug, Clone)]
pub struct Part {
    pub component: usize,
    /// Brought by the feature `x` only.
    pub optional: bool,
    pub asks_f1: bool,
}

#[derive(Debug, Clone)]
pub struct Image {
    /// The first one is never optional: it has the default role.
    pub parts: Vec<Part>,
    pub on_by_default: bool,
    pub has_base: bool,
    pub label: u32,
    pub version: u32,
    pub platforms: usize,
    pub prose: u32,
}

#[derive(Debug, Clone)]
pub struct Monorepo {
    pub components: Vec<Component>,
    pub images: Vec<Image>,
    pub base: u32,
    pub node: u32,
    pub rust: u32,
    pub lib: File,
    pub lib_version: u32,
    /// A package that no component is made of.
    pub unrelated: Option<u32>,
    pub comment: u32,
    /// Order of everything that has none.
    pub turn: usize,
}

fn component(index: usize, kinds: &'static [Kind]) -> impl Strategy<Value = Component> {
    let uses = (index + 1..=COMPONENTS, any::<bool>(), any::<bool>());
    (0..kinds.len(), uses, vec(any::<bool>(), 6)).prop_map(move |(kind, (target, default_features, asks_f1), bits)| {
        let kind = kinds[kind];
        let names: &[&str] = match kind {
            Kind::Files => &["app", "app.conf", "data/a", "data/sub/b", "linux-amd64.bin", "linux-arm64.bin", "beside"],
            Kind::Script => &["src/a", "src/sub/b", "config", "beside"],
            Kind::Cargo => &["src/main.rs", "src/part.rs"],
        };
        let file = |(at, name): (usize, &&str)| ((*name).to_owned(), File { text: at as u32, executable: false });
        Component {
            kind,
            version: 0,
            command: 0,
            environment: 0,
            argument: 0,
            port: 0,
            writable: bits[0],
            by_platform: bits[1],
            default: bits[2],
            f1_enables_f0: bits[3],
            // the last one brings nothing
            uses: (target < COMPONENTS && bits[4]).then_some(Use { component: target, default_features, asks_f1 }),
            uses_lib: bits[5],
            files: names.iter().enumerate().map(file).collect(),
            prose: 0,
        }
    })
}

fn image() -> impl Strategy<Value = Image> {
    let parts = vec((any::<bool>(), any::<bool>(), any::<bool>()), COMPONENTS);
    (parts, 0..COMPONENTS, vec(any::<bool>(), 2), 1..=PLATFORMS.len()).prop_map(|(parts, first, bits, platforms)| {
        let named = parts.into_iter().enumerate().filter(|(component, (is_in, ..))| *is_in || *component == first);
        let part = |(component, (_, optional, asks_f1)): (usize, (bool, bool, bool))| Part {
            component,
            optional: optional && component != first,
            asks_f1,
        };
        let mut parts: Vec<Part> = named.map(part).collect();
        parts.sort_by_key(|part| (part.component != first, part.component));
        Image { parts, on_by_default: bits[0], has_base: bits[1], label: 0, version: 0, platforms, prose: 0 }
    })
}

/// Components of these kinds in some images.
pub fn monorepo(kinds: &'static [Kind]) -> impl Strategy<Value = Monorepo> {
    let components: Vec<_> = (0..COMPONENTS).map(|index| component(index, kinds)).collect();
    (components, vec(image(), 2..5)).prop_map(|(components, images)| Monorepo {
        components,
        images,
        base: 0,
        node: 0,
        rust: 0,
        lib: File { text: 0, executable: false },
        lib_version: 0,
        unrelated: None,
        comment: 0,
        turn: 0,
    })
}

/// Text and executable bit of every file, by path.
pub type Written = BTreeMap<String, (String, bool)>;

impl Monorepo {
    fn has_cargo(&self) -> bool {
        self.components.iter().any(|component| component.kind == Kind::Cargo)
    }

    pub fn write(&self) -> Written {
        let mut files = Written::new();
        let mut manifest = |path: String, text: String| {
            let text = format!("# remark {}\n{}", self.comment, super::super::shuffled(&text, self.turn));
            files.insert(path, (text, false));
        };
        manifest("groupage.toml".to_owned(), self.settings());
        for (index, component) in self.components.iter().enumerate() {
            manifest(format!("components/c{index}/component.toml"), self.component(index, component));
            if component.kind == Kind::Cargo {
                manifest(format!("components/c{index}/Cargo.toml"), package(index, component));
            }
        }
        for (index, image) in self.images.iter().enumerate() {
            manifest(format!("images/i{index}/image.toml"), self.image(index, image));
        }
        if self.has_cargo() {
            manifest("Cargo.toml".to_owned(), self.workspace());
            let version = self.lib_version;
            manifest("lib/Cargo.toml".to_owned(), format!("[package]\nname = \"lib\"\nversion = \"1.{version}.0\"\n"));
            if self.unrelated.is_some() {
                let text = "[package]\nname = \"unrelated\"\nversion = \"0.1.0\"\n";
                manifest("unrelated/Cargo.toml".to_owned(), text.to_owned());
            }
        }
        self.sources(&mut files);
        files
    }

    fn sources(&self, files: &mut Written) {
        for (index, component) in self.components.iter().enumerate() {
            for (path, file) in &component.files {
                files.insert(format!("components/c{index}/{path}"), (text(path, file.text), file.executable));
            }
        }
        if self.has_cargo() {
            files.insert("lib/src/lib.rs".to_owned(), (text("lib.rs", self.lib.text), self.lib.executable));
            files.insert("Cargo.lock".to_owned(), (self.lock(), false));
            if let Some(unrelated) = self.unrelated {
                files.insert("unrelated/src/lib.rs".to_owned(), (text("lib.rs", unrelated), false));
            }
        }
    }

    fn settings(&self) -> String {
        format!(
            "schema = 1\n[bases.b]\nimage = \"registry.example/base:{}\"\n[builders]\nnode = \"registry.example/node:{}\"\n\
             rust = \"registry.example/rust:{}\"\n",
            self.base, self.node, self.rust
        )
    }

    fn component(&self, index: usize, component: &Component) -> String {
        let Component { version, prose, argument, environment, port, .. } = component;
        let list = |on: bool| if on { "\"f0\"" } else { "" };
        let mut text = format!(
            "schema = 1\nname = \"c{index}\"\nversion = \"1.{version}.0\"\nowner = \"@team-{prose}\"\ndescription = \"prose {prose}\"\n\
             [features]\ndefault = [{}]\nf0 = []\nf1 = [{}]\n",
            list(component.default),
            list(component.f1_enables_f0)
        );
        let ports = [
            format!("{{ port = {}, when = \"f0\" }}", 2000 + index),
            format!("{{ port = {} }}", 100 * index + 3000 + *port as usize),
        ];
        let ports = if self.turn.is_multiple_of(2) { ports.join(", ") } else { format!("{}, {}", ports[1], ports[0]) };
        let program = if component.kind == Kind::Script { "bin/run" } else { "app" };
        _ = write!(
            text,
            "[roles.c{index}]\ncommand = [\"/opt/c{index}/{program}\", \"{argument}\"]\nuser = \"1:1\"\nports = [{ports}]\n\
             env = {{ E{index} = \"{environment}\" }}\n\
             [[replaces]]\nimage = \"registry.example/old-{index}\"\nkind = \"folded\"\nsince = \"1.{prose}.0\"\n"
        );
        if let Some(Use { component, default_features, asks_f1 }) = component.uses {
            let asks = if asks_f1 { "\"f1\"" } else { "" };
            _ = write!(
                text,
                "[dependencies]\nc{component} = {{ default-features = {default_features}, features = [{asks}] }}\n"
            );
        }
        text + &self.build(index, component)
    }

    fn build(&self, index: usize, component: &Component) -> String {
        let mode = if component.writable { "0755" } else { "0555" };
        let install = |from: &str, to: &str, rest: &str| {
            format!("[[install]]\nfrom = \"{from}\"\nto = \"/opt/c{index}/{to}\"\n{rest}")
        };
        let program = |from: &str| install(from, "app", &format!("mode = \"{mode}\"\n"));
        match component.kind {
            Kind::Files => {
                let own = if component.by_platform { install("{os}-{arch}.bin", "own", "") } else { String::new() };
                let conf = install("app.conf", "app.conf", "when = \"f0\"\n");
                format!("[build.files]\n{}{conf}{}{own}", program("app"), install("data", "data", ""))
            }
            Kind::Script => {
                let inputs = if self.turn.is_multiple_of(2) { "\"src\", \"config\"" } else { "\"config\", \"src\"" };
                let command = component.command;
                format!(
                    "[build.script]\nbuilder = \"node\"\ninputs = [{inputs}]\ncommands = [\"make {command}\", \"make install\"]\n\
                     env = {{ LEVEL = \"{command}\" }}\n[build.script.outputs]\nall = \"/out/{command}\"\n{}{}",
                    install("output:all", "bin", ""),
                    install("stage:/etc/extra", "extra", &format!("mode = \"{mode}\"\nwhen = \"f0\"\n")),
                )
            }
            Kind::Cargo => format!("[build.cargo]\npackage = \"c{index}\"\n{}", program(&format!("bin:c{index}"))),
        }
    }

    fn image(&self, index: usize, image: &Image) -> String {
        let Image { version, prose, label, .. } = image;
        let mut platforms: Vec<String> =
            PLATFORMS[..image.platforms].iter().map(|name| format!("\"linux/{name}\"")).collect();
        if self.turn % 2 == 1 {
            platforms.reverse();
        }
        let first = image.parts[0].component;
        let mut text = format!(
            "schema = 1\nname = \"i{index}\"\nversion = \"2.{version}.0\"\ndescription = \"prose {prose}\"\nbase = \"{}\"\n\
             default-role = \"c{first}\"\nplatforms = [{}]\n[labels]\n\"example.label\" = \"{label}\"\n[components]\n",
            if image.has_base { "b" } else { "scratch" },
            platforms.join(", "),
        );
        for part in &image.parts {
            let asks = if part.asks_f1 { "\"f1\"" } else { "" };
            _ = writeln!(text, "c{} = {{ optional = {}, features = [{asks}] }}", part.component, part.optional);
        }
        let brought =
            image.parts.iter().filter(|part| part.optional).map(|part| format!("\"dep:c{}\"", part.component));
        let brought: Vec<String> = brought.collect();
        let default = if image.on_by_default { "\"x\"" } else { "" };
        _ = write!(
            text,
            "[features]\ndefault = [{default}]\nx = [{}]\n[variants.full]\nfeatures = [\"x\"]\ntag-suffix = \"-full\"\n",
            brought.join(", ")
        );
        text
    }

    fn members(&self) -> Vec<String> {
        let packages = self.components.iter().enumerate().filter(|(_, component)| component.kind == Kind::Cargo);
        let mut names: Vec<String> = packages.map(|(index, _)| format!("c{index}")).collect();
        names.push("lib".to_owned());
        names.extend(self.unrelated.map(|_| "unrelated".to_owned()));
        names
    }

    fn workspace(&self) -> String {
        let folder = |name: &String| match name.as_str() {
            "lib" | "unrelated" => format!("\"{name}\""),
            _ => format!("\"components/{name}\""),
        };
        let folders: Vec<String> = self.members().iter().map(folder).collect();
        format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", folders.join(", "))
    }

    /// As cargo writes it.
    fn lock(&self) -> String {
        let mut text = "version = 4\n".to_owned();
        for name in self.members() {
            let index = name.strip_prefix('c').and_then(|number| number.parse::<usize>().ok());
            let component = index.map(|index| &self.components[index]);
            let version = match (&component, name.as_str()) {
                (Some(component), _) => format!("1.{}.0", component.version),
                (None, "lib") => format!("1.{}.0", self.lib_version),
                (None, _) => "0.1.0".to_owned(),
            };
            _ = write!(text, "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
            if component.is_some_and(|component| component.uses_lib) {
                text.push_str("dependencies = [\n \"lib\",\n]\n");
            }
        }
        text
    }
}

fn package(index: usize, component: &Component) -> String {
    let version = component.version;
    let lib = if component.uses_lib { "[dependencies]\nlib = { path = \"../../lib\" }\n" } else { "" };
    format!(
        "[package]\nname = \"c{index}\"\nversion = \"1.{version}.0\"\nedition = \"2021\"\n[features]\nf0 = []\nf1 = []\n{lib}"
    )
}

/// Texts of one length, so that only the bytes tell two of them apart.
fn text(path: &str, number: u32) -> String {
    match path.rsplit_once('.') {
        Some((_, "rs")) => format!("// {number:04}\n{}", if path.ends_with("main.rs") { "fn main() {}\n" } else { "" }),
        _ => format!("{number:04}\n"),
    }
}
