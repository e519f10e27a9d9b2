"""Values of fields, and the JSON form in which they cross into the library."""

from __future__ import annotations

import base64
import binascii
import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from ._errors import InvalidArgument, LimitExceeded

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_DEPTH = 64
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1


class Text(str):
    """Text that merges character by character. A plain ``str`` is replaced as a whole instead.

    Reads like any ``str``; to change a part of it use ``splice_text``.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Text({str.__repr__(self)})"


class Counter(int):
    """An integer to which concurrent increments add up; see ``Transaction.increment``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Counter({int.__repr__(self)})"


class Timestamp(int):
    """Milliseconds since 1970: what a point in time outside the years 1 to 9999, which
    ``datetime`` cannot hold, is read as."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Timestamp({int.__repr__(self)})"


@dataclass(frozen=True)
class Ref:
    """A weak reference: the object may not exist, or not yet."""

    #: The object's id.
    id: str
    #: The other space's id; ``None`` for the space that the reference stands in.
    space: Optional[str] = None

    def __str__(self) -> str:
        return f"echo:{self.id}" if self.space is None else f"echo://{self.space}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Reads ``echo:OBJECT`` or ``echo://SPACE/OBJECT``."""
        if text.startswith("echo://"):
            space, slash, object_id = text[len("echo://") :].partition("/")
            if slash:
                return cls(object_id, space)
        elif text.startswith("echo:"):
            return cls(text[len("echo:") :])
        raise InvalidArgument(f"{text!r} is not a reference")


@dataclass(frozen=True)
class Blob:
    """A blob that is named by an object: its bytes are stored beside the objects, and fetched from
    peers when they are asked for. See ``Space.put_blob`` and ``Space.fetch_blob``."""

    #: The blob's id, 52 characters.
    id: str
    #: Its size in bytes.
    size: int


#: What a field may hold. ``datetime`` must have a time zone; it is kept in milliseconds and read
#: back in UTC. Tuples are read back as lists.
Value = Union[
    None,
    bool,
    int,
    float,
    str,
    bytes,
    datetime,
    Ref,
    Blob,
    Sequence["Value"],
    Mapping[str, "Value"],
]

#: The fields of an object as they are given.
Fields = Mapping[str, Value]


def dump_fields(fields: Fields) -> str:
    """The JSON text of an object's fields."""
    if not isinstance(fields, Mapping):
        raise TypeError(f"fields are a mapping, not {type(fields).__name__}")
    return dump_json(_tag(fields, 0))


def dump_value(value: Value) -> str:
    """The JSON text of one value."""
    return dump_json(_tag(value, 0))


def load(text: Union[str, bytes]) -> Any:
    """Reads JSON that the library wrote."""
    return json.loads(text, object_hook=_untag)


def dump_json(plain: Any) -> str:
    """JSON without blanks, with characters as themselves."""
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def to_millis(moment: datetime) -> int:
    """Milliseconds since 1970."""
    if moment.utcoffset() is None:
        raise InvalidArgument(
            "a datetime needs a time zone, for example datetime.now(timezone.utc)"
        )
    return (moment - _EPOCH) // _MILLISECOND


def from_millis(millis: int) -> Union[datetime, Timestamp]:
    """The UTC time, or the number itself where ``datetime`` ends."""
    try:
        return _EPOCH + millis * _MILLISECOND
    except OverflowError:
        return Timestamp(millis)


def clock_time(millis: int) -> datetime:
    """A time that some device's clock gave: a wrong one is bent to the nearest ``datetime``."""
    moment = from_millis(millis)
    if isinstance(moment, datetime):
        return moment
    limit = datetime.max if millis > 0 else datetime.min
    return limit.replace(tzinfo=timezone.utc)


def plain(value: Value) -> Any:
    """The form in which queries compare: no tags, times as milliseconds, bytes as hexadecimal."""
    if isinstance(value, datetime):
        return to_millis(value)
    if isinstance(value, Ref):
        return str(value)
    if isinstance(value, Blob):
        return value.id
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {_key(name): plain(inner) for name, inner in value.items()}
    if _is_list(value):
        return [plain(inner) for inner in value]  # type: ignore[union-attr]
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidArgument(f"queries cannot compare with {value}")
    return _scalar(value)


def _tag(value: Any, depth: int) -> Any:
    # Also what a list that contains itself runs into.
    if depth > _DEPTH:
        raise LimitExceeded(f"values may be nested {_DEPTH} deep")
    if isinstance(value, Text):
        return {"@text": str(value)}
    if isinstance(value, Counter):
        return {"@counter": _integer(value)}
    if isinstance(value, Timestamp):
        return {"@timestamp": _integer(value)}
    if isinstance(value, datetime):
        return {"@timestamp": to_millis(value)}
    if isinstance(value, Ref):
        return {"@ref": str(value)}
    if isinstance(value, Blob):
        return {"@blob": value.id, "size": _integer(value.size)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"@bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, float) and not math.isfinite(value):
        return {"@float": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}
    if isinstance(value, Mapping):
        return {_key(name): _tag(inner, depth + 1) for name, inner in value.items()}
    if _is_list(value):
        return [_tag(inner, depth + 1) for inner in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not a kind of value that a field can hold")


def _integer(value: int) -> int:
    if not _INT_MIN <= value <= _INT_MAX:
        raise InvalidArgument(f"{int(value)} does not fit a signed 64-bit integer")
    return int(value)


def _key(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"names are str, not {type(name).__name__}")
    # One that passed could turn a map into another kind of value.
    if name.startswith("@"):
        raise InvalidArgument(f"the name {name!r} is reserved: names may not start with '@'")
    return name


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def _untag(entries: Dict[str, Any]) -> Any:
    if len(entries) == 2 and "@blob" in entries and "size" in entries:
        return Blob(entries["@blob"], entries["size"])
    if len(entries) != 1:
        return entries
    ((tag, inner),) = entries.items()
    if not tag.startswith("@"):
        return entries
    if tag == "@text":
        return Text(inner)
    if tag == "@counter":
        return Counter(inner)
    if tag == "@timestamp":
        return from_millis(inner)
    if tag == "@bytes":
        return _unbase64(inner)
    if tag == "@ref":
        return Ref.parse(inner)
    if tag == "@float":
        return _FLOATS.get(inner, math.nan)
    # A kind that a newer library knows: better shown as it is than an error.
    return entries


def _unbase64(text: str) -> Union[bytes, str]:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text


def strings(items: Union[str, Sequence[str]]) -> List[str]:
    """A list of strings; refuses a lone string, whose letters would be taken one by one."""
    if isinstance(items, str):
        raise TypeError(f"expected a list of strings, not the string {items!r}")
    return list(items)
