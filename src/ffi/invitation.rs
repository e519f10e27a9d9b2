//! Either side of an invitation.

use super::buffer::echodb_buffer;
use super::callback::{Callback, Gate, UserData, echodb_destroy};
use super::error::echodb_error;
use super::live::Live;
use super::operation::{Output, echodb_operation};
use super::status::echodb_status;
use super::subscription::{
    InvitationGate, Listener, echodb_invitation_callback, echodb_subscription,
};
use super::{Result, guard, invalid, records, strings};
use crate::api::{Invitation, InvitationState};
use crate::model::Error;
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// Made, not yet looking for the other side.
pub const ECHODB_INVITATION_INIT: i32 = 1;
/// Waiting for the other side, or reaching it.
pub const ECHODB_INVITATION_CONNECTING: i32 = 2;
/// The other side is there and the channel is encrypted, but not yet trusted.
pub const ECHODB_INVITATION_CONNECTED: i32 = 3;
/// The host shows the authorization code; the guest is to enter it.
pub const ECHODB_INVITATION_READY_FOR_AUTHENTICATION: i32 = 4;
/// The code is being checked.
pub const ECHODB_INVITATION_AUTHENTICATING: i32 = 5;
/// Done: the guest is a member. This state and all higher ones are final.
pub const ECHODB_INVITATION_SUCCESS: i32 = 6;
/// One side cancelled.
pub const ECHODB_INVITATION_CANCELLED: i32 = 7;
/// The other side took too long.
pub const ECHODB_INVITATION_TIMEOUT: i32 = 8;
/// It failed; the update's `error` says why.
pub const ECHODB_INVITATION_ERROR: i32 = 9;
/// The invitation's time is over, or its codes are used up.
pub const ECHODB_INVITATION_EXPIRED: i32 = 10;

/// Either side of an invitation in progress. Any thread may use it.
pub struct echodb_invitation {
    pub(super) inner: Arc<Invitation>,
    _live: Live,
}

impl echodb_invitation {
    pub(super) fn new(inner: Arc<Invitation>) -> Self {
        echodb_invitation {
            inner,
            _live: Live::new(),
        }
    }
}

pub(super) fn state(number: i32) -> Result<InvitationState> {
    Ok(match number {
        ECHODB_INVITATION_INIT => InvitationState::Init,
        ECHODB_INVITATION_CONNECTING => InvitationState::Connecting,
        ECHODB_INVITATION_CONNECTED => InvitationState::Connected,
        ECHODB_INVITATION_READY_FOR_AUTHENTICATION => InvitationState::ReadyForAuthentication,
        ECHODB_INVITATION_AUTHENTICATING => InvitationState::Authenticating,
        ECHODB_INVITATION_SUCCESS => InvitationState::Success,
        ECHODB_INVITATION_CANCELLED => InvitationState::Cancelled,
        ECHODB_INVITATION_TIMEOUT => InvitationState::Timeout,
        ECHODB_INVITATION_ERROR => InvitationState::Error,
        ECHODB_INVITATION_EXPIRED => InvitationState::Expired,
        _ => {
            return Err(invalid(format!("{number} is not a state of an invitation")));
        }
    })
}

/// The code to hand over, as text.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `invitation` and `out` may
/// not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_code(
    invitation: *const echodb_invitation,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live invitation, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let invitation = guard::borrow(invitation, "invitation")?;
            Ok(echodb_buffer::new(invitation.inner.code()))
        })
    }
}

/// The code as a URL, `echodb://join/…`, for links and QR codes.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `invitation` and `out` may
/// not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_url(
    invitation: *const echodb_invitation,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live invitation, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let invitation = guard::borrow(invitation, "invitation")?;
            Ok(echodb_buffer::new(invitation.inner.url()))
        })
    }
}

/// Where it stands, as one of the `ECHODB_INVITATION_` numbers.
///
/// Ownership: none. NULL: `invitation` and `out` may not be. Threads: any. Errors:
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_state(
    invitation: *const echodb_invitation,
    out: *mut i32,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live invitation, and writable places.
    unsafe {
        guard::call_value(out, error, || {
            let invitation = guard::borrow(invitation, "invitation")?;
            Ok(invitation.inner.update().state as i32)
        })
    }
}

/// Where it stands, as JSON: `state` (a word), `auth_code` (the host's, while it is good),
/// `attempts_left`, `peer_name` (not proven before success), `fingerprint` (four words to compare),
/// `guests` (the host's, each with `number`, `state`, `name`, `auth_code` and `fingerprint`), `uses`
/// (guests let in so far), `space` (once it is known), `status` (0, or that of the failure) and
/// `error`. What is not known is null.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `invitation` and `out` may
/// not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_update(
    invitation: *const echodb_invitation,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live invitation, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let update = guard::borrow(invitation, "invitation")?.inner.update();
            Ok(records::buffer(&records::invitation(&update)))
        })
    }
}

/// The host's authorization code, six digits, to be told to the guest's user.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `invitation` and `out` may
/// not be. Threads: any. Errors: `ECHODB_NOT_FOUND` while there is none, on the guest's side
/// always; `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_auth_code(
    invitation: *const echodb_invitation,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live invitation, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let update = guard::borrow(invitation, "invitation")?.inner.update();
            let none = || Error::not_found("there is no authorization code at present");
            Ok(echodb_buffer::new(update.auth_code.ok_or_else(none)?))
        })
    }
}

/// Enters the authorization code on the guest's side; spaces and dashes are ignored. Whether it
/// is right shows in the updates.
///
/// Ownership: strings are copied. NULL: `invitation` may not be. Threads: any. Errors:
/// `ECHODB_INVALID_ARGUMENT` if it is not six digits, `ECHODB_INVALID_STATE` if none is asked
/// for. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_authenticate(
    invitation: *const echodb_invitation,
    auth_code: *const c_char,
    auth_code_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live invitation, and a readable string.
    unsafe {
        guard::call(error, || {
            let invitation = guard::borrow(invitation, "invitation")?;
            let code = strings::text(auth_code, auth_code_len, "auth_code")?;
            invitation.inner.authenticate(code)
        })
    }
}

/// Cancels; the other side learns. Does nothing after the end.
///
/// Ownership: none; the invitation stays to be freed. NULL: does nothing. Threads: any. Errors:
/// none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_cancel(invitation: *const echodb_invitation) {
    // SAFETY: the caller passes NULL or a live invitation.
    if let Some(invitation) = unsafe { invitation.as_ref() } {
        guard::get((), || invitation.inner.cancel());
    }
}

/// Has `callback` called with the present update and with every further one.
///
/// Ownership: `*out` is the caller's, for `echodb_subscription_free`. Takes `user_data`; `destroy`
/// frees it when the subscription ends, or at once if this call fails. NULL: `invitation`,
/// `callback` and `out` may not be; `user_data` and `destroy` may. Threads: any; the callback runs
/// on library threads. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_subscribe(
    invitation: *const echodb_invitation,
    callback: echodb_invitation_callback,
    user_data: *mut c_void,
    destroy: echodb_destroy,
    out: *mut *mut echodb_subscription,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let data = UserData::new(user_data, destroy);
    // SAFETY: the caller passes NULL or a live invitation, and writable places.
    unsafe {
        guard::call_out(out, error, move || {
            let callback = Callback::new(callback, data)?;
            let invitation = guard::borrow(invitation, "invitation")?;
            let gate = Arc::new(InvitationGate(Gate::new(callback)));
            let inner = invitation.inner.subscribe(gate.clone());
            Ok(echodb_subscription::new(inner, Listener::Invitation(gate)))
        })
    }
}

/// Waits for the end, at most `timeout_ms` milliseconds, a negative number as long as it takes,
/// and gives the space's id.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `invitation` and `out` may
/// not be. Threads: any. Errors: `ECHODB_TIMED_OUT` (the invitation goes on), or what ended it:
/// `ECHODB_CANCELLED`, `ECHODB_INVITATION_REFUSED`, `ECHODB_NETWORK` and others;
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_wait(
    invitation: *const echodb_invitation,
    timeout_ms: i64,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live invitation, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let invitation = guard::borrow(invitation, "invitation")?;
            let space = invitation.inner.wait(strings::limit(timeout_ms))?;
            Ok(echodb_buffer::new(space))
        })
    }
}

/// As `echodb_invitation_wait`, without waiting; `echodb_operation_take_text` gives the space's
/// id. To cancel the operation ends the waiting, not the invitation.
///
/// Ownership: `*out` is the caller's, for `echodb_operation_free`; the invitation may be freed at
/// once. NULL: `invitation` and `out` may not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`,
/// `ECHODB_INTERNAL` if there is no thread; the rest through the operation. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_wait_start(
    invitation: *const echodb_invitation,
    out: *mut *mut echodb_operation,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live invitation, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let inner = Arc::clone(&guard::borrow(invitation, "invitation")?.inner);
            echodb_operation::waiting(async move { inner.finished().await.map(Output::Text) })
        })
    }
}

/// Waits until the state is not `state` any more, at most `timeout_ms` milliseconds, a negative
/// number as long as it takes, and gives the update then, as `echodb_invitation_update` does.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `invitation` and `out` may
/// not be. Threads: any. Errors: `ECHODB_TIMED_OUT`, `ECHODB_INVALID_ARGUMENT` also for a number
/// that is no state. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_wait_change(
    invitation: *const echodb_invitation,
    state: i32,
    timeout_ms: i64,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let known = self::state(state);
    // SAFETY: the caller passes NULL or a live invitation, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let invitation = guard::borrow(invitation, "invitation")?;
            let limit = strings::limit(timeout_ms);
            let update = invitation.inner.wait_change(known?, limit)?;
            Ok(records::buffer(&records::invitation(&update)))
        })
    }
}

/// Frees an invitation. It goes on: only `echodb_invitation_cancel` and the end of the client end
/// it.
///
/// Ownership: takes the invitation. NULL: does nothing. Threads: any, once. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_free(invitation: *mut echodb_invitation) {
    // SAFETY: the caller passes NULL or an invitation that it gives up.
    unsafe { guard::release(invitation) }
}
