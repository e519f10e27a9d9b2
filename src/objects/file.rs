//! An object as an Automerge file: one that other programs of Automerge open, and one that they
//! wrote. What comes in is bounded, read under guard, and thrown away: what it says is made again
//! here as operations of our own, since every change in a space is signed for by the member who
//! brought it.

use super::carried::{Carried, text_paths};
use super::resolve::{failure, get};
use super::{Document, QuarantineCode, guard, project};
use crate::model::contain::contain;
use crate::model::{Error, Result};
use automerge::{
    AutoCommit, ChangeHash, LoadOptions, ObjType, OnPartialLoad, ROOT, ReadDoc, TextEncoding,
    Value as Stored, VerificationMode,
};
use data_encoding::HEXLOWER;
use std::collections::{BTreeSet, HashMap, HashSet};

/// What the note of a change that was made from a file begins with; the file's heads follow.
pub const FILE_NOTE: &str = "automerge ";

/// A file's document.
pub struct ObjectFile {
    document: Document,
    /// Every change with those it builds on.
    changes: HashMap<[u8; 32], Vec<[u8; 32]>>,
}

/// Where a file meets a document.
pub struct Meeting {
    /// The newest changes of the document that the file knows, or whose contents it has.
    pub here: Vec<[u8; 32]>,
    /// The same state in the file.
    pub there: Vec<[u8; 32]>,
    /// Whether the file has nothing beyond.
    pub nothing_new: bool,
}

impl ObjectFile {
    /// Reads a file: whole documents and changes, as `save` and `saveIncremental` write them. Fails
    /// with `InvalidArgument` if it is malformed and `LimitExceeded` past the bounds.
    pub fn read(bytes: &[u8]) -> Result<ObjectFile> {
        guard::scan_file(bytes).map_err(|refusal| match refusal.code {
            QuarantineCode::ChangeRows | QuarantineCode::EntryRows => Error::limit(refusal.detail),
            _ => Error::invalid(format!("not a sound Automerge file: {}", refusal.detail)),
        })?;
        let options = LoadOptions::new()
            .on_partial_load(OnPartialLoad::Error)
            .verification_mode(VerificationMode::Check)
            .text_encoding(TextEncoding::UnicodeCodePoint);
        let loaded = contain(|| AutoCommit::load_with_options(bytes, options));
        let am = match loaded {
            Ok(Ok(am)) => am,
            Ok(Err(e)) => {
                return Err(Error::invalid(format!("not a sound Automerge file: {e}")));
            }
            Err(panic) => {
                return Err(Error::invalid(format!(
                    "Automerge cannot read this file: {panic}"
                )));
            }
        };
        let mut document = Document::around(am);
        let history = document.history(&[])?;
        if history.is_empty() {
            return Err(Error::invalid("the file holds no change, so no object"));
        }
        let changes = history.into_iter().map(|c| (c.hash, c.deps)).collect();
        Ok(ObjectFile { document, changes })
    }

    /// The newest changes.
    pub fn heads(&mut self) -> Vec<[u8; 32]> {
        self.document.heads()
    }

    /// The note that a change made from the file carries, so that the file is not taken in twice.
    pub fn note(&mut self) -> String {
        let heads: Vec<String> = self.heads().iter().map(|h| HEXLOWER.encode(h)).collect();
        format!("{FILE_NOTE}{}", heads.join(","))
    }

    /// The present state.
    pub fn state(&mut self) -> Result<Carried> {
        sound(self.document.contained(|document| state(&document.am)))
    }

    /// The state at an earlier version.
    pub fn state_at(&mut self, heads: &[[u8; 32]]) -> Result<Carried> {
        let hashes: Vec<ChangeHash> = heads.iter().copied().map(ChangeHash).collect();
        sound(self.document.contained(|document| {
            let past = document.am.fork_at(&hashes).map_err(failure)?;
            state(&past)
        }))
    }

    /// Where the file and a document meet: by changes that both hold, and by changes that were made
    /// here from earlier versions of the file. `None` if they share nothing.
    pub fn meeting(&mut self, document: &mut Document) -> Result<Option<Meeting>> {
        let ours = document.history(&[])?;
        let mut shared: HashSet<[u8; 32]> = HashSet::new();
        let mut taken_in: BTreeSet<[u8; 32]> = BTreeSet::new();
        let mut file_heads: Vec<[u8; 32]> = Vec::new();
        for change in &ours {
            if self.changes.contains_key(&change.hash) {
                shared.insert(change.hash);
            } else if let Some(heads) = change.message.as_deref().and_then(noted)
                && heads.iter().all(|head| self.changes.contains_key(head))
            {
                taken_in.insert(change.hash);
                file_heads.extend(heads);
            }
        }
        if shared.is_empty() && taken_in.is_empty() {
            return Ok(None);
        }
        let known = self.with_ancestors(shared.iter().copied().chain(file_heads));
        let mut held = shared;
        held.extend(taken_in);
        let here = newest(ours.iter().map(|c| (&c.hash, &c.deps)), &held);
        let there = newest(self.changes.iter(), &known);
        Ok(Some(Meeting {
            here,
            there,
            nothing_new: known.len() == self.changes.len(),
        }))
    }

    fn with_ancestors(&self, from: impl Iterator<Item = [u8; 32]>) -> HashSet<[u8; 32]> {
        let mut known = HashSet::new();
        let mut open: Vec<[u8; 32]> = from.collect();
        while let Some(hash) = open.pop() {
            if known.insert(hash)
                && let Some(deps) = self.changes.get(&hash)
            {
                open.extend(deps);
            }
        }
        known
    }
}

/// The changes of a set that no other of it builds on, sorted.
fn newest<'a>(
    all: impl Iterator<Item = (&'a [u8; 32], &'a Vec<[u8; 32]>)>,
    set: &HashSet<[u8; 32]>,
) -> Vec<[u8; 32]> {
    let built_on: HashSet<&[u8; 32]> = all
        .filter(|(hash, _)| set.contains(*hash))
        .flat_map(|(_, deps)| deps)
        .collect();
    let mut newest: Vec<[u8; 32]> = set
        .iter()
        .filter(|hash| !built_on.contains(hash))
        .copied()
        .collect();
    newest.sort_unstable();
    newest
}

/// The heads in a change's note, if it was made from a file.
fn noted(message: &str) -> Option<Vec<[u8; 32]>> {
    let heads = message.strip_prefix(FILE_NOTE)?.split(',').map(|head| {
        let bytes = HEXLOWER.decode(head.as_bytes()).ok()?;
        bytes.try_into().ok()
    });
    heads.collect()
}

fn state(am: &AutoCommit) -> Result<Carried> {
    let mut state = Carried::from(project::project(am)?);
    // JavaScript's strings are texts unless it says otherwise.
    if state.type_name.is_none()
        && let Some((Stored::Object(ObjType::Text), id)) = get(am, &ROOT, project::TYPE)?
    {
        let name = am.text(&id).map_err(failure)?;
        state.type_name = Some(name).filter(|name| !name.is_empty());
    }
    for path in text_paths(&state.fields) {
        for mark in super::marks::of_text(am, &path, crate::model::TextUnit::CodePoint)? {
            state.marks.push((path.clone(), mark));
        }
    }
    Ok(state)
}

/// A document that came from outside fails by its own fault.
fn sound<T>(result: Result<T>) -> Result<T> {
    result.map_err(|e| Error::invalid(format!("Automerge cannot read this file: {}", e.detail())))
}
