//! Values of the OCI world. Bytes in, bytes out; nothing here touches a disk or a network.

mod hex;
mod platform;
mod reference;

pub use hex::hex;
pub use platform::{Platform, PlatformError};
pub use reference::{Reference, ReferenceError, redacted};
