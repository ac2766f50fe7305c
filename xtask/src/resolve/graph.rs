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

    /// The whole tree of reasons, drawn as `cargo tree --invert` does; what was drawn before is marked `(*)`.
    pub fn tree(&self, node: &Node) -> String {
        let mut text = format!("{node}\n");
        let mut drawn = BTreeSet::from([node.clone()]);
        self.draw(node, "", &mut drawn, &mut text);
        text
    }

    fn draw(&self, node: &Node, indent: &str, drawn: &mut BTreeSet<Node>, text: &mut String) {
        let causes: Vec<&Node> = self.causes(node).collect();
        for (index, cause) in causes.iter().enumerate() {
            let last = index + 1 == causes.len();
            let (branch, below) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
            let again = !drawn.insert((*cause).clone()) && self.causes(cause).next().is_some();
            text.push_str(&format!("{indent}{branch}{cause}{}\n", if again { " (*)" } else { "" }));
            if !again {
                self.draw(cause, &format!("{indent}{below}"), drawn, text);
            }
        }
    }
}
