//! The invitations of a client, and what an invitation is shown as.

use super::buffer::echodb_buffer;
use super::client::echodb_client;
use super::error::echodb_error;
use super::invitation::echodb_invitation;
use super::status::echodb_status;
use super::{guard, records, strings};
use std::ffi::c_char;

/// The invitations that are open, as a JSON array: those of this profile, then those that other
/// members have open in the spaces that are open here. Each has `id`, `space`, `kind` (`space`,
/// `device`), `invitation_type` (`interactive`, `multi_use`, `delegated`), `joining`, `role`, `created_ms`,
/// `expires_ms`, `max_uses` (null: any number), `uses`, `state` (`init` while it does not run),
/// `code` and `url` (null if the secret is not here).
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `client` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`, `ECHODB_CORRUPT`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_invitations(
    client: *const echodb_client,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let all = guard::borrow(client, "client")?.inner.invitations()?;
            Ok(records::list(&all, records::invitation_info))
        })
    }
}

/// A handle on a running invitation of this profile, as after a restart.
///
/// Ownership: `*out` is the caller's, for `echodb_invitation_free`; strings are copied. NULL:
/// `client` and `out` may not be. Threads: any. Errors: `ECHODB_NOT_FOUND`, `ECHODB_INVALID_STATE`
/// while it does not run because the client is offline or its space closed,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_invitation(
    client: *const echodb_client,
    id: *const c_char,
    id_len: usize,
    out: *mut *mut echodb_invitation,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let id = strings::text(id, id_len, "id")?;
            Ok(echodb_invitation::new(client.inner.invitation(id)?))
        })
    }
}

/// Ends an invitation for everybody; on the guest's side, ends the attempt to join. Admins and
/// owners may end those of other members.
///
/// Ownership: strings are copied. NULL: `client` may not be. Threads: any. Errors:
/// `ECHODB_NOT_FOUND`, `ECHODB_PERMISSION_DENIED`, `ECHODB_INVALID_STATE`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_cancel_invitation(
    client: *const echodb_client,
    id: *const c_char,
    id_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and a readable string.
    unsafe {
        guard::call(error, || {
            let client = guard::borrow(client, "client")?;
            let id = strings::text(id, id_len, "id")?;
            client.inner.cancel_invitation(id)
        })
    }
}

/// Names the invitation in the list of invitations: 32 hexadecimal digits.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `invitation` and `out` may
/// not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_id(
    invitation: *const echodb_invitation,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live invitation, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let invitation = guard::borrow(invitation, "invitation")?;
            Ok(echodb_buffer::new(invitation.inner.id()))
        })
    }
}

/// The URL as an SVG picture of a QR code, with a quiet zone, black on white.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `invitation` and `out` may
/// not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_qr_svg(
    invitation: *const echodb_invitation,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live invitation, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let invitation = guard::borrow(invitation, "invitation")?;
            Ok(echodb_buffer::new(invitation.inner.qr_svg()?))
        })
    }
}

/// The URL as the modules of a QR code, row by row from the top left, one byte each: 1 dark, 0
/// light. There are as many rows as columns, so the width is the square root of the length. A
/// picture needs four light modules on each side around them.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `invitation` and `out` may
/// not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invitation_qr_modules(
    invitation: *const echodb_invitation,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live invitation, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let invitation = guard::borrow(invitation, "invitation")?;
            Ok(echodb_buffer::new(invitation.inner.qr_modules()?.modules))
        })
    }
}
