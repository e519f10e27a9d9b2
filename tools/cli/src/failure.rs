//! What a command that fails reports: to people, to programs, and to the shell.

use echodb::EchoError;
use echodb::model::ErrorKind;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Failure>;

/// A failure in the form that `--json` prints and that crosses the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind's stable name.
    pub status: String,
    /// The status number of the C interface.
    pub code: i32,
    /// A sentence for people.
    pub error: String,
}

impl Failure {
    /// A failure of a kind that the library has too.
    pub fn new(kind: ErrorKind, error: impl Into<String>) -> Self {
        Failure {
            status: kind.name().to_owned(),
            code: kind.status(),
            error: error.into(),
        }
    }

    /// The command or one of its arguments makes no sense.
    pub fn usage(error: impl Into<String>) -> Self {
        Failure::new(ErrorKind::InvalidArgument, error)
    }

    /// A file, stream or socket refused.
    pub fn storage(place: impl fmt::Display, error: impl fmt::Display) -> Self {
        Failure::new(ErrorKind::Storage, format!("{place}: {error}"))
    }

    /// The user interrupted the command.
    pub fn cancelled() -> Self {
        Failure::new(ErrorKind::Cancelled, "cancelled")
    }

    /// The other end of the local socket broke its rules.
    pub fn protocol(error: impl Into<String>) -> Self {
        Failure::new(ErrorKind::Protocol, error)
    }

    /// The reader of standard output went away, as `head` does. Not worth a word.
    pub fn broken_pipe() -> Self {
        Failure::new(ErrorKind::Cancelled, BROKEN_PIPE)
    }

    /// Whether this is [`Failure::broken_pipe`].
    pub fn is_broken_pipe(&self) -> bool {
        self.error == BROKEN_PIPE && self.kind() == Some(ErrorKind::Cancelled)
    }

    /// The kind, if this version knows it.
    pub fn kind(&self) -> Option<ErrorKind> {
        ErrorKind::ALL
            .into_iter()
            .find(|kind| kind.status() == self.code)
    }

    /// The exit code; `--help` and the README list them.
    pub fn exit_code(&self) -> u8 {
        match self.kind() {
            Some(ErrorKind::InvalidArgument) => 2,
            Some(ErrorKind::NotFound) => 3,
            Some(
                ErrorKind::PermissionDenied
                | ErrorKind::InvitationRefused
                | ErrorKind::WrongNonce
                | ErrorKind::WrongAudience
                | ErrorKind::BadSignature
                | ErrorKind::NotCertified
                | ErrorKind::Expired
                | ErrorKind::ChainBroken
                | ErrorKind::Revoked
                | ErrorKind::WrongPassphrase,
            ) => 4,
            Some(ErrorKind::Network | ErrorKind::Protocol | ErrorKind::TimedOut) => 5,
            Some(
                ErrorKind::ProfileLocked
                | ErrorKind::Corrupt
                | ErrorKind::UnsupportedVersion
                | ErrorKind::KeyUnavailable
                | ErrorKind::Storage,
            ) => 6,
            _ => 1,
        }
    }
}

const BROKEN_PIPE: &str = "nobody reads the output any more";

impl From<EchoError> for Failure {
    fn from(error: EchoError) -> Self {
        Failure::new(error.kind(), error.detail())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_as_documented() {
        let code = |kind| Failure::new(kind, "").exit_code();
        assert_eq!(code(ErrorKind::InvalidArgument), 2);
        assert_eq!(code(ErrorKind::NotFound), 3);
        assert_eq!(code(ErrorKind::InvitationRefused), 4);
        assert_eq!(code(ErrorKind::WrongPassphrase), 4);
        assert_eq!(code(ErrorKind::Revoked), 4);
        assert_eq!(code(ErrorKind::TimedOut), 5);
        assert_eq!(code(ErrorKind::KeyUnavailable), 6);
        assert_eq!(code(ErrorKind::ProfileLocked), 6);
        assert_eq!(code(ErrorKind::AlreadyExists), 1);
    }
}
