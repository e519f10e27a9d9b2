"""What queries answer besides objects: pages, aggregates, explanations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from . import _native
from ._links import Follow, step_json
from ._objects import Object, from_json
from ._query import Where, where_json
from ._values import dump_json, load, strings

#: ``"count"``, or ``{"count" | "min" | "max" | "sum" | "avg": FIELD}``.
Measure = Union[str, Mapping[str, str]]


@dataclass(frozen=True)
class QueryPage:
    """One page of a query's results."""

    #: The objects.
    objects: List[Object]
    #: What to hand over for the next page; ``None`` after the last one.
    next: Optional[str]


@dataclass(frozen=True)
class Found:
    """An object that a query over several spaces found."""

    #: The space's id.
    space: str
    #: The object.
    object: Object


@dataclass(frozen=True)
class AggregateRow:
    """One group's measures."""

    #: The group's keys, in the order in which they were asked for.
    group: Tuple[Any, ...]
    #: The measures by name.
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


@dataclass(frozen=True)
class Explanation:
    """How a query is answered."""

    #: The statement.
    sql: str
    #: SQLite's plan, a line each.
    plan: Tuple[str, ...]
    #: The indexes it uses.
    indexes: Tuple[str, ...]
    #: Whether it reads every object.
    scans: bool
    #: The plan for people.
    words: str


def dump_aggregate(
    type: Optional[str],
    where: Optional[Where],
    follow: Sequence[Follow],
    group: Sequence[str],
    measures: Mapping[str, Measure],
    order: Union[str, Sequence[str]],
    limit: Optional[int],
    skip: int,
) -> str:
    """The JSON text of an aggregation."""
    query: Dict[str, Any] = {"where": where_json(type, where)}
    if follow:
        query["follow"] = [step_json(step) for step in follow]
    # Also without keys: it tells an aggregation from a query.
    query["group"] = strings(group)
    if measures:
        query["aggregate"] = {
            name: each if isinstance(each, str) else dict(each) for name, each in measures.items()
        }
    if order:
        query["order"] = [_key(name) for name in ([order] if isinstance(order, str) else order)]
    if limit is not None:
        query["limit"] = limit
    if skip:
        query["skip"] = skip
    return dump_json(query)


def from_page(page: _native.QueryPage) -> QueryPage:
    """From the generated record."""
    return QueryPage([from_json(entry) for entry in load(page.objects)], page.next)


def from_found(answer: bytes) -> List[Found]:
    """From the JSON answer of a query over several spaces."""
    return [Found(entry["space"], from_json(entry)) for entry in load(answer)]


def from_rows(answer: str) -> List[AggregateRow]:
    """From an aggregation's JSON answer."""
    return [AggregateRow(tuple(row.get("group", ())), row["values"]) for row in load(answer)]


def from_explanation(answer: str) -> Explanation:
    """From an explanation's JSON."""
    found = load(answer)
    words = found["words"]
    return Explanation(
        found["sql"],
        tuple(found["plan"]),
        tuple(found["indexes"]),
        found["scans"],
        words if isinstance(words, str) else "\n".join(words),
    )


def _key(name: str) -> Dict[str, Any]:
    desc = name.startswith("-")
    return {"by": name[1:] if desc else name, "desc": desc}
