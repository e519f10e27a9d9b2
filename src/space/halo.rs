//! The objects of a HALO space: what an identity's devices tell each other. One object for each
//! space of the identity, one for each device, and one for the identity itself; `docs/formats/halo.md`
//! describes them. They are objects like any other, so that two devices that write apart end up
//! alike; only their types are reserved.

use super::space_core::SpaceCore;
use super::write::Outcome;
use crate::feed::sha256;
use crate::model::{
    DeviceKey, Error, ObjectId, Operation, RecoveryKey, Result, SpaceId, Value, json, system,
};
use data_encoding::HEXLOWER;
use std::collections::{BTreeMap, BTreeSet};

/// The natural key of what there is once.
const ONLY: &str = "only";
/// Objects read at a time.
const ROWS: usize = 256;

/// What the devices of an identity know in common. Members and keys are not in it: these are the
/// control entries of the space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HaloState {
    /// The spaces of the identity.
    pub spaces: BTreeSet<SpaceId>,
    /// The default space; of several the lowest.
    pub default_space: Option<SpaceId>,
    /// Spaces that a device does not want to hold, because they were deleted on it.
    pub unwanted: BTreeSet<(SpaceId, DeviceKey)>,
    /// The identity's display name.
    pub display_name: Option<String>,
    /// What is said of each device.
    pub devices: BTreeMap<DeviceKey, DeviceNote>,
    /// For each recovery key, where the devices wait for whoever recovers the identity with it.
    pub rendezvous: BTreeMap<RecoveryKey, [u8; 16]>,
    /// The credentials that the identity keeps, unread, by their ids.
    pub credentials: BTreeMap<[u8; 32], Vec<u8>>,
}

/// What is said of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceNote {
    /// The name that it was given; `None` leaves it the one in its certificate.
    pub name: Option<String>,
    /// When it was added, by the clock of the device that added it: milliseconds since 1970.
    pub added_ms: Option<i64>,
    /// When it was last in use, by its own clock.
    pub seen_ms: Option<i64>,
}

/// One thing to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HaloFact {
    /// The identity has a space.
    Space {
        /// The space.
        space: SpaceId,
        /// Whether it is the one that a program starts with.
        is_default: bool,
    },
    /// Whether a device wants to hold a space.
    Wanted {
        /// The space.
        space: SpaceId,
        /// The device.
        device: DeviceKey,
        /// Whether it does.
        wanted: bool,
    },
    /// The identity's display name.
    DisplayName(String),
    /// A device's name.
    DeviceName(DeviceKey, String),
    /// When a device was added.
    DeviceAdded(DeviceKey, i64),
    /// When a device was last in use.
    DeviceSeen(DeviceKey, i64),
    /// Where the devices wait for whoever recovers the identity with a key.
    Rendezvous(RecoveryKey, [u8; 16]),
    /// A credential that the identity keeps, by its id; none: it keeps it no more.
    Credential([u8; 32], Option<Vec<u8>>),
}

impl HaloFact {
    fn operation(&self, halo: &SpaceId) -> Operation {
        let text = |text: &str| Value::String(text.to_owned());
        let (type_name, key, fields) = match self {
            HaloFact::Space { space, is_default } => (
                system::HALO_SPACE,
                space.to_string(),
                vec![
                    ("space", text(&space.to_string())),
                    ("default", Value::Bool(*is_default)),
                ],
            ),
            HaloFact::Wanted {
                space,
                device,
                wanted,
            } => (
                system::HALO_WANTED,
                format!("{space}/{device}"),
                vec![
                    ("space", text(&space.to_string())),
                    ("device", text(&device.to_string())),
                    ("wanted", Value::Bool(*wanted)),
                ],
            ),
            HaloFact::DisplayName(name) => (
                system::HALO_PROFILE,
                ONLY.to_owned(),
                vec![("name", text(name))],
            ),
            HaloFact::DeviceName(device, name) => return note(halo, device, "name", text(name)),
            HaloFact::DeviceAdded(device, ms) => {
                return note(halo, device, "added", Value::Timestamp(*ms));
            }
            HaloFact::DeviceSeen(device, ms) => {
                return note(halo, device, "seen", Value::Timestamp(*ms));
            }
            HaloFact::Rendezvous(key, secret) => (
                system::HALO_RECOVERY,
                HEXLOWER.encode(key.as_bytes()),
                vec![
                    ("key", Value::Bytes(key.as_bytes().to_vec())),
                    ("rendezvous", Value::Bytes(secret.to_vec())),
                ],
            ),
            HaloFact::Credential(id, kept) => (
                system::HALO_CREDENTIAL,
                HEXLOWER.encode(id),
                vec![
                    ("id", Value::Bytes(id.to_vec())),
                    ("bytes", kept.clone().map_or(Value::Null, Value::Bytes)),
                ],
            ),
        };
        upsert(halo, type_name, key, fields)
    }
}

fn note(halo: &SpaceId, device: &DeviceKey, field: &str, value: Value) -> Operation {
    let device = device.to_string();
    let fields = vec![("device", Value::String(device.clone())), (field, value)];
    upsert(halo, system::HALO_DEVICE, device, fields)
}

fn upsert(halo: &SpaceId, type_name: &str, key: String, fields: Vec<(&str, Value)>) -> Operation {
    let fields = fields.into_iter();
    Operation::Upsert {
        object: ObjectId::natural(halo, type_name, &key),
        type_name: type_name.to_owned(),
        key,
        fields: fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

impl SpaceCore {
    /// Tells facts to the identity's other devices, all in one entry.
    pub fn tell_halo(&mut self, facts: &[HaloFact], now_ms: u64) -> Result<Outcome> {
        let mut operations: Vec<Operation> = Vec::with_capacity(facts.len());
        for fact in facts {
            let operation = fact.operation(&self.id);
            // Two facts about one object are one step, as a program would make it.
            let same = operations
                .iter_mut()
                .find(|other| other.object() == operation.object());
            match (same, operation) {
                (
                    Some(Operation::Upsert { fields, .. }),
                    Operation::Upsert { fields: more, .. },
                ) => fields.extend(more),
                (_, operation) => operations.push(operation),
            }
        }
        self.transact_any(&operations, None, None, now_ms)
    }

    /// Writes what a device of another version may write.
    #[cfg(test)]
    pub fn transact_unchecked(&mut self, operations: &[Operation]) -> Result<Outcome> {
        self.transact_any(operations, None, None, 0)
    }

    /// What the objects say. What is malformed is passed over: any device of the identity may have
    /// written it, a newer one too.
    pub fn halo_state(&self) -> Result<HaloState> {
        let mut state = HaloState::default();
        let mut after = None;
        loop {
            let rows = self.rows_after(after, ROWS)?;
            for row in rows.iter().filter(|row| !row.is_gone()) {
                let fields = json::parse_fields(&row.data)
                    .map_err(|e| Error::corrupt(e.detail().to_owned()))?;
                if let Some(type_name) = row.type_name.as_deref() {
                    state.take(type_name, &fields);
                }
            }
            match rows.last() {
                Some(last) if rows.len() == ROWS => after = Some(last.id),
                _ => return Ok(state),
            }
        }
    }
}

type Fields = BTreeMap<String, Value>;

impl HaloState {
    /// Whether a device wants a space of the identity.
    pub fn wants(&self, device: &DeviceKey, space: &SpaceId) -> bool {
        self.spaces.contains(space) && !self.unwanted.contains(&(*space, *device))
    }

    /// Changes whenever a device gets another name.
    pub fn names_digest(&self) -> [u8; 32] {
        let mut bytes = Vec::new();
        for (device, note) in &self.devices {
            let name = note.name.as_deref().unwrap_or_default();
            bytes.extend_from_slice(device.as_bytes());
            bytes.extend_from_slice(&(name.len() as u64).to_be_bytes());
            bytes.extend_from_slice(name.as_bytes());
        }
        sha256(&[b"echodb/halo-names/v1", &bytes])
    }

    fn take(&mut self, type_name: &str, fields: &Fields) {
        match type_name {
            system::HALO_SPACE => self.take_space(fields),
            system::HALO_WANTED => self.take_wanted(fields),
            system::HALO_PROFILE => self.display_name = string(fields, "name"),
            system::HALO_DEVICE => self.take_device(fields),
            system::HALO_RECOVERY => self.take_rendezvous(fields),
            system::HALO_CREDENTIAL => self.take_credential(fields),
            _ => {}
        }
    }

    fn take_space(&mut self, fields: &Fields) {
        let Some(space) = space(fields) else { return };
        self.spaces.insert(space);
        if fields.get("default") == Some(&Value::Bool(true)) {
            let lowest = self.default_space.map_or(space, |other| other.min(space));
            self.default_space = Some(lowest);
        }
    }

    fn take_wanted(&mut self, fields: &Fields) {
        if let (Some(space), Some(device)) = (space(fields), device(fields))
            && fields.get("wanted") == Some(&Value::Bool(false))
        {
            self.unwanted.insert((space, device));
        }
    }

    fn take_rendezvous(&mut self, fields: &Fields) {
        if let (Some(Value::Bytes(key)), Some(Value::Bytes(secret))) =
            (fields.get("key"), fields.get("rendezvous"))
            && let (Ok(key), Ok(secret)) =
                (RecoveryKey::from_slice(key), secret.as_slice().try_into())
        {
            self.rendezvous.insert(key, secret);
        }
    }

    fn take_credential(&mut self, fields: &Fields) {
        if let (Some(Value::Bytes(id)), Some(Value::Bytes(bytes))) =
            (fields.get("id"), fields.get("bytes"))
            && let Ok(id) = id.as_slice().try_into()
        {
            self.credentials.insert(id, bytes.clone());
        }
    }

    fn take_device(&mut self, fields: &Fields) {
        let Some(device) = device(fields) else { return };
        let time = |name: &str| match fields.get(name) {
            Some(Value::Timestamp(ms)) => Some(*ms),
            _ => None,
        };
        let note = DeviceNote {
            name: string(fields, "name"),
            added_ms: time("added"),
            seen_ms: time("seen"),
        };
        self.devices.insert(device, note);
    }
}

fn string(fields: &Fields, name: &str) -> Option<String> {
    match fields.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn space(fields: &Fields) -> Option<SpaceId> {
    SpaceId::parse(&string(fields, "space")?).ok()
}

fn device(fields: &Fields) -> Option<DeviceKey> {
    DeviceKey::parse(&string(fields, "device")?).ok()
}
