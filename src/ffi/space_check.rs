//! Checking what is stored of a space, and making it again.

use super::buffer::echodb_buffer;
use super::error::echodb_error;
use super::space::echodb_space;
use super::status::echodb_status;
use super::{check_records, guard, records};

/// Checks what is stored of a space, and changes nothing: quickly, the structure of the file and every
/// entry; or fully, also every index, object and blob. The report is JSON: `findings`, an array of
/// `kind` (`file`, `entry`, `object`, `index` or `blob`), `subject` (an id, or empty) and `detail`,
/// empty if all is sound; `more_findings`, beyond the first thousand; `entries`, `objects` and
/// `blobs`, numbers of what was looked at. Others may use the space meanwhile.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_STORAGE`, `ECHODB_INVALID_STATE`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_check(
    space: *const echodb_space,
    full: bool,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            Ok(records::buffer(&check_records::check(&space.check(full)?)))
        })
    }
}

/// Makes a space's file again from its entries; also of a space that cannot be opened. What is not
/// sound is left out and comes again from peers that hold it. The report is JSON: `entries` and
/// `objects`, numbers of what is there again; `lost_entries`, their number, and `lost`, an array of
/// `entry` and `reason` of the first thousand; `damaged_blocks`, a number, and `incomplete_blobs`,
/// an array of ids; `kept_file`, where the old file is kept, or null. The space cannot be written to
/// meanwhile.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_STORAGE`, also if too little can be read,
/// `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_repair(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            Ok(records::buffer(&check_records::repair(&space.repair()?)))
        })
    }
}
