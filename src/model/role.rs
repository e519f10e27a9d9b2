//! What an identity may do in a space.

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

    /// From its name.
    pub fn from_name(name: &str) -> Option<Role> {
        (1..=5)
            .filter_map(Role::from_number)
            .find(|role| role.name() == name)
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
