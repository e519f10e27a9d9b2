//! `text`.

use super::Context;
use crate::event::{Event, Text};
use crate::failure::Result;
use echodb::{Space, TextUnit};

/// What to change.
pub(super) struct Edit {
    /// Goes in.
    pub(super) insert: Option<String>,
    /// Where, in code points; the end if absent.
    pub(super) at: Option<u64>,
    /// How many code points go out.
    pub(super) delete: Option<u64>,
}

pub(super) fn text(
    context: &mut Context,
    name: &str,
    id: String,
    field: String,
    edit: Edit,
) -> Result<()> {
    let space = context.space(name)?;
    if edit.insert.is_some() || edit.delete.is_some() {
        apply(&space, &id, &field, edit)?;
    }
    let text = space.text(id.clone(), field.clone())?;
    let space = space.id();
    context.output.emit(Event::Text(Text {
        space,
        id,
        field,
        text,
    }))
}

fn apply(space: &Space, id: &str, field: &str, edit: Edit) -> Result<()> {
    let at = match edit.at {
        Some(at) => at,
        None => space.text(id.to_owned(), field.to_owned())?.chars().count() as u64,
    };
    // A transaction: when the command ends, the edit is on disk.
    let transaction = space.transaction();
    transaction.splice_text(
        id.to_owned(),
        field.to_owned(),
        at,
        edit.delete.unwrap_or(0),
        edit.insert.unwrap_or_default(),
        TextUnit::CodePoint,
    )?;
    transaction.commit()?;
    Ok(())
}
