//! All documents together: names are unique, and every flow leads to outputs that exist.

use std::collections::BTreeMap;

use crate::document::{Document, Flow, Output};
use crate::problem::{Place, Problem};

/// A pipeline without loose ends, sorted by name.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Pipeline {
    pub(crate) outputs: BTreeMap<String, Output>,
    pub(crate) flows: BTreeMap<String, Flow>,
}

/// Joins the documents of all files.
///
/// The problems are duplicate names and references to outputs that do not exist. An output whose document has mistakes
/// of its own does not exist either: its reference is reported too, and goes away with those mistakes.
pub(crate) fn join(documents: Vec<Document>) -> (Pipeline, Vec<Problem>) {
    let mut pipeline = Pipeline::default();
    let mut problems = Vec::new();
    for document in documents {
        let duplicate = match document {
            Document::Flow(flow) => insert(&mut pipeline.flows, flow.name.clone(), flow, |flow| &flow.place),
            Document::Output(output) => {
                insert(&mut pipeline.outputs, output.name.clone(), output, |output| &output.place)
            }
        };
        problems.extend(duplicate);
    }
    for flow in pipeline.flows.values() {
        for (name, place) in flow.outputs.iter().filter(|(name, _)| !pipeline.outputs.contains_key(name)) {
            let message = format!("the flow `{}` names the output `{name}`, which does not exist", flow.name);
            problems.push(Problem { place: place.clone(), message });
        }
    }
    (pipeline, problems)
}

/// Keeps the first of a name; the second is the mistake.
fn insert<T>(map: &mut BTreeMap<String, T>, name: String, item: T, place: impl Fn(&T) -> &Place) -> Option<Problem> {
    match map.get(&name) {
        Some(first) => {
            let message = format!("the name `{name}` is taken already, in {}", place(first));
            Some(Problem { place: place(&item).clone(), message })
        }
        None => {
            map.insert(name, item);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{document, yaml};

    fn check(files: &[(&str, &str)], flows: &[&str], outputs: &[&str], expected_problems: &[&str]) {
        let read = |(file, text): &(&str, &str)| document::read(file, yaml::parse(text).expect("this is YAML")).0;
        let (pipeline, problems) = join(files.iter().flat_map(read).collect());
        assert_eq!(pipeline.flows.keys().collect::<Vec<_>>(), flows);
        assert_eq!(pipeline.outputs.keys().collect::<Vec<_>>(), outputs);
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), expected_problems);
    }

    const OUT: &str = "kind: output\nname: out\ntype: stdout\n";
    const FLOW: &str = "kind: flow\nname: flow\nmatch: {}\noutputs:\n  - out\n";

    #[test]
    fn names_are_resolved_across_files() {
        check(&[("a", FLOW), ("b", OUT)], &["flow"], &["out"], &[]);
        check(&[("b", OUT), ("a", FLOW)], &["flow"], &["out"], &[]);
        check(&[], &[], &[], &[]);
    }

    #[test]
    fn loose_ends_are_located() {
        check(&[("a", FLOW)], &["flow"], &[], &["a:5: the flow `flow` names the output `out`, which does not exist"]);
        check(&[("a", OUT), ("b", OUT)], &[], &["out"], &["b:1: the name `out` is taken already, in a:1"]);
    }

    #[test]
    fn a_flow_and_an_output_may_share_a_name() {
        let output = "kind: output\nname: flow\ntype: stdout\n";
        check(&[("a", output), ("b", OUT), ("c", FLOW)], &["flow"], &["flow", "out"], &[]);
    }
}
