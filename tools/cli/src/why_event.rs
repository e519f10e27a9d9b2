//! What `why` reports.

use serde::{Deserialize, Serialize};

/// See [`crate::event::Event::Why`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Why {
    /// The space.
    pub space: String,
    /// Whether it may.
    pub allowed: bool,
    /// The answer in a sentence.
    pub summary: String,
    /// What led to it.
    pub steps: Vec<WhyStep>,
}

/// An operation that led to the answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WhyStep {
    /// The control entry.
    pub entry: String,
    /// What it did.
    pub text: String,
    /// Whether it counts.
    pub counts: bool,
}
