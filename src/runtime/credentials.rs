//! Credentials as the facade gives them, and the verification that needs no client.

use super::clock;
use crate::api::{CredentialInfo, CredentialKind, CredentialStep, VerifiedPresentation};
use crate::credential::{Challenge, Credential, Presentation, code};
use crate::model::{Error, Result, signed};
use data_encoding::HEXLOWER;

/// What the card of the own identity goes by.
pub const IDENTITY: &str = "identity";

/// A moment that the program gave, or now.
pub fn moment(now_ms: Option<i64>) -> Result<u64> {
    match now_ms {
        None => Ok(clock::now_ms()),
        Some(ms) => u64::try_from(ms)
            .map_err(|_| Error::invalid("the time is in milliseconds since 1970, and not before")),
    }
}

/// The text form of a credential or presentation.
pub fn text(bytes: &[u8]) -> Result<String> {
    code::to_text(&code::to_bytes(bytes)?)
}

/// Reads a credential, bytes or text, and verifies it.
pub fn read(input: &[u8], now_ms: Option<i64>) -> Result<CredentialInfo> {
    let credential = Credential::decode(&code::to_bytes(input)?)?;
    credential.check_time(moment(now_ms)?)?;
    Ok(info(&credential))
}

/// Reads a presentation, bytes or text, and verifies it against what was asked for.
pub fn verify(
    input: &[u8],
    nonce: Vec<u8>,
    audience: String,
    now_ms: Option<i64>,
) -> Result<Presentation> {
    let challenge = Challenge::new(nonce, audience)?;
    Presentation::verify(&code::to_bytes(input)?, &challenge, moment(now_ms)?)
}

/// A verified presentation as a record; nothing of it was checked against a space yet.
pub fn verified(shown: &Presentation) -> VerifiedPresentation {
    let certificate = shown.chain.certificate();
    VerifiedPresentation {
        identity: certificate.identity.to_string(),
        name: shown.name.clone(),
        device: certificate.device.to_string(),
        device_name: certificate.name.clone(),
        presented_ms: signed(shown.presented_ms),
        credentials: shown.credentials.iter().map(info).collect(),
        device_checked: false,
    }
}

/// A credential as a record.
pub fn info(credential: &Credential) -> CredentialInfo {
    let subject = credential.subject().to_string();
    let blank = CredentialInfo {
        id: IDENTITY.to_owned(),
        kind: CredentialKind::Identity,
        issuer: subject.clone(),
        subject,
        subject_name: String::new(),
        issuer_name: String::new(),
        device: None,
        device_name: None,
        space: None,
        role: None,
        type_name: None,
        claims: None,
        issued_ms: None,
        expires_ms: None,
        steps: Vec::new(),
        checked_against_space: false,
    };
    match credential {
        Credential::Identity(card) => CredentialInfo {
            subject_name: card.name.clone(),
            issuer_name: card.name.clone(),
            device: Some(card.chain.certificate().device.to_string()),
            device_name: Some(card.chain.certificate().name.clone()),
            issued_ms: Some(signed(card.issued_ms)),
            ..blank
        },
        Credential::Membership(membership) => {
            let shown = &membership.shown;
            CredentialInfo {
                id: membership.space.to_string(),
                kind: CredentialKind::Membership,
                subject_name: shown.name.clone(),
                issuer: shown.granted_by.to_string(),
                issuer_name: shown.granted_by_name.clone(),
                space: Some(membership.space.to_string()),
                role: Some(shown.role.name().to_owned()),
                steps: shown.steps.iter().map(step).collect(),
                ..blank
            }
        }
        Credential::Statement(statement) => CredentialInfo {
            id: HEXLOWER.encode(&statement.id()),
            kind: CredentialKind::Statement,
            issuer: statement.issued_by().to_string(),
            type_name: Some(statement.said.type_name.clone()),
            claims: Some(statement.said.claims.text().to_owned()),
            issued_ms: Some(signed(statement.said.issued_ms)),
            expires_ms: statement.said.expires_ms.map(signed),
            device: Some(statement.issuer.certificate().device.to_string()),
            device_name: Some(statement.issuer.certificate().name.clone()),
            ..blank
        },
    }
}

fn step(step: &crate::credential::ShownStep) -> CredentialStep {
    CredentialStep {
        entry: step.entry.to_string(),
        by: step.by.to_string(),
        text: step.text.clone(),
    }
}
