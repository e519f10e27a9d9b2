"""The devices of an identity, and what changes about the identity."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import FrozenSet, Optional

from . import _native
from ._errors import translated
from ._stream import Lifeline, Mailbox, Stream
from ._values import clock_time


@dataclass(frozen=True)
class DeviceInfo:
    """A device of the identity."""

    #: Its public key.
    device: str
    #: Its name; empty if it was given none.
    name: str
    #: Whether it is the one that asks.
    this_device: bool
    #: Whether it is connected at this moment; the asking one always is.
    connected: bool
    #: When it was added, by the clock of the device that added it.
    added: Optional[datetime]
    #: When it was last in use, by its own clock and to about an hour.
    last_seen: Optional[datetime]
    #: Whether it was revoked. That cannot be undone.
    revoked: bool
    #: Whether it came by the recovery phrase: such a device is senior to all others.
    recovered: bool


class IdentityChange(enum.Enum):
    """What changed about the identity."""

    #: A space that another device made or joined is listed here now; see :meth:`Client.spaces`.
    SPACES = 1
    #: A device was added, renamed or revoked, or there is a new recovery phrase; see
    #: :meth:`Client.devices`.
    DEVICES = 2
    #: The display name was changed on another device; see :attr:`Client.identity`.
    PROFILE = 3
    #: This device was revoked. Its copy of the data stays; what it would write is refused.
    REVOKED = 4


class IdentityChanges(Stream[FrozenSet[IdentityChange]]):
    """What changes about the identity: ``async for changes in client.identity_changes():``. Each
    item is the set of what has changed since the one before, however slow the reader."""

    async def __aenter__(self) -> IdentityChanges:
        await super().__aenter__()
        return self


def open_changes(client: _native.Client, lifeline: Lifeline) -> IdentityChanges:
    """A stream of what changes about a client's identity."""

    async def attach(mailbox: Mailbox[FrozenSet[IdentityChange]]) -> _native.Subscription:
        with translated:
            return client.subscribe_identity(_Listener(mailbox))

    return IdentityChanges(attach, lifeline, 1, fold=lambda old, new: old | new)


class _Listener(_native.IdentityListener):
    def __init__(self, mailbox: Mailbox[FrozenSet[IdentityChange]]) -> None:
        self._mailbox = mailbox

    def changed(self, change: _native.IdentityChange) -> None:
        self._mailbox.put(frozenset([IdentityChange(change.value)]))


def from_device(info: _native.DeviceInfo) -> DeviceInfo:
    """From the generated record."""
    return DeviceInfo(
        device=info.device,
        name=info.name,
        this_device=info.this_device,
        connected=info.connected,
        added=None if info.added_ms is None else clock_time(info.added_ms),
        last_seen=None if info.last_seen_ms is None else clock_time(info.last_seen_ms),
        revoked=info.revoked,
        recovered=info.recovered,
    )
