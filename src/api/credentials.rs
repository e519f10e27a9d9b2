//! Credentials: what an identity can show to whoever shares no space with it, and how that is
//! verified.

use super::client::Client;
use super::error::Result;
use crate::model::IdentityKey;
use crate::runtime::credentials as runtime;
#[cfg(feature = "bindings")]
use std::sync::Arc;

/// What a credential says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum CredentialKind {
    /// A device acts for an identity, which goes by a name.
    Identity = 1,
    /// An identity has a role in a space.
    Membership = 2,
    /// An identity says something of another, or of itself.
    Statement = 3,
}

/// A credential whose signatures verify.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct CredentialInfo {
    /// What the client that holds it exports and presents it by: `identity`, the space's id for a
    /// membership, and a hash for a statement.
    pub id: String,
    /// What it says.
    pub kind: CredentialKind,
    /// The identity that it is about, and which alone can present it.
    pub subject: String,
    /// The name which that gave itself; empty in a statement. It proves nothing.
    pub subject_name: String,
    /// Whose word it is: of an identity its own, of a role whoever gave it (the inviter, or whoever set
    /// it later), of a statement whoever made it.
    pub issuer: String,
    /// The name which that gave itself; empty in a statement. It proves nothing.
    pub issuer_name: String,
    /// The device that signed it; none for a membership, whose entries are signed one by one.
    pub device: Option<String>,
    /// What that device is called.
    pub device_name: Option<String>,
    /// The space of a membership.
    pub space: Option<String>,
    /// The role of a membership: `owner`, `admin`, `editor`, `reader` or `relay`.
    pub role: Option<String>,
    /// The type of a statement, a name that its issuer and its readers agree on.
    pub type_name: Option<String>,
    /// What a statement claims, a JSON object.
    pub claims: Option<String>,
    /// When it was made, in milliseconds since 1970, by the clock of the device that signed it.
    pub issued_ms: Option<i64>,
    /// Until when a statement holds, in milliseconds since 1970; none: without end.
    pub expires_ms: Option<i64>,
    /// The entries that a membership rests on, from the creation of the space to the role.
    pub steps: Vec<CredentialStep>,
    /// Whether a space that is open here knows the subject, or a statement's issuer, and contradicts
    /// nothing. Without that, what was revoked or taken away since is unknown.
    pub checked_against_space: bool,
}

/// An entry that a membership rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct CredentialStep {
    /// The id of the control entry.
    pub entry: String,
    /// The identity that wrote it.
    pub by: String,
    /// What it did, as an English sentence for people, which may change from version to version.
    pub text: String,
}

/// A presentation that answers the verifier's nonce and is meant for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct VerifiedPresentation {
    /// The identity that presents.
    pub identity: String,
    /// The name that it gives itself. It proves nothing.
    pub name: String,
    /// Its device that presents.
    pub device: String,
    /// What that device is called.
    pub device_name: String,
    /// When, in milliseconds since 1970, by that device's clock.
    pub presented_ms: i64,
    /// What is shown; all of it is about the identity that presents.
    pub credentials: Vec<CredentialInfo>,
    /// Whether a space that is open here knows the identity, and does not know the device as revoked.
    pub device_checked: bool,
}

impl Client {
    /// What the identity can show: its own card first, then its role in each space, then the
    /// statements about it and those that it issued. Closed spaces are read for as long as it takes.
    /// Fails with `InvalidState` without identity.
    pub fn credentials(&self) -> Result<Vec<CredentialInfo>> {
        Ok(self.guard().node().credentials()?)
    }

    /// A credential as bytes, which anybody can verify with [`read_credential`], without network and
    /// without being a member of anything; [`credential_code`] makes text of them. A membership shows
    /// who created the space, and who let whom in up to this identity, with names and keys, and nobody
    /// else. Fails with `NotFound` for an id that is not in [`Client::credentials`].
    pub fn export_credential(&self, id: String) -> Result<Vec<u8>> {
        Ok(self.guard().node().export_credential(&id)?)
    }

    /// Presents credentials about this identity, by their ids, to one audience and in answer to its
    /// nonce: 16 to 64 random bytes that the verifier made and uses once. The audience is a name of
    /// the verifier that both sides know, up to 256 characters. Without credentials it shows which
    /// identity and device are here. At most 16. Fails with `NotFound`, with `CredentialRefused`
    /// (`Expired`) for what is over, with `InvalidArgument` for what is about somebody else, and with
    /// `PermissionDenied` on a device that was revoked.
    pub fn present_credentials(
        &self,
        credentials: Vec<String>,
        nonce: Vec<u8>,
        audience: String,
    ) -> Result<Vec<u8>> {
        let node = self.guard().node();
        Ok(node.present_credentials(&credentials, nonce, audience)?)
    }

    /// As [`verify_presentation`](fn@verify_presentation), and compares with what the spaces that are
    /// open here know: fails with `CredentialRefused` (`Revoked`) when one knows that the presenting or
    /// a signing device was revoked, or that the role shown is not held any more.
    pub fn verify_presentation(
        &self,
        presentation: Vec<u8>,
        nonce: Vec<u8>,
        audience: String,
        now_ms: Option<i64>,
    ) -> Result<VerifiedPresentation> {
        let node = self.guard().node();
        Ok(node.verify_presentation(&presentation, nonce, audience, now_ms)?)
    }

    /// Says something of an identity, or of one's own: a type (1 to 256 characters), claims (a JSON
    /// object of at most 16 KiB whose numbers are 64-bit integers), and until when it holds, in
    /// milliseconds since 1970. It is kept for all devices of this identity; export it, and have its
    /// subject import it. Fails with `InvalidArgument`, with `LimitExceeded`, and with
    /// `PermissionDenied` on a device that was revoked.
    pub fn issue_credential(
        &self,
        subject: String,
        type_name: String,
        claims: String,
        expires_ms: Option<i64>,
    ) -> Result<CredentialInfo> {
        let subject = IdentityKey::parse(&subject)?;
        let node = self.guard().node();
        Ok(node.issue_credential(subject, type_name, &claims, expires_ms)?)
    }

    /// Keeps a statement about this identity, as bytes or as text, for all of its devices. What is kept
    /// already is kept once. Fails as [`read_credential`] does, and with `InvalidArgument` for what is
    /// not about this identity and not by it.
    pub fn import_credential(&self, credential: Vec<u8>) -> Result<CredentialInfo> {
        Ok(self.guard().node().import_credential(&credential)?)
    }

    /// Forgets a statement, on all devices of this identity. That does not take it back: whoever has
    /// it can still show it. Fails with `NotFound`.
    pub fn remove_credential(&self, id: String) -> Result<()> {
        Ok(self.guard().node().remove_credential(&id)?)
    }
}

/// Reads a credential, as bytes or as text, and verifies it, with nothing else: no client, no network.
/// `now_ms` is the moment at which it is to hold, in milliseconds since 1970, the present one if there
/// is none.
///
/// It cannot tell what happened after the credential was made: whether the device was revoked, or the
/// role taken. A credential that was copied proves nothing of who shows it; that takes a presentation.
///
/// Fails with `InvalidArgument` for what is no credential, with `Storage` for one of a newer version
/// (`UnsupportedVersion`), with `LimitExceeded`, and with `CredentialRefused`: `NotCertified`,
/// `BadSignature`, `ChainBroken` or `Expired`.
pub fn read_credential(credential: Vec<u8>, now_ms: Option<i64>) -> Result<CredentialInfo> {
    Ok(runtime::read(&credential, now_ms)?)
}

/// Verifies a presentation, as bytes or as text, with nothing else: no client, no network. `nonce` and
/// `audience` are those that the verifier asked with; use every nonce once. `now_ms` is the moment at
/// which it is to hold, in milliseconds since 1970, the present one if there is none.
///
/// Fails as [`read_credential`] does, and with `CredentialRefused`: `WrongNonce` or `WrongAudience`.
pub fn verify_presentation(
    presentation: Vec<u8>,
    nonce: Vec<u8>,
    audience: String,
    now_ms: Option<i64>,
) -> Result<VerifiedPresentation> {
    let shown = runtime::verify(&presentation, nonce, audience, now_ms)?;
    Ok(runtime::verified(&shown))
}

/// The text of a credential or a presentation, for whatever carries no bytes. Wherever these are read,
/// the text can stand for the bytes. Fails with `InvalidArgument` for anything else.
#[cfg_attr(feature = "bindings", uniffi::export)]
pub fn credential_code(bytes: Vec<u8>) -> Result<String> {
    Ok(runtime::text(&bytes)?)
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Client {
    /// What the identity can show: its own card first, then its role in each space, then the
    /// statements about it and those that it issued.
    #[uniffi::method(name = "credentials")]
    pub async fn credentials_async(self: Arc<Self>) -> Result<Vec<CredentialInfo>> {
        super::run(move || self.credentials()).await
    }

    /// A credential as bytes, which anybody can verify.
    #[uniffi::method(name = "export_credential")]
    pub async fn export_credential_async(self: Arc<Self>, id: String) -> Result<Vec<u8>> {
        super::run(move || self.export_credential(id)).await
    }

    /// Presents credentials about this identity to one audience, in answer to its nonce.
    #[uniffi::method(name = "present_credentials")]
    pub async fn present_credentials_async(
        self: Arc<Self>,
        credentials: Vec<String>,
        nonce: Vec<u8>,
        audience: String,
    ) -> Result<Vec<u8>> {
        super::run(move || self.present_credentials(credentials, nonce, audience)).await
    }

    /// Verifies a presentation, and compares it with what the spaces that are open here know.
    #[uniffi::method(name = "verify_presentation")]
    pub async fn verify_presentation_async(
        self: Arc<Self>,
        presentation: Vec<u8>,
        nonce: Vec<u8>,
        audience: String,
        now_ms: Option<i64>,
    ) -> Result<VerifiedPresentation> {
        super::run(move || self.verify_presentation(presentation, nonce, audience, now_ms)).await
    }

    /// Says something of an identity, or of one's own.
    #[uniffi::method(name = "issue_credential")]
    pub async fn issue_credential_async(
        self: Arc<Self>,
        subject: String,
        type_name: String,
        claims: String,
        expires_ms: Option<i64>,
    ) -> Result<CredentialInfo> {
        super::run(move || self.issue_credential(subject, type_name, claims, expires_ms)).await
    }

    /// Keeps a statement about this identity, as bytes or as text.
    #[uniffi::method(name = "import_credential")]
    pub async fn import_credential_async(
        self: Arc<Self>,
        credential: Vec<u8>,
    ) -> Result<CredentialInfo> {
        super::run(move || self.import_credential(credential)).await
    }

    /// Forgets a statement, on all devices of this identity.
    #[uniffi::method(name = "remove_credential")]
    pub async fn remove_credential_async(self: Arc<Self>, id: String) -> Result<()> {
        super::run(move || self.remove_credential(id)).await
    }
}

/// Reads a credential, as bytes or as text, and verifies it.
#[cfg(feature = "bindings")]
#[uniffi::export(name = "read_credential")]
pub async fn read_credential_async(
    credential: Vec<u8>,
    now_ms: Option<i64>,
) -> Result<CredentialInfo> {
    super::run(move || read_credential(credential, now_ms)).await
}

/// Verifies a presentation, as bytes or as text.
#[cfg(feature = "bindings")]
#[uniffi::export(name = "verify_presentation")]
pub async fn verify_presentation_async(
    presentation: Vec<u8>,
    nonce: Vec<u8>,
    audience: String,
    now_ms: Option<i64>,
) -> Result<VerifiedPresentation> {
    super::run(move || verify_presentation(presentation, nonce, audience, now_ms)).await
}
