"""The helpers give what tests/golden/queries.json says, on which all languages agree."""

import json
import os
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

import echodb
from echodb import BY_ID, BY_PARENT, BY_RANK, BY_TYPE, _query, _results
from echodb import child_of, created, deleted, field, of_type, referred_by, refers_to, related
from echodb import relations, search, tagged, updated, with_id, with_key
from support import SpaceCase

OBJECT = "00000000000000000000000001"
OTHER = "00000000000000000000000002"
FOREIGN = echodb.Ref(OBJECT, "a" * 52)
BLOB = echodb.Blob("aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq", 3)


def at(millis):
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=millis)


def any_of(filters):
    first, *rest = filters
    for each in rest:
        first = first | each
    return first


def filters():
    n = field("n")
    return {
        "everything": None,
        "type": of_type("Note", "Task"),
        "no type": of_type(None),
        "id": with_id(OBJECT, OTHER),
        "tag": tagged("red", "blue"),
        "key": with_key("github", "42"),
        "any key": with_key("github"),
        "deleted": deleted(),
        "no branch": echodb.branches(False),
        "relation": relations(),
        "created": (created >= at(1700000000000)) & (created < at(1800000000000)),
        "updated": (updated > at(1700000000001)) & (updated <= at(1800000000001)),
        "equal": field("done") == False,
        "equal to null": field("/a/b") == None,
        "different": field('a/~ "b"') != 'say "hi"\\\n\t\u0001 Zürich 😀',
        "less": n < 2.5,
        "at most": n <= -9223372036854775807,
        "greater": n > "x",
        "at least": n >= 9223372036854775807,
        "between": n.between(0.1, 10),
        "in": n.is_in(["a", 1, None, True]),
        "contains": field("tags").contains("home"),
        "contains any": field("tags").contains_any(["a", "b"]),
        "contains all": field("tags").contains_all(["a", "b"]),
        "prefix": n.startswith("ro"),
        "kinds": any_of(
            n.is_kind(kind) for kind in ("null", "boolean", "number", "string", "list", "map")
        ),
        "there": n.exists(),
        "missing": n.exists(False),
        "kinds of values": (field("raw") == b"\x00\xff")
        & (field("due") < at(1780272000000))
        & (field("owner") == echodb.Ref(OBJECT))
        & (field("author") == FOREIGN)
        & (field("file") == BLOB),
        "search": search('"red rose" OR ros* -thorn'),
        "search in": search("rose", ["title", "/body"]),
        "and, or, not": (
            (field("a") == 1) & (field("b") == 2) & (field("c") == 3)
            | (field("d") == 4)
            | (field("e") == 5)
        )
        & ~(field("f") == 6),
        **links(),
    }


def links():
    every = (
        echodb.parent,
        echodb.child,
        echodb.ancestor,
        echodb.descendant,
        refers_to(),
        referred_by(),
        echodb.source,
        echodb.target,
        echodb.source_of,
        echodb.target_of,
        related(),
    )
    friends = related(["Knows", "Likes"], direction="out", via=tagged("old"))
    ada = of_type("Person") & (field("name") == "Ada")
    return {
        "linked": any_of(link.exists() for link in every),
        "linked to": echodb.parent.to(OBJECT, OTHER)
        | echodb.ancestor.to(OBJECT)
        | refers_to().to(str(FOREIGN))
        | refers_to("/author").to(OBJECT),
        "child of": child_of(OBJECT),
        "no link": echodb.parent.is_none() | echodb.source.is_none() | echodb.target.is_none(),
        "references": refers_to("/author").where(ada).exists()
        & referred_by("by").where(deleted()).exists(),
        "related": friends.where(tagged("friend")).exists() & related(direction="in").exists(),
    }


def query(where=None, order=(), limit=None, skip=0, follow=()):
    return _query.dump_query(None, where, order, limit, skip, follow)


def aggregation(where=None, follow=(), group=(), measures={}, order=(), limit=None, skip=0):
    return _results.dump_aggregate(None, where, follow, group, measures, order, limit, skip)


def queries():
    price = "/price"
    return {
        "steps": query(
            of_type("Project"),
            follow=[
                echodb.descendant.where(of_type("Task")),
                refers_to("/assignee"),
                related(["Knows"], direction="in"),
                echodb.child,
            ],
        ),
        "order": query(
            order=[
                created,
                updated.descending(),
                BY_ID,
                BY_TYPE,
                BY_PARENT.reversed(),
                field("due").descending(),
                "rank",
                field("a/~b").ascending(),
            ]
        ),
        "by rank": query(search("rose"), BY_RANK),
        "window": query(limit=10, skip=20),
        "no results": query(limit=0),
        "aggregation": aggregation(
            of_type("Order"),
            [echodb.child],
            ["/status", "tag", "type", "parent"],
            {
                "n": "count",
                "filled": {"count": price},
                "low": {"min": price},
                "high": {"max": price},
                "first": {"min": "created"},
                "latest": {"max": "updated"},
                "total": {"sum": price},
                'mean "x"': {"avg": price},
            },
            ["-total", "n"],
            10,
            1,
        ),
        "groups of relations": aggregation(relations(), group=["source", "target"]),
        "one group": aggregation(measures={"n": "count"}),
    }


class Builders(unittest.TestCase):
    @unittest.skipUnless("ECHODB_ROOT" in os.environ, "not run from the sources")
    def test_they_give_what_all_languages_give(self):
        fixture = Path(os.environ["ECHODB_ROOT"], "tests/golden/queries.json")
        expected = {
            entry["name"]: entry["query"]
            for entry in json.loads(fixture.read_text(encoding="utf-8"))
        }
        built = {name: query(where) for name, where in filters().items()}
        built.update(queries())
        self.assertEqual(set(built), set(expected))
        for name, text in built.items():
            with self.subTest(name):
                self.assertEqual(json.loads(text), expected[name])


class Searches(SpaceCase):
    async def test_words_and_new_orders(self):
        parent = await self.space.create("Note", {"title": "rose rose"})
        fields = {"title": "a garden", "body": "with one rose in it"}
        child = await self.space.create("Note", fields)
        async with self.space.transaction() as tx:
            tx.set_parent(child, parent)

        async def found(where, order):
            return [each.id for each in await self.space.query(where=where, order=order)]

        self.assertEqual(await found(search("rose"), BY_RANK), [parent, child])
        self.assertEqual(await found(search("rose"), BY_RANK.reversed()), [child, parent])
        self.assertEqual(await found(search("rose", ["body"]), BY_PARENT), [child])
        self.assertEqual(await found(None, BY_PARENT), [parent, child])
        with self.assertRaises(echodb.InvalidArgument):
            await found(None, BY_RANK)
        with self.assertRaises(TypeError):
            search("rose", "body")


if __name__ == "__main__":
    unittest.main()
