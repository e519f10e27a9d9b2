//! One client's connection, from the WebSocket handshake to the goodbye.

use crate::bucket::Bucket;
use crate::config::{STRIKES, WRITE_TIME};
use crate::protocol::{ClientFrame, Code, ServerFrame, VERSION};
use crate::registry::{Outbox, OutboxReader, Presence, Registry, Signals, outbox};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as WsError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config};

type Socket = WebSocketStream<TcpStream>;

/// How a connection ends.
enum End {
    /// The client left, or its connection broke.
    Gone,
    /// We send it away.
    Refused(Code, String),
}

/// Serves one connection until it ends or `stop` turns true.
pub(crate) async fn serve(
    stream: TcpStream,
    registry: Arc<Registry>,
    mut stop: watch::Receiver<bool>,
    refusal: Option<Code>,
) {
    let handshake = timeout(registry.config.hello_time, handshake(stream, &registry));
    let Ok(Some(socket)) = handshake.await else {
        return;
    };
    let (mut sink, source) = socket.split();
    if let Some(code) = refusal {
        return say_goodbye(&mut sink, code, "try again later").await;
    }
    let (outbox, reader) = outbox();
    let signals = outbox.signals.clone();
    // Reading and writing proceed side by side: a client that stops reading is still heard.
    let end = tokio::select! {
        end = read(source, &registry, &outbox) => end,
        end = write(&mut sink, reader, &registry, &signals) => end,
        () = signals.overrun.notified() => {
            End::Refused(Code::SlowConsumer, "frames are not read".into())
        }
        _ = stop.wait_for(|stop| *stop) => {
            End::Refused(Code::ShuttingDown, "the server stops".into())
        }
    };
    if let End::Refused(code, detail) = end {
        say_goodbye(&mut sink, code, &detail).await;
    }
}

async fn handshake(stream: TcpStream, registry: &Registry) -> Option<Socket> {
    // Set-up messages are small and urgent.
    let _ = stream.set_nodelay(true);
    let limit = registry.config.frame_bytes;
    let config = WebSocketConfig::default()
        .read_buffer_size(8 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(limit))
        .max_frame_size(Some(limit));
    accept_async_with_config(stream, Some(config)).await.ok()
}

async fn say_goodbye(sink: &mut SplitSink<Socket, Message>, code: Code, detail: &str) {
    let close = CloseFrame {
        code: match code {
            Code::ShuttingDown => CloseCode::Away,
            Code::FrameTooLarge => CloseCode::Size,
            Code::TooManyConnections | Code::TooManyFromAddress => CloseCode::Again,
            _ => CloseCode::Policy,
        },
        reason: "".into(),
    };
    let farewell = async {
        let error = ServerFrame::error(code, detail).text();
        sink.send(Message::text(error)).await?;
        sink.send(Message::Close(Some(close))).await
    };
    // Whoever does not take the farewell goes without.
    let _ = timeout(std::time::Duration::from_secs(1), farewell).await;
}

/// Writes what the outbox holds, pings, and watches over the connection's life.
async fn write(
    sink: &mut SplitSink<Socket, Message>,
    mut reader: OutboxReader,
    registry: &Registry,
    signals: &Signals,
) -> End {
    let every = registry.config.ping_every;
    let mut pings = interval_at(Instant::now() + every, every);
    loop {
        let message = tokio::select! {
            text = reader.next() => match text {
                Some(text) => Message::text(text),
                None => return End::Gone,
            },
            _ = pings.tick() => Message::Ping(Bytes::new()),
            () = signals.ping.notified() => Message::Ping(Bytes::new()),
        };
        match timeout(WRITE_TIME, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return End::Gone,
        }
    }
}

/// What reading keeps in mind.
struct Reader<'a> {
    registry: &'a Arc<Registry>,
    outbox: &'a Outbox,
    presence: Option<Presence>,
    frames: Bucket,
    bytes: Bucket,
    strikes: u32,
    /// When the connection is given up unless something arrives.
    deadline: Instant,
}

async fn read(mut source: SplitStream<Socket>, registry: &Arc<Registry>, outbox: &Outbox) -> End {
    let config = &registry.config;
    let mut reader = Reader {
        registry,
        outbox,
        presence: None,
        frames: Bucket::new(config.frames_per_second, config.frames_burst),
        bytes: Bucket::new(config.bytes_per_second, config.bytes_burst),
        strikes: 0,
        deadline: Instant::now() + config.hello_time,
    };
    loop {
        tokio::select! {
            message = source.next() => {
                if let Err(end) = reader.on_message(message) {
                    return end;
                }
            }
            () = sleep_until(reader.deadline) => return reader.on_deadline(),
            () = outbox.signals.prove.notified() => {
                let proof_by = Instant::now() + config.probe_time;
                reader.deadline = reader.deadline.min(proof_by);
            }
        }
    }
}

impl Reader<'_> {
    fn on_deadline(&self) -> End {
        if self.presence.is_some() {
            return End::Gone;
        }
        End::Refused(Code::HelloTimeout, "no hello came".into())
    }

    fn on_message(&mut self, message: Option<Result<Message, WsError>>) -> Result<(), End> {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(WsError::Capacity(CapacityError::MessageTooLong { .. }))) => {
                let detail = format!("at most {} bytes", self.registry.config.frame_bytes);
                return Err(End::Refused(Code::FrameTooLarge, detail));
            }
            Some(Err(_)) | None => return Err(End::Gone),
        };
        if self.presence.is_some() {
            self.deadline = Instant::now() + self.registry.config.silence;
        }
        // Pings count like frames: they cost an answer each.
        if !self.frames.take(1) || !self.bytes.take(message.len()) {
            return self.refuse(Code::RateLimited, "too much at once");
        }
        match message {
            Message::Text(text) => self.on_text(&text),
            Message::Close(_) => Err(End::Gone),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Binary(_) | Message::Frame(_) => {
                self.refuse(Code::BadFrame, "only text frames are read")
            }
        }
    }

    fn on_text(&mut self, text: &str) -> Result<(), End> {
        let frame = match ClientFrame::parse(text) {
            Ok(frame) => frame,
            Err(detail) => return self.refuse(Code::BadFrame, &detail),
        };
        let Some(presence) = &mut self.presence else {
            return self.on_hello(frame);
        };
        let (outcome, detail) = match frame {
            ClientFrame::Hello { .. } => (Err(Code::HelloExpected), "one hello is enough".into()),
            ClientFrame::Join { topic } => (presence.join(&topic), topic),
            ClientFrame::Leave { topic } => {
                presence.leave(&topic);
                return Ok(());
            }
            ClientFrame::Send { topic, to, data } => {
                let outcome = presence.send(topic, &to, data);
                // That a peer has just left is nobody's fault: no strike.
                if outcome == Err(Code::NoSuchPeer) {
                    self.outbox.push(&ServerFrame::error(Code::NoSuchPeer, to));
                    return Ok(());
                }
                (outcome, to)
            }
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(code) => self.refuse(code, &detail),
        }
    }

    fn on_hello(&mut self, frame: ClientFrame) -> Result<(), End> {
        let ClientFrame::Hello { v, peer } = frame else {
            let detail = "the first frame must be a hello".into();
            return Err(End::Refused(Code::HelloExpected, detail));
        };
        if v != VERSION {
            let detail = format!("this server speaks version {VERSION}");
            return Err(End::Refused(Code::UnsupportedVersion, detail));
        }
        match self.registry.enter(peer, self.outbox) {
            Ok(presence) => {
                self.presence = Some(presence);
                self.deadline = Instant::now() + self.registry.config.silence;
                self.outbox.push(&ServerFrame::Welcome);
                Ok(())
            }
            Err(code) => Err(End::Refused(code, "the peer id is in use".into())),
        }
    }

    /// Answers with an error; whoever collects too many is sent away.
    fn refuse(&mut self, code: Code, detail: &str) -> Result<(), End> {
        self.strikes += 1;
        if self.strikes >= STRIKES {
            return Err(End::Refused(code, "too many refused frames".into()));
        }
        self.outbox.push(&ServerFrame::error(code, detail));
        Ok(())
    }
}
