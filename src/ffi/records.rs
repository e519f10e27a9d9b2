//! Records of the facade as JSON: how more than one value leaves. Keys are only ever added.

use super::buffer::echodb_buffer;
use crate::api::{
    ArchiveInfo, BranchInfo, ChangeBatch, ChangeInfo, ChangeKind, ChangeOrigin, ClientStatus,
    Committed, CommittedObject, Encryption, GuestUpdate, IdentityInfo, ImportReport, IndexInfo,
    InvitationInfo, InvitationKind, InvitationType, InvitationUpdate, LiveBatch, MigrationReport,
    ObjectRecord, QuarantinedEntry, QueryPage, SchemaInfo, SpaceInfo, SpaceState, SpaceStatus,
    TextMark, TransactionInfo, Undone, Violation,
};
use crate::model::json;
use serde_json::{Value as Json, json};

pub(super) fn buffer(json: &Json) -> echodb_buffer {
    echodb_buffer::new(json.to_string())
}

pub(super) fn list<T>(items: &[T], record: impl Fn(&T) -> Json) -> echodb_buffer {
    buffer(&items.iter().map(record).collect())
}

pub(super) fn identity(identity: &IdentityInfo) -> Json {
    json!({
        "identity": identity.identity,
        "device": identity.device,
        "display_name": identity.display_name,
    })
}

fn space_state(state: SpaceState) -> &'static str {
    match state {
        SpaceState::Closed => "closed",
        SpaceState::Opening => "opening",
        SpaceState::Ready => "ready",
        SpaceState::Failed => "failed",
    }
}

pub(super) fn space_info(info: &SpaceInfo) -> Json {
    json!({
        "id": info.id,
        "name": info.name,
        "is_default": info.is_default,
        "state": space_state(info.state),
    })
}

/// The same keys as `Space::query_json` gives its elements.
pub(super) fn object(object: &ObjectRecord) -> Json {
    json!({
        "id": object.id,
        "type": object.type_name,
        "parent": object.parent,
        "deleted": object.deleted,
        "hidden": object.hidden,
        "schema_version": object.schema_version,
        "source": object.source,
        "target": object.target,
        "tags": object.tags,
        "keys": object.keys,
        "branch_of": object.branch_of,
        "created_ms": object.created_ms,
        "updated_ms": object.updated_ms,
        "heads": object.heads,
        // The facade wrote this text itself; null can only mean a defect and must not hide the rest.
        "fields": json::parse(&object.fields).unwrap_or(Json::Null),
    })
}

pub(super) fn index_info(index: &IndexInfo) -> Json {
    json!({"type": index.type_name, "path": index.path})
}

/// `{"objects": […], "next": "…"}`. The objects are JSON already and are copied as they stand.
pub(super) fn query_page(page: &QueryPage) -> echodb_buffer {
    let next = Json::from(page.next.as_deref()).to_string();
    let parts: [&[u8]; 5] = [
        b"{\"objects\":",
        &page.objects,
        b",\"next\":",
        next.as_bytes(),
        b"}",
    ];
    echodb_buffer::new(parts.concat())
}

pub(super) fn text_mark(mark: &TextMark) -> Json {
    json!({
        "start": mark.start,
        "end": mark.end,
        "name": mark.name,
        // The facade wrote this text itself, as above.
        "value": json::parse(&mark.value).unwrap_or(Json::Null),
    })
}

pub(super) fn change_info(change: &ChangeInfo) -> Json {
    json!({
        "hash": change.hash,
        "parents": change.parents,
        "message": change.message,
        "time_ms": change.time_ms,
        "identity": change.identity,
        "device": change.device,
    })
}

pub(super) fn committed(committed: &Committed) -> Json {
    json!({"entry": committed.entry, "objects": versions(&committed.objects)})
}

fn versions(objects: &[CommittedObject]) -> Json {
    let objects = objects.iter();
    objects
        .map(|o| json!({"id": o.id, "heads": o.heads}))
        .collect()
}

pub(super) fn undone(undone: Option<&Undone>) -> Json {
    let Some(undone) = undone else {
        return Json::Null;
    };
    let skipped: Json = undone
        .skipped
        .iter()
        .map(|s| json!({"object": s.object, "path": s.path, "reason": s.reason}))
        .collect();
    let Json::Object(mut json) = committed(&undone.committed) else {
        return Json::Null;
    };
    json.insert("label".into(), json!(undone.label));
    json.insert("skipped".into(), skipped);
    Json::Object(json)
}

pub(super) fn transaction(transaction: &TransactionInfo) -> Json {
    json!({
        "entry": transaction.entry,
        "identity": transaction.identity,
        "device": transaction.device,
        "time_ms": transaction.time_ms,
        "message": transaction.message,
        "objects": transaction.objects,
        "versions": versions(&transaction.versions),
        "endorsed_by": transaction.endorsed_by,
    })
}

pub(super) fn branch(branch: &BranchInfo) -> Json {
    json!({
        "id": branch.id,
        "of": branch.of,
        "name": branch.name,
        "heads": branch.heads,
        "created_ms": branch.created_ms,
        "updated_ms": branch.updated_ms,
    })
}

pub(super) fn batch(batch: &ChangeBatch) -> Json {
    let changes: Json = batch
        .changes
        .iter()
        .map(|change| {
            json!({
                "id": change.id,
                "type": change.type_name,
                "kind": match change.kind {
                    ChangeKind::Added => "added",
                    ChangeKind::Updated => "updated",
                    ChangeKind::Removed => "removed",
                },
                "origin": match change.origin {
                    ChangeOrigin::Local => "local",
                    ChangeOrigin::Remote => "remote",
                },
            })
        })
        .collect();
    json!({"space": batch.space, "changes": changes})
}

/// Its changes are JSON already and are copied as they stand.
pub(super) fn live_batch(batch: &LiveBatch) -> Vec<u8> {
    let head = format!(
        r#"{{"space":"{}","initial":{},"total":{},"changes":"#,
        batch.space, batch.initial, batch.total
    );
    [head.as_bytes(), &batch.changes, b"}"].concat()
}

/// What keeps the key of a profile's files.
fn encryption(kept: Encryption) -> &'static str {
    match kept {
        Encryption::Memory => "memory",
        Encryption::Plain => "plain",
        Encryption::FileKey => "file_key",
        Encryption::Passphrase => "passphrase",
        Encryption::KeyProvider => "key_provider",
    }
}

pub(super) fn client_status(status: &ClientStatus) -> Json {
    let signaling: Json = status
        .signaling
        .iter()
        .map(|s| json!({"url": s.url, "connected": s.connected, "error": s.error}))
        .collect();
    json!({
        "online": status.online,
        "signaling": signaling,
        "peers": status.peers,
        "bytes_sent": status.bytes_sent,
        "bytes_received": status.bytes_received,
        "encryption": encryption(status.encryption),
    })
}

pub(super) fn space_status(status: &SpaceStatus) -> Json {
    let peers: Json = status
        .peers
        .iter()
        .map(|peer| {
            json!({
                "device": peer.device,
                "identity": peer.identity,
                "name": peer.name,
                "unconfirmed": peer.unconfirmed,
                "missing": peer.missing,
                "in_sync": peer.in_sync,
            })
        })
        .collect();
    json!({
        "state": space_state(status.state),
        "peers": peers,
        "objects": status.objects,
        "entries": status.entries,
        "quarantined": status.quarantined,
        "excluded": status.excluded,
        "waiting_for_key": status.waiting_for_key,
        "sealed_off": status.sealed_off,
        "key_generation": status.key_generation,
        "waiting_for_dependency": status.waiting_for_dependency,
        "violations": status.violations,
        "role": status.role,
        "removed": status.removed,
        "checking": status.checking,
    })
}

pub(super) fn archive_info(info: &ArchiveInfo) -> Json {
    json!({
        "space": info.space,
        "version": info.version,
        "feeds": info.feeds,
        "entries": info.entries,
        "control_entries": info.control_entries,
        "blobs": info.blobs,
        "bytes": info.bytes,
        "digest": info.digest,
    })
}

pub(super) fn import_report(report: &ImportReport) -> Json {
    let skips: Json = report
        .skips
        .iter()
        .map(|skip| json!({"line": skip.line, "reason": skip.reason}))
        .collect();
    json!({
        "rows": report.rows,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "skipped": report.skipped,
        "skips": skips,
    })
}

pub(super) fn quarantined(entry: &QuarantinedEntry) -> Json {
    json!({"entry": entry.entry, "device": entry.device, "reason": entry.reason})
}

pub(super) fn schema(schema: &SchemaInfo) -> Json {
    json!({
        "id": schema.id,
        "type": schema.type_name,
        "version": schema.version,
        "schema": schema.schema,
        "withdrawn": schema.withdrawn,
        "problem": schema.problem,
        "conflict": schema.conflict,
    })
}

pub(super) fn violation(violation: &Violation) -> Json {
    json!({
        "id": violation.id,
        "type": violation.type_name,
        "version": violation.version,
        "path": violation.path,
        "reason": violation.reason,
    })
}

pub(super) fn migration_report(report: &MigrationReport) -> Json {
    let failures: Json = report
        .failures
        .iter()
        .map(|failure| json!({"id": failure.id, "reason": failure.reason}))
        .collect();
    json!({
        "migrated": report.migrated,
        "left": report.left,
        "failed": report.failed,
        "failures": failures,
    })
}

fn guest(guest: &GuestUpdate) -> Json {
    json!({
        "number": guest.number,
        "state": guest.state.name(),
        "name": guest.name,
        "auth_code": guest.auth_code,
        "fingerprint": guest.fingerprint,
    })
}

pub(super) fn invitation_info(info: &InvitationInfo) -> Json {
    json!({
        "id": info.id,
        "space": info.space,
        "kind": match info.kind {
            InvitationKind::Space => "space",
            InvitationKind::Device => "device",
        },
        "invitation_type": match info.invitation_type {
            InvitationType::Interactive => "interactive",
            InvitationType::MultiUse => "multi_use",
            InvitationType::Delegated => "delegated",
        },
        "joining": info.joining,
        "role": info.role,
        "created_ms": info.created_ms,
        "expires_ms": info.expires_ms,
        "max_uses": info.max_uses,
        "uses": info.uses,
        "state": info.state.name(),
        "code": info.code,
        "url": info.url,
    })
}

pub(super) fn invitation(update: &InvitationUpdate) -> Json {
    json!({
        "state": update.state.name(),
        "auth_code": update.auth_code,
        "attempts_left": update.attempts_left,
        "peer_name": update.peer_name,
        "fingerprint": update.fingerprint,
        "guests": update.guests.iter().map(guest).collect::<Vec<_>>(),
        "uses": update.uses,
        "space": update.space,
        "status": update.status,
        "error": update.error,
    })
}
