//! `device`, and what of `identity` is about the recovery phrase.

use super::meeting::{Against, Meeting};
use super::{Context, identity, pairing};
use crate::control::Control;
use crate::device_args::DeviceCommand;
use crate::event::{DeviceEvent, Event};
use crate::event_device::{DeviceCode, DeviceDone, Phrase};
use crate::failure::{Failure, Result};
use crate::wait_args::SyncWait;
use echodb::model::ErrorKind;
use echodb::{DeviceInfo, InviteOptions, JoinOptions, RecoverOptions, Space};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Bytes of standard input that are looked at for a phrase.
const PHRASE_BYTES: usize = 4096;
/// How often to look whether everything has come.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Shorter prefixes are not taken.
const PREFIX_CHARS: usize = 4;
/// A day: longer waits are cut to it.
const MAX_SYNC_WAIT_S: u64 = 86_400;

pub(super) fn run(context: &mut Context, control: &Control, command: DeviceCommand) -> Result<()> {
    match command {
        DeviceCommand::Invite { expires, sync_wait } => {
            invite(context, control, expires, sync_wait)
        }
        DeviceCommand::Join {
            code,
            name,
            auth_code,
            timeout,
            sync_wait,
        } => {
            let guest = pairing::Guest { auth_code, timeout };
            join(context, control, code, name, guest, sync_wait)
        }
        DeviceCommand::List => {
            for device in devices(context)? {
                let event = DeviceEvent::Device(device.into());
                context.output.emit(Event::Device(event))?;
            }
            Ok(())
        }
        DeviceCommand::Rename { device, name } => {
            let id = find(context, &device)?.device;
            context.client.rename_device(id.clone(), name)?;
            done(context, id, "renamed")
        }
        DeviceCommand::Revoke { device, wait } => revoke(context, control, &device, wait),
    }
}

/// Revokes a device, with others met before, whose word on what it wrote is good, and told after.
fn revoke(context: &mut Context, control: &Control, given: &str, wait: SyncWait) -> Result<()> {
    let device = find(context, given)?;
    let id = device.device;
    let against = match device.this_device {
        true => Against::Oneself,
        false => Against::Device(id.clone()),
    };
    let mut meeting = Meeting::everywhere(context, against, wait)?;
    if !device.revoked {
        meeting.before(context, control)?;
    }
    context.client.revoke_device(id.clone())?;
    done(context, id.clone(), "revoked")?;
    // Each space hears by itself, a little later.
    let is_revoked = |space: &Space| {
        let members = space.members().unwrap_or_default();
        let mut devices = members.iter().flat_map(|member| &member.devices);
        !devices.any(|device| *device == id)
    };
    meeting.after(context, control, is_revoked)
}

fn done(context: &mut Context, device: String, state: &str) -> Result<()> {
    let state = state.to_owned();
    let done = DeviceEvent::Done(DeviceDone { device, state });
    context.output.emit(Event::Device(done))
}

fn invite(context: &mut Context, control: &Control, expires: u64, sync_wait: u64) -> Result<()> {
    let identity = context
        .client
        .identity()
        .ok_or_else(identity::no_identity)?;
    pairing::warn_if_unreachable(context)?;
    let invitation = context.client.create_device_invitation(InviteOptions {
        expires_s: expires,
        ..InviteOptions::default()
    })?;
    let code = DeviceEvent::Code(DeviceCode {
        identity: identity.identity,
        code: invitation.code(),
        url: invitation.url(),
    });
    context
        .output
        .emit(Event::Device(code))
        .inspect_err(|_| invitation.cancel())?;
    pairing::follow(context, control, &invitation, None, pairing::End::Cancel)?;
    stay(context, control, sync_wait)
}

fn join(
    context: &mut Context,
    control: &Control,
    code: String,
    device_name: Option<String>,
    guest: pairing::Guest,
    sync_wait: u64,
) -> Result<()> {
    let options = JoinOptions {
        timeout_s: guest.timeout,
        device_name,
    };
    let invitation = context.client.join_device(code, options)?;
    pairing::follow(
        context,
        control,
        &invitation,
        Some(guest),
        pairing::End::Cancel,
    )?;
    stay(context, control, sync_wait)?;
    identity::show(context)
}

/// Stays until every space has met somebody who holds the same, or the time is over: when a process
/// ends right after a device was added, its user expects the spaces to be there.
fn stay(context: &mut Context, control: &Control, sync_wait: u64) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(sync_wait.min(MAX_SYNC_WAIT_S));
    loop {
        let mut complete = true;
        let spaces = context.client.spaces()?;
        for info in &spaces {
            let space = context.client.space(info.id.clone())?;
            // One that is closed has nothing to wait for.
            let status = space.status();
            complete &= status.is_ok_and(|status| status.peers.iter().any(|peer| peer.in_sync));
        }
        if (complete && !spaces.is_empty()) || Instant::now() >= end || !control.pause(LOOK_EVERY) {
            return Ok(());
        }
    }
}

fn devices(context: &Context) -> Result<Vec<DeviceInfo>> {
    if context.client.identity().is_none() {
        return Err(identity::no_identity());
    }
    Ok(context.client.devices()?)
}

fn find(context: &Context, given: &str) -> Result<DeviceInfo> {
    choose(devices(context)?, given)
}

/// The device with this key, a prefix of it, or this name. A whole key wins: a stolen device may name
/// any device, with its own key too, and must not come in the way of its revocation by that.
fn choose(devices: Vec<DeviceInfo>, given: &str) -> Result<DeviceInfo> {
    let key = given.to_ascii_lowercase();
    let is_prefix = |id: &str| key.len() >= PREFIX_CHARS && id.starts_with(&key);
    let mut found = Vec::new();
    for device in devices {
        if device.device == key {
            return Ok(device);
        }
        if !given.is_empty() && (device.name == given || is_prefix(&device.device)) {
            found.push(device);
        }
    }
    let all = found.len();
    match (found.pop(), all) {
        (Some(device), 1) => Ok(device),
        (None, _) => Err(Failure::new(
            ErrorKind::NotFound,
            format!("the identity has no device {given:?}"),
        )),
        _ => Err(Failure::usage(format!(
            "{all} devices are called {given:?}: use more of the key"
        ))),
    }
}

pub(super) fn phrase(
    context: &mut Context,
    control: &Control,
    replace: bool,
    wait: SyncWait,
) -> Result<()> {
    if context.client.identity().is_none() {
        return Err(identity::no_identity());
    }
    let phrase = match replace {
        true => context.client.replace_recovery_phrase(&words(context)?)?,
        false => context.client.create_recovery_phrase()?,
    };
    let before = match replace {
        true => "The phrase before it is void",
        false => {
            "Phrases of before stay good, unless it was one that brought this device back: \
             `identity phrase --replace` makes one void"
        }
    };
    let event = DeviceEvent::Phrase(Phrase { phrase });
    context.output.emit(Event::Device(event))?;
    context.output.emit(Event::Warning(format!(
        "write these words down: they are shown this one time, and whoever has them can become you. \
         {before}"
    )))?;
    // After the words, which are shown this one time: nothing may come in between.
    let meeting = Meeting::everywhere(context, Against::Nobody, wait)?;
    meeting.after(context, control, |_| true)
}

/// The phrase on standard input.
fn words(context: &mut Context) -> Result<Zeroizing<String>> {
    let words = context.output.read(PHRASE_BYTES)?;
    let words = String::from_utf8(words)
        .map_err(|_| Failure::usage("standard input is not a recovery phrase"))?;
    Ok(Zeroizing::new(words))
}

pub(super) fn recover(
    context: &mut Context,
    control: &Control,
    device_name: Option<String>,
    revoke_older: bool,
    timeout: u64,
) -> Result<()> {
    pairing::warn_if_unreachable(context)?;
    let phrase = words(context)?;
    context.client.recover_identity(
        phrase.to_string(),
        RecoverOptions {
            device_name,
            revoke_older,
            timeout_s: timeout,
        },
    )?;
    stay(context, control, 15)?;
    identity::show(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_key_wins_over_names_and_prefixes() {
        let device = |key: &str, name: &str| DeviceInfo {
            device: key.to_owned(),
            name: name.to_owned(),
            this_device: false,
            connected: false,
            added_ms: None,
            last_seen_ms: None,
            revoked: false,
            recovered: false,
        };
        let devices = [
            device("abcdefgh", "Phone"),
            device("abcdzzzz", "Tablet"),
            device("qqqqqqqq", "abcde"),
            device("rrrrrrrr", "abcdefgh"),
            device("ssssssss", ""),
        ];
        let found = |given: &str| {
            let found = choose(devices.to_vec(), given);
            found
                .map(|device| device.device)
                .map_err(|failure| failure.exit_code())
        };
        assert_eq!(found("abcdefgh").unwrap(), "abcdefgh");
        assert_eq!(found("ABCDEFGH").unwrap(), "abcdefgh");
        assert_eq!(found("Phone").unwrap(), "abcdefgh");
        assert_eq!(found("abcdz").unwrap(), "abcdzzzz");
        assert_eq!(found("abcd"), Err(2));
        assert_eq!(found("abcde"), Err(2), "a name and a prefix");
        assert_eq!(found("qqq"), Err(3), "too short for a prefix");
        assert_eq!(found(""), Err(3));
        assert_eq!(found("Laptop"), Err(3));
    }
}
