"""Blobs: larger values by content, stored beside the objects that name them."""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from types import TracebackType
from typing import AsyncIterator, Optional, Type, Union

from . import _native
from ._errors import translated
from ._stream import Lifeline, Mailbox, Stream
from ._values import Blob

#: A path of a file.
PathLike = Union[str, "os.PathLike[str]"]
#: What is read at a time while a blob is streamed.
_PIECE = 1024 * 1024


@dataclass(frozen=True)
class BlobInfo:
    """What is here of a blob."""

    #: Its id, 52 characters.
    id: str
    #: Its size in bytes.
    size: int
    #: How many of its bytes are here.
    held: int
    #: Whether all of them are.
    whole: bool
    #: Whether an object that is not deleted names it.
    referenced: bool

    @property
    def blob(self) -> Blob:
        """The value for an object's field that names this blob."""
        return Blob(self.id, self.size)


@dataclass(frozen=True)
class CollectedBlobs:
    """What a collection did."""

    #: How many blobs were removed.
    blobs: int
    #: Bytes that this freed in the space's file, for what is written next.
    bytes: int


class BlobFetchState(enum.Enum):
    """Where a fetch stands."""

    #: Under way, or waiting for a peer that holds the blob.
    FETCHING = 1
    #: All of the blob is here.
    DONE = 2
    #: It cannot be fetched; see the error.
    FAILED = 3
    #: It was cancelled, or the space was closed. What has come stays.
    CANCELLED = 4


@dataclass(frozen=True)
class BlobProgress:
    """A fetch at one moment."""

    #: Where it stands.
    state: BlobFetchState
    #: How many of the blob's bytes are here.
    received: int
    #: Its size in bytes, once a peer told it.
    total: Optional[int]
    #: Connected members that were asked.
    peers: int
    #: Those of them that hold the blob.
    sources: int
    #: The status number of the failure, 0 if there is none; see ``Status``.
    status: int
    #: What failed, if something did.
    error: Optional[str]


class BlobWriter:
    """A blob being written, in as many pieces as wanted::

        async with space.blob_writer() as writer:
            await writer.write(piece)
        await space.update(id, {"photo": writer.blob})

    Leaving the block finishes it; leaving it by an exception gives it up.
    """

    def __init__(self, space: _native.Space) -> None:
        self._space = space
        self._native: Optional[_native.BlobWriter] = None
        #: What was written, once it is finished.
        self.info: Optional[BlobInfo] = None

    @property
    def blob(self) -> Blob:
        """The value for an object's field that names this blob; it must be finished."""
        if self.info is None:
            raise RuntimeError("the blob is not finished")
        return self.info.blob

    @property
    def size(self) -> int:
        """Bytes written so far, 0 after the end."""
        with translated:
            return 0 if self._native is None else self._native.size()

    async def __aenter__(self) -> BlobWriter:
        await self._started()
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if kind is not None:
            self.cancel()
        elif self.info is None:
            await self.finish()

    async def write(self, data: bytes) -> None:
        """Adds bytes at the end."""
        native = await self._started()
        with translated:
            await native.write(bytes(data))

    async def finish(self) -> BlobInfo:
        """Ends the writing: from now on the blob is here."""
        native = await self._started()
        with translated:
            self.info = from_blob_info(await native.finish())
        return self.info

    def cancel(self) -> None:
        """Gives the blob up; what was written goes. Does nothing after the end."""
        if self._native is not None:
            self._native.cancel()

    async def _started(self) -> _native.BlobWriter:
        if self._native is None:
            with translated:
                self._native = await self._space.blob_writer()
        return self._native


class BlobFetch:
    """A blob on its way. It goes on without this object, until :meth:`cancel` or the closing of
    the space."""

    def __init__(self, native: _native.BlobFetch, lifeline: Lifeline) -> None:
        self._native = native
        self._lifeline = lifeline

    @property
    def id(self) -> str:
        """The blob's id."""
        with translated:
            return self._native.id()

    @property
    def progress(self) -> BlobProgress:
        """Where it stands."""
        with translated:
            return from_progress(self._native.progress())

    async def wait(self, timeout: Optional[float] = None) -> BlobProgress:
        """Waits until all of the blob is here. After ``timeout`` seconds the fetch goes on, and the
        error says why it is not done: ``Network`` if no member is connected, ``NotFound`` if none
        of those who are holds the blob, ``TimedOut`` if it is coming."""
        millis = None if timeout is None else max(0, int(timeout * 1000))
        with translated:
            return from_progress(await self._native.wait(millis))

    def updates(self) -> BlobUpdates:
        """The progress, the present one first: ``async for progress in fetch.updates():``. Ends
        with the fetch. Who is slow hears of the newest only."""

        async def attach(mailbox: Mailbox[BlobProgress]) -> _native.Subscription:
            with translated:
                return self._native.subscribe(_Listener(mailbox))

        return BlobUpdates(attach, self._lifeline, 1, lambda old, new: new, _is_last)

    def cancel(self) -> None:
        """Ends it for everybody who fetches this blob. What has come stays, and a later fetch goes
        on from there. Does nothing after the end."""
        self._native.cancel()


class BlobUpdates(Stream[BlobProgress]):
    """The progress of a fetch."""

    async def __aenter__(self) -> BlobUpdates:
        await super().__aenter__()
        return self


class _Listener(_native.BlobListener):
    def __init__(self, mailbox: Mailbox[BlobProgress]) -> None:
        self._mailbox = mailbox

    def progressed(self, progress: _native.BlobProgress) -> None:
        self._mailbox.put(from_progress(progress))


def _is_last(progress: BlobProgress) -> bool:
    return progress.state is not BlobFetchState.FETCHING


async def read_pieces(
    space: _native.Space, id: str, size: int, piece: int = _PIECE
) -> AsyncIterator[bytes]:
    """A blob's bytes, a piece at a time."""
    for offset in range(0, size, piece):
        with translated:
            yield await space.read_blob(id, offset, piece)


def from_blob_info(info: _native.BlobInfo) -> BlobInfo:
    """From the generated record."""
    return BlobInfo(info.id, info.size, info.held, info.whole, info.referenced)


def from_progress(progress: _native.BlobProgress) -> BlobProgress:
    """From the generated record."""
    return BlobProgress(
        BlobFetchState(progress.state.value),
        progress.received,
        progress.total,
        progress.peers,
        progress.sources,
        progress.status,
        progress.error,
    )
