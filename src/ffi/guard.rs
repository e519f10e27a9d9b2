//! What surrounds every body: outputs cleared, panics contained, errors handed over.

use super::error::echodb_error;
use super::status::{ECHODB_OK, echodb_status};
use super::{Result, invalid};
use crate::api::EchoError;
use crate::model::Error;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a body without output.
///
/// # Safety
///
/// `error` is NULL or may be written.
pub(super) unsafe fn call(
    error: *mut *mut echodb_error,
    body: impl FnOnce() -> Result<()>,
) -> echodb_status {
    // SAFETY: the caller vouches for `error`.
    unsafe { echodb_error::clear(error) };
    let outcome = catch_unwind(AssertUnwindSafe(body));
    match outcome.unwrap_or_else(|payload| Err(contained(payload.as_ref()))) {
        Ok(()) => ECHODB_OK,
        // SAFETY: the caller vouches for `error`.
        Err(e) => unsafe { echodb_error::give(error, &e) },
    }
}

/// Runs a body whose result becomes a new handle.
///
/// # Safety
///
/// `out` and `error` are NULL or may be written.
pub(super) unsafe fn call_out<T>(
    out: *mut *mut T,
    error: *mut *mut echodb_error,
    body: impl FnOnce() -> Result<T>,
) -> echodb_status {
    // SAFETY: the caller vouches for both.
    unsafe { call_maybe(out, error, || body().map(Some)) }
}

/// Runs a body whose result, if there is one, becomes a new handle.
///
/// # Safety
///
/// `out` and `error` are NULL or may be written.
pub(super) unsafe fn call_maybe<T>(
    out: *mut *mut T,
    error: *mut *mut echodb_error,
    body: impl FnOnce() -> Result<Option<T>>,
) -> echodb_status {
    if !out.is_null() {
        // SAFETY: not NULL, and the caller vouches for the rest.
        unsafe { *out = std::ptr::null_mut() };
    }
    let body = || {
        if out.is_null() {
            return Err(no_output());
        }
        if let Some(value) = body()? {
            // SAFETY: not NULL, and the caller vouches for the rest.
            unsafe { *out = Box::into_raw(Box::new(value)) };
        }
        Ok(())
    };
    // SAFETY: the caller vouches for `error`.
    unsafe { call(error, body) }
}

/// Runs a body whose result is a number; `*out` is written on success only.
///
/// # Safety
///
/// `out` and `error` are NULL or may be written.
pub(super) unsafe fn call_value<T>(
    out: *mut T,
    error: *mut *mut echodb_error,
    body: impl FnOnce() -> Result<T>,
) -> echodb_status {
    let body = || {
        if out.is_null() {
            return Err(no_output());
        }
        let value = body()?;
        // SAFETY: not NULL, and the caller vouches for the rest.
        unsafe { *out = value };
        Ok(())
    };
    // SAFETY: the caller vouches for `error`.
    unsafe { call(error, body) }
}

/// Runs a body that has no way to fail: an accessor.
pub(super) fn get<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fallback)
}

/// Borrows a handle for the length of a call.
///
/// # Safety
///
/// `handle` is NULL or came from this library and has not been freed.
pub(super) unsafe fn borrow<'a, T>(handle: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: the caller vouches for the handle.
    unsafe { handle.as_ref() }.ok_or_else(|| invalid(format!("{name} is NULL")))
}

/// Borrows a builder for the length of a call.
///
/// # Safety
///
/// `handle` is NULL or came from this library, has not been freed, and is not used by another
/// thread meanwhile.
pub(super) unsafe fn borrow_mut<'a, T>(handle: *mut T, name: &str) -> Result<&'a mut T> {
    // SAFETY: the caller vouches for the handle.
    unsafe { handle.as_mut() }.ok_or_else(|| invalid(format!("{name} is NULL")))
}

/// Frees a handle; NULL is nothing to free.
///
/// # Safety
///
/// `handle` is NULL or came from this library, has not been freed, and is not used from now on.
pub(super) unsafe fn release<T>(handle: *mut T) {
    if handle.is_null() {
        return;
    }
    // SAFETY: every handle was made by `Box::into_raw`, and the caller gives it up.
    let owned = unsafe { Box::from_raw(handle) };
    get((), || drop(owned));
}

fn no_output() -> EchoError {
    invalid("the output pointer is NULL")
}

/// What a contained panic is reported as.
pub(super) fn contained(payload: &(dyn Any + Send)) -> EchoError {
    let what = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no description");
    Error::internal(format!("a defect of this library was contained: {what}")).into()
}
