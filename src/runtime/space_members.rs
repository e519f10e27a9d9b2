//! What the facade calls about members, contacts and what was excluded.

use super::clock;
use super::events::Registration;
use super::executor;
use super::node::Node;
use super::space_handle::{SpaceHandle, committed};
use crate::api::{
    Contact, ContactSpace, ExcludedEntry, Member, MemberDevice, MemberEvent, MemberEventKind,
    MemberListener, Resubmission, SkippedResubmission, SpaceState,
};
use crate::model::{EntryId, Error, IdentityKey, ObjectId, Result, Role, SpaceId, signed};
use crate::space::{self, MemberChange, MemberInfo, SpaceCore};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long the session with a removed member lives on, for it to hear of its removal.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl SpaceHandle {
    /// The members.
    pub fn members(&self) -> Result<Vec<Member>> {
        let members = self.host().with(|core| Ok(core.members()))?;
        Ok(members.into_iter().filter_map(member).collect())
    }

    /// Gives or takes a role.
    pub fn set_role(&self, identity: &IdentityKey, role: Option<Role>) -> Result<()> {
        self.decide(|core| core.set_role(identity, role))
    }

    /// Ends the own role.
    pub fn leave(&self) -> Result<()> {
        self.decide(SpaceCore::leave)
    }

    /// Makes a member the top owner.
    pub fn hand_over(&self, identity: &IdentityKey) -> Result<()> {
        self.decide(|core| core.hand_over(identity))
    }

    /// Makes a new content key.
    pub fn rotate_key(&self) -> Result<()> {
        self.decide(SpaceCore::renew_key)
    }

    /// Gives a member the keys of what was written before its time.
    pub fn share_history(&self, identity: &IdentityKey) -> Result<bool> {
        self.decide(|core| core.share_history(identity))
    }

    fn decide<T>(&self, work: impl FnOnce(&mut SpaceCore) -> Result<T>) -> Result<T> {
        self.node().check_open()?;
        let done = self.host().with_settled(work)?;
        self.host().announce_control();
        self.node().part_with_strangers();
        Ok(done)
    }

    /// What does not count.
    pub fn excluded(&self) -> Result<Vec<ExcludedEntry>> {
        let excluded = self.host().with(|core| core.excluded())?;
        let listed = excluded.into_iter().map(|info| ExcludedEntry {
            entry: info.entry.to_string(),
            device: info.device.to_string(),
            identity: info.identity.to_string(),
            time_ms: info.clock_ms.map(signed),
            reason: info.reason,
            objects: info.objects.iter().map(ObjectId::to_string).collect(),
        });
        Ok(listed.collect())
    }

    /// Writes an excluded entry again.
    pub fn resubmit(&self, entry: &EntryId) -> Result<Resubmission> {
        self.node().check_open()?;
        let done = self
            .host()
            .write_with(|core| core.resubmit(entry, clock::now_ms()).map(Some))?;
        let (outcome, again) =
            done.ok_or_else(|| Error::internal("a resubmission came to nothing"))?;
        let skipped = again.skipped.into_iter();
        Ok(Resubmission {
            committed: committed(outcome),
            skipped: skipped
                .map(|(object, reason)| SkippedResubmission {
                    object: object.to_string(),
                    reason,
                })
                .collect(),
        })
    }

    /// Subscribes to changes of the members.
    pub fn subscribe_members(&self, listener: Arc<dyn MemberListener>) -> Result<Registration> {
        self.node().check_open()?;
        let log = self.host().log().clone();
        Ok(self.host().members().subscribe(listener, log))
    }
}

fn member(info: MemberInfo) -> Option<Member> {
    let entry = info.entry;
    let live = entry.devices.iter().filter(|device| !device.revoked);
    Some(Member {
        identity: entry.identity.to_string(),
        display_name: entry.display_name,
        role: entry.role?.name().to_owned(),
        devices: live.map(|device| device.device.to_string()).collect(),
        rank: entry.rank,
        joined_ms: info.joined_ms,
        device_details: entry
            .devices
            .iter()
            .map(|device| MemberDevice {
                device: device.device.to_string(),
                name: device.name.clone(),
                revoked: device.revoked,
            })
            .collect(),
    })
}

/// An event as programs see it.
pub fn event(space: &SpaceId, event: space::MemberEvent) -> MemberEvent {
    let text = sentence(&event);
    let role = |role: Option<Role>| role.map(|role| role.name().to_owned());
    let (by, by_name) = event.by.unzip();
    MemberEvent {
        space: space.to_string(),
        kind: match event.change {
            MemberChange::Joined => MemberEventKind::Joined,
            MemberChange::RoleChanged => MemberEventKind::RoleChanged,
            MemberChange::Removed => MemberEventKind::Removed,
            MemberChange::Left => MemberEventKind::Left,
            MemberChange::Back => MemberEventKind::Back,
            MemberChange::DeviceAdded => MemberEventKind::DeviceAdded,
            MemberChange::DeviceRevoked => MemberEventKind::DeviceRevoked,
            MemberChange::HandedOver => MemberEventKind::HandedOver,
        },
        identity: event.identity.to_string(),
        display_name: event.name,
        role: role(event.role),
        previous_role: role(event.was),
        device: event.device.map(|device| device.to_string()),
        by: by.map(|by| by.to_string()),
        by_name,
        text,
    }
}

fn sentence(event: &space::MemberEvent) -> String {
    let named = |name: &str, identity: &IdentityKey| match name {
        "" => identity.to_string(),
        name => name.to_owned(),
    };
    let who = named(&event.name, &event.identity);
    let by = event.by.as_ref();
    let other = by.filter(|(identity, _)| *identity != event.identity);
    let by_other = other.map_or_else(String::new, |(identity, name)| {
        format!(" by {}", named(name, identity))
    });
    let role = event.role.map_or("no member", Role::name);
    match event.change {
        MemberChange::Joined => format!("{who} joined as {role}"),
        MemberChange::RoleChanged => format!("{who} was made {role}{by_other}"),
        MemberChange::Removed if event.undone => {
            format!("{who} is no member any more: what let them in was undone{by_other}")
        }
        MemberChange::Removed => format!("{who} was removed{by_other}"),
        MemberChange::Left => format!("{who} left"),
        MemberChange::Back => {
            format!("{who} is back because the removal{by_other} counts no longer")
        }
        MemberChange::DeviceAdded => format!("{who} has a further device"),
        MemberChange::DeviceRevoked => format!("a device of {who} was revoked{by_other}"),
        MemberChange::HandedOver => {
            let before = by.map_or_else(String::new, |(identity, name)| named(name, identity));
            format!("{who} is top owner of the space now, in place of {before}")
        }
    }
}

impl Node {
    /// Ends sessions with devices that were members of something and are of nothing any more, once
    /// they had time to hear why.
    pub fn part_with_strangers(&self) {
        for session in self.sessions() {
            let device = session.device();
            let mut removed = false;
            let mut shared = false;
            for host in self.hosts() {
                let looked = host.with(|core| {
                    let authority = core.authority();
                    removed |= authority.was_member(&device);
                    Ok(authority.role_of_device(&device).is_some())
                });
                // Of a space that is closed here nothing is known.
                shared |= looked.unwrap_or(true);
            }
            if let (true, false, Ok(executor)) = (removed, shared, executor::handle()) {
                executor.spawn(async move {
                    tokio::time::sleep(LAST_WORDS).await;
                    session.close().await;
                });
            }
        }
    }

    /// The identities met in the open spaces.
    pub fn contacts(&self) -> Result<Vec<Contact>> {
        self.check_open()?;
        let own = self.identity().map(|own| own.identity);
        let mut contacts: BTreeMap<IdentityKey, Contact> = BTreeMap::new();
        for host in self.hosts() {
            let (state, space_name) = host.summary();
            if state != SpaceState::Ready {
                continue;
            }
            for member in host.with(|core| Ok(core.authority().members()))? {
                let identity = member.identity.to_string();
                if own.as_ref() == Some(&identity) {
                    continue;
                }
                let contact = contacts.entry(member.identity).or_insert_with(|| Contact {
                    identity,
                    display_name: String::new(),
                    spaces: Vec::new(),
                });
                if contact.display_name.is_empty() {
                    contact.display_name.clone_from(&member.display_name);
                }
                contact.spaces.push(ContactSpace {
                    space: host.id().to_string(),
                    space_name: space_name.clone(),
                    display_name: member.display_name,
                    role: member.role.name().to_owned(),
                });
            }
        }
        Ok(contacts.into_values().collect())
    }
}

/// Brings what was told of members up to date and says what is new.
pub fn news(space: &SpaceId, core: &mut SpaceCore) -> Result<Vec<MemberEvent>> {
    let events = core.member_events(clock::now_ms())?.into_iter();
    Ok(events.map(|found| event(space, found)).collect())
}

/// What stands for events that were dropped.
pub fn missed(space: String) -> MemberEvent {
    MemberEvent {
        space,
        kind: MemberEventKind::Missed,
        identity: String::new(),
        display_name: String::new(),
        role: None,
        previous_role: None,
        device: None,
        by: None,
        by_name: None,
        text: "some events were missed: list the members again".to_owned(),
    }
}
