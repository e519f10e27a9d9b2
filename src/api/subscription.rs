//! Subscriptions: changes of a space, local and remote, as they are committed.

use super::EchoError;
use crate::runtime::events::Registration;
use std::sync::Arc;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum ChangeKind {
    /// It is new, or matches the filter now and did not before.
    Added = 1,
    /// It changed.
    Updated = 2,
    /// It was deleted, or no longer matches the filter.
    Removed = 3,
}

impl ChangeKind {
    /// What this and something later, gathered into one change, come to: `Added` then `Updated`
    /// stays `Added`; whoever has not heard of a removal need not hear of the object's return.
    pub(crate) fn then(self, later: ChangeKind) -> ChangeKind {
        match (self, later) {
            (ChangeKind::Added, ChangeKind::Updated) => ChangeKind::Added,
            (ChangeKind::Removed, ChangeKind::Added) => ChangeKind::Updated,
            (_, later) => later,
        }
    }
}

/// Who changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum ChangeOrigin {
    /// This client.
    Local = 1,
    /// A peer.
    Remote = 2,
}

/// One changed object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct Change {
    /// The object's id.
    pub id: String,
    /// Its type name, if any.
    pub type_name: Option<String>,
    /// What happened.
    pub kind: ChangeKind,
    /// Who did it; when several changes were gathered, the last.
    pub origin: ChangeOrigin,
}

/// The changes since the last delivery. When a listener is slow, changes of one object are
/// gathered, so that a batch never names an object twice and memory stays bounded by the number
/// of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct ChangeBatch {
    /// The space.
    pub space: String,
    /// The objects, in id order.
    pub changes: Vec<Change>,
}

/// Receives batches on library threads, one at a time for each subscription, with no lock held. A
/// listener that fails is logged and kept.
#[cfg_attr(feature = "bindings", uniffi::export(with_foreign))]
pub trait ChangeListener: Send + Sync {
    /// Committed changes; every call made here sees them.
    fn changed(&self, batch: ChangeBatch) -> Result<(), EchoError>;
}

/// A running subscription; dropping it ends it, without waiting for a delivery under way.
#[cfg_attr(feature = "bindings", derive(uniffi::Object))]
pub struct Subscription {
    registration: Registration,
}

impl Subscription {
    pub(crate) fn new(registration: Registration) -> Arc<Self> {
        Arc::new(Subscription { registration })
    }
}

#[cfg_attr(feature = "bindings", uniffi::export)]
impl Subscription {
    /// Ends the subscription. When this returns, the listener is not running and will not run
    /// again; called from within the listener, it returns at once and this delivery is the last.
    pub fn cancel(&self) {
        self.registration.cancel();
    }
}
