//! All that is below a folder of a tree.

use super::{Kind, Node, Rootfs};

impl Rootfs {
    /// All that is below a folder, by its path relative to it, in the order of paths, folders before what is in them. No
    /// link is followed, but those that lead to `path`.
    ///
    /// Names are kept once, but full paths of many files in a deep folder are long: see [`Rootfs::bytes_below`].
    pub fn below(&self, path: &str) -> Vec<(String, Node<'_>)> {
        let mut below = Vec::new();
        let mut next = vec![(String::new(), self.top(path))];
        while let Some((above, node)) = next.pop() {
            for (name, child) in self.children(node) {
                let own = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
                if matches!(self.nodes[child].kind, Kind::Folder(_)) {
                    next.push((own.clone(), Some(child)));
                }
                below.push((own, self.node(child)));
            }
        }
        below.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        below
    }

    /// All that some layer, from this one on, has given: files, links and folders that it names or makes. In the order of paths,
    /// relative to the root. Full paths of many files are long: see [`Rootfs::bytes_below`].
    pub fn since(&self, layer: u16) -> Vec<(String, Node<'_>)> {
        let mut given = Vec::new();
        let mut next = vec![(String::new(), self.top("/"))];
        while let Some((above, node)) = next.pop() {
            for (name, child) in self.children(node) {
                let is_folder = matches!(self.nodes[child].kind, Kind::Folder(_));
                let is_given = self.nodes[child].source.layer >= layer;
                if !is_folder && !is_given {
                    continue;
                }
                let own = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
                if is_folder {
                    next.push((own.clone(), Some(child)));
                }
                if is_given {
                    given.push((own, self.node(child)));
                }
            }
        }
        given.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        given
    }

    /// How many bytes the paths have that [`Rootfs::below`] gives, without making them.
    pub fn bytes_below(&self, path: &str) -> u64 {
        let mut bytes = 0_u64;
        let mut next = vec![(0, self.top(path))];
        while let Some((above, node)) = next.pop() {
            for (name, child) in self.children(node) {
                let own = above + name.len() as u64;
                bytes = bytes.saturating_add(own);
                next.push((own + 1, Some(child)));
            }
        }
        bytes
    }

    fn top(&self, path: &str) -> Option<usize> {
        self.find(path, true).ok().and_then(|found| found.node)
    }

    /// What is in a folder; nothing where there is none.
    fn children(&self, node: Option<usize>) -> impl Iterator<Item = (&str, usize)> {
        let children = node.and_then(|node| match &self.nodes[node].kind {
            Kind::Folder(children) => Some(children),
            _ => None,
        });
        children.into_iter().flatten().map(|(name, child)| (&**name, *child as usize))
    }
}
