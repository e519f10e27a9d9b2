//! Passphrases: on the command line's options, from the environment, from a file descriptor, or typed
//! on the terminal, where they do not show. Never as an argument, which every user of the machine
//! may see.

use crate::failure::{Failure, Result};
use clap::Subcommand;
use echodb::model::ErrorKind;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::Read;
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, RawFd};
use zeroize::Zeroize;

/// Holds the profile's passphrase.
const PRESENT: &str = "ECHODB_PASSPHRASE";
/// Holds the one that `passphrase set` and `passphrase change` give it.
const NEW: &str = "ECHODB_NEW_PASSPHRASE";
/// More than any passphrase has.
const LONGEST: u64 = 4096;

/// Text that is in no output, and wiped when it is done with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A copy, for the library, which wipes it.
    pub fn text(&self) -> String {
        self.0.clone()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// What may be done about the passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassphraseCommand {
    /// Protects the profile, whose key is in a file until then, with a passphrase
    Set {
        #[arg(skip)]
        #[doc(hidden)]
        new: Option<Secret>,
    },
    /// Changes the passphrase
    Change {
        #[arg(skip)]
        #[doc(hidden)]
        old: Option<Secret>,
        #[arg(skip)]
        #[doc(hidden)]
        new: Option<Secret>,
    },
    /// Takes the passphrase away: the key is in a file from then on
    Remove {
        #[arg(skip)]
        #[doc(hidden)]
        old: Option<Secret>,
    },
}

impl PassphraseCommand {
    /// Gets what it needs, which only the process at the terminal can; `given` is the present
    /// passphrase, if it was given.
    pub fn fill(&mut self, given: Option<&Secret>) -> Result<()> {
        let present = || match given {
            Some(given) => Ok(given.clone()),
            None => ask("Present passphrase: "),
        };
        match self {
            PassphraseCommand::Set { new } => *new = Some(new_one()?),
            PassphraseCommand::Change { old, new } => {
                *old = Some(present()?);
                *new = Some(new_one()?);
            }
            PassphraseCommand::Remove { old } => *old = Some(present()?),
        }
        Ok(())
    }
}

/// The profile's passphrase, if it was given.
pub fn given(descriptor: Option<RawFd>) -> Result<Option<Secret>> {
    match descriptor {
        Some(descriptor) => from_descriptor(descriptor).map(Some),
        None => from_environment(PRESENT),
    }
}

/// Asks for the profile's passphrase.
pub fn asked() -> Result<Secret> {
    ask("Passphrase: ")
}

fn new_one() -> Result<Secret> {
    if let Some(secret) = from_environment(NEW)? {
        return Ok(secret);
    }
    let secret = ask("New passphrase: ")?;
    match ask("The same again: ")? == secret {
        true => Ok(secret),
        false => Err(Failure::usage("the two passphrases are not the same")),
    }
}

/// Asks on the terminal, wherever input and output go.
fn ask(prompt: &str) -> Result<Secret> {
    rpassword::prompt_password(prompt).map(Secret).map_err(|_| {
        Failure::new(
            ErrorKind::KeyUnavailable,
            format!(
                "a passphrase is needed, and there is no terminal to ask on: use ${PRESENT}, ${NEW} or --passphrase-fd"
            ),
        )
    })
}

fn from_environment(name: &str) -> Result<Option<Secret>> {
    match std::env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(Secret(text))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("${name} is not UTF-8")))
        }
    }
}

/// The first line of what can be read there.
fn from_descriptor(descriptor: RawFd) -> Result<Secret> {
    if descriptor < 0 {
        return Err(Failure::usage("a file descriptor is not negative"));
    }
    // SAFETY: whoever started this process has opened it for this, and nobody else here uses it; it is
    // not closed, so that a number that was wrong breaks nothing.
    let file = ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(descriptor) });
    let mut text = String::new();
    (&*file)
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|error| Failure::storage("the file descriptor of --passphrase-fd", error))?;
    let secret = Secret(text.lines().next().unwrap_or_default().to_owned());
    text.zeroize();
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show() {
        let command = PassphraseCommand::Change {
            old: Some(Secret("swordfish".into())),
            new: Some(Secret("swordfish".into())),
        };
        let text = format!("{command:?}");
        assert!(!text.contains("swordfish"), "{text}");
    }
}
