//! Right edge, phase 6: turns jobs into images. The only place with async, with a daemon, with a network.
//!
//! ```text
//! Job ── run ──▶ Engine::build ──▶ Built          what one image needs, and what came of it
//!          │            │
//!          └── Event ◀──┘                          what happens meanwhile; consumers are in `report::progress`
//! ```
//!
//! | file | is |
//! |---|---|
//! | `job.rs` | [`Job`] and [`Built`], plain data |
//! | `event.rs` | [`Event`], and [`Events`], where engines put them |
//! | `cancel.rs` | [`Cancel`]: Ctrl-C as a value |
//! | `run.rs` | [`run`]: several jobs at once, in order, stopped together; [`run_blocking`] for callers without async |
//! | `store.rs` | [`store::Store`]: blobs by digest, on this machine |
//! | `proofs.rs` | [`Proofs`]: images that keep their contract, which nobody has to look at again |
//! | `runtime.rs` | [`block_on`]: the door from the synchronous rest of the program |
//! | `error.rs` | [`EngineError`] and its [`ErrorClass`] |
//! | `registry/` | [`registry::Registry`]: images from and to registries |
//! | `crypto.rs` | the provider of TLS, for both |
//! | `lines.rs` | what a program writes, as lines that are safe to show |
//! | `docker/` | [`docker::Docker`]: a daemon, through its API |
//! | `native/` | [`native::Native`]: no daemon; programs are compiled here, images written directly |
//! | `recording.rs` | [`Recording`]: no daemon at all, for tests |
//!
//! **Nothing here prints.** Engines emit [`Event`]s; whoever calls decides how they look.
//! **Nothing here reads the environment.** Which daemon is meant is worked out by [`docker::host::resolve`] from values.
//! **Dropping the future of a build cancels the build**: that is how cancellation reaches an engine, and the only way.
//! **Nothing is tagged before it is whole**: references move to the new image after the build has succeeded.
//! **Nothing is named unseen**: what is there already counts as built when there is a proof that it keeps its contract, and is
//! looked at when there is none, unless the job does not ask for it.

mod cancel;
#[cfg_attr(not(feature = "tls"), allow(unused))]
mod crypto;
pub mod docker;
mod error;
mod event;
mod job;
mod lines;
pub mod measure;
pub mod native;
mod proofs;
mod recording;
pub mod registry;
mod run;
mod runtime;
pub mod store;

pub use cancel::Cancel;
pub use error::{CLASH_HINT, EngineError, ErrorClass, LOG_TAIL, MissingDaemon, RegistryFailure, StepFailure};
pub use event::{BlobOutcome, Direction, Event, Events, Step, StepState};
pub use job::{Built, Job, NamedJob, Network, Present, Verify};
pub use proofs::Proofs;
pub use recording::{Recording, Script};
pub use run::{JobResult, Options, Outcome, run, run_blocking};
pub use runtime::block_on;

/// What turns a job into an image.
///
/// Futures are polled on one thread and need not be `Send`. The future returned by `build` must be safe to drop at any
/// point: that is cancellation, and it must leave nothing running and nothing tagged.
pub trait Engine {
    /// What it needs to know for one image.
    type Job: NamedJob;

    /// Builds one image and gives it the references of the job.
    ///
    /// Steps and logs go to `events`; the start and the end of the job are reported by [`run`].
    ///
    /// # Errors
    /// [`EngineError`], with everything that a failure block needs.
    fn build(&self, job: &Self::Job, events: &Events) -> impl Future<Output = Result<Built, EngineError>>;
}
