//! What a merge has gained, and what it costs: the images before (`split`) and after, measured on their bytes. Pure.
//!
//! ```text
//! Facts ── report() ──▶ Report ──▶ JSON (serde)
//!                         ├─ tables() ──▶ text, Markdown, HTML
//!                         ├─ remarks() ─▶ what has to be said in words
//!                         └─ treemap() ─▶ SVG of the HTML page
//! ```
//!
//! | figure | is |
//! |---|---|
//! | all layers | the bytes of every layer of every image, as often as an image names it |
//! | unique layers | the same with each layer once: what a registry stores, and what a node that runs everything pulls |
//! | bytes | unpacked, as tars |
//! | gzip | as a registry gets them from `--push`; a layer of a base that is compressed already counts as it is |
//! | one role | the layers of the one image that has the role |
//! | platform images | images times their platforms: what is pushed, scanned and mirrored for one release |
//!
//! A layer is known by its diff ID, so that a layer that is stored in two ways counts once. Manifests and configurations, a few
//! KiB for each image, are left out. **What is not measured says so**, with the reason, and is `null` in JSON.

mod facts;
mod figure;
mod html;
mod json;
mod markdown;
mod measure;
pub mod memory;
mod model;
mod remarks;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod treemap;

pub use facts::{ColumnFacts, Facts, ImageFacts, LayerFacts, Origin, Owner};
pub use figure::{Figure, Size};
pub use html::html;
pub use json::json;
pub use markdown::markdown;
pub use measure::report;
pub use model::{Build, Column, ImageRow, LayerRow, OnPlatform, OwnerRow, Release, Report, RolePull};
pub use remarks::remarks;
pub use text::text;
pub use treemap::{Area, Tile, squarified};
