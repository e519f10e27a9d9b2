//! Containing panics of libraries. Automerge unwraps values that hostile bytes control, the validator
//! of schemas meets what a stranger wrote: every call that such bytes can reach runs in here. A panic
//! becomes an error, and what it happened in is thrown away, or was only read.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Whether a panic on this thread is expected and about to be caught.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic in it becomes `Err` with the panic's message, and prints nothing.
///
/// `AssertUnwindSafe` is sound here because every caller only reads what `work` uses, or marks it as
/// unusable before it can be looked at again.
pub fn contain<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    silence_contained_panics();
    let outer = CONTAINED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(outer);
    outcome.map_err(|payload| message(payload.as_ref()))
}

/// Puts a hook in front of the program's own that keeps contained panics off standard error. Hooks
/// are global to the process, hence once, and every other thread's panics go where they went.
fn silence_contained_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // During thread teardown the flag may be gone; then the panic is not a contained one.
            if !CONTAINED.try_with(Cell::get).unwrap_or(false) {
                previous(info);
            }
        }));
    });
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "no message",
    };
    // Some messages quote whole values.
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        let text = contain(|| -> () { panic!("number {}", 7) }).unwrap_err();
        assert_eq!(text, "number 7");
        assert_eq!(contain(|| 3), Ok(3));
        assert!(!CONTAINED.get());
    }

    #[test]
    fn containment_nests() {
        let inner = contain(|| {
            let _ = contain(|| -> () { panic!("inner") });
            CONTAINED.get()
        });
        assert_eq!(inner, Ok(true));
    }
}
