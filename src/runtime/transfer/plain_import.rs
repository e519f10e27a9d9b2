//! Plain data as objects. The input is read twice: the first time to check it and to find out what
//! its columns hold, the second time to write it, in transactions of bounded size.

use super::batches::{self, Batch};
use super::columns::{Guess, read, read_json};
use super::files::{self, Source};
use super::rows::{Content, Row, Rows};
use crate::api::{
    ColumnKind, ImportColumn, ImportFormat, ImportOptions, ImportReport, OnError, SkippedRow,
};
use crate::model::{Error, ObjectId, Operation, Result, Value, limits, path, system};
use crate::runtime::clock;
use crate::runtime::space_handle::SpaceHandle;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Cursor;

/// The result of reading a row: why it cannot be used, in words.
type Read<T> = std::result::Result<T, String>;

/// What becomes of a column or member.
#[derive(Clone, Debug)]
struct Column {
    field: String,
    kind: ColumnKind,
    /// Whether the kind was found out: then an empty cell is nothing, whatever the kind.
    found: bool,
}

/// How rows become objects.
pub(super) struct Plan<'a> {
    options: &'a ImportOptions,
    given: HashMap<&'a str, &'a ImportColumn>,
    /// Of a table: its columns in order, and the names by which they are called.
    columns: Vec<Column>,
    names: Vec<String>,
    guesses: Vec<Guess>,
}

/// An object to be written.
struct Made {
    line: u64,
    operation: Operation,
}

impl SpaceHandle {
    /// Reads a file of plain data.
    pub fn import_file(&self, path: &str, options: &ImportOptions) -> Result<ImportReport> {
        self.import_plain(&mut files::open(path)?, options)
    }

    /// Reads plain data.
    pub fn import_data(&self, data: Vec<u8>, options: &ImportOptions) -> Result<ImportReport> {
        self.import_plain(&mut Cursor::new(data), options)
    }

    fn import_plain(
        &self,
        source: &mut dyn Source,
        options: &ImportOptions,
    ) -> Result<ImportReport> {
        self.check_open()?;
        let mut plan = Plan::new(options)?;
        plan.check(source)?;
        let mut writing = Writing {
            space: self,
            options,
            report: ImportReport::default(),
            written_to: 0,
        };
        let mut batch = Batch::new();
        let mut rows = Rows::begin(source, options)?;
        let mut header = plan.has_header();
        while let Some(row) = rows.next()? {
            if std::mem::take(&mut header) {
                continue;
            }
            writing.report.rows += 1;
            let (line, size) = (row.line, row.size);
            match plan.operation(self, row) {
                Ok(operation) => {
                    if batch.is_full(size) {
                        writing.write(&batch.take())?;
                    }
                    batch.push(Made { line, operation }, size);
                }
                Err(reason) => writing.skip(line, reason)?,
            }
        }
        writing.write(&batch.take())?;
        Ok(writing.report)
    }
}

impl<'a> Plan<'a> {
    fn new(options: &'a ImportOptions) -> Result<Plan<'a>> {
        crate::model::names::check_type_name(options.type_name.as_deref())?;
        if options.key.is_some() && options.type_name.is_none() {
            return Err(Error::invalid(
                "a key takes a type name: objects are named by both",
            ));
        }
        let mut given = HashMap::new();
        for column in &options.columns {
            if let Some(field) = &column.field {
                path::check_field_name(field)?;
            }
            if given.insert(column.name.as_str(), column).is_some() {
                return Err(Error::invalid(format!(
                    "the column {:?} is described twice",
                    column.name
                )));
            }
        }
        Ok(Plan {
            options,
            given,
            columns: Vec::new(),
            names: Vec::new(),
            guesses: Vec::new(),
        })
    }

    /// A plan after the first reading, for the fuzzers.
    #[cfg(any(test, fuzzing))]
    pub(super) fn checked(options: &'a ImportOptions, source: &mut dyn Source) -> Result<Plan<'a>> {
        let mut plan = Plan::new(options)?;
        plan.check(source).map(|()| plan)
    }

    fn has_header(&self) -> bool {
        self.options.format == ImportFormat::Csv && self.options.header
    }

    /// Reads everything once. Where rows that cannot be used end the import, the first one does so
    /// here, before anything is written.
    fn check(&mut self, source: &mut dyn Source) -> Result<()> {
        let mut rows = Rows::begin(source, self.options)?;
        let mut first = self.options.format == ImportFormat::Csv;
        while let Some(row) = rows.next()? {
            let line = row.line;
            if std::mem::take(&mut first) {
                self.lay_out(&row)?;
                if self.options.header {
                    continue;
                }
            }
            if let Err(reason) = self.look(row)
                && self.options.on_error == OnError::Stop
            {
                return Err(Error::invalid(format!(
                    "line {line}: {reason}; nothing was imported"
                )));
            }
        }
        for (column, guess) in self.columns.iter_mut().zip(&self.guesses) {
            if column.kind == ColumnKind::Infer {
                column.kind = guess.kind();
                column.found = true;
            }
        }
        Ok(())
    }

    /// Finds out a table's columns from its first row.
    fn lay_out(&mut self, row: &Row) -> Result<()> {
        let Ok(Content::Cells(cells)) = &row.content else {
            return Err(Error::invalid("the table's first row is not UTF-8"));
        };
        if cells.len() > limits::IMPORT_COLUMNS {
            return Err(Error::limit(format!(
                "a table may have {} columns, not {}",
                limits::IMPORT_COLUMNS,
                cells.len()
            )));
        }
        let mut fields = HashSet::new();
        for (number, cell) in cells.iter().enumerate() {
            let name = match self.options.header {
                true => cell.trim().to_owned(),
                false => format!("column_{}", number + 1),
            };
            let column = self.column(&name);
            if column.kind != ColumnKind::Ignore {
                path::check_field_name(&column.field)
                    .map_err(|e| e.context(format!("column {}", number + 1)))?;
                if !fields.insert(column.field.clone()) {
                    return Err(Error::invalid(format!(
                        "two columns lead to the field {:?}",
                        column.field
                    )));
                }
            }
            self.columns.push(column);
            self.guesses.push(Guess::new());
            self.names.push(name);
        }
        let named = self.options.key.iter().map(String::as_str);
        for name in named.chain(self.given.keys().copied()) {
            if !self.names.iter().any(|found| found == name) {
                return Err(Error::invalid(format!("the table has no column {name:?}")));
            }
        }
        Ok(())
    }

    fn column(&self, name: &str) -> Column {
        match self.given.get(name) {
            Some(given) => Column {
                field: given.field.clone().unwrap_or_else(|| name.to_owned()),
                kind: given.kind,
                found: false,
            },
            None => Column {
                field: name.to_owned(),
                kind: self.options.other_columns,
                found: false,
            },
        }
    }

    /// Whether a row can be used, and what it says of its columns.
    fn look(&mut self, row: Row) -> Read<()> {
        let content = row.content?;
        if let Content::Cells(cells) = &content {
            self.check_width(cells)?;
            for (guess, cell) in self.guesses.iter_mut().zip(cells) {
                guess.see(cell);
            }
        }
        self.fields(content).map(drop)
    }

    fn check_width(&self, cells: &[String]) -> Read<()> {
        match cells.len() == self.columns.len() {
            true => Ok(()),
            false => Err(format!(
                "it has {} cells, and the first row has {}",
                cells.len(),
                self.columns.len()
            )),
        }
    }

    /// The fields and the key of a row.
    pub(super) fn fields(
        &self,
        content: Content,
    ) -> Read<(BTreeMap<String, Value>, Option<String>)> {
        let (fields, key) = match content {
            Content::Cells(cells) => self.of_cells(&cells)?,
            Content::Object(map) => self.of_object(map)?,
        };
        if self.options.key.is_some() {
            let key = key.as_deref().unwrap_or_default();
            system::check_natural_key(key).map_err(|e| format!("its key: {}", e.detail()))?;
        }
        Ok((fields, key))
    }

    fn of_cells(&self, cells: &[String]) -> Read<(BTreeMap<String, Value>, Option<String>)> {
        self.check_width(cells)?;
        let mut fields = BTreeMap::new();
        let mut key = None;
        let columns = self.columns.iter().zip(&self.names);
        for ((column, name), cell) in columns.zip(cells) {
            if column.found && cell.is_empty() {
                continue;
            }
            let value = read(column.kind, cell).map_err(|e| format!("{name:?}: {e}"))?;
            if let Some(value) = value {
                fields.insert(column.field.clone(), value);
            }
            if self.options.key.as_ref() == Some(name) {
                key = Some(cell.clone());
            }
        }
        Ok((fields, key))
    }

    fn of_object(&self, map: Map<String, Json>) -> Read<(BTreeMap<String, Value>, Option<String>)> {
        let mut fields = BTreeMap::new();
        let mut key = None;
        for (name, value) in map {
            if self.options.key.as_ref() == Some(&name) {
                key = match &value {
                    Json::String(text) => Some(text.clone()),
                    Json::Number(number) => Some(number.to_string()),
                    _ => return Err(format!("{name:?}: a key is a string or a number")),
                };
            }
            let column = self.column(&name);
            let place = |e: String| format!("{name:?}: {e}");
            if column.kind == ColumnKind::Ignore {
                continue;
            }
            path::check_field_name(&column.field).map_err(|e| e.detail().to_owned())?;
            if let Some(value) = read_json(column.kind, value).map_err(place)? {
                value.check().map_err(|e| place(e.detail().to_owned()))?;
                if fields.insert(column.field.clone(), value).is_some() {
                    return Err(format!("two members lead to the field {:?}", column.field));
                }
            }
        }
        Ok((fields, key))
    }

    /// What a row becomes.
    fn operation(&self, space: &SpaceHandle, row: Row) -> Read<Operation> {
        let (fields, key) = self.fields(row.content?)?;
        let type_name = self.options.type_name.clone();
        Ok(match (type_name, key) {
            (Some(type_name), Some(key)) => Operation::Upsert {
                object: ObjectId::natural(&space.id(), &type_name, &key),
                type_name,
                key,
                fields,
            },
            (type_name, _) => Operation::Create {
                object: space.new_object_id(),
                type_name,
                fields,
            },
        })
    }
}

/// The second reading.
struct Writing<'a> {
    space: &'a SpaceHandle,
    options: &'a ImportOptions,
    report: ImportReport,
    /// The line of the last row that is written.
    written_to: u64,
}

impl Writing<'_> {
    fn skip(&mut self, line: u64, reason: String) -> Result<()> {
        if self.options.on_error == OnError::Stop {
            return Err(self.stopped(Error::invalid(format!("line {line}: {reason}"))));
        }
        self.report.skipped += 1;
        if self.report.skips.len() < limits::IMPORT_SKIPS {
            self.report.skips.push(SkippedRow { line, reason });
        }
        Ok(())
    }

    /// Says how far the import got: what is written stays.
    fn stopped(&self, error: Error) -> Error {
        let done = self.report.created + self.report.updated + self.report.unchanged;
        let detail = match done {
            0 => format!("{}; nothing was imported", error.detail()),
            _ => format!(
                "{}; {done} rows, up to line {}, are imported",
                error.detail(),
                self.written_to
            ),
        };
        Error::new(error.kind(), detail)
    }

    fn write(&mut self, items: &[Made]) -> Result<()> {
        let mut refused = Vec::new();
        let stop = self.options.on_error == OnError::Stop;
        let written = batches::write(
            items,
            &mut |part| self.transact(part),
            &mut |item, error| {
                if stop {
                    return Err(error.context(format!("line {}", item.line)));
                }
                refused.push((item.line, error.detail().to_owned()));
                Ok(())
            },
        );
        written.map_err(|e| self.stopped(e))?;
        for (line, reason) in refused {
            self.skip(line, reason)?;
        }
        Ok(())
    }

    fn transact(&mut self, items: &[Made]) -> Result<()> {
        let operations: Vec<Operation> = items.iter().map(|i| i.operation.clone()).collect();
        let mut known = HashSet::new();
        let outcome = self.space.host().write(|core| {
            known.clear();
            for operation in &operations {
                let object = operation.object();
                if core.object(&object)?.is_some() {
                    known.insert(object);
                }
            }
            core.transact(&operations, None, None, clock::now_ms())
        })?;
        let changed: HashSet<ObjectId> = outcome.rows.iter().map(|row| row.new.id).collect();
        for operation in &operations {
            let object = operation.object();
            let count = match (known.insert(object), changed.contains(&object)) {
                (true, _) => &mut self.report.created,
                (false, true) => &mut self.report.updated,
                (false, false) => &mut self.report.unchanged,
            };
            *count += 1;
        }
        if let Some(last) = items.last() {
            self.written_to = last.line;
        }
        Ok(())
    }
}
