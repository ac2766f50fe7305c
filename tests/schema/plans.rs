//! Plans of real workspaces and their schema: all fit, and none fits that lacks a field or has another one.

use std::fs;

use serde_json::Value;

use crate::agreement::Validator;
use crate::support::sandbox::Sandbox;
use crate::support::transcript::cases;
use crate::{checked_in, repository};

/// The plan of every case of `tests/cases` that has one, in each mode.
fn plans() -> Vec<(String, Value)> {
    let mut plans = Vec::new();
    let mut folders = cases("cases");
    folders.push(repository().join("tests/explain/workspace"));
    for folder in folders {
        let sandbox = Sandbox::copy_of(&folder);
        for mode in ["split", "colocated", "multicall"] {
            let ended = sandbox.groupage(["plan", "--format", "json", "--offline", "--mode", mode]);
            if ended.code == Some(0) {
                plans.push((format!("{} as {mode}", folder.display()), serde_json::from_str(&ended.stdout).unwrap()));
            }
        }
    }
    plans
}

#[test]
fn fit_their_schema_and_no_other_document_does() {
    let schema = Validator::new(checked_in("plan"));
    let (plans, mut images) = (plans(), 0);
    for (name, plan) in &plans {
        assert_eq!(schema.refuses(plan), None, "{name}");
        let mut places = Vec::new();
        find(plan, String::new(), &mut places);
        images += plan["images"].as_array().unwrap().len();
        for (place, key) in places {
            let mut other = plan.clone();
            let object = other.pointer_mut(&place).unwrap().as_object_mut().unwrap();
            let value = object.remove(&key).unwrap();
            object.insert(format!("{key}x"), value);
            // maps from names to values take any name
            let (above, last) = place.rsplit_once('/').unwrap_or_default();
            let is_map = MAPS.contains(&last)
                || above.ends_with("/platform_files")
                || (last == "images" && above.ends_with("/build"));
            assert_eq!(schema.refuses(&other).is_none(), is_map, "{name}: {place}/{key} may be called otherwise");
        }
    }
    assert!(images > 40, "only {images} images in {} plans", plans.len());
}

/// Objects whose keys are names of the workspace.
const MAPS: [&str; 10] =
    ["files", "links", "roles", "inputs", "env", "labels", "stamp", "dockerfiles", "platform_files", "images"];

/// Every object and each of its keys.
fn find(value: &Value, place: String, places: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, below) in object {
                places.push((place.clone(), key.clone()));
                find(below, format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        // one item of a list is like the others
        Value::Array(items) => items.iter().take(1).for_each(|item| find(item, format!("{place}/0"), places)),
        _ => {}
    }
}

/// The files are in the order of their keys, so that a change of a schema is a small difference.
#[test]
fn schemas_are_read_as_they_are_written() {
    for name in ["component", "image", "settings", "ledger", "plan"] {
        let text = fs::read_to_string(repository().join(format!("schemas/{name}.json"))).unwrap();
        assert_eq!(text, format!("{:#}\n", checked_in(name)), "{name}");
    }
}
