//! The engine `docker` against a real daemon, from outside.
//!
//! Without a daemon these tests print a line and pass; with `GROUPAGE_TEST_ENGINE=required` they fail instead.

#![allow(clippy::disallowed_methods, reason = "a test asks the environment whether a daemon is required")]
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "docker/bases.rs"]
mod needs_engine_bases;
#[path = "docker/builds.rs"]
mod needs_engine_builds;
#[path = "docker/faults.rs"]
mod needs_engine_faults;
#[path = "docker/parts.rs"]
mod needs_engine_parts;
#[path = "docker/support.rs"]
mod support;

use std::os::unix::net::UnixListener;

use groupage::engine::docker::host::Address;
use groupage::engine::docker::{Docker, Host};
use groupage::engine::{ErrorClass, block_on};

#[test]
fn no_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let path = camino::Utf8PathBuf::from_path_buf(folder.path().join("d.sock")).unwrap();
    let check = |address: Address, expect: &str| {
        let host = Host { address, origin: "a test".to_owned() };
        let error = block_on(Docker::connect(&host)).unwrap().expect_err("nobody is there");
        assert_eq!(error.class(), ErrorClass::Environment);
        let text = error.to_string();
        assert!(text.contains(expect) && text.contains("hint: "), "{text}");
    };
    check(Address::Unix(path.clone()), "there is no such socket");
    drop(UnixListener::bind(&path).unwrap());
    check(Address::Unix(path), "connection refused");
    check(Address::Tcp("127.0.0.1:1".to_owned()), "connection refused");
}
