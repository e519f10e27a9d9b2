//! Members of a space: roles, removal, leaving, and what is told of their changes. Contacts.

use super::error::Result;
use super::{Client, Committed, EchoError, Space, Subscription};
use crate::model::{EntryId, IdentityKey, Role};
use std::sync::Arc;

/// A member of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct Member {
    /// The identity's key.
    pub identity: String,
    /// The name it gave itself.
    pub display_name: String,
    /// `owner`, `admin`, `editor`, `reader` or `relay`.
    pub role: String,
    /// The keys of its devices that act for it.
    pub devices: Vec<String>,
    /// 1 for whom nobody stands above, otherwise one more than the number of members who do. Of
    /// owners the one who has been it longer stands above; other members of one role are equals.
    pub rank: u32,
    /// When this device first heard of it as a member, in milliseconds since 1970 by this device's
    /// clock: for display, other devices have other times. `None` if that was not noted.
    pub joined_ms: Option<i64>,
    /// All its devices, revoked ones included, rising by key.
    pub device_details: Vec<MemberDevice>,
}

/// A device of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct MemberDevice {
    /// The device's key.
    pub device: String,
    /// The name it goes by, empty if it has none.
    pub name: String,
    /// Whether it was revoked: it does not act for the member any more.
    pub revoked: bool,
}

/// What became of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum MemberEventKind {
    /// It joined, or joined again.
    Joined = 1,
    /// Its role is another one.
    RoleChanged = 2,
    /// Somebody else ended its role.
    Removed = 3,
    /// It ended its role itself.
    Left = 4,
    /// It has a role again because the removal that had ended it counts no longer: whoever removed
    /// it was removed at the same time, by somebody who stands higher. Remove it again if that is
    /// not wanted.
    Back = 5,
    /// It has a further device.
    DeviceAdded = 6,
    /// A device of it does not count any more.
    DeviceRevoked = 7,
    /// It is the space's top owner now, whom nobody can remove.
    HandedOver = 8,
    /// The listener was so slow that events before this one were dropped: list the members again. The
    /// identity and its name are empty.
    Missed = 9,
}

/// A change of a space's members.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct MemberEvent {
    /// The space.
    pub space: String,
    /// What happened.
    pub kind: MemberEventKind,
    /// To whom: an identity's key. It may be this device's own identity. Empty of `Missed`.
    pub identity: String,
    /// The name it gave itself.
    pub display_name: String,
    /// The role it has now; `None` for one who is no member.
    pub role: Option<String>,
    /// The role it had before; `None` for one who was no member.
    pub previous_role: Option<String>,
    /// The device's key, of events about a device.
    pub device: Option<String>,
    /// The identity that did it; of `Back` the one whose removal counts no longer. For display:
    /// several may have done the same at the same time.
    pub by: Option<String>,
    /// The name that one gave itself.
    pub by_name: Option<String>,
    /// All of this as a sentence in English, for logs.
    pub text: String,
}

/// Receives what becomes of members, on library threads, one event at a time for each
/// subscription, with no lock held. A listener that fails is logged and kept.
#[cfg_attr(feature = "bindings", uniffi::export(with_foreign))]
pub trait MemberListener: Send + Sync {
    /// Something became of a member; every call made here sees it.
    fn changed(&self, event: MemberEvent) -> std::result::Result<(), EchoError>;
}

/// An identity that shares a space with this one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct Contact {
    /// The identity's key.
    pub identity: String,
    /// The name it gave itself in the first of the spaces where it has one.
    pub display_name: String,
    /// The open spaces in which it is a member, in the order of the profile's list.
    pub spaces: Vec<ContactSpace>,
}

/// A space that a contact is a member of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct ContactSpace {
    /// The space's id.
    pub space: String,
    /// The space's name, empty if it has none.
    pub space_name: String,
    /// The name that the contact gave itself there.
    pub display_name: String,
    /// The contact's role there.
    pub role: String,
}

/// An entry that does not count: written by a member who was denied, or by one who might not write,
/// or built on such. It stays stored, sealed, and counts again if the denial does not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct ExcludedEntry {
    /// The entry.
    pub entry: String,
    /// The device that wrote it.
    pub device: String,
    /// Whose device that is.
    pub identity: String,
    /// Milliseconds since 1970, by its author's clock: a claim, not a fact. `None` while its content
    /// key is not here.
    pub time_ms: Option<i64>,
    /// Why it does not count: a stable code (`denied`, `void`, `not_permitted`,
    /// `builds_on_excluded`), a colon, and a sentence.
    pub reason: String,
    /// The objects that it would change, in id order; empty while its content key is not here.
    pub objects: Vec<String>,
}

/// What [`Space::resubmit`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct Resubmission {
    /// What was written; without an entry if everything had to be left out, or is there already.
    pub committed: Committed,
    /// What was left out.
    pub skipped: Vec<SkippedResubmission>,
}

/// Something that a resubmission left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct SkippedResubmission {
    /// The object.
    pub object: String,
    /// Why, a sentence for people.
    pub reason: String,
}

impl Space {
    /// The members, rising by identity. Those who were removed or left are not among them.
    pub fn members(&self) -> Result<Vec<Member>> {
        Ok(self.handle().members()?)
    }

    /// Gives a member another role: `owner`, `admin`, `editor`, `reader` or `relay`; one who was
    /// removed can be given one again. Takes the role of admin or above and a place above the
    /// member; the new role must be below the own, except that owners may make owners. One's own
    /// role can only be lowered. Does nothing if the member has that role.
    ///
    /// A lower role takes effect at once here, and on every other device as soon as it hears of it.
    /// What the member wrote up to then stays; `docs/guide/members.md` says what becomes of what it
    /// writes without having heard. Fails with `PermissionDenied`, with `NotFound` for an identity
    /// that never joined, and with `InvalidArgument`.
    pub fn set_role(&self, identity: String, role: String) -> Result<()> {
        let identity = IdentityKey::parse(&identity)?;
        Ok(self
            .handle()
            .set_role(&identity, Some(Role::parse(&role)?))?)
    }

    /// Ends a member's role. It gets nothing of this space any more: the next transaction of anybody
    /// is sealed under a new key. What it holds it can go on reading. Needs what
    /// [`Space::set_role`] needs; does nothing for one who is no member any more.
    pub fn remove_member(&self, identity: String) -> Result<()> {
        Ok(self
            .handle()
            .set_role(&IdentityKey::parse(&identity)?, None)?)
    }

    /// Ends this identity's own role. What is here of the space stays, to be read; nothing more
    /// comes. The space's top owner cannot leave, and hands over first: fails with `PermissionDenied`.
    pub fn leave(&self) -> Result<()> {
        Ok(self.handle().leave()?)
    }

    /// Makes another member the space's top owner in this identity's place: the one of rank 1, who can
    /// neither be removed nor step down. One who is no owner yet becomes one first. This identity stays
    /// an owner below all others, and can then leave, step down or be removed. It cannot be taken back,
    /// except by the new top owner's handing over in turn; a space can be handed over 64 times. Of
    /// several owners choose the one who has been it longest: `docs/guide/members.md` says why.
    ///
    /// Fails with `PermissionDenied` for who is not the top owner, with `NotFound` for one who is no
    /// member, with `InvalidArgument` for this identity itself, and with `LimitExceeded`.
    pub fn hand_over(&self, identity: String) -> Result<()> {
        Ok(self.handle().hand_over(&IdentityKey::parse(&identity)?)?)
    }

    /// Calls `listener` for everything that becomes of members from now on, wherever it was done.
    pub fn subscribe_members(
        &self,
        listener: Arc<dyn MemberListener>,
    ) -> Result<Arc<Subscription>> {
        Ok(Subscription::new(
            self.handle().subscribe_members(listener)?,
        ))
    }
}

impl Space {
    /// The entries that do not count, in the order in which they came to this device.
    pub fn excluded(&self) -> Result<Vec<ExcludedEntry>> {
        Ok(self.handle().excluded()?)
    }

    /// Writes what an excluded entry would have changed as a transaction of this identity's own. Takes
    /// the role of admin or above.
    ///
    /// What it would have changed is what differs between the versions before and after it. Where the
    /// version before it is part of an object's history, the change is made at that version and
    /// merges with what happened since, as if it had just arrived. Where it is not, because the entry
    /// builds on others that are excluded, the change is made to the object as it is now: fields are
    /// set, counters are added to, texts are replaced where they differ; what finds no place any more
    /// is left out and reported. Formatting of texts is not brought over. The entry stays excluded;
    /// submitting it twice adds to counters twice. Fails with `PermissionDenied`, with `NotFound`,
    /// and with `InvalidState` for an entry that counts.
    pub fn resubmit(&self, entry: String) -> Result<Resubmission> {
        Ok(self.handle().resubmit(&EntryId::parse(&entry)?)?)
    }
}

impl Client {
    /// The identities that this one shares an open space with, rising by key, its own left out.
    /// Derived from the members of the spaces; nothing is stored.
    pub fn contacts(&self) -> Result<Vec<Contact>> {
        Ok(self.guard().node().contacts()?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// The members, rising by identity. Those who were removed or left are not among them.
    #[uniffi::method(name = "members")]
    pub async fn members_async(self: Arc<Self>) -> Result<Vec<Member>> {
        super::run(move || self.members()).await
    }

    /// Gives a member another role: `owner`, `admin`, `editor`, `reader` or `relay`; one who was
    /// removed can be given one again. Takes the role of admin or above and a place above the
    /// member; the new role must be below the own, except that owners may make owners. One's own
    /// role can only be lowered. Does nothing if the member has that role. Fails with
    /// `PermissionDenied`, with `NotFound` for an identity that never joined, and with
    /// `InvalidArgument`.
    #[uniffi::method(name = "set_role")]
    pub async fn set_role_async(self: Arc<Self>, identity: String, role: String) -> Result<()> {
        super::run(move || self.set_role(identity, role)).await
    }

    /// Ends a member's role. It gets nothing of this space any more: the next transaction of anybody
    /// is sealed under a new key. What it holds it can go on reading. Needs what `set_role` needs;
    /// does nothing for one who is no member any more.
    #[uniffi::method(name = "remove_member")]
    pub async fn remove_member_async(self: Arc<Self>, identity: String) -> Result<()> {
        super::run(move || self.remove_member(identity)).await
    }

    /// Ends this identity's own role. What is here of the space stays, to be read; nothing more
    /// comes. The space's top owner cannot leave, and hands over first: fails with `PermissionDenied`.
    #[uniffi::method(name = "leave")]
    pub async fn leave_async(self: Arc<Self>) -> Result<()> {
        super::run(move || self.leave()).await
    }

    /// Makes another member the space's top owner in this identity's place: the one of rank 1, who can
    /// neither be removed nor step down. One who is no owner yet becomes one first. This identity stays
    /// an owner below all others, and can then leave, step down or be removed. It cannot be taken back,
    /// except by the new top owner's handing over in turn; a space can be handed over 64 times. Fails
    /// with `PermissionDenied` for who is not the top owner, with `NotFound` for one who is no member,
    /// with `InvalidArgument` for this identity itself, and with `LimitExceeded`.
    #[uniffi::method(name = "hand_over")]
    pub async fn hand_over_async(self: Arc<Self>, identity: String) -> Result<()> {
        super::run(move || self.hand_over(identity)).await
    }

    /// Calls `listener` for everything that becomes of members from now on, wherever it was done.
    #[uniffi::method(name = "subscribe_members")]
    pub async fn subscribe_members_async(
        self: Arc<Self>,
        listener: Arc<dyn MemberListener>,
    ) -> Result<Arc<Subscription>> {
        super::run(move || self.subscribe_members(listener)).await
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// The entries that do not count, in the order in which they came to this device.
    #[uniffi::method(name = "excluded")]
    pub async fn excluded_async(self: Arc<Self>) -> Result<Vec<ExcludedEntry>> {
        super::run(move || self.excluded()).await
    }

    /// Writes what an excluded entry would have changed as a transaction of this identity's own:
    /// merged with what happened since where the version before it is part of the history, otherwise
    /// made to the present state as far as it fits. Takes the role of admin or above. The entry
    /// stays excluded; submitting it twice adds to counters twice. Fails with `PermissionDenied`,
    /// `NotFound`, and `InvalidState` for an entry that counts.
    #[uniffi::method(name = "resubmit")]
    pub async fn resubmit_async(self: Arc<Self>, entry: String) -> Result<Resubmission> {
        super::run(move || self.resubmit(entry)).await
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Client {
    /// The identities that this one shares an open space with, rising by key, its own left out.
    /// Derived from the members of the spaces; nothing is stored.
    #[uniffi::method(name = "contacts")]
    pub async fn contacts_async(self: Arc<Self>) -> Result<Vec<Contact>> {
        super::run(move || self.contacts()).await
    }
}
