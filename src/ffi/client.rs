//! The client.

use super::buffer::echodb_buffer;
use super::callback::Gate;
use super::client_options::echodb_client_options;
use super::error::echodb_error;
use super::invitation::echodb_invitation;
use super::invitation_options::echodb_join_options;
use super::live::Live;
use super::log::Sink;
use super::operation::{Output, echodb_operation};
use super::space::echodb_space;
use super::status::echodb_status;
use super::{Result, guard, records, strings};
use crate::api::{Client, LogSink};
use crate::model::Error;
use std::ffi::c_char;
use std::sync::Arc;

/// An open profile: one identity, its spaces and its connections. Any thread may use it, several
/// at once too.
pub struct echodb_client {
    pub(super) inner: Arc<Client>,
    /// Shut with the client, so that the program's log callback is not called afterwards.
    _log: OpenLog,
    _live: Live,
}

/// A client that the program does not hold yet, and so is not counted.
pub(super) struct Opened {
    inner: Arc<Client>,
    log: OpenLog,
}

impl echodb_client {
    pub(super) fn new(opened: Opened) -> Self {
        echodb_client {
            inner: opened.inner,
            _log: opened.log,
            _live: Live::new(),
        }
    }
}

struct OpenLog(Option<Arc<Sink>>);

impl Drop for OpenLog {
    fn drop(&mut self) {
        if let Some(sink) = &self.0 {
            sink.0.shut();
        }
    }
}

/// What opening takes from the options, so that they may be freed meanwhile.
fn opener(options: Option<&echodb_client_options>) -> impl FnOnce() -> Result<Opened> {
    let given = options.map(|o| o.options.clone()).unwrap_or_default();
    let callback = options.and_then(|o| o.log.clone());
    move || {
        let sink = callback.map(|callback| Arc::new(Sink(Gate::new(callback))));
        let log = OpenLog(sink.clone());
        let inner = Client::open(given, sink.map(|sink| sink as Arc<dyn LogSink>))?;
        Ok(Opened { inner, log })
    }
}

/// Opens a profile, making it if absent.
///
/// Ownership: `*out` is the caller's, for `echodb_client_free`; the options stay the caller's.
/// NULL: `options` stands for fresh ones; `out` may not be. Threads: any. Errors:
/// `ECHODB_PROFILE_LOCKED`, `ECHODB_CORRUPT`, `ECHODB_UNSUPPORTED_VERSION`, `ECHODB_STORAGE`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_open(
    options: *const echodb_client_options,
    out: *mut *mut echodb_client,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let open = opener(options.as_ref());
            Ok(echodb_client::new(open()?))
        })
    }
}

/// As `echodb_client_open`, without waiting; `echodb_operation_take_client` gives the client.
///
/// Ownership: `*out` is the caller's, for `echodb_operation_free`; the options may be freed at
/// once. NULL: `options` stands for fresh ones; `out` may not be. Threads: any. Errors:
/// `ECHODB_INTERNAL` if there is no thread; the rest through the operation. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_open_start(
    options: *const echodb_client_options,
    out: *mut *mut echodb_operation,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live options, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let open = opener(options.as_ref());
            echodb_operation::blocking(move || open().map(Output::Client))
        })
    }
}

/// Makes the identity, this device's keys, and the default space. Gives the identity as JSON:
/// `identity`, `device`, `display_name`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `client` and `out` may not
/// be. Threads: any. Errors: `ECHODB_ALREADY_EXISTS`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_STORAGE`,
/// `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_create_identity(
    client: *const echodb_client,
    display_name: *const c_char,
    display_name_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let name = strings::text(display_name, display_name_len, "display_name")?;
            let identity = client.inner.create_identity(name)?;
            Ok(records::buffer(&records::identity(&identity)))
        })
    }
}

/// The identity, as `echodb_client_create_identity` gives it.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `client` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND` if there is none, `ECHODB_INVALID_ARGUMENT`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_identity(
    client: *const echodb_client,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let identity = client.inner.identity();
            let identity = identity.ok_or_else(|| Error::not_found("there is no identity yet"))?;
            Ok(records::buffer(&records::identity(&identity)))
        })
    }
}

/// Makes a space with `properties` (a JSON object, for example `{"name": "Notes"}`) and opens it.
///
/// Ownership: `*out` is the caller's, for `echodb_space_free`. NULL: `client` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE` without identity, `ECHODB_INVALID_ARGUMENT`,
/// `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_create_space(
    client: *const echodb_client,
    properties: *const c_char,
    properties_len: usize,
    out: *mut *mut echodb_space,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let properties = strings::text(properties, properties_len, "properties")?;
            Ok(echodb_space::new(client.inner.create_space(properties)?))
        })
    }
}

/// The spaces of this profile in the order they were made or joined, as a JSON array. Each has
/// `id`, `name`, `is_default` and `state` (`closed`, `opening`, `ready`, `failed`).
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `client` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`, `ECHODB_INVALID_ARGUMENT`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_spaces(
    client: *const echodb_client,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let spaces = guard::borrow(client, "client")?.inner.spaces()?;
            Ok(records::list(&spaces, records::space_info))
        })
    }
}

/// A handle on a space, open or closed.
///
/// Ownership: `*out` is the caller's, for `echodb_space_free`. NULL: `client` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`, `ECHODB_INVALID_STATE`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_space(
    client: *const echodb_client,
    id: *const c_char,
    id_len: usize,
    out: *mut *mut echodb_space,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let id = strings::text(id, id_len, "id")?;
            Ok(echodb_space::new(client.inner.space(id)?))
        })
    }
}

/// The space that was made with the identity.
///
/// Ownership: `*out` is the caller's, for `echodb_space_free`. NULL: `client` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_STATE` without identity, `ECHODB_INVALID_ARGUMENT`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_default_space(
    client: *const echodb_client,
    out: *mut *mut echodb_space,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            Ok(echodb_space::new(client.inner.default_space()?))
        })
    }
}

/// Deletes this profile's copy of a space. Other members keep theirs. The default space cannot
/// be deleted.
///
/// Ownership: none; handles on the space stay to be freed. NULL: `client` may not be. Threads:
/// any. Errors: `ECHODB_NOT_FOUND`, `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`,
/// `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_delete_space(
    client: *const echodb_client,
    id: *const c_char,
    id_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and a readable string.
    unsafe {
        guard::call(error, || {
            let client = guard::borrow(client, "client")?;
            client.inner.delete_space(strings::text(id, id_len, "id")?)
        })
    }
}

/// Uses an invitation code, text or URL.
///
/// Ownership: `*out` is the caller's, for `echodb_invitation_free`; the options stay the caller's.
/// NULL: `options` stands for fresh ones; `client` and `out` may not be. Threads: any. Errors:
/// `ECHODB_INVITATION_REFUSED`, `ECHODB_ALREADY_EXISTS` if the profile is in the space,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`; the rest shows in the invitation.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_join(
    client: *const echodb_client,
    code: *const c_char,
    code_len: usize,
    options: *const echodb_join_options,
    out: *mut *mut echodb_invitation,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or live handles, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let code = strings::text(code, code_len, "code")?;
            let options = options.as_ref().map(|o| o.options.clone());
            let invitation = client.inner.join(code, options.unwrap_or_default())?;
            Ok(echodb_invitation::new(invitation))
        })
    }
}

/// Goes online or offline. Offline, all connections are closed and none is made or taken;
/// everything else works.
///
/// Ownership: none. NULL: `client` may not be. Threads: any. Errors: `ECHODB_INVALID_STATE`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_set_online(
    client: *const echodb_client,
    online: bool,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client.
    unsafe {
        guard::call(error, || {
            guard::borrow(client, "client")?.inner.set_online(online)
        })
    }
}

/// Connections and servers at this moment, as JSON: `online`, `signaling` (each `url`,
/// `connected`, `error`), `peers`, `bytes_sent`, `bytes_received`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `client` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_status(
    client: *const echodb_client,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let status = guard::borrow(client, "client")?.inner.status();
            Ok(records::buffer(&records::client_status(&status)))
        })
    }
}

/// Commits what is pending, closes connections and files, and releases the profile. Every later
/// call on the client and its spaces fails with `ECHODB_INVALID_STATE`. May be called again.
///
/// Ownership: none; the client and its children stay to be freed. NULL: `client` may not be.
/// Threads: any. Errors: `ECHODB_STORAGE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_shutdown(
    client: *const echodb_client,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client.
    unsafe { guard::call(error, || guard::borrow(client, "client")?.inner.shutdown()) }
}

/// As `echodb_client_shutdown`, without waiting.
///
/// Ownership: `*out` is the caller's, for `echodb_operation_free`; the client may be freed at
/// once. NULL: `client` and `out` may not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`,
/// `ECHODB_INTERNAL` if there is no thread; the rest through the operation. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_shutdown_start(
    client: *const echodb_client,
    out: *mut *mut echodb_operation,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let inner = Arc::clone(&guard::borrow(client, "client")?.inner);
            echodb_operation::blocking(move || inner.shutdown().map(|()| Output::Nothing))
        })
    }
}

/// Frees a client. Without a shutdown before it, connections and files are closed once the last
/// space, transaction, invitation and subscription of the client is freed too, without waiting.
/// The log callback is not running when this returns, and will not run again.
///
/// Ownership: takes the client. NULL: does nothing. Threads: any, once. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_free(client: *mut echodb_client) {
    // SAFETY: the caller passes NULL or a client that it gives up.
    unsafe { guard::release(client) }
}
