//! Collection of blobs that no object names.

use crate::api::CollectedBlobs;
use crate::model::{ErrorKind, Result};
use crate::runtime::space_host::SpaceHost;
use crate::runtime::{clock, executor};
use std::sync::Arc;
use std::time::Duration;

/// How long a blob must have been idle for the collection that comes with every opening.
const GRACE_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// When that begins, from the opening.
const TIDIED_AFTER: Duration = Duration::from_millis(500);

/// Collects; the space is free for others between the steps.
pub(super) fn collect(host: &SpaceHost, grace_ms: u64) -> Result<CollectedBlobs> {
    let _alone = host.fetches().sweeping();
    let kept = host.fetches().ids();
    let blobs =
        host.with_settled(|core| core.give_up_idle_blobs(clock::now_ms(), grace_ms, &kept))?;
    let mut bytes = 0;
    while let Some(freed) = host.with(|core| core.sweep_blobs())? {
        bytes += freed;
    }
    Ok(CollectedBlobs { blobs, bytes })
}

/// Collects in the background what has long been idle, and what a crash left behind; not at once,
/// since whoever opens a space has something to do with it.
pub fn tidy(host: &Arc<SpaceHost>) {
    let host = Arc::downgrade(host);
    // Without threads it is left to the next opening.
    let Ok(handle) = executor::handle() else {
        return;
    };
    handle.spawn(async move {
        tokio::time::sleep(TIDIED_AFTER).await;
        if let Some(host) = host.upgrade() {
            let _ = tokio::task::spawn_blocking(move || tidy_now(&host)).await;
        }
    });
}

fn tidy_now(host: &SpaceHost) {
    match collect(host, GRACE_MS) {
        // Closed meanwhile.
        Err(error) if error.kind() == ErrorKind::InvalidState => {}
        Err(error) => host.log().warn("blobs", || {
            format!("idle blobs could not be collected: {error}")
        }),
        Ok(collected) if collected.blobs > 0 => host.log().info("blobs", || {
            format!(
                "{} idle blobs were collected: {} bytes",
                collected.blobs, collected.bytes
            )
        }),
        Ok(_) => {}
    }
}
