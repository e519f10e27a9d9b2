//! Members: their roles, given and taken here, and what is told of every change of theirs, wherever
//! it was made.

use super::space_core::{SpaceCore, meta};
use super::store::Store;
use crate::authority::{ControlOp, RosterEntry};
use crate::feed::codec::{Reader, put_bytes};
use crate::model::{
    DeviceKey, EntryId, Error, ErrorKind, IdentityKey, Result, Role, limits, signed,
};
use std::collections::BTreeMap;

/// The version of the record; version 1 did not say who the top owner is.
const VERSION: u8 = 2;

/// Stands for nobody in the record.
const NOBODY: IdentityKey = IdentityKey([0; 32]);

/// What became of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// It joined, or joined again.
    Joined,
    /// Its role is another one.
    RoleChanged,
    /// Somebody else ended its role.
    Removed,
    /// It ended its role itself.
    Left,
    /// It has a role again because what had ended it counts no longer.
    Back,
    /// It has a further device.
    DeviceAdded,
    /// A device of it does not count any more.
    DeviceRevoked,
    /// It is the top owner now, in another's place.
    HandedOver,
}

/// A change of the members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberEvent {
    /// What happened.
    pub change: MemberChange,
    /// To whom.
    pub identity: IdentityKey,
    /// The name it goes by.
    pub name: String,
    /// The role it has now.
    pub role: Option<Role>,
    /// The role it had.
    pub was: Option<Role>,
    /// The device, if it is about one.
    pub device: Option<DeviceKey>,
    /// Who did it; for one who is back, whose removal no longer counts.
    pub by: Option<(IdentityKey, String)>,
    /// For one who was removed: nobody took its role, but what had given it counts no longer.
    pub undone: bool,
}

/// A member, or one who was.
#[derive(Clone, Debug)]
pub struct MemberInfo {
    /// What the control entries say.
    pub entry: RosterEntry,
    /// When this device first heard of it as a member, by its own clock.
    pub joined_ms: Option<i64>,
}

/// What was told of the members so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    members: BTreeMap<IdentityKey, ToldMember>,
    top: Option<IdentityKey>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ToldMember {
    role: Option<Role>,
    decided_by: EntryId,
    joined_ms: u64,
    /// Whether each is revoked.
    devices: BTreeMap<DeviceKey, bool>,
}

impl SpaceCore {
    /// Gives an identity a role, or takes the one it has. Does nothing if it has exactly that.
    /// Fails with `NotFound` for one who never joined, and with `PermissionDenied` where the rules
    /// do (research: auth.md 3(b)).
    pub fn set_role(&mut self, identity: &IdentityKey, role: Option<Role>) -> Result<()> {
        let known = self.authority.roster();
        let Some(member) = known.iter().find(|entry| entry.identity == *identity) else {
            return Err(Error::not_found(format!(
                "{identity} never joined this space: invite it"
            )));
        };
        if member.role == role {
            return Ok(());
        }
        self.require(Role::Relay, "changing roles")?;
        // What it wrote up to here stays; a higher role takes nothing away.
        let heads = match role < member.role {
            true => self.data_heads_of(|header| header.identity == *identity),
            false => Vec::new(),
        };
        self.author_control(&ControlOp::SetRole {
            identity: *identity,
            role,
            heads,
        })?;
        self.replace_known_keys();
        Ok(())
    }

    /// Ends our own role. What is here stays, to be read. The top owner hands over first.
    pub fn leave(&mut self) -> Result<()> {
        let own = self.keyring.identity_key();
        self.require(Role::Relay, "leaving")?;
        if self.authority.top() == Some(own) {
            return Err(Error::new(
                ErrorKind::PermissionDenied,
                "the space's top owner cannot leave: hand it over to another member first",
            ));
        }
        self.set_role(&own, None)
    }

    /// Makes a member the top owner in our place; one who is no owner yet becomes one first. Fails
    /// with `PermissionDenied` unless we are the top owner, with `NotFound` for one who is no member,
    /// with `InvalidArgument` for ourselves, and with `LimitExceeded` when it was done too often.
    pub fn hand_over(&mut self, identity: &IdentityKey) -> Result<()> {
        let own = self.keyring.identity_key();
        self.require(Role::Relay, "handing the space over")?;
        if self.authority.top() != Some(own) {
            return Err(Error::new(
                ErrorKind::PermissionDenied,
                "only the space's top owner, the member of rank 1, can hand it over",
            ));
        }
        if *identity == own {
            return Err(Error::invalid("the space is this identity's own already"));
        }
        let Some(role) = self.authority.role(identity) else {
            return Err(Error::not_found(format!(
                "{identity} is no member of this space: invite it, then hand over"
            )));
        };
        if self.authority.is_handed_over_out() {
            return Err(Error::limit(format!(
                "the space was handed over {} times, which is as often as it can be",
                limits::SUCCESSIONS
            )));
        }
        if role != Role::Owner {
            self.set_role(identity, Some(Role::Owner))?;
        }
        let identity = *identity;
        self.author_control(&ControlOp::Succession { identity })
            .map(drop)
    }

    /// Everybody who has a role or had one, rising by identity.
    pub fn members(&self) -> Vec<MemberInfo> {
        let roster = self.authority.roster().into_iter();
        let info = |entry: RosterEntry| {
            let told = self.told.members.get(&entry.identity);
            MemberInfo {
                joined_ms: told.map(|told| signed(told.joined_ms)),
                entry,
            }
        };
        roster.map(info).collect()
    }

    /// Whether this device belonged to the space and does not any more.
    pub fn is_removed(&self) -> bool {
        let device = self.keyring.device_key();
        self.role.is_none() && self.authority.was_member(&device)
    }

    /// The arrivals of the control entries that a removed device is still told.
    pub fn farewell(&self, device: &DeviceKey) -> Result<Vec<i64>> {
        let told = self.authority.farewell(device);
        if told.is_empty() {
            return Ok(Vec::new());
        }
        let entries = self.store.control_entries()?.into_iter();
        Ok(entries
            .filter(|entry| told.contains(&entry.id))
            .map(|entry| entry.n)
            .collect())
    }

    /// Whether control entries were applied since the members were looked at last.
    pub fn members_due(&self) -> bool {
        self.members_due
    }

    /// What became of the members since this was asked last, by this or an earlier process. What is
    /// told is stored, so that nothing is told twice.
    pub fn member_events(&mut self, now_ms: u64) -> Result<Vec<MemberEvent>> {
        let roster = self.authority.roster();
        let mut told = Told {
            top: self.authority.top(),
            ..Told::default()
        };
        let mut events = Vec::new();
        let names: BTreeMap<IdentityKey, &str> = roster
            .iter()
            .map(|entry| (entry.identity, entry.display_name.as_str()))
            .collect();
        for entry in &roster {
            let before = self.told.members.get(&entry.identity);
            self.compare(entry, before, &names, &mut events)?;
            let member = ToldMember::new(entry, before, now_ms);
            told.members.insert(entry.identity, member);
            events.extend(self.handed_over(entry, told.top, &names));
        }
        if told == self.told {
            self.members_due = false;
            return Ok(Vec::new());
        }
        let first = self.told.members.is_empty();
        self.store.put_meta(meta::MEMBERS, &told.encode())?;
        self.told = told;
        self.members_due = false;
        // Whoever has just come knows nobody yet: that is no news of anybody.
        Ok(if first { Vec::new() } else { events })
    }

    fn compare(
        &self,
        entry: &RosterEntry,
        before: Option<&ToldMember>,
        names: &BTreeMap<IdentityKey, &str>,
        events: &mut Vec<MemberEvent>,
    ) -> Result<()> {
        let was = before.and_then(|before| before.role);
        let mut by = self.author_of(entry.decided_by.as_ref())?;
        let change = match (was, entry.role) {
            (None, Some(_)) => match self.returned(entry, before) {
                Some(removal) => {
                    by = self.author_of(Some(&removal))?;
                    Some(MemberChange::Back)
                }
                None => Some(MemberChange::Joined),
            },
            (Some(_), None) if by == Some(entry.identity) => Some(MemberChange::Left),
            (Some(_), None) => Some(MemberChange::Removed),
            (was, role) if was != role => Some(MemberChange::RoleChanged),
            _ => None,
        };
        let mut tell = |change, device, by: Option<IdentityKey>| {
            let name = |who| names.get(&who).copied().unwrap_or_default().to_owned();
            events.push(MemberEvent {
                change,
                identity: entry.identity,
                name: entry.display_name.clone(),
                role: entry.role,
                was,
                device,
                by: by.map(|who| (who, name(who))),
                undone: change == MemberChange::Removed && entry.undone,
            });
        };
        let joined = change == Some(MemberChange::Joined);
        if let Some(change) = change {
            tell(change, None, by);
        }
        for device in &entry.devices {
            let known = before.and_then(|before| before.devices.get(&device.device));
            let by = self.author_of(device.decided_by.as_ref())?;
            match (known, device.revoked) {
                // Whoever joins brings devices along.
                (None, false) if !joined => {
                    tell(MemberChange::DeviceAdded, Some(device.device), by);
                }
                (Some(false), true) => {
                    tell(MemberChange::DeviceRevoked, Some(device.device), by);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What is told of the new top owner. Whoever was it is the one who handed over, or whose
    /// successor does not count any more.
    fn handed_over(
        &self,
        entry: &RosterEntry,
        top: Option<IdentityKey>,
        names: &BTreeMap<IdentityKey, &str>,
    ) -> Option<MemberEvent> {
        let before = self.told.top.filter(|before| Some(*before) != top)?;
        let name = names.get(&before).copied().unwrap_or_default().to_owned();
        (top == Some(entry.identity)).then(|| MemberEvent {
            change: MemberChange::HandedOver,
            identity: entry.identity,
            name: entry.display_name.clone(),
            role: entry.role,
            was: entry.role,
            device: None,
            by: Some((before, name)),
            undone: false,
        })
    }

    /// The removal that counts no longer, if that is why the identity has a role again: what gives
    /// the role was not written by somebody who knew of the removal.
    fn returned(&self, entry: &RosterEntry, before: Option<&ToldMember>) -> Option<EntryId> {
        let removal = before?.decided_by;
        let decided_by = entry.decided_by?;
        let anew = self.authority.knows(&[decided_by], &removal)?;
        (!anew).then_some(removal)
    }

    fn author_of(&self, entry: Option<&EntryId>) -> Result<Option<IdentityKey>> {
        let Some(entry) = entry else {
            return Ok(None);
        };
        let place = self.store.entry_place(entry)?;
        let feed = place.and_then(|(feed, _)| self.feeds.get(&feed));
        Ok(feed.map(|feed| feed.header.identity))
    }
}

impl ToldMember {
    fn new(entry: &RosterEntry, before: Option<&ToldMember>, now_ms: u64) -> ToldMember {
        let devices = entry.devices.iter();
        ToldMember {
            role: entry.role,
            decided_by: entry.decided_by.unwrap_or(EntryId::ZERO),
            joined_ms: before.map_or(now_ms, |before| before.joined_ms),
            devices: devices.map(|d| (d.device, d.revoked)).collect(),
        }
    }
}

impl Told {
    /// What was told before this process. What cannot be read is as if nothing had been.
    pub fn load(store: &dyn Store) -> Result<Told> {
        let stored = store.meta(meta::MEMBERS)?;
        let told = stored.and_then(|bytes| Told::decode(&bytes).ok());
        Ok(told.unwrap_or_default())
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(self.top.unwrap_or(NOBODY).as_bytes());
        for (identity, member) in &self.members {
            let mut record = identity.as_bytes().to_vec();
            record.push(member.role.map_or(0, |role| role as u8));
            record.extend_from_slice(member.decided_by.as_bytes());
            record.extend_from_slice(&member.joined_ms.to_le_bytes());
            for (device, revoked) in &member.devices {
                record.extend_from_slice(device.as_bytes());
                record.push(u8::from(*revoked));
            }
            put_bytes(&mut out, &record);
        }
        out
    }

    fn decode(bytes: &[u8]) -> Result<Told> {
        let mut reader = Reader::new(bytes, "record of members");
        let mut told = Told::default();
        match reader.u8()? {
            1 => {}
            VERSION => told.top = Some(IdentityKey(reader.array()?)).filter(|top| *top != NOBODY),
            other => return Err(Error::corrupt(format!("members of version {other}"))),
        }
        while reader.remaining() > 0 {
            let record = reader.bytes(bytes.len())?;
            let mut record = Reader::new(record, "record of a member");
            let identity = IdentityKey(record.array()?);
            let role = Role::from_number(u32::from(record.u8()?));
            let decided_by = EntryId(record.array()?);
            let joined_ms = record.u64()?;
            let mut devices = BTreeMap::new();
            while record.remaining() > 0 {
                devices.insert(DeviceKey(record.array()?), record.u8()? != 0);
            }
            let member = ToldMember {
                role,
                decided_by,
                joined_ms,
                devices,
            };
            told.members.insert(identity, member);
        }
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_read_back() {
        let member = |role, devices: &[(u8, bool)]| ToldMember {
            role,
            decided_by: EntryId([7; 32]),
            joined_ms: 1_763_864_160_000,
            devices: devices
                .iter()
                .map(|(n, revoked)| (DeviceKey([*n; 32]), *revoked))
                .collect(),
        };
        let members = BTreeMap::from([
            (
                IdentityKey([1; 32]),
                member(Some(Role::Owner), &[(1, false), (2, true)]),
            ),
            (IdentityKey([2; 32]), member(None, &[])),
        ]);
        let mut told = Told {
            members,
            top: Some(IdentityKey([1; 32])),
        };
        let bytes = told.encode();
        assert_eq!(Told::decode(&bytes).unwrap(), told);
        // Version 1 had everything but the top owner.
        let old = [&[1], &bytes[33..]].concat();
        told.top = None;
        assert_eq!(Told::decode(&old).unwrap(), told);
        assert_eq!(Told::decode(&told.encode()).unwrap(), told);
        for end in 0..bytes.len() {
            assert_ne!(Told::decode(&bytes[..end]).ok().as_ref(), Some(&told));
        }
    }
}
