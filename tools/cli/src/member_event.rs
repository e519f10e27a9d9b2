//! What `member` reports.

use echodb::{ExcludedEntry, Member};
use serde::{Deserialize, Serialize};

/// A member of a space.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpaceMember {
    /// The identity's key.
    pub identity: String,
    /// The name it gave itself.
    pub name: String,
    /// What it may do.
    pub role: String,
    /// Its devices' keys.
    pub devices: Vec<String>,
    /// 1 for whom nobody stands above.
    pub rank: u32,
    /// When this device first heard of it, in milliseconds since 1970.
    pub joined_ms: Option<i64>,
}

impl From<Member> for SpaceMember {
    fn from(member: Member) -> Self {
        SpaceMember {
            identity: member.identity,
            name: member.display_name,
            role: member.role,
            devices: member.devices,
            rank: member.rank,
            joined_ms: member.joined_ms,
        }
    }
}

/// An entry that does not count.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Excluded {
    /// The space.
    pub space: String,
    /// The entry.
    pub entry: String,
    /// Whose it is.
    pub identity: String,
    /// The device that wrote it.
    pub device: String,
    /// Its author's clock, in milliseconds since 1970.
    pub time_ms: Option<i64>,
    /// A stable code, a colon, and a sentence.
    pub reason: String,
    /// The objects that it would change.
    pub objects: Vec<String>,
}

impl Excluded {
    /// An entry of `space`.
    pub fn new(space: &str, info: ExcludedEntry) -> Self {
        Excluded {
            space: space.to_owned(),
            entry: info.entry,
            identity: info.identity,
            device: info.device,
            time_ms: info.time_ms,
            reason: info.reason,
            objects: info.objects,
        }
    }
}
