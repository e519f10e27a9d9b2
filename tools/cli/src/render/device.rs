//! Devices, codes for new ones, and the recovery phrase, for people.

use super::human::{Style, code_lines};
use super::safe;
use crate::event_device::{Device, DeviceEvent};

pub(super) fn text(event: &DeviceEvent, style: Style) -> String {
    match event {
        DeviceEvent::Device(value) => device(value, style),
        DeviceEvent::Code(value) => code_lines(&value.code, &value.url, style),
        DeviceEvent::Phrase(value) => format!("{}\n", value.phrase),
        DeviceEvent::Done(_) => String::new(),
    }
}

fn device(device: &Device, style: Style) -> String {
    let mut notes = Vec::new();
    if device.this {
        notes.push("this device");
    } else if device.connected {
        notes.push("connected");
    }
    if device.recovered {
        notes.push("recovered");
    }
    if device.revoked {
        notes.push("revoked");
    }
    let name = match device.name.as_str() {
        "" => "-".to_owned(),
        name => safe::line(name),
    };
    let notes = style.dim(&notes.join(", "));
    format!("{}  {}  {notes}\n", device.device, style.bold(&name))
}
