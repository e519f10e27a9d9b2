//! The server: a listener and a task for each connection.

use crate::config::Config;
use crate::connection;
use crate::registry::Registry;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections beyond the quota that are told so at one time; further ones are just dropped.
const REFUSALS_AT_ONCE: usize = 64;
/// Time that open connections have to end when the server stops.
const STOP_TIME: Duration = Duration::from_secs(3);
/// Pause after a failed accept: it mostly means that file descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound signalling server.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    registry: Arc<Registry>,
}

impl Server {
    /// Binds `address`, port 0 for any.
    pub async fn bind(address: impl ToSocketAddrs, config: Config) -> io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Server {
            listener,
            address,
            registry: Arc::new(Registry::new(config)),
        })
    }

    /// The bound address.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is done, then closes every connection and returns.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let stop = watch::Sender::new(false);
        let mut connections = JoinSet::new();
        let mut refusals = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, from)) => {
                        self.start(stream, from, &stop, &mut connections, &mut refusals);
                    }
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
                Some(_) = refusals.join_next() => {}
            }
        }
        drop(self.listener);
        stop.send_replace(true);
        // Whoever has not ended by then is cut off with the sets.
        let _ = timeout(STOP_TIME, async {
            while connections.join_next().await.is_some() {}
        })
        .await;
    }

    fn start(
        &self,
        stream: TcpStream,
        from: SocketAddr,
        stop: &watch::Sender<bool>,
        connections: &mut JoinSet<()>,
        refusals: &mut JoinSet<()>,
    ) {
        let registry = self.registry.clone();
        let stop = stop.subscribe();
        match registry.admit(from.ip().to_canonical()) {
            Ok(admission) => {
                connections.spawn(async move {
                    let _admission = admission;
                    connection::serve(stream, registry, stop, None).await;
                });
            }
            Err(code) if refusals.len() < REFUSALS_AT_ONCE => {
                refusals.spawn(connection::serve(stream, registry, stop, Some(code)));
            }
            Err(_) => {}
        }
    }
}
