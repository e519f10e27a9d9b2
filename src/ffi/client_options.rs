//! How a client is opened.

use super::callback::{Callback, UserData, echodb_destroy};
use super::error::echodb_error;
use super::live::Live;
use super::log::{self, LogFunction, echodb_log_callback};
use super::status::echodb_status;
use super::{guard, strings};
use crate::api::{ClientOptions, IceServer};
use std::ffi::{c_char, c_void};
use zeroize::Zeroize;

/// Options of a client, gathered call by call. Fresh ones describe a client in memory, online
/// without any server, its log going nowhere. One thread at a time.
pub struct echodb_client_options {
    pub(super) options: ClientOptions,
    pub(super) log: Option<Callback<LogFunction>>,
    _live: Live,
}

/// The passphrase is wiped.
impl Drop for echodb_client_options {
    fn drop(&mut self) {
        self.options.passphrase.zeroize();
    }
}

/// Makes options.
///
/// Ownership: `*out` is the caller's, for `echodb_client_options_free`. NULL: `out` may not be;
/// `error` may. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_new(
    out: *mut *mut echodb_client_options,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let body = || {
        Ok(echodb_client_options {
            options: ClientOptions::default(),
            log: None,
            _live: Live::new(),
        })
    };
    // SAFETY: the caller passes pointers that are NULL or good for writing.
    unsafe { guard::call_out(out, error, body) }
}

/// Sets the profile's directory, made if absent; without one everything stays in memory.
///
/// Ownership: strings are copied. NULL: `options` may not be; `path` only with length 0, which
/// means in memory again. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_set_profile(
    options: *mut echodb_client_options,
    path: *const c_char,
    path_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options, and a readable string.
    unsafe {
        guard::call(error, || {
            let options = guard::borrow_mut(options, "options")?;
            options.options.profile = strings::optional_text(path, path_len, "path")?;
            Ok(())
        })
    }
}

/// Adds a signalling server, `ws://` or `wss://`; several are used at once.
///
/// Ownership: strings are copied. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`; a malformed URL shows when the client is opened. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_add_signaling(
    options: *mut echodb_client_options,
    url: *const c_char,
    url_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options, and a readable string.
    unsafe {
        guard::call(error, || {
            let options = guard::borrow_mut(options, "options")?;
            let url = strings::text(url, url_len, "url")?;
            options.options.signaling.push(url);
            Ok(())
        })
    }
}

/// Adds a STUN or TURN server: `stun:HOST:PORT`, or `turn:HOST:PORT?transport=udp` with a user
/// name and a credential, which are empty for STUN.
///
/// Ownership: strings are copied. NULL: `options` may not be; the other strings only with length 0.
/// Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`; a malformed URL shows when the client
/// is opened. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_add_ice_server(
    options: *mut echodb_client_options,
    url: *const c_char,
    url_len: usize,
    username: *const c_char,
    username_len: usize,
    credential: *const c_char,
    credential_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options, and readable strings.
    unsafe {
        guard::call(error, || {
            let options = guard::borrow_mut(options, "options")?;
            options.options.ice_servers.push(IceServer {
                urls: vec![strings::text(url, url_len, "url")?],
                username: strings::text(username, username_len, "username")?,
                credential: strings::text(credential, credential_len, "credential")?,
            });
            Ok(())
        })
    }
}

/// Adds a local address for peer connections, `IP:PORT`, with port 0 for any. Without one, every
/// address of the machine is used.
///
/// Ownership: strings are copied. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`; a malformed address shows when the client is opened. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_add_bind(
    options: *mut echodb_client_options,
    address: *const c_char,
    address_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options, and a readable string.
    unsafe {
        guard::call(error, || {
            let options = guard::borrow_mut(options, "options")?;
            let address = strings::text(address, address_len, "address")?;
            options.options.bind.push(address);
            Ok(())
        })
    }
}

/// Sets whether the client looks for peers from the start, as it does unless told otherwise.
///
/// Ownership: none. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_set_online(
    options: *mut echodb_client_options,
    online: bool,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, || {
            guard::borrow_mut(options, "options")?.options.online = online;
            Ok(())
        })
    }
}

/// Sets how long text edits outside transactions are gathered into one entry: 0 to 1000
/// milliseconds, 20 unless set.
///
/// Ownership: none. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`; a number out of range shows when the client is opened. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_set_coalesce_ms(
    options: *mut echodb_client_options,
    coalesce_ms: u32,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, || {
            guard::borrow_mut(options, "options")?.options.coalesce_ms = coalesce_ms;
            Ok(())
        })
    }
}

/// Sets how many bytes of memory the open spaces may use together for what they have read: 1 MiB to
/// 64 GiB, 32 MiB unless set.
///
/// Ownership: none. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`; a number out of range shows when the client is opened. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_set_cache_bytes(
    options: *mut echodb_client_options,
    cache_bytes: u64,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, || {
            guard::borrow_mut(options, "options")?.options.cache_bytes = cache_bytes;
            Ok(())
        })
    }
}

/// Sets who hears the log, and from which `ECHODB_LOG_` level up. Replaces an earlier callback.
///
/// Ownership: takes `user_data`; `destroy` frees it when these options and every client opened
/// with them are freed, or at once if this call fails. NULL: `options` and `callback` may not be;
/// `user_data` and `destroy` may. Threads: one at a time; the callback runs on library threads.
/// Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_set_log(
    options: *mut echodb_client_options,
    level: i32,
    callback: echodb_log_callback,
    user_data: *mut c_void,
    destroy: echodb_destroy,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let data = UserData::new(user_data, destroy);
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, move || {
            let callback = Callback::new(callback, data)?;
            let options = guard::borrow_mut(options, "options")?;
            options.options.log_level = log::level(level)?;
            options.log = Some(callback);
            Ok(())
        })
    }
}

/// Frees options. Clients opened with them are not affected.
///
/// Ownership: takes the options. NULL: does nothing. Threads: any, once. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_free(options: *mut echodb_client_options) {
    // SAFETY: the caller passes NULL or options that it gives up.
    unsafe { guard::release(options) }
}
