"""Searching for words, and indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from . import _native
from ._objects import Object, from_json
from ._values import load


@dataclass(frozen=True)
class Snippet:
    """An excerpt of a value in which something was found."""

    #: The value's place, a JSON Pointer.
    path: str
    #: The excerpt, unchanged.
    text: str
    #: Where it begins in the value, in code points.
    start: int
    #: Whether the value goes on after it.
    more: bool
    #: Start and end, within ``text`` and in code points, of what was found.
    ranges: Tuple[Tuple[int, int], ...]


@dataclass(frozen=True)
class SearchHit:
    """An object in which the words occur."""

    #: The object.
    object: Object
    #: The lower the better (BM25).
    rank: float
    #: An excerpt, unless none was asked for.
    snippet: Optional[Snippet]


@dataclass(frozen=True)
class IndexInfo:
    """An index that the program asked for."""

    #: Of objects of this type; of all if ``None``.
    type: Optional[str]
    #: Of what: a JSON Pointer, ``created`` or ``updated``.
    path: str


def from_hits(answer: bytes) -> List[SearchHit]:
    """From the JSON answer of a search."""
    return [_hit(entry) for entry in load(answer)]


def _hit(entry: Dict[str, Any]) -> SearchHit:
    found = entry.get("snippet")
    snippet = found and Snippet(
        found["path"],
        found["text"],
        found["start"],
        found["more"],
        tuple((start, end) for start, end in found["ranges"]),
    )
    return SearchHit(from_json(entry), entry["rank"], snippet)


def from_index(info: _native.IndexInfo) -> IndexInfo:
    """From the generated record."""
    return IndexInfo(info.type_name, info.path)
