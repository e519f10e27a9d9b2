//! Status numbers: those of [`ErrorKind`], and 0.

use crate::model::ErrorKind;
use std::ffi::{CStr, c_char};

/// What a call came to: `ECHODB_OK`, or one of the numbers below. Numbers are never reused; a
/// later version may add some, so treat an unknown one as a failure.
pub type echodb_status = i32;

/// Success.
pub const ECHODB_OK: echodb_status = 0;
/// An argument is malformed, out of range, NULL, or not allowed here.
pub const ECHODB_INVALID_ARGUMENT: echodb_status = 1;
/// The named space, object, field or invitation does not exist.
pub const ECHODB_NOT_FOUND: echodb_status = 2;
/// What was to be created exists already.
pub const ECHODB_ALREADY_EXISTS: echodb_status = 3;
/// The call does not fit the present state (no identity yet, space closed, client shut down).
pub const ECHODB_INVALID_STATE: echodb_status = 4;
/// Another client, perhaps in another process, holds this profile.
pub const ECHODB_PROFILE_LOCKED: echodb_status = 5;
/// Stored bytes are damaged.
pub const ECHODB_CORRUPT: echodb_status = 6;
/// The profile or message was written by a newer version of this library.
pub const ECHODB_UNSUPPORTED_VERSION: echodb_status = 7;
/// The disk, the file system or the store refused.
pub const ECHODB_STORAGE: echodb_status = 8;
/// The signalling server or a peer could not be reached, or broke the connection.
pub const ECHODB_NETWORK: echodb_status = 9;
/// The other side broke the protocol, or what it sent failed verification.
pub const ECHODB_PROTOCOL: echodb_status = 10;
/// The identity lacks the role that this needs.
pub const ECHODB_PERMISSION_DENIED: echodb_status = 11;
/// A documented limit would be exceeded.
pub const ECHODB_LIMIT_EXCEEDED: echodb_status = 12;
/// The operation was cancelled.
pub const ECHODB_CANCELLED: echodb_status = 13;
/// The time ran out.
pub const ECHODB_TIMED_OUT: echodb_status = 14;
/// An invitation code is wrong, was used up, or has expired.
pub const ECHODB_INVITATION_REFUSED: echodb_status = 15;
/// A callback of the program failed.
pub const ECHODB_CALLBACK: echodb_status = 16;
/// A defect of this library, which was contained.
pub const ECHODB_INTERNAL: echodb_status = 17;
/// An object is not at the version that the transaction was made for.
pub const ECHODB_CONFLICT: echodb_status = 18;
/// A value does not fit the schema of its object's type.
pub const ECHODB_SCHEMA_VIOLATION: echodb_status = 19;
/// This is not the profile's passphrase.
pub const ECHODB_WRONG_PASSPHRASE: echodb_status = 20;
/// The profile's files are encrypted, and their key cannot be had: no passphrase was given, or
/// whoever keeps the key does not give it.
pub const ECHODB_KEY_UNAVAILABLE: echodb_status = 21;
/// A presentation answers another nonce.
pub const ECHODB_WRONG_NONCE: echodb_status = 22;
/// A presentation is meant for another audience.
pub const ECHODB_WRONG_AUDIENCE: echodb_status = 23;
/// A credential or presentation was changed, or was not signed by whom it names.
pub const ECHODB_BAD_SIGNATURE: echodb_status = 24;
/// Nothing certifies that a device acts for its identity, or somebody presents what is about
/// another.
pub const ECHODB_NOT_CERTIFIED: echodb_status = 25;
/// A credential's time is over.
pub const ECHODB_EXPIRED: echodb_status = 26;
/// The entries that a membership shows do not lead to its role.
pub const ECHODB_CHAIN_BROKEN: echodb_status = 27;
/// A space that is open here knows better: the device was revoked, or the role is not held any
/// more.
pub const ECHODB_REVOKED: echodb_status = 28;

/// A status as a snake-case word, for logs: `ok`, `not_found`; `unknown` for other numbers.
///
/// Ownership: the string is static. NULL: never returned. Threads: any. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn echodb_status_name(status: echodb_status) -> *const c_char {
    name(status).as_ptr()
}

pub(super) fn name(status: echodb_status) -> &'static CStr {
    match status {
        ECHODB_OK => c"ok",
        ECHODB_INVALID_ARGUMENT => c"invalid_argument",
        ECHODB_NOT_FOUND => c"not_found",
        ECHODB_ALREADY_EXISTS => c"already_exists",
        ECHODB_INVALID_STATE => c"invalid_state",
        ECHODB_PROFILE_LOCKED => c"profile_locked",
        ECHODB_CORRUPT => c"corrupt",
        ECHODB_UNSUPPORTED_VERSION => c"unsupported_version",
        ECHODB_STORAGE => c"storage",
        ECHODB_NETWORK => c"network",
        ECHODB_PROTOCOL => c"protocol",
        ECHODB_PERMISSION_DENIED => c"permission_denied",
        ECHODB_LIMIT_EXCEEDED => c"limit_exceeded",
        ECHODB_CANCELLED => c"cancelled",
        ECHODB_TIMED_OUT => c"timed_out",
        ECHODB_INVITATION_REFUSED => c"invitation_refused",
        ECHODB_CALLBACK => c"callback",
        ECHODB_INTERNAL => c"internal",
        ECHODB_CONFLICT => c"conflict",
        ECHODB_SCHEMA_VIOLATION => c"schema_violation",
        ECHODB_WRONG_PASSPHRASE => c"wrong_passphrase",
        ECHODB_KEY_UNAVAILABLE => c"key_unavailable",
        ECHODB_WRONG_NONCE => c"wrong_nonce",
        ECHODB_WRONG_AUDIENCE => c"wrong_audience",
        ECHODB_BAD_SIGNATURE => c"bad_signature",
        ECHODB_NOT_CERTIFIED => c"not_certified",
        ECHODB_EXPIRED => c"expired",
        ECHODB_CHAIN_BROKEN => c"chain_broken",
        ECHODB_REVOKED => c"revoked",
        _ => c"unknown",
    }
}

// The header's numbers are literals, because cbindgen does not compute; this keeps them true.
const _: () = {
    assert!(ECHODB_INVALID_ARGUMENT == ErrorKind::InvalidArgument as i32);
    assert!(ECHODB_NOT_FOUND == ErrorKind::NotFound as i32);
    assert!(ECHODB_ALREADY_EXISTS == ErrorKind::AlreadyExists as i32);
    assert!(ECHODB_INVALID_STATE == ErrorKind::InvalidState as i32);
    assert!(ECHODB_PROFILE_LOCKED == ErrorKind::ProfileLocked as i32);
    assert!(ECHODB_CORRUPT == ErrorKind::Corrupt as i32);
    assert!(ECHODB_UNSUPPORTED_VERSION == ErrorKind::UnsupportedVersion as i32);
    assert!(ECHODB_STORAGE == ErrorKind::Storage as i32);
    assert!(ECHODB_NETWORK == ErrorKind::Network as i32);
    assert!(ECHODB_PROTOCOL == ErrorKind::Protocol as i32);
    assert!(ECHODB_PERMISSION_DENIED == ErrorKind::PermissionDenied as i32);
    assert!(ECHODB_LIMIT_EXCEEDED == ErrorKind::LimitExceeded as i32);
    assert!(ECHODB_CANCELLED == ErrorKind::Cancelled as i32);
    assert!(ECHODB_TIMED_OUT == ErrorKind::TimedOut as i32);
    assert!(ECHODB_INVITATION_REFUSED == ErrorKind::InvitationRefused as i32);
    assert!(ECHODB_CALLBACK == ErrorKind::Callback as i32);
    assert!(ECHODB_INTERNAL == ErrorKind::Internal as i32);
    assert!(ECHODB_CONFLICT == ErrorKind::Conflict as i32);
    assert!(ECHODB_SCHEMA_VIOLATION == ErrorKind::SchemaViolation as i32);
    assert!(ECHODB_WRONG_PASSPHRASE == ErrorKind::WrongPassphrase as i32);
    assert!(ECHODB_KEY_UNAVAILABLE == ErrorKind::KeyUnavailable as i32);
    assert!(ECHODB_WRONG_NONCE == ErrorKind::WrongNonce as i32);
    assert!(ECHODB_WRONG_AUDIENCE == ErrorKind::WrongAudience as i32);
    assert!(ECHODB_BAD_SIGNATURE == ErrorKind::BadSignature as i32);
    assert!(ECHODB_NOT_CERTIFIED == ErrorKind::NotCertified as i32);
    assert!(ECHODB_EXPIRED == ErrorKind::Expired as i32);
    assert!(ECHODB_CHAIN_BROKEN == ErrorKind::ChainBroken as i32);
    assert!(ECHODB_REVOKED == ErrorKind::Revoked as i32);
};
