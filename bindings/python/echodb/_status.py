"""What is going on, truthfully: nothing here says "in sync" unless the other side confirmed it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Optional, Tuple

from . import _native
from ._encryption import Encryption, from_encryption


class SpaceState(enum.Enum):
    """Whether a space is open."""

    #: On disk only; not replicated until opened.
    CLOSED = 1
    #: Being opened.
    OPENING = 2
    #: Open.
    READY = 3
    #: Its file could not be opened; the error is in the log and from ``open``.
    FAILED = 4


@dataclass(frozen=True)
class SpaceInfo:
    """A space in a listing."""

    #: Its id, 52 characters.
    id: str
    #: The ``name`` of its properties as last seen, empty if it has none.
    name: str
    #: Whether it was made with the identity.
    is_default: bool
    #: Its state.
    state: SpaceState


@dataclass(frozen=True)
class IdentityInfo:
    """Who the user of a client is."""

    #: The identity's public key: the same on all devices.
    identity: str
    #: This device's public key.
    device: str
    #: The name shown to others; not unique, not proven.
    display_name: str


@dataclass(frozen=True)
class SignalingStatus:
    """A connection to a signalling server."""

    #: Its URL.
    url: str
    #: Whether it is connected now.
    connected: bool
    #: The last failure, if it is not.
    error: Optional[str]


@dataclass(frozen=True)
class ClientStatus:
    """A client as a whole."""

    #: Whether it looks for peers.
    online: bool
    #: Its signalling servers.
    signaling: Tuple[SignalingStatus, ...]
    #: Authenticated peers connected now.
    peers: int
    #: Bytes sent to peers since the client was opened, before encryption.
    bytes_sent: int
    #: Bytes received from peers likewise.
    bytes_received: int
    #: What keeps the key of the profile's files.
    encryption: Encryption


@dataclass(frozen=True)
class PeerStatus:
    """One connected peer, as far as one space is concerned."""

    #: The device's key.
    device: str
    #: The identity's key.
    identity: str
    #: The identity's display name.
    name: str
    #: Entries we hold that the peer has not confirmed.
    unconfirmed: int
    #: Entries the peer says it holds and we lack.
    missing: int
    #: Whether both numbers are zero.
    in_sync: bool


@dataclass(frozen=True)
class SpaceStatus:
    """One space: who has what, and what waits for what."""

    #: Its state.
    state: SpaceState
    #: Connected peers that share it.
    peers: Tuple[PeerStatus, ...]
    #: Objects, deleted ones included.
    objects: int
    #: Entries held.
    entries: int
    #: Entries set aside as harmful or malformed; see ``Space.quarantined``.
    quarantined: int
    #: Entries that do not count; see ``Space.excluded``.
    excluded: int
    #: Entries that wait for a content key.
    waiting_for_key: int
    #: Entries that are held and cannot be read, because they were written before this member's
    #: time, or build on what was: it was invited without the history. They wait for nothing that
    #: is to come.
    sealed_off: int
    #: Entries that wait for one they depend on.
    waiting_for_dependency: int
    #: Objects that break the schema of their type; see ``Space.violations``.
    violations: int
    #: This identity's role; ``None`` once it was removed or has left, and while its admission has
    #: not arrived.
    role: Optional[str]
    #: Whether this identity or this device was removed from the space, or has left it: what is here
    #: can be read, nothing can be written, and nothing more comes.
    removed: bool
    #: The generation of the content key that is written under: 1 is the first, each new key has a
    #: higher one. 0 while every key is known to somebody who may not read any more: the next write,
    #: of whomever, makes a new one.
    key_generation: int
    #: Whether objects are still being checked, and ``violations`` may change.
    checking: bool


@dataclass(frozen=True)
class QuarantinedEntry:
    """A remote entry that was set aside. It stays stored, sealed, and changes nothing."""

    #: The entry.
    entry: str
    #: The device that wrote it.
    device: str
    #: Why: a stable code, a colon, and a sentence.
    reason: str


def from_info(info: _native.SpaceInfo) -> SpaceInfo:
    """From the generated record."""
    return SpaceInfo(info.id, info.name, info.is_default, SpaceState(info.state.value))


def from_identity(info: _native.IdentityInfo) -> IdentityInfo:
    """From the generated record."""
    return IdentityInfo(info.identity, info.device, info.display_name)


def from_client_status(status: _native.ClientStatus) -> ClientStatus:
    """From the generated record."""
    return ClientStatus(
        online=status.online,
        signaling=tuple(SignalingStatus(s.url, s.connected, s.error) for s in status.signaling),
        peers=status.peers,
        bytes_sent=status.bytes_sent,
        bytes_received=status.bytes_received,
        encryption=from_encryption(status.encryption),
    )


def from_space_status(status: _native.SpaceStatus) -> SpaceStatus:
    """From the generated record."""
    return SpaceStatus(
        state=SpaceState(status.state.value),
        peers=tuple(
            PeerStatus(p.device, p.identity, p.name, p.unconfirmed, p.missing, p.in_sync)
            for p in status.peers
        ),
        objects=status.objects,
        entries=status.entries,
        quarantined=status.quarantined,
        excluded=status.excluded,
        waiting_for_key=status.waiting_for_key,
        sealed_off=status.sealed_off,
        waiting_for_dependency=status.waiting_for_dependency,
        violations=status.violations,
        role=status.role,
        removed=status.removed,
        key_generation=status.key_generation,
        checking=status.checking,
    )


def from_quarantined(entry: _native.QuarantinedEntry) -> QuarantinedEntry:
    """From the generated record."""
    return QuarantinedEntry(entry.entry, entry.device, entry.reason)
