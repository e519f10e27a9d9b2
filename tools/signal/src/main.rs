//! `echodb-signal`: the signalling server as a program.

use clap::Parser;
use echodb_signal::{Config, Server};
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

/// A signalling server for echo-db: peers meet here, nothing is stored.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on; port 0 takes any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7700")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Before the first line is printed: whoever reads it may stop us at once.
    let shutdown = match shutdown_signal() {
        Ok(shutdown) => shutdown,
        Err(error) => return fail("cannot listen for signals", &error),
    };
    let server = match Server::bind(arguments.listen, Config::default()).await {
        Ok(server) => server,
        Err(error) => return fail(&format!("cannot listen on {}", arguments.listen), &error),
    };
    let mut out = std::io::stdout();
    // A closed standard output is no reason not to serve.
    let _ = writeln!(out, "listening on ws://{}", server.local_addr());
    let _ = out.flush();
    server.run(shutdown).await;
    ExitCode::SUCCESS
}

fn fail(doing: &str, error: &std::io::Error) -> ExitCode {
    eprintln!("echodb-signal: {doing}: {error}");
    ExitCode::FAILURE
}

/// Done when the process is asked to stop.
#[cfg(unix)]
fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Done when the process is asked to stop.
#[cfg(not(unix))]
fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
