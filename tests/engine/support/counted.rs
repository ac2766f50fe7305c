//! A workspace before something that counts what is asked of the daemon.

use std::collections::BTreeMap;

use serde_json::Value;

use super::listener::Listener;
use super::workspace::Workspace;
use super::{Ended, builders, daemon, docker, unique};

/// Bytes of the file of each component.
pub const SIZE: usize = 300_000;

/// A workspace with components of one file each, behind something that counts requests.
pub struct Counted {
    pub workspace: Workspace,
    pub listener: Listener,
}

/// What was asked of the daemon.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    pub builds: usize,
    pub loads: usize,
    pub lists: usize,
    pub tags: usize,
}

impl Counted {
    /// Nothing where there is no daemon.
    pub fn new() -> Option<Self> {
        if !daemon() {
            return None;
        }
        let Some(listener) = Listener::new() else {
            eprintln!("skipped: the daemon has no unix socket");
            return None;
        };
        Some(Self { workspace: Workspace::new(), listener })
    }

    /// The same, where a builder makes every image.
    pub fn by_builder() -> Option<Self> {
        let counted = Self::new()?;
        by_builder(&counted.workspace);
        Some(counted)
    }

    /// A component of one file that nobody has, under a name that nobody has.
    pub fn component(&self) -> String {
        let name = unique();
        let install = "[[install]]\nfrom = \"file\"\nto = \"/srv/NAME\"\n".replace("NAME", &name);
        self.workspace.files_component(&name, &install);
        self.change(&name);
        name
    }

    pub fn change(&self, component: &str) {
        let text = unique();
        self.workspace.write(&format!("components/{component}/file"), text.repeat(SIZE / text.len()));
    }

    #[track_caller]
    pub fn build(&self, arguments: &[&str]) -> (Ended, Asked) {
        self.end(arguments, 0)
    }

    #[track_caller]
    pub fn end(&self, arguments: &[&str], code: i32) -> (Ended, Asked) {
        let host = self.listener.host();
        let ended = self.workspace.run([&["build", "--host", &host], arguments].concat()).expect(code);
        let [builds, loads, lists, tags] =
            self.listener.count(["POST /build?", "POST /images/load", "GET /images/json", "/tag?"]);
        (ended, Asked { builds, loads, lists, tags })
    }

    /// The image as the daemon describes it.
    pub fn seen(&self, image: &str) -> Value {
        let tag = self.workspace.tag(&format!("{image}:1.0.0"));
        serde_json::from_str::<Value>(&docker(["image", "inspect", &tag])).unwrap()[0].take()
    }
}

/// Bytes that were sent for each job, as `--progress json` tells it.
pub fn sent(stderr: &str) -> BTreeMap<String, u64> {
    let events = stderr.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let sending = events.filter(|event| event["event"] == "sending");
    sending.map(|event| (event["image"].as_str().unwrap().to_owned(), event["bytes"].as_u64().unwrap())).collect()
}

/// Gives a workspace a template of its own, which says what ours says: only a builder can tell.
pub fn by_builder(workspace: &Workspace) {
    let own = std::fs::read_to_string(builders::repository().join("templates/Dockerfile.hbs")).unwrap();
    workspace.write("templates/Dockerfile.hbs", format!("{own}{{{{!-- its own --}}}}"));
}
