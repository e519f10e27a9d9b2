//! Pure data: ids, values, paths, operations, limits and errors. Nothing here does I/O, and
//! nothing here imports another module of the crate.

pub mod blob;
pub mod contain;
mod convert;
pub mod difference;
pub mod error;
pub mod id;
pub mod json;
pub mod limits;
pub mod names;
pub mod number;
pub mod operation;
pub mod path;
pub mod role;
pub mod system;
pub mod text;
pub mod value;

pub use blob::BlobRef;
pub use error::{Error, ErrorKind, Result};
pub use id::{
    BlobId, ContentKeyId, DeviceKey, EntryId, FeedId, IdentityKey, ObjectId, RecoveryKey, SpaceId,
    crockford,
};
pub use number::signed;
pub use operation::{Expand, Operation};
pub use path::{Path, Segment};
pub use role::Role;
pub use system::{Branch, SystemFields};
pub use text::TextUnit;
pub use value::{Reference, Value};
