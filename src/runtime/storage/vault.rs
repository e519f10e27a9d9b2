//! Where the key of a profile's files is kept, and how it is got at.

use super::error::from_io;
use super::files;
use super::key_file::{Cost, Key, KeyFile, LONGEST, Lock, stretch};
use super::sealed::{self, FileKey, Seal, Start};
use crate::api::{Encryption, EncryptionMode, KeyProvider};
use crate::model::{Error, ErrorKind, Result, SpaceId};
use crate::runtime::clock;
use data_encoding::HEXLOWER;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The sealed key.
const KEY: &str = "key";
/// What it is sealed under, unless that is a passphrase or somewhere else.
const FILE_KEY: &str = "file-key";

/// How a program gets at a profile's key.
#[derive(Clone, Default)]
pub struct Access {
    /// The passphrase.
    pub passphrase: Option<Zeroizing<String>>,
    /// Who keeps a key for us.
    pub provider: Option<Arc<dyn KeyProvider>>,
    /// Whether new profiles are encrypted.
    pub mode: EncryptionMode,
}

/// The key of an encrypted profile.
pub struct Vault {
    dir: PathBuf,
    key: Key,
    provider: Option<Arc<dyn KeyProvider>>,
    kept: Mutex<Encryption>,
    /// Held while a passphrase is changed.
    changing: Mutex<()>,
}

impl Vault {
    /// Opens the vault of the profile in `dir`, or makes one if the profile is new or was plain;
    /// `None` if the profile is, and stays, plain.
    pub(super) fn open(dir: &Path, profile_file: &Path, access: Access) -> Result<Option<Vault>> {
        let stored = read_key_file(dir)?;
        let vault = |key, kept, provider| Vault {
            dir: dir.to_owned(),
            key,
            provider,
            kept: Mutex::new(kept),
            changing: Mutex::new(()),
        };
        if let Some(stored) = stored {
            let (key, kept) = unlock(dir, &stored, &access)?;
            let vault = vault(key, kept, access.provider);
            if kept == Encryption::FileKey && vault.provider.is_some() {
                // The program has got a better place since.
                vault.lock_with(stored.profile, Keeper::Provider)?;
            } else if kept != Encryption::FileKey {
                vault.remove_file_key();
            }
            return Ok(Some(vault));
        }
        if sealed::start(profile_file)? == Start::Sealed {
            return Err(unavailable(&format!(
                "the profile {} is encrypted, and its file \"{KEY}\" is gone; restore it from a backup",
                dir.display()
            )));
        }
        if access.mode == EncryptionMode::Off {
            return match access.passphrase {
                None => Ok(None),
                Some(_) => Err(Error::invalid(
                    "the profile is plain and to stay so: open it without a passphrase, or with encryption",
                )),
            };
        }
        let mut key = Zeroizing::new([0; 32]);
        clock::fill_random(key.as_mut());
        let vault = vault(key, Encryption::Plain, access.provider);
        let keeper = match &access.passphrase {
            Some(passphrase) => Keeper::Passphrase(passphrase),
            None if vault.provider.is_some() => Keeper::Provider,
            None => Keeper::File,
        };
        vault.lock_with(clock::random(), keeper)?;
        Ok(Some(vault))
    }

    /// Lets SQLite open the profile's own file.
    pub(super) fn profile_seal(&self) -> Result<Seal> {
        Seal::new(FileKey::derive(&self.key, b"profile"))
    }

    /// Lets SQLite open the file of a space.
    pub(super) fn space_seal(&self, space: &SpaceId) -> Result<Seal> {
        let name = [&b"space/"[..], space.as_bytes()].concat();
        Seal::new(FileKey::derive(&self.key, &name))
    }

    /// What keeps the key.
    pub fn kept(&self) -> Encryption {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See `Client::set_passphrase`.
    pub fn set_passphrase(&self, old: Option<&str>, new: Option<&str>) -> Result<()> {
        let _changing = self.changing.try_lock().map_err(|_| {
            Error::state("the passphrase is being changed by another call; try again")
        })?;
        let stored = read_key_file(&self.dir)?
            .ok_or_else(|| unavailable(&format!("{} is gone", self.dir.join(KEY).display())))?;
        let access = Access {
            passphrase: old.map(|text| Zeroizing::new(text.to_owned())),
            provider: self.provider.clone(),
            mode: EncryptionMode::Auto,
        };
        match (&stored.lock, old) {
            (Lock::Passphrase { .. }, None) => {
                let detail = "the profile has a passphrase: give it to change it";
                return Err(Error::new(ErrorKind::WrongPassphrase, detail));
            }
            // Whoever has the client open has the key; who knows the passphrase may change it.
            (Lock::Passphrase { .. }, Some(_)) => drop(unlock(&self.dir, &stored, &access)?),
            (_, Some(_)) => {
                let detail = "the profile has no passphrase yet: leave the old one out";
                return Err(Error::invalid(detail));
            }
            (_, None) => {}
        }
        let keeper = match new {
            Some(new) => Keeper::Passphrase(new),
            None if self.provider.is_some() => Keeper::Provider,
            None => Keeper::File,
        };
        self.lock_with(stored.profile, keeper)
    }

    /// Seals the key anew, in one step, so that a crash leaves it under the old or the new keeper.
    fn lock_with(&self, profile: [u8; 16], keeper: Keeper<'_>) -> Result<()> {
        let (lock, wrapping, kept) = match keeper {
            Keeper::Passphrase(passphrase) => {
                let (cost, salt) = (Cost::RECOMMENDED, clock::random());
                let wrapping = stretch(passphrase, cost, &salt)?;
                let lock = Lock::Passphrase { cost, salt };
                (lock, wrapping, Encryption::Passphrase)
            }
            Keeper::Provider => {
                let wrapping = self.provided_key(&profile)?;
                (Lock::Provider, wrapping, Encryption::KeyProvider)
            }
            Keeper::File => {
                let wrapping = self.new_file_key()?;
                (Lock::FileKey, wrapping, Encryption::FileKey)
            }
        };
        let file = KeyFile::seal(profile, lock, clock::random(), &wrapping, &self.key);
        put(&self.dir, KEY, &file.encode())?;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        if kept != Encryption::FileKey {
            self.remove_file_key();
        }
        Ok(())
    }

    /// The provider's key for this profile, stored there first if there is none.
    fn provided_key(&self, profile: &[u8; 16]) -> Result<Key> {
        let provider = self
            .provider
            .as_ref()
            .ok_or_else(|| Error::internal("there is no key provider"))?;
        if let Some(key) = load(provider.as_ref(), profile)? {
            return Ok(key);
        }
        let mut key = Zeroizing::new([0; 32]);
        clock::fill_random(key.as_mut());
        provider
            .store_key(HEXLOWER.encode(profile), key.to_vec())
            .map_err(|e| unavailable(&format!("the key provider could not store a key: {e}")))?;
        Ok(key)
    }

    fn new_file_key(&self) -> Result<Key> {
        // One that is there already is in use, or was left by a change that a crash cut short.
        if let Some(key) = read_file_key(&self.dir)? {
            return Ok(key);
        }
        let mut key = Zeroizing::new([0; 32]);
        clock::fill_random(key.as_mut());
        put(&self.dir, FILE_KEY, key.as_ref())?;
        Ok(key)
    }

    /// What the file key opened is sealed otherwise now: that it is still there does no harm, so that
    /// a failure is left for the next time.
    fn remove_file_key(&self) {
        if fs::remove_file(self.dir.join(FILE_KEY)).is_ok() {
            let _ = files::sync_dir(&self.dir);
        }
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({:?})", self.kept())
    }
}

/// Who is to keep the key.
enum Keeper<'a> {
    Passphrase(&'a str),
    Provider,
    File,
}

fn unavailable(detail: &str) -> Error {
    Error::new(ErrorKind::KeyUnavailable, detail)
}

/// Opens the sealed key with what the program has given.
fn unlock(dir: &Path, stored: &KeyFile, access: &Access) -> Result<(Key, Encryption)> {
    let place = dir.display();
    let passphrase = access.passphrase.as_ref();
    if passphrase.is_some() && !matches!(stored.lock, Lock::Passphrase { .. }) {
        return Err(Error::state(format!(
            "the profile {place} has no passphrase yet: open it without one, then set it"
        )));
    }
    let (wrapping, kept, refused) = match &stored.lock {
        Lock::Passphrase { cost, salt } => {
            let passphrase = passphrase.ok_or_else(|| {
                unavailable(&format!(
                    "the profile {place} is protected by a passphrase; open it with that"
                ))
            })?;
            let wrapping = stretch(passphrase, *cost, salt)?;
            let refused = Error::new(
                ErrorKind::WrongPassphrase,
                format!("this is not the passphrase of the profile {place}"),
            );
            (wrapping, Encryption::Passphrase, refused)
        }
        Lock::Provider => {
            let provider = access.provider.as_ref().ok_or_else(|| {
                unavailable(&format!(
                    "the key of the profile {place} is with a key provider; open it with that"
                ))
            })?;
            let wrapping = load(provider.as_ref(), &stored.profile)?.ok_or_else(|| {
                unavailable(&format!(
                    "the key provider has no key for the profile {place}, whose id is {}",
                    HEXLOWER.encode(&stored.profile)
                ))
            })?;
            let refused = unavailable(&format!(
                "the key provider has a key for the profile {place}, but not the one that opens it"
            ));
            (wrapping, Encryption::KeyProvider, refused)
        }
        Lock::FileKey => {
            let path = dir.join(FILE_KEY);
            let wrapping = read_file_key(dir)?.ok_or_else(|| {
                unavailable(&format!(
                    "{} is gone, and with it the key of the profile; restore it from a backup",
                    path.display()
                ))
            })?;
            let refused = unavailable(&format!(
                "{} is not the key of this profile; restore it from a backup",
                path.display()
            ));
            (wrapping, Encryption::FileKey, refused)
        }
    };
    let key = stored.open(&wrapping).ok_or(refused)?;
    Ok((key, kept))
}

/// Asks the provider.
fn load(provider: &dyn KeyProvider, profile: &[u8; 16]) -> Result<Option<Key>> {
    let found = provider
        .load_key(HEXLOWER.encode(profile))
        .map_err(|e| unavailable(&format!("the key provider could not give the key: {e}")))?;
    let Some(bytes) = found.map(Zeroizing::new) else {
        return Ok(None);
    };
    let key = bytes.as_slice().try_into().map_err(|_| {
        unavailable(&format!(
            "the key provider gave {} bytes, and a key has 32",
            bytes.len()
        ))
    })?;
    Ok(Some(Zeroizing::new(key)))
}

fn read_key_file(dir: &Path) -> Result<Option<KeyFile>> {
    match read_small(&dir.join(KEY), LONGEST)? {
        None => Ok(None),
        Some(bytes) => KeyFile::decode(&bytes)
            .map(Some)
            .map_err(|e| e.context(dir.join(KEY).display())),
    }
}

fn read_file_key(dir: &Path) -> Result<Option<Key>> {
    let path = dir.join(FILE_KEY);
    let Some(bytes) = read_small(&path, 32)? else {
        return Ok(None);
    };
    let key = bytes.as_slice().try_into().map_err(|_| {
        let detail = "it is damaged; restore it from a backup";
        Error::corrupt(detail).context(path.display())
    })?;
    Ok(Some(Zeroizing::new(key)))
}

/// A file's bytes, cut behind the first that is too many.
fn read_small(path: &Path, longest: usize) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(longest + 1));
    match fs::File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file
            .and_then(|file| {
                let mut file = io::Read::take(file, longest as u64 + 1);
                io::Read::read_to_end(&mut file, &mut bytes)
            })
            .map_err(|e| from_io(path.display(), &e))?,
    };
    Ok(Some(bytes))
}

/// Puts a file in its place in one step, readable by its owner alone, and on the disk.
fn put(dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let (path, new) = (dir.join(name), dir.join(format!("{name}.new")));
    let written = (|| {
        match fs::remove_file(&new) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(from_io(new.display(), &e));
            }
            _ => {}
        }
        let mut file = files::open_private_file(&new)?;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(|e| from_io(new.display(), &e))
    })();
    written?;
    fs::rename(&new, &path).map_err(|e| from_io(path.display(), &e))?;
    files::sync_dir(dir)
}
