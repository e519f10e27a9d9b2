"""Objects as they are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, Mapping, Optional, Tuple

from . import _native
from ._values import Ref, clock_time, load


@dataclass(frozen=True)
class Object:
    """An object at one moment. Changing ``fields`` changes nothing but this copy."""

    #: Its id, 26 characters.
    id: str
    #: Its type name, if any.
    type: Optional[str]
    #: Its parent's id, if any; the parent may not exist.
    parent: Optional[str]
    #: Whether it is deleted; a deleted object keeps its fields until garbage collection.
    deleted: bool
    #: Whether an ancestor of it is deleted: queries then leave it out too.
    hidden: bool
    #: The version of its type's schema that it was written for, if any.
    schema_version: Optional[int]
    #: Where it begins, if it is a relation; may not exist.
    source: Optional[str]
    #: Where it ends, if it is a relation; may not exist.
    target: Optional[str]
    #: Its tags, sorted.
    tags: Tuple[str, ...]
    #: Its names in other systems, by system; a natural key stands under ``natural``.
    keys: Mapping[str, str]
    #: The object of which it is a branch, if it is one.
    branch_of: Optional[str]
    #: Its fields.
    fields: Dict[str, Any]
    #: When it was created, by the clock of the device that did.
    created: datetime
    #: When it was last changed, likewise.
    updated: datetime
    #: Its version: hashes, sorted.
    heads: Tuple[str, ...]

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A field, or ``default`` if the object has none of that name."""
        return self.fields.get(name, default)

    @property
    def ref(self) -> Ref:
        """A reference to this object, for a field of another one of the same space."""
        return Ref(self.id)


@dataclass(frozen=True)
class ChangeInfo:
    """One change in an object's history."""

    #: The change's hash: the version it led to.
    hash: str
    #: The versions it was made on.
    parents: Tuple[str, ...]
    #: The message given to the transaction, if any.
    message: Optional[str]
    #: When, by the author's clock: a claim, not a fact.
    time: datetime
    #: The identity of its author.
    identity: str
    #: The device that made it, which signed the entry that it came in.
    device: str


def from_record(record: _native.ObjectRecord) -> Object:
    """From the generated record."""
    return Object(
        id=record.id,
        type=record.type_name,
        parent=record.parent,
        deleted=record.deleted,
        hidden=record.hidden,
        schema_version=record.schema_version,
        source=record.source,
        target=record.target,
        tags=tuple(record.tags),
        keys=dict(record.keys),
        branch_of=record.branch_of,
        fields=load(record.fields),
        created=clock_time(record.created_ms),
        updated=clock_time(record.updated_ms),
        heads=tuple(record.heads),
    )


def from_json(entry: Dict[str, Any]) -> Object:
    """From an element of a query's JSON answer."""
    made = object.__new__(Object)
    # Past the constructor, which sets one attribute after the other: an answer has many objects.
    made.__dict__.update(
        id=entry["id"],
        type=entry["type"],
        parent=entry["parent"],
        deleted=entry["deleted"],
        hidden=entry["hidden"],
        schema_version=entry["schema_version"],
        source=entry["source"],
        target=entry["target"],
        tags=tuple(entry["tags"]),
        keys=entry["keys"],
        branch_of=entry["branch_of"],
        fields=entry["fields"],
        created=clock_time(entry["created_ms"]),
        updated=clock_time(entry["updated_ms"]),
        heads=tuple(entry["heads"]),
    )
    return made


def from_change(info: _native.ChangeInfo) -> ChangeInfo:
    """From the generated record."""
    return ChangeInfo(
        info.hash,
        tuple(info.parents),
        info.message,
        clock_time(info.time_ms),
        info.identity,
        info.device,
    )
