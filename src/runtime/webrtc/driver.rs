//! The runtime handed to each peer connection. It is Tokio, but for three things:
//!
//! 1. UDP sockets get large buffers. With the system's default a burst overflows, and SCTP then
//!    crawls from one retransmission timer to the next.
//! 2. The driver of the crate sleeps after writes, events and reads, in this order, so that output
//!    produced late in a pass waits for the next timer, up to 200 ms. Each datagram and each local
//!    send therefore cuts the driver's next two sleeps short: one pass to produce, one to flush.
//! 3. The end of the driver's task is noticed even if it panics; the crate itself would leave
//!    readers waiting for ever.

use super::handler::Ended;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

/// Wanted size of a socket's buffers, in bytes; systems may grant less.
const SOCKET_BUFFER: usize = 2 * 1024 * 1024;
/// Passes the driver takes without sleep after something happened.
const PASSES: u32 = 2;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps one connection's driver awake. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Nudge {
    passes: Arc<AtomicU32>,
    /// The driver's task: only its sleeps are cut short.
    driver: Arc<OnceLock<tokio::task::Id>>,
}

impl Nudge {
    /// Lets the driver's next sleeps end at once.
    pub(super) fn wake(&self) {
        self.passes.store(PASSES, Ordering::Release);
    }

    fn skips_sleep(&self) -> bool {
        let task = tokio::task::try_id();
        if task.is_none() || self.driver.get().copied() != task {
            return false;
        }
        self.passes
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| n.checked_sub(1))
            .is_ok()
    }
}

/// The runtime of one peer connection.
pub(super) struct DriverRuntime {
    tokio: TokioRuntime,
    nudge: Nudge,
    ended: Ended,
    /// Whether the driver, always the first task, was spawned.
    has_driver: AtomicBool,
}

impl DriverRuntime {
    pub(super) fn new(nudge: Nudge, ended: Ended) -> Self {
        DriverRuntime {
            tokio: TokioRuntime,
            nudge,
            ended,
            has_driver: AtomicBool::new(false),
        }
    }
}

impl fmt::Debug for DriverRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DriverRuntime")
    }
}

/// Ends the connection when the driver's task is over, however it ended.
struct EndOnDrop(Ended);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.set("the connection's driver stopped");
    }
}

impl Runtime for DriverRuntime {
    fn spawn(&self, future: BoxFuture<'static, ()>) -> Box<dyn JoinHandle> {
        if self.has_driver.swap(true, Ordering::AcqRel) {
            return self.tokio.spawn(future);
        }
        let driver = self.nudge.driver.clone();
        let end = EndOnDrop(self.ended.clone());
        self.tokio.spawn(Box::pin(async move {
            let _end = end;
            let _ = driver.set(tokio::task::id());
            future.await;
        }))
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let options = socket2::SockRef::from(&socket);
        // Smaller buffers cost speed, not correctness.
        let _ = options.set_recv_buffer_size(SOCKET_BUFFER);
        let _ = options.set_send_buffer_size(SOCKET_BUFFER);
        Ok(Arc::new(NudgingSocket {
            socket: self.tokio.wrap_udp_socket(socket)?,
            nudge: self.nudge.clone(),
        }))
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.tokio.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> BoxFuture<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        self.tokio.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        self.tokio.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        if self.nudge.skips_sleep() {
            return Box::pin(std::future::ready(()));
        }
        self.tokio.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.tokio.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.tokio.block_on(future);
    }

    fn name(&self) -> &'static str {
        "echo-db"
    }
}

/// A socket that wakes the driver for each datagram.
struct NudgingSocket {
    socket: Arc<dyn AsyncUdpSocket>,
    nudge: Nudge,
}

impl fmt::Debug for NudgingSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}

impl AsyncUdpSocket for NudgingSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        self.socket.poll_send(cx, transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let polled = self.socket.poll_recv(cx, buffers, meta);
        if polled.is_ready() {
            self.nudge.wake();
        }
        polled
    }

    fn max_gso_segments(&self) -> usize {
        self.socket.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.socket.max_gro_segments()
    }
}
