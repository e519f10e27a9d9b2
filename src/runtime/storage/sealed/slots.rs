//! Which key belongs to which file: SQLite passes a number on, in the URI of the file, under which
//! the layer finds the key.

use super::cipher::FileKey;
use super::vfs;
use crate::model::Result;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// What the layer knows of a file.
pub(super) struct Slot {
    pub(super) number: i64,
    pub(super) key: Arc<FileKey>,
    /// See `DatabaseFile`.
    pub(super) building: bool,
}

/// The slots in use, and the next number.
struct Slots {
    next: i64,
    used: BTreeMap<i64, Weak<Slot>>,
}

static SLOTS: Mutex<Slots> = Mutex::new(Slots {
    next: 1,
    used: BTreeMap::new(),
});

fn slots() -> MutexGuard<'static, Slots> {
    SLOTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets SQLite open one encrypted file, for as long as it, or a clone of it, lives. It is to outlive
/// all connections to the file.
#[derive(Clone)]
pub(in crate::runtime::storage) struct Seal(Arc<Slot>);

impl Seal {
    /// For the file with this key.
    pub(in crate::runtime::storage) fn new(key: FileKey) -> Result<Seal> {
        Seal::with(Arc::new(key), false)
    }

    /// For a file that is built anew and not in use before it is whole, with the same key.
    pub(super) fn to_build(&self) -> Result<Seal> {
        Seal::with(Arc::clone(&self.0.key), true)
    }

    fn with(key: Arc<FileKey>, building: bool) -> Result<Seal> {
        vfs::register()?;
        let mut slots = slots();
        let number = slots.next;
        slots.next += 1;
        let slot = Arc::new(Slot {
            number,
            key,
            building,
        });
        slots.used.insert(number, Arc::downgrade(&slot));
        Ok(Seal(slot))
    }

    /// What SQLite is to open for the file at `path`: to be used with the flag
    /// `SQLITE_OPEN_URI`.
    pub(in crate::runtime::storage) fn uri(&self, path: &Path) -> String {
        format!(
            "{}?vfs={}&seal={}",
            file_uri(path),
            vfs::NAME.to_string_lossy(),
            self.0.number
        )
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        slots().used.remove(&self.number);
    }
}

/// The slot of this number.
pub(super) fn find(number: i64) -> Option<Arc<Slot>> {
    slots().used.get(&number)?.upgrade()
}

/// The path as a URI, as SQLite reads them.
fn file_uri(path: &Path) -> String {
    #[cfg(unix)]
    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str());
    #[cfg(not(unix))]
    let text = path.to_string_lossy().replace('\\', "/");
    #[cfg(not(unix))]
    let bytes = text.as_bytes();
    let mut uri = String::from("file:");
    if path.is_absolute() {
        // An empty host, so that a path is not taken for one.
        uri.push_str("//");
        if !bytes.starts_with(b"/") {
            uri.push('/');
        }
    }
    for byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => {
                uri.push(char::from(*byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        let uri = |path: &str| file_uri(Path::new(path));
        assert_eq!(uri("a/b.sqlite"), "file:a/b.sqlite");
        #[cfg(unix)]
        assert_eq!(uri("/a b/ü?&#%.x"), "file:///a%20b/%C3%BC%3F%26%23%25.x");
    }

    #[test]
    fn a_slot_is_there_as_long_as_somebody_holds_it() {
        let seal = Seal::new(FileKey::derive(&[1; 32], b"x")).unwrap();
        let number = seal.0.number;
        let other = seal.clone();
        drop(seal);
        assert!(find(number).is_some());
        drop(other);
        assert!(find(number).is_none());
    }
}
