//! The program from outside, against a real Docker daemon: what it builds is started, looked into and compared.
//!
//! Without a daemon, tests whose path holds `needs_engine` print a line and pass; with `GROUPAGE_TEST_ENGINE=required` they
//! fail instead. `tests/run` tells the two kinds apart by that word.
//!
//! | file | proves |
//! |---|---|
//! | `images.rs` | the images of this repository, by either engine, hold exactly what was planned |
//! | `modes.rs` | the same in modes `split` and `multicall`, and the way back |
//! | `roles.rs` | each component of them does its job as a container |
//! | `adopt.rs` | helpers with Dockerfiles of their own become one image by `init` and the edits that it proposes |
//! | `kinds.rs` | the build kinds cargo, files, image and script in one image, built and run |
//! | `go.rs` | the build kind go: Velero's shape by both engines, for Linux and Windows |
//! | `context.rs` | `generate --context` with plain `docker build`, and with buildah, gives the same image |
//! | `pass_through.rs` | an existing Dockerfile as the only component gives the image that plain `docker build` gives |
//! | `hostile.rs` | no value of a manifest becomes an instruction |
//! | `failures.rs` | failed, cancelled, killed and parallel builds |
//! | `platforms.rs` | an image holds the files and components of the platform that it is built for |
//! | `cache.rs` | what is built anew and what is not |
//! | `registered.rs` | what a registry has already is not built |
//! | `twice.rs` | the docker engine does nothing twice: what is there is neither sent nor built again |
//! | `assembled.rs` | images that need no container are loaded: the same as by BuildKit, and no byte twice |
//! | `component_images.rs` | images of single components go when nothing is made of them |
//! | `promote.rs`, `mirror.rs` | copies between two real registries, whole, resumed and refused |
//! | `releases.rs` | what needs no registry: lists of images, swaps of references, differences of releases |
//! | `registry.rs` | pushes to and pulls from a real registry |
//! | `lock.rs` | what `lock` and `update` get from a registry, and what builds make of it |
//! | `native/unchanged.rs` | what is there already is not made again, and nothing else is taken for it |
//! | `native/outputs.rs`, `refusals.rs`, `reproducible.rs` | the native engine alone: neither a daemon nor another program is needed |
//! | `native/reads.rs` | what cargo reads and the plan does not know is refused by name |
//! | `native/same.rs`, `bases.rs` | both engines give the same tree and configuration for the same plan, on the same base from anywhere |
//! | `native/above.rs`, `above_loaded.rs` | published images are put together, layer by layer, and run |
//! | `native/readers.rs`, `push.rs` | `skopeo`, `umoci`, the daemon and a registry take what the native engine writes |
//! | `native/faults.rs` | pulls and pushes that are killed |
//! | `report.rs` | memory of roles that run as containers |
//! | `inspect.rs` | what `inspect` shows of files, and of the same image in the daemon |
//! | `explain.rs` | what differs between images, and why an image of the daemon would be built again |
//! | `verify.rs`, `verify/layouts.rs` | no image with a seeded defect gets a name; what `verify` finds in images and layouts |
//! | `verify/again.rs` | what the daemon has counts as built when somebody has looked at it, and not before |
//! | `no_daemon.rs` | which commands need a daemon, and what they say without one |
//!
//! Every test has a registry name of its own, so that nothing of anybody else is replaced; its images go away with it. What
//! stays is the builder image, the build cache, one small image with a shell, and the small bases of `adopt.rs`.

#![allow(clippy::disallowed_methods, reason = "a test asks its environment, the clock and the disk")]
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod support;

mod explain;
mod inspect;
mod no_daemon;
mod releases;

#[path = "native/above.rs"]
mod native_above;
#[path = "native/outputs.rs"]
mod native_outputs;
#[path = "native/reads.rs"]
mod native_reads;
#[path = "native/refusals.rs"]
mod native_refusals;
#[path = "native/reproducible.rs"]
mod native_reproducible;
#[path = "native/samples.rs"]
mod native_samples;
#[path = "native/unchanged.rs"]
mod native_unchanged;

#[path = "verify/layouts.rs"]
mod verify_layouts;

#[path = "adopt.rs"]
mod needs_engine_adopt;
#[path = "assembled.rs"]
mod needs_engine_assembled;
#[path = "cache.rs"]
mod needs_engine_cache;
#[path = "component_images.rs"]
mod needs_engine_component_images;
#[path = "context.rs"]
mod needs_engine_context;
#[path = "failures.rs"]
mod needs_engine_failures;
#[path = "go.rs"]
mod needs_engine_go;
#[path = "hostile.rs"]
mod needs_engine_hostile;
#[path = "images.rs"]
mod needs_engine_images;
#[path = "kinds.rs"]
mod needs_engine_kinds;
#[path = "lock.rs"]
mod needs_engine_lock;
#[path = "mirror.rs"]
mod needs_engine_mirror;
#[path = "modes.rs"]
mod needs_engine_modes;
#[path = "native/above_loaded.rs"]
mod needs_engine_native_above;
#[path = "native/bases.rs"]
mod needs_engine_native_bases;
#[path = "native/faults.rs"]
mod needs_engine_native_faults;
#[path = "native/push.rs"]
mod needs_engine_native_push;
#[path = "native/readers.rs"]
mod needs_engine_native_readers;
#[path = "native/same.rs"]
mod needs_engine_native_same;
#[path = "pass_through.rs"]
mod needs_engine_pass_through;
#[path = "platforms.rs"]
mod needs_engine_platforms;
#[path = "promote.rs"]
mod needs_engine_promote;
#[path = "registered.rs"]
mod needs_engine_registered;
#[path = "registry.rs"]
mod needs_engine_registry;
#[path = "report.rs"]
mod needs_engine_report;
#[path = "roles.rs"]
mod needs_engine_roles;
#[path = "twice.rs"]
mod needs_engine_twice;
#[path = "verify.rs"]
mod needs_engine_verify;
#[path = "verify/again.rs"]
mod needs_engine_verify_again;
