//! `status` and `digest`.

use super::Context;
use crate::event::{Digest, Event, Signaling, SpaceStatus, Status, space_state};
use crate::failure::Result;
use echodb::Encryption;

pub(super) fn status(context: &mut Context, space: Option<&str>) -> Result<()> {
    match space {
        Some(name) => of_space(context, name),
        None => of_client(context),
    }
}

pub(super) fn of_client(context: &mut Context) -> Result<()> {
    let status = context.client.status();
    let spaces = match context.client.identity() {
        Some(_) => context.client.spaces()?.len() as u64,
        None => 0,
    };
    let signaling = status.signaling.into_iter().map(|server| Signaling {
        url: server.url,
        connected: server.connected,
        error: server.error,
    });
    context.output.emit(Event::Status(Status {
        online: status.online,
        serving: context.serving,
        peers: status.peers,
        bytes_sent: status.bytes_sent,
        bytes_received: status.bytes_received,
        signaling: signaling.collect(),
        spaces,
        encryption: encryption(status.encryption).to_owned(),
    }))
}

fn encryption(kept: Encryption) -> &'static str {
    match kept {
        Encryption::Memory => "memory",
        Encryption::Plain => "plain",
        Encryption::FileKey => "file_key",
        Encryption::Passphrase => "passphrase",
        Encryption::KeyProvider => "key_provider",
    }
}

fn of_space(context: &mut Context, name: &str) -> Result<()> {
    let space = context.space(name)?;
    let status = space.status()?;
    context.output.emit(Event::SpaceStatus(SpaceStatus {
        space: space.id(),
        state: space_state(status.state).to_owned(),
        objects: status.objects,
        entries: status.entries,
        quarantined: status.quarantined,
        excluded: status.excluded,
        waiting_for_key: status.waiting_for_key,
        sealed_off: status.sealed_off,
        waiting_for_dependency: status.waiting_for_dependency,
        violations: status.violations,
        role: status.role,
        removed: status.removed,
        checking: status.checking,
        peers: status.peers.into_iter().map(Into::into).collect(),
    }))
}

pub(super) fn digest(context: &mut Context, name: &str) -> Result<()> {
    let space = context.space(name)?;
    let digest = space.digest()?;
    let space = space.id();
    context.output.emit(Event::Digest(Digest { space, digest }))
}
