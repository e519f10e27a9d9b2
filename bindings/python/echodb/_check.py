"""Checking what is stored of a space, and making it again."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Optional, Tuple

from . import _native


class CheckFindingKind(enum.Enum):
    """What a finding is in."""

    #: The structure of the space's file.
    FILE = "file"
    #: An entry or a feed, from which everything else is made: it comes again from peers.
    ENTRY = "entry"
    #: An object's document or row.
    OBJECT = "object"
    #: What objects are found by: references, tags, keys, words.
    INDEX = "index"
    #: A blob: what is damaged of it comes again from peers.
    BLOB = "blob"


@dataclass(frozen=True)
class CheckFinding:
    """Something that is not as the library would have written it."""

    #: What it is in.
    kind: CheckFindingKind
    #: The id of the entry, feed, object or blob; empty where there is none.
    subject: str
    #: What is wrong, a sentence for people.
    detail: str


@dataclass(frozen=True)
class CheckReport:
    """What a check found."""

    #: What is wrong, the first thousand; nothing if all is sound.
    findings: Tuple[CheckFinding, ...]
    #: How many findings there are beyond those.
    more_findings: int
    #: Entries that were looked at.
    entries: int
    #: Objects that were looked at; none in a quick check.
    objects: int
    #: Blobs that were looked at; none in a quick check.
    blobs: int


@dataclass(frozen=True)
class LostEntry:
    """An entry that a repair could not keep."""

    #: Its id; empty if not even that could be read.
    entry: str
    #: Why.
    reason: str


@dataclass(frozen=True)
class RepairReport:
    """What a repair did."""

    #: Entries that were kept.
    entries: int
    #: Objects that were made again.
    objects: int
    #: Entries that were not sound, or stand after one that was not.
    lost_entries: int
    #: Those entries, the first thousand.
    lost: Tuple[LostEntry, ...]
    #: Blocks of blobs that were damaged.
    damaged_blocks: int
    #: The blobs that are not whole because of that: fetch them again.
    incomplete_blobs: Tuple[str, ...]
    #: Where the file is kept that was there before, if anything of it was lost.
    kept_file: Optional[str]


def from_check(report: _native.CheckReport) -> CheckReport:
    """From the generated record."""
    findings = tuple(
        CheckFinding(CheckFindingKind[each.kind.name], each.subject, each.detail)
        for each in report.findings
    )
    return CheckReport(findings, report.more_findings, report.entries, report.objects, report.blobs)


def from_repair(report: _native.RepairReport) -> RepairReport:
    """From the generated record."""
    return RepairReport(
        report.entries,
        report.objects,
        report.lost_entries,
        tuple(LostEntry(each.entry, each.reason) for each in report.lost),
        report.damaged_blocks,
        tuple(report.incomplete_blobs),
        report.kept_file,
    )
