//! Members of a space, and the contacts that follow from them.

use super::buffer::echodb_buffer;
use super::callback::{Callback, Gate, UserData, echodb_destroy};
use super::client::echodb_client;
use super::error::echodb_error;
use super::member_records;
use super::space::echodb_space;
use super::status::echodb_status;
use super::subscription::{ChangeFunction, Listener, echodb_subscription, heard};
use super::{guard, records, strings};
use crate::api::{EchoError, MemberEvent, MemberListener};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// Receives what becomes of members on a library thread, one event at a time for each subscription.
/// `json` is UTF-8, not NUL-terminated, and lives until the callback returns: an object with
/// `space`, `kind` (`joined`, `role_changed`, `removed`, `left`, `back`, `device_added`,
/// `device_revoked`, `handed_over`, or `missed`: events before it were dropped, list the members again),
/// `identity`, `display_name`, `role` and `previous_role` (null for none),
/// `device` (null unless it is about one), `by` and `by_name` (who did it, or null; of `back` whose
/// removal counts no longer), and `text`, all of it as an English sentence. The callback may call
/// the library, except for freeing the client, and must not throw. It returns `ECHODB_OK`; anything
/// else is logged and changes nothing.
pub type echodb_member_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        json: *const c_char,
        json_len: usize,
    ) -> echodb_status,
>;

/// The program's callback as a listener; it looks like that for changes.
pub(super) struct MemberGate(Gate<ChangeFunction>);

impl MemberListener for MemberGate {
    fn changed(&self, event: MemberEvent) -> std::result::Result<(), EchoError> {
        let json = member_records::event(&event).to_string();
        let status = self.0.call(|function, data| {
            // SAFETY: the gate is open, so the program's function and data are good, and the
            // string outlives the call.
            unsafe { function(data, json.as_ptr().cast(), json.len()) }
        });
        heard(status)
    }
}

impl MemberGate {
    pub(super) fn shut(&self) {
        self.0.shut();
    }
}

/// The members, as a JSON array, rising by identity. Each has `identity`, `display_name`, `role`
/// (`owner`, `admin`, `editor`, `reader`, `relay`), `devices` (keys), `rank` (1 for whom nobody
/// stands above), `joined_ms` (when this device first heard of it, or null) and `device_details`
/// (all devices: `device`, `name`, `revoked`).
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_members(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let members = guard::borrow(space, "space")?.inner.members()?;
            Ok(records::list(&members, member_records::member))
        })
    }
}

/// Gives a member another role: `owner`, `admin`, `editor`, `reader` or `relay`; one who was removed
/// can be given one again. Takes the role of admin or above and a place above the member; the new
/// role must be below the own, except that owners may make owners. One's own role can only be
/// lowered. Does nothing if the member has that role.
///
/// Ownership: strings are copied. NULL: `space` may not be. Threads: any. Errors:
/// `ECHODB_PERMISSION_DENIED`, `ECHODB_NOT_FOUND` for an identity that never joined,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_set_role(
    space: *const echodb_space,
    identity: *const c_char,
    identity_len: usize,
    role: *const c_char,
    role_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and readable strings.
    unsafe {
        guard::call(error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let identity = strings::text(identity, identity_len, "identity")?;
            space.set_role(identity, strings::text(role, role_len, "role")?)
        })
    }
}

/// Ends a member's role: it gets nothing of the space any more, and goes on reading what it holds.
/// Needs what `echodb_space_set_role` needs; does nothing for one who is no member any more.
///
/// Ownership: strings are copied. NULL: `space` may not be. Threads: any. Errors:
/// `ECHODB_PERMISSION_DENIED`, `ECHODB_NOT_FOUND` for an identity that never joined,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_remove_member(
    space: *const echodb_space,
    identity: *const c_char,
    identity_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and a readable string.
    unsafe {
        guard::call(error, || {
            let space = &guard::borrow(space, "space")?.inner;
            space.remove_member(strings::text(identity, identity_len, "identity")?)
        })
    }
}

/// Ends this identity's own role. What is here of the space stays, to be read; nothing more comes.
/// The space's top owner cannot leave, and hands over first.
///
/// Ownership: none. NULL: `space` may not be. Threads: any. Errors: `ECHODB_PERMISSION_DENIED`,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_leave(
    space: *const echodb_space,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space.
    unsafe { guard::call(error, || guard::borrow(space, "space")?.inner.leave()) }
}

/// Makes another member the space's top owner in this identity's place: the one of rank 1, who can
/// neither be removed nor step down. One who is no owner yet becomes one first. This identity stays an
/// owner below all others, and can then leave, step down or be removed. It cannot be taken back, except
/// by the new top owner's handing over in turn; a space can be handed over 64 times.
///
/// Ownership: strings are copied. NULL: `space` may not be. Threads: any. Errors:
/// `ECHODB_PERMISSION_DENIED` for who is not the top owner, `ECHODB_NOT_FOUND` for one who is no
/// member, `ECHODB_INVALID_ARGUMENT`, also for this identity itself, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_hand_over(
    space: *const echodb_space,
    identity: *const c_char,
    identity_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and a readable string.
    unsafe {
        guard::call(error, || {
            let space = &guard::borrow(space, "space")?.inner;
            space.hand_over(strings::text(identity, identity_len, "identity")?)
        })
    }
}

/// Calls `callback` for everything that becomes of members from now on, wherever it was done. At
/// most 1,024 events wait for a slow callback; of more, the oldest are dropped, and one of the kind
/// `missed` comes in their place.
///
/// Ownership: `*out` is the caller's, for `echodb_subscription_free`. Takes `user_data`; `destroy`
/// frees it once the callback will not run again, also if this fails. NULL: `space`, `callback` and
/// `out` may not be; `user_data` and `destroy` may. Threads: any; the callback runs on library
/// threads, with no lock held. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_subscribe_members(
    space: *const echodb_space,
    callback: echodb_member_callback,
    user_data: *mut c_void,
    destroy: echodb_destroy,
    out: *mut *mut echodb_subscription,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let data = UserData::new(user_data, destroy);
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, move || {
            let gate = Arc::new(MemberGate(Gate::new(Callback::new(callback, data)?)));
            let space = guard::borrow(space, "space")?;
            let inner = space.inner.subscribe_members(gate.clone())?;
            Ok(echodb_subscription::new(inner, Listener::Members(gate)))
        })
    }
}

/// The entries that do not count, as a JSON array, in the order in which they came: written by
/// members who were denied or might not write, or built on such. Each has `entry`, `device`,
/// `identity`, `time_ms` (its author's clock, or null while its key is not here), `reason` (a stable
/// code, a colon, and a sentence) and `objects`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`, `ECHODB_INVALID_ARGUMENT`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_excluded(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let excluded = guard::borrow(space, "space")?.inner.excluded()?;
            Ok(records::list(&excluded, member_records::excluded))
        })
    }
}

/// Writes what an excluded entry would have changed as a transaction of this identity's own: merged
/// with what happened since where the version before it is part of an object's history, otherwise
/// made to the present state as far as it fits (`docs/guide/members.md`). Takes the role of admin or
/// above. The entry stays excluded; submitting it twice adds to counters twice. The answer is JSON as
/// that of `echodb_transaction_commit`, with `skipped`, an array of `object` and `reason`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_PERMISSION_DENIED`, `ECHODB_NOT_FOUND`,
/// `ECHODB_INVALID_STATE` also for an entry that counts, `ECHODB_LIMIT_EXCEEDED`, `ECHODB_STORAGE`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_resubmit(
    space: *const echodb_space,
    entry: *const c_char,
    entry_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let done = space.resubmit(strings::text(entry, entry_len, "entry")?)?;
            Ok(records::buffer(&member_records::resubmission(&done)))
        })
    }
}

/// The identities that this one shares an open space with, as a JSON array, rising by key. Each has
/// `identity`, `display_name` and `spaces`, of which each has `space`, `space_name`, `display_name`
/// and `role`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `client` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_contacts(
    client: *const echodb_client,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let contacts = guard::borrow(client, "client")?.inner.contacts()?;
            Ok(records::list(&contacts, member_records::contact))
        })
    }
}
