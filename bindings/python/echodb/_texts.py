"""What texts carry beside their characters: marks."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from . import _native
from ._values import load


class MarkExpand(enum.Enum):
    """Whether a mark grows when text is inserted at its ends."""

    #: At neither end, as of a link.
    NONE = _native.MarkExpand.NONE
    #: At its start.
    BEFORE = _native.MarkExpand.BEFORE
    #: At its end, as of bold text, which goes on when one types on.
    AFTER = _native.MarkExpand.AFTER
    #: At both.
    BOTH = _native.MarkExpand.BOTH


@dataclass(frozen=True)
class TextMark:
    """A mark on a stretch of a text."""

    #: Where it begins, in code points.
    start: int
    #: Where it ends, likewise.
    end: int
    #: Its name.
    name: str
    #: Its value.
    value: Any


def from_mark(mark: _native.TextMark) -> TextMark:
    """From the generated record."""
    return TextMark(mark.start, mark.end, mark.name, load(mark.value))
