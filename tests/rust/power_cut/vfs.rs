//! A layer between SQLite and the system's files that records every change to the files of a
//! directory, and can make all of them fail from a moment on, as when the power goes, or for a time,
//! as on a medium that can only be read.

use super::disk::{Change, Event};
use rusqlite::ffi;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::{from_ref, null_mut};
use std::sync::{Arc, Mutex, Once};

/// Records what happens below one directory.
pub struct Recorder {
    root: PathBuf,
    state: Mutex<State>,
}

struct State {
    events: Vec<Event>,
    /// How many events there may be; what comes after them fails.
    end: usize,
    /// Whether the medium can only be read now.
    read_only: bool,
    /// How many changes it has refused for that.
    refused: usize,
}

static RECORDERS: Mutex<Vec<Arc<Recorder>>> = Mutex::new(Vec::new());

impl Recorder {
    /// Begins to record the files that are opened below `root`, of which the power goes after
    /// `end` events.
    pub fn start(root: &Path, end: usize) -> Arc<Recorder> {
        install();
        let recorder = Arc::new(Recorder {
            root: root.canonicalize().unwrap(),
            state: Mutex::new(State {
                events: Vec::new(),
                end,
                read_only: false,
                refused: 0,
            }),
        });
        RECORDERS.lock().unwrap().push(Arc::clone(&recorder));
        recorder
    }

    /// How many events there were.
    pub fn count(&self) -> usize {
        self.state.lock().unwrap().events.len()
    }

    /// The events up to now.
    pub fn events(&self) -> Vec<Event> {
        self.state.lock().unwrap().events.clone()
    }

    /// From now on the medium can only be read, or be written again.
    pub fn set_read_only(&self, read_only: bool) {
        self.state.lock().unwrap().read_only = read_only;
    }

    /// How many changes were refused by the medium because it can only be read.
    pub fn refused(&self) -> usize {
        self.state.lock().unwrap().refused
    }

    /// Whether a file that is to be opened, to be written or not, may only be read.
    fn only_opens_to_read(&self, to_write: bool) -> bool {
        let mut state = self.state.lock().unwrap();
        state.refused += usize::from(state.read_only && to_write);
        state.read_only
    }

    fn is_over(&self) -> bool {
        let state = self.state.lock().unwrap();
        state.events.len() >= state.end
    }

    /// Records a change and says whether it may happen.
    fn record(&self, file: &str, change: Change) -> bool {
        let mut state = self.state.lock().unwrap();
        if state.read_only {
            state.refused += 1;
            return false;
        }
        if state.events.len() >= state.end {
            return false;
        }
        state.events.push(Event {
            file: file.to_owned(),
            change,
        });
        true
    }
}

/// Who records the file of this path, and what it is called there.
fn recorded(path: *const c_char) -> Option<Recorded> {
    if path.is_null() {
        return None;
    }
    // SAFETY: not null, and SQLite hands over names that end with a zero byte and live for the
    // length of the call.
    let path = unsafe { CStr::from_ptr(path) };
    let path = Path::new(path.to_str().ok()?);
    let recorders = RECORDERS.lock().unwrap();
    recorders.iter().find_map(|recorder| {
        let name = path.strip_prefix(&recorder.root).ok()?;
        Some(Recorded {
            recorder: Arc::clone(recorder),
            name: name.to_str()?.to_owned(),
        })
    })
}

struct Recorded {
    recorder: Arc<Recorder>,
    name: String,
}

/// What SQLite takes for its file. The real file stands right behind it, in the same allocation.
#[repr(C)]
struct Layer {
    base: ffi::sqlite3_file,
    /// From `Box::into_raw`, or null for files that are not recorded; freed by `close`.
    recorded: *mut Recorded,
}

/// Makes the layer the default for all connections that are opened from now on.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: null asks for the default. What is found lives as long as the program, and is
        // not null, since SQLite is built with the system's files.
        let real = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        // SAFETY: as above; the struct is plain data, and the functions that are taken over with
        // it look only at members that are copied too.
        let mut vfs = unsafe { *real };
        vfs.zName = c"recorded".as_ptr();
        vfs.pNext = null_mut();
        vfs.pAppData = real.cast();
        vfs.szOsFile += size_of::<Layer>() as c_int;
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        // SAFETY: the struct is complete and leaked, so that it lives as long as SQLite uses it.
        let status = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 1) };
        assert_eq!(status, ffi::SQLITE_OK);
    });
}

/// The real file behind a layer.
fn real_file(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    file.wrapping_byte_add(size_of::<Layer>())
}

/// The file system below.
fn real_vfs(vfs: *mut ffi::sqlite3_vfs) -> *mut ffi::sqlite3_vfs {
    // SAFETY: SQLite calls with the struct that `install` registered, whose member points to the
    // real one.
    unsafe { (*vfs).pAppData.cast() }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let kinds = ffi::SQLITE_OPEN_MAIN_DB | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL;
    let recorded = recorded(path).filter(|_| flags & kinds != 0);
    let real = real_vfs(vfs);
    let layer = file.cast::<Layer>();
    // SAFETY: SQLite has allocated `szOsFile` bytes, enough for the layer and the real file; a
    // file without methods is one that is not open.
    unsafe {
        (*layer).base.pMethods = std::ptr::null();
        (*layer).recorded = null_mut();
    }
    let mut flags = flags;
    if let Some(it) = &recorded {
        let to_write = flags & ffi::SQLITE_OPEN_READWRITE != 0;
        if it.recorder.only_opens_to_read(to_write) {
            // What SQLite does itself when the system says so: a file that is there is opened for
            // reading, one that is missing is not made.
            flags &= !(ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE);
            flags |= ffi::SQLITE_OPEN_READONLY;
        } else if !it.recorder.record(&it.name, Change::Open) {
            return ffi::SQLITE_CANTOPEN;
        }
    }
    // SAFETY: the real file's room is behind the layer, and all other arguments are SQLite's own.
    let status = unsafe { (*real).xOpen.unwrap()(real, path, real_file(file), flags, out_flags) };
    // SAFETY: the real file was set up by the call above, also when it failed.
    if unsafe { !(*real_file(file)).pMethods.is_null() } {
        // SAFETY: the layer is allocated as said above; nobody else knows of it yet.
        unsafe {
            (*layer).base.pMethods = from_ref(&METHODS);
            (*layer).recorded = recorded.map_or(null_mut(), |it| Box::into_raw(Box::new(it)));
        }
    }
    status
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    sync_dir: c_int,
) -> c_int {
    if let Some(it) = recorded(path) {
        let durable = sync_dir != 0;
        if !it.recorder.record(&it.name, Change::Delete { durable }) {
            return ffi::SQLITE_IOERR_DELETE;
        }
    }
    let real = real_vfs(vfs);
    // SAFETY: the real file system gets the arguments that SQLite meant for it.
    unsafe { (*real).xDelete.unwrap()(real, path, sync_dir) }
}

/// Who records an open file.
fn recorder_of<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a Recorded> {
    // SAFETY: SQLite calls only with files that `open` set up and `close` has not seen yet; what
    // the layer points to is freed by `close` alone, and nobody changes it.
    unsafe { (*file.cast::<Layer>()).recorded.as_ref() }
}

/// Records a change; whether it may happen.
fn may(file: *mut ffi::sqlite3_file, change: impl FnOnce() -> Change) -> bool {
    recorder_of(file).is_none_or(|it| it.recorder.record(&it.name, change()))
}

/// Hands a call to the real file.
macro_rules! forward {
    ($name:ident, $method:ident, ($($argument:ident: $kind:ty),*) $(-> $result:ty)?) => {
        unsafe extern "C" fn $name(
            file: *mut ffi::sqlite3_file $(, $argument: $kind)*
        ) $(-> $result)? {
            let real = real_file(file);
            // SAFETY: SQLite calls only with files that `open` set up: the real one behind the
            // layer is open, and the system's files have all methods of version 2.
            unsafe { (*(*real).pMethods).$method.unwrap()(real $(, $argument)*) }
        }
    };
}

forward!(real_close, xClose, () -> c_int);
forward!(real_read, xRead, (data: *mut c_void, amount: c_int, offset: i64) -> c_int);
forward!(real_write, xWrite, (data: *const c_void, amount: c_int, offset: i64) -> c_int);
forward!(real_truncate, xTruncate, (size: i64) -> c_int);
forward!(file_size, xFileSize, (size: *mut i64) -> c_int);
forward!(lock, xLock, (level: c_int) -> c_int);
forward!(unlock, xUnlock, (level: c_int) -> c_int);
forward!(check_reserved_lock, xCheckReservedLock, (out: *mut c_int) -> c_int);
forward!(file_control, xFileControl, (op: c_int, argument: *mut c_void) -> c_int);
forward!(sector_size, xSectorSize, () -> c_int);
forward!(device_characteristics, xDeviceCharacteristics, () -> c_int);
forward!(shm_map, xShmMap, (page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void) -> c_int);
forward!(shm_lock, xShmLock, (offset: c_int, n: c_int, flags: c_int) -> c_int);
forward!(shm_barrier, xShmBarrier, ());
forward!(shm_unmap, xShmUnmap, (delete: c_int) -> c_int);

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let layer = file.cast::<Layer>();
    // SAFETY: an open file's layer is SQLite's to hand over, one call at a time.
    let recorded = unsafe { std::mem::replace(&mut (*layer).recorded, null_mut()) };
    if !recorded.is_null() {
        // SAFETY: from `Box::into_raw`, and taken out of the layer, so that this happens once.
        drop(unsafe { Box::from_raw(recorded) });
    }
    // SAFETY: the file is open, as SQLite promises.
    unsafe { real_close(file) }
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    data: *mut c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    if recorder_of(file).is_some_and(|it| it.recorder.is_over()) {
        return ffi::SQLITE_IOERR_READ;
    }
    // SAFETY: SQLite's own arguments, handed on.
    unsafe { real_read(file, data, amount, offset) }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: SQLite hands over `amount` bytes, never less than none, for the length of the call.
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), amount as usize) };
    let change = || Change::Write {
        offset: offset as u64,
        bytes: bytes.to_vec(),
    };
    if !may(file, change) {
        return ffi::SQLITE_IOERR_WRITE;
    }
    // SAFETY: SQLite's own arguments, handed on.
    unsafe { real_write(file, data, amount, offset) }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    if !may(file, || Change::Truncate(size as u64)) {
        return ffi::SQLITE_IOERR_TRUNCATE;
    }
    // SAFETY: SQLite's own arguments, handed on.
    unsafe { real_truncate(file, size) }
}

/// What a power cut leaves comes from the record: nothing has to wait for this machine's disk.
unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    if may(file, || Change::Sync) {
        ffi::SQLITE_OK
    } else {
        ffi::SQLITE_IOERR_FSYNC
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
