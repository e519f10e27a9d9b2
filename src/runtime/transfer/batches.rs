//! Writing much in transactions of a fitting size.

use crate::model::{Error, ErrorKind, Result, limits};

/// Bytes of input that one transaction takes: far below what an entry holds.
const BATCH_BYTES: usize = 256 * 1024;

/// Items gathered for one transaction.
pub(super) struct Batch<T> {
    pub(super) items: Vec<T>,
    bytes: usize,
}

impl<T> Batch<T> {
    pub(super) fn new() -> Batch<T> {
        Batch {
            items: Vec::new(),
            bytes: 0,
        }
    }

    /// Whether the batch must be written before an item of this size is added.
    pub(super) fn is_full(&self, size: usize) -> bool {
        let many = self.items.len() + 1 >= limits::OBJECTS_PER_TRANSACTION;
        !self.items.is_empty() && (many || self.bytes + size > BATCH_BYTES)
    }

    pub(super) fn push(&mut self, item: T, size: usize) {
        self.items.push(item);
        self.bytes += size;
    }

    pub(super) fn take(&mut self) -> Vec<T> {
        self.bytes = 0;
        std::mem::take(&mut self.items)
    }
}

/// Writes items in one transaction; if something is wrong with them, in halves, until it is known
/// with which: those go to `failed`, which may let them go.
pub(super) fn write<T>(
    items: &[T],
    write_all: &mut dyn FnMut(&[T]) -> Result<()>,
    failed: &mut dyn FnMut(&T, Error) -> Result<()>,
) -> Result<()> {
    // Halves that are still to be written, the first one last.
    let mut open = vec![items];
    while let Some(part) = open.pop() {
        let Some(first) = part.first() else { continue };
        match write_all(part) {
            Ok(()) => {}
            Err(error) if !is_of_an_item(error.kind()) => return Err(error),
            Err(error) if part.len() == 1 => failed(first, error)?,
            Err(_) => {
                let (left, right) = part.split_at(part.len() / 2);
                open.push(right);
                open.push(left);
            }
        }
    }
    Ok(())
}

/// Whether an error says something about what was to be written, rather than about the space.
fn is_of_an_item(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::Storage
            | ErrorKind::InvalidState
            | ErrorKind::PermissionDenied
            | ErrorKind::Corrupt
            | ErrorKind::Internal
            | ErrorKind::UnsupportedVersion
    )
}
