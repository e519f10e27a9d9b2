//! Taking in what a peer delivered.

use super::sessions::Sessions;
use super::space_host::SpaceHost;
use crate::model::{DeviceKey, FeedId, Result};
use crate::space::Ingest;
use crate::sync::replicator::Delivery;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Entries taken in while the space is locked once: a long delivery leaves room for local calls.
const ENTRIES_A_LOCK: usize = 16;

/// Stores what a peer's device delivered, a few entries at a time, so that others get at the space between.
pub(super) fn take_in(
    space: &Arc<SpaceHost>,
    from: DeviceKey,
    delivery: Delivery,
    taken: &mut Taken,
) -> Result<()> {
    let mut feeds = Vec::with_capacity(delivery.headers.len());
    space.with(|core| {
        for header in &delivery.headers {
            feeds.push((core.add_feed(header)?, header));
        }
        Ok(())
    })?;
    for entries in delivery.entries.chunks(ENTRIES_A_LOCK) {
        // Gathered edits are committed first: a remote change ends open edits of its documents.
        space.with_settled(|core| {
            // While no lock was held, a flood of headers from another peer may have made the core
            // forget those of this delivery.
            for (feed, header) in &feeds {
                if !core.knows_feed(feed) {
                    core.add_feed(header)?;
                }
            }
            let mut into = Ingest {
                from: Some(from),
                sent: std::mem::take(&mut taken.heights),
                ..Ingest::default()
            };
            let result = core.ingest(entries.to_vec(), &mut into);
            if into.stored > 0 {
                space.announce_remote(&into.rows);
            }
            taken.add(into);
            result
        })?;
    }
    Ok(())
}

/// What came of a delivery.
#[derive(Default)]
pub(super) struct Taken {
    /// How far what was taken reaches, by feed.
    pub heights: BTreeMap<FeedId, u64>,
    /// Members or keys changed.
    pub control: bool,
    /// Something could not be placed.
    pub unplaced: bool,
    set_aside: Vec<String>,
    copied: BTreeSet<DeviceKey>,
}

impl Taken {
    fn add(&mut self, mut part: Ingest) {
        self.heights = part.sent;
        self.control |= part.control;
        self.unplaced |= part.unplaced > 0;
        self.set_aside.append(&mut part.quarantined);
        self.set_aside.append(&mut part.dropped);
        self.copied.append(&mut part.copied);
    }

    /// Logs what was set aside, and devices that exist twice. Takes no lock.
    pub fn report(&self, node: &Arc<dyn Sessions>) {
        for reason in &self.set_aside {
            node.log().warn("session", || {
                format!("an entry from a peer was set aside: {reason}")
            });
        }
        for device in &self.copied {
            warn_of_copy(node, device);
        }
    }
}

/// Says that a device's profile is in use in two places. Nothing is lost by that, so nobody is
/// shut out; but its owner should know.
fn warn_of_copy(node: &Arc<dyn Sessions>, device: &DeviceKey) {
    let own = node
        .keyring()
        .is_some_and(|keyring| keyring.device_key() == *device);
    node.log().warn("session", || match own {
        true => {
            "this device exists twice: its profile was copied or restored and is used elsewhere too"
                .to_owned()
        }
        false => format!("the device {device:?} exists twice: its profile was copied or restored"),
    });
}
