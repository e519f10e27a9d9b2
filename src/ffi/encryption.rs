//! Encryption of what is on the disk: passphrase, key provider.

use super::callback::{Callback, UserData, echodb_destroy};
use super::client::echodb_client;
use super::client_options::echodb_client_options;
use super::error::echodb_error;
use super::status::{ECHODB_NOT_FOUND, ECHODB_OK, echodb_status, name};
use super::{Result, guard, invalid, strings};
use crate::api::{EchoError, EncryptionMode, KeyProvider};
use crate::model::{Error, ErrorKind};
use std::ffi::{c_char, c_void};
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

/// The profile's files are encrypted: under the passphrase if one is given, else under the key
/// provider's key if there is a provider, else under a key in a file beside them. A profile that was
/// made plain is encrypted when it is opened.
pub const ECHODB_ENCRYPTION_AUTO: i32 = 0;
/// A new profile is plain, and a plain one stays so. One that is encrypted stays that too.
pub const ECHODB_ENCRYPTION_OFF: i32 = 1;

/// Gives the key that was stored for a profile: writes its 32 bytes to `key` and returns
/// `ECHODB_OK`; returns `ECHODB_NOT_FOUND` if none was stored, and another status if it cannot be
/// had now, which makes opening fail with `ECHODB_KEY_UNAVAILABLE`. `profile` is text that tells
/// profiles apart (32 hexadecimal digits), not NUL-terminated, good until the callback returns. It
/// runs on the thread that opens the profile or on one of the library's, with no lock held. It must
/// not throw.
pub type echodb_key_load_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        profile: *const c_char,
        profile_len: usize,
        key: *mut u8,
    ) -> echodb_status,
>;

/// Stores the 32 bytes of a profile's key, in the place of an earlier one, so that they last; returns
/// `ECHODB_OK`, or a status that says why not. The rest is as for `echodb_key_load_callback`.
pub type echodb_key_store_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        profile: *const c_char,
        profile_len: usize,
        key: *const u8,
    ) -> echodb_status,
>;

/// Both functions without their options.
#[derive(Clone, Copy)]
struct Functions {
    load: unsafe extern "C" fn(*mut c_void, *const c_char, usize, *mut u8) -> echodb_status,
    store: unsafe extern "C" fn(*mut c_void, *const c_char, usize, *const u8) -> echodb_status,
}

/// A key provider of the program's.
struct Provider(Callback<Functions>);

impl KeyProvider for Provider {
    fn load_key(&self, profile: String) -> Result<Option<Vec<u8>>> {
        let mut key = Zeroizing::new([0; 32]);
        let status = self.0.invoke(|functions, data| {
            let (text, length) = (profile.as_ptr().cast(), profile.len());
            // SAFETY: the program's function and data are good as long as the callback lives; the
            // text and the 32 bytes outlive the call.
            unsafe { (functions.load)(data, text, length, key.as_mut_ptr()) }
        });
        match status {
            ECHODB_OK => Ok(Some(key.to_vec())),
            ECHODB_NOT_FOUND => Ok(None),
            status => Err(failed(status)),
        }
    }

    fn store_key(&self, profile: String, mut key: Vec<u8>) -> Result<()> {
        let status = self.0.invoke(|functions, data| {
            let (text, length) = (profile.as_ptr().cast(), profile.len());
            // SAFETY: as above; the key has 32 bytes.
            unsafe { (functions.store)(data, text, length, key.as_ptr()) }
        });
        key.zeroize();
        match status {
            ECHODB_OK => Ok(()),
            status => Err(failed(status)),
        }
    }
}

fn failed(status: echodb_status) -> EchoError {
    let name = name(status).to_string_lossy();
    let detail = format!("the callback returned status {status} ({name})");
    Error::new(ErrorKind::Callback, detail).into()
}

/// Sets the passphrase of the profile's files, 1 to 1024 bytes. A new profile, and one that was
/// plain, gets it; to change it, or to give one to an encrypted profile, use
/// `echodb_client_set_passphrase`. A profile in memory has no use for it.
///
/// Ownership: strings are copied; the copy is wiped when the options are freed. NULL: `options` may
/// not be; `passphrase` only with length 0, which means none. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`; a wrong passphrase shows when the client is opened, as
/// `ECHODB_WRONG_PASSPHRASE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_set_passphrase(
    options: *mut echodb_client_options,
    passphrase: *const c_char,
    passphrase_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options, and a readable string.
    unsafe {
        guard::call(error, || {
            let options = guard::borrow_mut(options, "options")?;
            let passphrase = strings::optional_text(passphrase, passphrase_len, "passphrase")?;
            options.options.passphrase.zeroize();
            options.options.passphrase = passphrase;
            Ok(())
        })
    }
}

/// Sets whether the profile's files are encrypted: one of the `ECHODB_ENCRYPTION_` numbers, auto
/// unless set.
///
/// Ownership: none. NULL: `options` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_set_encryption(
    options: *mut echodb_client_options,
    encryption: i32,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, || {
            let mode = match encryption {
                ECHODB_ENCRYPTION_AUTO => EncryptionMode::Auto,
                ECHODB_ENCRYPTION_OFF => EncryptionMode::Off,
                _ => return Err(invalid(format!("{encryption} is no way of encryption"))),
            };
            guard::borrow_mut(options, "options")?.options.encryption = mode;
            Ok(())
        })
    }
}

/// Sets who keeps a key for the profile, for programs on systems that have a place for keys. Used
/// where there is no passphrase. Replaces an earlier one.
///
/// Ownership: takes `user_data`; `destroy` frees it when these options and every client opened with
/// them are freed, or at once if this call fails. NULL: `options`, `load` and `store` may not be;
/// `user_data` and `destroy` may. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_options_set_key_provider(
    options: *mut echodb_client_options,
    load: echodb_key_load_callback,
    store: echodb_key_store_callback,
    user_data: *mut c_void,
    destroy: echodb_destroy,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let data = UserData::new(user_data, destroy);
    // SAFETY: the caller passes NULL or live options.
    unsafe {
        guard::call(error, move || {
            let functions = load
                .zip(store)
                .map(|(load, store)| Functions { load, store });
            let provider = Provider(Callback::new(functions, data)?);
            let options = guard::borrow_mut(options, "options")?;
            options.options.key_provider = Some(Arc::new(provider));
            Ok(())
        })
    }
}

/// Gives the profile a passphrase, changes it, or, without a new one, takes it away: then the key is
/// with the key provider that the client was opened with, or else in a file. `old_passphrase` is the
/// present one, if there is one. It takes about a second, and no file is written anew but the one
/// that holds the profile's key; a crash leaves the one or the other passphrase. Whoever has a copy of
/// that file from before can open the profile with the old one still.
///
/// Ownership: strings are copied, and the copies wiped. NULL: `client` may not be; the passphrases
/// only with length 0, which means none. Threads: any. Errors: `ECHODB_WRONG_PASSPHRASE`,
/// `ECHODB_KEY_UNAVAILABLE`, `ECHODB_INVALID_ARGUMENT` if the new one is longer than 1024 bytes,
/// `ECHODB_INVALID_STATE` if the profile is plain or in memory, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_set_passphrase(
    client: *const echodb_client,
    old_passphrase: *const c_char,
    old_passphrase_len: usize,
    new_passphrase: *const c_char,
    new_passphrase_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and readable strings.
    unsafe {
        guard::call(error, || {
            let client = guard::borrow(client, "client")?;
            let old = strings::optional_text(old_passphrase, old_passphrase_len, "old_passphrase")?;
            let new = strings::optional_text(new_passphrase, new_passphrase_len, "new_passphrase")?;
            client.inner.set_passphrase(old, new)
        })
    }
}
