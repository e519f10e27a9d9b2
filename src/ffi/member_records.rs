//! Records about members as JSON. Keys are only ever added.

use super::records;
use crate::api::{Contact, ExcludedEntry, Member, MemberEvent, MemberEventKind, Resubmission};
use serde_json::{Value as Json, json};

pub(super) fn member(member: &Member) -> Json {
    let details: Json = member
        .device_details
        .iter()
        .map(|device| {
            json!({
                "device": device.device,
                "name": device.name,
                "revoked": device.revoked,
            })
        })
        .collect();
    json!({
        "identity": member.identity,
        "display_name": member.display_name,
        "role": member.role,
        "devices": member.devices,
        "rank": member.rank,
        "joined_ms": member.joined_ms,
        "device_details": details,
    })
}

pub(super) fn event(event: &MemberEvent) -> Json {
    json!({
        "space": event.space,
        "kind": match event.kind {
            MemberEventKind::Joined => "joined",
            MemberEventKind::RoleChanged => "role_changed",
            MemberEventKind::Removed => "removed",
            MemberEventKind::Left => "left",
            MemberEventKind::Back => "back",
            MemberEventKind::DeviceAdded => "device_added",
            MemberEventKind::DeviceRevoked => "device_revoked",
            MemberEventKind::HandedOver => "handed_over",
            MemberEventKind::Missed => "missed",
        },
        "identity": event.identity,
        "display_name": event.display_name,
        "role": event.role,
        "previous_role": event.previous_role,
        "device": event.device,
        "by": event.by,
        "by_name": event.by_name,
        "text": event.text,
    })
}

pub(super) fn contact(contact: &Contact) -> Json {
    let spaces: Json = contact
        .spaces
        .iter()
        .map(|space| {
            json!({
                "space": space.space,
                "space_name": space.space_name,
                "display_name": space.display_name,
                "role": space.role,
            })
        })
        .collect();
    json!({
        "identity": contact.identity,
        "display_name": contact.display_name,
        "spaces": spaces,
    })
}

pub(super) fn excluded(entry: &ExcludedEntry) -> Json {
    json!({
        "entry": entry.entry,
        "device": entry.device,
        "identity": entry.identity,
        "time_ms": entry.time_ms,
        "reason": entry.reason,
        "objects": entry.objects,
    })
}

pub(super) fn resubmission(done: &Resubmission) -> Json {
    let skipped: Json = done
        .skipped
        .iter()
        .map(|skipped| json!({"object": skipped.object, "reason": skipped.reason}))
        .collect();
    let mut json = records::committed(&done.committed);
    if let Json::Object(map) = &mut json {
        map.insert("skipped".into(), skipped);
    }
    json
}
