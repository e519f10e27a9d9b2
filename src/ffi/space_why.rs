//! Why somebody may do something in a space, or may not.

use super::buffer::echodb_buffer;
use super::error::echodb_error;
use super::space::echodb_space;
use super::status::echodb_status;
use super::{guard, records, strings};
use crate::api::Explanation;
use serde_json::{Value as Json, json};
use std::ffi::c_char;

fn explanation(told: &Explanation) -> Json {
    let steps = told.steps.iter().map(|step| {
        json!({
            "entry": step.entry,
            "text": step.text,
            "counts": step.counts,
        })
    });
    json!({
        "allowed": told.allowed,
        "summary": told.summary,
        "steps": steps.collect::<Json>(),
    })
}

/// Why an identity or a device may do something in the space, or may not, as a JSON object:
/// `allowed`, `summary` (an English sentence) and `steps`, the operations that led to it, in an
/// order in which they can have happened, each with `entry` (the control entry's id), `text` (an
/// English sentence) and `counts` (false for what somebody higher voided). `subject` is the key of
/// an identity or of a device as `echodb_space_members` gives them; `action` is `open` (take part at
/// all), `read`, `write`, `invite` or `administer`. Somebody unknown gets an explanation too. The
/// sentences are for people and may change from version to version.
///
/// Ownership: strings are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: `space`
/// and `out` may not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT` for what is no key or no
/// action, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_why(
    space: *const echodb_space,
    subject: *const c_char,
    subject_len: usize,
    action: *const c_char,
    action_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let subject = strings::text(subject, subject_len, "subject")?;
            let action = strings::text(action, action_len, "action")?;
            Ok(records::buffer(&explanation(&space.why(subject, action)?)))
        })
    }
}
