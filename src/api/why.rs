//! Why somebody may do something in a space, or may not.

use super::Space;
use super::error::Result;
#[cfg(feature = "bindings")]
use std::sync::Arc;

/// Why somebody may do something in a space, or may not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct Explanation {
    /// Whether it may, as far as this device has heard.
    pub allowed: bool,
    /// The answer in one English sentence.
    pub summary: String,
    /// The operations that led to it, in an order in which they can have happened: who invited
    /// whom, which role came when, what denied it. Each builds on what is above, or is concurrent
    /// with it.
    pub steps: Vec<ExplanationStep>,
}

/// An operation that an explanation names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct ExplanationStep {
    /// The id of the control entry that holds it.
    pub entry: String,
    /// What it did, as an English sentence; of one that does not count also why not. Members are
    /// called by the names that they gave themselves and the first eight characters of their keys.
    pub text: String,
    /// Whether it counts: whoever stands higher voids what the denied do at the same time.
    pub counts: bool,
}

impl Space {
    /// Why an identity or a device may do something here, or may not. `subject` is the key of an
    /// identity or of a device, in the form in which [`Space::members`] gives them; `action` is
    /// `open` (take part at all), `read`, `write`, `invite` or `administer` (give and take roles).
    ///
    /// For people: the sentences may change from version to version. Reads what is here, so the
    /// answer may differ on a device that has heard less or more. Somebody unknown gets an
    /// explanation too. Fails with `InvalidArgument` for what is no key or no action.
    pub fn why(&self, subject: String, action: String) -> Result<Explanation> {
        Ok(self.handle().why(&subject, &action)?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// Why an identity or a device may do something here, or may not. `subject` is the key of an
    /// identity or of a device, in the form in which `members` gives them; `action` is `open` (take
    /// part at all), `read`, `write`, `invite` or `administer` (give and take roles).
    ///
    /// For people: the sentences may change from version to version. Reads what is here, so the
    /// answer may differ on a device that has heard less or more. Somebody unknown gets an
    /// explanation too. Fails with `InvalidArgument` for what is no key or no action.
    #[uniffi::method(name = "why")]
    pub async fn why_async(
        self: Arc<Self>,
        subject: String,
        action: String,
    ) -> Result<Explanation> {
        super::run(move || self.why(subject, action)).await
    }
}
