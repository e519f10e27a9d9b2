//! The error that Python, Kotlin and Swift see.

use crate::model::{Error, ErrorKind};

/// The result of every fallible call of the facade.
pub type Result<T> = std::result::Result<T, EchoError>;

macro_rules! echo_error {
    ($($(#[$doc:meta])* $variant:ident <- $($kind:ident)|+;)+) => {
        /// What a failed call throws: coarse variants to catch, each with the status number of the
        /// C ABI (finer than the variant), a sentence for people, and whether trying the same call
        /// again may help.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[cfg_attr(feature = "bindings", derive(uniffi::Error))]
        pub enum EchoError {
            $(
                $(#[$doc])*
                #[error("{detail}")]
                $variant {
                    /// Status number, as in the C header.
                    status: i32,
                    /// What was wrong with which input and what to do.
                    detail: String,
                    /// Whether the same call may succeed later.
                    retryable: bool,
                },
            )+
        }

        impl From<Error> for EchoError {
            fn from(error: Error) -> Self {
                let status = error.kind().status();
                let retryable = error.kind().retryable();
                let detail = error.detail().to_owned();
                match error.kind() {
                    $($(ErrorKind::$kind)|+ => EchoError::$variant { status, detail, retryable },)+
                }
            }
        }

        impl EchoError {
            /// The status number of the C ABI.
            pub fn status(&self) -> i32 {
                match self {
                    $(EchoError::$variant { status, .. } => *status,)+
                }
            }

            /// The sentence for people.
            pub fn detail(&self) -> &str {
                match self {
                    $(EchoError::$variant { detail, .. } => detail,)+
                }
            }
        }
    };
}

echo_error! {
    /// An argument is malformed, out of range, not allowed here, or against a schema.
    InvalidArgument <- InvalidArgument | SchemaViolation;
    /// The named thing does not exist.
    NotFound <- NotFound;
    /// What was to be created exists already.
    AlreadyExists <- AlreadyExists;
    /// The call does not fit the present state: of an object that has changed, too, or of a
    /// profile that another process holds.
    InvalidState <- InvalidState | ProfileLocked | Conflict;
    /// The disk refused, stored bytes are damaged or of a newer version, or their key is missing.
    Storage <- Storage | Corrupt | UnsupportedVersion | KeyUnavailable;
    /// A server or peer could not be reached, or broke the protocol.
    Network <- Network | Protocol;
    /// The identity lacks the role that this needs, or the passphrase is wrong.
    PermissionDenied <- PermissionDenied | WrongPassphrase;
    /// A documented limit would be exceeded.
    LimitExceeded <- LimitExceeded;
    /// The operation was cancelled.
    Cancelled <- Cancelled;
    /// The operation ran out of time.
    TimedOut <- TimedOut;
    /// An invitation code is wrong, was used up, or has expired.
    InvitationRefused <- InvitationRefused;
    /// A credential or a presentation does not verify; the status says what is wrong with it.
    CredentialRefused <- WrongNonce | WrongAudience | BadSignature | NotCertified | Expired
        | ChainBroken | Revoked;
    /// A callback failed, or a defect of this library was contained.
    Unexpected <- Callback | Internal;
}

impl EchoError {
    /// What a program acts on, as finely as the C ABI tells it. A status that is not of this
    /// library, as a foreign callback may make up, counts as a failed callback.
    pub fn kind(&self) -> ErrorKind {
        let status = self.status();
        ErrorKind::ALL
            .into_iter()
            .find(|kind| kind.status() == status)
            .unwrap_or(ErrorKind::Callback)
    }

    /// Whether the same call may succeed later.
    pub fn retryable(&self) -> bool {
        self.kind().retryable()
    }
}

#[cfg(feature = "bindings")]
impl From<uniffi::UnexpectedUniFFICallbackError> for EchoError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Error::new(ErrorKind::Callback, error.reason).into()
    }
}
