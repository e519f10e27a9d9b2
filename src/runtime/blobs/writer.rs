//! Writing a blob, streamed.

use crate::api::BlobInfo;
use crate::model::blob::BlobBuilder;
use crate::model::{Error, Result};
use crate::runtime::node::NodeGuard;
use crate::runtime::space_host::SpaceHost;
use crate::runtime::{clock, executor};
use crate::space::SpaceCore;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes written in one transaction, so that others get at the space between.
const STEP: usize = 1024 * 1024;

/// A blob being written; dropping it gives it up.
pub struct WriterHandle {
    /// Keeps the client open.
    _node: Arc<NodeGuard>,
    host: Arc<SpaceHost>,
    /// The opening of the space that it was begun in: with that, it ends.
    opening: Option<u64>,
    state: Mutex<State>,
}

enum State {
    Open { blob: i64, builder: BlobBuilder },
    Ended(&'static str),
}

impl WriterHandle {
    pub(super) fn new(node: Arc<NodeGuard>, host: Arc<SpaceHost>) -> Result<WriterHandle> {
        WriterHandle::begin(node, host, |core| core.begin_blob())
    }

    /// One for bytes that members wrote before.
    pub fn restoring(node: Arc<NodeGuard>, host: Arc<SpaceHost>) -> Result<WriterHandle> {
        WriterHandle::begin(node, host, |core| core.begin_restored_blob())
    }

    fn begin(
        node: Arc<NodeGuard>,
        host: Arc<SpaceHost>,
        begin: impl FnOnce(&mut SpaceCore) -> Result<i64>,
    ) -> Result<WriterHandle> {
        let opening = host.opening();
        let blob = host.with(begin)?;
        let builder = BlobBuilder::default();
        Ok(WriterHandle {
            _node: node,
            host,
            opening,
            state: Mutex::new(State::Open { blob, builder }),
        })
    }

    /// Runs `work` on the space, unless it was closed since: what was written is given up by then. If
    /// that happens in between, the store knows the blob's number no more.
    fn with<T>(&self, work: impl FnOnce(&mut SpaceCore) -> Result<T>) -> Result<T> {
        if self
            .host
            .opening()
            .is_some_and(|now| self.opening != Some(now))
        {
            return Err(Error::state(
                "the space was closed while this blob was written; begin another one",
            ));
        }
        self.host.with(work)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds bytes. Any failure but `LimitExceeded` ends the writing, for what is stored may not be all.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        let mut state = self.lock();
        let State::Open { blob, builder } = &mut *state else {
            return Err(ended(&state));
        };
        // Asked before anything is taken.
        let size = builder.size().saturating_add(bytes.len() as u64);
        crate::model::blob::BlobShape::new(size)?;
        for step in bytes.chunks(STEP) {
            let mut blocks = Vec::new();
            let written = builder.write(step, &mut blocks).and_then(|()| {
                if blocks.is_empty() {
                    return Ok(());
                }
                self.with(|core| core.add_blocks(*blob, &blocks))
            });
            if let Err(error) = written {
                let blob = *blob;
                *state = State::Ended("failed");
                drop(state);
                self.give_up(blob);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Bytes written so far.
    pub fn size(&self) -> u64 {
        match &*self.lock() {
            State::Open { builder, .. } => builder.size(),
            State::Ended(_) => 0,
        }
    }

    /// Ends the writing and names the blob.
    pub fn finish(&self) -> Result<BlobInfo> {
        let mut state = self.lock();
        let open = std::mem::replace(&mut *state, State::Ended("finished"));
        let State::Open { blob, builder } = open else {
            let error = ended(&open);
            *state = open;
            return Err(error);
        };
        let mut blocks = Vec::new();
        let root = builder.finish(&mut blocks);
        let finished = self.with(|core| core.finish_blob(blob, &blocks, &root, clock::now_ms()));
        match finished {
            Ok(row) => {
                // If the same was here already, one of the two goes.
                sweep(&self.host);
                self.host.fetches().look_again(&self.host, &row.id);
                Ok(super::handle::info(&row))
            }
            Err(error) => {
                *state = State::Ended("failed");
                drop(state);
                self.give_up(blob);
                Err(error)
            }
        }
    }

    /// Gives the blob up; what was written goes. Does nothing after the end.
    pub fn cancel(&self) {
        let mut state = self.lock();
        if let State::Open { blob, .. } = &*state {
            let blob = *blob;
            *state = State::Ended("cancelled");
            drop(state);
            self.give_up(blob);
        }
    }

    fn give_up(&self, blob: i64) {
        give_up(&self.host, blob);
    }
}

/// If the disk refuses, or the space is closed, the next opening removes it.
fn give_up(host: &SpaceHost, blob: i64) {
    if host.with(|core| core.give_up_blob(blob)).is_ok() {
        sweep(host);
    }
}

/// Who removes blobs already removes these too.
fn sweep(host: &SpaceHost) {
    let Some(_alone) = host.fetches().try_sweeping() else {
        return;
    };
    while let Ok(Some(_)) = host.with(|core| core.sweep_blobs()) {}
}

impl Drop for WriterHandle {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let State::Open { blob, .. } = state {
            let (host, blob) = (Arc::clone(&self.host), *blob);
            // May run on any thread, a worker's included: what blocks goes elsewhere.
            if let Ok(handle) = executor::handle() {
                handle.spawn_blocking(move || give_up(&host, blob));
            }
        }
    }
}

fn ended(state: &State) -> Error {
    let how = match state {
        State::Ended(how) => how,
        State::Open { .. } => "open",
    };
    Error::state(format!(
        "the writing of this blob is over ({how}); begin another one"
    ))
}
