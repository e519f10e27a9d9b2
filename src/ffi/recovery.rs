//! The recovery phrase.

use super::buffer::echodb_buffer;
use super::client::echodb_client;
use super::error::echodb_error;
use super::live::Live;
use super::operation::{Output, echodb_operation};
use super::status::echodb_status;
use super::{guard, records, strings};
use crate::api::RecoverOptions;
use std::ffi::c_char;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How an identity is recovered. Fresh ones: the device has no name, no device is revoked, and it
/// may take two minutes. One thread at a time.
pub struct echodb_recover_options {
    options: RecoverOptions,
    _live: Live,
}

/// Makes options for `echodb_client_recover_identity`.
///
/// Ownership: `*out` is the caller's, for `echodb_recover_options_free`. NULL: `out` may not be;
/// `error` may. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_recover_options_new(
    out: *mut *mut echodb_recover_options,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let body = || {
        Ok(echodb_recover_options {
            options: RecoverOptions::default(),
            _live: Live::new(),
        })
    };
    // SAFETY: the caller passes pointers that are NULL or good for writing.
    unsafe { guard::call_out(out, error, body) }
}

/// Sets what this device is called, at most 256 characters.
///
/// Ownership: strings are copied. NULL: `options` may not be; NULL `name` takes it back. Threads:
/// one at a time. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_recover_options_set_device_name(
    options: *mut echodb_recover_options,
    name: *const c_char,
    name_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options, and NULL or a readable string.
    unsafe {
        guard::call(error, || {
            let options = guard::borrow_mut(options, "options")?;
            options.options.device_name = strings::optional_text(name, name_len, "name")?;
            Ok(())
        })
    }
}

/// Sets whether every device that the identity had before is revoked, once the spaces have come.
///
/// Ownership: none. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_recover_options_set_revoke_older(
    options: *mut echodb_recover_options,
    revoke_older: bool,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, || {
            guard::borrow_mut(options, "options")?.options.revoke_older = revoke_older;
            Ok(())
        })
    }
}

/// Sets how long it may take in all, in seconds, 1 to 86,400.
///
/// Ownership: none. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`; a number out of range shows when the options are used. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_recover_options_set_timeout_s(
    options: *mut echodb_recover_options,
    timeout_s: u64,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, || {
            guard::borrow_mut(options, "options")?.options.timeout_s = timeout_s;
            Ok(())
        })
    }
}

/// Frees options.
///
/// Ownership: takes the options. NULL: does nothing. Threads: any, once. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_recover_options_free(options: *mut echodb_recover_options) {
    // SAFETY: the caller passes NULL or options that it gives up.
    unsafe { guard::release(options) }
}

/// Makes a new recovery phrase and gives its 24 words (BIP 39, English), one space apart. They are
/// shown this one time and stored nowhere; whoever has them can become the identity. On a
/// device that came by a phrase that one is void from now on; phrases made before on any other
/// device stay in force and rank above the new one.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `client` and `out` may not
/// be. Threads: any. Errors: `ECHODB_PERMISSION_DENIED` unless this is the identity's most senior
/// device or one that the present phrase brought back, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_create_recovery_phrase(
    client: *const echodb_client,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let phrase = guard::borrow(client, "client")?
                .inner
                .create_recovery_phrase()?;
            Ok(echodb_buffer::secret(phrase))
        })
    }
}

/// Makes a new recovery phrase in place of `current`, one of this identity that is in force, and gives
/// its 24 words as `echodb_client_create_recovery_phrase` does. From then on `current` is void, and
/// so is every phrase that ranks below it. Any device of the identity may do so, connected or not.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`; strings are copied. NULL: `client`
/// and `out` may not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT` if the words are no phrase,
/// `ECHODB_PERMISSION_DENIED` if the phrase is not in force or another identity's,
/// `ECHODB_LIMIT_EXCEEDED` when it was done too often, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_replace_recovery_phrase(
    client: *const echodb_client,
    current: *const c_char,
    current_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let current = Zeroizing::new(strings::text(current, current_len, "current")?);
            let phrase = client.inner.replace_recovery_phrase(&current)?;
            Ok(echodb_buffer::secret(phrase))
        })
    }
}

/// Recovers the identity of a phrase on a client that has none, with any one device that holds the
/// identity. Waits until it is here and gives it as `echodb_client_create_identity` does.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`; strings are copied; the options stay
/// the caller's. NULL: `options` stands for fresh ones; `client` and `out` may not be. Threads: any,
/// but not from within a callback. Errors: `ECHODB_INVALID_ARGUMENT` if the words are no phrase,
/// `ECHODB_INVALID_STATE` if there is an identity already or the client is offline,
/// `ECHODB_PERMISSION_DENIED` if the phrase is void, `ECHODB_TIMED_OUT` (with older devices to be
/// revoked, the identity may be here all the same), `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_recover_identity(
    client: *const echodb_client,
    phrase: *const c_char,
    phrase_len: usize,
    options: *const echodb_recover_options,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live handles, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let phrase = strings::text(phrase, phrase_len, "phrase")?;
            let options = options.as_ref().map(|o| o.options.clone());
            let identity = client
                .inner
                .recover_identity(phrase, options.unwrap_or_default())?;
            Ok(records::buffer(&records::identity(&identity)))
        })
    }
}

/// As `echodb_client_recover_identity`, without waiting; `echodb_operation_take_text` gives the
/// identity as JSON.
///
/// Ownership: `*out` is the caller's, for `echodb_operation_free`; options and client may be freed
/// at once. NULL: `options` stands for fresh ones; `client` and `out` may not be. Threads: any.
/// Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_INTERNAL` if there is no thread; the rest through the
/// operation. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_recover_identity_start(
    client: *const echodb_client,
    phrase: *const c_char,
    phrase_len: usize,
    options: *const echodb_recover_options,
    out: *mut *mut echodb_operation,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live handles, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let inner = Arc::clone(&guard::borrow(client, "client")?.inner);
            let phrase = strings::text(phrase, phrase_len, "phrase")?;
            let options = options.as_ref().map(|o| o.options.clone());
            echodb_operation::blocking(move || {
                let identity = inner.recover_identity(phrase, options.unwrap_or_default())?;
                Ok(Output::Text(records::identity(&identity).to_string()))
            })
        })
    }
}
