//! From one release to the next: which images there are, where they go, what was promoted. Pure: values and texts in, values
//! and texts out; `cli` asks registries and writes files.
//!
//! | file | is |
//! |---|---|
//! | `advance.rs` | [`fate`]: what becomes of a tag when an image is promoted |
//! | `closure.rs` | [`closure`]: every image that is needed or made, and why |
//! | `difference.rs` | [`differences`]: what differs between the images of two releases |
//! | `mapping.rs` | where a reference goes in another registry |
//! | `promotions.rs` | [`Promotions`]: the promoter manifest, read |
//! | `record.rs` | [`Recording`]: lines added to it |
//! | `swap.rs` | [`Swap`]: one reference for another, and nothing else |

mod advance;
mod closure;
mod difference;
mod promotions;
mod record;
mod swap;

pub use advance::{Candidate, Fate, fate};
pub use closure::{Class, Row, Why, closure};
pub use difference::{Change, Explained, ImageSet, differences};
pub use promotions::{Promotion, Promotions};
pub use record::Recording;
pub use swap::{Swap, SwapError, Swapped};
