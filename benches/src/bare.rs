//! The bound of what crosses the network: a WebRTC data channel between two processes, with nothing
//! of this library's protocol on it.

use crate::peers::{Guest, answer};
use crate::result::{Outcome, median, millis};
use bytes::Bytes;
use data_encoding::BASE64;
use echodb::bench_internals::{
    Link, LinkRole, SignalChannel, SignalPayload, Transport, WebRtcOptions, WebRtcTransport,
};
use std::sync::Arc;
use std::time::Instant;

/// Bytes in a frame.
const FRAME: usize = 60 * 1024;
/// Round trips measured.
const PINGS: usize = 300;

/// What a bare channel takes.
pub struct Bare {
    /// The median round trip of a small message, in milliseconds.
    pub round_trip: f64,
    /// The time for the bytes asked for, in milliseconds.
    pub carried: f64,
}

/// Measures a bare channel that carries `bytes`.
pub fn measure(bytes: usize) -> Outcome<Bare> {
    runtime()?.block_on(async {
        let mut guest = Guest::start(&["bare"])?;
        let link = near_end(&mut guest).await?;
        let mut trips = Vec::with_capacity(PINGS);
        for _ in 0..PINGS {
            let start = Instant::now();
            link.send(Bytes::from_static(b"ping")).await?;
            link.recv().await.ok_or("the channel closed")?;
            trips.push(millis(start.elapsed()));
        }
        let start = Instant::now();
        let mut left = bytes;
        while left > 0 {
            let size = left.min(FRAME);
            link.send(Bytes::from(vec![7; size.max(8)])).await?;
            left -= size;
        }
        link.send(Bytes::from_static(b"end")).await?;
        link.recv().await.ok_or("the channel closed")?;
        let carried = millis(start.elapsed());
        link.close().await;
        Ok(Bare {
            round_trip: median(&trips),
            carried,
        })
    })
}

/// The time until a channel between two ends in this process is open, in milliseconds.
pub fn set_up() -> Outcome<f64> {
    runtime()?.block_on(async {
        let (ours, mut to_us) = SignalChannel::pair();
        let (theirs, mut to_them) = SignalChannel::pair();
        let (near, far) = (transport()?, transport()?);
        let start = Instant::now();
        let near = tokio::spawn(async move { near.connect(LinkRole::Offerer, ours).await });
        let far = tokio::spawn(async move { far.connect(LinkRole::Answerer, theirs).await });
        let passing = tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(payload) = to_us.incoming.recv() => {
                        if to_them.outgoing.send(payload).await.is_err() {
                            return;
                        }
                    }
                    Some(payload) = to_them.incoming.recv() => {
                        if to_us.outgoing.send(payload).await.is_err() {
                            return;
                        }
                    }
                    else => return,
                }
            }
        });
        let (near, far) = (near.await??, far.await??);
        let taken = millis(start.elapsed());
        passing.abort();
        near.close().await;
        far.close().await;
        Ok(taken)
    })
}

fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

fn transport() -> Outcome<WebRtcTransport> {
    Ok(WebRtcTransport::new(WebRtcOptions {
        bind_addresses: vec!["127.0.0.1:0".parse()?],
        ..WebRtcOptions::default()
    }))
}

/// Offers; set-up messages travel over the guest's standard streams. Each side gathers all its
/// candidates into one description, so one message each way is enough.
async fn near_end(guest: &mut Guest) -> Outcome<Arc<dyn Link>> {
    let (ours, mut wire) = SignalChannel::pair();
    let transport = transport()?;
    let connecting = tokio::spawn(async move { transport.connect(LinkRole::Offerer, ours).await });
    loop {
        let payload = wire.incoming.recv().await.ok_or("no offer was made")?;
        guest.say(&BASE64.encode(&payload.encode()))?;
        if matches!(payload, SignalPayload::Offer(_)) {
            break;
        }
    }
    let line = guest.hear()?;
    let payload = SignalPayload::decode(&BASE64.decode(line.as_bytes())?)?;
    wire.outgoing.send(payload).await?;
    Ok(connecting.await??)
}

/// The other end: echoes small messages and confirms the end of large ones.
pub fn far_end() -> Outcome<()> {
    runtime()?.block_on(async {
        let (ours, mut wire) = SignalChannel::pair();
        let transport = transport()?;
        let connecting =
            tokio::spawn(async move { transport.connect(LinkRole::Answerer, ours).await });
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        let payload = SignalPayload::decode(&BASE64.decode(line.trim().as_bytes())?)?;
        wire.outgoing.send(payload).await?;
        let payload = wire.incoming.recv().await.ok_or("no answer was made")?;
        answer(&BASE64.encode(&payload.encode()))?;
        let link = connecting.await??;
        while let Some(frame) = link.recv().await {
            if frame.len() < 8 {
                link.send(frame).await?;
            }
        }
        Ok(())
    })
}
