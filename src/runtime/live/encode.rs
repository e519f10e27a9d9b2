//! A batch as a program gets it.

use crate::api::LiveBatch;
use crate::model::SpaceId;
use crate::query::live::diff::Step;
use crate::runtime::row_json::write_json;
use crate::space::LiveDelta;
use std::fmt::Write as _;

/// Writes the steps as one JSON array.
pub fn batch(space: &SpaceId, delta: &LiveDelta) -> LiveBatch {
    let mut out = String::from("[");
    for (step, row) in &delta.steps {
        if out.len() > 1 {
            out.push(',');
        }
        // Writing to a string cannot fail.
        let _ = match step {
            Step::Removed { id, from } => {
                write!(
                    out,
                    "{{\"kind\":\"removed\",\"id\":\"{id}\",\"from\":{from}"
                )
            }
            Step::Added { id, index } => {
                write!(
                    out,
                    "{{\"kind\":\"added\",\"id\":\"{id}\",\"index\":{index}"
                )
            }
            Step::Moved { id, from, index } => write!(
                out,
                "{{\"kind\":\"moved\",\"id\":\"{id}\",\"from\":{from},\"index\":{index}"
            ),
            Step::Changed { id, index } => {
                write!(
                    out,
                    "{{\"kind\":\"changed\",\"id\":\"{id}\",\"index\":{index}"
                )
            }
        };
        if let Some(row) = row {
            out.push_str(",\"object\":");
            write_json(&mut out, row);
        }
        out.push('}');
    }
    out.push(']');
    LiveBatch {
        space: space.to_string(),
        initial: delta.initial,
        total: delta.total as u64,
        changes: out.into_bytes(),
    }
}
