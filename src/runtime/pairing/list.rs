//! The list of invitations, and ending one by its id.

use super::record::{HostRecord, Record};
use super::{PairingHandle, ending, host, tending};
use crate::api::{InvitationInfo, InvitationKind, InvitationState, InvitationType};
use crate::authority::InviteView;
use crate::invitation::code::{self, InvitationCode};
use crate::invitation::mode::{Bearer, Mode};
use crate::model::{Error, Result};
use crate::runtime::clock;
use crate::runtime::node::Node;
use crate::runtime::sessions::Sessions as _;
use crate::runtime::space_host::SpaceHost;
use crate::runtime::storage::StoredInvitation;
use data_encoding::HEXLOWER_PERMISSIVE;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long ending a running invitation may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The invitations of this profile, in the order in which they were made, then those that others
/// have open in the spaces that are open here.
pub fn list(node: &Arc<Node>) -> Result<Vec<InvitationInfo>> {
    node.check_open()?;
    let mut all = Vec::new();
    let mut own_keys = BTreeSet::new();
    for stored in node.with_profile(|profile| profile.invitations())? {
        let state = tending::running(node, &stored.id)
            .map_or(InvitationState::Init, |running| running.update().state);
        match Record::decode(&stored.payload) {
            Ok(Record::Host(record)) => {
                let key = record.signer()?.public().0;
                own_keys.insert(key);
                if tending::running(node, &stored.id).is_none() && is_over(node, &stored, &record)?
                {
                    continue;
                }
                all.push(of_host(node, &stored, &record, state)?);
            }
            Ok(Record::Guest(record)) => {
                let (made, ends) = (record.created_ms, record.ends_ms);
                all.push(of_guest(&stored.id, &record.code, (made, ends), state)?);
            }
            Ok(Record::DeviceHost(record)) => {
                let code = InvitationCode::parse(&record.code)?;
                all.push(InvitationInfo {
                    created_ms: record.created_ms,
                    max_uses: Some(1),
                    uses: stored.uses,
                    code: Some(record.code.clone()),
                    url: Some(code.to_url()?),
                    ..blank(&stored.id, &code, state)
                });
            }
            Ok(Record::DeviceGuest(record)) => {
                let (made, ends) = (record.created_ms, record.ends_ms);
                all.push(of_guest(&stored.id, &record.code, (made, ends), state)?);
            }
            Ok(Record::EndedDevice) => {}
            // Only waits to be closed.
            Ok(Record::Closing(_, key)) => {
                own_keys.insert(key);
            }
            Err(error) => return Err(error),
        }
    }
    for space in node.all_spaces() {
        if space.opening().is_none() {
            continue;
        }
        for view in space.with(|core| Ok(core.open_invitations()))? {
            if !own_keys.contains(&view.key) && !ending::is_past(&view) {
                all.push(of_others(&space, &view));
            }
        }
    }
    Ok(all)
}

fn blank(id: &[u8; 16], code: &InvitationCode, state: InvitationState) -> InvitationInfo {
    InvitationInfo {
        id: data_encoding::HEXLOWER.encode(id),
        space: None,
        kind: match code.kind {
            code::InvitationKind::Space => InvitationKind::Space,
            code::InvitationKind::Device => InvitationKind::Device,
        },
        invitation_type: match code.mode {
            Mode::Interactive => InvitationType::Interactive,
            Mode::MultiUse => InvitationType::MultiUse,
            Mode::Delegated(_) => InvitationType::Delegated,
        },
        joining: false,
        role: None,
        created_ms: 0,
        expires_ms: code.expires_ms,
        max_uses: None,
        uses: 0,
        state,
        code: None,
        url: None,
    }
}

/// A code that we use.
fn of_guest(
    id: &[u8; 16],
    text: &str,
    (created_ms, expires_ms): (u64, u64),
    state: InvitationState,
) -> Result<InvitationInfo> {
    let code = InvitationCode::parse(text)?;
    Ok(InvitationInfo {
        joining: true,
        created_ms,
        expires_ms,
        code: Some(text.to_owned()),
        url: Some(code.to_url()?),
        ..blank(id, &code, state)
    })
}

fn of_host(
    node: &Arc<Node>,
    stored: &StoredInvitation,
    record: &HostRecord,
    state: InvitationState,
) -> Result<InvitationInfo> {
    let code = record.code()?;
    let space = record.space()?;
    let mut uses = stored.uses;
    if code.mode.bearer().is_some()
        && let Some(host) = host::space_of(node, &space)
    {
        let key = record.signer()?.public().0;
        let view = host.with(|core| Ok(core.invitation(&key)))?;
        uses = view.map_or(0, |view| u32::try_from(view.joins).unwrap_or(u32::MAX));
    }
    Ok(InvitationInfo {
        space: Some(space.to_string()),
        role: Some(record.role()?.name().to_owned()),
        created_ms: record.created_ms,
        max_uses: (record.max_uses > 0).then_some(record.max_uses),
        uses,
        code: Some(record.code.clone()),
        url: Some(code.to_url()?),
        ..blank(&stored.id, &code, state)
    })
}

/// Whether one of ours, which does not run, only waits to be closed.
fn is_over(node: &Node, stored: &StoredInvitation, record: &HostRecord) -> Result<bool> {
    let Some(space) = host::space_of(node, &record.space()?) else {
        return Ok(clock::now_ms() >= record.code()?.expires_ms);
    };
    let key = record.signer()?.public().0;
    let view = space.with(|core| Ok(core.invitation(&key)))?;
    Ok(view.is_some_and(|view| ending::is_over(stored, &view)))
}

fn is_retiring(node: &Node, stored: &StoredInvitation) -> Result<bool> {
    match Record::decode(&stored.payload)? {
        Record::Host(record) => is_over(node, stored, &record),
        _ => Ok(false),
    }
}

/// What is known here of an invitation of somebody else's. Its code is not.
fn of_others(space: &SpaceHost, view: &InviteView) -> InvitationInfo {
    let most = u32::from(view.hint.max_uses);
    InvitationInfo {
        id: data_encoding::HEXLOWER.encode(&id_of(&view.key)),
        space: Some(space.id().to_string()),
        kind: InvitationKind::Space,
        invitation_type: match (view.hint.delegated, most) {
            (true, _) => InvitationType::Delegated,
            (false, 0 | 1) => InvitationType::Interactive,
            (false, _) => InvitationType::MultiUse,
        },
        joining: false,
        role: Some(view.role_cap.name().to_owned()),
        created_ms: 0,
        expires_ms: view.hint.expires_ms,
        max_uses: (most > 0).then_some(most),
        uses: u32::try_from(view.joins).unwrap_or(u32::MAX),
        state: InvitationState::Init,
        code: None,
        url: None,
    }
}

/// The id under which an invitation of somebody else's is listed.
fn id_of(key: &[u8; 32]) -> [u8; 16] {
    Bearer::public(*key).rendezvous()
}

fn parse_id(id: &str) -> Result<[u8; 16]> {
    HEXLOWER_PERMISSIVE
        .decode(id.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| Error::invalid("an invitation's id has 32 hexadecimal digits"))
}

fn unknown(id: &str) -> Error {
    Error::not_found(format!("there is no open invitation {id} here"))
}

/// The running invitation with this id, on either side.
pub fn find(node: &Arc<Node>, id: &str) -> Result<PairingHandle> {
    node.check_open()?;
    let key = parse_id(id)?;
    if let Some(running) = tending::running(node, &key)
        && running.is_shown()
    {
        return Ok(running);
    }
    match node.with_profile(|profile| profile.invitation(&key))? {
        Some(stored) if is_retiring(node, &stored)? => Err(unknown(id)),
        Some(_) => Err(Error::state(
            "the invitation does not run: go online, and open its space",
        )),
        None => Err(unknown(id)),
    }
}

/// Ends an invitation of this profile, or of another member's if we may close it.
pub fn cancel(node: &Arc<Node>, id: &str) -> Result<()> {
    node.check_open()?;
    let key = parse_id(id)?;
    if let Some(running) = tending::running(node, &key)
        && running.is_shown()
    {
        running.cancel();
        return running.wait_end(PATIENCE);
    }
    if let Some(stored) = node.with_profile(|profile| profile.invitation(&key))? {
        return match Record::decode(&stored.payload)? {
            Record::Host(record) => match node.host(&record.space()?) {
                Ok(space) => {
                    let public = record.signer()?.public().0;
                    host::close(node, &space, public, &key)
                }
                Err(_) => node.with_profile(|profile| profile.remove_invitation(&key)),
            },
            Record::Closing(..)
            | Record::Guest(_)
            | Record::DeviceHost(_)
            | Record::DeviceGuest(_)
            | Record::EndedDevice => node.with_profile(|profile| profile.remove_invitation(&key)),
        };
    }
    for space in node.all_spaces() {
        if space.opening().is_none() {
            continue;
        }
        let open = space.with(|core| Ok(core.open_invitations()))?;
        if let Some(view) = open.iter().find(|view| id_of(&view.key) == key) {
            space.with_settled(|core| core.close_invitation(view.key))?;
            space.announce_control();
            return Ok(());
        }
    }
    Err(unknown(id))
}
