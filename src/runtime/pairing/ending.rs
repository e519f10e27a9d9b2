//! How invitations end in their spaces.
//!
//! Closing an invitation voids every join by it that the closing did not know of, since whoever stole
//! the code can pretend that its join is older. So it closes at once only where somebody cancels it, or
//! where no honest guest can be on the way. Of a delegated one guests may have been let in by members
//! who are apart: when it is used up or has expired it is hosted no more, and closed when those had
//! time to be heard of. No count of uses ever voids a join (research: auth.md 3(i)).

use super::host;
use super::record::Record;
use crate::authority::InviteView;
use crate::model::{Result, limits};
use crate::runtime::clock;
use crate::runtime::node::Node;
use crate::runtime::space_host::SpaceHost;
use crate::runtime::storage::StoredInvitation;
use std::sync::Arc;

/// Whether nobody is let in any more by an invitation that is open in its space.
pub(super) fn is_past(view: &InviteView) -> bool {
    let most = usize::from(view.hint.max_uses);
    clock::now_ms() >= view.hint.expires_ms || most > 0 && view.joins >= most
}

/// The same of one of ours. One whose guests were given what lets them in,
/// and have not been seen since, waits for them until it expires.
pub(super) fn is_over(stored: &StoredInvitation, view: &InviteView) -> bool {
    let spent = stored.used_codes >= limits::CODES_PER_INVITATION;
    match view.hint.delegated {
        true => is_past(view),
        false => spent || clock::now_ms() >= view.hint.expires_ms,
    }
}

/// Closes an invitation of ours that is over, unless that could void the join of an honest guest.
/// Called again at later starts and whenever control entries come.
pub(super) fn retire(
    node: &Arc<Node>,
    space: &Arc<SpaceHost>,
    key: [u8; 32],
    id: &[u8; 16],
) -> Result<()> {
    let admitted = node.with_profile(|profile| profile.admitted(id))?;
    let due = space.with_settled(|core| {
        let Some(view) = core.invitation(&key).filter(|view| view.open) else {
            return Ok(true);
        };
        let lingers = view
            .hint
            .expires_ms
            .saturating_add(limits::INVITATION_LINGER_MS);
        let mut guests = admitted.iter();
        // Nobody but us lets guests into one that is not delegated.
        let all_known = !view.hint.delegated && guests.all(|guest| core.has_heard_of(guest));
        Ok(all_known || clock::now_ms() >= lingers)
    })?;
    match due {
        true => host::close(node, space, key, id),
        false => Ok(()),
    }
}

/// Where as many invitations are open in a space as can be, closes one of ours that is over.
pub(super) fn make_room(node: &Arc<Node>, space: &Arc<SpaceHost>) -> Result<()> {
    let open = space.with_settled(|core| Ok(core.open_invitations()))?;
    if open.len() < limits::OPEN_INVITATIONS {
        return Ok(());
    }
    for stored in node.with_profile(|profile| profile.invitations())? {
        let Record::Host(record) = Record::decode(&stored.payload)? else {
            continue;
        };
        let key = record.signer()?.public().0;
        let view = open.iter().find(|view| view.key == key);
        if view.is_some_and(|view| is_over(&stored, view)) {
            return host::close(node, space, key, &stored.id);
        }
    }
    Ok(())
}
