//! `member`.

use super::Context;
use super::meeting::{Against, Meeting};
use crate::control::Control;
use crate::event::{Done, Event, Excluded};
use crate::failure::{Failure, Result};
use crate::member_args::MemberCommand;
use crate::wait_args::SyncWait;
use echodb::model::ErrorKind;
use echodb::{Member, Space};
use std::sync::Arc;

/// Shorter prefixes are not taken.
const PREFIX_CHARS: usize = 4;

pub(super) fn member(
    context: &mut Context,
    control: &Control,
    command: MemberCommand,
) -> Result<()> {
    match command {
        MemberCommand::List { space } => list(context, &space),
        MemberCommand::Role {
            space,
            identity,
            role,
            wait,
        } => {
            let space = context.space(&space)?;
            let identity = find(&space, &identity)?;
            let meeting = meeting(context, &space, Against::Nobody, wait);
            meeting.around(context, control, |context| {
                space.set_role(identity.clone(), role.clone())?;
                done(context, &space, Some(identity), &role)
            })
        }
        MemberCommand::Remove {
            space,
            identity,
            wait,
        } => {
            let space = context.space(&space)?;
            let identity = find(&space, &identity)?;
            let against = Against::Member(devices(&space, &identity)?);
            let meeting = meeting(context, &space, against, wait);
            meeting.around(context, control, |context| {
                space.remove_member(identity.clone())?;
                done(context, &space, Some(identity), "removed")
            })
        }
        MemberCommand::Handover {
            space,
            identity,
            wait,
        } => {
            let space = context.space(&space)?;
            let identity = find(&space, &identity)?;
            let meeting = meeting(context, &space, Against::Nobody, wait);
            meeting.around(context, control, |context| {
                space.hand_over(identity.clone())?;
                done(context, &space, Some(identity), "handed_over")
            })
        }
        MemberCommand::Excluded { space } => excluded(context, &space),
        MemberCommand::Resubmit { space, entry } => resubmit(context, &space, entry),
        MemberCommand::Leave { space, wait } => {
            let space = context.space(&space)?;
            let meeting = meeting(context, &space, Against::Oneself, wait);
            meeting.around(context, control, |context| {
                space.leave()?;
                done(context, &space, None, "left")
            })
        }
    }
}

fn list(context: &mut Context, space: &str) -> Result<()> {
    for member in context.space(space)?.members()? {
        context.output.emit(Event::Member(member.into()))?;
    }
    Ok(())
}

fn excluded(context: &mut Context, space: &str) -> Result<()> {
    let space = context.space(space)?;
    for entry in space.excluded()? {
        let excluded = Excluded::new(&space.id(), entry);
        context.output.emit(Event::Excluded(excluded))?;
    }
    Ok(())
}

fn resubmit(context: &mut Context, space: &str, entry: String) -> Result<()> {
    let space = context.space(space)?;
    let again = space.resubmit(entry)?;
    for skipped in again.skipped {
        let text = format!("object {}: {}", skipped.object, skipped.reason);
        context.output.emit(Event::Warning(text))?;
    }
    done(context, &space, again.committed.entry, "resubmitted")
}

pub(super) fn rotate_key(
    context: &mut Context,
    control: &Control,
    space: &str,
    wait: SyncWait,
) -> Result<()> {
    let space = context.space(space)?;
    let meeting = meeting(context, &space, Against::Nobody, wait);
    meeting.around(context, control, |context| {
        space.rotate_key()?;
        done(context, &space, None, "key_rotated")
    })
}

fn meeting(context: &Context, space: &Arc<Space>, against: Against, wait: SyncWait) -> Meeting {
    Meeting::new(context, &[Arc::clone(space)], against, wait)
}

/// The keys of a member's devices.
fn devices(space: &Space, identity: &str) -> Result<Vec<String>> {
    let mut members = space.members()?.into_iter();
    let member = members.find(|member| member.identity == identity);
    Ok(member.map(|member| member.devices).unwrap_or_default())
}

pub(super) fn share_history(context: &mut Context, space: &str, who: &str) -> Result<()> {
    let space = context.space(space)?;
    let identity = find(&space, who)?;
    let state = match space.share_history(&identity)? {
        true => "history_shared",
        false => "history_known",
    };
    done(context, &space, Some(identity), state)
}

fn done(context: &mut Context, space: &Space, id: Option<String>, state: &str) -> Result<()> {
    context.output.emit(Event::Done(Done {
        space: space.id(),
        id,
        state: state.to_owned(),
    }))
}

/// The member with this key, a prefix of it, or this name. Names are not unique, and anybody may
/// choose one that looks like a prefix: whatever could mean two members is refused. A whole key may
/// also be that of one who was removed.
fn find(space: &Space, who: &str) -> Result<String> {
    if echodb::model::IdentityKey::parse(who).is_ok() {
        return Ok(who.to_owned());
    }
    choose(&space.members()?, who)
}

fn choose(members: &[Member], who: &str) -> Result<String> {
    let prefix = who.to_ascii_lowercase();
    let is_prefix = |id: &str| prefix.len() >= PREFIX_CHARS && id.starts_with(&prefix);
    let mut found = members.iter().filter(|member| {
        !who.is_empty() && (member.display_name == who || is_prefix(&member.identity))
    });
    match (found.next(), found.next()) {
        (Some(member), None) => Ok(member.identity.clone()),
        (Some(_), Some(_)) => Err(Failure::usage(format!(
            "{who:?} could be several members; give more of the key (`echodb member list` shows it)"
        ))),
        _ => Err(Failure::new(
            ErrorKind::NotFound,
            format!("there is no member {who:?}; `echodb member list` shows who there is"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_key_prefix_and_name() {
        let member = |identity: &str, name: &str| Member {
            identity: identity.to_owned(),
            display_name: name.to_owned(),
            role: "editor".to_owned(),
            devices: Vec::new(),
            rank: 1,
            joined_ms: None,
            device_details: Vec::new(),
        };
        let members = [
            member("abcdefgh", "Ann"),
            member("abcdzzzz", "Bob"),
            member("qqqqqqqq", "abcde"),
        ];
        let found = |who| choose(&members, who).map_err(|failure| failure.exit_code());
        assert_eq!(found("Ann").unwrap(), "abcdefgh");
        assert_eq!(found("ABCDZ").unwrap(), "abcdzzzz");
        assert_eq!(found("abcd"), Err(2));
        assert_eq!(found("abcde"), Err(2));
        assert_eq!(found(""), Err(3));
        assert_eq!(found("Cem"), Err(3));
    }
}
