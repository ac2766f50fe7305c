//! What of a cargo workspace one program needs: the *pruned workspace* that a container stage compiles.
//!
//! The stage sees the packages in the program's closure and nothing else, so that a change elsewhere leaves it cached; with
//! `[build] network = "none"` it also gets their sources and needs no network.
//!
//! ```text
//! CargoWorkspace ─ closure ─→ Closure ─ entries ─→ pruned manifests · Cargo.lock · folders · vendored crates
//! ```
//!
//! | question | answered for | by |
//! |---|---|---|
//! | which packages are compiled | the asked features, the platforms that cargo was asked about | [`closure`], *needed* |
//! | which packages does cargo want to see | all features of the members, all platforms | [`closure`], *stubs* |
//!
//! Cargo resolves before it builds, and wants the manifest of everything that could be needed somewhere: Windows bindings,
//! optional dependencies that are off. Those become *stubs*: a manifest with the features that others ask for, and an empty
//! library. A stub has no dependencies, so nothing behind it travels. An inactive path dependency is a stub as well.
//!
//! The lock file is not cut out of the old one but computed, the way cargo's resolver unifies features, because every
//! feature that a member outside of the closure asks for may have added lines to it. For a vendored workspace it is exact
//! and `--locked` holds; the tests let cargo judge. With a network there are no stubs; what lies behind packages of other
//! platforms is then unknown and copied from the old lock file, which may be more than needed. Cargo drops the rest and
//! changes no version, so such a stage runs without `--locked`: see [`Closure::flags`].
//!
//! Where cargo runs on the workspace itself, [`groups`] says which programs may be compiled in one run.
//!
//! **Invariants**: nothing here reads the disk; the same workspace gives the same bytes, wherever it lies; no path of this
//! machine gets into a pruned file.

mod activate;
mod closure;
mod entries;
mod error;
mod graph;
mod groups;
mod lockfile;
mod member;
mod program;
mod root;
mod stub;
mod unify;

#[cfg(test)]
mod tests;

pub use closure::{Closure, Request, closure};
pub use entries::{PrunedEntry, crate_folder, entries, vendor_folder};
pub use error::PruneError;
pub use groups::{Candidate, groups};
pub use lockfile::filtered_lock;
pub use member::pruned_member_manifest;
pub use program::{FeatureCheck, ProgramError, binary, check_features, required_features};
pub use root::pruned_root_manifest;
pub use unify::{Target, Targets};
