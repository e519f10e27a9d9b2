"""A space's past: undo and redo, the log, branches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Dict, Optional, Tuple

from . import _native
from ._transaction import Committed, from_committed
from ._values import clock_time


@dataclass(frozen=True)
class SkippedUndo:
    """Something that undoing left as it is."""

    #: The object.
    object: str
    #: The place in it, a JSON Pointer; empty for the object as a whole.
    path: str
    #: Why, a sentence for people.
    reason: str


@dataclass(frozen=True)
class Undone:
    """What undoing or redoing a step did."""

    #: What was written; without an entry if everything had to be skipped.
    committed: Committed
    #: The message of the transaction that it was about, if it had one.
    label: Optional[str]
    #: What was left as it is, since somebody else has changed it.
    skipped: Tuple[SkippedUndo, ...]


@dataclass(frozen=True)
class TransactionInfo:
    """One transaction in a space's log."""

    #: The entry that carries it.
    entry: str
    #: The identity of its author.
    identity: str
    #: The device that signed it.
    device: str
    #: When, by the author's clock: a claim, not a fact.
    time: datetime
    #: The message given to it, if any.
    message: Optional[str]
    #: The objects that it changed, in id order.
    objects: Tuple[str, ...]
    #: The version that it made of each, by the object's id.
    versions: Dict[str, Tuple[str, ...]]
    #: If its author, or the author's device, was removed, demoted or revoked without having known:
    #: the identity of a member who had built on it in good standing, which is why it counts. Of
    #: several such members devices may name different ones.
    endorsed_by: Optional[str]


@dataclass(frozen=True)
class BranchInfo:
    """A branch of an object."""

    #: The branch's own id: it is read, edited and deleted like any object.
    id: str
    #: The object it is a branch of.
    of: str
    #: Its name.
    name: str
    #: The original's version that it began with or was last merged into.
    heads: Tuple[str, ...]
    #: When it was made, by the clock of the device that did.
    created: datetime
    #: When it was last changed, likewise.
    updated: datetime


def from_undone(undone: _native.Undone) -> Undone:
    """From the generated record."""
    skipped = tuple(SkippedUndo(each.object, each.path, each.reason) for each in undone.skipped)
    return Undone(from_committed(undone.committed), undone.label, skipped)


def from_transaction(info: _native.TransactionInfo) -> TransactionInfo:
    """From the generated record."""
    return TransactionInfo(
        info.entry,
        info.identity,
        info.device,
        clock_time(info.time_ms),
        info.message,
        tuple(info.objects),
        {each.id: tuple(each.heads) for each in info.versions},
        info.endorsed_by,
    )


def from_branch(info: _native.BranchInfo) -> BranchInfo:
    """From the generated record."""
    return BranchInfo(
        info.id,
        info.of,
        info.name,
        tuple(info.heads),
        clock_time(info.created_ms),
        clock_time(info.updated_ms),
    )
