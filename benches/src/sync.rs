//! Bringing 10,000 objects to a fresh peer.

use crate::Setting;
use crate::bare;
use crate::create::{self, OBJECTS, fill, open_online, space_file};
use crate::peers::{Guest, PATIENCE};
use crate::result::{Outcome, Row, time};
use automerge::{AutoCommit, Change};
use echodb::{InviteOptions, Space};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// `sync_10k_fresh` and `sync_10k_bytes`.
pub fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let signal = Signal::start()?;
    let folder = tempfile::tempdir()?;
    let client = open_online(folder.path(), &signal.url)?;
    client.create_identity("Bench".into())?;
    let space = client.create_space("{}".into())?;
    fill(&space)?;
    let gzip = gzipped(&space)?;
    let runs = if setting.quick { 1 } else { 3 };
    let (mut times, mut bounds, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        let fresh = tempfile::tempdir()?;
        let (mut guest, start) = invite(&space, fresh.path(), &signal.url)?;
        guest.say(&format!("hold {OBJECTS}"))?;
        let digest = guest.hear()?;
        times.push(crate::result::millis(start.elapsed()));
        if digest != space.digest()? {
            return Err("the digests differ".into());
        }
        guest.say("bytes")?;
        let bytes: usize = guest.hear()?.parse()?;
        guest.say("end")?;
        #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
        sizes.push(bytes as f64);
        let bare = bare::measure(bytes)?;
        bounds.push(bare.carried + applying(folder.path())?);
    }
    client.shutdown()?;
    let what = "a bare data channel carrying the same bytes, and Automerge applying them";
    Ok(vec![
        Row::new("sync_10k_fresh", "ms", &times, what, &bounds),
        Row::new(
            "sync_10k_bytes",
            "bytes",
            &sizes,
            "gzip of the JSON",
            &[gzip],
        ),
    ])
}

/// Lets a guest process in; the clock starts when it is about to be authenticated.
pub fn invite(space: &Arc<Space>, profile: &Path, signal: &str) -> Outcome<(Guest, Instant)> {
    let hosting = space.invite(InviteOptions::default())?;
    let profile = profile.display().to_string();
    let mut guest = Guest::start(&["join", &profile, signal, &hosting.code()])?;
    guest.hear()?;
    let deadline = Instant::now() + PATIENCE;
    let code = loop {
        if let Some(code) = hosting.update().auth_code {
            break code;
        }
        if Instant::now() > deadline {
            return Err("the host showed no code".into());
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let start = Instant::now();
    guest.say(&code)?;
    Ok((guest, start))
}

fn gzipped(space: &Space) -> Outcome<f64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&space.query_json("{}".into())?)?;
    #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
    Ok(encoder.finish()?.len() as f64)
}

/// Automerge applying the changes of all documents.
fn applying(profile: &Path) -> Outcome<f64> {
    let connection = echodb::bench_internals::inspect(&space_file(profile)?)?;
    let changes = create::changes(&connection)?;
    let (applied, elapsed) = time(|| {
        let mut applied = 0;
        for bytes in changes {
            let mut document = AutoCommit::new();
            document.apply_changes([Change::from_bytes(bytes)?])?;
            applied += document.get_heads().len();
        }
        Ok(applied)
    })?;
    match applied >= OBJECTS {
        true => Ok(elapsed),
        false => Err("not every change applied".into()),
    }
}

/// A signalling server in this process.
pub struct Signal {
    /// Its URL.
    pub url: String,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Signal {
    /// Starts one on a free port of the loopback interface; it ends with the value.
    pub fn start() -> Outcome<Signal> {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::spawn(move || {
            runtime.block_on(async {
                let address = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
                let config = echodb_signal::Config::default();
                let Ok(server) = echodb_signal::Server::bind(address, config).await else {
                    return;
                };
                let _ = tell.send(server.local_addr());
                server
                    .run(async {
                        let _ = stopped.await;
                    })
                    .await;
            });
        });
        let address = told.recv()?;
        Ok(Signal {
            url: format!("ws://{address}"),
            _stop: stop,
        })
    }
}
