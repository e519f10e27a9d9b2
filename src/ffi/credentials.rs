//! Credentials: shown, verified, issued.

use super::buffer::echodb_buffer;
use super::client::echodb_client;
use super::credential_records::{credential, presentation};
use super::error::echodb_error;
use super::status::echodb_status;
use super::{guard, records, strings};
use std::ffi::c_char;

/// What the identity can show, as a JSON array: its own card first, then its role in each space, then
/// the statements about it and those that it issued. Each has `id` (what exports and presents it),
/// `kind` (`identity`, `membership` or `statement`), `subject` and `issuer` (identities),
/// `subject_name` and `issuer_name` (what these call themselves, which proves nothing; empty in a
/// statement), `device` and `device_name` (which signed it; null for a membership), `space` and `role`
/// (of a membership), `type`, `claims` (a JSON object) and `expires_ms` (of a statement), `issued_ms`,
/// `steps` (the entries that a membership rests on, each with `entry`, `by` and `text`), and
/// `checked_against_space`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `client` and `out` may not be.
/// Threads: any. Errors: `ECHODB_INVALID_STATE` without identity, `ECHODB_STORAGE`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_credentials(
    client: *const echodb_client,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let found = guard::borrow(client, "client")?.inner.credentials()?;
            Ok(records::list(&found, credential))
        })
    }
}

/// A credential as bytes, which anybody can verify with `echodb_read_credential`, without network and
/// without being a member of anything. A membership shows who created the space, and who let whom in
/// up to this identity, with names and keys, and nobody else.
///
/// Ownership: strings are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: `client` and
/// `out` may not be. Threads: any. Errors: `ECHODB_NOT_FOUND` for an id that
/// `echodb_client_credentials` does not give, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_export_credential(
    client: *const echodb_client,
    id: *const c_char,
    id_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let id = strings::text(id, id_len, "id")?;
            Ok(echodb_buffer::new(client.inner.export_credential(id)?))
        })
    }
}

/// Presents credentials about this identity to one audience, in answer to its nonce: the bytes of a
/// presentation. `credentials` is a JSON array of ids, at most 16; nothing stands for the empty one,
/// which shows the identity and its device. The nonce has 16 to 64 random bytes, which the verifier
/// made and uses once; the audience, 1 to 256 characters, is a name of the verifier that both know.
///
/// Ownership: strings and bytes are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL:
/// `client`, `nonce`, `audience` and `out` may not be. Threads: any. Errors: `ECHODB_NOT_FOUND`,
/// `ECHODB_EXPIRED`, `ECHODB_INVALID_ARGUMENT` also for what is about somebody else,
/// `ECHODB_PERMISSION_DENIED` on a device that was revoked, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_present_credentials(
    client: *const echodb_client,
    credentials: *const c_char,
    credentials_len: usize,
    nonce: *const u8,
    nonce_len: usize,
    audience: *const c_char,
    audience_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, readable strings and bytes, and writable
    // places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let ids = strings::list(credentials, credentials_len, "credentials")?;
            let nonce = strings::bytes(nonce, nonce_len, "nonce")?;
            let audience = strings::text(audience, audience_len, "audience")?;
            let shown = client.inner.present_credentials(ids, nonce, audience)?;
            Ok(echodb_buffer::new(shown))
        })
    }
}

/// As `echodb_verify_presentation`, and compares with what the spaces that are open here know.
///
/// Ownership: strings and bytes are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL:
/// none but `error` may be. Threads: any. Errors: those of `echodb_verify_presentation`,
/// `ECHODB_REVOKED` when a space knows that the presenting or a signing device was revoked, or that
/// the role shown is not held any more, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_verify_presentation(
    client: *const echodb_client,
    shown: *const u8,
    shown_len: usize,
    nonce: *const u8,
    nonce_len: usize,
    audience: *const c_char,
    audience_len: usize,
    now_ms: i64,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, readable strings and bytes, and writable
    // places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let shown = strings::bytes(shown, shown_len, "shown")?;
            let nonce = strings::bytes(nonce, nonce_len, "nonce")?;
            let audience = strings::text(audience, audience_len, "audience")?;
            let now_ms = strings::moment(now_ms);
            let verified = client
                .inner
                .verify_presentation(shown, nonce, audience, now_ms)?;
            Ok(records::buffer(&presentation(&verified)))
        })
    }
}

/// Says something of an identity, or of one's own: a type (1 to 256 characters) and claims, a JSON
/// object of at most 16 KiB whose numbers are 64-bit integers; `expires_ms` is until when it holds, in
/// milliseconds since 1970, negative for without end. Gives it as `echodb_client_credentials` does. It
/// is kept for all devices of this identity; export it, and have its subject import it.
///
/// Ownership: strings are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: none but
/// `error` may be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_PERMISSION_DENIED` on a device that was revoked, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_issue_credential(
    client: *const echodb_client,
    subject: *const c_char,
    subject_len: usize,
    type_name: *const c_char,
    type_name_len: usize,
    claims: *const c_char,
    claims_len: usize,
    expires_ms: i64,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let subject = strings::text(subject, subject_len, "subject")?;
            let type_name = strings::text(type_name, type_name_len, "type_name")?;
            let claims = strings::text(claims, claims_len, "claims")?;
            let expires_ms = strings::moment(expires_ms);
            let issued = client
                .inner
                .issue_credential(subject, type_name, claims, expires_ms)?;
            Ok(records::buffer(&credential(&issued)))
        })
    }
}

/// Keeps a statement about this identity, as bytes or as text, for all of its devices, and gives it as
/// `echodb_client_credentials` does. What is kept already is kept once.
///
/// Ownership: bytes are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: none but
/// `error` may be. Threads: any. Errors: those of `echodb_read_credential`, `ECHODB_INVALID_ARGUMENT`
/// for what is not about this identity and not by it, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_PERMISSION_DENIED`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_import_credential(
    client: *const echodb_client,
    bytes: *const u8,
    bytes_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, readable bytes, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let bytes = strings::bytes(bytes, bytes_len, "bytes")?;
            let kept = client.inner.import_credential(bytes)?;
            Ok(records::buffer(&credential(&kept)))
        })
    }
}

/// Forgets a statement, on all devices of this identity. That does not take it back: whoever has it can
/// still show it.
///
/// Ownership: strings are copied. NULL: `client` may not be. Threads: any. Errors:
/// `ECHODB_NOT_FOUND`, `ECHODB_PERMISSION_DENIED`, `ECHODB_INVALID_STATE`,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_remove_credential(
    client: *const echodb_client,
    id: *const c_char,
    id_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and a readable string.
    unsafe {
        guard::call(error, || {
            let client = guard::borrow(client, "client")?;
            client
                .inner
                .remove_credential(strings::text(id, id_len, "id")?)
        })
    }
}

/// Reads a credential, as bytes or as text, and verifies it, with nothing else: no client, no network.
/// Gives it as `echodb_client_credentials` does. `now_ms` is the moment at which it is to hold, in
/// milliseconds since 1970; a negative one is the present. It cannot tell what happened after the
/// credential was made: whether the device was revoked, or the role taken. And a credential that was
/// copied proves nothing of who shows it; that takes a presentation.
///
/// Ownership: bytes are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: `out` may not
/// be; `bytes` only with length 0. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT` for what is no
/// credential, `ECHODB_UNSUPPORTED_VERSION`, `ECHODB_LIMIT_EXCEEDED`, `ECHODB_NOT_CERTIFIED`,
/// `ECHODB_BAD_SIGNATURE`, `ECHODB_CHAIN_BROKEN`, `ECHODB_EXPIRED`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_read_credential(
    bytes: *const u8,
    bytes_len: usize,
    now_ms: i64,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes readable bytes, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let bytes = strings::bytes(bytes, bytes_len, "bytes")?;
            let read = crate::api::read_credential(bytes, strings::moment(now_ms))?;
            Ok(records::buffer(&credential(&read)))
        })
    }
}

/// Verifies a presentation, as bytes or as text, with nothing else: no client, no network. `nonce` and
/// `audience` are those that the verifier asked with; use every nonce once. `now_ms` is as in
/// `echodb_read_credential`. Gives a JSON object: `identity` and `name` (who presents, and what it
/// calls itself), `device` and `device_name`, `presented_ms` (by that device's clock), `credentials`
/// (as `echodb_client_credentials` gives them, all about that identity), and `device_checked` (whether
/// a space here knows the identity and not the device as revoked; false without a client).
///
/// Ownership: strings and bytes are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL:
/// `out` may not be; others only with length 0. Threads: any. Errors: those of
/// `echodb_read_credential`, `ECHODB_WRONG_NONCE`, `ECHODB_WRONG_AUDIENCE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_verify_presentation(
    shown: *const u8,
    shown_len: usize,
    nonce: *const u8,
    nonce_len: usize,
    audience: *const c_char,
    audience_len: usize,
    now_ms: i64,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes readable strings and bytes, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let shown = strings::bytes(shown, shown_len, "shown")?;
            let nonce = strings::bytes(nonce, nonce_len, "nonce")?;
            let audience = strings::text(audience, audience_len, "audience")?;
            let now_ms = strings::moment(now_ms);
            let verified = crate::api::verify_presentation(shown, nonce, audience, now_ms)?;
            Ok(records::buffer(&presentation(&verified)))
        })
    }
}

/// The text of a credential or a presentation, for whatever carries no bytes. Wherever these are read,
/// the text can stand for the bytes.
///
/// Ownership: bytes are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: `out` may not
/// be; `bytes` only with length 0. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_credential_code(
    bytes: *const u8,
    bytes_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes readable bytes, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let bytes = strings::bytes(bytes, bytes_len, "bytes")?;
            Ok(echodb_buffer::new(crate::api::credential_code(bytes)?))
        })
    }
}
