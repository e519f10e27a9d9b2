"""A space: the unit of sharing. Objects, queries, changes, members."""

from __future__ import annotations

import os
from typing import Any, AsyncIterator, Dict, List, Optional, Sequence, Union

from . import _native, _space_members
from ._blobs import (
    BlobFetch,
    BlobInfo,
    BlobWriter,
    CollectedBlobs,
    PathLike,
    from_blob_info,
    read_pieces,
)
from ._changes import ChangeCallback, ChangeStream, Subscription, open_stream
from ._check import CheckReport, RepairReport, from_check, from_repair
from ._errors import translated
from ._history import (
    BranchInfo,
    TransactionInfo,
    Undone,
    from_branch,
    from_transaction,
    from_undone,
)
from ._links import Follow
from ._live import LiveQuery
from ._objects import ChangeInfo, Object, from_change, from_json, from_record
from ._query import OrderBy, Where, dump_filter, dump_query
from ._results import (
    AggregateRow,
    Explanation,
    Measure,
    QueryPage,
    dump_aggregate,
    from_explanation,
    from_page,
    from_rows,
)
from ._schemas import (
    Migration,
    MigrationReport,
    MigrationStep,
    Schema,
    SchemaInfo,
    Violation,
    dump_schema,
    from_migration,
    from_schema,
    from_violation,
)
from ._search import IndexInfo, SearchHit, from_hits, from_index
from ._status import (
    QuarantinedEntry,
    SpaceInfo,
    SpaceStatus,
    from_info,
    from_quarantined,
    from_space_status,
)
from ._texts import TextMark, from_mark
from ._transaction import Committed, Transaction, from_committed
from ._transfer import ArchiveInfo, ImportOptions, ImportReport, from_archive, from_report
from ._transfer import options as import_options
from ._values import Blob, Fields, dump_fields, load, strings

_UNIT = _native.TextUnit.CODE_POINT


class Space(_space_members.Space):
    """A handle on a space. Handles are cheap; all handles on one space act on the same space.

    What changes something takes effect completely or not at all. A task that is cancelled while
    it waits gives up the answer, not the change.
    """

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
        follow: Sequence[Follow] = (),
    ) -> List[Object]:
        """The objects of a type that satisfy a filter, or those that the steps in ``follow`` lead
        to from them, sorted by the keys in ``order`` and then by id. Deleted ones are left out
        unless the filter says ``echodb.deleted()``."""
        json = dump_query(type, where, order, limit, skip, follow)
        with translated:
            answer = await self._native.query_json(json)
        return [from_json(entry) for entry in load(answer)]

    async def query_page(
        self,
        *,
        type: Optional[str] = None,
        where: Optional[Where] = None,
        order: Union[OrderBy, Sequence[OrderBy]] = (),
        limit: Optional[int] = None,
        follow: Sequence[Follow] = (),
        after: Optional[str] = None,
    ) -> QueryPage:
        """One page of a query's results: ``limit`` of them (1 to 10,000; 100 if left out), the
        first or those ``after`` another page's ``next``. An object whose sort keys stay is on
        exactly one page, whatever comes, goes or changes between."""
        json = dump_query(type, where, order, limit, 0, follow)
        with translated:
            return from_page(await self._native.query_page(json, after))

    async def aggregate(
        self,
        *,
        type: Optional[str] = None,
        where: Optional[Where] = None,
        follow: Sequence[Follow] = (),
        group: Sequence[str] = (),
        order: Union[str, Sequence[str]] = (),
        limit: Optional[int] = None,
        skip: int = 0,
        **measures: Measure,
    ) -> List[AggregateRow]:
        """Counts, sums and extremes over what a query finds, whole or by groups::

            await space.aggregate(group=["/status"], n="count", total={"sum": "/price"})

        ``group`` lists up to 4 of ``type``, ``parent``, ``source``, ``target``, ``tag`` and fields;
        measures are ``"count"`` or ``{"count" | "min" | "max" | "sum" | "avg": FIELD}``; ``order``
        names measures, with ``-`` before one for the largest first."""
        json = dump_aggregate(type, where, follow, group, measures, order, limit, skip)
        with translated:
            return from_rows(await self._native.aggregate(json))

    async def explain(
        self,
        *,
        type: Optional[str] = None,
        where: Optional[Where] = None,
        order: Union[OrderBy, Sequence[OrderBy]] = (),
        limit: Optional[int] = None,
        skip: int = 0,
        follow: Sequence[Follow] = (),
    ) -> Explanation:
        """How a query is answered: for people and tests, what it says may change."""
        json = dump_query(type, where, order, limit, skip, follow)
        with translated:
            return from_explanation(await self._native.explain(json))

    def live(
        self,
        *,
        type: Optional[str] = None,
        where: Optional[Where] = None,
        order: Union[OrderBy, Sequence[OrderBy]] = (),
        limit: Optional[int] = None,
        skip: int = 0,
        follow: Sequence[Follow] = (),
        interval_ms: int = 16,
    ) -> LiveQuery:
        """A query that goes on: its results first, and then what changes in them, at most every
        ``interval_ms`` milliseconds (0 to 60,000)::

            async with space.live(type="Task", order="due") as live:
                async for batch in live:
                    show(live.results)
        """
        json = dump_query(type, where, order, limit, skip, follow)
        return LiveQuery(self._native, json, interval_ms, self._lifeline)

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

    async def export_json_file(self, path: PathLike) -> int:
        """As :meth:`export_json`, into a file, which appears when it is whole; returns the number
        of objects."""
        with translated:
            return await self._native.export_json_file(os.fspath(path))

    async def import_json_file(self, path: PathLike) -> int:
        """As :meth:`import_json`, from a file, without holding all of it in memory."""
        with translated:
            return await self._native.import_json_file(os.fspath(path))

    async def import_data(self, data: bytes, options: ImportOptions) -> ImportReport:
        """Makes objects of plain data: JSON, JSON lines or CSV. Written up to a thousand rows a
        transaction; an error after some were written says how many."""
        native = import_options(options)
        with translated:
            return from_report(await self._native.import_data(data, native))

    async def import_file(self, path: PathLike, options: ImportOptions) -> ImportReport:
        """As :meth:`import_data`, from a file, without holding all of it in memory."""
        native = import_options(options)
        with translated:
            return from_report(await self._native.import_file(os.fspath(path), native))

    async def export_archive(self, path: PathLike) -> ArchiveInfo:
        """Writes the space with its history into one file: all entries as they were received,
        signed and sealed. Members' devices can import it (:meth:`Client.import_archive`), anybody
        can check it (:func:`verify_archive`), only members can read it."""
        with translated:
            return from_archive(await self._native.export_archive(os.fspath(path)))

    async def export_object(self, id: str) -> bytes:
        """An object with its history as an Automerge file."""
        with translated:
            return await self._native.export_object(id)

    async def import_object(self, data: bytes, into: Optional[str] = None) -> str:
        """Makes an object of an Automerge file, or brings the changes that a file has beyond the
        object ``into`` into it; returns the object's id."""
        with translated:
            return await self._native.import_object(data, into)

    def blob_writer(self) -> BlobWriter:
        """Writes a blob piece by piece: ``async with space.blob_writer() as writer:``."""
        return BlobWriter(self._native)

    async def put_blob(self, data: bytes) -> Blob:
        """Stores bytes as a blob; returns the value for an object's field that names it."""
        with translated:
            return from_blob_info(await self._native.put_blob(bytes(data))).blob

    async def put_blob_file(self, path: PathLike) -> Blob:
        """Stores a file's bytes as a blob, in bounded memory."""
        with translated:
            return from_blob_info(await self._native.put_blob_file(os.fspath(path))).blob

    async def read_blob(
        self, blob: Union[Blob, str], offset: int = 0, length: int = 2**24
    ) -> bytes:
        """A blob's bytes from ``offset`` on, at most ``length``, which is up to 16 MiB; see
        :meth:`read_blob_pieces` for larger ones. Raises ``NotFound`` if they are not
        here: see :meth:`fetch_blob`."""
        with translated:
            return await self._native.read_blob(_blob_id(blob), offset, length)

    async def read_blob_pieces(self, blob: Union[Blob, str]) -> AsyncIterator[bytes]:
        """A blob's bytes, a piece of up to 1 MiB at a time."""
        info = await self.blob_info(blob)
        size = 0 if info is None else info.size
        async for piece in read_pieces(self._native, _blob_id(blob), size):
            yield piece

    async def blob_to_file(self, blob: Union[Blob, str], path: PathLike) -> None:
        """Writes a blob into a file, in bounded memory."""
        with translated:
            await self._native.blob_to_file(_blob_id(blob), os.fspath(path))

    async def blob_info(self, blob: Union[Blob, str]) -> Optional[BlobInfo]:
        """What is here of a blob; ``None`` if nothing is."""
        with translated:
            info = await self._native.blob_info(_blob_id(blob))
        return None if info is None else from_blob_info(info)

    async def blobs(self) -> List[BlobInfo]:
        """What is here of all blobs."""
        with translated:
            return [from_blob_info(info) for info in await self._native.blobs()]

    async def fetch_blob(self, blob: Union[Blob, str]) -> BlobFetch:
        """Begins, or goes on, to fetch a blob from members who hold it."""
        with translated:
            native = await self._native.fetch_blob(_blob_id(blob))
        return BlobFetch(native, self._lifeline)

    async def collect_blobs(self, grace: float = 3600) -> CollectedBlobs:
        """Removes blobs that no object names and that are older than ``grace`` seconds."""
        with translated:
            done = await self._native.collect_blobs(max(0, int(grace)))
        return CollectedBlobs(done.blobs, done.bytes)

    async def search(
        self,
        words: str,
        where: Optional[Where] = None,
        *,
        type: Optional[str] = None,
        paths: Sequence[str] = (),
        limit: int = 20,
        skip: int = 0,
        snippet_chars: int = 160,
    ) -> List[SearchHit]:
        """The objects in whose strings and texts all the words occur, the best first. ``"a
        phrase"``, ``pre*``, ``-not`` and ``OR`` are understood, and no text is malformed. ``paths``
        says where to look, with what is below. The first search makes an index."""
        given = type is not None or where is not None
        with translated:
            options = _native.SearchOptions(
                filter=dump_filter(type, where) if given else None,
                paths=strings(paths),
                limit=limit,
                skip=skip,
                snippet_chars=snippet_chars,
                unit=_UNIT,
            )
            return from_hits(await self._native.search(words, options))

    async def create_index(self, type: Optional[str], path: str) -> None:
        """Makes an index of a field, ``created`` or ``updated`` among objects of a type, or of all,
        for queries that compare it or are ordered by it. It belongs to this profile's copy."""
        with translated:
            await self._native.create_index(type, path)

    async def drop_index(self, type: Optional[str], path: str) -> None:
        """Drops an index."""
        with translated:
            await self._native.drop_index(type, path)

    async def indexes(self) -> List[IndexInfo]:
        """The indexes that were made."""
        with translated:
            return [from_index(info) for info in await self._native.indexes()]

    async def undo(self) -> Optional[Undone]:
        """Undoes the last step of this device that stands: a transaction, or typing without a
        pause; ``None`` if there is none. What somebody else has changed since is left alone, and
        reported. The last 100 steps can be undone, also after a restart."""
        with translated:
            undone = await self._native.undo()
        return None if undone is None else from_undone(undone)

    async def redo(self) -> Optional[Undone]:
        """Undoes the last :meth:`undo`; ``None`` if there is none, or if this device has written
        anything since."""
        with translated:
            undone = await self._native.redo()
        return None if undone is None else from_undone(undone)

    async def log(self, limit: int = 100, before: Optional[str] = None) -> List[TransactionInfo]:
        """The space's transactions, the last first: at most ``limit`` (up to 1,000) of those before
        the entry ``before``, or of all."""
        with translated:
            return [from_transaction(info) for info in await self._native.log(limit, before)]

    async def get_at(self, id: str, heads: Sequence[str]) -> Object:
        """An object as it was at a version."""
        with translated:
            return from_record(await self._native.get_at(id, strings(heads)))

    async def diff(self, id: str, since: Sequence[str], until: Sequence[str]) -> List[Any]:
        """What leads from one version of an object to another: changes that build on each other, in
        the forms of ``docs/guide/history.md``, with positions in code points. ``since`` may be
        empty: before the object was made."""
        with translated:
            return list(load(await self._native.diff(id, strings(since), strings(until), _UNIT)))

    async def restore_version(self, id: str, heads: Sequence[str]) -> Committed:
        """Makes an object as it was at a version, by a new change that writes only what differs."""
        with translated:
            return from_committed(await self._native.restore_version(id, strings(heads)))

    async def branch(self, id: str, name: str) -> str:
        """Makes a branch of an object and returns its id: an object of its own, whose edits do not
        touch the original until :meth:`merge_branch`."""
        with translated:
            return await self._native.branch(id, name)

    async def branches(self, id: str) -> List[BranchInfo]:
        """The branches of an object, deleted ones left out."""
        with translated:
            return [from_branch(info) for info in await self._native.branches(id)]

    async def merge_branch(self, branch: str) -> Committed:
        """Brings what was done to a branch since it was made, or last merged, into the original."""
        with translated:
            return from_committed(await self._native.merge_branch(branch))

    async def register_schema(
        self, type: str, schema: Schema, *, version: Optional[int] = None
    ) -> int:
        """Registers a JSON Schema for the objects of a type, as ``version`` or as the next one, and
        returns the version. Does nothing if it is registered already. Local writes that break it
        raise ``InvalidArgument`` with the status ``SCHEMA_VIOLATION``."""
        with translated:
            return await self._native.register_schema(type, dump_schema(schema), version)

    async def schemas(self) -> List[SchemaInfo]:
        """Every registered schema, by type and version."""
        with translated:
            return [from_schema(info) for info in await self._native.schemas()]

    async def schema(self, type: str) -> Optional[SchemaInfo]:
        """The schema that new objects of a type carry the version of, if any."""
        with translated:
            info = await self._native.schema(type)
        return None if info is None else from_schema(info)

    async def violations(self) -> List[Violation]:
        """The rules that objects break after merges, or since they are older than the schema."""
        with translated:
            return [from_violation(found) for found in await self._native.violations()]

    async def migrate(self, type: str, to_version: int, step: MigrationStep) -> MigrationReport:
        """Moves the objects of a type that carry an older version to ``to_version``, as ``step``
        says. May be interrupted and run again."""
        with translated:
            done = await self._native.migrate(type, to_version, Migration(step))
        return from_migration(done)

    async def check(self, full: bool = False) -> CheckReport:
        """Checks what is stored of the space and changes nothing: the structure of the file and
        every entry; with ``full``, every index, object and blob too."""
        with translated:
            return from_check(await self._native.check(full))

    async def repair(self) -> RepairReport:
        """Makes the space's file again from its entries, also of a space that cannot be opened.
        What is not sound is left out and comes again from peers that hold it."""
        with translated:
            return from_repair(await self._native.repair())

    def __repr__(self) -> str:
        return f"<echodb.Space {self.id}>"


def _blob_id(blob: Union[Blob, str]) -> str:
    return blob.id if isinstance(blob, Blob) else blob
