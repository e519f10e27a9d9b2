//! Encrypted files: SQLite works on what it takes for plain files, and a layer below it seals every
//! page and every frame of the log before they reach the disk. `docs/formats/at-rest.md` describes
//! the files, `docs/adr/0006-encryption-at-rest.md` why it is done so.

mod cipher;
mod convert;
mod database_file;
mod files;
mod forward;
mod log_file;
mod slots;
mod vfs;

pub(super) use cipher::FileKey;
pub(super) use convert::{Start, seal_file, start};
pub(super) use files::RESERVED;
pub(super) use slots::Seal;
