//! What texts and fields carry beside their present value.

use super::space_handle::SpaceHandle;
use crate::api::TextMark;
use crate::model::{ObjectId, Path, Result, TextUnit, json};

impl SpaceHandle {
    /// The marks of a text.
    pub fn marks(&self, id: ObjectId, path: &Path, unit: TextUnit) -> Result<Vec<TextMark>> {
        let marks = self
            .host()
            .read_object(id, |_, document| document.marks(path, unit))?;
        Ok(marks
            .into_iter()
            .map(|mark| TextMark {
                start: mark.start as u64,
                end: mark.end as u64,
                name: mark.name,
                value: json::to_json(&mark.value).to_string(),
            })
            .collect())
    }

    /// A name for a place in a text.
    pub fn cursor(
        &self,
        id: ObjectId,
        path: &Path,
        position: usize,
        unit: TextUnit,
    ) -> Result<String> {
        self.host()
            .read_settled_object(id, |_, document| document.cursor(path, position, unit))
    }

    /// Where that place is now.
    pub fn cursor_position(
        &self,
        id: ObjectId,
        path: &Path,
        cursor: &str,
        unit: TextUnit,
    ) -> Result<usize> {
        self.host().read_object(id, |_, document| {
            document.cursor_position(path, cursor, unit)
        })
    }

    /// The values of one place, as JSON.
    pub fn conflicts(&self, id: ObjectId, path: &Path) -> Result<Vec<String>> {
        let values = self
            .host()
            .read_object(id, |_, document| document.conflicts(path))?;
        let values = values.iter().map(|value| json::to_json(value).to_string());
        Ok(values.collect())
    }
}
