//! Velero's resource modifiers: rules that change objects when a backup is restored.
//!
//! Text in, findings and edits out. [`lint`] finds what Velero refuses, and what it takes and then does not do; [`fix`] repairs
//! what can be told from the file; [`emit`] writes rules that rewrite retired images. What follows Velero's code follows
//! `internal/resourcemodifiers` of 1.12 to 1.18, and `pkg/restore/actions/change_image_name_action.go`.
//!
//! | file | is |
//! |---|---|
//! | `rule.rs`, `written.rs` | rules as meant; as written, with places |
//! | `document.rs`, `embedded.rs`, `unindented.rs` | where rules stand: a ConfigMap, a file of their own, or pasted one level off |
//! | `fields.rs`, `decode.rs`, `scalar.rs` | Velero's strict decoder and its validation |
//! | `print.rs`, `patch_data.rs` | rules, and the patches in them, as YAML |
//! | `escape.rs`, `pointer.rs`, `glob.rs`, `re2.rs` | values, paths, globs and expressions as Velero reads them |
//! | `kinds.rs`, `owners.rs`, `version.rs`, `backups.rs` | what is known of resources, names of pods, versions, backups |
//! | `rows.rs` | ConfigMaps of change-image-name |
//! | `lint/` | one file for each place of a rule; all codes in [`lint::CODES`] |
//! | `template.rs`, `fix/` | a change of a pod template as one of pods; repairs as edits |
//! | `emit/` | rules for an inventory |

pub mod backups;
mod decode;
pub mod document;
mod embedded;
pub mod emit;
pub mod escape;
mod fields;
pub mod fix;
pub mod glob;
pub mod kinds;
pub mod lint;
pub mod owners;
pub mod patch_data;
pub mod pointer;
pub mod print;
pub mod re2;
mod rows;
pub mod rule;
pub mod scalar;
pub mod template;
mod unindented;
pub mod version;
pub mod written;
