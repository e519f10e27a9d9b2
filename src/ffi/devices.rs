//! The devices of an identity.

use super::buffer::echodb_buffer;
use super::callback::{Callback, Gate, UserData, echodb_destroy};
use super::client::echodb_client;
use super::device_records::device;
use super::error::echodb_error;
use super::invitation::echodb_invitation;
use super::invitation_options::{echodb_invite_options, echodb_join_options};
use super::status::echodb_status;
use super::subscription::{Listener, echodb_subscription, heard};
use super::{guard, records, strings};
use crate::api::{EchoError, IdentityChange, IdentityListener};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// A space that another device made or joined is listed here now.
pub const ECHODB_IDENTITY_SPACES: i32 = 1;
/// A device was added, renamed or revoked, or there is a new recovery phrase.
pub const ECHODB_IDENTITY_DEVICES: i32 = 2;
/// The display name was changed on another device.
pub const ECHODB_IDENTITY_PROFILE: i32 = 3;
/// This device was revoked.
pub const ECHODB_IDENTITY_REVOKED: i32 = 4;

/// Hears that something about the identity changed, on library threads, one change at a time;
/// `change` is one of the `ECHODB_IDENTITY_` numbers. Several of one kind may be told as one. The
/// callback may call the library, except for freeing the client, and must not throw. It returns
/// `ECHODB_OK`; anything else is logged and changes nothing.
pub type echodb_identity_callback =
    Option<unsafe extern "C" fn(user_data: *mut c_void, change: i32) -> echodb_status>;

type IdentityFunction = unsafe extern "C" fn(*mut c_void, i32) -> echodb_status;

/// The program's callback as a listener.
pub(super) struct IdentityGate(Gate<IdentityFunction>);

impl IdentityGate {
    pub(super) fn shut(&self) {
        self.0.shut();
    }
}

impl IdentityListener for IdentityGate {
    fn changed(&self, change: IdentityChange) -> std::result::Result<(), EchoError> {
        let number = match change {
            IdentityChange::Spaces => ECHODB_IDENTITY_SPACES,
            IdentityChange::Devices => ECHODB_IDENTITY_DEVICES,
            IdentityChange::Profile => ECHODB_IDENTITY_PROFILE,
            IdentityChange::Revoked => ECHODB_IDENTITY_REVOKED,
        };
        heard(self.0.call(|function, data| {
            // SAFETY: the gate is open, so the program's function and data are good.
            unsafe { function(data, number) }
        }))
    }
}

/// Shows a code for a new device of this identity, good for the time in the options, at most a day.
/// Whoever is let in this way is the identity: it sees every space and can write, invite and add
/// devices. The invitation lets in one device and outlives the process like one to a space
/// (`echodb_client_invitations`); waiting for it gives the identity's key.
///
/// Ownership: `*out` is the caller's, for `echodb_invitation_free`; the options stay the caller's.
/// NULL: `options` stands for fresh ones; `client` and `out` may not be. Threads: any. Errors:
/// `ECHODB_INVALID_STATE` without identity or offline, `ECHODB_PERMISSION_DENIED` on a device that
/// was revoked, `ECHODB_INVALID_ARGUMENT`, `ECHODB_STORAGE`; the rest shows in the invitation.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_create_device_invitation(
    client: *const echodb_client,
    options: *const echodb_invite_options,
    out: *mut *mut echodb_invitation,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live handles, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let options = options.as_ref().map(|o| o.options.clone());
            let invitation = client
                .inner
                .create_device_invitation(options.unwrap_or_default())?;
            Ok(echodb_invitation::new(invitation))
        })
    }
}

/// Uses a device code on a client without identity: it becomes a device of the identity whose device
/// shows the code, and gets all of its spaces.
///
/// Ownership: `*out` is the caller's, for `echodb_invitation_free`; the options stay the caller's.
/// NULL: `options` stands for fresh ones; `client` and `out` may not be. Threads: any. Errors:
/// `ECHODB_INVALID_STATE` if there is an identity already or the client is offline,
/// `ECHODB_INVITATION_REFUSED` for a code of another kind, `ECHODB_INVALID_ARGUMENT`; the rest shows
/// in the invitation. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_join_device(
    client: *const echodb_client,
    code: *const c_char,
    code_len: usize,
    options: *const echodb_join_options,
    out: *mut *mut echodb_invitation,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live handles, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let code = strings::text(code, code_len, "code")?;
            let options = options.as_ref().map(|o| o.options.clone());
            let invitation = client
                .inner
                .join_device(code, options.unwrap_or_default())?;
            Ok(echodb_invitation::new(invitation))
        })
    }
}

/// The identity's devices as a JSON array, those that act first and the most senior of them in
/// front. Each has `device` (its key), `name`, `this_device`, `connected`, `added_ms` and
/// `last_seen_ms` (milliseconds since 1970, or null), `revoked`, and `recovered` (it came by the
/// recovery phrase).
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `client` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE` without identity, `ECHODB_STORAGE`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_devices(
    client: *const echodb_client,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let devices = guard::borrow(client, "client")?.inner.devices()?;
            Ok(records::list(&devices, device))
        })
    }
}

/// Names a device, for all devices of the identity.
///
/// Ownership: strings are copied. NULL: `client` may not be. Threads: any. Errors:
/// `ECHODB_NOT_FOUND`, `ECHODB_PERMISSION_DENIED` on a device that was revoked,
/// `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_rename_device(
    client: *const echodb_client,
    device: *const c_char,
    device_len: usize,
    name: *const c_char,
    name_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and readable strings.
    unsafe {
        guard::call(error, || {
            let client = guard::borrow(client, "client")?;
            let device = strings::text(device, device_len, "device")?;
            let name = strings::text(name, name_len, "name")?;
            client.inner.rename_device(device, name)
        })
    }
}

/// Revokes a device for ever, in all spaces: what it writes from now on is refused, content keys are
/// renewed, and it gets nothing new. A device may revoke itself and those that were added after it;
/// one that the recovery phrase brought back may revoke all.
///
/// Ownership: strings are copied. NULL: `client` may not be. Threads: any. Errors:
/// `ECHODB_PERMISSION_DENIED`, `ECHODB_NOT_FOUND`, `ECHODB_INVALID_STATE`,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_revoke_device(
    client: *const echodb_client,
    device: *const c_char,
    device_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and a readable string.
    unsafe {
        guard::call(error, || {
            let client = guard::borrow(client, "client")?;
            let device = strings::text(device, device_len, "device")?;
            client.inner.revoke_device(device)
        })
    }
}

/// Sets the identity's display name, on all its devices.
///
/// Ownership: strings are copied. NULL: `client` may not be. Threads: any. Errors:
/// `ECHODB_INVALID_STATE`, `ECHODB_PERMISSION_DENIED` on a device that was revoked,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_set_profile(
    client: *const echodb_client,
    display_name: *const c_char,
    display_name_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and a readable string.
    unsafe {
        guard::call(error, || {
            let client = guard::borrow(client, "client")?;
            let name = strings::text(display_name, display_name_len, "display_name")?;
            client.inner.set_profile(name)
        })
    }
}

/// Lists a space again that was deleted on this device; what it holds comes from whoever has it.
///
/// Ownership: strings are copied. NULL: `client` may not be. Threads: any. Errors:
/// `ECHODB_NOT_FOUND` if the identity has no such space, `ECHODB_ALREADY_EXISTS` if it is here,
/// `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_restore_space(
    client: *const echodb_client,
    id: *const c_char,
    id_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and a readable string.
    unsafe {
        guard::call(error, || {
            let client = guard::borrow(client, "client")?;
            client.inner.restore_space(strings::text(id, id_len, "id")?)
        })
    }
}

/// Has `callback` called whenever something about the identity changes.
///
/// Ownership: `*out` is the caller's, for `echodb_subscription_free`. Takes `user_data`; `destroy`
/// frees it when the subscription ends, or at once if this call fails. NULL: `client`, `callback`
/// and `out` may not be; `user_data` and `destroy` may. Threads: any; the callback runs on library
/// threads. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_subscribe_identity(
    client: *const echodb_client,
    callback: echodb_identity_callback,
    user_data: *mut c_void,
    destroy: echodb_destroy,
    out: *mut *mut echodb_subscription,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let data = UserData::new(user_data, destroy);
    // SAFETY: the caller passes NULL or a live client, and writable places.
    unsafe {
        guard::call_out(out, error, move || {
            let callback = Callback::new(callback, data)?;
            let client = guard::borrow(client, "client")?;
            let gate = Arc::new(IdentityGate(Gate::new(callback)));
            let inner = client.inner.subscribe_identity(gate.clone());
            Ok(echodb_subscription::new(inner, Listener::Identity(gate)))
        })
    }
}
