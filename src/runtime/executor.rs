//! The library's own threads: one tokio runtime a process, made on first use and shared by all
//! clients, so that a program that opens two clients does not get two sets of threads.

use crate::model::{Error, ErrorKind, Result};
use once_cell::sync::OnceCell;
use std::future::Future;
use tokio::runtime::{Builder, Handle, Runtime};

static RUNTIME: OnceCell<Runtime> = OnceCell::new();

/// The runtime's handle; fails if the system grants no threads.
pub fn handle() -> Result<Handle> {
    RUNTIME
        .get_or_try_init(|| {
            Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("echodb")
                .enable_all()
                .build()
        })
        .map(|runtime| runtime.handle().clone())
        .map_err(|e| Error::new(ErrorKind::Internal, format!("no threads to be had: {e}")))
}

/// Has the runtime made beside whoever calls, who will need it but has something to do before.
pub fn prepare() {
    if RUNTIME.get().is_none() {
        // Without another thread it is made when it is needed.
        let beside = std::thread::Builder::new().name("echodb-start".into());
        let _ = beside.spawn(|| handle().map(drop));
    }
}

/// Runs blocking work on a thread of the pool. The work is finished even if the returned future
/// is dropped, so that a cancelled call never half-applies.
#[cfg(feature = "bindings")]
pub async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    handle()?
        .spawn_blocking(work)
        .await
        .map_err(|e| Error::internal(format!("the call did not finish: {e}")))
}

/// Waits on the calling thread for a future that runs on the library's own. The caller may be any
/// thread, even one inside another runtime: it is simply blocked.
pub fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Result<T> {
    let (tell, told) = std::sync::mpsc::channel();
    handle()?.spawn(async move {
        // A caller that no longer waits is no concern of the work.
        let _ = tell.send(future.await);
    });
    told.recv()
        .map_err(|_| Error::internal("the library's threads ended"))
}

/// Runs blocking work within a task of this runtime, handing the worker's other tasks to another
/// thread meanwhile.
pub fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}
