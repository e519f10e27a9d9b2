//! Which invitations run: those of this profile that are stored, and as a stand-in for their
//! inviters the delegated ones of all open spaces.

use super::record::{HostRecord, Record};
use super::{PairingHandle, device_guest, device_host, guest};
use super::{ending, host};
use crate::authority::InviteView;
use crate::model::{Result, Role};
use crate::runtime::executor;
use crate::runtime::node::Node;
use crate::runtime::sessions::Sessions as _;
use crate::runtime::space_host::SpaceHost;
use crate::runtime::storage::StoredInvitation;
use std::sync::Arc;

/// Starts what should run and does not. Called when the client goes online, a space is opened or
/// joined, and when the control entries of a space have changed; what should not run any more ends
/// by itself.
pub fn tend(node: &Arc<Node>) {
    if node.connector().is_err() {
        return;
    }
    let _one_at_a_time = node.lock_tending();
    let stored = node.with_profile(|profile| profile.invitations());
    for stored in stored.unwrap_or_default() {
        if running(node, &stored.id).is_some() {
            continue;
        }
        if let Err(error) = resume(node, &stored) {
            // As on a full disk, which must keep nobody out: a later start tries again.
            node.log().warn("invitation", || {
                format!("an invitation does not go on: {error}")
            });
        }
    }
    for space in node.all_spaces() {
        if let Err(error) = stand_in(node, &space) {
            node.log().debug("invitation", || {
                format!("delegated invitations are not hosted: {error}")
            });
        }
    }
}

/// As [`tend`], on a thread of the library's.
pub fn tend_later(node: &Arc<Node>) {
    let node = Arc::clone(node);
    if let Ok(executor) = executor::handle() {
        executor.spawn_blocking(move || tend(&node));
    }
}

/// The invitation with this id, if it runs.
pub(super) fn running(node: &Node, id: &[u8; 16]) -> Option<PairingHandle> {
    let pairings = node.pairings();
    pairings
        .into_iter()
        .find(|pairing| pairing.id() == *id && !pairing.update().state.is_final())
}

fn resume(node: &Arc<Node>, stored: &StoredInvitation) -> Result<()> {
    match Record::decode(&stored.payload)? {
        Record::Closing(space, key) => match host::space_of(node, &space) {
            Some(space) => host::close(node, &space, key, &stored.id),
            None => forget_if_gone(node, &space, &stored.id),
        },
        Record::Host(record) => resume_host(node, stored, &record),
        Record::Guest(record) => guest::resume(node, &stored.id, &record),
        Record::DeviceHost(record) => device_host::resume(node, &stored.id, &record),
        Record::DeviceGuest(record) => device_guest::resume(node, &stored.id, &record),
        Record::EndedDevice => node.with_profile(|profile| profile.remove_invitation(&stored.id)),
    }
}

fn resume_host(node: &Arc<Node>, stored: &StoredInvitation, record: &HostRecord) -> Result<()> {
    let id = record.space()?;
    let Some(space) = host::space_of(node, &id) else {
        return forget_if_gone(node, &id, &stored.id);
    };
    let key = record.signer()?.public().0;
    let known = space.with_settled(|core| Ok(core.invitation(&key)))?;
    if known.is_none() {
        // A crash came between: nobody was ever given the code.
        return node.with_profile(|profile| profile.remove_invitation(&stored.id));
    }
    if known.is_some_and(|view| !view.open) {
        return host::close(node, &space, key, &stored.id);
    }
    if known.is_some_and(|view| ending::is_over(stored, &view)) {
        return ending::retire(node, &space, key, &stored.id);
    }
    host::resume(node, &space, record).map(drop)
}

/// A closed space may be opened again; one that was deleted is not coming back.
fn forget_if_gone(node: &Arc<Node>, space: &crate::model::SpaceId, id: &[u8; 16]) -> Result<()> {
    match node.has_space(space) {
        true => Ok(()),
        false => node.with_profile(|profile| profile.remove_invitation(id)),
    }
}

/// Lets in the guests of a space's delegated invitations, whoever made them.
fn stand_in(node: &Arc<Node>, space: &Arc<SpaceHost>) -> Result<()> {
    if space.opening().is_none() {
        return Ok(());
    }
    let invitations = space.with(|core| {
        let able = core.own_role().is_some_and(|role| role >= Role::Reader);
        let open = if able {
            core.open_invitations()
        } else {
            Vec::new()
        };
        Ok(open)
    })?;
    let wanted = |i: &InviteView| i.hint.delegated && !ending::is_past(i);
    for invitation in invitations.into_iter().filter(wanted) {
        let id = crate::invitation::mode::Bearer::public(invitation.key).rendezvous();
        if running(node, &id).is_none() {
            host::stand_in(
                node,
                space,
                invitation.key,
                invitation.role_cap,
                invitation.hint,
            )?;
        }
    }
    Ok(())
}
