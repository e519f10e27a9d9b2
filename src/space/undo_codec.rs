//! The stored form of what can be undone: kept on this device only, never sent.

use super::undo::{Stacks, Step};
use crate::feed::codec::{Reader, put_bytes, put_varint};
use crate::model::{FeedId, ObjectId, Result, limits};
use crate::objects::{Op, Twins, actor};
use std::collections::BTreeMap;

const VERSION: u8 = 1;

/// Writes the stacks.
pub(super) fn encode(stacks: &Stacks) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(stacks.feed.as_bytes());
    out.extend_from_slice(&stacks.next.to_le_bytes());
    for steps in [&stacks.undo, &stacks.redo] {
        put_varint(&mut out, steps.len() as u64);
        for step in steps {
            put_step(&mut out, step);
        }
    }
    put_varint(&mut out, stacks.twins.len() as u64);
    for (object, twins) in &stacks.twins {
        out.extend_from_slice(object.as_bytes());
        put_varint(&mut out, twins.len() as u64);
        for (element, new, old) in twins.iter() {
            let latest = twins.latest(element, old) == Some(new);
            out.push(u8::from(element) | u8::from(latest) << 1);
            put_op(&mut out, new);
            put_op(&mut out, old);
        }
    }
    out
}

fn put_step(out: &mut Vec<u8>, step: &Step) {
    put_bytes(out, step.label.as_deref().unwrap_or_default().as_bytes());
    put_varint(out, step.changes.len() as u64);
    for (object, hashes) in &step.changes {
        out.extend_from_slice(object.as_bytes());
        put_varint(out, hashes.len() as u64);
        for hash in hashes {
            out.extend_from_slice(hash);
        }
    }
}

fn put_op(out: &mut Vec<u8>, (counter, actor): &Op) {
    put_varint(out, *counter);
    put_bytes(out, actor.to_bytes());
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(bytes: &[u8]) -> Result<Stacks> {
    let mut reader = Reader::new(bytes, "undo");
    reader.version(VERSION)?;
    let mut stacks = Stacks {
        feed: FeedId(reader.array()?),
        next: reader.u64()?,
        undo: steps(&mut reader)?,
        redo: steps(&mut reader)?,
        twins: BTreeMap::new(),
    };
    for _ in 0..reader.count(limits::UNDO_BYTES, "objects")? {
        let object = ObjectId(reader.array()?);
        let twins: &mut Twins = stacks.twins.entry(object).or_default();
        for _ in 0..reader.count(limits::UNDO_BYTES, "twins")? {
            let flags = reader.u8()?;
            let (new, old) = (op(&mut reader)?, op(&mut reader)?);
            twins.add(flags & 1 != 0, new, old, flags & 2 != 0);
        }
    }
    reader.finish()?;
    Ok(stacks)
}

fn steps(reader: &mut Reader<'_>) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for _ in 0..reader.count(limits::UNDO_BYTES, "steps")? {
        let label = String::from_utf8_lossy(reader.bytes(limits::UNDO_BYTES)?).into_owned();
        let mut step = Step {
            label: (!label.is_empty()).then_some(label),
            ..Step::default()
        };
        for _ in 0..reader.count(limits::UNDO_BYTES, "objects")? {
            let object = ObjectId(reader.array()?);
            let mut hashes = Vec::new();
            for _ in 0..reader.count(limits::UNDO_BYTES, "changes")? {
                hashes.push(reader.array()?);
            }
            step.changes.push((object, hashes));
        }
        steps.push(step);
    }
    Ok(steps)
}

fn op(reader: &mut Reader<'_>) -> Result<Op> {
    let counter = reader.varint()?;
    Ok((counter, actor(reader.bytes(64)?)))
}
