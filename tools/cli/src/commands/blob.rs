//! `blob`.

use super::Context;
use crate::blob_args::BlobCommand;
use crate::control::Control;
use crate::event::{Blob, Collected, Done, Event};
use crate::failure::{Failure, Result};
use echodb::Space;
use echodb::model::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often to look whether the command was cancelled, and how far the fetch is.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(super) fn run(context: &mut Context, control: &Control, command: BlobCommand) -> Result<()> {
    match command {
        BlobCommand::Put { space, file } => {
            let space = context.space(&space)?;
            let info = space.put_blob_file(name(&file)?)?;
            context
                .output
                .emit(Event::Blob(Blob::new(&space.id(), info)))
        }
        BlobCommand::Get { space, id, file } => {
            let space = context.space(&space)?;
            space.blob_to_file(id.clone(), name(&file)?)?;
            context.output.emit(Event::Done(Done {
                space: space.id(),
                id: Some(id),
                state: "written".to_owned(),
            }))
        }
        BlobCommand::Info { space, id } => {
            let space = context.space(&space)?;
            info(context, &space, id)
        }
        BlobCommand::Fetch { space, id, timeout } => {
            let space = context.space(&space)?;
            fetch(context, control, &space, id, Duration::from_secs(timeout))
        }
        BlobCommand::Collect { space, grace } => {
            let space = context.space(&space)?;
            let collected = space.collect_blobs(grace)?;
            context.output.emit(Event::Collected(Collected {
                space: space.id(),
                blobs: collected.blobs,
                bytes: collected.bytes,
            }))
        }
    }
}

fn name(file: &Path) -> Result<String> {
    let name = file.to_str().map(str::to_owned);
    name.ok_or_else(|| Failure::usage(format!("{} is not UTF-8", file.display())))
}

fn info(context: &mut Context, space: &Space, id: Option<String>) -> Result<()> {
    let found = match id {
        None => space.blobs()?,
        Some(id) => vec![space.blob_info(id.clone())?.ok_or_else(|| {
            let detail = format!("nothing of the blob {id} is here");
            Failure::new(ErrorKind::NotFound, detail)
        })?],
    };
    for info in found {
        context
            .output
            .emit(Event::Blob(Blob::new(&space.id(), info)))?;
    }
    Ok(())
}

fn fetch(
    context: &mut Context,
    control: &Control,
    space: &Space,
    id: String,
    timeout: Duration,
) -> Result<()> {
    let fetch = space.fetch_blob(id.clone())?;
    let start = Instant::now();
    let mut told = 0;
    loop {
        let left = timeout.saturating_sub(start.elapsed());
        match fetch.wait(Some(left.min(LOOK_EVERY))) {
            Ok(_) => return info(context, space, Some(id)),
            Err(error) => {
                let progress = fetch.progress();
                let over = progress.state != echodb::BlobFetchState::Fetching;
                if control.is_cancelled() && !over {
                    fetch.cancel();
                    return Err(Failure::cancelled());
                }
                if over || left.is_zero() {
                    fetch.cancel();
                    return Err(error.into());
                }
                if progress.received > told {
                    told = progress.received;
                    let total = progress.total.unwrap_or(told);
                    let text = format!("{told} of {total} bytes");
                    context.output.emit(Event::Progress(text))?;
                }
            }
        }
    }
}
