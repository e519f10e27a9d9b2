//! `credential`.

use super::{Context, identity};
use crate::credential_args::CredentialCommand;
use crate::credential_event::{CredentialCode, CredentialEvent, Removed};
use crate::event::Event;
use crate::failure::{Failure, Result};
use crate::output::Output;
use echodb::model::limits;
use echodb::{VerifiedPresentation, credential_code};

/// Runs a command that needs a profile.
pub(super) fn run(context: &mut Context, command: CredentialCommand) -> Result<()> {
    if command.is_offline() {
        return offline(context.output, command);
    }
    if context.client.identity().is_none() {
        return Err(identity::no_identity());
    }
    match command {
        CredentialCommand::List => {
            for credential in context.client.credentials()? {
                told(context.output, credential)?;
            }
            Ok(())
        }
        CredentialCommand::Export { id } => {
            let bytes = context.client.export_credential(id)?;
            code(context.output, bytes)
        }
        CredentialCommand::Present {
            ids,
            nonce,
            audience,
        } => {
            let client = context.client;
            let bytes = client.present_credentials(ids, hex(&nonce)?, audience)?;
            code(context.output, bytes)
        }
        CredentialCommand::Verify {
            code,
            nonce,
            audience,
            ..
        } => {
            let shown = given(context.output, code)?;
            let client = context.client;
            let found = client.verify_presentation(shown, hex(&nonce)?, audience, None)?;
            presentation(context.output, found)
        }
        CredentialCommand::Issue {
            subject,
            type_name,
            claims,
            expires_ms,
        } => {
            let claims = context.json(claims)?;
            let client = context.client;
            let issued = client.issue_credential(subject, type_name, claims, expires_ms)?;
            told(context.output, issued)
        }
        CredentialCommand::Import { code } => {
            let bytes = given(context.output, code)?;
            told(context.output, context.client.import_credential(bytes)?)
        }
        CredentialCommand::Remove { id } => {
            context.client.remove_credential(id.clone())?;
            let state = "removed".to_owned();
            let removed = CredentialEvent::Removed(Removed { id, state });
            context.output.emit(Event::Credential(removed))
        }
        CredentialCommand::Read { .. } => offline(context.output, command),
    }
}

/// Runs a command that needs no profile.
pub fn offline(output: &mut dyn Output, command: CredentialCommand) -> Result<()> {
    match command {
        CredentialCommand::Read { code } => {
            let bytes = given(output, code)?;
            told(output, echodb::read_credential(bytes, None)?)
        }
        CredentialCommand::Verify {
            code,
            nonce,
            audience,
            ..
        } => {
            let shown = given(output, code)?;
            let found = echodb::verify_presentation(shown, hex(&nonce)?, audience, None)?;
            presentation(output, found)
        }
        _ => Err(Failure::usage("it needs a profile")),
    }
}

fn told(output: &mut dyn Output, credential: echodb::CredentialInfo) -> Result<()> {
    let credential = CredentialEvent::Credential(Box::new(credential.into()));
    output.emit(Event::Credential(credential))
}

fn presentation(output: &mut dyn Output, found: VerifiedPresentation) -> Result<()> {
    let found = CredentialEvent::Presentation(found.into());
    output.emit(Event::Credential(found))
}

fn code(output: &mut dyn Output, bytes: Vec<u8>) -> Result<()> {
    let code = credential_code(bytes)?;
    let code = CredentialEvent::Code(CredentialCode { code });
    output.emit(Event::Credential(code))
}

/// What the user gave: itself, or standard input.
fn given(output: &mut dyn Output, code: String) -> Result<Vec<u8>> {
    match code.as_str() {
        "-" => output.read(limits::PRESENTATION_BYTES * 2),
        _ => Ok(code.into_bytes()),
    }
}

fn hex(text: &str) -> Result<Vec<u8>> {
    let wrong = || Failure::usage("a nonce is 16 to 64 bytes, in hexadecimal");
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2));
    let pairs = digits.ok_or_else(wrong)?;
    Ok(pairs
        .chunks(2)
        .map(|pair| pair.iter().fold(0u8, |byte, digit| (byte << 4) | *digit))
        .collect())
}
