//! What only the inside can check; the rest is tested from C, in `tests/c`.

use super::callback::{Callback, Gate, UserData};
use super::operation::{Output, echodb_operation};
use super::queue::Queue;
use super::status::{self, ECHODB_CANCELLED, ECHODB_INTERNAL, ECHODB_OK};
use super::{guard, log};
use crate::api::{
    Change, ChangeBatch, ChangeKind, ChangeListener, ChangeOrigin, InvitationState, LogLevel,
};
use crate::model::ErrorKind;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn names_and_numbers_are_those_of_the_facade() {
    for kind in ErrorKind::ALL {
        let name = status::name(kind.status());
        assert_eq!(name.to_str(), Ok(kind.name()));
    }
    for number in 0..=5 {
        assert_eq!(log::level(number).map(|l| l as i32), Ok(number));
    }
    assert!(log::level(-1).is_err() && log::level(6).is_err());
    assert_eq!(LogLevel::Trace as i32, 5);
    for number in 1..=10 {
        let state = super::invitation::state(number);
        assert_eq!(state.map(|s| s as i32), Ok(number));
    }
    assert_eq!(InvitationState::Expired as i32, 10);
}

#[test]
fn a_panic_becomes_a_status_with_its_message() {
    let mut error = null_mut();
    // SAFETY: the place is a local variable.
    let status = unsafe { guard::call(&mut error, || std::panic::panic_any("boom")) };
    assert_eq!(status, ECHODB_INTERNAL);
    // SAFETY: the call above made the error, and it is freed once.
    unsafe {
        let message = super::error::echodb_error_message(error);
        let message = std::ffi::CStr::from_ptr(message).to_str();
        assert!(message.is_ok_and(|m| m.ends_with("boom")), "{message:?}");
        super::error::echodb_error_free(error);
    }
}

unsafe extern "C" fn count(data: *mut c_void) {
    // SAFETY: every test passes a counter that outlives the callback.
    unsafe { &*data.cast::<AtomicU32>() }.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn destroy_runs_once_after_a_run_that_shut_the_gate() {
    let destroyed = AtomicU32::new(0);
    let pointer = (&raw const destroyed).cast_mut().cast::<c_void>();
    let data = UserData::new(pointer, Some(count));
    let function: unsafe extern "C" fn(*mut c_void) = count;
    let Ok(callback) = Callback::new(Some(function), data) else {
        unreachable!("there is a function");
    };
    let gate = Gate::new(callback);
    let inside = gate.call(|_, _| {
        gate.shut();
        destroyed.load(Ordering::SeqCst)
    });
    assert_eq!(inside, Some(0));
    assert_eq!(destroyed.load(Ordering::SeqCst), 1);
    gate.shut();
    assert_eq!(gate.call(|_, _| ()), None);
    assert_eq!(destroyed.load(Ordering::SeqCst), 1);
}

#[test]
fn shutting_waits_for_the_run_on_another_thread() {
    let destroyed = AtomicU32::new(0);
    let pointer = (&raw const destroyed).cast_mut().cast::<c_void>();
    let function: unsafe extern "C" fn(*mut c_void) = count;
    let Ok(callback) = Callback::new(Some(function), UserData::new(pointer, Some(count))) else {
        unreachable!("there is a function");
    };
    let gate = Gate::new(callback);
    let (started_in, started) = std::sync::mpsc::channel();
    let running = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            gate.call(|_, _| {
                let _ = started_in.send(());
                std::thread::sleep(std::time::Duration::from_millis(50));
                running.store(false, Ordering::SeqCst);
            })
        });
        assert!(started.recv().is_ok());
        gate.shut();
        assert!(!running.load(Ordering::SeqCst));
        assert_eq!(destroyed.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_missing_function_frees_the_data() {
    let destroyed = AtomicU32::new(0);
    let pointer = (&raw const destroyed).cast_mut().cast::<c_void>();
    let data = UserData::new(pointer, Some(count));
    assert!(Callback::<unsafe extern "C" fn()>::new(None, data).is_err());
    assert_eq!(destroyed.load(Ordering::SeqCst), 1);
}

fn change(id: &str, kind: ChangeKind) -> Change {
    Change {
        id: id.to_owned(),
        type_name: None,
        kind,
        origin: ChangeOrigin::Local,
    }
}

#[test]
fn a_queue_gathers_by_object() {
    let Ok(queue) = Queue::new() else {
        unreachable!("there are descriptors");
    };
    let batches = [
        vec![
            change("a", ChangeKind::Added),
            change("b", ChangeKind::Updated),
        ],
        vec![
            change("a", ChangeKind::Updated),
            change("b", ChangeKind::Removed),
        ],
    ];
    assert!(queue.next().is_none());
    for changes in batches {
        let space = "s".to_owned();
        assert!(queue.changed(ChangeBatch { space, changes }).is_ok());
    }
    let batch = queue.next();
    let changes = batch.map(|b| b.changes).unwrap_or_default();
    let expected = [
        change("a", ChangeKind::Added),
        change("b", ChangeKind::Removed),
    ];
    assert_eq!(changes, expected);
    assert!(queue.next().is_none());
}

unsafe extern "C" fn completed(data: *mut c_void, status: i32, _: *const std::ffi::c_char) {
    // SAFETY: the test passes a counter that outlives the operation.
    let seen = unsafe { &*data.cast::<AtomicU32>() };
    seen.fetch_add(1000 + status.unsigned_abs(), Ordering::SeqCst);
}

#[test]
fn operations_complete_exactly_once() {
    let seen = AtomicU32::new(0);
    let pointer = (&raw const seen).cast_mut().cast::<c_void>();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let work = move || {
        let _ = held.recv();
        Ok(Output::Nothing)
    };
    let Ok(operation) = echodb_operation::blocking(work) else {
        unreachable!("there are threads");
    };
    // SAFETY: the operation lives until the end of the test; places may be NULL.
    unsafe {
        use super::operation::*;
        let none = null_mut();
        let status = echodb_operation_on_complete(&operation, Some(completed), pointer, None, none);
        assert_eq!(status, ECHODB_OK);
        assert!(!echodb_operation_is_done(&operation));
        echodb_operation_cancel(&operation);
        assert!(echodb_operation_is_done(&operation));
        assert_eq!(echodb_operation_result(&operation, none), ECHODB_CANCELLED);
        assert_eq!(echodb_operation_wait(&operation, 0, none), ECHODB_OK);
    }
    drop(release);
    drop(operation);
    assert_eq!(seen.load(Ordering::SeqCst), 1013);
}

#[test]
fn a_panic_in_an_operation_completes_it() {
    let work = || std::panic::panic_any("boom");
    let Ok(operation) = echodb_operation::blocking(work) else {
        unreachable!("there are threads");
    };
    // SAFETY: the operation lives until the end of the test; places may be NULL.
    unsafe {
        use super::operation::*;
        assert_eq!(echodb_operation_wait(&operation, -1, null_mut()), ECHODB_OK);
        let status = echodb_operation_result(&operation, null_mut());
        assert_eq!(status, ECHODB_INTERNAL);
    }
}

#[test]
fn a_task_that_panics_completes_its_operation() {
    let Ok(operation) = echodb_operation::waiting(async { std::panic::panic_any("boom") }) else {
        unreachable!("there are threads");
    };
    // SAFETY: the operation lives until the end of the test; places may be NULL.
    unsafe {
        use super::operation::*;
        assert_eq!(echodb_operation_wait(&operation, -1, null_mut()), ECHODB_OK);
        let status = echodb_operation_result(&operation, null_mut());
        assert_eq!(status, ECHODB_INTERNAL);
    }
}
