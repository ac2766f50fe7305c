//! Why something is on: every activation is an edge, and nothing is on without one.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use crate::manifest::{ComponentName, FeatureName, ImageName};

/// Something that can be on in an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// Who asked: a flag, a variant, the default features.
    Request(String),
    /// The image itself.
    Image(ImageName),
    /// A feature of the image.
    ImageFeature(ImageName, FeatureName),
    /// A component.
    Component(ComponentName),
    /// A feature of a component.
    ComponentFeature(ComponentName, FeatureName),
}

impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(text) => write!(out, "({text})"),
            Self::Image(image) => write!(out, "image {image}"),
            Self::ImageFeature(image, feature) => write!(out, "{image} feature \"{feature}\""),
            Self::Component(component) => write!(out, "{component}"),
            Self::ComponentFeature(component, feature) => write!(out, "{component} feature \"{feature}\""),
        }
    }
}

/// All activations of one image: for each node, the nodes that turned it on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasons {
    causes: BTreeMap<Node, BTreeSet<Node>>,
}

impl Reasons {
    /// Records that `cause` turned `node` on; true when the node was off before.
    pub(super) fn add(&mut self, node: Node, cause: Option<Node>) -> bool {
        let new = !self.causes.contains_key(&node);
        self.causes.entry(node).or_default().extend(cause);
        new
    }

    /// True when the node is on.
    pub fn is_on(&self, node: &Node) -> bool {
        self.causes.contains_key(node)
    }

    /// Everything that is on, sorted.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.causes.keys()
    }

    /// What turned a node on, sorted; empty for a request and for what is off.
    pub fn causes(&self, node: &Node) -> impl Iterator<Item = &Node> {
        self.causes.get(node).into_iter().flatten()
    }

    /// One shortest chain from a node to a request, for messages.
    pub fn chain(&self, node: &Node) -> Vec<Node> {
        let mut effects: BTreeMap<&Node, &Node> = BTreeMap::new();
        let mut queue = VecDeque::from([node]);
        while let Some(current) = queue.pop_front() {
            if self.causes(current).next().is_none() {
                let back = std::iter::successors(Some(current), |node| effects.get(node).copied());
                let mut chain: Vec<Node> = back.cloned().collect();
                chain.reverse();
                return chain;
            }
            for cause in self.causes(current).filter(|cause| *cause != node) {
                if let Entry::Vacant(vacant) = effects.entry(cause) {
                    vacant.insert(current);
                    queue.push_back(cause);
                }
            }
        }
        vec![node.clone()]
    }

    /// The whole tree of reasons, drawn as `cargo tree --invert` does; what was drawn before is marked `(*)`. Below
    /// `MAX_DEPTH` levels there is `…`: nobody reads further, and each level indents all lines below it.
    pub fn tree(&self, node: &Node) -> String {
        let mut text = format!("{node}\n");
        let mut drawn = BTreeSet::from([node]);
        // the causes that are still to be drawn, level by level; a stack of our own, because chains may be long
        let mut levels = vec![self.causes(node).peekable()];
        while let Some(level) = levels.last_mut() {
            let Some(cause) = level.next() else {
                levels.pop();
                continue;
            };
            let has_causes = self.causes(cause).next().is_some();
            let again = !drawn.insert(cause) && has_causes;
            push_indent(&mut text, &mut levels);
            text.push_str(&format!("{cause}{}\n", if again { " (*)" } else { "" }));
            if has_causes && !again {
                levels.push(self.causes(cause).peekable());
            }
            if levels.len() > MAX_DEPTH {
                // nothing of this level is drawn, so that `…` is its last line
                levels.last_mut().into_iter().flatten().for_each(drop);
                push_indent(&mut text, &mut levels);
                text.push_str("…\n");
                levels.pop();
            }
        }
        text
    }
}

/// Levels of a tree that are drawn.
const MAX_DEPTH: usize = 100;

/// The lines that lead to an item of the last level, which goes on if it has more items.
fn push_indent<'a>(text: &mut String, levels: &mut [std::iter::Peekable<impl Iterator<Item = &'a Node>>]) {
    let last = levels.len().saturating_sub(1);
    for (depth, level) in levels.iter_mut().enumerate() {
        text.push_str(match (depth == last, level.peek().is_some()) {
            (true, true) => "├── ",
            (true, false) => "└── ",
            (false, true) => "│   ",
            (false, false) => "    ",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> Node {
        Node::Request(name.to_owned())
    }

    /// Edges as `effect cause`.
    fn reasons(edges: &[(&str, &str)]) -> Reasons {
        let mut reasons = Reasons::default();
        for (effect, cause) in edges {
            reasons.add(node(effect), Some(node(cause)));
            reasons.add(node(cause), None);
        }
        reasons
    }

    #[test]
    fn trees_are_drawn() {
        let reasons = reasons(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "b"), ("d", "e")]);
        let expect = "(a)\n├── (b)\n│   └── (d)\n│       └── (e)\n└── (c)\n    └── (b) (*)\n";
        assert_eq!(reasons.tree(&node("a")), expect);
    }

    #[test]
    fn deep_trees_end_in_an_ellipsis() {
        let mut reasons = Reasons::default();
        for depth in 0..50_000 {
            reasons.add(node(&depth.to_string()), Some(node(&(depth + 1).to_string())));
        }
        let tree = reasons.tree(&node("0"));
        assert_eq!(tree.lines().count(), MAX_DEPTH + 2);
        assert!(tree.ends_with("└── …\n"), "{tree}");
    }
}
