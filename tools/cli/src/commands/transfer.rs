//! `export`, `import`, `verify`, `space import`, `object export` and `object import`.

use super::Context;
use crate::args::{ExportFormat, InputFormat, PlainImport};
use crate::event::{
    Archive, Created, Event, Exported, Imported, ObjectFile, Report, Skipped, Space,
};
use crate::failure::{Failure, Result};
use crate::output::Output;
use echodb::model::limits;
use echodb::{ColumnKind, ImportColumn, ImportFormat, ImportOptions, OnError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Largest import from standard input, in bytes.
const IMPORT_BYTES: usize = 1024 * 1024 * 1024;

/// Where an export goes: the file as the user named it, and, if it is a regular one, where it is.
pub struct Target {
    /// As named; `None` is standard output.
    pub file: Option<PathBuf>,
    /// Absolute.
    pub place: Option<PathBuf>,
}

pub(super) fn export(
    context: &mut Context,
    name: &str,
    format: ExportFormat,
    target: Target,
) -> Result<()> {
    let space = context.space(name)?;
    let named = target
        .file
        .as_ref()
        .map(|file| file.to_string_lossy().into_owned());
    if format == ExportFormat::Archive {
        let (Some(file), Some(place)) = (&target.file, &target.place) else {
            return Err(Failure::usage("an archive is written to a file: name one"));
        };
        let info = space.export_archive(text(place)?)?;
        return context
            .output
            .emit(Event::Archive(Archive::new(info, file)));
    }
    let objects = match &target.place {
        Some(place) => space.export_json_file(text(place)?)?,
        None => {
            let data = String::from_utf8(space.export_json()?)
                .map_err(|error| Failure::storage("the export", error))?;
            let mut lines: u64 = 0;
            for line in data.lines() {
                context.output.emit(Event::Line(line.to_owned()))?;
                lines += 1;
            }
            // The first line is a header.
            lines.saturating_sub(1)
        }
    };
    context.output.emit(Event::Exported(Exported {
        space: space.id(),
        objects,
        file: named,
    }))
}

pub(super) fn import(
    context: &mut Context,
    name: &str,
    plain: &PlainImport,
    place: Option<PathBuf>,
) -> Result<()> {
    let options = import_options(plain)?;
    let handle = context.space(name)?;
    let space = handle.id();
    let place = place.as_deref().map(text).transpose()?;
    let Some(options) = options else {
        let objects = match place {
            Some(path) => handle.import_json_file(path)?,
            None => handle.import_json(context.output.read(IMPORT_BYTES)?)?,
        };
        let done = Imported { space, objects };
        return context.output.emit(Event::Imported(done));
    };
    let report = match place {
        Some(path) => handle.import_file(path, options)?,
        None => handle.import_data(context.output.read(IMPORT_BYTES)?, options)?,
    };
    for skip in report.skips {
        let (line, reason) = (skip.line, skip.reason);
        context
            .output
            .emit(Event::Skipped(Skipped { line, reason }))?;
    }
    context.output.emit(Event::Report(Report {
        space,
        rows: report.rows,
        created: report.created,
        updated: report.updated,
        unchanged: report.unchanged,
        skipped: report.skipped,
    }))
}

/// The library's options; none for what `export` wrote.
fn import_options(plain: &PlainImport) -> Result<Option<ImportOptions>> {
    let format = match plain.format {
        InputFormat::Export => return Ok(None),
        InputFormat::Json => ImportFormat::Json,
        InputFormat::Ndjson => ImportFormat::Ndjson,
        InputFormat::Csv => ImportFormat::Csv,
    };
    let columns = plain.column.iter().map(|column| {
        let (name, rest) = column.rsplit_once('=').ok_or_else(|| {
            Failure::usage(format!(
                "{column:?} says not what a column holds: NAME=KIND"
            ))
        })?;
        let (word, field) = match rest.split_once(':') {
            Some((word, field)) => (word, Some(field.to_owned())),
            None => (rest, None),
        };
        Ok(ImportColumn {
            name: name.to_owned(),
            field,
            kind: kind(word)?,
        })
    });
    Ok(Some(ImportOptions {
        format,
        type_name: plain.type_name.clone(),
        key: plain.key.clone(),
        columns: columns.collect::<Result<_>>()?,
        other_columns: kind(&plain.other_columns)?,
        delimiter: match plain.delimiter.as_str() {
            // Shells make it hard to write one.
            "\\t" | "tab" => "\t".to_owned(),
            other => other.to_owned(),
        },
        header: !plain.no_header,
        on_error: match plain.skip_errors {
            true => OnError::Skip,
            false => OnError::Stop,
        },
    }))
}

fn kind(word: &str) -> Result<ColumnKind> {
    Ok(match word {
        "infer" => ColumnKind::Infer,
        "string" => ColumnKind::String,
        "text" => ColumnKind::Text,
        "integer" => ColumnKind::Integer,
        "float" => ColumnKind::Float,
        "boolean" => ColumnKind::Boolean,
        "timestamp" => ColumnKind::Timestamp,
        "reference" => ColumnKind::Reference,
        "json" => ColumnKind::Json,
        "ignore" => ColumnKind::Ignore,
        _ => {
            return Err(Failure::usage(format!(
                "{word:?} is no kind of column: see `echodb import --help`"
            )));
        }
    })
}

/// Needs no profile.
pub fn verify(output: &mut dyn Output, file: PathBuf) -> Result<()> {
    let info = echodb::verify_archive(text(&file)?)?;
    output.emit(Event::Archive(Archive::new(info, &file)))
}

pub(super) fn import_archive(context: &mut Context, file: PathBuf) -> Result<()> {
    let space = context.client.import_archive(text(&file)?)?;
    let info = space.info()?;
    context.output.emit(Event::Space(Space::from(info)))
}

pub(super) fn export_object(
    context: &mut Context,
    name: &str,
    id: String,
    file: PathBuf,
    place: Option<PathBuf>,
) -> Result<()> {
    let space = context.space(name)?;
    let bytes = space.export_object(id.clone())?;
    write_whole(place.as_deref().unwrap_or(&file), &bytes)?;
    context.output.emit(Event::ObjectFile(ObjectFile {
        space: space.id(),
        id,
        file: file.to_string_lossy().into_owned(),
        bytes: bytes.len() as u64,
    }))
}

pub(super) fn import_object(context: &mut Context, name: &str, into: Option<String>) -> Result<()> {
    let handle = context.space(name)?;
    let data = context.output.read(limits::OBJECT_FILE_BYTES)?;
    let id = handle.import_object(data, into)?;
    let space = handle.id();
    context.output.emit(Event::Created(Created { space, id }))
}

/// Writes a file that appears whole or not at all; to a pipe or device, what it is.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let fail = |error| Failure::storage(path.display(), error);
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return std::fs::write(path, bytes).map_err(fail);
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = std::fs::File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    });
    written.map_err(|error| {
        let _ = std::fs::remove_file(&temporary);
        fail(error)
    })
}

fn text(path: &Path) -> Result<String> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Failure::usage("a file's name that is not UTF-8 cannot be used"))
}
