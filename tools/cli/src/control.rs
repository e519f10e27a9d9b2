//! What reaches a command while it runs: library events, answers of the user, cancellation. One
//! bounded queue holds them all, so that a command waits in one place.

use echodb::{ChangeBatch, InvitationUpdate, LiveBatch};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Notes that may wait. A full queue makes the library's listener wait, which gathers changes
/// meanwhile; memory stays bounded.
const WAITING: usize = 64;

/// Something that happened.
#[derive(Debug)]
pub enum Note {
    /// Objects changed.
    Changes(ChangeBatch),
    /// The results of a query changed.
    Live(LiveBatch),
    /// An invitation moved on.
    Invitation(InvitationUpdate),
    /// The user entered a line; `None` when there will be no more.
    Answer(Option<String>),
    /// Look whether the command was cancelled.
    Wake,
}

/// The sending side; any thread may have one.
#[derive(Clone)]
pub struct Notifier {
    sender: SyncSender<Note>,
    cancelled: Arc<AtomicBool>,
}

impl Notifier {
    /// Sends a note, waiting while the queue is full. `false` when the command is over.
    pub fn send(&self, note: Note) -> bool {
        self.sender.send(note).is_ok()
    }

    /// Cancels the command. Does not wait: when the queue is full, the command is about to look.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        let _ = self.sender.try_send(Note::Wake);
    }
}

/// The command's side.
pub struct Control {
    receiver: Receiver<Note>,
    notifier: Notifier,
}

impl Control {
    /// An empty queue.
    pub fn new() -> Self {
        let (sender, receiver) = sync_channel(WAITING);
        let cancelled = Arc::new(AtomicBool::new(false));
        Control {
            receiver,
            notifier: Notifier { sender, cancelled },
        }
    }

    /// A sending side.
    pub fn notifier(&self) -> Notifier {
        self.notifier.clone()
    }

    /// Whether the user wants the command to end.
    pub fn is_cancelled(&self) -> bool {
        self.notifier.cancelled.load(Ordering::Acquire)
    }

    /// The next note; `None` once the command is cancelled.
    pub fn wait(&self) -> Option<Note> {
        if self.is_cancelled() {
            return None;
        }
        let note = self.receiver.recv().ok()?;
        (!self.is_cancelled()).then_some(note)
    }

    /// Waits for `duration`, or less if the command is cancelled. `false` if it was.
    pub fn pause(&self, duration: Duration) -> bool {
        let end = std::time::Instant::now() + duration;
        while !self.is_cancelled() {
            let left = end.saturating_duration_since(std::time::Instant::now());
            match self.receiver.recv_timeout(left) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancelling_ends_the_wait_even_when_the_queue_is_full() {
        let control = Control::new();
        let notifier = control.notifier();
        for _ in 0..WAITING {
            assert!(notifier.send(Note::Wake));
        }
        notifier.cancel();
        assert!(control.wait().is_none());
        assert!(!control.pause(Duration::from_secs(60)));
    }

    #[test]
    fn a_sender_learns_that_the_command_is_over() {
        let control = Control::new();
        let notifier = control.notifier();
        drop(control);
        assert!(!notifier.send(Note::Wake));
    }
}
