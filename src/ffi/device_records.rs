//! The identity's devices as JSON.

use crate::api::DeviceInfo;
use serde_json::{Value as Json, json};

pub(super) fn device(info: &DeviceInfo) -> Json {
    json!({
        "device": info.device,
        "name": info.name,
        "this_device": info.this_device,
        "connected": info.connected,
        "added_ms": info.added_ms,
        "last_seen_ms": info.last_seen_ms,
        "revoked": info.revoked,
        "recovered": info.recovered,
    })
}
