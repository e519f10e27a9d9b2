//! What a measurement comes to.

use serde::Serialize;
use std::time::{Duration, Instant};

/// The result of anything here.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// One result.
#[derive(Serialize)]
pub struct Row {
    name: String,
    value: f64,
    unit: String,
    bound: String,
    bound_value: f64,
    ratio: f64,
    runs: usize,
}

impl Row {
    /// The same under a name that says more.
    pub fn named(mut self, more: &str) -> Row {
        self.name = format!("{}_{more}", self.name);
        self
    }

    /// A result and what it is measured against, each the median of as many runs.
    pub fn new(name: &str, unit: &str, values: &[f64], bound: &str, bounds: &[f64]) -> Row {
        let (value, bound_value) = (median(values), median(bounds));
        Row {
            name: name.into(),
            value,
            unit: unit.into(),
            bound: bound.into(),
            bound_value,
            ratio: value / bound_value,
            runs: values.len(),
        }
    }
}

/// The value in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[len / 2],
        len => (sorted[len / 2 - 1] + sorted[len / 2]) / 2.0,
    }
}

/// How long something takes, in milliseconds.
pub fn time<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(T, f64)> {
    let start = Instant::now();
    let value = work()?;
    Ok((value, millis(start.elapsed())))
}

/// A duration in milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
