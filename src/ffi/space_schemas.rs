//! JSON Schemas of types, what breaks them, and migrations.

use super::buffer::echodb_buffer;
use super::callback::{Callback, UserData, echodb_destroy};
use super::error::echodb_error;
use super::space::echodb_space;
use super::status::{ECHODB_OK, echodb_status};
use super::{guard, invalid, records, strings};
use crate::api::{EchoError, Migration};
use crate::model::{Error, ErrorKind};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// Registers a JSON Schema for the objects of a type, as `version` (from 1), or as the next one if
/// that is 0; `*out` is the version. Does nothing if that version, or with 0 the newest in force, is
/// the same schema already: a program may call this at every start. New objects of the type carry
/// the newest version in force; local writes are checked against the version that an object
/// carries, and refused with `ECHODB_SCHEMA_VIOLATION`.
///
/// Ownership: strings are copied. NULL: `space` and `out` may not be. Threads: any. Errors:
/// `ECHODB_INVALID_ARGUMENT` if it is no JSON Schema or refers to elsewhere,
/// `ECHODB_LIMIT_EXCEEDED`, `ECHODB_ALREADY_EXISTS` if the version is another schema,
/// `ECHODB_PERMISSION_DENIED`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_register_schema(
    space: *const echodb_space,
    type_name: *const c_char,
    type_name_len: usize,
    schema: *const c_char,
    schema_len: usize,
    version: u32,
    out: *mut u32,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_value(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let type_name = strings::text(type_name, type_name_len, "type_name")?;
            let schema = strings::text(schema, schema_len, "schema")?;
            space.register_schema(type_name, schema, (version > 0).then_some(version))
        })
    }
}

/// Every registered schema as a JSON array, by type and version. Each has `id` (of the object that
/// holds it: deleting that withdraws it), `type`, `version`, `schema` (JSON text), `withdrawn`,
/// `problem` (why it cannot be used, or null) and `conflict` (whether peers registered different
/// ones as this version at the same time, of which this one won).
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_schemas(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let schemas = guard::borrow(space, "space")?.inner.schemas()?;
            Ok(records::list(&schemas, records::schema))
        })
    }
}

/// The schema that new objects of a type carry the version of, as `echodb_space_schemas` gives
/// each; `*out` is NULL if there is none.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_schema(
    space: *const echodb_space,
    type_name: *const c_char,
    type_name_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_maybe(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let type_name = strings::text(type_name, type_name_len, "type_name")?;
            let schema = space.schema(type_name)?;
            Ok(schema.map(|schema| records::buffer(&records::schema(&schema))))
        })
    }
}

/// The rules that objects break, as a JSON array, by object: what merges, and schemas that came
/// later than the objects, led to. Each has `id`, `type`, `version`, `path` (a JSON Pointer, empty
/// for the object as a whole) and `reason`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`,
/// `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_violations(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let found = guard::borrow(space, "space")?.inner.violations()?;
            Ok(records::list(&found, records::violation))
        })
    }
}

/// The new fields of an object, as a migration gives them; good for the length of one callback.
pub struct echodb_migrated {
    fields: Option<String>,
}

/// Says what an object's fields become: hands all of them, as a JSON object, to
/// `echodb_migrated_set_fields`, or leaves the object as it is by not doing so. `version` is the one
/// that the object carries, 0 if none; `fields` is a JSON object, good for the length of the call.
/// A status other than `ECHODB_OK` counts the object as failed; `ECHODB_CANCELLED` ends the
/// migration. The callback must not throw.
pub type echodb_migration_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        id: *const c_char,
        id_len: usize,
        version: u32,
        fields: *const c_char,
        fields_len: usize,
        out: *mut echodb_migrated,
    ) -> echodb_status,
>;

type MigrationFunction = unsafe extern "C" fn(
    *mut c_void,
    *const c_char,
    usize,
    u32,
    *const c_char,
    usize,
    *mut echodb_migrated,
) -> echodb_status;

/// Sets the new fields, from within an `echodb_migration_callback`.
///
/// Ownership: strings are copied. NULL: `migrated` may not be. Threads: that of the callback.
/// Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_migrated_set_fields(
    migrated: *mut echodb_migrated,
    fields: *const c_char,
    fields_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or what its callback was given, and a readable string.
    unsafe {
        guard::call(error, || {
            let fields = strings::text(fields, fields_len, "fields")?;
            let migrated = migrated.as_mut();
            let migrated = migrated.ok_or_else(|| invalid("migrated is NULL"))?;
            migrated.fields = Some(fields);
            Ok(())
        })
    }
}

/// Moves the objects of a type that carry an older version than `to_version`, or none, to that
/// version, as `callback` says, which is called on this thread, one object at a time, and may use
/// the space. Written in batches, each checked against the new schema. It may be interrupted and run
/// again. The report is JSON: `migrated`, `left` and `failed` are numbers of objects, `failures` an
/// array of `id` and `reason` of the first hundred.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. Takes `user_data`; `destroy` frees
/// it before this returns. NULL: `space`, `callback` and `out` may not be; `user_data` and
/// `destroy` may. Threads: any. Errors: `ECHODB_NOT_FOUND` if the version is not registered,
/// `ECHODB_INVALID_STATE` if it is not in force, `ECHODB_CANCELLED`, `ECHODB_PERMISSION_DENIED`,
/// `ECHODB_STORAGE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_migrate(
    space: *const echodb_space,
    type_name: *const c_char,
    type_name_len: usize,
    to_version: u32,
    callback: echodb_migration_callback,
    user_data: *mut c_void,
    destroy: echodb_destroy,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let data = UserData::new(user_data, destroy);
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, move || {
            let migration = Arc::new(ForeignMigration(Callback::new(callback, data)?));
            let space = &guard::borrow(space, "space")?.inner;
            let type_name = strings::text(type_name, type_name_len, "type_name")?;
            let report = space.migrate(type_name, to_version, migration)?;
            Ok(records::buffer(&records::migration_report(&report)))
        })
    }
}

/// A migration that is a C function.
struct ForeignMigration(Callback<MigrationFunction>);

impl Migration for ForeignMigration {
    fn migrate(
        &self,
        id: String,
        version: Option<u32>,
        fields: String,
    ) -> Result<Option<String>, EchoError> {
        let mut migrated = echodb_migrated { fields: None };
        let status = self.0.invoke(|function, data| {
            // SAFETY: the program's function and data are good until the migration ends, and what
            // else is passed is, for the length of the call.
            unsafe {
                function(
                    data,
                    id.as_ptr().cast(),
                    id.len(),
                    version.unwrap_or(0),
                    fields.as_ptr().cast(),
                    fields.len(),
                    &raw mut migrated,
                )
            }
        });
        match status {
            ECHODB_OK => Ok(migrated.fields),
            status if status == ErrorKind::Cancelled.status() => {
                let detail = "the program ended the migration";
                Err(Error::new(ErrorKind::Cancelled, detail).into())
            }
            status => {
                let detail = format!("the callback gave the status {status}");
                Err(Error::new(ErrorKind::Callback, detail).into())
            }
        }
    }
}
