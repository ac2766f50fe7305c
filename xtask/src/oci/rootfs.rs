//! The file tree that the layers of an image give: folders, files and links, without the bytes of files.
//!
//! Layers are applied in order, as containerd and Docker do it on a plain file system: a name that leads through a link of a
//! layer below lands where the link points, inside the root; a folder on a folder keeps what is in it; everything else takes
//! the place of what was there, with all below it; folders that nobody named are made with mode 0755 and owner 0:0.
//! Whiteouts hide only what layers below gave, as the specification says, wherever in their own layer they stand.
//!
//! Nodes are numbers in one list, so that a deep tree needs no deep stack.

mod below;

use std::collections::BTreeMap;

use super::listing::{Attributes, Attributes as Own, Change, LayerError, Listing, MAX_ENTRIES};

/// Most links on the way to one path, as in Linux.
const MAX_LINKS: usize = 40;
/// Longest path that links may lead to, in bytes.
const MAX_PATH: usize = 4096;
/// The root.
const ROOT: usize = 0;

/// A file tree. The default is that of `scratch`: an empty root.
#[derive(Debug, Clone)]
pub struct Rootfs {
    nodes: Vec<Inner>,
    layers: u16,
}

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    own: Own,
    source: Source,
}

#[derive(Debug, Clone)]
enum Kind {
    Folder(BTreeMap<Box<str>, u32>),
    File,
    Link(Box<str>),
    Special,
}

/// The entry that something comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The layer, from 0.
    pub layer: u16,
    /// The position of the entry in the tar of that layer, from 0. A folder that no entry names has none.
    pub entry: Option<u32>,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node<'r> {
    /// A folder.
    Folder(Attributes),
    /// A file, with the entry that has its bytes.
    File(Attributes, Source),
    /// A symbolic link and its target, as it is written there.
    Link(Attributes, &'r str),
    /// A device or a pipe.
    Special(Attributes),
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// Links lead to one another.
    #[error("/{0} leads through more than {MAX_LINKS} links")]
    Loop(String),
    /// A file is where a folder should be.
    #[error("/{0} is not a folder")]
    NotAFolder(String),
    /// Links make a path that no system takes.
    #[error("/{0} leads to a path of more than {MAX_PATH} bytes")]
    TooLong(String),
}

/// Where a path leads to.
struct Found {
    /// The path, clean and without links, but perhaps the last segment.
    path: Vec<String>,
    /// What is there.
    node: Option<usize>,
}

impl Default for Rootfs {
    fn default() -> Self {
        let own = Own { mode: 0o755, uid: 0, gid: 0 };
        let root = Inner { kind: Kind::Folder(BTreeMap::new()), own, source: Source { layer: 0, entry: None } };
        Self { nodes: vec![root], layers: 0 }
    }
}

impl Rootfs {
    /// The tree of some layers, lowest first.
    ///
    /// # Errors
    /// The position of the layer that cannot be applied, and why: see [`Rootfs::apply`].
    pub fn of<'l>(layers: impl IntoIterator<Item = &'l Listing>) -> Result<Self, (usize, LayerError)> {
        let mut tree = Self::default();
        for (position, layer) in layers.into_iter().enumerate() {
            tree.apply(layer).map_err(|error| (position, error))?;
        }
        Ok(tree)
    }

    /// How many layers it is made of.
    pub fn layers(&self) -> u16 {
        self.layers
    }

    /// Puts a layer on top.
    ///
    /// # Errors
    /// A hard link to what is not there, a file where a folder should be, links in a circle, or too many entries.
    pub fn apply(&mut self, listing: &Listing) -> Result<(), LayerError> {
        for (entry, listed) in (0..).zip(listing.iter()) {
            let path = listed.path.as_str();
            let refuse = |reason| LayerError::entry(path.as_bytes(), reason);
            let source = Source { layer: self.layers, entry: Some(entry) };
            match listed.change {
                Change::Nothing => {}
                Change::Whiteout => self.whiteout(path, false),
                Change::Opaque => self.whiteout(path, true),
                Change::Folder(own) => self.put(path, Kind::Folder(BTreeMap::new()), own, source)?,
                Change::File(own) => self.put(path, Kind::File, own, source)?,
                Change::Special(own) => self.put(path, Kind::Special, own, source)?,
                Change::Link(own, target) => self.put(path, Kind::Link(target.into()), own, source)?,
                Change::HardLink(own, target) => {
                    let node = self.find(target, false).ok().and_then(|found| found.node);
                    let node = node.filter(|node| !matches!(self.nodes[*node].kind, Kind::Folder(_)));
                    let node = node.ok_or_else(|| refuse("is a hard link to a file that is not there"))?;
                    self.nodes[node].own = own;
                    // a file that is its own other name stays as it is
                    if target != path {
                        let Inner { kind, own, source } = self.nodes[node].clone();
                        self.put(path, kind, own, source)?;
                    }
                }
            }
        }
        self.layers = self.layers.checked_add(1).ok_or(LayerError::TooMany)?;
        Ok(())
    }

    /// Puts something at a path, in place of what is there.
    fn put(&mut self, path: &str, kind: Kind, own: Own, source: Source) -> Result<(), LayerError> {
        let refuse = |error: ResolveError| LayerError::entry(path.as_bytes(), reason(&error));
        let Some((parent, name)) = split(path) else {
            self.nodes[ROOT].own = own;
            return Ok(());
        };
        let parent = self.make_folder(parent).map_err(refuse)?;
        let Kind::Folder(children) = &self.nodes[parent].kind else { return Ok(()) };
        let there = children.get(name).map(|node| *node as usize);
        match there {
            // what is in a folder stays there
            Some(node) if matches!((&kind, &self.nodes[node].kind), (Kind::Folder(_), Kind::Folder(_))) => {
                self.nodes[node].own = own;
                self.nodes[node].source = source;
            }
            _ => _ = self.add(parent, name, Inner { kind, own, source })?,
        }
        Ok(())
    }

    fn add(&mut self, parent: usize, name: &str, node: Inner) -> Result<usize, LayerError> {
        let number = self.nodes.len();
        if number > MAX_ENTRIES as usize {
            return Err(LayerError::TooMany);
        }
        if let Kind::Folder(children) = &mut self.nodes[parent].kind {
            children.insert(name.into(), number as u32);
        }
        self.nodes.push(node);
        Ok(number)
    }

    /// The folder at a path that leads through folders only: nearly all do.
    fn plain_folder(&self, path: &str) -> Option<usize> {
        let step = |node: usize, segment: &str| match &self.nodes[node].kind {
            Kind::Folder(children) => children.get(segment).map(|child| *child as usize),
            _ => None,
        };
        let node = path.split('/').filter(|segment| !segment.is_empty()).try_fold(ROOT, step)?;
        matches!(self.nodes[node].kind, Kind::Folder(_)).then_some(node)
    }

    /// The folder at a path, which is made where it is not there.
    fn make_folder(&mut self, path: &str) -> Result<usize, ResolveError> {
        if let Some(node) = self.plain_folder(path) {
            return Ok(node);
        }
        let found = self.find(path, true)?;
        let mut node = ROOT;
        for segment in &found.path {
            let Kind::Folder(children) = &self.nodes[node].kind else {
                return Err(ResolveError::NotAFolder(path.to_owned()));
            };
            node = match children.get(segment.as_str()) {
                Some(child) => *child as usize,
                None => {
                    let own = Own { mode: 0o755, uid: 0, gid: 0 };
                    let source = Source { layer: self.layers, entry: None };
                    let folder = Inner { kind: Kind::Folder(BTreeMap::new()), own, source };
                    self.add(node, segment, folder).map_err(|_| ResolveError::TooLong(path.to_owned()))?
                }
            };
        }
        match self.nodes[node].kind {
            Kind::Folder(_) => Ok(node),
            _ => Err(ResolveError::NotAFolder(path.to_owned())),
        }
    }

    /// Takes away what layers below have at a path, or only what they have in it.
    fn whiteout(&mut self, path: &str, only_content: bool) {
        let Some((parent, name)) = split(path) else { return self.hide_below(ROOT) };
        let parent = self.find(parent, true).ok().and_then(|found| found.node);
        let Some(Kind::Folder(children)) = parent.map(|parent| &self.nodes[parent].kind) else { return };
        let Some(node) = children.get(name).map(|node| *node as usize) else { return };
        self.hide_below(node);
        if !only_content && self.is_of_below(node) {
            self.remove(parent.unwrap_or(ROOT), name);
        }
    }

    /// Removes all below a node that the current layer did not give.
    fn hide_below(&mut self, top: usize) {
        // parents before children; from behind, children before parents
        let mut order: Vec<(usize, usize, Box<str>)> = Vec::new();
        let mut next = vec![top];
        while let Some(parent) = next.pop() {
            let Kind::Folder(children) = &self.nodes[parent].kind else { continue };
            for (name, child) in children {
                order.push((parent, *child as usize, name.clone()));
                next.push(*child as usize);
            }
        }
        for (parent, node, name) in order.into_iter().rev() {
            if self.is_of_below(node) {
                self.remove(parent, &name);
            }
        }
    }

    /// Whether layers below gave a node, and the current one nothing in it.
    fn is_of_below(&self, node: usize) -> bool {
        let Inner { kind, source, .. } = &self.nodes[node];
        source.layer != self.layers && !matches!(kind, Kind::Folder(children) if !children.is_empty())
    }

    fn remove(&mut self, parent: usize, name: &str) {
        if let Kind::Folder(children) = &mut self.nodes[parent].kind {
            children.remove(name);
        }
    }

    /// Follows a path from the root: all links, or all but the last segment's. What is not there is taken as it is written.
    fn find(&self, path: &str, last: bool) -> Result<Found, ResolveError> {
        let mut todo: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut done: Vec<(String, Option<usize>)> = Vec::new();
        let mut links = 0;
        while let Some(segment) = todo.pop() {
            let node = done.last().map_or(Some(ROOT), |(_, node)| *node);
            match segment.as_str() {
                "" | "." => continue,
                // above the root is the root
                ".." => {
                    done.pop();
                    continue;
                }
                _ => {}
            }
            let child = match node.map(|node| &self.nodes[node].kind) {
                Some(Kind::Folder(children)) => children.get(segment.as_str()).map(|child| *child as usize),
                Some(_) => return Err(ResolveError::NotAFolder(joined(&done))),
                None => None,
            };
            let more = last || todo.iter().any(|segment| !matches!(segment.as_str(), "" | "."));
            if let Some(Kind::Link(target)) = child.map(|child| &self.nodes[child].kind)
                && more
            {
                links += 1;
                if links > MAX_LINKS {
                    return Err(ResolveError::Loop(path.trim_matches('/').to_owned()));
                }
                if target.starts_with('/') {
                    done.clear();
                }
                todo.extend(target.split('/').rev().map(str::to_owned));
                continue;
            }
            done.push((segment, child));
        }
        if done.iter().map(|(segment, _)| segment.len() + 1).sum::<usize>() > MAX_PATH {
            return Err(ResolveError::TooLong(path.trim_matches('/').to_owned()));
        }
        let node = done.last().map_or(Some(ROOT), |(_, node)| *node);
        Ok(Found { path: done.into_iter().map(|(segment, _)| segment).collect(), node })
    }

    /// Where a path leads to: all links followed, inside the root, as Docker's `COPY` follows those of its destination. What
    /// is not there is kept as it is written. The result is relative, and empty for the root.
    ///
    /// A file that is to be put somewhere takes the place of a link: resolve the folder that it goes into, not its own path.
    ///
    /// # Errors
    /// [`ResolveError`]
    pub fn resolve(&self, path: &str) -> Result<String, ResolveError> {
        self.find(path, true).map(|found| found.path.join("/"))
    }

    /// What is at a path. Links on the way are followed; one at the path itself is the answer.
    pub fn get(&self, path: &str) -> Option<Node<'_>> {
        self.find(path, false).ok()?.node.map(|node| self.node(node))
    }

    /// The layer that gave what is at a path, itself; of a file with several names, its last one.
    pub fn layer_of(&self, path: &str) -> Option<u16> {
        let node = self.find(path, false).ok()?.node?;
        self.nodes.get(node).map(|node| node.source.layer)
    }

    fn node(&self, number: usize) -> Node<'_> {
        let Inner { kind, own, source } = &self.nodes[number];
        match kind {
            Kind::Folder(_) => Node::Folder(*own),
            Kind::File => Node::File(*own, *source),
            Kind::Link(target) => Node::Link(*own, target),
            Kind::Special => Node::Special(*own),
        }
    }
}

/// Two trees are equal when the same is at the same paths, whichever layer gave it.
impl PartialEq for Rootfs {
    fn eq(&self, other: &Self) -> bool {
        let plain = |tree: &Self| {
            let forget = |(path, node)| match node {
                Node::File(own, _) => (path, format!("{own:?}")),
                node => (path, format!("{node:?}")),
            };
            tree.below("").into_iter().map(forget).collect::<Vec<_>>()
        };
        self.nodes[ROOT].own == other.nodes[ROOT].own && plain(self) == plain(other)
    }
}

/// The folder and the name of a clean path; nothing for the root.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.is_empty() { None } else { Some(path.rsplit_once('/').unwrap_or(("", path))) }
}

fn joined(path: &[(String, Option<usize>)]) -> String {
    path.iter().map(|(segment, _)| segment.as_str()).collect::<Vec<_>>().join("/")
}

fn reason(error: &ResolveError) -> &'static str {
    match error {
        ResolveError::Loop(_) => "leads through links in a circle",
        ResolveError::NotAFolder(_) => "is below a file",
        ResolveError::TooLong(_) => "leads to a path that is too long",
    }
}

#[cfg(test)]
mod tests;
