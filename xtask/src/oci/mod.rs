//! Values of the OCI world. Bytes in, bytes out; nothing here touches a disk or a network.
//!
//! | file | is |
//! |---|---|
//! | `reference.rs`, `platform.rs`, `digest.rs` | the words that images are named with |
//! | `image_source.rs` | [`ImageSource`]: where an image comes from |
//! | `media.rs` | media types, and how layers are compressed |
//! | `image.rs` | [`Image`], [`Layer`], and the [`Document`]s that name them |
//! | `tar_reader.rs` | tar streams of strangers, entry by entry |
//! | `above.rs` | which layers are above those of a base |
//! | `accounts.rs`, `program.rs` | users and groups of an image; where the program of a command is in it |
//! | `listing.rs`, `rootfs.rs` | what a layer does, and the file tree that layers give |
//! | `validate.rs`, `sample.rs` | whether an image is one; images for tests |
//! | `hex.rs`, `time.rs` | bytes and times as text |

mod above;
mod accounts;
mod digest;
mod hex;
mod image;
mod image_source;
mod listing;
mod mapping;
pub mod media;
mod mention;
mod platform;
mod program;
mod reference;
mod rootfs;
pub mod sample;
mod tar_reader;
mod time;
mod validate;

pub use above::{BASE_DIGEST, BASE_NAME, layers_of_base};
pub use accounts::{group_of, group_of_user, user_of};
pub use digest::{DiffId, Digest, DigestError, Hasher};
pub use hex::hex;
pub use image::{
    Descriptor, Document, Image, ImageConfiguration, ImageIndex, ImageManifest, Layer, descriptor, empty_configuration,
    index,
};
pub use image_source::{ImageFile, ImageFileKind, ImageSource, ImageSourceError};
pub use listing::{Attributes, Change, LayerError, Listed, Listing, MAX_ENTRIES};
pub use mapping::{Collision, Mapping, MappingError, MappingMode};
pub use media::Compression;
pub use mention::{Mention, mention_around};
pub use platform::{Platform, PlatformError};
pub use program::{DEFAULT_PATH, program_path};
pub use reference::{Reference, ReferenceError, redacted};
pub use rootfs::{Node, ResolveError, Rootfs, Source};
pub use tar_reader::{Skip, TarEntry, TarKind, TarReader};
pub use time::rfc3339;
pub use validate::{read_image, validate};
