//! Rows of plain data, one after the other and none larger than it may be: from CSV, from JSON lines,
//! from a JSON array.

use super::files::{Source, rewind, unreadable};
use crate::api::{ImportFormat, ImportOptions};
use crate::model::{Error, Result, limits};
use serde_json::{Map, Value as Json};
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read, SeekFrom};
use std::rc::Rc;

/// What a row holds.
pub(super) enum Content {
    /// A table's cells.
    Cells(Vec<String>),
    /// A JSON object.
    Object(Map<String, Json>),
}

/// A row.
pub(super) struct Row {
    /// The line that it begins on, from 1.
    pub(super) line: u64,
    /// Its bytes, about.
    pub(super) size: usize,
    /// What it holds, or why it cannot be used.
    pub(super) content: std::result::Result<Content, String>,
}

/// The rows of a source, from its front.
pub(super) enum Rows<'a> {
    Csv(Box<CsvRows<'a>>),
    Lines(Lines<'a>),
    Array(Array<'a>),
}

impl<'a> Rows<'a> {
    pub(super) fn begin(source: &'a mut dyn Source, options: &ImportOptions) -> Result<Rows<'a>> {
        skip_mark(source)?;
        Ok(match options.format {
            ImportFormat::Csv => Rows::Csv(Box::new(CsvRows::new(source, delimiter(options)?))),
            ImportFormat::Ndjson => Rows::Lines(Lines::new(source)),
            ImportFormat::Json => Rows::Array(Array::new(source)),
        })
    }

    /// The next row. An error ends the reading: what follows cannot be told from what went wrong.
    pub(super) fn next(&mut self) -> Result<Option<Row>> {
        match self {
            Rows::Csv(rows) => rows.next(),
            Rows::Lines(rows) => rows.next(),
            Rows::Array(rows) => rows.next(),
        }
    }
}

/// Goes to the front, past a byte order mark.
fn skip_mark(source: &mut dyn Source) -> Result<()> {
    rewind(source)?;
    let mut mark = Vec::new();
    let mut front = &mut *source;
    Read::take(&mut front, 3)
        .read_to_end(&mut mark)
        .map_err(|e| unreadable(&e))?;
    if mark.starts_with(&[0xff, 0xfe]) || mark.starts_with(&[0xfe, 0xff]) {
        return Err(Error::invalid(
            "the input is UTF-16: save it as UTF-8 and import that",
        ));
    }
    let start = if mark == [0xef, 0xbb, 0xbf] { 3 } else { 0 };
    source
        .seek(SeekFrom::Start(start))
        .map(drop)
        .map_err(|e| unreadable(&e))
}

fn delimiter(options: &ImportOptions) -> Result<u8> {
    match options.delimiter.as_bytes() {
        [byte] if byte.is_ascii() && !b"\"\r\n\0".contains(byte) => Ok(*byte),
        _ => Err(Error::invalid(
            "a delimiter is one ASCII character, and no quote or line end",
        )),
    }
}

fn too_large() -> String {
    format!("it is larger than {} bytes", limits::IMPORT_ROW_BYTES)
}

/// Bytes of a source, as long as there are some left for the present row.
struct Metered<'a> {
    source: &'a mut dyn Source,
    left: Rc<Cell<usize>>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::Error::other(too_large()));
        }
        let most = buffer.len().min(left);
        let read = self
            .source
            .read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.set(left - read);
        Ok(read)
    }
}

/// Records of CSV (RFC 4180).
pub(super) struct CsvRows<'a> {
    reader: csv::Reader<Metered<'a>>,
    left: Rc<Cell<usize>>,
    record: csv::ByteRecord,
}

impl<'a> CsvRows<'a> {
    fn new(source: &'a mut dyn Source, delimiter: u8) -> CsvRows<'a> {
        let left = Rc::new(Cell::new(0));
        let metered = Metered {
            source,
            left: Rc::clone(&left),
        };
        CsvRows {
            reader: csv::ReaderBuilder::new()
                .delimiter(delimiter)
                .has_headers(false)
                .flexible(true)
                .from_reader(metered),
            left,
            record: csv::ByteRecord::new(),
        }
    }

    fn next(&mut self) -> Result<Option<Row>> {
        self.left.set(limits::IMPORT_ROW_BYTES);
        let at = self.reader.position().line();
        let more = self.reader.read_byte_record(&mut self.record);
        let more =
            more.map_err(|e| Error::invalid(format!("the row that begins on line {at}: {e}")))?;
        if !more {
            return Ok(None);
        }
        let line = self.record.position().map_or(at, csv::Position::line);
        let cells = self.record.iter().map(|cell| {
            let text = std::str::from_utf8(cell).map_err(|_| "it is not UTF-8".to_owned())?;
            Ok(text.to_owned())
        });
        Ok(Some(Row {
            line,
            size: self.record.as_slice().len(),
            content: cells
                .collect::<std::result::Result<_, _>>()
                .map(Content::Cells),
        }))
    }
}

/// A JSON object a line.
pub(super) struct Lines<'a> {
    source: BufReader<&'a mut dyn Source>,
    line: u64,
    most: usize,
}

impl<'a> Lines<'a> {
    fn new(source: &'a mut dyn Source) -> Lines<'a> {
        Lines {
            source: BufReader::new(source),
            line: 0,
            most: limits::IMPORT_ROW_BYTES,
        }
    }

    /// The lines of an export, which may be longer.
    pub(super) fn of_export(source: &'a mut dyn Source) -> Result<Lines<'a>> {
        skip_mark(source)?;
        let mut lines = Lines::new(source);
        lines.most = limits::JSON_BYTES;
        Ok(lines)
    }

    fn next(&mut self) -> Result<Option<Row>> {
        while let Some((line, bytes)) = self.next_line()? {
            let size = bytes.as_ref().map_or(0, Vec::len);
            let content = match bytes {
                Some(bytes) if bytes.trim_ascii().is_empty() => continue,
                Some(bytes) => object(&bytes),
                None => Err(too_large()),
            };
            return Ok(Some(Row {
                line,
                size,
                content: content.map(Content::Object),
            }));
        }
        Ok(None)
    }

    /// The next line with its number; no bytes if it is longer than it may be.
    pub(super) fn next_line(&mut self) -> Result<Option<(u64, Option<Vec<u8>>)>> {
        let mut bytes = Some(Vec::new());
        let mut any = false;
        loop {
            let found = self.source.fill_buf().map_err(|e| unreadable(&e))?;
            if found.is_empty() {
                break;
            }
            any = true;
            let end = found.iter().position(|byte| *byte == b'\n');
            let part = found.get(..end.unwrap_or(found.len())).unwrap_or_default();
            bytes = bytes.filter(|bytes| bytes.len() + part.len() <= self.most);
            if let Some(bytes) = &mut bytes {
                bytes.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.source.consume(used);
            if end.is_some() {
                break;
            }
        }
        self.line += 1;
        Ok(any.then_some((self.line, bytes)))
    }
}

/// The elements of one JSON array; one object alone counts as its only element.
pub(super) struct Array<'a> {
    source: BufReader<&'a mut dyn Source>,
    line: u64,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Start,
    Within,
    End,
}

impl<'a> Array<'a> {
    fn new(source: &'a mut dyn Source) -> Array<'a> {
        Array {
            source: BufReader::new(source),
            line: 1,
            state: State::Start,
        }
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        let found = self.source.fill_buf().map_err(|e| unreadable(&e))?;
        Ok(found.first().copied())
    }

    fn advance(&mut self, byte: u8) {
        self.source.consume(1);
        self.line += u64::from(byte == b'\n');
    }

    fn skip_space(&mut self) -> Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(byte) if byte.is_ascii_whitespace() => self.advance(byte),
                other => return Ok(other),
            }
        }
    }

    fn next(&mut self) -> Result<Option<Row>> {
        if self.state == State::Start {
            match self.skip_space()? {
                Some(b'[') => self.advance(b'['),
                Some(b'{') => {
                    let row = self.element()?;
                    self.end()?;
                    return Ok(Some(row));
                }
                _ => {
                    return Err(Error::invalid(
                        "JSON to import is an array of objects, or one object",
                    ));
                }
            }
            self.state = State::Within;
            if self.skip_space()? == Some(b']') {
                self.advance(b']');
                self.end()?;
            }
        }
        if self.state == State::End {
            return Ok(None);
        }
        self.skip_space()?;
        let row = self.element()?;
        match self.skip_space()? {
            Some(b',') => self.advance(b','),
            Some(b']') => {
                self.advance(b']');
                self.end()?;
            }
            _ => return Err(self.cut_short()),
        }
        Ok(Some(row))
    }

    fn end(&mut self) -> Result<()> {
        self.state = State::End;
        match self.skip_space()? {
            None => Ok(()),
            Some(_) => Err(Error::invalid(format!(
                "line {}: something follows the end of the JSON",
                self.line
            ))),
        }
    }

    /// Takes one element, whatever it is: to the comma or bracket that ends it.
    fn element(&mut self) -> Result<Row> {
        let line = self.line;
        let mut bytes = Some(Vec::new());
        let (mut depth, mut in_string, mut escaped) = (0u64, false, false);
        loop {
            let Some(byte) = self.peek()? else {
                if self.state == State::Start && depth == 0 && !in_string {
                    break;
                }
                return Err(self.cut_short());
            };
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b',' | b']' if depth == 0 => break,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.advance(byte);
            bytes = bytes.filter(|bytes: &Vec<u8>| bytes.len() < limits::IMPORT_ROW_BYTES);
            if let Some(bytes) = &mut bytes {
                bytes.push(byte);
            }
        }
        let content = bytes.as_deref().map_or_else(|| Err(too_large()), object);
        Ok(Row {
            line,
            size: bytes.map_or(0, |bytes| bytes.len()),
            content: content.map(Content::Object),
        })
    }

    fn cut_short(&self) -> Error {
        Error::invalid(format!(
            "line {}: the JSON ends too early, or an element is malformed",
            self.line
        ))
    }
}

fn object(bytes: &[u8]) -> std::result::Result<Map<String, Json>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    // The parser itself refuses deep nesting.
    match serde_json::from_str(text) {
        Ok(Json::Object(map)) => Ok(map),
        Ok(_) => Err("it is no JSON object".to_owned()),
        Err(e) => Err(format!("malformed JSON: {e}")),
    }
}
