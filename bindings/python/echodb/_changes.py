"""Changes of a space, as they are committed."""

from __future__ import annotations

import asyncio
import enum
import inspect
import logging
from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional, Tuple

from . import _native
from ._errors import translated
from ._stream import Lifeline, Mailbox, Stream

_LOG = logging.getLogger("echodb")
#: Batches that wait for a slow reader before further ones are gathered into the last.
_BATCHES = 64


class ChangeKind(enum.Enum):
    """What happened to an object."""

    #: It is new, or matches the filter now and did not before.
    ADDED = 1
    #: It changed.
    UPDATED = 2
    #: It was deleted, or no longer matches the filter.
    REMOVED = 3


class ChangeOrigin(enum.Enum):
    """Who changed it."""

    #: This client.
    LOCAL = 1
    #: A peer.
    REMOTE = 2


@dataclass(frozen=True)
class Change:
    """One changed object."""

    #: The object's id.
    id: str
    #: Its type name, if any.
    type: Optional[str]
    #: What happened.
    kind: ChangeKind
    #: Who did it; when several changes were gathered, the last.
    origin: ChangeOrigin


@dataclass(frozen=True)
class ChangeBatch:
    """The changes since the last delivery; never names an object twice."""

    #: The space's id.
    space: str
    #: The objects, in id order.
    changes: Tuple[Change, ...]


class ChangeStream(Stream[ChangeBatch]):
    """The committed changes of a space: ``async for batch in space.changes():``."""

    async def __aenter__(self) -> ChangeStream:
        await super().__aenter__()
        return self


#: Takes a batch; may be a coroutine function.
ChangeCallback = Callable[[ChangeBatch], Any]


class Subscription:
    """A running callback; lasts until it is cancelled or the client is closed."""

    def __init__(self, stream: ChangeStream, callback: ChangeCallback, lifeline: Lifeline) -> None:
        self._stream = stream
        self._callback = callback
        self._cancelled = False
        self._task = asyncio.ensure_future(self._run())
        lifeline.subscriptions.add(self)
        self._task.add_done_callback(lambda _: lifeline.subscriptions.discard(self))

    def cancel(self) -> None:
        """Ends it: the callback will not be called again, and if it is a coroutine that is running,
        that is cancelled. From within the callback, this delivery is the last. May be called
        again."""
        self._cancelled = True
        self._stream.end()
        try:
            inside = asyncio.current_task() is self._task
        except RuntimeError:
            inside = False
        if not inside:
            self._task.cancel()

    def end(self) -> None:
        """Ends it after what has come already."""
        self._stream.end()

    async def _run(self) -> None:
        async for batch in self._stream:
            if self._cancelled:
                return
            try:
                outcome = self._callback(batch)
                if inspect.isawaitable(outcome):
                    await outcome
            except Exception:
                _LOG.exception("a change callback failed; it is kept")


def open_stream(space: _native.Space, filter_json: str, lifeline: Lifeline) -> ChangeStream:
    """A stream of the changes that match a filter."""

    async def attach(mailbox: Mailbox[ChangeBatch]) -> _native.Subscription:
        with translated:
            return await space.subscribe(filter_json, _Listener(mailbox))

    return ChangeStream(attach, lifeline, _BATCHES, gather)


class _Listener(_native.ChangeListener):
    def __init__(self, mailbox: Mailbox[ChangeBatch]) -> None:
        self._mailbox = mailbox

    def changed(self, batch: _native.ChangeBatch) -> None:
        changes = tuple(
            Change(c.id, c.type_name, ChangeKind(c.kind.value), ChangeOrigin(c.origin.value))
            for c in batch.changes
        )
        self._mailbox.put(ChangeBatch(batch.space, changes))


def gather(old: ChangeBatch, new: ChangeBatch) -> ChangeBatch:
    """Two batches as one: what a reader sees who missed the state between them."""
    changes: Dict[str, Change] = {change.id: change for change in old.changes}
    for change in new.changes:
        before = changes.get(change.id)
        kind = change.kind if before is None else _gather_kind(before.kind, change.kind)
        if kind is None:
            del changes[change.id]
        else:
            changes[change.id] = Change(change.id, change.type, kind, change.origin)
    return ChangeBatch(new.space, tuple(changes[id] for id in sorted(changes)))


def _gather_kind(old: ChangeKind, new: ChangeKind) -> Optional[ChangeKind]:
    was_there = old is not ChangeKind.ADDED
    is_there = new is not ChangeKind.REMOVED
    if was_there:
        return ChangeKind.UPDATED if is_there else ChangeKind.REMOVED
    return ChangeKind.ADDED if is_there else None
