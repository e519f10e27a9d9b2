//! What checks and repairs found, for people.

use super::safe;
use crate::check_event::Stored;

/// A line of it.
pub fn line(stored: &Stored) -> String {
    match stored {
        Stored::Finding(found) => format!(
            "{}  {}  {}\n",
            found.kind,
            safe::line(&found.subject),
            safe::line(&found.detail)
        ),
        Stored::Checked(checked) => format!(
            "{} findings in {} entries, {} objects, {} blobs\n",
            checked.findings, checked.entries, checked.objects, checked.blobs
        ),
        Stored::Repaired(repaired) => {
            let mut text = format!(
                "{} entries and {} objects are there again; {} entries and {} blocks of blobs were lost\n",
                repaired.entries, repaired.objects, repaired.lost_entries, repaired.damaged_blocks
            );
            if let Some(kept) = &repaired.kept_file {
                text.push_str(&format!("the old file is kept as {}\n", safe::line(kept)));
            }
            for blob in &repaired.incomplete_blobs {
                text.push_str(&format!("to be fetched again: {}\n", safe::line(blob)));
            }
            text
        }
    }
}
