//! What an identity may do in a space.

use super::{Error, Result};

/// Roles in rising order; each includes what the ones below it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// Stores and forwards sealed entries, reads nothing.
    Relay = 1,
    /// Reads.
    Reader = 2,
    /// Reads and writes objects.
    Editor = 3,
    /// Invites, and manages members below itself.
    Admin = 4,
    /// Everything, admins and other owners included.
    Owner = 5,
}

impl Role {
    /// From its number in stored and sent bytes.
    pub fn from_number(number: u32) -> Option<Role> {
        match number {
            1 => Some(Role::Relay),
            2 => Some(Role::Reader),
            3 => Some(Role::Editor),
            4 => Some(Role::Admin),
            5 => Some(Role::Owner),
            _ => None,
        }
    }

    /// From its name. Fails with `InvalidArgument` on any other.
    pub fn parse(name: &str) -> Result<Role> {
        let roles = [
            Role::Relay,
            Role::Reader,
            Role::Editor,
            Role::Admin,
            Role::Owner,
        ];
        let found = roles.into_iter().find(|role| role.name() == name);
        found.ok_or_else(|| {
            Error::invalid(format!(
                "{name:?} is not a role: there are owner, admin, editor, reader and relay"
            ))
        })
    }

    /// A stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Role::Relay => "relay",
            Role::Reader => "reader",
            Role::Editor => "editor",
            Role::Admin => "admin",
            Role::Owner => "owner",
        }
    }
}
