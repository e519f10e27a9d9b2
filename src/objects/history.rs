//! The versions of an object.

use super::resolve::failure;
use super::{Document, Projection};
use crate::model::Result;
use crate::model::contain::contain;
use automerge::legacy::OpType;
use automerge::{Change, ScalarValue};

/// One change of an object's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeInfo {
    /// Its name.
    pub hash: [u8; 32],
    /// The changes it builds on.
    pub deps: Vec<[u8; 32]>,
    /// Who made it.
    pub actor: Vec<u8>,
    /// Its place among its actor's changes, from 1.
    pub seq: u64,
    /// Its author's clock, in milliseconds since 1970: a claim, not a fact.
    pub time_ms: i64,
    /// Its author's note.
    pub message: Option<String>,
    /// How many operations it holds.
    pub ops: u64,
}

impl Document {
    /// The changes that are not part of the history of `since`, each after what it builds on.
    pub fn history(&mut self, since: &[[u8; 32]]) -> Result<Vec<ChangeInfo>> {
        self.closed()?;
        let since = self.known(since)?;
        self.contained(|document| {
            let changes = document.am.get_changes_meta(&since);
            Ok(changes
                .into_iter()
                .map(|change| ChangeInfo {
                    hash: change.hash.0,
                    deps: change.deps.iter().map(|dep| dep.0).collect(),
                    actor: change.actor.to_bytes().to_vec(),
                    seq: change.seq,
                    time_ms: change.timestamp,
                    message: change.message.map(|m| m.into_owned()),
                    ops: (change.max_op + 1).saturating_sub(change.start_op),
                })
                .collect())
        })
    }
}

/// When a version was made: the earliest and the latest clock of its changes.
type Times = (i64, i64);

impl Document {
    /// The object as it was at a version, and when that was made. Fails with `NotFound` for a
    /// version that is not held as a whole.
    pub fn at(&mut self, heads: &[[u8; 32]]) -> Result<(Projection, Times)> {
        self.closed()?;
        let hashes = self.known(heads)?;
        self.contained(|document| {
            let mut past = document.am.fork_at(&hashes).map_err(failure)?;
            let projection = super::project::project(&past)?;
            let changes = past.get_changes_meta(&[]).into_iter();
            let times = changes.map(|change| change.timestamp);
            let (first, last) = times.fold((i64::MAX, i64::MIN), |(first, last), time| {
                (first.min(time), last.max(time))
            });
            Ok((projection, (first, last)))
        })
    }
}

/// What a stored change tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Its name.
    pub hash: [u8; 32],
    /// Its author's note.
    pub message: Option<String>,
    /// If it inserts and deletes characters of one text and does nothing else: that text's name.
    pub typing: Option<String>,
}

/// Looks into a change that was accepted before. Fails with `Corrupt` if it cannot be read.
pub fn look(change: &[u8]) -> Result<Look> {
    let hash = super::guard::scan(change)?.hash;
    let decoded = contain(|| Change::try_from(change).map(|change| change.decode()));
    let Ok(Ok(change)) = decoded else {
        return Err(crate::model::Error::corrupt(
            "a stored change cannot be read",
        ));
    };
    let mut text = change.operations.first().map(|op| op.obj.clone());
    for op in &change.operations {
        let typed = match &op.action {
            OpType::Put(ScalarValue::Str(character)) => op.insert && character.chars().count() == 1,
            OpType::Delete => !op.key.is_map_key(),
            _ => false,
        };
        text = text.filter(|text| typed && op.obj == *text);
    }
    Ok(Look {
        hash,
        message: change.message,
        typing: text.map(|text| text.to_string()),
    })
}

/// The name of a change that was accepted before.
pub fn hash_of(change: &[u8]) -> Result<[u8; 32]> {
    Ok(super::guard::scan(change)?.hash)
}

/// An actor by its bytes.
pub fn actor(bytes: &[u8]) -> automerge::ActorId {
    automerge::ActorId::from(bytes)
}
