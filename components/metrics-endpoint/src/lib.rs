//! Metrics for the components: Prometheus text, and the small HTTP server that hands it out.
//!
//! ```text
//! program state ── closure ──> Exposition::finish() ──> Endpoint: GET /metrics
//!                                                                 GET /healthz
//! ```
//!
//! * [`Exposition`] writes the Prometheus text exposition format 0.0.4: `HELP`, `TYPE`, escaping, numbers.
//! * [`Histogram`] counts observations into buckets.
//! * [`Endpoint`] listens on an address and calls the closure once per scrape.
//!
//! **Invariants.** Nothing here keeps state of its own between scrapes, has a global registry (two components linked
//! into one binary cannot disturb each other), writes to disk, or opens a connection to the outside.

mod endpoint;
mod exposition;
mod histogram;
mod http;

pub use endpoint::{Endpoint, StartError};
pub use exposition::{Exposition, Family, Kind, Value};
pub use histogram::Histogram;

/// The content type of the text that [`Exposition`] writes.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
