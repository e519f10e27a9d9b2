//! The existing device: it shows a code and certifies the new device, once that has proven to know
//! the authorization code.

use super::device_desk::DeviceDesk;
use super::driver::Place;
use super::reception::Reception;
use super::record::DeviceHostRecord;
use super::{Label, PairingHandle};
use crate::api::InviteOptions;
use crate::invitation::code::{InvitationCode, InvitationKind, host_fingerprint};
use crate::invitation::mode::Mode;
use crate::model::{Error, Result};
use crate::runtime::clock;
use crate::runtime::connector::Calls;
use crate::runtime::executor;
use crate::runtime::node::Node;
use std::sync::Arc;

/// The longest a device code may be good for, in seconds: a day. The new device is at hand.
const LONGEST_S: u64 = 86_400;

/// Shows a code for a new device of this identity.
pub fn open(node: &Arc<Node>, options: &InviteOptions) -> Result<PairingHandle> {
    if options.expires_s == 0 || options.expires_s > LONGEST_S {
        return Err(Error::invalid(format!(
            "a device invitation is open for 1 to {LONGEST_S} seconds"
        )));
    }
    let (keyring, _) = node.require_identity()?;
    node.halo()?;
    node.check_not_revoked()?;
    node.connector()?;
    let now = clock::now_ms();
    let code = InvitationCode {
        kind: InvitationKind::Device,
        mode: Mode::Interactive,
        rendezvous: clock::random(),
        host_fingerprint: host_fingerprint(&keyring.device_key()),
        space_hint: [0; 8],
        expires_ms: now.saturating_add(options.expires_s * 1000),
        signaling: match options.include_signaling {
            true => node.configured_servers(),
            false => Vec::new(),
        },
    };
    let record = DeviceHostRecord {
        code: code.to_text()?,
        created_ms: now,
    };
    // Nobody may take it for what a process that ended left behind.
    let _tending = node.lock_tending();
    node.with_profile(|profile| profile.put_invitation(&code.rendezvous, &record.to_bytes()))?;
    receive(node, code)
}

/// Receives the new device of an invitation that another process made.
pub(super) fn resume(node: &Arc<Node>, id: &[u8; 16], record: &DeviceHostRecord) -> Result<()> {
    let code = InvitationCode::parse_as(&record.code, InvitationKind::Device)?;
    if clock::now_ms() >= code.expires_ms || node.is_revoked() {
        return node.with_profile(|profile| profile.remove_invitation(id));
    }
    receive(node, code).map(drop)
}

fn receive(node: &Arc<Node>, code: InvitationCode) -> Result<PairingHandle> {
    let (keyring, _) = node.require_identity()?;
    let label = Label {
        id: code.rendezvous,
        code: code.to_text()?,
        url: code.to_url()?,
        qr: code.to_qr_text()?,
        shown: true,
    };
    let place = Place {
        topic: code.topic(),
        key: code.seal_key(),
        connector: node.connector()?,
        calls: Calls::SmallerId,
    };
    let (handle, commands) = PairingHandle::labelled(label, None, node.log().clone());
    let reception = Reception {
        desk: Arc::new(DeviceDesk::new(node, code, Arc::clone(&keyring))),
        handle: handle.clone(),
        keyring,
        place,
        commands,
    };
    executor::handle()?.spawn(reception.run());
    node.keep_pairing(handle.clone());
    Ok(handle)
}
