//! Logging: each client writes to the sink it was opened with, so that two clients in one process
//! do not share state. Records name ids, never the content of objects or any key.

use super::EchoError;

/// How much a sink wants to hear; each level includes the ones above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum LogLevel {
    /// Nothing.
    Off = 0,
    /// A defect, or data that cannot be kept.
    Error = 1,
    /// Something a user may have to act on.
    #[default]
    Warn = 2,
    /// Life-cycle: opened, connected, paired.
    Info = 3,
    /// What a developer of an application wants to see.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

/// One log line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct LogRecord {
    /// Its level.
    pub level: LogLevel,
    /// The part of the library that speaks, for example `swarm`.
    pub target: String,
    /// The line, without a newline.
    pub text: String,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

/// Receives log records on library threads, with no lock held. An error or exception is ignored.
#[cfg_attr(feature = "bindings", uniffi::export(with_foreign))]
pub trait LogSink: Send + Sync {
    /// One record.
    fn log(&self, record: LogRecord) -> Result<(), EchoError>;
}
