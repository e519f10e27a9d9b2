//! All objects as JSON lines, readable and to be read back.

use super::files::WholeFile;
use crate::model::{ObjectId, Result, json};
use crate::objects::{TextMark, text_paths};
use crate::runtime::row_json::write_json;
use crate::runtime::space_handle::{SpaceHandle, is_user_object};
use crate::space::{ObjectRow, SpaceCore};
use serde_json::{Map, Value as Json, json};

/// The format's name and version, in its first line.
pub(super) const FORMAT: &str = "echodb-export";
pub(super) const VERSION: u64 = 2;
/// Rows read at a time.
const ROWS: usize = 512;
/// What stands in a row's JSON wherever it holds a text, which may have marks.
pub(super) const TEXT: &str = "\"@text\"";

impl SpaceHandle {
    /// All objects as JSON lines.
    pub fn export_json(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.write_export(&mut |line| {
            out.extend_from_slice(line);
            Ok(())
        })?;
        Ok(out)
    }

    /// The same into a file, which appears when it is whole; the number of objects.
    pub fn export_json_file(&self, path: &str) -> Result<u64> {
        let mut file = WholeFile::create(path)?;
        let count = self.write_export(&mut |line| file.write(line))?;
        file.finish()?;
        Ok(count)
    }

    /// Writes all lines under one lock, so that they show one state of the space.
    fn write_export(&self, out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<u64> {
        let header = json!({"format": FORMAT, "version": VERSION, "space": self.id().to_string()});
        self.host().with_settled(|core| {
            out(format!("{header}\n").as_bytes())?;
            let mut count = 0;
            let mut after = None;
            loop {
                let rows = core.rows_after(after, ROWS)?;
                let Some(last) = rows.last() else {
                    return Ok(count);
                };
                after = Some(last.id);
                for row in rows.iter().filter(|row| is_user_object(row)) {
                    out(line(core, row)?.as_bytes())?;
                    count += 1;
                }
            }
        })
    }
}

fn line(core: &mut SpaceCore, row: &ObjectRow) -> Result<String> {
    let mut line = String::new();
    write_json(&mut line, &row.seen());
    if let Some(branch) = &row.system.branch {
        add(&mut line, "branch", &branch.to_json());
    }
    if row.data.contains(TEXT) {
        let marks = marks(core, row.id, &row.data)?;
        if !marks.is_empty() {
            add(&mut line, "marks", &Json::Object(marks));
        }
    }
    line.push('\n');
    Ok(line)
}

/// Adds a member to a JSON object's text.
fn add(line: &mut String, name: &str, value: &Json) {
    if line.pop().is_some() {
        line.push_str(&format!(",\"{name}\":{value}}}"));
    }
}

/// An object's marks by the paths of its texts.
fn marks(core: &mut SpaceCore, id: ObjectId, data: &str) -> Result<Map<String, Json>> {
    let Json::Object(fields) = serde_json::from_str(data).unwrap_or_default() else {
        return Ok(Map::new());
    };
    let paths = text_paths(&json::fields_from_json(fields)?);
    let found = core.read_document(id, |document| document.marks_of(&paths))?;
    let mut all = Map::new();
    for (path, mark) in found {
        let of_text = all
            .entry(path.to_string())
            .or_insert_with(|| Json::Array(Vec::new()));
        if let Json::Array(of_text) = of_text {
            of_text.push(mark_json(&mark));
        }
    }
    Ok(all)
}

fn mark_json(mark: &TextMark) -> Json {
    json!({
        "start": mark.start,
        "end": mark.end,
        "name": mark.name,
        "value": json::to_json(&mark.value),
    })
}
