//! A token bucket.

use tokio::time::Instant;

/// Grants `rate` units a second, and `burst` at once.
pub(crate) struct Bucket {
    rate: f64,
    burst: f64,
    level: f64,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn new(rate: u32, burst: u32) -> Self {
        Bucket {
            rate: f64::from(rate),
            burst: f64::from(burst),
            level: f64::from(burst),
            filled: Instant::now(),
        }
    }

    /// Takes `units`, or nothing if there are not so many.
    pub(crate) fn take(&mut self, units: usize) -> bool {
        let now = Instant::now();
        let gained = now.duration_since(self.filled).as_secs_f64() * self.rate;
        self.level = (self.level + gained).min(self.burst);
        self.filled = now;
        let units = units as f64;
        if self.level < units {
            return false;
        }
        self.level -= units;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn grants_the_burst_then_the_rate() {
        let mut bucket = Bucket::new(10, 3);
        assert!((0..3).all(|_| bucket.take(1)));
        assert!(!bucket.take(1));
        tokio::time::sleep(Duration::from_millis(120)).await;
        assert!(bucket.take(1));
        assert!(!bucket.take(1));
    }
}
