//! From one release to the next: which images there are, where they go, what was promoted. Pure: values and texts in, values
//! and texts out; `cli` asks registries and writes files.
//!
//! | file | is |
//! |---|---|
//! | `closure.rs` | [`closure`]: every image that is needed or made, and why |
//! | `mapping.rs` | where a reference goes in another registry |
//! | `promotions.rs` | [`Promotions`]: the promoter manifest, read |
//! | `record.rs` | [`Recording`]: lines added to it |
//! | `swap.rs` | [`Swap`]: one reference for another, and nothing else |

mod closure;
mod mapping;
mod promotions;
mod record;
mod swap;

pub use closure::{Class, Row, Why, closure};
pub use mapping::{MappingMode, map};
pub use promotions::{Promotion, Promotions};
pub use record::Recording;
pub use swap::{Swap, SwapError, Swapped};
