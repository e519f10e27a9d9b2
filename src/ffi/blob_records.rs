//! What is known of blobs, as JSON. Keys are only ever added.

use crate::api::{BlobInfo, BlobProgress, CollectedBlobs};
use serde_json::{Value as Json, json};

pub(super) fn blob_info(info: &BlobInfo) -> Json {
    json!({
        "id": info.id,
        "size": info.size,
        "held": info.held,
        "whole": info.whole,
        "referenced": info.referenced,
    })
}

pub(super) fn blob_progress(progress: &BlobProgress) -> Json {
    json!({
        "state": progress.state.name(),
        "received": progress.received,
        "total": progress.total,
        "peers": progress.peers,
        "sources": progress.sources,
        "status": progress.status,
        "error": progress.error,
    })
}

pub(super) fn collected_blobs(collected: &CollectedBlobs) -> Json {
    json!({"blobs": collected.blobs, "bytes": collected.bytes})
}
