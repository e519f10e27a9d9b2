"""Filters, orders and windows, through the helpers."""

import unittest
from datetime import datetime, timedelta, timezone

import echodb
from echodb import child_of, created, deleted, field, of_type, updated, with_id
from support import SpaceCase

DUE = datetime(2026, 6, 1, tzinfo=timezone.utc)


class Queries(SpaceCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        async with self.space.transaction() as tx:
            self.ids = {
                "tea": tx.create(
                    "Task", {"n": "tea", "rank": 1, "done": False, "tags": ["home", "hot"]}
                ),
                "code": tx.create(
                    "Task", {"n": "code", "rank": 2.5, "done": True, "due": DUE, "raw": b"\xff"}
                ),
                "call": tx.create(
                    "Task", {"n": echodb.Text("call"), "rank": 3, "at": {"city": "Zürich"}}
                ),
                "note": tx.create("Note", {"n": "note", "votes": echodb.Counter(4)}),
            }
            tx.set_parent(self.ids["note"], self.ids["tea"])

    async def found(self, where=None, **options):
        return sorted(o["n"] for o in await self.space.query(where=where, **options))

    async def test_every_operator(self):
        ids = self.ids
        cases = [
            (field("done") == False, ["tea"]),
            (field("done") != False, ["call", "code", "note"]),
            (field("rank") < 2.5, ["tea"]),
            (field("rank") <= 2.5, ["code", "tea"]),
            (field("rank") > 1, ["call", "code"]),
            (field("rank") >= 2.5, ["call", "code"]),
            (field("rank").is_in([1, 3]), ["call", "tea"]),
            (field("tags").contains("hot"), ["tea"]),
            (field("n").contains("od"), ["code"]),
            (field("n").startswith("c"), ["call", "code"]),
            (field("done").exists(), ["code", "tea"]),
            (field("done").exists(False), ["call", "note"]),
            (field("due") == DUE, ["code"]),
            (field("due") > DUE - timedelta(days=1), ["code"]),
            (field("raw") == b"\xff", ["code"]),
            (field("votes") == 4, ["note"]),
            (field("n") == echodb.Text("call"), ["call"]),
            (field("/at/city") == "Zürich", ["call"]),
            (field("/tags/0") == "home", ["tea"]),
            (field("rank") == "1", []),
            (of_type("Note"), ["note"]),
            (of_type("Note", "Task"), ["call", "code", "note", "tea"]),
            (with_id(ids["tea"], ids["code"]), ["code", "tea"]),
            (child_of(ids["tea"]), ["note"]),
            (child_of(None), ["call", "code", "tea"]),
            (created > datetime.now(timezone.utc) + timedelta(days=1), []),
            (updated >= DUE - timedelta(days=9999), ["call", "code", "note", "tea"]),
            ((field("rank") > 1) & (field("rank") < 3), ["code"]),
            ((field("n") == "tea") | (field("n") == "note"), ["note", "tea"]),
            (~(field("done") == False), ["call", "code", "note"]),
            ({"field": "n", "op": "eq", "value": "tea"}, ["tea"]),
        ]
        for where, expected in cases:
            with self.subTest(where=where):
                self.assertEqual(await self.found(where), expected)
        self.assertEqual(await self.found(field("done").exists(), type="Note"), [])
        self.assertEqual(await self.found(type="Task"), ["call", "code", "tea"])
        self.assertEqual(await self.found(deleted()), [])

    async def test_order_limit_skip(self):
        async def names(**options):
            return [o["n"] for o in await self.space.query(**options)]

        rank = field("rank")
        by_rank = rank.exists()
        self.assertEqual(await names(where=by_rank, order="rank"), ["tea", "code", "call"])
        self.assertEqual(
            await names(where=by_rank, order=rank.descending()), ["call", "code", "tea"]
        )
        self.assertEqual(await names(order=["rank"], limit=1, skip=1, type="Task"), ["code"])
        self.assertEqual(
            await names(order=[echodb.BY_TYPE, rank.descending()]), ["note", "call", "code", "tea"]
        )
        self.assertEqual(await names(order=[created, echodb.BY_ID], limit=0), [])
        self.assertEqual(len(await names(order=updated.descending())), 4)

    async def test_deleted_ones_are_asked_for(self):
        await self.space.delete(self.ids["code"])
        self.assertEqual(await self.found(type="Task"), ["call", "tea"])
        self.assertEqual(await self.found(deleted()), ["code"])
        self.assertEqual(
            await self.found(deleted() | deleted(False)), ["call", "code", "note", "tea"]
        )

    async def test_malformed_queries(self):
        for where in ({"nonsense": 1}, {"field": "a", "op": "like", "value": 1}):
            with self.assertRaises(echodb.InvalidArgument):
                await self.space.query(where=where)
        for limit in (-1, 2**64):
            with self.assertRaises(echodb.InvalidArgument):
                await self.space.query(limit=limit)
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.query(where=field("") == 1)
        with self.assertRaises(echodb.InvalidArgument):
            field("a") == float("nan")
        with self.assertRaises(TypeError):
            (field("a") == 1) and (field("b") == 2)
        with self.assertRaises(TypeError):
            1 < field("a") < 3


class FilterForms(unittest.TestCase):
    def test_chains_stay_flat(self):
        a, b, c = (field(name) == 1 for name in "abc")
        self.assertEqual(len((a & b & c).to_json()["and"]), 3)
        self.assertEqual(len((a | (b | c)).to_json()["or"]), 3)
        self.assertEqual(len((a & (b | c)).to_json()["and"]), 2)
        self.assertIn("eq", repr(a))
        self.assertEqual(field("a/~b").ascending().by, "/a~1~0b")


if __name__ == "__main__":
    unittest.main()
