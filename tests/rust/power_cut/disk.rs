//! What a disk holds when the power goes: all that was synced, and of the rest whatever the disk
//! happened to have taken.

use std::collections::BTreeMap;

/// Disks write whole sectors, of this many bytes, and those in any order.
const SECTOR: u64 = 512;

/// One change that SQLite made to a file.
#[derive(Clone, Debug)]
pub enum Change {
    /// It was opened, and made if it was missing.
    Open,
    Write {
        offset: u64,
        bytes: Vec<u8>,
    },
    Truncate(u64),
    Sync,
    Delete {
        /// Whether the directory was synced before the call returned.
        durable: bool,
    },
}

/// A change, and the path of its file below the profile.
#[derive(Clone, Debug)]
pub struct Event {
    pub file: String,
    pub change: Change,
}

/// What is left of changes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// None of them.
    Nothing,
    /// Any of their sectors, each file's in the order in which they were written.
    Sectors,
    /// All but the end of the last write, which stops within its last sector.
    Torn,
}

/// The contents of files by path.
pub type Image = BTreeMap<String, Vec<u8>>;

/// A file: what a power cut leaves for certain (`None`: not even its name), and the changes since.
#[derive(Default)]
struct File {
    durable: Option<Vec<u8>>,
    pending: Vec<Change>,
}

impl File {
    /// Whether programs see it now.
    fn exists(&self) -> bool {
        let named = |change: &Change| match change {
            Change::Open => Some(true),
            Change::Delete { .. } => Some(false),
            _ => None,
        };
        let last = self.pending.iter().rev().find_map(named);
        last.unwrap_or(self.durable.is_some())
    }

    /// Whether the file's name is older than the last sync of its directory.
    fn settle_name(&mut self) {
        if !self.exists() {
            *self = File::default();
        } else if self.durable.is_none() {
            self.durable = Some(Vec::new());
            self.pending
                .retain(|change| !matches!(change, Change::Open));
        }
    }
}

/// A disk to which changes are made one by one.
#[derive(Default)]
pub struct Disk {
    files: BTreeMap<String, File>,
    last: Option<Event>,
}

impl Disk {
    /// Makes a change.
    pub fn take(&mut self, event: &Event) {
        let file = self.files.entry(event.file.clone()).or_default();
        match &event.change {
            Change::Open if file.exists() => {}
            Change::Open => {
                // A new file under an old name: the file system has ordered the two.
                *file = File::default();
                file.pending.push(Change::Open);
            }
            Change::Sync => {
                let named = file.durable.is_some();
                let mut now = file.durable.take();
                for change in file.pending.drain(..) {
                    apply(&mut now, &change);
                }
                file.durable = now;
                // With the first sync of a journal or log, SQLite syncs its directory.
                if !named {
                    self.settle_names(&event.file);
                }
            }
            Change::Delete { durable: true } => {
                *file = File::default();
                self.settle_names(&event.file);
            }
            change => file.pending.push(change.clone()),
        }
        self.last = Some(event.clone());
    }

    fn settle_names(&mut self, beside: &str) {
        let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        for (path, file) in &mut self.files {
            if folder(path) == folder(beside) {
                file.settle_name();
            }
        }
    }

    /// What a power cut leaves at this moment.
    pub fn image(&self, left: Left, random: &mut Random) -> Image {
        let mut image = Image::new();
        for (path, file) in &self.files {
            let mut bytes = file.durable.clone();
            for (n, change) in file.pending.iter().enumerate() {
                let last = n + 1 == file.pending.len()
                    && self.last.as_ref().is_some_and(|event| event.file == *path);
                match left {
                    Left::Nothing => {}
                    Left::Sectors => apply_some(&mut bytes, change, random),
                    Left::Torn if last => apply(&mut bytes, &torn(change, random)),
                    Left::Torn => apply(&mut bytes, change),
                }
            }
            image.extend(bytes.map(|bytes| (path.clone(), bytes)));
        }
        image
    }
}

fn apply(file: &mut Option<Vec<u8>>, change: &Change) {
    match change {
        Change::Open => drop(file.get_or_insert_default()),
        Change::Write { offset, bytes } => {
            let file = file.get_or_insert_default();
            let (from, to) = (*offset as usize, *offset as usize + bytes.len());
            file.resize(file.len().max(to), 0);
            file[from..to].copy_from_slice(bytes);
        }
        Change::Truncate(size) => file.get_or_insert_default().resize(*size as usize, 0),
        Change::Delete { .. } => *file = None,
        Change::Sync => {}
    }
}

fn apply_some(file: &mut Option<Vec<u8>>, change: &Change, random: &mut Random) {
    let Change::Write { offset, bytes } = change else {
        if random.coin() {
            apply(file, change);
        }
        return;
    };
    for (at, piece) in sectors(*offset, bytes) {
        if random.coin() {
            apply(
                file,
                &Change::Write {
                    offset: at,
                    bytes: piece.to_vec(),
                },
            );
        }
    }
}

/// A write cut short within its last sector; other changes happen or do not.
fn torn(change: &Change, random: &mut Random) -> Change {
    match change {
        Change::Write { offset, bytes } => {
            let last = sectors(*offset, bytes).last().map_or(0, |(_, s)| s.len());
            let lost = 1 + random.below(last.max(1) as u64) as usize;
            Change::Write {
                offset: *offset,
                bytes: bytes[..bytes.len().saturating_sub(lost)].to_vec(),
            }
        }
        change if random.coin() => change.clone(),
        _ => Change::Sync,
    }
}

/// The parts of a write that lie in one sector each.
fn sectors(mut offset: u64, mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let room = (SECTOR - offset % SECTOR) as usize;
        let (piece, rest) = bytes.split_at(room.min(bytes.len()));
        found.push((offset, piece));
        offset += piece.len() as u64;
        bytes = rest;
    }
    found
}

/// Numbers that only look random (SplitMix64), so that a seed tells all of a failure.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}
