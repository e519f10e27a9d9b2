"""Import and export."""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from typing import Optional, Sequence, Tuple, Union

from . import _native
from ._errors import translated


@dataclass(frozen=True)
class ArchiveInfo:
    """What an archive holds."""

    #: The space's id.
    space: str
    #: The version of the archive's format.
    version: int
    #: Feeds.
    feeds: int
    #: Entries of all feeds.
    entries: int
    #: Those of them that say who is a member and which keys there are.
    control_entries: int
    #: Blobs: those that objects named, and that whoever exported it had as a whole.
    blobs: int
    #: The file's size in bytes.
    bytes: int
    #: SHA-256 of all but the file's last 32 bytes, which are this, in hexadecimal.
    digest: str


class ImportFormat(enum.Enum):
    """How plain data is written."""

    #: One JSON array of objects, or one object.
    JSON = 1
    #: A JSON object a line.
    NDJSON = 2
    #: A table (RFC 4180), in UTF-8.
    CSV = 3


class ColumnKind(enum.Enum):
    """What a column, or a member of JSON objects, holds."""

    #: Found out from all cells of the column. JSON says itself what it is.
    INFER = 1
    #: Strings.
    STRING = 2
    #: Texts that merge character by character.
    TEXT = 3
    #: Integers of 64 bits.
    INTEGER = 4
    #: Floating-point numbers.
    FLOAT = 5
    #: ``true``, ``yes`` or ``1``, and ``false``, ``no`` or ``0``, in any case.
    BOOLEAN = 6
    #: RFC 3339, a date alone (UTC), or milliseconds since 1970.
    TIMESTAMP = 7
    #: Object ids, ``echo:OBJECT`` or ``echo://SPACE/OBJECT``.
    REFERENCE = 8
    #: JSON, with tagged values.
    JSON = 9
    #: Left out.
    IGNORE = 10


class OnError(enum.Enum):
    """What a row that cannot be used leads to."""

    #: The import fails; a malformed row leaves everything as it was.
    STOP = 1
    #: The row is left out and reported.
    SKIP = 2


@dataclass(frozen=True)
class ImportColumn:
    """What becomes of one column, or of one member of JSON objects."""

    #: Its name in the input; columns without a header are ``column_1`` and so on.
    name: str
    #: What it holds.
    kind: ColumnKind = ColumnKind.INFER
    #: The field that it goes to, if not one of the same name.
    field: Optional[str] = None


@dataclass(frozen=True)
class ImportOptions:
    """How plain data becomes objects."""

    #: How the input is written.
    format: ImportFormat
    #: The objects' type.
    type: Optional[str] = None
    #: The column or member whose value is the objects' natural key: importing again updates the
    #: objects that exist. Takes a type.
    key: Optional[str] = None
    #: Columns or members of which something is to be said.
    columns: Sequence[ImportColumn] = ()
    #: What all others hold.
    other_columns: ColumnKind = ColumnKind.INFER
    #: Between cells: one ASCII character.
    delimiter: str = ","
    #: Whether a table's first row has the columns' names.
    header: bool = True
    #: What a row that cannot be used leads to.
    on_error: OnError = OnError.STOP

    def _native(self) -> _native.ImportOptions:
        columns = [
            _native.ImportColumn(
                name=each.name, field=each.field, kind=_native.ColumnKind(each.kind.value)
            )
            for each in self.columns
        ]
        return _native.ImportOptions(
            format=_native.ImportFormat(self.format.value),
            type_name=self.type,
            key=self.key,
            columns=columns,
            other_columns=_native.ColumnKind(self.other_columns.value),
            delimiter=self.delimiter,
            header=self.header,
            on_error=_native.OnError(self.on_error.value),
        )


@dataclass(frozen=True)
class SkippedRow:
    """A row that was left out."""

    #: The line that it begins on, from 1.
    line: int
    #: Why.
    reason: str


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    #: Rows read, a header not counted.
    rows: int
    #: Objects made.
    created: int
    #: Rows that changed objects which existed.
    updated: int
    #: Rows whose objects were like that already.
    unchanged: int
    #: Rows left out.
    skipped: int
    #: The first thousand of them.
    skips: Tuple[SkippedRow, ...]


async def verify_archive(path: Union[str, os.PathLike[str]]) -> ArchiveInfo:
    """Checks an archive, without any key: that it is whole, that every entry is signed by its
    author's device and follows the entries it names, and that its author was a member."""
    with translated:
        return from_archive(await _native.verify_archive(os.fspath(path)))


def options(given: ImportOptions) -> _native.ImportOptions:
    """The generated form of options."""
    with translated:
        return given._native()


def from_archive(info: _native.ArchiveInfo) -> ArchiveInfo:
    """From the generated record."""
    return ArchiveInfo(
        info.space,
        info.version,
        info.feeds,
        info.entries,
        info.control_entries,
        info.blobs,
        info.bytes,
        info.digest,
    )


def from_report(report: _native.ImportReport) -> ImportReport:
    """From the generated record."""
    skips = tuple(SkippedRow(skip.line, skip.reason) for skip in report.skips)
    return ImportReport(
        report.rows, report.created, report.updated, report.unchanged, report.skipped, skips
    )
