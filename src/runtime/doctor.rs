//! Checking a space's file, and making it again from what is sound in it.

use super::clock;
use super::node::Node;
use super::space_handle::SpaceHandle;
use super::transfer::archive::alone;
use crate::api::{CheckFinding, CheckFindingKind, CheckReport, LostEntry, RepairReport};
use crate::identity::Keyring;
use crate::model::{Error, Result, SpaceId};
use crate::space::{BlobStore, Checkup, Fault, FaultKind, Reads, Rebuilt, SpaceCore, check};
use std::sync::Arc;

/// Lost entries that are told one by one.
const TOLD: usize = 1000;

impl SpaceHandle {
    /// Checks what is stored of the space.
    pub fn check(&self, full: bool) -> Result<CheckReport> {
        self.check_open()?;
        let keys = self.host().with_settled(|core| Ok(core.content_keys()))?;
        let id = self.id();
        let found = self.host().read(|store| check(id, store, &keys, full))?;
        Ok(report(found))
    }

    /// Makes the space's file again.
    pub fn repair(&self) -> Result<RepairReport> {
        let node = self.node();
        let (keyring, _) = node.require_identity()?;
        let _alone = alone();
        let id = self.id();
        let _claim = node.claim(id)?;
        let rebuilt = self
            .host()
            .exchange(|core| exchange(node, &keyring, id, core, || self.host().end_readers()))?;
        node.open_space(self.host())?;
        let (rebuilt, kept) = rebuilt;
        let objects = self.host().read(|store| store.counts())?.objects;
        let lost_entries = rebuilt.lost.len() as u64;
        let told = rebuilt.lost.into_iter().take(TOLD);
        Ok(RepairReport {
            entries: rebuilt.entries,
            objects,
            lost_entries,
            lost: told
                .map(|(entry, reason)| LostEntry { entry, reason })
                .collect(),
            damaged_blocks: rebuilt.blocks,
            incomplete_blobs: rebuilt.blobs,
            kept_file: kept,
        })
    }
}

/// Puts a core over a new file in place of `core`, which holds whatever could be opened before.
fn exchange(
    node: &Node,
    keyring: &Arc<Keyring>,
    id: SpaceId,
    core: &mut Option<SpaceCore>,
    end_readers: impl FnOnce(),
) -> Result<(Rebuilt, Option<String>)> {
    let random = || Box::new(clock::fill_random);
    let built = match core.as_ref() {
        Some(old) => build(node, keyring, id, old.reads(), old.blob_store()),
        None => node
            .with_profile(|profile| profile.salvage_space(&id))
            .and_then(|old| build(node, keyring, id, &old, &old)),
    };
    let (fresh, rebuilt) = match built {
        Ok(built) => built,
        Err(error) => {
            node.with_profile(|profile| profile.abandon_restore(&id))?;
            return Err(error.context("the space could not be made again and is as it was"));
        }
    };
    end_readers();
    let path = node.with_profile(|profile| Ok(profile.space_path(&id)))?;
    if path.is_none() {
        *core = Some(fresh);
        return Ok((rebuilt, None));
    }
    // Both are closed before they are moved.
    let opened = core.take().is_some();
    drop(fresh);
    let keep = !opened || !rebuilt.lost.is_empty() || rebuilt.blocks > 0;
    let kept = node.with_profile(|profile| profile.finish_repair(&id, keep));
    // If it could not be put in place, the old one is still there.
    let store = node.with_profile(|profile| profile.open_space(&id))?;
    *core = Some(SpaceCore::open(
        id,
        Box::new(store),
        Arc::clone(keyring),
        random(),
    )?);
    Ok((rebuilt, kept?.map(|path| path.display().to_string())))
}

/// Makes the space again beside its place, from what can be read of `old`.
fn build(
    node: &Node,
    keyring: &Arc<Keyring>,
    id: SpaceId,
    old: &dyn Reads,
    blobs: &dyn BlobStore,
) -> Result<(SpaceCore, Rebuilt)> {
    let store = node.with_profile(|profile| profile.begin_restore(&id))?;
    let random = Box::new(clock::fill_random);
    let mut core = SpaceCore::join(id, Box::new(store), Arc::clone(keyring), random)?;
    let rebuilt = core.rebuild_from(old, blobs, clock::now_ms())?;
    if core.own_role().is_none() {
        return Err(Error::corrupt(
            "what is left of the space does not say that this device is a member: restore it from an archive or join again",
        ));
    }
    core.flush()?;
    Ok((core, rebuilt))
}

fn report(found: Checkup) -> CheckReport {
    let findings = found.faults.into_iter().map(finding).collect();
    CheckReport {
        findings,
        more_findings: found.more,
        entries: found.entries,
        objects: found.objects,
        blobs: found.blobs,
    }
}

fn finding(fault: Fault) -> CheckFinding {
    CheckFinding {
        kind: match fault.kind {
            FaultKind::File => CheckFindingKind::File,
            FaultKind::Entry => CheckFindingKind::Entry,
            FaultKind::Object => CheckFindingKind::Object,
            FaultKind::Index => CheckFindingKind::Index,
            FaultKind::Blob => CheckFindingKind::Blob,
        },
        subject: fault.subject,
        detail: fault.detail,
    }
}

#[cfg(test)]
mod tests {
    use crate::api::ClientOptions;
    use crate::model::ErrorKind;
    use crate::runtime::node::NodeGuard;
    use std::collections::BTreeMap;

    #[test]
    fn a_space_is_brought_in_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let options = ClientOptions {
            profile: Some(dir.path().join("profile").to_string_lossy().into_owned()),
            online: false,
            ..ClientOptions::default()
        };
        let guard = NodeGuard::open(options, None).unwrap();
        guard.node().create_identity("Ada".into()).unwrap();
        let space = guard.create_space(BTreeMap::new()).unwrap();
        let (id, digest) = (space.id(), space.digest().unwrap());
        let archive = dir.path().join("archive").to_string_lossy().into_owned();
        space.export_archive(&archive).unwrap();
        guard.node().delete_space(id).unwrap();
        let claim = guard.node().claim(id).unwrap();
        // As while it is being joined.
        let refused = guard.import_archive(&archive).err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::InvalidState, "{refused}");
        assert!(guard.node().claim(id).is_err());
        drop(claim);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| guard.import_archive(&archive).unwrap());
            }
        });
        let ids = guard.node().space_ids();
        assert_eq!(ids.iter().filter(|other| **other == id).count(), 1);
        assert_eq!(guard.space(id).unwrap().digest().unwrap(), digest);
        guard.node().shutdown().unwrap();
    }
}
