//! `migrate scan`: retired references in files of any kind, and what should be there. Bytes in, findings out.
//!
//! ```text
//! bytes → hits → mentions → names → places → fixes
//!         index   mention   ledger  place    fix
//! ```
//!
//! Most files have no hit: a search for the last parts of all retired names at once decides that, and nothing else is done with
//! them. Files are not parsed: templates, broken files and files of other tools have references too. A lenient reader of lines
//! and indentation says where a mention stands.
//!
//! **What is not a reference**
//!
//! | text | is |
//! |---|---|
//! | `/velero-restore-helper`, `./cmd/velero-restore-helper`, `-o /output/velero-restore-helper` | a program, a folder |
//! | `github.com/…/velero-restore-helper`, `https://…` | a package, a page |
//! | `name: velero-restore-helper`, `BIN=velero-restore-helper` | the name of a container, of a program |
//! | a name alone (no path, no tag) where no image is expected | a word |
//! | `my-velero-restore-helper`, `velero-restore-helper.go` | another name |
//! | anything in `docs/v1.15/…`, `CHANGELOG-1.9.md` | true of a version in which it was not retired |
//! | anything in `CHANGELOG.md` | what happened, not what is used |
//! | what stands below `[[retired]]` or `[[replaces]]`, and `groupage.lock` | the ledger itself |
//! | `name:` of a Kustomize entry whose `newName` is another image | migrated already |

mod context;
mod document;
mod file_kind;
mod finding;
mod flow;
mod history;
mod index;
mod keys;
mod lines;
mod mention;
mod place;
mod text;
mod yaml;

pub use context::{Context, ScanError, Scanner};
pub(crate) use context::{by_document, is_computed};
pub use file_kind::{FileKind, is_binary, is_skipped_folder};
pub use finding::{Finding, Fix, Object, Severity};
pub use lines::Tree;
pub use mention::{Mention, Tag};
pub use place::{Container, Insertion, Place, PlaceKind, Removal, Sibling, Words};
pub(crate) use yaml::{Group, group};

/// Largest file that is looked into, in bytes. Lines are counted in 32 bits, and a table of lines costs about as much as the
/// file.
pub const MAX_FILE: u64 = 512 << 20;
