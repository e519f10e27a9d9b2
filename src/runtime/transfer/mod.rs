//! Import and export: a space as one archive, objects as JSON lines, tables and lists of plain data,
//! one object as an Automerge file.

pub mod archive;
mod archive_blobs;
mod archive_format;
mod batches;
mod columns;
mod files;
mod json_export;
mod json_import;
mod object_file;
mod plain_import;
mod rows;
mod timestamp;

#[cfg(test)]
mod golden_tests;
