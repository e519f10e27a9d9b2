//! Credentials and presentations as JSON.

use crate::api::{CredentialInfo, CredentialKind, VerifiedPresentation};
use crate::model::json;
use serde_json::{Value as Json, json};

pub(super) fn credential(info: &CredentialInfo) -> Json {
    let steps = info.steps.iter();
    let steps = steps.map(|step| json!({"entry": step.entry, "by": step.by, "text": step.text}));
    // The facade wrote this text itself; null can only mean a defect and must not hide the rest.
    let claims = info.claims.as_deref().and_then(|c| json::parse(c).ok());
    json!({
        "id": info.id,
        "kind": match info.kind {
            CredentialKind::Identity => "identity",
            CredentialKind::Membership => "membership",
            CredentialKind::Statement => "statement",
        },
        "subject": info.subject,
        "subject_name": info.subject_name,
        "issuer": info.issuer,
        "issuer_name": info.issuer_name,
        "device": info.device,
        "device_name": info.device_name,
        "space": info.space,
        "role": info.role,
        "type": info.type_name,
        "claims": claims,
        "issued_ms": info.issued_ms,
        "expires_ms": info.expires_ms,
        "steps": steps.collect::<Json>(),
        "checked_against_space": info.checked_against_space,
    })
}

pub(super) fn presentation(verified: &VerifiedPresentation) -> Json {
    json!({
        "identity": verified.identity,
        "name": verified.name,
        "device": verified.device,
        "device_name": verified.device_name,
        "presented_ms": verified.presented_ms,
        "credentials": verified.credentials.iter().map(credential).collect::<Json>(),
        "device_checked": verified.device_checked,
    })
}
