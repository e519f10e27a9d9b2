//! What the library says of itself.

use super::{live, strings};
use std::ffi::{CStr, c_char};

/// The major number of the binary interface. It rises when a program would have to be compiled
/// again, and is part of the library's file name.
pub const ECHODB_ABI_VERSION: u32 = 0;

/// The library's version, `MAJOR.MINOR.PATCH`, as opposed to `ECHODB_VERSION`, that of the header.
///
/// Ownership: the string is static. NULL: never returned. Threads: any. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn echodb_version() -> *const c_char {
    version().as_ptr()
}

fn version() -> &'static CStr {
    let text = concat!(env!("CARGO_PKG_VERSION"), "\0");
    CStr::from_bytes_with_nul(text.as_bytes()).unwrap_or_default()
}

/// The version of the binary interface, to be compared with `ECHODB_ABI_VERSION`.
///
/// Ownership: none. NULL: not applicable. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn echodb_abi_version() -> u32 {
    ECHODB_ABI_VERSION
}

/// Whether the library was built with a feature: `webrtc`, `queue_fd` (subscriptions have file
/// descriptors), `uniffi` (the interface of other languages is in the same library).
///
/// Ownership: none. NULL: gives false, as an unknown name does. Threads: any. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_has_feature(name: *const c_char, name_len: usize) -> bool {
    // SAFETY: the caller passes a readable string.
    let name = unsafe { strings::text(name, name_len, "name") };
    let features = [
        ("webrtc", true),
        ("queue_fd", cfg!(unix)),
        ("uniffi", cfg!(feature = "bindings")),
    ];
    name.is_ok_and(|name| features.contains(&(name.as_str(), true)))
}

/// The number of handles, buffers and errors that exist. Zero at the end of a program that frees
/// what it was given; a test can rely on that.
///
/// Ownership: none. NULL: not applicable. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn echodb_live_handles() -> usize {
    live::count()
}
