//! Which pods have file-system backups: names, or the list of `kubectl get podvolumebackups -o yaml`.

use crate::diagnostic::Diagnostic;
use crate::source::FileId;
use crate::yaml::{self, Node, Value};

/// Pods with file-system backups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backups {
    /// In order, each once.
    pub pods: Vec<Pod>,
}

/// A pod by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pod {
    /// Its namespace, if it is known.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl Backups {
    /// Reads a file: lines of `POD` or `NAMESPACE/POD`, a list of these in YAML or JSON, or PodVolumeBackups, alone or in a
    /// list.
    ///
    /// # Errors
    /// When it is no YAML, or names no pod in a place where one is expected.
    pub fn read(id: FileId, text: &str) -> Result<Self, Diagnostic> {
        let mut pods = Vec::new();
        for document in yaml::parse(id, text)? {
            node(&document, &mut pods)?;
        }
        pods.sort();
        pods.dedup();
        Ok(Self { pods })
    }
}

fn node(at: &Node, pods: &mut Vec<Pod>) -> Result<(), Diagnostic> {
    match &at.value {
        // lines without any sign of YAML are one scalar
        Value::Scalar(text, _) => {
            pods.extend(text.split_whitespace().map(named));
            Ok(())
        }
        Value::Sequence(items) => items.iter().try_for_each(|item| node(item, pods)),
        Value::Mapping(_) => match at.get("items") {
            Some(items) => node(items, pods),
            None => pods_of(at, pods),
        },
        Value::Alias(_) => Ok(()),
    }
}

fn named(word: &str) -> Pod {
    match word.split_once('/') {
        Some((namespace, name)) => Pod { namespace: Some(namespace.to_owned()), name: name.to_owned() },
        None => Pod { namespace: None, name: word.to_owned() },
    }
}

/// The pod of a PodVolumeBackup.
fn pods_of(object: &Node, pods: &mut Vec<Pod>) -> Result<(), Diagnostic> {
    let pod = object.get("spec").and_then(|spec| spec.get("pod"));
    let text = |key: &str| pod.and_then(|pod| pod.get(key)).and_then(Node::text).map(str::to_owned);
    match text("name") {
        Some(name) => {
            pods.push(Pod { namespace: text("namespace"), name });
            Ok(())
        }
        None => Err(Diagnostic::error("backups", "this names no pod").label(object.span, "").help(
            "give PodVolumeBackups (`kubectl get podvolumebackups -n velero -o yaml`), or lines of NAMESPACE/POD",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, SourceMap};

    fn check(text: &str, expect: &str) {
        let backups = Backups::read(SourceMap::default().add(SourceFile::new("a", text)), text).unwrap();
        let names = backups.pods.iter().map(|pod| format!("{}/{}", pod.namespace.as_deref().unwrap_or("?"), pod.name));
        assert_eq!(names.collect::<Vec<_>>().join(" "), expect, "{text}");
    }

    #[test]
    fn forms() {
        check("b/web-0\na\nb/web-0\n", "?/a b/web-0");
        check("", "");
        check("- a/b\n- c\n", "?/c a/b");
        check("[\"a/b\"]", "a/b");
        check(
            "kind: PodVolumeBackup\nspec: {pod: {kind: Pod, name: x, namespace: n}}\n---\nspec: {pod: {name: y}}\n",
            "?/y n/x",
        );
        check(
            "{\"kind\": \"List\", \"items\": [{\"spec\": {\"pod\": {\"name\": \"x\", \"namespace\": \"n\"}}}]}",
            "n/x",
        );
        let text = "kind: Pod\nmetadata: {name: x}\n";
        assert!(Backups::read(SourceMap::default().add(SourceFile::new("a", text)), text).is_err());
    }
}
