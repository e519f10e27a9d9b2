//! A peer of the simulation: a device with the space in a file of its own.

use super::random::Random;
use crate::feed::DeviceSigner;
use crate::identity::Keyring;
use crate::model::{EntryId, Role, SpaceId};
use crate::runtime::storage::SpaceStore;
use crate::space::{Entropy, Founding, Ingest, Outcome, SpaceCore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A device. Without a core it has not joined yet.
pub struct Peer {
    pub name: usize,
    pub keyring: Arc<Keyring>,
    pub core: Option<SpaceCore>,
    path: PathBuf,
    random: Random,
    /// How far its clock is off.
    clock: Clock,
    /// Entries that were acknowledged to the caller.
    pub written: Vec<EntryId>,
    /// Members or keys changed since keys were shared last.
    pub share_due: bool,
    /// Reasons for which entries were set aside.
    pub set_aside: Vec<String>,
}

/// What a peer's clock says.
#[derive(Clone, Copy)]
enum Clock {
    Right,
    Stuck(u64),
    Wild,
}

impl Peer {
    pub fn new(name: usize, seed: u64, folder: &Path) -> Peer {
        let mut random = Random(seed);
        let clock = match random.below(5) {
            0 => Clock::Stuck(0),
            // The first of January 2100.
            1 => Clock::Stuck(4_102_444_800_000),
            2 => Clock::Wild,
            _ => Clock::Right,
        };
        Peer {
            name,
            keyring: Arc::new(Keyring::generate(&mut |to| random.fill(to))),
            core: None,
            path: folder.join(format!("{name}.sqlite")),
            random,
            clock,
            written: Vec::new(),
            share_due: false,
            set_aside: Vec::new(),
        }
    }

    /// Sets a clock that stands still.
    pub fn set_clock(&mut self, at: u64) {
        self.clock = Clock::Stuck(at);
    }

    /// What the clock says at `time`.
    pub fn now(&mut self, time: u64) -> u64 {
        match self.clock {
            Clock::Right => 1_763_864_160_000 + time,
            Clock::Stuck(at) => at,
            Clock::Wild => match self.random.below(8) {
                0 => u64::MAX,
                _ => self.random.next() % 5_000_000_000_000,
            },
        }
    }

    pub fn entropy(&mut self) -> Entropy {
        let mut random = Random(self.random.next());
        Box::new(move |to| random.fill(to))
    }

    pub fn store(&self) -> Box<SpaceStore> {
        Box::new(SpaceStore::open(Some(&self.path)).expect("the store opens"))
    }

    /// The space; panics if the peer has not joined.
    pub fn core(&mut self) -> &mut SpaceCore {
        self.core.as_mut().expect("the peer has the space")
    }

    /// Founds the space.
    pub fn found(&mut self) -> SpaceId {
        let mut random = self.random.clone();
        let founding = Founding::new(&self.keyring, "founder", &mut |to| random.fill(to)).unwrap();
        self.random.next();
        let space = founding.space;
        let (store, keyring, entropy) = (self.store(), Arc::clone(&self.keyring), self.entropy());
        self.core = Some(SpaceCore::found(founding, store, keyring, entropy, 0).unwrap());
        space
    }

    /// Takes what an admitting member gave and writes the own admission.
    pub fn enter(&mut self, host: &mut Peer, role: Role) {
        let mut seed = [0; 32];
        host.random.fill(&mut seed);
        let invitation = DeviceSigner::from_seed(seed);
        let certificate = self.keyring.chain().certificate().clone();
        let core = host.core();
        if core.open_invitation(&invitation, role, 0).is_err() {
            // As many are open as may be.
            return;
        }
        let signature = core
            .sign_admission(&invitation, &certificate, role)
            .unwrap();
        let (headers, entries) = core.control_history().unwrap();
        let space = core.id();
        let (store, keyring, entropy) = (self.store(), Arc::clone(&self.keyring), self.entropy());
        let mut core = SpaceCore::join(space, store, keyring, entropy).unwrap();
        for header in &headers {
            core.add_feed(header).unwrap();
        }
        core.ingest(entries, &mut Ingest::default()).unwrap();
        core.write_join(
            &format!("peer {}", self.name),
            role,
            invitation.public().0,
            signature,
        )
        .unwrap();
        self.core = Some(core);
        let stores = host.random.once_in(2);
        if stores {
            // The pairing link lives on: the host stores the join at once. Otherwise the guest has
            // to prove its membership to whomever it meets.
            let (headers, entries) = self.core().own_control().unwrap();
            let mut into = Ingest::default();
            for header in &headers {
                host.core().add_feed(header).unwrap();
            }
            host.core().ingest(entries, &mut into).unwrap();
            host.core().share_keys().unwrap();
        }
        // Closed earlier, it would void the join.
        if host.random.once_in(2) && stores {
            host.core().close_invitation(invitation.public().0).unwrap();
        }
    }

    /// Stops and starts again, as after a crash: gathered edits that were not written are lost.
    pub fn restart(&mut self) {
        if self.core.take().is_none() {
            return;
        }
        self.open();
    }

    fn open(&mut self) {
        let (store, keyring, entropy) = (self.store(), Arc::clone(&self.keyring), self.entropy());
        let id = SpaceId(
            std::fs::read(self.path.with_extension("id"))
                .unwrap()
                .try_into()
                .unwrap(),
        );
        self.core = Some(SpaceCore::open(id, store, keyring, entropy).unwrap());
    }

    /// Notes the space's id beside the file, as a profile does.
    pub fn remember(&self, id: SpaceId) {
        std::fs::write(self.path.with_extension("id"), id.0).unwrap();
    }

    /// A second device with the same keys and a copy of the file, as after a restored backup.
    pub fn copy(&mut self, name: usize, folder: &Path) -> Peer {
        self.core = None;
        let path = folder.join(format!("{name}.sqlite"));
        for ending in ["sqlite", "sqlite-wal", "id"] {
            let from = self.path.with_extension(ending);
            if from.exists() {
                std::fs::copy(from, path.with_extension(ending)).unwrap();
            }
        }
        let mut random = Random(self.random.next() ^ 0x00c0_ffee);
        random.next();
        let mut copy = Peer {
            name,
            keyring: Arc::clone(&self.keyring),
            core: None,
            path,
            random,
            clock: self.clock,
            written: Vec::new(),
            share_due: true,
            set_aside: Vec::new(),
        };
        self.open();
        copy.open();
        copy
    }

    /// Keeps an acknowledged entry.
    pub fn acknowledge(&mut self, outcome: Option<Outcome>) {
        self.written
            .extend(outcome.and_then(|outcome| outcome.entry));
    }

    /// Takes a delivery as a session does; false if the peer is to be cut off.
    pub fn take(
        &mut self,
        headers: &[bytes::Bytes],
        entries: Vec<bytes::Bytes>,
        time: u64,
    ) -> Result<Ingest, crate::model::Error> {
        let now = self.now(time);
        let mut into = Ingest::default();
        for header in headers {
            self.core().add_feed(header)?;
        }
        for few in entries.chunks(4) {
            let typed = self.core().commit_typing(now).unwrap();
            self.acknowledge(typed);
            let taken = self.core().ingest(few.to_vec(), &mut into);
            self.share_due |= into.control;
            taken?;
        }
        self.set_aside.append(&mut into.quarantined);
        Ok(into)
    }
}
