"""A space: the unit of sharing. Objects, queries, changes, members."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Union

from . import _native
from ._changes import ChangeCallback, ChangeStream, Subscription, open_stream
from ._errors import translated
from ._invitation import Invitation, begin
from ._objects import ChangeInfo, Object, from_change, from_json, from_record
from ._query import OrderBy, Where, dump_filter, dump_query
from ._status import (
    Member,
    QuarantinedEntry,
    SpaceInfo,
    SpaceStatus,
    from_info,
    from_member,
    from_quarantined,
    from_space_status,
)
from ._stream import Lifeline
from ._texts import TextMark, from_mark
from ._transaction import Transaction
from ._values import Fields, dump_fields, load, strings

_UNIT = _native.TextUnit.CODE_POINT


class Space:
    """A handle on a space. Handles are cheap; all handles on one space act on the same space.

    What changes something takes effect completely or not at all. A task that is cancelled while
    it waits gives up the answer, not the change.
    """

    def __init__(self, native: _native.Space, lifeline: Lifeline) -> None:
        self._native = native
        self._lifeline = lifeline

    @property
    def id(self) -> str:
        """The space's id, 52 characters."""
        with translated:
            return self._native.id()

    async def info(self) -> SpaceInfo:
        """The space's id, name and state."""
        with translated:
            return from_info(await self._native.info())

    async def open(self) -> None:
        """Opens the space; it is replicated from now on. Does nothing if it is open."""
        with translated:
            await self._native.open()

    async def close(self) -> None:
        """Commits what is pending and closes the space, here and for later starts, until it is
        opened again."""
        with translated:
            await self._native.close()

    async def properties(self) -> Dict[str, Any]:
        """The space's own properties."""
        with translated:
            return dict(load(await self._native.properties()))

    async def set_properties(self, properties: Fields) -> None:
        """Sets some of the space's properties; the others stay."""
        json = dump_fields(properties)
        with translated:
            await self._native.set_properties(json)

    async def create(self, type: Optional[str], fields: Fields) -> str:
        """Makes one object and returns its id."""
        json = dump_fields(fields)
        with translated:
            return await self._native.create(type, json)

    async def update(self, id: str, fields: Fields) -> None:
        """Sets fields of one object; the others stay."""
        json = dump_fields(fields)
        with translated:
            await self._native.update(id, json)

    async def delete(self, id: str) -> None:
        """Deletes one object."""
        with translated:
            await self._native.delete(id)

    def transaction(self) -> Transaction:
        """Several steps at once: ``async with space.transaction() as tx:``."""
        with translated:
            return Transaction(self._native.transaction())

    async def get(self, id: str) -> Optional[Object]:
        """An object, or ``None`` if the space has none of that id. A deleted one is returned,
        marked."""
        with translated:
            record = await self._native.get(id)
        return None if record is None else from_record(record)

    async def query(
        self,
        *,
        type: Optional[str] = None,
        where: Optional[Where] = None,
        order: Union[OrderBy, Sequence[OrderBy]] = (),
        limit: Optional[int] = None,
        skip: int = 0,
    ) -> List[Object]:
        """The objects of a type that satisfy a filter, sorted by the keys in ``order`` and then by
        id. Deleted ones are left out unless the filter says ``echodb.deleted()``."""
        json = dump_query(type, where, order, limit, skip)
        with translated:
            answer = await self._native.query_json(json)
        return [from_json(entry) for entry in load(answer)]

    async def text(self, id: str, path: str) -> str:
        """A text field's present text."""
        with translated:
            return await self._native.text(id, path)

    async def splice_text(
        self, id: str, path: str, position: int, delete: int = 0, insert: str = ""
    ) -> None:
        """Replaces ``delete`` characters of a :class:`Text` from ``position`` on by ``insert``:
        the quick path for typing. Positions count as Python's do, in code points.

        The edit shows at once in reads of this client; edits within ``coalesce_ms`` of each other
        become one entry. :meth:`flush` makes it durable now."""
        with translated:
            await self._native.splice_text(id, path, position, delete, insert, _UNIT)

    async def marks(self, id: str, path: str) -> List[TextMark]:
        """The marks of a text, by name and place; positions in code points."""
        with translated:
            marks = await self._native.marks(id, path, _UNIT)
        return [from_mark(mark) for mark in marks]

    async def cursor(self, id: str, path: str, position: int) -> str:
        """Names the place before the character at ``position``, for as long as the text exists:
        what :meth:`cursor_position` finds again after any edits. The text's length names its end,
        whatever is added there."""
        with translated:
            return await self._native.cursor(id, path, position, _UNIT)

    async def cursor_position(self, id: str, path: str, cursor: str) -> int:
        """Where a cursor's place is now. If its character was deleted, that is where it stood."""
        with translated:
            return await self._native.cursor_position(id, path, cursor, _UNIT)

    async def conflicts(self, id: str, path: str) -> List[Any]:
        """The values that concurrent writes put in one place; the one that reads show comes last.
        One value where there is no conflict. Writing the place settles it."""
        with translated:
            values = await self._native.conflicts(id, path)
        return [load(value) for value in values]

    async def history(self, id: str, since: Sequence[str] = ()) -> List[ChangeInfo]:
        """An object's history since the version ``since`` (all of it if empty), oldest first."""
        with translated:
            changes = await self._native.history(id, strings(since))
        return [from_change(change) for change in changes]

    async def flush(self) -> None:
        """The durability barrier: when this returns, everything done before it is on disk and
        survives a power failure, as far as the disk keeps its word."""
        with translated:
            await self._native.flush()

    async def digest(self) -> str:
        """A digest of all objects' versions: two replicas with the same digest hold the same
        objects with the same histories."""
        with translated:
            return await self._native.digest()

    def changes(self, where: Optional[Where] = None, *, type: Optional[str] = None) -> ChangeStream:
        """The committed changes, local and remote, of the objects that satisfy a filter, from the
        first iteration on; ``async with`` begins earlier::

            async with space.changes() as changes:
                async for batch in changes:
                    ...
        """
        return open_stream(self._native, dump_filter(type, where), self._lifeline)

    async def subscribe(
        self,
        callback: ChangeCallback,
        where: Optional[Where] = None,
        *,
        type: Optional[str] = None,
    ) -> Subscription:
        """Calls ``callback``, which may be a coroutine function, on this task's loop with every
        batch of changes, one at a time. One that raises is logged and kept."""
        stream = self.changes(where, type=type)
        await stream.__aenter__()
        return Subscription(stream, callback, self._lifeline)

    async def invite(self, *, expires: int = 3600, include_signaling: bool = True) -> Invitation:
        """Opens an invitation; needs the role of admin or owner. Its code is good for ``expires``
        seconds, and carries the signalling servers unless told not to. It can be used once its
        state is ``CONNECTING``, while this client runs and is online."""
        with translated:
            options = _native.InviteOptions(expires_s=expires, include_signaling=include_signaling)
        return await begin(lambda: self._native.invite(options), self._lifeline)

    async def members(self) -> List[Member]:
        """The members."""
        with translated:
            return [from_member(member) for member in await self._native.members()]

    async def status(self) -> SpaceStatus:
        """Who has what, and what waits for what."""
        with translated:
            return from_space_status(await self._native.status())

    async def quarantined(self) -> List[QuarantinedEntry]:
        """Remote entries that were set aside as harmful or malformed."""
        with translated:
            return [from_quarantined(entry) for entry in await self._native.quarantined()]

    async def export_json(self) -> bytes:
        """All objects as JSON lines: a header line, then one object a line. Values only, no
        history."""
        with translated:
            return await self._native.export_json()

    async def import_json(self, data: bytes) -> int:
        """Reads what :meth:`export_json` wrote: makes objects that are absent, and sets the fields
        of those that exist. All or nothing; returns the number of objects."""
        with translated:
            return await self._native.import_json(data)

    def __repr__(self) -> str:
        return f"<echodb.Space {self.id}>"
