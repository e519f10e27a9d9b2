//! The one error type of the engine. Every fallible call of every layer returns it, so that what
//! a C program reads as a status number and a Python program catches as an exception is the same
//! fact.

use std::fmt;

/// What went wrong, coarsely enough for a program to act on. The numbers are the statuses of the
/// C ABI: they are explicit, never renumbered, and a retired one is never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is malformed, out of range, or not allowed here.
    InvalidArgument = 1,
    /// The named space, object, field or invitation does not exist.
    NotFound = 2,
    /// What was to be created exists already.
    AlreadyExists = 3,
    /// The call does not fit the present state (no identity yet, space closed, client shut down).
    InvalidState = 4,
    /// Another process holds this profile.
    ProfileLocked = 5,
    /// Stored bytes are damaged.
    Corrupt = 6,
    /// The profile or message was written by a newer version of this library.
    UnsupportedVersion = 7,
    /// The disk, the file system or SQLite refused (full disk, permissions, I/O error).
    Storage = 8,
    /// The signalling server or a peer could not be reached, or broke the connection.
    Network = 9,
    /// The other side broke the protocol, or what it sent failed verification.
    Protocol = 10,
    /// The identity lacks the role that this needs.
    PermissionDenied = 11,
    /// A documented limit would be exceeded.
    LimitExceeded = 12,
    /// The operation was cancelled.
    Cancelled = 13,
    /// The operation ran out of time.
    TimedOut = 14,
    /// An invitation code is wrong, was used up, or has expired.
    InvitationRefused = 15,
    /// A callback supplied by the program failed.
    Callback = 16,
    /// A defect in this library: it was contained, and the handle is no longer usable.
    Internal = 17,
    /// An object is not at the version that the transaction was made for.
    Conflict = 18,
    /// A value does not fit the schema of its object's type.
    SchemaViolation = 19,
    /// This is not the profile's passphrase.
    WrongPassphrase = 20,
    /// The profile's files are encrypted, and their key cannot be had: no passphrase was given, or
    /// whoever keeps the key does not give it.
    KeyUnavailable = 21,
    /// A presentation answers another nonce.
    WrongNonce = 22,
    /// A presentation is meant for another audience.
    WrongAudience = 23,
    /// A credential or presentation was changed, or was not signed by whom it names.
    BadSignature = 24,
    /// Nothing certifies that a device acts for its identity, or somebody presents what is
    /// about another.
    NotCertified = 25,
    /// A credential's time is over.
    Expired = 26,
    /// The entries that a membership shows do not lead to its role.
    ChainBroken = 27,
    /// A space that is open here knows better: the device was revoked, or the role is not held
    /// any more.
    Revoked = 28,
}

impl ErrorKind {
    /// Every kind, in numeric order: what the C header and the language packages list.
    pub const ALL: [ErrorKind; 28] = [
        ErrorKind::InvalidArgument,
        ErrorKind::NotFound,
        ErrorKind::AlreadyExists,
        ErrorKind::InvalidState,
        ErrorKind::ProfileLocked,
        ErrorKind::Corrupt,
        ErrorKind::UnsupportedVersion,
        ErrorKind::Storage,
        ErrorKind::Network,
        ErrorKind::Protocol,
        ErrorKind::PermissionDenied,
        ErrorKind::LimitExceeded,
        ErrorKind::Cancelled,
        ErrorKind::TimedOut,
        ErrorKind::InvitationRefused,
        ErrorKind::Callback,
        ErrorKind::Internal,
        ErrorKind::Conflict,
        ErrorKind::SchemaViolation,
        ErrorKind::WrongPassphrase,
        ErrorKind::KeyUnavailable,
        ErrorKind::WrongNonce,
        ErrorKind::WrongAudience,
        ErrorKind::BadSignature,
        ErrorKind::NotCertified,
        ErrorKind::Expired,
        ErrorKind::ChainBroken,
        ErrorKind::Revoked,
    ];

    /// The status number of the C ABI.
    pub fn status(self) -> i32 {
        self as i32
    }

    /// A stable snake-case name, used by the command line and in logs.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::InvalidArgument => "invalid_argument",
            ErrorKind::NotFound => "not_found",
            ErrorKind::AlreadyExists => "already_exists",
            ErrorKind::InvalidState => "invalid_state",
            ErrorKind::ProfileLocked => "profile_locked",
            ErrorKind::Corrupt => "corrupt",
            ErrorKind::UnsupportedVersion => "unsupported_version",
            ErrorKind::Storage => "storage",
            ErrorKind::Network => "network",
            ErrorKind::Protocol => "protocol",
            ErrorKind::PermissionDenied => "permission_denied",
            ErrorKind::LimitExceeded => "limit_exceeded",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::TimedOut => "timed_out",
            ErrorKind::InvitationRefused => "invitation_refused",
            ErrorKind::Callback => "callback",
            ErrorKind::Internal => "internal",
            ErrorKind::Conflict => "conflict",
            ErrorKind::SchemaViolation => "schema_violation",
            ErrorKind::WrongPassphrase => "wrong_passphrase",
            ErrorKind::KeyUnavailable => "key_unavailable",
            ErrorKind::WrongNonce => "wrong_nonce",
            ErrorKind::WrongAudience => "wrong_audience",
            ErrorKind::BadSignature => "bad_signature",
            ErrorKind::NotCertified => "not_certified",
            ErrorKind::Expired => "expired",
            ErrorKind::ChainBroken => "chain_broken",
            ErrorKind::Revoked => "revoked",
        }
    }

    /// Whether the same call may succeed later without being changed.
    pub fn retryable(self) -> bool {
        matches!(
            self,
            ErrorKind::ProfileLocked
                | ErrorKind::Storage
                | ErrorKind::Network
                | ErrorKind::TimedOut
        )
    }
}

/// An error: its kind, and a sentence that says what was wrong with which input and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    detail: String,
}

/// The result of every fallible call.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind`; `detail` is shown to people and must hold no user data but names and ids.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Error {
            kind,
            detail: detail.into(),
        }
    }

    /// What a program acts on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The sentence for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The same error, its sentence preceded by where it happened.
    pub fn context(mut self, place: impl fmt::Display) -> Self {
        self.detail = format!("{place}: {}", self.detail);
        self
    }

    /// The same error of the step at `index`, where there are several.
    pub fn in_step(self, index: usize, steps: usize) -> Self {
        match steps {
            0 | 1 => self,
            _ => self.context(format_args!("step {}", index + 1)),
        }
    }

    /// A malformed or disallowed argument.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Error::new(ErrorKind::InvalidArgument, detail)
    }

    /// Something named does not exist.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Error::new(ErrorKind::NotFound, detail)
    }

    /// The call does not fit the present state.
    pub fn state(detail: impl Into<String>) -> Self {
        Error::new(ErrorKind::InvalidState, detail)
    }

    /// A limit of [`super::limits`] would be exceeded.
    pub fn limit(detail: impl Into<String>) -> Self {
        Error::new(ErrorKind::LimitExceeded, detail)
    }

    /// The other side broke the protocol.
    pub fn protocol(detail: impl Into<String>) -> Self {
        Error::new(ErrorKind::Protocol, detail)
    }

    /// Stored bytes are damaged.
    pub fn corrupt(detail: impl Into<String>) -> Self {
        Error::new(ErrorKind::Corrupt, detail)
    }

    /// The network or a server failed.
    pub fn network(detail: impl Into<String>) -> Self {
        Error::new(ErrorKind::Network, detail)
    }

    /// A contained defect of this library.
    pub fn internal(detail: impl Into<String>) -> Self {
        Error::new(ErrorKind::Internal, detail)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.detail)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_distinct_and_in_order() {
        for (i, kind) in ErrorKind::ALL.iter().enumerate() {
            assert_eq!(kind.status(), i as i32 + 1, "{}", kind.name());
        }
    }
}
