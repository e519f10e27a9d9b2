//! The layer between SQLite and the system's files, as SQLite wants it: a VFS of its own name. It
//! stands on whatever is the default one when a file is opened.

use super::cipher::{Cipher, Kind};
use super::database_file::DatabaseFile;
use super::files::{Below, JournalFile, Layer, Outcome, Refusal};
use super::log_file::LogFile;
use super::{forward, slots};
use crate::model::{Error, ErrorKind, Result};
use rusqlite::ffi;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{from_ref, null, null_mut};
use std::sync::Arc;

/// What connections name in their URI.
pub(super) const NAME: &CStr = c"echodb-sealed";

/// What SQLite takes for its file.
#[repr(C)]
struct Handle {
    base: ffi::sqlite3_file,
    /// From `Box::into_raw`, or null while the file is not open; freed by `close`.
    open: *mut Open,
}

/// An open file.
pub(super) struct Open {
    real: RealFile,
    layer: Box<dyn Layer>,
}

/// The file of the VFS below, in memory of the size and alignment that it wants.
pub(super) struct RealFile(Box<[u64]>);

impl RealFile {
    fn new(bytes: c_int) -> RealFile {
        let bytes = usize::try_from(bytes).unwrap_or_default();
        RealFile(vec![0; bytes.div_ceil(8)].into_boxed_slice())
    }

    pub(super) fn pointer(&mut self) -> *mut ffi::sqlite3_file {
        self.0.as_mut_ptr().cast()
    }
}

/// Makes the VFS known to SQLite, once in a process.
pub(super) fn register() -> Result<()> {
    static DONE: std::sync::OnceLock<c_int> = std::sync::OnceLock::new();
    let status = *DONE.get_or_init(|| {
        let real = forward::real();
        if real.is_null() {
            return ffi::SQLITE_ERROR;
        }
        let vfs = ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: size_of::<Handle>() as c_int,
            // SAFETY: not null; VFSs live as long as the program.
            mxPathname: unsafe { (*real).mxPathname },
            pNext: null_mut(),
            zName: NAME.as_ptr(),
            pAppData: null_mut(),
            xOpen: Some(open),
            xDelete: Some(forward::delete),
            xAccess: Some(forward::access),
            xFullPathname: Some(forward::full_pathname),
            // Only for extensions, which are never loaded.
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(forward::randomness),
            xSleep: Some(forward::sleep),
            xCurrentTime: Some(forward::current_time),
            xGetLastError: Some(forward::get_last_error),
            xCurrentTimeInt64: Some(forward::current_time_int64),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        };
        // SAFETY: the struct is complete and leaked, so that it lives as long as SQLite uses it.
        unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0) }
    });
    match status {
        ffi::SQLITE_OK => Ok(()),
        code => Err(Error::new(
            ErrorKind::Internal,
            format!("SQLite did not take the layer that encrypts files (code {code})"),
        )),
    }
}

/// The layer for a file of this kind and name; `None` for kinds that are never to be on a disk.
///
/// # Safety
///
/// `path` is null or a name that SQLite passes to `xOpen`.
unsafe fn layer(path: *const c_char, flags: c_int) -> Option<Box<dyn Layer>> {
    if path.is_null() {
        return None;
    }
    // SAFETY: SQLite's own name, as the caller vouches, is what this function is for.
    let number = unsafe { ffi::sqlite3_uri_int64(path, c"seal".as_ptr(), 0) };
    let slot = slots::find(number)?;
    let cipher = |kind| Cipher::new(Arc::clone(&slot.key), kind);
    if flags & ffi::SQLITE_OPEN_MAIN_DB != 0 {
        let file = DatabaseFile::new(cipher(Kind::Database), slot.building);
        return Some(Box::new(file));
    }
    if flags & ffi::SQLITE_OPEN_WAL != 0 {
        return Some(Box::new(LogFile::new(cipher(Kind::Log))));
    }
    if flags & ffi::SQLITE_OPEN_MAIN_JOURNAL != 0 {
        return Some(Box::new(JournalFile));
    }
    None
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let handle = file.cast::<Handle>();
    // SAFETY: SQLite has allocated `szOsFile` bytes for the handle; a file without methods is one
    // that is not open.
    unsafe {
        (*handle).base.pMethods = null();
        (*handle).open = null_mut();
    }
    guarded(ffi::SQLITE_CANTOPEN, || {
        // SAFETY: the path is what SQLite passed.
        let Some(layer) = (unsafe { layer(path, flags) }) else {
            return ffi::SQLITE_CANTOPEN;
        };
        let real = forward::real();
        if real.is_null() {
            return ffi::SQLITE_CANTOPEN;
        }
        // SAFETY: not null; VFSs live as long as the program, and every one has a way to open.
        let (size, xopen) = unsafe { ((*real).szOsFile, (*real).xOpen) };
        let Some(xopen) = xopen else {
            return ffi::SQLITE_CANTOPEN;
        };
        let mut open = Box::new(Open {
            real: RealFile::new(size),
            layer,
        });
        // SAFETY: the real file has the room that its VFS asks for, zeroed, at an address that stays;
        // all other arguments are SQLite's own.
        let status = unsafe { xopen(real, path, open.real.pointer(), flags, out_flags) };
        if status != ffi::SQLITE_OK {
            forward::close(open.real.pointer());
            return status;
        }
        // SAFETY: as above; nobody else knows of the handle yet.
        unsafe {
            (*handle).open = Box::into_raw(open);
            (*handle).base.pMethods = from_ref(&METHODS);
        }
        ffi::SQLITE_OK
    })
}

/// Runs what may panic only through a defect, which must not unwind into SQLite.
fn guarded(fallback: c_int, work: impl FnOnce() -> c_int) -> c_int {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(fallback)
}

/// The open file behind a handle.
///
/// # Safety
///
/// SQLite calls a method of the file, that is not `xClose`, with it.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a mut Open> {
    // SAFETY: only `open` gives files these methods, and then the handle has its pointer; SQLite uses
    // a file from one thread at a time, and not after `close`.
    unsafe { (*file.cast::<Handle>()).open.as_mut() }
}

/// The real file behind a handle.
///
/// # Safety
///
/// As for [`opened`].
pub(super) unsafe fn real_file(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: the caller vouches.
    unsafe { opened(file) }.map_or(null_mut(), |open| open.real.pointer())
}

/// Runs `work` on the open file and its layer; `code` is for what the layer does not say itself.
///
/// # Safety
///
/// As for [`opened`].
unsafe fn on_layer(
    file: *mut ffi::sqlite3_file,
    code: c_int,
    work: impl FnOnce(&mut dyn Layer, &mut dyn Below) -> Outcome,
) -> c_int {
    // SAFETY: the caller vouches.
    let Some(open) = (unsafe { opened(file) }) else {
        return code;
    };
    guarded(code, || match work(open.layer.as_mut(), &mut open.real) {
        Ok(()) => ffi::SQLITE_OK,
        Err(Refusal::Short) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(Refusal::Damaged) => ffi::SQLITE_CORRUPT,
        Err(Refusal::Unexpected) => code,
        Err(Refusal::Below(code)) => code,
    })
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let handle = file.cast::<Handle>();
    // SAFETY: an open file's handle is SQLite's to hand over, one call at a time.
    let open = unsafe { std::mem::replace(&mut (*handle).open, null_mut()) };
    if open.is_null() {
        return ffi::SQLITE_OK;
    }
    // SAFETY: from `Box::into_raw`, and taken out of the handle, so that this happens once.
    let mut open = unsafe { Box::from_raw(open) };
    let settled = guarded(ffi::SQLITE_IOERR_CLOSE, || {
        match open.layer.settle(&mut open.real) {
            Ok(()) => ffi::SQLITE_OK,
            Err(_) => ffi::SQLITE_IOERR_CLOSE,
        }
    });
    match forward::close(open.real.pointer()) {
        ffi::SQLITE_OK => settled,
        code => code,
    }
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    data: *mut c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    let (Ok(amount), Ok(offset)) = (usize::try_from(amount), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_READ;
    };
    // SAFETY: SQLite hands over room for `amount` bytes, for the length of the call.
    let buffer = unsafe { std::slice::from_raw_parts_mut(data.cast::<u8>(), amount) };
    let work = |layer: &mut dyn Layer, below: &mut dyn Below| layer.read(below, offset, buffer);
    // SAFETY: called as a method.
    unsafe { on_layer(file, ffi::SQLITE_IOERR_READ, work) }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    let (Ok(amount), Ok(offset)) = (usize::try_from(amount), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: SQLite hands over `amount` bytes, for the length of the call.
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), amount) };
    let work = |layer: &mut dyn Layer, below: &mut dyn Below| layer.write(below, offset, bytes);
    // SAFETY: called as a method.
    unsafe { on_layer(file, ffi::SQLITE_IOERR_WRITE, work) }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    let Ok(size) = u64::try_from(size) else {
        return ffi::SQLITE_IOERR_TRUNCATE;
    };
    let work = |layer: &mut dyn Layer, below: &mut dyn Below| layer.truncate(below, size);
    // SAFETY: called as a method.
    unsafe { on_layer(file, ffi::SQLITE_IOERR_TRUNCATE, work) }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let work = |layer: &mut dyn Layer, below: &mut dyn Below| layer.settle(below);
    // SAFETY: called as a method.
    match unsafe { on_layer(file, ffi::SQLITE_IOERR_FSYNC, work) } {
        // SAFETY: called as a method.
        ffi::SQLITE_OK => unsafe { forward::sync(file, flags) },
        code => code,
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    let work = |layer: &mut dyn Layer, below: &mut dyn Below| {
        let found = layer.size(below)?;
        let found = i64::try_from(found).map_err(|_| Refusal::Unexpected)?;
        // SAFETY: SQLite's own place for the answer.
        unsafe { *size = found };
        Ok(())
    };
    // SAFETY: called as a method.
    unsafe { on_layer(file, ffi::SQLITE_IOERR_FSTAT, work) }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(forward::lock),
    xUnlock: Some(forward::unlock),
    xCheckReservedLock: Some(forward::check_reserved_lock),
    xFileControl: Some(forward::file_control),
    xSectorSize: Some(forward::sector_size),
    xDeviceCharacteristics: Some(forward::device_characteristics),
    xShmMap: Some(forward::shm_map),
    xShmLock: Some(forward::shm_lock),
    xShmBarrier: Some(forward::shm_barrier),
    xShmUnmap: Some(forward::shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
