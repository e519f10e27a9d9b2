//! What `member` reports.

use echodb::Member;
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
