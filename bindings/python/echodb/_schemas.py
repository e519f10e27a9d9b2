"""Schemas of types, what breaks them, and migrations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Union

from . import _native
from ._errors import Cancelled, Status
from ._values import Fields, dump_fields, load

#: A JSON Schema: its text, or what ``json.loads`` makes of it.
Schema = Union[str, Mapping[str, Any], bool]

#: What an object's fields become: called with its id, the version it carries, if any, and its
#: fields, on a thread of the library's; returns all new fields, or ``None`` to leave it. An error
#: counts the object as failed; ``echodb.Cancelled`` ends the migration.
MigrationStep = Callable[[str, Optional[int], Dict[str, Any]], Optional[Fields]]


@dataclass(frozen=True)
class SchemaInfo:
    """A registered version of a type's schema."""

    #: The object that holds it. Deleting that withdraws the schema.
    id: str
    #: The type.
    type: str
    #: The version, from 1.
    version: int
    #: The schema: JSON text.
    schema: str
    #: Whether it was withdrawn: then it is not in force.
    withdrawn: bool
    #: Why it cannot be used, if it cannot: then it is not in force.
    problem: Optional[str]
    #: Whether peers registered different schemas as this version at the same time; this one won.
    conflict: bool


@dataclass(frozen=True)
class Violation:
    """A rule of its type's schema that an object breaks."""

    #: The object.
    id: str
    #: Its type.
    type: str
    #: The version of the schema, which the object carries.
    version: int
    #: Where in the fields, as a JSON Pointer; empty for the object as a whole.
    path: str
    #: The schema's keyword, a colon, and a sentence.
    reason: str


@dataclass(frozen=True)
class MigrationFailure:
    """An object that a migration could not move."""

    #: The object.
    id: str
    #: Why.
    reason: str


@dataclass(frozen=True)
class MigrationReport:
    """What came of a migration."""

    #: Objects that carry the new version now.
    migrated: int
    #: Objects that the program left as they were.
    left: int
    #: Objects that could not be moved.
    failed: int
    #: The first hundred of them.
    failures: Tuple[MigrationFailure, ...]


class Migration(_native.Migration):
    """A program's step as the library calls it."""

    def __init__(self, step: MigrationStep) -> None:
        self._step = step

    def migrate(self, id: str, version: Optional[int], fields: str) -> Optional[str]:
        """The new fields as JSON."""
        try:
            made = self._step(id, version, load(fields))
        except Cancelled as error:
            made_of = (Status.CANCELLED.value, str(error), False)
            raise _native.EchoError.Cancelled(*made_of) from None  # type: ignore[attr-defined]
        return None if made is None else dump_fields(made)


def dump_schema(schema: Schema) -> str:
    """The JSON text of a schema."""
    return schema if isinstance(schema, str) else json.dumps(schema)


def from_schema(info: _native.SchemaInfo) -> SchemaInfo:
    """From the generated record."""
    return SchemaInfo(
        info.id,
        info.type_name,
        info.version,
        info.schema,
        info.withdrawn,
        info.problem,
        info.conflict,
    )


def from_violation(found: _native.Violation) -> Violation:
    """From the generated record."""
    return Violation(found.id, found.type_name, found.version, found.path, found.reason)


def from_migration(report: _native.MigrationReport) -> MigrationReport:
    """From the generated record."""
    failures = tuple(MigrationFailure(each.id, each.reason) for each in report.failures)
    return MigrationReport(report.migrated, report.left, report.failed, failures)
