//! What commands report about devices and the recovery phrase.

use echodb::DeviceInfo;
use serde::{Deserialize, Serialize};

/// One thing to print about devices.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceEvent {
    /// A device.
    Device(Device),
    /// A code for a new one.
    Code(DeviceCode),
    /// The recovery phrase.
    Phrase(Phrase),
    /// A device was named or revoked; people see nothing.
    Done(DeviceDone),
}

/// A device of the identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    /// Its key.
    pub device: String,
    /// Its name, empty if it has none.
    pub name: String,
    /// Whether it is this one.
    pub this: bool,
    /// Whether it is connected.
    pub connected: bool,
    /// When it was added, in milliseconds since 1970.
    pub added_ms: Option<i64>,
    /// When it was last in use, likewise.
    pub last_seen_ms: Option<i64>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Whether it came by the recovery phrase.
    pub recovered: bool,
}

impl From<DeviceInfo> for Device {
    fn from(info: DeviceInfo) -> Self {
        Device {
            device: info.device,
            name: info.name,
            this: info.this_device,
            connected: info.connected,
            added_ms: info.added_ms,
            last_seen_ms: info.last_seen_ms,
            revoked: info.revoked,
            recovered: info.recovered,
        }
    }
}

/// A code for a new device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceCode {
    /// The identity.
    pub identity: String,
    /// The code as text.
    pub code: String,
    /// The code as a URL.
    pub url: String,
}

/// A recovery phrase, shown once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Phrase {
    /// Its words.
    pub phrase: String,
}

/// What was done to a device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceDone {
    /// The device.
    pub device: String,
    /// `renamed` or `revoked`.
    pub state: String,
}
