//! What the facade calls to explain what somebody may do.

use super::space_handle::SpaceHandle;
use crate::api::{Explanation, ExplanationStep};
use crate::authority::{Action, Target};
use crate::model::{DeviceKey, IdentityKey, Result};

impl SpaceHandle {
    /// Why a key may do something, or may not.
    pub fn why(&self, subject: &str, action: &str) -> Result<Explanation> {
        let action = Action::parse(action)?;
        // Both kinds of keys look alike; a device's is one that some member had.
        let (device, identity) = (DeviceKey::parse(subject)?, IdentityKey::parse(subject)?);
        let told = self.host().with(|core| {
            let authority = core.authority();
            let subject = match authority.knows_device(&device) {
                true => Target::Device(device),
                false => Target::Identity(identity),
            };
            Ok(authority.why(&subject, action))
        })?;
        let steps = told.steps.into_iter().map(|step| ExplanationStep {
            entry: step.entry.to_string(),
            text: step.text,
            counts: step.counts,
        });
        Ok(Explanation {
            allowed: told.allowed,
            summary: told.summary,
            steps: steps.collect(),
        })
    }
}
