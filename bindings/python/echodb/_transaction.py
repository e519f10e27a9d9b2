"""Transactions: several steps on several objects that take effect together or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Dict, Optional, Sequence, Tuple, Type

from . import _native
from ._errors import translated
from ._texts import MarkExpand
from ._values import Fields, Value, dump_fields, dump_value, strings

_UNIT = _native.TextUnit.CODE_POINT


@dataclass(frozen=True)
class Committed:
    """What a committed transaction led to."""

    #: The entry that carries it; ``None`` when the transaction changed nothing.
    entry: Optional[str]
    #: For each touched object its version after the transaction.
    heads: Dict[str, Tuple[str, ...]]


def from_committed(done: _native.Committed) -> Committed:
    """From the generated record."""
    return Committed(done.entry, {each.id: tuple(each.heads) for each in done.objects})


class Transaction:
    """Gathers steps; nothing happens until the ``async with`` block ends. An exception that
    leaves the block throws the steps away.

    Arguments are checked as they are given; a step that does not fit its object (no such field,
    a position past the end) fails the commit, and nothing is changed. A task that is cancelled
    while it commits has committed everything or nothing.
    """

    def __init__(self, native: _native.Transaction) -> None:
        self._native = native
        self._cancelled = False
        #: What the commit led to; ``None`` before.
        self.committed: Optional[Committed] = None

    async def __aenter__(self) -> Transaction:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if error is not None:
            self.cancel()
        elif not self._cancelled:
            await self.commit()

    async def commit(self) -> Committed:
        """Commits now: when this returns, every step is stored and survives the death of the
        process, and queries and subscriptions see it. The end of the block does it by itself."""
        if self.committed is None:
            with translated:
                self.committed = from_committed(await self._native.commit())
        return self.committed

    def cancel(self) -> None:
        """Throws the steps away; further ones, and a commit, raise ``InvalidState``."""
        self._cancelled = True
        self._native.cancel()

    def only_if(self, id: str, heads: Sequence[str]) -> None:
        """Takes it for granted that an object is at exactly this version, or, without ``heads``,
        that it does not exist. Otherwise the commit raises ``InvalidState`` with the status
        ``CONFLICT`` and changes nothing."""
        with translated:
            self._native.only_if(id, strings(heads))

    def group(self, name: str) -> None:
        """Puts the transaction in a group: transactions of one group that follow each other are
        undone, and redone, at once."""
        with translated:
            self._native.group(name)

    def create(self, type: Optional[str], fields: Fields, *, id: Optional[str] = None) -> str:
        """Adds a new object and returns its id, which may be the caller's, for imports."""
        json = dump_fields(fields)
        with translated:
            if id is None:
                return self._native.create(type, json)
            self._native.create_with_id(id, type, json)
            return id

    def update(self, id: str, fields: Fields) -> None:
        """Sets fields of an object; the others stay."""
        json = dump_fields(fields)
        with translated:
            self._native.update(id, json)

    def set(self, id: str, path: str, value: Value) -> None:
        """Sets the value at a path: a field name, or a JSON Pointer (``"/tags/0"``)."""
        json = dump_value(value)
        with translated:
            self._native.set(id, path, json)

    def insert(self, id: str, path: str, value: Value) -> None:
        """Inserts into a list before the index that ends the path; the list's length appends."""
        json = dump_value(value)
        with translated:
            self._native.insert(id, path, json)

    def remove(self, id: str, path: str) -> None:
        """Removes a field, a map entry or a list element."""
        with translated:
            self._native.remove(id, path)

    def splice_text(
        self, id: str, path: str, position: int, delete: int = 0, insert: str = ""
    ) -> None:
        """Replaces ``delete`` characters of a :class:`Text` from ``position`` on by ``insert``.
        Positions count as Python's do, in code points."""
        with translated:
            self._native.splice_text(id, path, position, delete, insert, _UNIT)

    def increment(self, id: str, path: str, by: int = 1) -> None:
        """Adds to a :class:`Counter`."""
        with translated:
            self._native.increment(id, path, by)

    def create_with_key(self, type: str, key: str, fields: Fields) -> str:
        """Makes the object that a natural key of a type names, or sets these fields of it if it
        exists (a deleted one comes back), and returns its id. Every peer makes the same id of the
        same key, so that objects made apart become one."""
        json = dump_fields(fields)
        with translated:
            return self._native.create_with_key(type, key, json)

    def move_item(self, id: str, path: str, to: int) -> None:
        """Moves a list's element, which the path names, so that it has the index ``to``
        afterwards. If two peers move one element at the same time, both moves take place and it
        stands twice."""
        with translated:
            self._native.move_item(id, path, to)

    def mark(
        self,
        id: str,
        path: str,
        start: int,
        end: int,
        name: str,
        value: Value = True,
        expand: MarkExpand = MarkExpand.AFTER,
    ) -> None:
        """Marks a :class:`Text` from ``start`` to ``end``: bold, a link, a comment. The value is a
        scalar; ``None`` clears the mark. Marks of one name do not overlap: the later one counts."""
        json = dump_value(value)
        with translated:
            self._native.mark(id, path, start, end, _UNIT, name, json, expand.value)

    def relate(self, id: str, source: Optional[str], target: Optional[str]) -> None:
        """Makes an object a relation from ``source`` to ``target``, or sets its ends anew; they
        need not exist."""
        with translated:
            self._native.relate(id, source, target)

    def tag(self, id: str, tag: str) -> None:
        """Adds a tag, of 1 to 256 bytes. If a peer removes it at the same time, it stays."""
        with translated:
            self._native.tag(id, tag)

    def untag(self, id: str, tag: str) -> None:
        """Removes a tag."""
        with translated:
            self._native.untag(id, tag)

    def set_key(self, id: str, source: str, key: Optional[str]) -> None:
        """Says what the object is called in another system, ``source``; ``None`` forgets it.
        Both have 1 to 256 bytes, and sources are not ``natural`` and do not begin with ``@``."""
        with translated:
            self._native.set_key(id, source, key)

    def set_parent(self, id: str, parent: Optional[str]) -> None:
        """Sets or clears an object's parent."""
        with translated:
            self._native.set_parent(id, parent)

    def delete(self, id: str) -> None:
        """Deletes an object."""
        with translated:
            self._native.delete(id)

    def restore(self, id: str) -> None:
        """Undoes a deletion."""
        with translated:
            self._native.restore(id)

    def at(self, heads: Sequence[str]) -> None:
        """Makes the steps at the version ``heads`` instead of the newest one, as if they had been
        made then; they merge with what came since. All steps must touch one object."""
        with translated:
            self._native.at(strings(heads))

    def message(self, text: str) -> None:
        """A note that stays in the history of the touched objects, at most 256 characters."""
        with translated:
            self._native.message(text)
