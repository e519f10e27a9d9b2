//! How a space invites and how a code is used.

use super::error::echodb_error;
use super::live::Live;
use super::status::echodb_status;
use super::{guard, strings};
use crate::api::{InviteOptions, JoinOptions};
use std::ffi::c_char;

/// How a space invites. Fresh ones: the code is good for an hour and carries the signalling
/// servers. One thread at a time.
pub struct echodb_invite_options {
    pub(super) options: InviteOptions,
    _live: Live,
}

/// How a code is used. Fresh ones: the host is looked for during two minutes. One thread at a
/// time.
pub struct echodb_join_options {
    pub(super) options: JoinOptions,
    _live: Live,
}

/// Makes options for `echodb_space_invite`.
///
/// Ownership: `*out` is the caller's, for `echodb_invite_options_free`. NULL: `out` may not be;
/// `error` may. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invite_options_new(
    out: *mut *mut echodb_invite_options,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let body = || {
        Ok(echodb_invite_options {
            options: InviteOptions::default(),
            _live: Live::new(),
        })
    };
    // SAFETY: the caller passes pointers that are NULL or good for writing.
    unsafe { guard::call_out(out, error, body) }
}

/// Sets how long the code is good for, in seconds: 1 to 604,800, and up to 7,776,000 for several
/// guests and for delegated invitations.
///
/// Ownership: none. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`; a number out of range shows when the options are used. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invite_options_set_expires_s(
    options: *mut echodb_invite_options,
    expires_s: u64,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, || {
            guard::borrow_mut(options, "options")?.options.expires_s = expires_s;
            Ok(())
        })
    }
}

/// Sets whether the code carries the signalling servers, so that the guest needs no setting.
///
/// Ownership: none. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invite_options_set_include_signaling(
    options: *mut echodb_invite_options,
    include_signaling: bool,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, || {
            let options = guard::borrow_mut(options, "options")?;
            options.options.include_signaling = include_signaling;
            Ok(())
        })
    }
}

/// Sets how many guests may come in, 1 to 200; with more than one each gets an authorization code
/// of its own. For delegated invitations members keep to it as far as they know, and 0 means any
/// number.
///
/// Ownership: none. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`; a number out of range shows when the options are used. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invite_options_set_max_uses(
    options: *mut echodb_invite_options,
    max_uses: u32,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, || {
            guard::borrow_mut(options, "options")?.options.max_uses = max_uses;
            Ok(())
        })
    }
}

/// Sets whether any member who is online may let the guests in. There is no authorization code
/// then: whoever has the code is let in.
///
/// Ownership: none. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invite_options_set_delegated(
    options: *mut echodb_invite_options,
    delegated: bool,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, || {
            guard::borrow_mut(options, "options")?.options.delegated = delegated;
            Ok(())
        })
    }
}

/// Sets the role that guests get: `relay`, `reader`, `editor`, `admin` or `owner`, below the
/// inviter's own, and at most `editor` if delegated.
///
/// Ownership: strings are copied. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`; a word that is no role shows when the options are used. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invite_options_set_role(
    options: *mut echodb_invite_options,
    role: *const c_char,
    role_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options, and a readable string.
    unsafe {
        guard::call(error, || {
            let role = strings::text(role, role_len, "role")?;
            guard::borrow_mut(options, "options")?.options.role = role;
            Ok(())
        })
    }
}

/// Sets whether guests can read what was written before, which they can unless this is set to false:
/// then they are given the content keys from the invitation on alone. They hold the older entries,
/// sealed, and see no object that was made before. `echodb_space_share_history` opens them later.
///
/// Ownership: none. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invite_options_set_history(
    options: *mut echodb_invite_options,
    history: bool,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, || {
            guard::borrow_mut(options, "options")?.options.history = history;
            Ok(())
        })
    }
}

/// Frees options.
///
/// Ownership: takes the options. NULL: does nothing. Threads: any, once. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_invite_options_free(options: *mut echodb_invite_options) {
    // SAFETY: the caller passes NULL or options that it gives up.
    unsafe { guard::release(options) }
}

/// Makes options for `echodb_client_join`.
///
/// Ownership: `*out` is the caller's, for `echodb_join_options_free`. NULL: `out` may not be;
/// `error` may. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_join_options_new(
    out: *mut *mut echodb_join_options,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let body = || {
        Ok(echodb_join_options {
            options: JoinOptions::default(),
            _live: Live::new(),
        })
    };
    // SAFETY: the caller passes pointers that are NULL or good for writing.
    unsafe { guard::call_out(out, error, body) }
}

/// Sets how long to look for the host, in seconds, 1 to 604,800.
///
/// Ownership: none. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`; a number out of range shows when the options are used. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_join_options_set_timeout_s(
    options: *mut echodb_join_options,
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

/// Sets what this device is called, at most 256 characters, for `echodb_client_join_device`.
///
/// Ownership: strings are copied. NULL: `options` may not be; NULL `name` takes it back. Threads:
/// one at a time. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_join_options_set_device_name(
    options: *mut echodb_join_options,
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

/// Frees options.
///
/// Ownership: takes the options. NULL: does nothing. Threads: any, once. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_join_options_free(options: *mut echodb_join_options) {
    // SAFETY: the caller passes NULL or options that it gives up.
    unsafe { guard::release(options) }
}
