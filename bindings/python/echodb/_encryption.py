"""Encryption of what is on the disk: where the key is."""

from __future__ import annotations

import enum
from typing import Optional, Protocol

from . import _native


class EncryptionMode(enum.Enum):
    """Whether a profile's files are encrypted."""

    #: They are: under the passphrase if one is given, else under the key provider's key if there is
    #: a provider, else under a key in a file beside them. A profile that was made plain is
    #: encrypted when it is opened.
    AUTO = "auto"
    #: A new profile is plain, and a plain one stays so. One that is encrypted stays that too.
    OFF = "off"


class Encryption(enum.Enum):
    """What keeps the key of a profile's files."""

    #: There are no files: the profile is in memory.
    MEMORY = "memory"
    #: Nothing: the files are plain.
    PLAIN = "plain"
    #: A file beside them, which only its owner may read.
    FILE_KEY = "file_key"
    #: A passphrase.
    PASSPHRASE = "passphrase"
    #: The program's key provider.
    KEY_PROVIDER = "key_provider"


class KeyProvider(Protocol):
    """Keeps a key for a profile in a place of the system's that is safer than its files, such as a
    keyring: any object with these two methods. They are called on threads of the library, with no
    lock held, when a profile is opened. What they raise makes opening raise ``Storage`` with
    ``Status.KEY_UNAVAILABLE``."""

    def load_key(self, profile: str) -> Optional[bytes]:
        """The key that was stored for this profile (32 hexadecimal digits that tell profiles
        apart), or ``None`` if none was."""
        ...

    def store_key(self, profile: str, key: bytes) -> None:
        """Stores the key of this profile, 32 bytes, in the place of an earlier one; it is to last
        before this returns. Losing it loses the profile."""
        ...


class ProviderAdapter(_native.KeyProvider):
    """What the library calls."""

    def __init__(self, provider: KeyProvider) -> None:
        self._provider = provider

    def load_key(self, profile: str) -> Optional[bytes]:
        found = self._provider.load_key(profile)
        return None if found is None else bytes(found)

    def store_key(self, profile: str, key: bytes) -> None:
        self._provider.store_key(profile, key)


def native_mode(mode: EncryptionMode) -> _native.EncryptionMode:
    """The generated form."""
    return _native.EncryptionMode[mode.name]


def from_encryption(kept: _native.Encryption) -> Encryption:
    """From the generated form."""
    return Encryption[kept.name]
