//! `export` and `import`.

use super::Context;
use crate::event::{Event, Exported, Imported};
use crate::failure::{Failure, Result};
use std::path::PathBuf;

/// Largest import, in bytes.
const IMPORT_BYTES: usize = 1024 * 1024 * 1024;

pub(super) fn export(context: &mut Context, name: &str, file: Option<PathBuf>) -> Result<()> {
    let space = context.space(name)?;
    let data = String::from_utf8(space.export_json()?)
        .map_err(|error| Failure::storage("the export", error))?;
    let mut lines: u64 = 0;
    for line in data.lines() {
        context.output.emit(Event::Line(line.to_owned()))?;
        lines += 1;
    }
    context.output.emit(Event::Exported(Exported {
        space: space.id(),
        // The first line is a header.
        objects: lines.saturating_sub(1),
        file: file.map(|file| file.to_string_lossy().into_owned()),
    }))
}

pub(super) fn import(context: &mut Context, name: &str) -> Result<()> {
    let space = context.space(name)?;
    let data = context.output.read(IMPORT_BYTES)?;
    let objects = space.import_json(data)?;
    let space = space.id();
    context
        .output
        .emit(Event::Imported(Imported { space, objects }))
}
