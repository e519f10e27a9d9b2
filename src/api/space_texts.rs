//! Reading what texts and fields carry beside their present value: marks, cursors, conflicts.

use super::error::Result;
use super::space::text_index;
use super::{Space, TextUnit};
use crate::model::{ObjectId, Path};
#[cfg(feature = "bindings")]
use std::sync::Arc;

/// A mark on a stretch of a text.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct TextMark {
    /// Where it begins, in the unit asked for.
    pub start: u64,
    /// Where it ends, likewise.
    pub end: u64,
    /// Its name.
    pub name: String,
    /// Its value, JSON.
    pub value: String,
}

impl Space {
    /// The marks of a text, by name and place; edits that are not written yet count.
    pub fn marks(&self, id: String, path: String, unit: TextUnit) -> Result<Vec<TextMark>> {
        let path = Path::parse(&path)?;
        Ok(self
            .handle()
            .marks(ObjectId::parse(&id)?, &path, unit.into())?)
    }

    /// Names the place before the character at `position`, for as long as the text exists: what
    /// [`Space::cursor_position`] finds again after any edits. The text's length names its end,
    /// whatever is added there.
    pub fn cursor(
        &self,
        id: String,
        path: String,
        position: u64,
        unit: TextUnit,
    ) -> Result<String> {
        let position = text_index(position)?;
        let path = Path::parse(&path)?;
        Ok(self
            .handle()
            .cursor(ObjectId::parse(&id)?, &path, position, unit.into())?)
    }

    /// Where a cursor's place is now. If its character was deleted, that is where it stood.
    /// Fails with `InvalidArgument` for a cursor of another text.
    pub fn cursor_position(
        &self,
        id: String,
        path: String,
        cursor: String,
        unit: TextUnit,
    ) -> Result<u64> {
        let path = Path::parse(&path)?;
        let found =
            self.handle()
                .cursor_position(ObjectId::parse(&id)?, &path, &cursor, unit.into())?;
        Ok(found as u64)
    }

    /// The values that concurrent writes put in one place, as JSON; the one that reads show comes
    /// last. One value where there is no conflict. Writing the place settles it.
    pub fn conflicts(&self, id: String, path: String) -> Result<Vec<String>> {
        let path = Path::parse(&path)?;
        Ok(self.handle().conflicts(ObjectId::parse(&id)?, &path)?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// The marks of a text, by name and place; edits that are not written yet count.
    #[uniffi::method(name = "marks")]
    pub async fn marks_async(
        self: Arc<Self>,
        id: String,
        path: String,
        unit: TextUnit,
    ) -> Result<Vec<TextMark>> {
        super::run(move || self.marks(id, path, unit)).await
    }

    /// Names the place before the character at `position`, for as long as the text exists: what
    /// `cursor_position` finds again after any edits. The text's length names its end, whatever is
    /// added there.
    #[uniffi::method(name = "cursor")]
    pub async fn cursor_async(
        self: Arc<Self>,
        id: String,
        path: String,
        position: u64,
        unit: TextUnit,
    ) -> Result<String> {
        super::run(move || self.cursor(id, path, position, unit)).await
    }

    /// Where a cursor's place is now. If its character was deleted, that is where it stood.
    /// Fails with `InvalidArgument` for a cursor of another text.
    #[uniffi::method(name = "cursor_position")]
    pub async fn cursor_position_async(
        self: Arc<Self>,
        id: String,
        path: String,
        cursor: String,
        unit: TextUnit,
    ) -> Result<u64> {
        super::run(move || self.cursor_position(id, path, cursor, unit)).await
    }

    /// The values that concurrent writes put in one place, as JSON; the one that reads show comes
    /// last. One value where there is no conflict. Writing the place settles it.
    #[uniffi::method(name = "conflicts")]
    pub async fn conflicts_async(self: Arc<Self>, id: String, path: String) -> Result<Vec<String>> {
        super::run(move || self.conflicts(id, path)).await
    }
}
