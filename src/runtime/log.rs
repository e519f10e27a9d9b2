//! Where a client's log lines go.

use super::clock;
use crate::api::{LogLevel, LogRecord, LogSink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A client's log. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    sink: Option<Arc<dyn LogSink>>,
    level: LogLevel,
}

impl Log {
    /// A log that passes records up to `level` to `sink`.
    pub fn new(sink: Option<Arc<dyn LogSink>>, level: LogLevel) -> Log {
        Log { sink, level }
    }

    /// Writes a line; `text` is only made if somebody listens. A sink that fails or panics is
    /// ignored and kept: there is nowhere to report it, and the task that spoke must go on.
    pub fn write(&self, level: LogLevel, target: &str, text: impl FnOnce() -> String) {
        let Some(sink) = self.sink.as_ref().filter(|_| level <= self.level) else {
            return;
        };
        let record = LogRecord {
            level,
            target: target.to_owned(),
            text: text(),
            time_ms: clock::now_ms(),
        };
        let _ = catch_unwind(AssertUnwindSafe(|| sink.log(record)));
    }

    /// A line of level `Warn`.
    pub fn warn(&self, target: &str, text: impl FnOnce() -> String) {
        self.write(LogLevel::Warn, target, text);
    }

    /// A line of level `Info`.
    pub fn info(&self, target: &str, text: impl FnOnce() -> String) {
        self.write(LogLevel::Info, target, text);
    }

    /// A line of level `Debug`.
    pub fn debug(&self, target: &str, text: impl FnOnce() -> String) {
        self.write(LogLevel::Debug, target, text);
    }
}
