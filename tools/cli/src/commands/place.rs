//! `conflicts` and `marks`: what stands in one place of an object beside its present value.

use super::Context;
use crate::args::PlaceArgs;
use crate::event::Event;
use crate::failure::{Failure, Result};
use crate::object_event::ConflictValue;
use echodb::TextUnit;
use serde_json::value::RawValue;

pub(super) fn conflicts(context: &mut Context, place: PlaceArgs) -> Result<()> {
    let space = context.space(&place.space)?;
    let values = space.conflicts(place.id, place.path)?;
    let last = values.len();
    for (number, value) in (1..).zip(values) {
        let value = RawValue::from_string(value)
            .map_err(|error| Failure::storage("a field's value", error))?;
        let shown = number == last;
        context
            .output
            .emit(Event::Conflict(ConflictValue { value, shown }))?;
    }
    Ok(())
}

pub(super) fn marks(context: &mut Context, place: PlaceArgs) -> Result<()> {
    let space = context.space(&place.space)?;
    for mark in space.marks(place.id, place.path, TextUnit::CodePoint)? {
        let mark = mark
            .try_into()
            .map_err(|error| Failure::storage("a mark's value", error))?;
        context.output.emit(Event::Mark(mark))?;
    }
    Ok(())
}
