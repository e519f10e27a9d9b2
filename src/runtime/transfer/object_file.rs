//! One object as an Automerge file, out and in.

use crate::model::{Error, ErrorKind, ObjectId, Result};
use crate::objects::{Carried, ObjectFile, difference};
use crate::runtime::clock;
use crate::runtime::space_handle::SpaceHandle;

impl SpaceHandle {
    /// An object's document with its whole history.
    pub fn export_object(&self, id: ObjectId) -> Result<Vec<u8>> {
        self.host()
            .with_settled(|core| core.read_document(id, |document| document.save()))
    }

    /// Makes an object of a file, or brings what a file has beyond an object into it; its id.
    pub fn import_object(&self, bytes: &[u8], into: Option<ObjectId>) -> Result<ObjectId> {
        self.check_open()?;
        // Before the space is locked: the file may be large.
        let mut file = ObjectFile::read(bytes)?;
        let now = file.state()?;
        crate::model::names::check_type_name(now.type_name.as_deref())?;
        match into {
            None => self.create_from_file(&mut file, now),
            Some(id) => {
                self.merge_file(&mut file, &now, id)?;
                Ok(id)
            }
        }
    }

    fn create_from_file(&self, file: &mut ObjectFile, state: Carried) -> Result<ObjectId> {
        let id = self.new_object_id();
        let note = file.note();
        self.host().write(|core| {
            let steps = state.create(&core.id(), id);
            core.transact(&steps, None, Some(&note), clock::now_ms())
        })?;
        Ok(id)
    }

    fn merge_file(&self, file: &mut ObjectFile, now: &Carried, id: ObjectId) -> Result<()> {
        self.host().write(|core| {
            let meeting = core.read_document(id, |document| file.meeting(document))?;
            let Some(meeting) = meeting else {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!(
                        "the file shares no history with object {id}: import it as a new object"
                    ),
                ));
            };
            if meeting.nothing_new {
                return Ok(Default::default());
            }
            let before = file.state_at(&meeting.there)?;
            let steps = difference(id, &before, now);
            let note = file.note();
            core.transact(&steps, Some(&meeting.here), Some(&note), clock::now_ms())
        })?;
        Ok(())
    }
}
