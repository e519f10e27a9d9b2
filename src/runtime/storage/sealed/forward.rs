//! Calls that go to the files below as they are.

use super::files::{Below, Outcome, Refusal};
use super::vfs::{RealFile, real_file};
use rusqlite::ffi;
use std::ffi::{c_char, c_int, c_void};
use std::ptr::null;

/// The VFS below: whichever is the default, and never null where SQLite has the system's files.
pub(super) fn real() -> *mut ffi::sqlite3_vfs {
    // SAFETY: null asks for the default.
    unsafe { ffi::sqlite3_vfs_find(null()) }
}

/// Hands a call to the VFS below.
macro_rules! forward_vfs {
    ($name:ident, $method:ident, ($($argument:ident: $kind:ty),*), $fallback:expr) => {
        pub(super) unsafe extern "C" fn $name(
            _vfs: *mut ffi::sqlite3_vfs $(, $argument: $kind)*
        ) -> c_int {
            let real = real();
            // SAFETY: null or a VFS that lives as long as the program.
            match unsafe { real.as_ref() }.and_then(|vfs| vfs.$method) {
                // SAFETY: the VFS below gets the arguments that SQLite meant for it.
                Some(method) => unsafe { method(real $(, $argument)*) },
                None => $fallback,
            }
        }
    };
}

forward_vfs!(delete, xDelete, (path: *const c_char, sync_dir: c_int), ffi::SQLITE_IOERR_DELETE);
forward_vfs!(access, xAccess, (path: *const c_char, flags: c_int, out: *mut c_int), ffi::SQLITE_IOERR_ACCESS);
forward_vfs!(full_pathname, xFullPathname, (path: *const c_char, n: c_int, out: *mut c_char), ffi::SQLITE_CANTOPEN);
forward_vfs!(randomness, xRandomness, (n: c_int, out: *mut c_char), 0);
forward_vfs!(sleep, xSleep, (microseconds: c_int), 0);
forward_vfs!(current_time, xCurrentTime, (out: *mut f64), ffi::SQLITE_ERROR);
forward_vfs!(get_last_error, xGetLastError, (n: c_int, out: *mut c_char), 0);
forward_vfs!(current_time_int64, xCurrentTimeInt64, (out: *mut ffi::sqlite3_int64), ffi::SQLITE_ERROR);

/// The methods of a file below.
///
/// # Safety
///
/// `real` is null or a file that its VFS has set up.
unsafe fn methods<'a>(real: *mut ffi::sqlite3_file) -> Option<&'a ffi::sqlite3_io_methods> {
    // SAFETY: the caller vouches; methods are static.
    unsafe { real.as_ref()?.pMethods.as_ref() }
}

/// Hands a call to the file below.
macro_rules! forward {
    ($name:ident, $method:ident, ($($argument:ident: $kind:ty),*), $fallback:expr) => {
        pub(super) unsafe extern "C" fn $name(
            file: *mut ffi::sqlite3_file $(, $argument: $kind)*
        ) -> c_int {
            // SAFETY: SQLite calls with a file that it has opened and not closed.
            let real = unsafe { real_file(file) };
            // SAFETY: as above, so that the file below is open too.
            match unsafe { methods(real) }.and_then(|methods| methods.$method) {
                // SAFETY: the file below gets the arguments that SQLite meant for it.
                Some(method) => unsafe { method(real $(, $argument)*) },
                None => $fallback,
            }
        }
    };
}

forward!(sync, xSync, (flags: c_int), ffi::SQLITE_IOERR_FSYNC);
forward!(lock, xLock, (level: c_int), ffi::SQLITE_IOERR_LOCK);
forward!(unlock, xUnlock, (level: c_int), ffi::SQLITE_IOERR_UNLOCK);
forward!(check_reserved_lock, xCheckReservedLock, (out: *mut c_int), ffi::SQLITE_IOERR_CHECKRESERVEDLOCK);
forward!(real_file_control, xFileControl, (op: c_int, argument: *mut c_void), ffi::SQLITE_NOTFOUND);
forward!(sector_size, xSectorSize, (), 4096);
forward!(real_characteristics, xDeviceCharacteristics, (), 0);
forward!(shm_map, xShmMap, (page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void), ffi::SQLITE_IOERR_SHMMAP);
forward!(shm_lock, xShmLock, (offset: c_int, n: c_int, flags: c_int), ffi::SQLITE_IOERR_SHMLOCK);
forward!(shm_unmap, xShmUnmap, (delete: c_int), ffi::SQLITE_OK);

pub(super) unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: SQLite calls with a file that it has opened and not closed.
    let real = unsafe { real_file(file) };
    // SAFETY: as above, so that the file below is open too.
    if let Some(barrier) = unsafe { methods(real) }.and_then(|methods| methods.xShmBarrier) {
        // SAFETY: as above.
        unsafe { barrier(real) };
    }
}

/// What concerns the content as it lies on the disk is not for the file below.
pub(super) unsafe extern "C" fn file_control(
    file: *mut ffi::sqlite3_file,
    op: c_int,
    argument: *mut c_void,
) -> c_int {
    match op {
        ffi::SQLITE_FCNTL_MMAP_SIZE
        | ffi::SQLITE_FCNTL_BEGIN_ATOMIC_WRITE
        | ffi::SQLITE_FCNTL_COMMIT_ATOMIC_WRITE
        | ffi::SQLITE_FCNTL_ROLLBACK_ATOMIC_WRITE => ffi::SQLITE_NOTFOUND,
        // SAFETY: SQLite's own arguments, handed on.
        _ => unsafe { real_file_control(file, op, argument) },
    }
}

/// No write is atomic beyond what the disk promises for its own; parts of pages cannot be read; and a
/// write that is cut short harms nothing beside it, which the log's whole frames rely on.
pub(super) unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite's own argument, handed on.
    let found = unsafe { real_characteristics(file) };
    let kept = ffi::SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN
        | ffi::SQLITE_IOCAP_SEQUENTIAL
        | ffi::SQLITE_IOCAP_IMMUTABLE;
    (found & kept) | ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

/// Closes a file below, if it is open.
pub(super) fn close(real: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the file's memory was zeroed, and set up by its VFS if that was asked to open it.
    match unsafe { methods(real) }.and_then(|methods| methods.xClose) {
        // SAFETY: it has methods, so it is to be closed, and this is the last use of it.
        Some(close) => unsafe { close(real) },
        None => ffi::SQLITE_OK,
    }
}

impl RealFile {
    fn call(
        &mut self,
        fallback: c_int,
        call: impl FnOnce(&ffi::sqlite3_io_methods, *mut ffi::sqlite3_file) -> Option<c_int>,
    ) -> Outcome<c_int> {
        let real = self.pointer();
        // SAFETY: the memory was zeroed and then set up by the VFS below.
        let methods = unsafe { methods(real) }.ok_or(Refusal::Below(fallback))?;
        call(methods, real).ok_or(Refusal::Below(fallback))
    }
}

/// Success, or what the file below said.
fn checked(code: c_int) -> Outcome {
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(Refusal::Below(code)),
    }
}

impl Below for RealFile {
    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> Outcome<bool> {
        let (amount, offset) = range(offset, buffer.len(), ffi::SQLITE_IOERR_READ)?;
        let code = self.call(ffi::SQLITE_IOERR_READ, |methods, real| {
            // SAFETY: the file is open, and the buffer has room for as many bytes.
            methods
                .xRead
                .map(|read| unsafe { read(real, buffer.as_mut_ptr().cast(), amount, offset) })
        })?;
        match code {
            ffi::SQLITE_IOERR_SHORT_READ => Ok(false),
            code => checked(code).map(|()| true),
        }
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Outcome {
        let (amount, offset) = range(offset, bytes.len(), ffi::SQLITE_IOERR_WRITE)?;
        checked(self.call(ffi::SQLITE_IOERR_WRITE, |methods, real| {
            // SAFETY: the file is open, and the slice has as many bytes.
            methods
                .xWrite
                .map(|write| unsafe { write(real, bytes.as_ptr().cast(), amount, offset) })
        })?)
    }

    fn truncate(&mut self, size: u64) -> Outcome {
        let (_, size) = range(size, 0, ffi::SQLITE_IOERR_TRUNCATE)?;
        checked(self.call(ffi::SQLITE_IOERR_TRUNCATE, |methods, real| {
            // SAFETY: the file is open.
            methods
                .xTruncate
                .map(|truncate| unsafe { truncate(real, size) })
        })?)
    }

    fn size(&mut self) -> Outcome<u64> {
        let mut size = 0;
        let code = self.call(ffi::SQLITE_IOERR_FSTAT, |methods, real| {
            // SAFETY: the file is open, and `size` may be written.
            methods
                .xFileSize
                .map(|file_size| unsafe { file_size(real, &raw mut size) })
        })?;
        checked(code)?;
        u64::try_from(size).map_err(|_| Refusal::Below(ffi::SQLITE_IOERR_FSTAT))
    }
}

fn range(offset: u64, amount: usize, code: c_int) -> Outcome<(c_int, i64)> {
    match (c_int::try_from(amount), i64::try_from(offset)) {
        (Ok(amount), Ok(offset)) => Ok((amount, offset)),
        _ => Err(Refusal::Below(code)),
    }
}
