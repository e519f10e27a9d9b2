//! How soon another process hears of an edit.

use crate::Setting;
use crate::bare;
use crate::create::open_online;
use crate::peers::nanos;
use crate::result::{Outcome, Row};
use crate::sync::{Signal, invite};
use std::time::Duration;

/// `edit_latency`: from before the call to the start of the other process's callback.
pub fn measure(setting: &Setting) -> Outcome<Row> {
    let signal = Signal::start()?;
    let folder = tempfile::tempdir()?;
    let client = open_online(folder.path(), &signal.url)?;
    client.create_identity("Bench".into())?;
    let space = client.create_space("{}".into())?;
    let id = space.create(None, r#"{"made": "0"}"#.into())?;
    let fresh = tempfile::tempdir()?;
    let (mut guest, _) = invite(&space, fresh.path(), &signal.url)?;
    guest.say("hold 1")?;
    guest.hear()?;
    let edits = if setting.quick { 20 } else { 200 };
    let mut values = Vec::with_capacity(edits);
    for _ in 0..edits {
        guest.say(&format!("latency {id}"))?;
        guest.hear()?;
        // Let both sides fall idle: an edit in the midst of others travels with them.
        std::thread::sleep(Duration::from_millis(5));
        space.update(id.clone(), format!(r#"{{"made": "{}"}}"#, nanos()))?;
        values.push(guest.hear()?.parse::<f64>()? / 1000.0);
    }
    guest.say("end")?;
    client.shutdown()?;
    let half = bare::measure(0)?.round_trip / 2.0;
    Ok(Row::new(
        "edit_latency",
        "ms",
        &values,
        "half a bare data channel's round trip",
        &[half],
    ))
}
