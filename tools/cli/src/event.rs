//! What commands report: structured, so that the front process can print it for people or as
//! JSON. The names of the members are the keys of `--json` and stay as they are.

pub use crate::check_event::Stored;
pub use crate::credential_event::CredentialEvent;
pub use crate::event_device::DeviceEvent;
use crate::event_past::{Branch, Difference, Transaction, Undone, Version};
pub use crate::found::{Hit, Index};
pub use crate::invitation_event::{Code, InvitationLine, Paired, Pairing};
pub use crate::member_event::{Excluded, SpaceMember};
pub use crate::object_event::Object;
use crate::object_event::{Changed, ConflictValue, Mark};
pub use crate::schema_event::{Schema, Violation};
pub use crate::why_event::{Why, WhyStep};
use echodb::{
    BlobInfo, Change, ChangeKind, ChangeOrigin, IdentityInfo, PeerStatus, SpaceInfo, SpaceState,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use crate::transfer_event::{Archive, ObjectFile, Report, Skipped};

/// One thing to print.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The identity.
    Identity(Identity),
    /// A device, a code for one, or a recovery phrase.
    Device(DeviceEvent),
    /// A credential, a code of one, or a presentation.
    Credential(CredentialEvent),
    /// A space in a list, or a new one.
    Space(Space),
    /// A space with its properties and members.
    SpaceDetails(SpaceDetails),
    /// A member of a space.
    Member(SpaceMember),
    /// An entry that does not count.
    Excluded(Excluded),
    /// A new object's id.
    Created(Created),
    /// What `change` did.
    Changed(Changed),
    /// A value that concurrent writes left.
    Conflict(ConflictValue),
    /// A mark on a text.
    Mark(Mark),
    /// An object.
    Object(Box<Object>),
    /// A group of an aggregation.
    Group(Group),
    /// Where the next page begins.
    Next(Next),
    /// How a query is answered.
    Plan(Plan),
    /// An object that a search found.
    Hit(Hit),
    /// An index.
    Index(Index),
    /// Something was done to an object or a space; people see nothing.
    Done(Done),
    /// A text field.
    Text(Text),
    /// A change, from `watch`.
    Change(ChangeLine),
    /// So many of the following lines are one batch, from `watch --query`.
    Live(LiveLine),
    /// A change in a query's results.
    LiveChange(LiveChange),
    /// A transaction, from `log`.
    Transaction(Transaction),
    /// A change, from `history`.
    Version(Version),
    /// What `undo` or `redo` did.
    Undone(Undone),
    /// One difference, from `diff`.
    Difference(Difference),
    /// A branch, from `branch ls`.
    Branch(Branch),
    /// Why somebody may do something, or may not.
    Why(Why),
    /// A space's digest.
    Digest(Digest),
    /// A line of an export, without its end.
    Line(String),
    /// The end of an export.
    Exported(Exported),
    /// The end of an import.
    Imported(Imported),
    /// An archive, written or checked.
    Archive(Archive),
    /// A row that an import left out.
    Skipped(Skipped),
    /// The end of an import of plain data.
    Report(Report),
    /// An object's file was written.
    ObjectFile(ObjectFile),
    /// An invitation's code.
    Code(Code),
    /// An invitation in a list.
    Invitation(InvitationLine),
    /// An invitation moved on.
    Pairing(Pairing),
    /// An invitation is over, and the other side may have everything.
    Paired(Paired),
    /// What is here of a blob.
    Blob(Blob),
    /// The end of a collection.
    Collected(Collected),
    /// The client's connections.
    Status(Status),
    /// A space's replication.
    SpaceStatus(SpaceStatus),
    /// `serve` takes commands now.
    Serving(Serving),
    /// A version of a type's schema.
    Schema(Schema),
    /// A rule that an object breaks.
    Violation(Violation),
    /// What a check or a repair found.
    Stored(Stored),
    /// Something that the user should know, though the command goes on.
    Warning(String),
    /// Progress: for terminals only.
    Progress(String),
}

/// See [`Event::Identity`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// The identity's key.
    pub identity: String,
    /// This device's key.
    pub device: String,
    /// The name that others see.
    pub name: String,
}

impl From<IdentityInfo> for Identity {
    fn from(info: IdentityInfo) -> Self {
        Identity {
            identity: info.identity,
            device: info.device,
            name: info.display_name,
        }
    }
}

/// See [`Event::Space`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Space {
    /// Its id.
    pub space: String,
    /// Its name, empty if it has none.
    pub name: String,
    /// Whether it was made with the identity.
    pub default: bool,
    /// `closed`, `opening`, `ready` or `failed`.
    pub state: String,
}

impl From<SpaceInfo> for Space {
    fn from(info: SpaceInfo) -> Self {
        Space {
            space: info.id,
            name: info.name,
            default: info.is_default,
            state: space_state(info.state).to_owned(),
        }
    }
}

/// A space state's stable name.
pub fn space_state(state: SpaceState) -> &'static str {
    match state {
        SpaceState::Closed => "closed",
        SpaceState::Opening => "opening",
        SpaceState::Ready => "ready",
        SpaceState::Failed => "failed",
    }
}

/// See [`Event::SpaceDetails`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpaceDetails {
    /// Its id.
    pub space: String,
    /// Its name, empty if it has none.
    pub name: String,
    /// Whether it was made with the identity.
    pub default: bool,
    /// As in [`Space`].
    pub state: String,
    /// Its properties, a JSON object.
    pub properties: Box<RawValue>,
    /// Its members.
    pub members: Vec<SpaceMember>,
}

/// See [`Event::Created`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Created {
    /// The space.
    pub space: String,
    /// The object.
    pub id: String,
}

/// See [`Event::Group`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// What its objects share, a JSON array; empty when they are not grouped.
    pub group: Box<RawValue>,
    /// What was measured, by name.
    pub values: Box<RawValue>,
}

/// See [`Event::Next`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Next {
    /// For `--after`.
    pub next: String,
}

/// See [`Event::Plan`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The statement.
    pub sql: String,
    /// Its parameters, from ?1.
    pub parameters: Box<RawValue>,
    /// SQLite's lines about it.
    pub plan: Vec<String>,
    /// The indexes it uses.
    pub indexes: Vec<String>,
    /// Whether it reads every object.
    pub scans: bool,
    /// The plan in words.
    pub words: Vec<String>,
}

/// See [`Event::Done`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Done {
    /// The space.
    pub space: String,
    /// The object or blob, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `set`, `deleted` or `written`; of an index `created` or `dropped`.
    pub state: String,
}

/// See [`Event::Text`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Text {
    /// The space.
    pub space: String,
    /// The object.
    pub id: String,
    /// The field or JSON Pointer, as it was given.
    pub field: String,
    /// The text.
    pub text: String,
}

/// See [`Event::Change`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangeLine {
    /// The space.
    pub space: String,
    /// The object.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// `added`, `updated` or `removed`.
    pub change: String,
    /// `local` or `remote`.
    pub origin: String,
}

impl ChangeLine {
    /// One changed object of `space`.
    pub fn new(space: &str, change: Change) -> Self {
        ChangeLine {
            space: space.to_owned(),
            id: change.id,
            type_name: change.type_name,
            change: match change.kind {
                ChangeKind::Added => "added",
                ChangeKind::Updated => "updated",
                ChangeKind::Removed => "removed",
            }
            .to_owned(),
            origin: match change.origin {
                ChangeOrigin::Local => "local",
                ChangeOrigin::Remote => "remote",
            }
            .to_owned(),
        }
    }
}

/// See [`Event::Live`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LiveLine {
    /// The space.
    pub space: String,
    /// Whether the list begins anew.
    pub initial: bool,
    /// How many results there are after the changes.
    pub total: u64,
    /// How many changes follow.
    pub changes: usize,
}

/// See [`Event::LiveChange`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LiveChange {
    /// `removed`, `added`, `moved` or `changed`.
    pub kind: String,
    /// The object.
    pub id: String,
    /// Its place before, if it was removed or moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Its place afterwards, unless it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The object, unless it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Box<RawValue>>,
}

/// See [`Event::Digest`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Digest {
    /// The space.
    pub space: String,
    /// 64 hexadecimal digits.
    pub digest: String,
}

/// See [`Event::Exported`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exported {
    /// The space.
    pub space: String,
    /// How many objects were written.
    pub objects: u64,
    /// Where to; absent for standard output, which then holds the export and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// See [`Event::Imported`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Imported {
    /// The space.
    pub space: String,
    /// How many objects were read.
    pub objects: u64,
}

/// See [`Event::Blob`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Blob {
    /// The space.
    pub space: String,
    /// The blob.
    pub blob: String,
    /// Its size in bytes.
    pub size: u64,
    /// How many of them are here.
    pub held: u64,
    /// Whether all are.
    pub whole: bool,
    /// Whether an object names it.
    pub referenced: bool,
}

impl Blob {
    /// What is known of a blob of `space`.
    pub fn new(space: &str, info: BlobInfo) -> Self {
        Blob {
            space: space.to_owned(),
            blob: info.id,
            size: info.size,
            held: info.held,
            whole: info.whole,
            referenced: info.referenced,
        }
    }
}

/// See [`Event::Collected`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Collected {
    /// The space.
    pub space: String,
    /// How many blobs were removed.
    pub blobs: u64,
    /// Bytes that this freed in the space's file.
    pub bytes: u64,
}

/// See [`Event::Status`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Whether the client looks for peers.
    pub online: bool,
    /// Whether `serve` runs on the profile.
    pub serving: bool,
    /// Authenticated peers connected now.
    pub peers: u32,
    /// Bytes sent to peers since the client was opened.
    pub bytes_sent: u64,
    /// Bytes received likewise.
    pub bytes_received: u64,
    /// The signalling servers.
    pub signaling: Vec<Signaling>,
    /// How many spaces the profile has.
    pub spaces: u64,
    /// What keeps the key of the profile's files: `plain`, `file_key`, `passphrase`, `key_provider`.
    pub encryption: String,
}

/// A signalling server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Signaling {
    /// Its URL.
    pub url: String,
    /// Whether it is connected.
    pub connected: bool,
    /// The last failure, if it is not.
    pub error: Option<String>,
}

/// See [`Event::SpaceStatus`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpaceStatus {
    /// The space.
    pub space: String,
    /// As in [`Space`].
    pub state: String,
    /// Objects, deleted ones included.
    pub objects: u64,
    /// Entries held.
    pub entries: u64,
    /// Entries set aside.
    pub quarantined: u64,
    /// Entries that do not count.
    pub excluded: u64,
    /// Entries that wait for a content key.
    pub waiting_for_key: u64,
    /// Entries that were written before this member's time.
    pub sealed_off: u64,
    /// Entries that wait for another entry.
    pub waiting_for_dependency: u64,
    /// Objects that break their type's schema.
    pub violations: u64,
    /// This identity's role, if it has one.
    pub role: Option<String>,
    /// Whether it was removed, or has left.
    pub removed: bool,
    /// Whether objects are yet to be checked against a schema that came.
    pub checking: bool,
    /// Connected peers that share it.
    pub peers: Vec<Peer>,
}

/// A connected peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// The device's key.
    pub device: String,
    /// The identity's key.
    pub identity: String,
    /// The identity's name.
    pub name: String,
    /// Entries we hold that it has not confirmed.
    pub unconfirmed: u64,
    /// Entries it holds and we lack.
    pub missing: u64,
    /// Whether both are zero.
    pub in_sync: bool,
}

impl From<PeerStatus> for Peer {
    fn from(peer: PeerStatus) -> Self {
        Peer {
            device: peer.device,
            identity: peer.identity,
            name: peer.name,
            unconfirmed: peer.unconfirmed,
            missing: peer.missing,
            in_sync: peer.in_sync,
        }
    }
}

/// See [`Event::Serving`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Serving {
    /// `serving`.
    pub state: String,
    /// The profile's directory.
    pub profile: String,
    /// The socket that other commands use.
    pub socket: String,
}
