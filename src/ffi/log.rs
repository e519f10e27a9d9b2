//! Log records on their way to the program.

use super::callback::Gate;
use crate::api::{EchoError, LogLevel, LogRecord, LogSink};
use std::ffi::{c_char, c_void};

/// Nothing is logged.
pub const ECHODB_LOG_OFF: i32 = 0;
/// A defect, or data that cannot be kept.
pub const ECHODB_LOG_ERROR: i32 = 1;
/// Something a user may have to act on.
pub const ECHODB_LOG_WARN: i32 = 2;
/// Life-cycle: opened, connected, paired.
pub const ECHODB_LOG_INFO: i32 = 3;
/// What a developer of an application wants to see.
pub const ECHODB_LOG_DEBUG: i32 = 4;
/// Everything.
pub const ECHODB_LOG_TRACE: i32 = 5;

/// Receives one log record, on any library thread and perhaps on several at once. `target` names
/// the part of the library that speaks, `text` is one line without its newline; both are UTF-8,
/// not NUL-terminated, and live until the callback returns. `time_ms` counts from 1970. The
/// callback must not throw, and must not free the client.
pub type echodb_log_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        level: i32,
        time_ms: u64,
        target: *const c_char,
        target_len: usize,
        text: *const c_char,
        text_len: usize,
    ),
>;

/// The function without its option.
pub(super) type LogFunction =
    unsafe extern "C" fn(*mut c_void, i32, u64, *const c_char, usize, *const c_char, usize);

/// The sink of one client.
pub(super) struct Sink(pub(super) Gate<LogFunction>);

impl LogSink for Sink {
    fn log(&self, record: LogRecord) -> Result<(), EchoError> {
        self.0.call(|function, data| {
            let (target, text) = (record.target.as_bytes(), record.text.as_bytes());
            // SAFETY: the gate is open, so the program's function and data are good, and both
            // strings outlive the call.
            unsafe {
                function(
                    data,
                    record.level as i32,
                    record.time_ms,
                    target.as_ptr().cast(),
                    target.len(),
                    text.as_ptr().cast(),
                    text.len(),
                );
            }
        });
        Ok(())
    }
}

/// Checks a level.
pub(super) fn level(number: i32) -> super::Result<LogLevel> {
    match number {
        ECHODB_LOG_OFF => Ok(LogLevel::Off),
        ECHODB_LOG_ERROR => Ok(LogLevel::Error),
        ECHODB_LOG_WARN => Ok(LogLevel::Warn),
        ECHODB_LOG_INFO => Ok(LogLevel::Info),
        ECHODB_LOG_DEBUG => Ok(LogLevel::Debug),
        ECHODB_LOG_TRACE => Ok(LogLevel::Trace),
        _ => Err(super::invalid(format!("{number} is not a log level"))),
    }
}
