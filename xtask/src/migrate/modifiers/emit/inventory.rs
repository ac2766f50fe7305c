//! What runs: pods, and what has a template of them, from `kubectl get … -o yaml` or `-o json`.

use super::super::kinds::Names;
use super::super::lint::WAITS;
use super::super::owners;
use super::Rewrite;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};
use crate::yaml::{self, Node};

/// All workloads, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Pods and templates.
    pub workloads: Vec<Workload>,
}

/// A pod, or what makes pods of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Its namespace; `default` when none is written.
    pub namespace: String,
    /// Its name, or that of what owns the pod.
    pub name: String,
    /// How its pods are named; none for a pod on its own.
    pub names: Option<Names>,
    /// The name of the pod itself, if it is one.
    pub pod: Option<String>,
    /// All containers, init containers first.
    pub containers: Vec<Container>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image, as written.
    pub image: String,
    /// Its command, if it names one.
    pub command: Option<Vec<String>>,
    /// Its arguments, if it has some.
    pub args: Option<Vec<String>>,
    /// Whether it is one of `initContainers`.
    pub is_init: bool,
    /// Where the image stands.
    pub span: Span,
}

impl Container {
    /// Whether it is one that Velero adds itself.
    pub fn is_wait(&self) -> bool {
        WAITS.contains(&self.name.as_str())
    }

    /// Whether a new image has to come with another command or other arguments.
    pub fn lacks_words_of(&self, rewrite: &Rewrite) -> bool {
        let lacks = |wanted: &Option<Vec<String>>, own: &Option<Vec<String>>| wanted.is_some() && wanted != own;
        lacks(&rewrite.command, &self.command) || lacks(&rewrite.args, &self.args)
    }
}

impl Workload {
    /// The expression for the names of its pods.
    pub fn regex(&self) -> String {
        let name = regex::escape(&self.name).replace("\\-", "-");
        format!("^{name}{}$", self.names.map(owners::suffix).unwrap_or_default())
    }
}

impl Inventory {
    /// Reads objects: one, several documents, or a list. Objects without containers are passed over.
    ///
    /// # Errors
    /// When it is no YAML, or there is no workload in it.
    pub fn read(id: FileId, text: &str) -> Result<Self, Diagnostic> {
        let mut inventory = Self::default();
        let documents = yaml::parse(id, text)?;
        for document in &documents {
            inventory.add(document);
        }
        if inventory.workloads.is_empty() {
            let none = Diagnostic::error("no-workloads", "there is no pod and nothing with a pod template");
            let none = none.label(Span::new(id, 0..text.len().min(1)), "");
            return Err(none.help("give the output of `kubectl get pods -A -o yaml`"));
        }
        Ok(inventory)
    }

    fn add(&mut self, node: &Node) {
        let items = node.get("items").map_or(node.items(), Node::items);
        items.iter().for_each(|item| self.add(item));
        self.workloads.extend(workload(node));
    }

    /// All containers of all workloads.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.workloads.iter().flat_map(|workload| &workload.containers)
    }
}

fn workload(node: &Node) -> Option<Workload> {
    let kind = node.get("kind").and_then(Node::text)?;
    let metadata = node.get("metadata")?;
    let word = |key: &str| metadata.get(key).and_then(Node::text).map(str::to_owned);
    let (name, namespace) = (word("name")?, word("namespace").unwrap_or_else(|| "default".to_owned()));
    let template = |node: &'_ Node| node.get("spec").and_then(|spec| spec.get("template")).cloned();
    if kind == "Pod" {
        let (owner, names) = owner(&name, metadata).map_or((name.clone(), None), |(owner, names)| (owner, Some(names)));
        return Some(Workload { namespace, name: owner, names, pod: Some(name), containers: containers(node) });
    }
    let names = match kind {
        "Deployment" | "Rollout" => Names::Hashed,
        "StatefulSet" => Names::Numbered,
        "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" | "CloneSet" => Names::Random,
        "DeploymentConfig" | "CronJob" => Names::NumberedRandom,
        _ => return None,
    };
    let template = match kind {
        "CronJob" => template(node.get("spec")?.get("jobTemplate")?)?,
        _ => template(node)?,
    };
    let (name, names) = match kind {
        "ReplicaSet" => deployment(&name, metadata).map_or((name.clone(), names), |owner| (owner, Names::Hashed)),
        _ => (name, names),
    };
    Some(Workload { namespace, name, names: Some(names), pod: None, containers: containers(&template) })
}

/// What owns a pod, and how it is named after that.
fn owner(pod: &str, metadata: &Node) -> Option<(String, Names)> {
    let (kind, owner) = controller(metadata)?;
    let owned =
        |names: Names, owner: &str| (owners::owner(pod, names) == Some(owner)).then(|| (owner.to_owned(), names));
    match kind {
        "ReplicaSet" => {
            let hashed = owners::owner(pod, Names::Hashed).filter(|name| owner.starts_with(&format!("{name}-")));
            hashed.map(|name| (name.to_owned(), Names::Hashed)).or_else(|| owned(Names::Random, owner))
        }
        "StatefulSet" => owned(Names::Numbered, owner),
        _ => owned(Names::Random, owner),
    }
}

/// The Deployment of a ReplicaSet.
fn deployment(set: &str, metadata: &Node) -> Option<String> {
    let (kind, owner) = controller(metadata)?;
    (kind == "Deployment" && set.starts_with(&format!("{owner}-"))).then(|| owner.to_owned())
}

fn controller(metadata: &Node) -> Option<(&str, &str)> {
    let owner = metadata.get("ownerReferences")?.items().first()?;
    Some((owner.get("kind")?.text()?, owner.get("name")?.text()?))
}

fn words(container: &Node, key: &str) -> Option<Vec<String>> {
    let words = container.get(key)?.items().iter().filter_map(Node::text);
    Some(words.map(str::to_owned).collect())
}

fn containers(pod: &Node) -> Vec<Container> {
    let mut containers = Vec::new();
    for (list, is_init) in [("initContainers", true), ("containers", false)] {
        let items = pod.get("spec").and_then(|spec| spec.get(list)).map(Node::items).unwrap_or_default();
        for item in items {
            let (name, image) = (item.get("name").and_then(Node::text), item.get("image"));
            let (Some(name), Some(image)) = (name, image) else { continue };
            let text = image.text().unwrap_or_default().to_owned();
            let (command, args) = (words(item, "command"), words(item, "args"));
            containers.push(Container { name: name.to_owned(), image: text, command, args, is_init, span: image.span });
        }
    }
    containers
}
