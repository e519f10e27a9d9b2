//! The versions of an object.

use super::Document;
use crate::model::Result;

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
