//! Subscriptions, with a callback or with a queue.

use super::buffer::echodb_buffer;
use super::callback::Gate;
use super::error::echodb_error;
use super::live::Live;
use super::queue::Queue;
use super::status::{ECHODB_OK, echodb_status};
use super::{Result, guard, records, wrong_state};
use crate::api::{
    ChangeBatch, ChangeListener, EchoError, InvitationListener, InvitationUpdate, Subscription,
};
use crate::model::{Error, ErrorKind};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// A running subscription. Any thread may use it.
pub struct echodb_subscription {
    inner: Arc<Subscription>,
    listener: Listener,
    _live: Live,
}

/// Who hears; kept to be shut together with the subscription.
pub(super) enum Listener {
    Changes(Arc<ChangeGate>),
    Invitation(Arc<InvitationGate>),
    Blob(Arc<super::blob_fetch::BlobGate>),
    Identity(Arc<super::devices::IdentityGate>),
    Members(Arc<super::space_members::MemberGate>),
    Queue(Arc<Queue>),
}

/// Receives a batch of changes on a library thread, one batch at a time for each subscription.
/// `json` is UTF-8, not NUL-terminated, and lives until the callback returns:
/// `{"space": ID, "changes": [{"id", "type", "kind", "origin"}]}`, where kind is `added`,
/// `updated` or `removed` and origin `local` or `remote`. A batch never names an object twice. The
/// callback may call the library, except for freeing the client, and must not throw. It returns
/// `ECHODB_OK`; anything else is logged and changes nothing.
pub type echodb_change_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        json: *const c_char,
        json_len: usize,
    ) -> echodb_status,
>;

/// Receives the present update of an invitation and every further one, on library threads, one at
/// a time. `state` is one of the `ECHODB_INVITATION_` numbers; `json` is as
/// `echodb_invitation_update` gives it, not NUL-terminated, and lives until the callback returns.
/// The callback may call the library, except for freeing the client, and must not throw. It
/// returns `ECHODB_OK`; anything else is logged and changes nothing.
pub type echodb_invitation_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        state: i32,
        json: *const c_char,
        json_len: usize,
    ) -> echodb_status,
>;

pub(super) type ChangeFunction =
    unsafe extern "C" fn(*mut c_void, *const c_char, usize) -> echodb_status;
pub(super) type InvitationFunction =
    unsafe extern "C" fn(*mut c_void, i32, *const c_char, usize) -> echodb_status;

/// The program's callback as a listener.
pub(super) struct ChangeGate(pub(super) Gate<ChangeFunction>);

/// The program's callback as a listener.
pub(super) struct InvitationGate(pub(super) Gate<InvitationFunction>);

impl ChangeListener for ChangeGate {
    fn changed(&self, batch: ChangeBatch) -> std::result::Result<(), EchoError> {
        let json = records::batch(&batch).to_string();
        let status = self.0.call(|function, data| {
            // SAFETY: the gate is open, so the program's function and data are good, and the
            // string outlives the call.
            unsafe { function(data, json.as_ptr().cast(), json.len()) }
        });
        heard(status)
    }
}

impl InvitationListener for InvitationGate {
    fn updated(&self, update: InvitationUpdate) -> std::result::Result<(), EchoError> {
        let json = records::invitation(&update).to_string();
        let status = self.0.call(|function, data| {
            // SAFETY: the gate is open, so the program's function and data are good, and the
            // string outlives the call.
            unsafe { function(data, update.state as i32, json.as_ptr().cast(), json.len()) }
        });
        heard(status)
    }
}

pub(super) fn heard(status: Option<echodb_status>) -> std::result::Result<(), EchoError> {
    match status {
        None | Some(ECHODB_OK) => Ok(()),
        Some(other) => {
            let what = format!("the listener returned {other}");
            Err(Error::new(ErrorKind::Callback, what).into())
        }
    }
}

impl echodb_subscription {
    pub(super) fn new(inner: Arc<Subscription>, listener: Listener) -> Self {
        echodb_subscription {
            inner,
            listener,
            _live: Live::new(),
        }
    }

    fn cancel(&self) {
        self.inner.cancel();
        match &self.listener {
            Listener::Changes(gate) => gate.0.shut(),
            Listener::Invitation(gate) => gate.0.shut(),
            Listener::Blob(gate) => gate.shut(),
            Listener::Identity(gate) => gate.shut(),
            Listener::Members(gate) => gate.shut(),
            Listener::Queue(_) => {}
        }
    }

    fn queue(&self) -> Result<&Queue> {
        match &self.listener {
            Listener::Queue(queue) => Ok(queue),
            _ => Err(wrong_state("this subscription has a callback, not a queue")),
        }
    }
}

impl Drop for echodb_subscription {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// The descriptor of a queue: readable (`POLLIN`) while a batch waits. Wait for it with `poll`,
/// `epoll`, `kqueue` or a toolkit's loop; do not read from it.
///
/// Ownership: the descriptor belongs to the subscription, which closes it when freed. NULL:
/// `subscription` and `out` may not be. Threads: any. Errors: `ECHODB_INVALID_STATE` for a
/// subscription with a callback, and on systems without descriptors; `ECHODB_INVALID_ARGUMENT`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_subscription_fd(
    subscription: *const echodb_subscription,
    out: *mut i32,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live subscription, and writable places.
    unsafe {
        guard::call_value(out, error, || {
            guard::borrow(subscription, "subscription")?.queue()?.fd()
        })
    }
}

/// Takes the batch that waits in a queue, as JSON like that of `echodb_change_callback`; `*out`
/// is NULL and the call succeeds when none does. Never waits.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `subscription` and `out` may
/// not be. Threads: any. Errors: `ECHODB_INVALID_STATE` for a subscription with a callback,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_subscription_next(
    subscription: *const echodb_subscription,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live subscription, and writable places.
    unsafe {
        guard::call_maybe(out, error, || {
            let queue = guard::borrow(subscription, "subscription")?.queue()?;
            let batch = queue.next();
            Ok(batch.map(|batch| records::buffer(&records::batch(&batch))))
        })
    }
}

/// Ends the subscription. The callback is not running when this returns, and will not run again;
/// its `user_data` is freed. Called from within the callback, this run is the last and the data is
/// freed after it. A queue keeps what waits in it. May be called again.
///
/// Ownership: none; the subscription stays to be freed. NULL: does nothing. Threads: any. Errors:
/// none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_subscription_cancel(subscription: *const echodb_subscription) {
    // SAFETY: the caller passes NULL or a live subscription.
    if let Some(subscription) = unsafe { subscription.as_ref() } {
        guard::get((), || subscription.cancel());
    }
}

/// Ends the subscription as `echodb_subscription_cancel` does, and frees it.
///
/// Ownership: takes the subscription. NULL: does nothing. Threads: any, once; also from within
/// the callback. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_subscription_free(subscription: *mut echodb_subscription) {
    // SAFETY: the caller passes NULL or a subscription that it gives up.
    unsafe { guard::release(subscription) }
}
