//! The program from outside, against a real Docker daemon: what it builds is started, looked into and compared.
//!
//! Without a daemon, tests whose path holds `needs_engine` print a line and pass; with `GROUPAGE_TEST_ENGINE=required` they
//! fail instead. `tests/run` tells the two kinds apart by that word.
//!
//! | file | proves |
//! |---|---|
//! | `images.rs` | the images of this repository hold exactly what was planned, and each component does its job as a container |
//! | `kinds.rs` | all four build kinds, built and run |
//! | `context.rs` | `generate --context` with plain `docker build`, and with buildah, gives the same image |
//! | `hostile.rs` | no value of a manifest becomes an instruction |
//! | `failures.rs` | failed, cancelled, killed and parallel builds |
//! | `cache.rs` | what is built anew and what is not |
//! | `no_daemon.rs` | which commands need a daemon, and what they say without one |
//!
//! Every test has a registry name of its own, so that nothing of anybody else is replaced; its images go away with it. What
//! stays is the builder image, the build cache and one small image with a shell.

#![allow(clippy::disallowed_methods, reason = "a test asks its environment, the clock and the disk")]
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod support;

mod no_daemon;

#[path = "cache.rs"]
mod needs_engine_cache;
#[path = "context.rs"]
mod needs_engine_context;
#[path = "failures.rs"]
mod needs_engine_failures;
#[path = "hostile.rs"]
mod needs_engine_hostile;
#[path = "images.rs"]
mod needs_engine_images;
#[path = "kinds.rs"]
mod needs_engine_kinds;
