//! Control operations: the bodies of control entries.

use crate::feed::Dep;
use crate::identity::Wrap;
use crate::model::{ContentKeyId, DeviceKey, IdentityKey, RecoveryKey, Role, SpaceId};

/// The first byte of a control body. It stands inside the signed bytes, so that no operation can
/// be read as another. The numbers are never reused.
pub mod type_byte {
    /// Creates the space.
    pub const GENESIS: u8 = 1;
    /// Gives or takes a role.
    pub const SET_ROLE: u8 = 2;
    /// Adds a device.
    pub const DEVICE_ADD: u8 = 3;
    /// Revokes a device.
    pub const DEVICE_REVOKE: u8 = 4;
    /// Opens an invitation.
    pub const INVITE_OPEN: u8 = 5;
    /// Closes an invitation.
    pub const INVITE_CLOSE: u8 = 6;
    /// Joins through an invitation.
    pub const JOIN: u8 = 7;
    /// Brings in a content key.
    pub const KEY_ROTATE: u8 = 8;
    /// Hands on a content key.
    pub const KEY_SHARE: u8 = 9;
    /// Reserved: proposes a compacted state.
    #[allow(
        dead_code,
        reason = "reserved, so that no other operation takes the number"
    )]
    pub const EPOCH: u8 = 10;
    /// Reserved: confirms an epoch.
    #[allow(
        dead_code,
        reason = "reserved, so that no other operation takes the number"
    )]
    pub const EPOCH_ACK: u8 = 11;
    /// Reserved: contradicts an epoch.
    #[allow(
        dead_code,
        reason = "reserved, so that no other operation takes the number"
    )]
    pub const EPOCH_DISPUTE: u8 = 12;
    /// Hands the space to a new top owner.
    pub const SUCCESSION: u8 = 13;
    /// Brings concurrent entries together.
    pub const MERGE: u8 = 14;
    /// Gives an identity a recovery key.
    pub const RECOVERY_SET: u8 = 15;
    /// Sets the author's display name.
    pub const NAME_SET: u8 = 16;
}

/// A control operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlOp {
    /// Creates the space; its entry's id is the space's id.
    Genesis {
        /// Becomes the first owner, above all others.
        creator: IdentityKey,
        /// The chain of the device that signs the entry, in the form of
        /// [`crate::identity::DeviceChain::encode`].
        certificate: Vec<u8>,
        /// The creator's display name.
        display_name: String,
        /// Random, so that two spaces made alike differ.
        nonce: [u8; 16],
    },
    /// Adds a device to the author's identity, or gives one that is there a newer certificate.
    DeviceAdd {
        /// The device's chain, in the form of [`crate::identity::DeviceChain::encode`].
        certificate: Vec<u8>,
    },
    /// Opens an invitation.
    InviteOpen {
        /// The Ed25519 key that admits guests; whoever holds its seed can invite.
        invitation_key: [u8; 32],
        /// The highest role it can give.
        role_cap: Role,
        /// When the inviter means it to end (milliseconds since 1970). Shown, never enforced:
        /// no decision reads a clock.
        expires_hint_ms: u64,
    },
    /// Closes an invitation.
    InviteClose {
        /// Its key.
        invitation_key: [u8; 32],
    },
    /// A guest joins, in its own control feed.
    Join {
        /// The guest.
        identity: IdentityKey,
        /// The guest's display name.
        display_name: String,
        /// The links of the chain of the device that signs the entry, root first. Only that device
        /// begins to act; those it came by may be long gone.
        certificates: Vec<Vec<u8>>,
        /// The role asked for.
        role: Role,
        /// The invitation.
        invitation_key: [u8; 32],
        /// The invitation key's signature over [`join_signing_bytes`].
        signature: [u8; 64],
    },
    /// Brings a new content key into use.
    KeyRotate {
        /// The new key's id.
        key_id: ContentKeyId,
        /// One more than the highest generation in the entry's past.
        generation: u64,
        /// The key sealed to devices that may read, rising by device.
        wraps: Vec<Wrap>,
        /// An older key's id, and that key sealed under the new one.
        back_link: Option<(ContentKeyId, Vec<u8>)>,
    },
    /// Hands a key that exists to further devices.
    KeyShare {
        /// The key.
        key_id: ContentKeyId,
        /// The key sealed to devices that may read, rising by device.
        wraps: Vec<Wrap>,
    },
    /// Gives or takes a role.
    SetRole {
        /// Whose.
        identity: IdentityKey,
        /// The new role; none removes the identity.
        role: Option<Role>,
        /// For denials: the heads of the target's data feeds that are to stay, rising.
        heads: Vec<Dep>,
    },
    /// Ends a device's rights for ever.
    DeviceRevoke {
        /// The device.
        device: DeviceKey,
        /// The heads of its data feeds that are to stay, rising.
        heads: Vec<Dep>,
    },
    /// Makes another owner the top owner, whom nobody can remove.
    Succession {
        /// The new top owner.
        identity: IdentityKey,
    },
    /// Gives an identity a recovery key in place of the one before.
    RecoverySet {
        /// The identity.
        identity: IdentityKey,
        /// The recovery key.
        recovery: RecoveryKey,
        /// The [`crate::identity::RecoveryStatement`] that says so.
        statement: Vec<u8>,
    },
    /// Sets the display name of the author's identity.
    NameSet {
        /// The name.
        display_name: String,
    },
    /// Changes nothing but has the control heads it names in its past: when there are more heads
    /// than one entry can name, some of these gather them.
    Merge,
    /// An operation this version does not know, reserved ones among them: type byte and the rest.
    Unknown(u8, Vec<u8>),
}

impl ControlOp {
    /// Whether this hands out keys, for which entries may be larger.
    pub fn carries_keys(&self) -> bool {
        matches!(
            self,
            ControlOp::KeyRotate { .. } | ControlOp::KeyShare { .. }
        )
    }
}

/// What the invitation key signs to admit a guest's device in a role.
pub fn join_signing_bytes(
    space: SpaceId,
    identity: IdentityKey,
    device: DeviceKey,
    role: Role,
) -> Vec<u8> {
    let mut out = b"echodb/join/v1".to_vec();
    out.extend_from_slice(space.as_bytes());
    out.extend_from_slice(identity.as_bytes());
    out.extend_from_slice(device.as_bytes());
    out.push(role as u8);
    out
}

/// The HPKE info of a content key's wraps: says which key of which space it is.
pub fn key_wrap_info(space: SpaceId, key: &ContentKeyId) -> Vec<u8> {
    let mut out = b"echodb/key-wrap/v1".to_vec();
    out.extend_from_slice(space.as_bytes());
    out.extend_from_slice(key.as_bytes());
    out
}
