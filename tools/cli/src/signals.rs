//! Ctrl-C and friends, for commands that end in good order.

use crate::failure::{Failure, Result};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// The exit code of a process that a second Ctrl-C ended, as shells have it.
const INTERRUPTED: i32 = 130;

/// Calls `interrupted` at the first SIGINT, SIGTERM or SIGHUP; a second one ends the process at
/// once, which loses nothing that was committed. Without this, the first one does.
pub fn on_interrupt(interrupted: impl FnOnce() + Send + 'static) -> Result<()> {
    let fail = |error| Failure::storage("signal handlers", error);
    let runtime = Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(fail)?;
    let guard = runtime.enter();
    let mut int = signal(SignalKind::interrupt()).map_err(fail)?;
    let mut term = signal(SignalKind::terminate()).map_err(fail)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(fail)?;
    drop(guard);
    let wait = async move {
        let mut interrupted = Some(interrupted);
        loop {
            std::future::poll_fn(|context| {
                // No `||`: each must be polled to be woken by it.
                let ready = [&mut int, &mut term, &mut hangup]
                    .map(|signal| signal.poll_recv(context).is_ready());
                match ready.contains(&true) {
                    true => std::task::Poll::Ready(()),
                    false => std::task::Poll::Pending,
                }
            })
            .await;
            match interrupted.take() {
                Some(interrupted) => interrupted(),
                None => std::process::exit(INTERRUPTED),
            }
        }
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(wait))
        .map_err(fail)?;
    Ok(())
}
