"""Live queries: a query's results, and what changes in them."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass
from types import TracebackType
from typing import Any, AsyncIterator, Dict, List, Optional, Tuple, Type

from . import _native
from ._errors import translated
from ._objects import Object, from_json
from ._stream import Lifeline
from ._values import load


class LiveChangeKind(enum.Enum):
    """What happened to an object among the results."""

    #: It is no longer among them.
    REMOVED = "removed"
    #: It is new among them.
    ADDED = "added"
    #: It has another place among the others, and may have changed too.
    MOVED = "moved"
    #: It changed where it is.
    CHANGED = "changed"


@dataclass(frozen=True)
class LiveChange:
    """One object's change among the results."""

    #: What happened.
    kind: LiveChangeKind
    #: The object's id.
    id: str
    #: Its place before the batch, from 0, if it was removed or moved.
    from_index: Optional[int]
    #: Its place after the batch, from 0; ``None`` if it was removed.
    index: Optional[int]
    #: The object; ``None`` if it was removed.
    object: Optional[Object]


@dataclass(frozen=True)
class LiveBatch:
    """What changed since the last batch: removals first, by falling place before, then the others,
    by rising place after. Never names an object twice."""

    #: The space's id.
    space: str
    #: Whether the changes are to be applied to an empty list, and not to the one built so far.
    initial: bool
    #: The number of results after the batch.
    total: int
    #: The changes.
    changes: Tuple[LiveChange, ...]

    def apply(self, results: List[Object]) -> None:
        """Brings a list of the results before the batch up to date."""
        if self.initial:
            results.clear()
        leave = {c.id for c in self.changes if c.from_index is not None}
        if leave:
            results[:] = [each for each in results if each.id not in leave]
        for change in self.changes:
            if change.index is None or change.object is None:
                continue
            if change.kind is LiveChangeKind.CHANGED:
                results[change.index] = change.object
            else:
                results.insert(change.index, change.object)


class LiveQuery(AsyncIterator[LiveBatch]):
    """A query that goes on; made by :meth:`Space.live`.

    The first batch has all results, each further one what changed; :attr:`results` is the list as
    of the last one. A reader who is slow gets fewer and larger batches. It begins with the first
    iteration, or with ``async with``, which also ends it; it ends too when it is dropped, by
    :meth:`cancel`, and with the client. Only one task may iterate at a time.
    """

    def __init__(
        self, space: _native.Space, query: str, interval_ms: int, lifeline: Lifeline
    ) -> None:
        #: The results as of the last batch.
        self.results: List[Object] = []
        self._space = space
        self._query = query
        self._interval_ms = interval_ms
        self._lock = asyncio.Lock()
        self._native: Optional[_native.LiveQuery] = None
        # A wait that was given up goes on, and its batch is the next: none may be left out.
        self._pending: Optional[asyncio.Future[Optional[_native.LiveBatch]]] = None
        self._ended = lifeline.ended
        lifeline.streams.add(self)

    async def __aenter__(self) -> LiveQuery:
        await self._start()
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.cancel()

    def __aiter__(self) -> LiveQuery:
        return self

    async def __anext__(self) -> LiveBatch:
        native = await self._start()
        if native is None:
            raise StopAsyncIteration
        if self._pending is None:
            self._pending = asyncio.ensure_future(native.next())
        pending = self._pending
        try:
            with translated:
                found = await asyncio.shield(pending)
        except BaseException:
            if pending.done():
                self._pending = None
            # The traceback of a cancelled task would keep this, and so the live query.
            del self
            raise
        self._pending = None
        if found is None or self._ended:
            raise StopAsyncIteration
        batch = from_batch(found)
        batch.apply(self.results)
        return batch

    def __del__(self) -> None:
        # Not set if the constructor failed.
        native = getattr(self, "_native", None)
        if native is not None:
            native.cancel()

    def cancel(self) -> None:
        """Ends it; nothing more comes. May be called again."""
        self._ended = True
        native, self._native = self._native, None
        if native is not None:
            native.cancel()

    def end(self) -> None:
        """Ends it with the client."""
        self.cancel()

    async def _start(self) -> Optional[_native.LiveQuery]:
        async with self._lock:
            if self._native is None and not self._ended:
                with translated:
                    options = _native.LiveOptions(interval_ms=self._interval_ms)
                    native = await self._space.live_queue(self._query, options)
                if self._ended:
                    native.cancel()
                else:
                    self._native = native
            return self._native


def from_batch(batch: _native.LiveBatch) -> LiveBatch:
    """From the generated record."""
    changes = tuple(_change(entry) for entry in load(batch.changes))
    return LiveBatch(batch.space, batch.initial, batch.total, changes)


def _change(entry: Dict[str, Any]) -> LiveChange:
    found = entry.get("object")
    return LiveChange(
        LiveChangeKind(entry["kind"]),
        entry["id"],
        entry.get("from"),
        entry.get("index"),
        None if found is None else from_json(found),
    )
