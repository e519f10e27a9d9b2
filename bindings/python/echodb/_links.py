"""Links between objects: filters by what an object is linked with, and steps to follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Sequence, Union

if TYPE_CHECKING:
    from ._query import Filter, Where


class Link:
    """A way from an object to others, for a filter or to :meth:`Space.query <echodb.Space.query>`'s
    ``follow``."""

    __slots__ = ("_name", "_options")

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self._name = name
        self._options = dict(options)

    def where(self, where: Where) -> Link:
        """The same link, to objects that satisfy a filter."""
        return Link(self._name, {**self._options, "where": _json(where)})

    def exists(self) -> Filter:
        """Objects from which the link leads to at least one."""
        return self._filter(self._options or True)

    def to(self, *ids: str) -> Filter:
        """Objects from which the link leads to one of these. They may be deleted, or not exist."""
        return self._filter({**self._options, "id": list(ids)} if self._options else list(ids))

    def is_none(self) -> Filter:
        """Objects that have none: for :data:`parent`, :data:`source` and :data:`target`."""
        return self._filter(None)

    def to_json(self) -> Dict[str, Any]:
        """The link as a step, in the library's JSON form."""
        return {self._name: self._options or True}

    def _filter(self, of: Any) -> Filter:
        from ._query import Filter

        return Filter({self._name: of})

    def __repr__(self) -> str:
        return f"Link({self.to_json()!r})"


#: To the parent.
parent = Link("parent", {})
#: To the children.
child = Link("child", {})
#: To the parent, its parent, and so on.
ancestor = Link("ancestor", {})
#: To the children, theirs, and so on.
descendant = Link("descendant", {})
#: From a relation to where it begins.
source = Link("source", {})
#: From a relation to where it ends.
target = Link("target", {})
#: To the relations that begin at an object.
source_of = Link("source_of", {})
#: To the relations that end at an object.
target_of = Link("target_of", {})


def refers_to(path: Optional[str] = None) -> Link:
    """To what an object refers to, at a place (a JSON Pointer) or below it, or anywhere."""
    return Link("refers_to", _given(path=path))


def referred_by(path: Optional[str] = None) -> Link:
    """To what refers to an object, at a place (a JSON Pointer) or below it, or anywhere."""
    return Link("referred_by", _given(path=path))


def related(
    type: Union[None, str, Sequence[str]] = None,
    *,
    direction: Optional[str] = None,
    via: Optional[Where] = None,
) -> Link:
    """To the other ends of an object's relations: of a type or several, ``"out"``, ``"in"`` or
    ``"both"`` ways, by relations that satisfy a filter."""
    types = type if type is None or isinstance(type, str) else list(type)
    return Link(
        "related",
        _given(type=types, direction=direction, via=None if via is None else _json(via)),
    )


#: A step, or one in the library's JSON form.
Follow = Union[Link, Mapping[str, Any]]


def step_json(step: Follow) -> Dict[str, Any]:
    """A step in the library's JSON form."""
    return step.to_json() if isinstance(step, Link) else dict(step)


def _json(where: Where) -> Dict[str, Any]:
    return dict(where) if isinstance(where, Mapping) else where.to_json()


def _given(**options: Any) -> Dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
