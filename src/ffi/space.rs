//! A space as a whole. Its objects are in `space_objects.rs`.

use super::buffer::echodb_buffer;
use super::callback::{Callback, Gate, UserData, echodb_destroy};
use super::error::echodb_error;
use super::invitation::echodb_invitation;
use super::invitation_options::echodb_invite_options;
use super::live::Live;
use super::operation::{Output, echodb_operation};
use super::queue::Queue;
use super::status::echodb_status;
use super::subscription::{ChangeGate, Listener, echodb_change_callback, echodb_subscription};
use super::transaction::echodb_transaction;
use super::{guard, records, strings};
use crate::api::Space;
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// A handle on a space. Any thread may use it, several at once too; all handles on one space act
/// on the same space.
pub struct echodb_space {
    pub(super) inner: Arc<Space>,
    _live: Live,
}

impl echodb_space {
    pub(super) fn new(inner: Arc<Space>) -> Self {
        echodb_space {
            inner,
            _live: Live::new(),
        }
    }
}

/// The space's id, 52 characters.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_id(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            Ok(echodb_buffer::new(space.inner.id()))
        })
    }
}

/// The space's id, name and state, as `echodb_client_spaces` gives each.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_info(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let info = guard::borrow(space, "space")?.inner.info()?;
            Ok(records::buffer(&records::space_info(&info)))
        })
    }
}

/// Opens the space; it is replicated from now on. Does nothing if it is open.
///
/// Ownership: none. NULL: `space` may not be. Threads: any. Errors: `ECHODB_STORAGE`,
/// `ECHODB_CORRUPT`, `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_open(
    space: *const echodb_space,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space.
    unsafe { guard::call(error, || guard::borrow(space, "space")?.inner.open()) }
}

/// Commits what is pending and closes the space, here and for later starts, until it is opened
/// again.
///
/// Ownership: none; the handle stays to be freed. NULL: `space` may not be. Threads: any. Errors:
/// `ECHODB_STORAGE`, `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_close(
    space: *const echodb_space,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space.
    unsafe { guard::call(error, || guard::borrow(space, "space")?.inner.close()) }
}

/// The space's own properties as a JSON object.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_properties(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            Ok(echodb_buffer::new(space.inner.properties()?))
        })
    }
}

/// Sets some of the space's properties (a JSON object); the others stay.
///
/// Ownership: strings are copied. NULL: `space` may not be. Threads: any. Errors:
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_PERMISSION_DENIED`, `ECHODB_INVALID_STATE`,
/// `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_set_properties(
    space: *const echodb_space,
    properties: *const c_char,
    properties_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and a readable string.
    unsafe {
        guard::call(error, || {
            let space = guard::borrow(space, "space")?;
            let properties = strings::text(properties, properties_len, "properties")?;
            space.inner.set_properties(properties)
        })
    }
}

/// The durability barrier: when this returns, everything done before it is on disk and survives
/// a power failure, as far as the disk keeps its word.
///
/// Ownership: none. NULL: `space` may not be. Threads: any. Errors: `ECHODB_STORAGE`,
/// `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_flush(
    space: *const echodb_space,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space.
    unsafe { guard::call(error, || guard::borrow(space, "space")?.inner.flush()) }
}

/// As `echodb_space_flush`, without waiting.
///
/// Ownership: `*out` is the caller's, for `echodb_operation_free`; the space may be freed at once.
/// NULL: `space` and `out` may not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`,
/// `ECHODB_INTERNAL` if there is no thread; the rest through the operation. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_flush_start(
    space: *const echodb_space,
    out: *mut *mut echodb_operation,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let inner = Arc::clone(&guard::borrow(space, "space")?.inner);
            echodb_operation::blocking(move || inner.flush().map(|()| Output::Nothing))
        })
    }
}

/// A digest of all objects' versions, 64 hexadecimal digits: two replicas with the same digest
/// hold the same objects with the same histories.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_digest(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            Ok(echodb_buffer::new(space.inner.digest()?))
        })
    }
}

/// Has `callback` called for every committed change, local or remote, of objects that match
/// `filter` (JSON, as the filter of a query; `{}` matches everything).
///
/// Ownership: `*out` is the caller's, for `echodb_subscription_free`. Takes `user_data`; `destroy`
/// frees it when the subscription ends, or at once if this call fails. NULL: `space`, `callback`
/// and `out` may not be; `user_data` and `destroy` may. Threads: any; the callback runs on library
/// threads, with no lock held. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_subscribe(
    space: *const echodb_space,
    filter: *const c_char,
    filter_len: usize,
    callback: echodb_change_callback,
    user_data: *mut c_void,
    destroy: echodb_destroy,
    out: *mut *mut echodb_subscription,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let data = UserData::new(user_data, destroy);
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, move || {
            let callback = Callback::new(callback, data)?;
            let space = guard::borrow(space, "space")?;
            let filter = strings::text(filter, filter_len, "filter")?;
            let gate = Arc::new(ChangeGate(Gate::new(callback)));
            let inner = space.inner.subscribe(filter, gate.clone())?;
            Ok(echodb_subscription::new(inner, Listener::Changes(gate)))
        })
    }
}

/// As `echodb_space_subscribe`, but without a callback: changes are gathered in a queue, which
/// `echodb_subscription_next` empties and `echodb_subscription_fd` lets a loop wait for.
///
/// Ownership: `*out` is the caller's, for `echodb_subscription_free`. NULL: `space` and `out` may
/// not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE` also when the
/// process has no descriptor left. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_subscribe_queue(
    space: *const echodb_space,
    filter: *const c_char,
    filter_len: usize,
    out: *mut *mut echodb_subscription,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            let filter = strings::text(filter, filter_len, "filter")?;
            let queue = Arc::new(Queue::new()?);
            let inner = space.inner.subscribe(filter, queue.clone())?;
            Ok(echodb_subscription::new(inner, Listener::Queue(queue)))
        })
    }
}

/// Opens an invitation; needs the role of admin or owner. It is good once its state is
/// `ECHODB_INVITATION_CONNECTING`, while this client runs and is online.
///
/// Ownership: `*out` is the caller's, for `echodb_invitation_free`; the options stay the caller's.
/// NULL: `options` stands for fresh ones; `space` and `out` may not be. Threads: any. Errors:
/// `ECHODB_PERMISSION_DENIED`, `ECHODB_LIMIT_EXCEEDED`, `ECHODB_INVALID_ARGUMENT`,
/// `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_invite(
    space: *const echodb_space,
    options: *const echodb_invite_options,
    out: *mut *mut echodb_invitation,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live handles, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            let options = options.as_ref().map(|o| o.options.clone());
            let invitation = space.inner.invite(options.unwrap_or_default())?;
            Ok(echodb_invitation::new(invitation))
        })
    }
}

/// Who has what, and what waits for what, as JSON: `state`, `peers` (each `device`, `identity`,
/// `name`, `unconfirmed`, `missing`, `in_sync`), `objects`, `entries`, `quarantined`, `excluded`,
/// `waiting_for_key`, `sealed_off` (written before this member's time), `key_generation` (of the
/// content key in use; 0: the next write makes one), `waiting_for_dependency`, `violations`,
/// `checking`, `role` (this identity's, or null) and `removed` (whether this identity or device was
/// removed, or has left).
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_status(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let status = guard::borrow(space, "space")?.inner.status()?;
            Ok(records::buffer(&records::space_status(&status)))
        })
    }
}

/// Remote entries that were set aside as harmful or malformed, as a JSON array. Each has `entry`,
/// `device` and `reason`: a stable code, a colon, and a sentence.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_quarantined(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let entries = guard::borrow(space, "space")?.inner.quarantined()?;
            Ok(records::list(&entries, records::quarantined))
        })
    }
}

/// All objects as JSON lines: a header line, then one object a line. Values only, no history.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`, `ECHODB_INVALID_ARGUMENT`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_export_json(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            Ok(echodb_buffer::new(space.inner.export_json()?))
        })
    }
}

/// Reads what `echodb_space_export_json` wrote: makes objects that are absent, and sets the fields
/// of those that exist. Checked as a whole before anything is written; gives the number of objects.
///
/// Ownership: bytes are copied. NULL: `space` and `out` may not be. Threads: any. Errors:
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_PERMISSION_DENIED`, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_import_json(
    space: *const echodb_space,
    data: *const c_char,
    data_len: usize,
    out: *mut u64,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable bytes, and writable places.
    unsafe {
        guard::call_value(out, error, || {
            let space = guard::borrow(space, "space")?;
            let data = strings::bytes(data.cast(), data_len, "data")?;
            space.inner.import_json(data)
        })
    }
}

/// Begins to gather a transaction; nothing happens until it is committed.
///
/// Ownership: `*out` is the caller's, for `echodb_transaction_free`. NULL: `space` and `out` may
/// not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_transaction(
    space: *const echodb_space,
    out: *mut *mut echodb_transaction,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            Ok(echodb_transaction::new(space.inner.transaction()))
        })
    }
}

/// Frees a handle on a space. The space stays open.
///
/// Ownership: takes the handle. NULL: does nothing. Threads: any, once. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_free(space: *mut echodb_space) {
    // SAFETY: the caller passes NULL or a space that it gives up.
    unsafe { guard::release(space) }
}
