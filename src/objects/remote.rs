//! Taking in changes made elsewhere.

use super::guard::{self, ChangeSummary};
use super::{Document, Quarantine, QuarantineCode, project};
use crate::model::contain::contain;
use automerge::{AutomergeError, Change, ChangeHash};
use std::collections::{HashMap, HashSet};

impl Document {
    /// Applies changes made elsewhere, in any order as long as each one's dependencies are present
    /// or come along; ones that are present already are skipped. An open local transaction is
    /// rolled back first.
    ///
    /// All changes are bounded before the first is decoded; afterwards each must be part of the
    /// document and read back as the same bytes, and the document must project. After an error the
    /// document is poisoned.
    pub fn apply_remote(&mut self, changes: &[Vec<u8>]) -> Result<(), Quarantine> {
        self.rollback();
        self.take_changes(changes, true)
    }

    /// As [`Document::apply_remote`]; `verify` compares what was received with what was kept.
    pub(super) fn take_changes(
        &mut self,
        changes: &[Vec<u8>],
        verify: bool,
    ) -> Result<(), Quarantine> {
        if self.poisoned {
            return Err(Quarantine::new(
                QuarantineCode::Poisoned,
                "the object failed before and must be loaded again",
            ));
        }
        // Set until everything went well, so that no way out forgets it.
        self.poisoned = true;
        let outcome = contain(|| self.take_contained(changes, verify));
        let result = outcome.unwrap_or_else(|message| {
            Err(Quarantine::new(
                QuarantineCode::Panic,
                format!("Automerge panicked: {message}"),
            ))
        });
        self.poisoned = result.is_err();
        result
    }

    fn take_contained(&mut self, changes: &[Vec<u8>], verify: bool) -> Result<(), Quarantine> {
        let fresh = self.fresh(changes)?;
        if fresh.is_empty() {
            return Ok(());
        }
        self.text = None;
        self.projection = None;
        self.decode_and_apply(&fresh)?;
        if verify {
            self.verify(&fresh)?;
            self.verify_marks(&fresh)?;
        }
        Ok(())
    }

    /// The changes that are not present yet, scanned, with all their dependencies at hand.
    fn fresh<'a>(
        &mut self,
        changes: &'a [Vec<u8>],
    ) -> Result<Vec<(ChangeSummary, &'a [u8])>, Quarantine> {
        let mut seen = HashSet::new();
        let mut fresh = Vec::new();
        for bytes in changes {
            let summary = guard::scan(bytes)?;
            if seen.insert(summary.hash) && !self.holds(&summary.hash) {
                fresh.push((summary, bytes.as_slice()));
            }
        }
        for (summary, _) in &fresh {
            for dep in &summary.deps {
                if !seen.contains(dep) && !self.holds(dep) {
                    let detail = format!(
                        "change {} builds on {}, which is absent",
                        ChangeHash(summary.hash),
                        ChangeHash(*dep)
                    );
                    return Err(Quarantine {
                        code: QuarantineCode::MissingDependency,
                        detail,
                        missing: Some(*dep),
                    });
                }
            }
        }
        Ok(fresh)
    }

    fn holds(&mut self, hash: &[u8; 32]) -> bool {
        self.am
            .get_change_meta_by_hash(&ChangeHash(*hash))
            .is_some()
    }

    fn decode_and_apply(&mut self, fresh: &[(ChangeSummary, &[u8])]) -> Result<(), Quarantine> {
        let mut decoded = Vec::with_capacity(fresh.len());
        for (_, bytes) in fresh {
            let change = Change::try_from(*bytes)
                .map_err(|e| Quarantine::new(QuarantineCode::Undecodable, e.to_string()))?;
            decoded.push(change);
        }
        self.am.apply_changes_batch(decoded).map_err(|e| {
            let code = match e {
                AutomergeError::DuplicateSeqNumber(..) => QuarantineCode::Sequence,
                _ => QuarantineCode::Unapplicable,
            };
            Quarantine::new(code, e.to_string())
        })?;
        // Automerge queues a change that it cannot place, and says nothing.
        for (summary, _) in fresh {
            if !self.holds(&summary.hash) {
                return Err(Quarantine::new(
                    QuarantineCode::Unapplicable,
                    format!("change {} was not kept", ChangeHash(summary.hash)),
                ));
            }
        }
        Ok(())
    }

    /// Reads the new changes back and compares them. Operations that contradict the document are
    /// kept differently from how they came, or cannot be read; saved, they would not load again.
    fn verify(&mut self, fresh: &[(ChangeSummary, &[u8])]) -> Result<(), Quarantine> {
        let kept = self.kept(fresh);
        for (summary, bytes) in fresh {
            let change = kept.get(&summary.hash);
            if change.is_none_or(|change| change.raw_bytes() != *bytes) {
                return Err(Quarantine::new(
                    QuarantineCode::NotCanonical,
                    format!(
                        "change {} does not read back as it came",
                        ChangeHash(summary.hash)
                    ),
                ));
            }
        }
        let projection = project::project(&self.am)
            .map_err(|e| Quarantine::new(QuarantineCode::Unapplicable, e.detail()))?;
        self.projection = Some(projection);
        Ok(())
    }

    /// Automerge takes marks in an order in which it cannot load them again, which only loading
    /// shows. Whoever makes marks has checked the same (`Document::commit`).
    fn verify_marks(&mut self, fresh: &[(ChangeSummary, &[u8])]) -> Result<(), Quarantine> {
        if !fresh.iter().any(|(summary, _)| summary.marks > 0) {
            return Ok(());
        }
        self.saved()
            .map(drop)
            .map_err(|e| Quarantine::new(QuarantineCode::Unapplicable, e.detail()))
    }

    /// The new changes as the document holds them, by hash.
    fn kept(&mut self, fresh: &[(ChangeSummary, &[u8])]) -> HashMap<[u8; 32], Change> {
        // One pass over the document for any number of changes: what is not part of the history of
        // their dependencies includes them all.
        if let [(summary, _)] = fresh {
            let change = self.am.get_change_by_hash(&ChangeHash(summary.hash));
            return change.map(|c| (summary.hash, c)).into_iter().collect();
        }
        let new: HashSet<[u8; 32]> = fresh.iter().map(|(summary, _)| summary.hash).collect();
        let below: Vec<ChangeHash> = fresh
            .iter()
            .flat_map(|(summary, _)| &summary.deps)
            .filter(|dep| !new.contains(*dep))
            .map(|dep| ChangeHash(*dep))
            .collect();
        self.am
            .get_changes(&below)
            .into_iter()
            .map(|change| (change.hash().0, change))
            .collect()
    }
}
