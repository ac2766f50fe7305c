//! Groupage merges many small component images into few: it reads component manifests with feature flags, decides what is
//! merged into which image, generates multi-stage Dockerfiles, and builds the images: through a Docker daemon, or without one.
//!
//! This page is the map. Data flows from left to right, one function for each arrow; modules are listed in flow order, and
//! a module uses only what stands above it, [`source`], [`diagnostic`], [`yaml`], [`oci`] and [`dockerfile`].
//!
//! ```text
//! files → Sources → Manifests → Resolution → Pins → Plan → Dockerfile + context → images → output
//!         workspace  manifest    resolve      lock   plan   render                 engine    report, cli
//!                        │                             ├─ check: findings
//!                        │                             ├─ release: tables, promotions, swaps, differences
//!                        │                             └─ engine::native, without a Dockerfile
//!                        │                                                        └─ verify: findings, on the bytes
//!                        ├─ policy: which references may be used where, and which version is newer
//!                        ├─ migrate: the ledger, and edits of other people's files
//!                        └─ adopt: Dockerfiles and images of others → findings, groups, texts of manifests
//! ```
//!
//! | file | read by | written by |
//! |---|---|---|
//! | `groupage.toml` (settings) | [`workspace`], [`manifest`] | people |
//! | `groupage.override.toml` (local replacements) | [`workspace`] | people; not under version control |
//! | `components/*/component.toml`, `images/*/image.toml` | [`workspace`], [`manifest`] | people; `init`, once, from [`adopt`] |
//! | `Dockerfile*`, `Containerfile*` of others, what they copy, `CODEOWNERS` | [`workspace`], [`adopt`] | people |
//! | `templates/*.hbs` | [`workspace`], [`render`] | people; embedded ones are the default |
//! | `Cargo.toml`, `Cargo.lock`, `cargo metadata` | [`workspace::cargo`] | people and cargo |
//! | `go.mod`, `go.work`, `vendor/modules.txt`, Go files | [`workspace::go`] | people and go |
//! | `groupage.lock` (pinned digests) | [`workspace`], [`lock`] | `lock`, `update` |
//! | `images/*/Dockerfile*` | `generate --check`, reviewers | `generate` |
//! | promoter manifests (`images.yaml`: what was promoted) | `promote --manifest`, reviewers | `promote --record`, [`release`] |
//! | `--metadata-file`, `--context DIR` | other programs | `build`, `generate` |
//! | `target/groupage/oci/IMAGE` (OCI layouts: results) | `inspect`, other programs | [`engine::native`] |
//! | `target/groupage/cache` (layers, blobs of bases) | [`engine::store`] | [`engine::store`] |
//! | `target/groupage/builds` (what was built last, and from what) | `explain build`, `plan --explain`, `diff` | `build` |
//! | `target/groupage/cargo`, `target/groupage/programs` | cargo, [`engine::native::compile`] | cargo, [`engine::native::compile`] |
//! | `target/groupage/go` (what Go has compiled and fetched) | go, [`engine::native::compile::go`] | go |
//! | `target/groupage/revisions` (trees of git revisions, for `affected`) | [`cli`] | [`workspace`] |
//! | `target/groupage/hashes`, `cargo-metadata.json`, `times.json` (remembered from run to run) | [`workspace`] | [`workspace`] |
//! | `target/groupage/toolchain.json` (what rustc said it is) | [`engine::native::compile`] | [`engine::native::compile`] |
//! | `target/groupage/multicall` (workspaces of multi-call programs) | cargo | [`engine::native::compile`] |
//! | `.gitignore`, `.dockerignore` | [`workspace`] | people |
//! | `target/groupage/bootstrap` (local stand-ins of builder images) | [`workspace::bootstrap`] | [`workspace::bootstrap`] |
//! | archives of `--output` | other programs | [`engine`] |
//! | the Docker daemon, registries | [`engine::docker`], [`engine::registry`] | `build`; `--load`, `--push` |
//! | ledger files (`[[retired]]`), files of consumers of retired images | [`cli`], [`migrate`] | people; `migrate apply --write` |
//! | git trees of revisions, read without a checkout | `check references --rev` | people |
//! | git history (times), `SOURCE_DATE_EPOCH`, accounts of `docker login` | [`workspace`], [`cli`] | people |
//!
//! **Invariants**
//!
//! - Nothing before [`engine`] touches the network, a daemon or async (`cargo metadata` may fetch manifests of crates
//!   once, unless `--offline` forbids it).
//! - Nothing but [`workspace`] reads the disk, the environment or cargo. [`engine`] reads the files that a plan names, runs
//!   cargo and go to compile, and writes below `target/groupage` and where an output was asked for.
//! - Nothing but [`cli`] prints or chooses exit codes.
//! - Same inputs, same bytes: whatever can reach an output is sorted; there is no clock and no random name in it. The one
//!   question about today, whether a record has expired, is asked by `--on today`.
//! - Outputs appear by rename: a killed run leaves the previous state.
//! - No link in `target/groupage` is followed: [`workspace::state`].
//! - No panics on input: bad files are [`diagnostic`]s with a place and a next step.

pub mod diagnostic;
pub mod oci;
pub mod source;
pub mod yaml;

pub mod dockerfile;

pub mod workspace;

pub mod manifest;

pub mod policy;

pub mod resolve;

pub mod lock;

pub mod plan;

pub mod release;

pub mod check;

pub mod migrate;

pub mod render;

pub mod verify;

pub mod adopt;

pub mod engine;

pub mod report;

pub mod cli;
