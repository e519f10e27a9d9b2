//! What the facade's `Space` calls.

use super::clock;
use super::events::Registration;
use super::node::Node;
use super::pairing::PairingHandle;
use super::row_json::RowsJson;
use super::space_host::SpaceHost;
use crate::api::{
    ChangeInfo, ChangeListener, Committed, CommittedObject, InviteOptions, ObjectRecord,
    PeerStatus, QuarantinedEntry, SpaceInfo, SpaceStatus,
};
use crate::model::{ObjectId, Operation, Path, Result, SpaceId, TextUnit, Value};
use crate::query::{Query, compile};
use crate::space::{Authors, ObjectRow, Outcome, SeenRow, digest};
use data_encoding::HEXLOWER;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A handle on a space; keeps the client open.
#[derive(Clone)]
pub struct SpaceHandle {
    node: Arc<super::node::NodeGuard>,
    host: Arc<SpaceHost>,
}

/// What a transaction takes for granted, and what it is undone with.
#[derive(Debug, Default)]
pub struct Terms {
    /// Objects' versions; none for one that must not exist.
    pub expected: Vec<(ObjectId, Vec<[u8; 32]>)>,
    /// The group that it is undone with.
    pub group: Option<String>,
}

impl SpaceHandle {
    pub(super) fn new(node: Arc<super::node::NodeGuard>, host: Arc<SpaceHost>) -> SpaceHandle {
        SpaceHandle { node, host }
    }

    pub(super) fn node(&self) -> &Arc<Node> {
        self.node.node()
    }

    pub(super) fn guard(&self) -> &Arc<super::node::NodeGuard> {
        &self.node
    }

    pub(super) fn host(&self) -> &Arc<SpaceHost> {
        &self.host
    }

    /// Fails once the client is shut down.
    pub(super) fn check_open(&self) -> Result<()> {
        self.node().check_open()
    }

    /// The space's id.
    pub fn id(&self) -> SpaceId {
        self.host.id()
    }

    /// A new object id.
    pub fn new_object_id(&self) -> ObjectId {
        ObjectId::from_parts(clock::now_ms(), clock::random())
    }

    /// Id, name and state.
    pub fn info(&self) -> Result<SpaceInfo> {
        self.node().check_open()?;
        Ok(self.node().space_info(&self.host))
    }

    /// Opens the space.
    pub fn open(&self) -> Result<()> {
        self.node().open_space(&self.host)
    }

    /// Closes the space.
    pub fn close(&self) -> Result<()> {
        self.node().close_space(&self.host)
    }

    /// Runs operations as one transaction.
    pub fn transact(
        &self,
        operations: Vec<Operation>,
        heads: Option<Vec<[u8; 32]>>,
        message: Option<String>,
        terms: Terms,
    ) -> Result<Committed> {
        self.node().check_open()?;
        let now = clock::now_ms();
        let outcome = self.host.write(|core| {
            core.expect_versions(&terms.expected)?;
            let outcome = core.transact(&operations, heads.as_deref(), message.as_deref(), now)?;
            if let Some(group) = terms.group {
                core.group_for_undo(&outcome, group);
            }
            Ok(outcome)
        })?;
        Ok(committed(outcome))
    }

    /// Makes one edit that is gathered with others.
    pub fn splice_text(
        &self,
        object: ObjectId,
        path: Path,
        position: usize,
        delete: usize,
        insert: String,
        unit: TextUnit,
    ) -> Result<()> {
        self.node().check_open()?;
        let edit = Operation::Splice {
            object,
            path,
            position,
            delete,
            insert,
            unit,
        };
        self.host.edit(edit)
    }

    /// The properties as JSON.
    pub fn properties(&self) -> Result<String> {
        let row = self
            .host
            .read(|store| store.object(&ObjectId::PROPERTIES))?;
        Ok(row.map_or_else(|| "{}".to_owned(), |row| row.data))
    }

    /// Sets some properties.
    pub fn set_properties(&self, fields: BTreeMap<String, Value>) -> Result<()> {
        self.node().check_open()?;
        self.host.write(|core| {
            let object = ObjectId::PROPERTIES;
            let operation = match core.object(&object)? {
                Some(_) => Operation::Update { object, fields },
                None => Operation::Create {
                    object,
                    type_name: None,
                    fields,
                },
            };
            core.transact(&[operation], None, None, clock::now_ms())
        })?;
        Ok(())
    }

    /// An object.
    pub fn get(&self, id: ObjectId) -> Result<Option<ObjectRecord>> {
        let row = self.host.read(|store| store.object(&id))?;
        Ok(row.map(|row| record(row.seen())))
    }

    /// Objects that a query finds.
    pub fn query(&self, query: &Query) -> Result<Vec<ObjectRecord>> {
        let mut records = Vec::new();
        self.rows(query, &mut |row| records.push(record(row)))?;
        Ok(records)
    }

    /// The same as one JSON array.
    pub fn query_json(&self, query: &Query) -> Result<Vec<u8>> {
        let mut rows = RowsJson::default();
        self.rows(query, &mut |row| rows.push(&row))?;
        Ok(rows.finish())
    }

    fn rows(&self, query: &Query, each: &mut dyn FnMut(SeenRow<'_>)) -> Result<()> {
        let query = compile(query);
        self.host
            .read_words(query.searches, |store| store.query(&query, each))
    }

    /// A text.
    pub fn text(&self, id: ObjectId, path: &Path) -> Result<String> {
        self.host.read_object(id, |_, document| document.text(path))
    }

    /// An object's history.
    pub fn history(&self, id: ObjectId, since: &[[u8; 32]]) -> Result<Vec<ChangeInfo>> {
        let (history, mut authors) = self.host.read_settled_object(id, |store, document| {
            Ok((document.history(since)?, Authors::read(store, self.id())?))
        })?;
        let history = history.into_iter().map(|change| {
            let (identity, device) = authors.of(&change.actor)?;
            let parents = change.deps.iter().map(|hash| HEXLOWER.encode(hash));
            Ok(ChangeInfo {
                hash: HEXLOWER.encode(&change.hash),
                parents: parents.collect(),
                message: change.message,
                time_ms: change.time_ms,
                identity: identity.to_string(),
                device: device.to_string(),
            })
        });
        history.collect()
    }

    /// The durability barrier.
    pub fn flush(&self) -> Result<()> {
        self.host.with_settled(|core| core.flush())
    }

    /// The digest.
    pub fn digest(&self) -> Result<String> {
        let digest = self.host.read(|store| digest(store, &self.id()))?;
        Ok(HEXLOWER.encode(&digest))
    }

    /// Subscribes to changes.
    pub fn subscribe(
        &self,
        filter: Query,
        listener: Arc<dyn ChangeListener>,
    ) -> Result<Registration> {
        self.node().check_open()?;
        filter.check_row_decides()?;
        let log = self.host.log().clone();
        Ok(self.host.hub().subscribe(self.id(), filter, listener, log))
    }

    /// Opens an invitation.
    pub fn invite(&self, options: InviteOptions) -> Result<PairingHandle> {
        super::pairing::host::open(&self.node, &self.host, &options)
    }

    /// Who has what.
    pub fn status(&self) -> Result<SpaceStatus> {
        self.node().check_open()?;
        let (state, _) = self.host.summary();
        self.host.with_settled(|core| {
            let members = core.authority().members();
            let mut peers = Vec::new();
            for session in self.node().sessions() {
                let Some((unconfirmed, missing)) = session.difference(core) else {
                    continue;
                };
                let member = members.iter().find(|m| m.identity == session.identity());
                let Some(member) = member else { continue };
                peers.push(PeerStatus {
                    device: session.device().to_string(),
                    identity: session.identity().to_string(),
                    name: member.display_name.clone(),
                    unconfirmed,
                    missing,
                    in_sync: unconfirmed == 0 && missing == 0,
                });
            }
            let counts = core.counts()?;
            let own = u64::from(core.object(&ObjectId::PROPERTIES)?.is_some());
            let own = own + counts.schemas;
            Ok(SpaceStatus {
                state,
                peers,
                objects: counts.objects - own,
                entries: counts.entries,
                quarantined: counts.quarantined,
                excluded: counts.excluded,
                waiting_for_key: counts.waiting.saturating_sub(core.sealed_off()),
                sealed_off: core.sealed_off(),
                waiting_for_dependency: core.waiting_for_dependency() as u64,
                violations: counts.violations,
                role: core.own_role().map(|role| role.name().to_owned()),
                removed: core.is_removed(),
                checking: core.has_schema_checks(),
                key_generation: core.key_in_use().map_or(0, |key| key.generation),
            })
        })
    }

    /// Entries set aside.
    pub fn quarantined(&self) -> Result<Vec<QuarantinedEntry>> {
        let records = self.host.with(|core| core.quarantined())?;
        Ok(records
            .into_iter()
            .map(|(record, device)| QuarantinedEntry {
                entry: record.id.to_string(),
                device: device.map_or_else(String::new, |device| device.to_string()),
                reason: record.reason,
            })
            .collect())
    }
}

pub(super) fn committed(outcome: Outcome) -> Committed {
    let objects = outcome.versions.iter();
    Committed {
        entry: outcome.entry.map(|id| id.to_string()),
        objects: objects.map(|(id, heads)| version(id, heads)).collect(),
    }
}

/// An object's version.
pub(super) fn version(id: &ObjectId, heads: &[[u8; 32]]) -> CommittedObject {
    CommittedObject {
        id: id.to_string(),
        heads: heads.iter().map(|hash| HEXLOWER.encode(hash)).collect(),
    }
}

/// The properties and the schemas are the space's own, not among its objects.
pub(super) fn is_user_object(row: &ObjectRow) -> bool {
    row.id != ObjectId::PROPERTIES && !row.is_schema()
}

pub(super) fn record(row: SeenRow<'_>) -> ObjectRecord {
    let system = row.system.into_owned();
    ObjectRecord {
        id: row.id.to_string(),
        type_name: row.type_name.map(Cow::into_owned),
        parent: row.parent.map(|id| id.to_string()),
        deleted: row.deleted,
        hidden: row.hidden,
        schema_version: system.schema_version,
        source: system.source.map(|id| id.to_string()),
        target: system.target.map(|id| id.to_string()),
        tags: system.tags.into_iter().collect(),
        keys: system.keys.into_iter().collect(),
        branch_of: system.branch.map(|branch| branch.of.to_string()),
        fields: row.data.into_owned(),
        created_ms: row.created_ms,
        updated_ms: row.updated_ms,
        heads: row.heads.iter().map(|hash| HEXLOWER.encode(hash)).collect(),
    }
}
