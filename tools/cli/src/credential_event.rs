//! What commands report about credentials.

use echodb::{CredentialInfo, CredentialKind, VerifiedPresentation};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// One thing to print about credentials.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialEvent {
    /// A credential.
    Credential(Box<Credential>),
    /// The code of a credential or a presentation.
    Code(CredentialCode),
    /// A presentation that verifies.
    Presentation(Presentation),
    /// A statement was forgotten; people see nothing.
    Removed(Removed),
}

/// A credential.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Credential {
    /// What it is exported and presented by.
    pub id: String,
    /// `identity`, `membership` or `statement`.
    pub kind: String,
    /// Whom it is about.
    pub subject: String,
    /// What that calls itself.
    pub subject_name: String,
    /// Whose word it is.
    pub issuer: String,
    /// What that calls itself.
    pub issuer_name: String,
    /// The device that signed it.
    pub device: Option<String>,
    /// What that is called.
    pub device_name: Option<String>,
    /// The space of a membership.
    pub space: Option<String>,
    /// The role of a membership.
    pub role: Option<String>,
    /// The type of a statement.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// What a statement says.
    pub claims: Option<Json>,
    /// When it was made, in milliseconds since 1970.
    pub issued_ms: Option<i64>,
    /// Until when it holds, likewise.
    pub expires_ms: Option<i64>,
    /// What a membership rests on.
    pub steps: Vec<CredentialStep>,
    /// Whether a space of this profile contradicts nothing.
    pub checked_against_space: bool,
}

/// An entry that a membership rests on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialStep {
    /// The control entry.
    pub entry: String,
    /// Who wrote it.
    pub by: String,
    /// What it did.
    pub text: String,
}

/// A code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialCode {
    /// The text.
    pub code: String,
}

/// What a presentation shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Presentation {
    /// Who presents.
    pub identity: String,
    /// What it calls itself.
    pub name: String,
    /// Its device.
    pub device: String,
    /// What that is called.
    pub device_name: String,
    /// When, in milliseconds since 1970, by that device's clock.
    pub presented_ms: i64,
    /// Whether a space of this profile knows the identity, and the device not as revoked.
    pub device_checked: bool,
    /// What is shown.
    pub credentials: Vec<Credential>,
}

/// A statement was forgotten.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Removed {
    /// Which.
    pub id: String,
    /// `removed`.
    pub state: String,
}

impl From<CredentialInfo> for Credential {
    fn from(info: CredentialInfo) -> Self {
        let steps = info.steps.into_iter().map(|step| CredentialStep {
            entry: step.entry,
            by: step.by,
            text: step.text,
        });
        let kind = match info.kind {
            CredentialKind::Identity => "identity",
            CredentialKind::Membership => "membership",
            CredentialKind::Statement => "statement",
        };
        let claims = info.claims.as_deref();
        Credential {
            id: info.id,
            kind: kind.to_owned(),
            subject: info.subject,
            subject_name: info.subject_name,
            issuer: info.issuer,
            issuer_name: info.issuer_name,
            device: info.device,
            device_name: info.device_name,
            space: info.space,
            role: info.role,
            type_name: info.type_name,
            claims: claims.and_then(|text| serde_json::from_str(text).ok()),
            issued_ms: info.issued_ms,
            expires_ms: info.expires_ms,
            steps: steps.collect(),
            checked_against_space: info.checked_against_space,
        }
    }
}

impl From<VerifiedPresentation> for Presentation {
    fn from(found: VerifiedPresentation) -> Self {
        Presentation {
            identity: found.identity,
            name: found.name,
            device: found.device,
            device_name: found.device_name,
            presented_ms: found.presented_ms,
            device_checked: found.device_checked,
            credentials: found.credentials.into_iter().map(Into::into).collect(),
        }
    }
}
