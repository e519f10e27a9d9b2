"""Filters and orders: Python expressions that become the library's query JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, List, Mapping, NoReturn, Optional, Sequence, Union

from ._links import Follow, step_json
from ._values import Value, dump_json, plain, strings, to_millis


class Filter:
    """What objects must satisfy. Combine with ``&``, ``|`` and ``~``."""

    __slots__ = ("_json",)

    def __init__(self, json: Mapping[str, Any]) -> None:
        self._json = dict(json)

    def to_json(self) -> Dict[str, Any]:
        """The filter in the library's JSON form."""
        return self._json

    def __and__(self, other: Filter) -> Filter:
        return Filter({"and": _operands("and", self, other)})

    def __or__(self, other: Filter) -> Filter:
        return Filter({"or": _operands("or", self, other)})

    def __invert__(self) -> Filter:
        return Filter({"not": self._json})

    def __bool__(self) -> NoReturn:
        # `a and b` would silently drop `a`, and `1 < field("n") < 3` its first half.
        raise TypeError("combine filters with &, | and ~, not with and, or, not or a chain")

    def __repr__(self) -> str:
        return f"Filter({self._json!r})"


@dataclass(frozen=True)
class Order:
    """A sort key; see :meth:`Field.ascending`, :meth:`Clock.ascending`, ``BY_ID`` and its like."""

    #: ``"created"``, ``"updated"``, ``"id"``, ``"type"``, ``"parent"``, ``"rank"``, or the JSON
    #: Pointer of a field.
    by: str
    #: Whether the largest comes first.
    desc: bool = False

    def reversed(self) -> Order:
        """The same key the other way round."""
        return Order(self.by, not self.desc)

    def to_json(self) -> Dict[str, Any]:
        """The key in the library's JSON form."""
        return {"by": self.by, "desc": self.desc}


class Field:
    """A place in an object to compare with; made by :func:`field`.

    Values of different kinds are never equal and never ordered, and a missing field matches only
    ``!=``, ``~`` and ``exists(False)``. Texts compare as strings, counters and times as numbers,
    bytes by their hexadecimal form; a list or map equals nothing.
    """

    __slots__ = ("path",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, path: str) -> None:
        self.path = path

    def __eq__(self, other: Value) -> Filter:  # type: ignore[override]
        return self._compare("eq", other)

    def __ne__(self, other: Value) -> Filter:  # type: ignore[override]
        return self._compare("ne", other)

    def __lt__(self, other: Value) -> Filter:
        return self._compare("lt", other)

    def __le__(self, other: Value) -> Filter:
        return self._compare("le", other)

    def __gt__(self, other: Value) -> Filter:
        return self._compare("gt", other)

    def __ge__(self, other: Value) -> Filter:
        return self._compare("ge", other)

    def is_in(self, values: Sequence[Value]) -> Filter:
        """Whether it equals one of the values."""
        return self._compare("in", list(values))

    def contains(self, value: Value) -> Filter:
        """Whether a list has the value as an element, or a string or text as a part."""
        return self._compare("contains", value)

    def startswith(self, prefix: str) -> Filter:
        """Whether a string or text begins with ``prefix``."""
        return self._compare("prefix", prefix)

    def contains_any(self, values: Sequence[Value]) -> Filter:
        """Whether it contains one of the values."""
        return self._compare("contains_any", list(values))

    def contains_all(self, values: Sequence[Value]) -> Filter:
        """Whether it contains each of the values."""
        return self._compare("contains_all", list(values))

    def between(self, first: Value, last: Value) -> Filter:
        """Whether it is at least the first value and at most the last."""
        return self._compare("between", [first, last])

    def is_kind(self, kind: str) -> Filter:
        """Whether it is ``"null"``, ``"boolean"``, ``"number"``, ``"string"``, ``"list"`` or
        ``"map"``."""
        return self._compare("kind", kind)

    def exists(self, present: bool = True) -> Filter:
        """Whether the field is there at all."""
        return self._compare("exists", present)

    def ascending(self) -> Order:
        """Sorts by this field, the smallest first."""
        return Order(_pointer(self.path))

    def descending(self) -> Order:
        """Sorts by this field, the largest first."""
        return Order(_pointer(self.path), True)

    def _compare(self, operator: str, value: Value) -> Filter:
        return Filter({"field": self.path, "op": operator, "value": plain(value)})

    def __repr__(self) -> str:
        return f"field({self.path!r})"


def field(path: str) -> Field:
    """A field by its name, or a place inside one by its JSON Pointer (``"/address/city"``)."""
    return Field(path)


class Clock:
    """One of the times of an object, to compare with a ``datetime`` and to sort by."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __lt__(self, other: datetime) -> Filter:
        return self._compare("lt", other)

    def __le__(self, other: datetime) -> Filter:
        return self._compare("le", other)

    def __gt__(self, other: datetime) -> Filter:
        return self._compare("gt", other)

    def __ge__(self, other: datetime) -> Filter:
        return self._compare("ge", other)

    def ascending(self) -> Order:
        """Sorts by this time, the oldest first."""
        return Order(self._name)

    def descending(self) -> Order:
        """Sorts by this time, the newest first."""
        return Order(self._name, True)

    def _compare(self, operator: str, other: datetime) -> Filter:
        return Filter({self._name: {operator: to_millis(other)}})

    def __repr__(self) -> str:
        return f"echodb.{self._name}"


#: When objects were created, by the clock of the device that did.
created = Clock("created")
#: When objects were last changed, likewise.
updated = Clock("updated")
#: Sorts by id: in the order of creation, roughly.
BY_ID = Order("id")
#: Sorts by the name of the type.
BY_TYPE = Order("type")
#: Sorts by the parent's id, those without one first.
BY_PARENT = Order("parent")
#: Sorts by how well objects fit the :func:`search` that all results satisfy, the best first.
BY_RANK = Order("rank")


def of_type(*names: Optional[str]) -> Filter:
    """Objects of one of these types; ``None`` for those without."""
    return Filter({"type": list(names)})


def with_id(*ids: str) -> Filter:
    """The objects of these ids."""
    return Filter({"id": list(ids)})


def child_of(parent: Optional[str]) -> Filter:
    """The objects whose parent is ``parent``; ``None`` for those without one."""
    return Filter({"parent": parent})


def deleted(value: bool = True) -> Filter:
    """Deleted objects; a query whose filter does not say this leaves them out."""
    return Filter({"deleted": value})


def branches(value: bool = True) -> Filter:
    """Branches of other objects; a query whose filter does not say this leaves them out."""
    return Filter({"branch": value})


def relations(value: bool = True) -> Filter:
    """Relations: objects with a source or a target."""
    return Filter({"relation": value})


def tagged(*tags: str) -> Filter:
    """Objects with one of these tags."""
    return Filter({"tag": list(tags)})


def with_key(source: str, key: Optional[str] = None) -> Filter:
    """Objects with this name in another system, or with any of that system; the system of natural
    keys is ``natural``."""
    return Filter({"key": {"source": source} if key is None else {"source": source, "key": key}})


def search(words: str, paths: Sequence[str] = ()) -> Filter:
    """Objects in whose strings and texts the words occur: ``red rose``, ``"a phrase"``, ``ros*``,
    ``-thorn``, ``rose OR tulip``. With ``paths``, at most 8 fields or JSON Pointers, only these and
    what is below them are looked at."""
    json: Dict[str, Any] = {"search": words}
    if paths:
        json["in"] = strings(paths)
    return Filter(json)


#: A filter, or one in the library's JSON form.
Where = Union[Filter, Mapping[str, Any]]
#: A sort key, or the name or JSON Pointer of a field to sort by, the smallest first.
OrderBy = Union[Order, Field, Clock, str]


def dump_filter(type: Optional[str], where: Optional[Where]) -> str:
    """The JSON text of a filter."""
    return dump_json(where_json(type, where))


def dump_query(
    type: Optional[str],
    where: Optional[Where],
    order: Union[OrderBy, Sequence[OrderBy]],
    limit: Optional[int],
    skip: int,
    follow: Sequence[Follow] = (),
) -> str:
    """The JSON text of a query."""
    keys = [order] if isinstance(order, (Order, Field, Clock, str)) else list(order)
    query: Dict[str, Any] = {"where": where_json(type, where)}
    if follow:
        query["follow"] = [step_json(step) for step in follow]
    if keys:
        query["order"] = [_order(key).to_json() for key in keys]
    if limit is not None:
        query["limit"] = limit
    if skip:
        query["skip"] = skip
    return dump_json(query)


def where_json(type: Optional[str], where: Optional[Where]) -> Dict[str, Any]:
    json = where.to_json() if isinstance(where, Filter) else dict(where or {})
    if type is None:
        return json
    return (of_type(type) & Filter(json)).to_json() if json else of_type(type).to_json()


def _order(key: OrderBy) -> Order:
    if isinstance(key, Order):
        return key
    return field(key).ascending() if isinstance(key, str) else key.ascending()


def _pointer(path: str) -> str:
    # A bare name could be taken for one of the keys that every object has.
    if path.startswith("/"):
        return path
    return "/" + path.replace("~", "~0").replace("/", "~1")


def _operands(name: str, *filters: Filter) -> List[Dict[str, Any]]:
    # a & b & c is one list, not a tree.
    operands: List[Dict[str, Any]] = []
    for each in filters:
        json = each.to_json()
        operands.extend(json[name] if list(json) == [name] else [json])
    return operands
