"""The way from the library's threads to an asyncio loop."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import deque
from types import TracebackType
from typing import (
    Any,
    AsyncIterator,
    Awaitable,
    Callable,
    Deque,
    Generic,
    Optional,
    Protocol,
    Set,
    Type,
    TypeVar,
)

from . import _native

T = TypeVar("T")


class Endable(Protocol):
    """What the end of a client ends."""

    def end(self) -> None:
        """Ends it; nothing more will come."""


class Lifeline:
    """What must end when the client does. Streams are held weakly, so that one that was left in
    the middle of a loop ends at once; callback subscriptions are held until they are cancelled."""

    def __init__(self) -> None:
        self.streams: weakref.WeakSet[Any] = weakref.WeakSet()
        self.subscriptions: Set[Endable] = set()
        self.ended = False

    def end(self) -> None:
        """Ends everything, and what is added later at once."""
        self.ended = True
        for each in [*self.streams, *self.subscriptions]:
            each.end()


class Mailbox(Generic[T]):
    """Takes items on any thread and gives them out on one loop. When ``limit`` items wait, a new
    one is folded into the last: neither memory nor the library's threads suffer a slow reader."""

    def __init__(self, limit: int, fold: Callable[[T, T], T]) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._fold = fold
        self._items: Deque[T] = deque()
        self._waiters: Set[asyncio.Future[None]] = set()
        self._lock = threading.Lock()
        self._wake_scheduled = False
        self._ended = False

    def put(self, item: T) -> None:
        """Adds an item, on any thread."""
        with self._lock:
            if self._ended:
                return
            if len(self._items) < self._limit:
                self._items.append(item)
            else:
                self._items[-1] = self._fold(self._items[-1], item)
            schedule = not self._wake_scheduled
            self._wake_scheduled = True
        if schedule:
            self._schedule_wake()

    def end(self, discard: bool = False) -> None:
        """Ends the iteration, after what waits unless that is discarded. On any thread."""
        with self._lock:
            self._ended = True
            if discard:
                self._items.clear()
        self._schedule_wake()

    async def get(self) -> T:
        """The next item; raises ``StopAsyncIteration`` at the end."""
        while True:
            with self._lock:
                if self._items:
                    return self._items.popleft()
                if self._ended:
                    raise StopAsyncIteration
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    def _schedule_wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            # The loop is closed: nobody is left to read.
            self._ended = True

    def _wake(self) -> None:
        with self._lock:
            self._wake_scheduled = False
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


class Stream(Generic[T], AsyncIterator[T]):
    """An asynchronous iterator over what the library reports.

    Listening begins with the first iteration, or with ``async with``, which also ends it. It ends
    too when the iterator is dropped (a loop that is left or whose task is cancelled drops it), by
    :meth:`aclose`, and with the client, which ends the iteration.
    """

    # The library's listener refers to the mailbox, never to the stream, so that the stream can be
    # dropped while it listens.
    def __init__(
        self,
        attach: Callable[[Mailbox[T]], Awaitable[_native.Subscription]],
        lifeline: Lifeline,
        limit: int,
        fold: Callable[[T, T], T],
        is_last: Callable[[T], bool] = lambda item: False,
    ) -> None:
        self._mailbox: Mailbox[T] = Mailbox(limit, fold)
        self._attach = attach
        self._is_last = is_last
        self._lock = asyncio.Lock()
        self._native: Optional[_native.Subscription] = None
        self._closed = False
        lifeline.streams.add(self)
        if lifeline.ended:
            self.end()

    async def __aenter__(self) -> Stream[T]:
        await self._start()
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Stream[T]:
        return self

    async def __anext__(self) -> T:
        await self._start()
        try:
            item = await self._mailbox.get()
        except BaseException:
            # The traceback of a cancelled task would keep the stream, and so its subscription.
            del self
            raise
        if self._is_last(item):
            self._release()
            self._mailbox.end()
        return item

    async def aclose(self) -> None:
        """Ends listening and the iteration. May be called again."""
        self._release()
        self._mailbox.end(discard=True)

    def end(self) -> None:
        """Ends the iteration after what has come already."""
        self._release()
        self._mailbox.end()

    async def _start(self) -> None:
        async with self._lock:
            if self._native is not None or self._closed:
                return
            native = await self._attach(self._mailbox)
            if self._closed:
                native.cancel()
            else:
                self._native = native

    def _release(self) -> None:
        self._closed = True
        native, self._native = self._native, None
        if native is not None:
            native.cancel()
