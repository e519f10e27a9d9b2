"""Every kind of value comes back as it went in."""

import math
import unittest
from datetime import datetime, timedelta, timezone

import echodb
from support import SpaceCase

NOON = datetime(2026, 11, 23, 12, 0, 0, 123000, tzinfo=timezone.utc)
VALUES = {
    "null": None,
    "true": True,
    "false": False,
    "int": -(2**63),
    "large": 2**63 - 1,
    "float": 2.0,
    "tiny": 5e-324,
    "huge": 1.7976931348623157e308,
    "string": 'a"b\\c\n\0é😀',
    "bytes": bytes(range(256)),
    "moment": NOON,
    "old": datetime(1, 1, 1, tzinfo=timezone.utc),
    "text": echodb.Text("héllo 😀"),
    "counter": echodb.Counter(-3),
    "ref": echodb.Ref("0000000000000000000000000a"),
    "list": [1, [2.5, {"x": [None, echodb.Text("in")]}], "z"],
    "map": {"m": {"b": b"", "when": NOON}, "empty": {}},
    "no items": [],
}


class Values(SpaceCase):
    async def test_round_trip(self):
        id = await self.space.create("All", VALUES)
        found = await self.space.get(id)
        self.assertEqual(found.fields, VALUES)
        for name, value in VALUES.items():
            self.assertIs(type(found[name]), type(value), name)
        (queried,) = await self.space.query(type="All")
        self.assertEqual(queried, found)
        await self.space.update(id, found.fields)
        self.assertEqual((await self.space.get(id)).fields, VALUES)

    async def test_floats_that_json_lacks(self):
        id = await self.space.create(None, {"nan": math.nan, "inf": math.inf, "neg": -math.inf})
        found = await self.space.get(id)
        self.assertTrue(math.isnan(found["nan"]))
        self.assertEqual((found["inf"], found["neg"]), (math.inf, -math.inf))

    async def test_other_time_zones_and_microseconds(self):
        eastern = timezone(timedelta(hours=-5))
        moment = datetime(2026, 1, 1, 0, 0, 0, 999999, tzinfo=eastern)
        id = await self.space.create(None, {"at": moment, "far": echodb.Timestamp(2**60)})
        found = await self.space.get(id)
        self.assertEqual(found["at"], moment.replace(microsecond=999000))
        self.assertEqual(found["at"].tzinfo, timezone.utc)
        self.assertEqual(found["far"], echodb.Timestamp(2**60))
        self.assertIsInstance(found["far"], echodb.Timestamp)

    async def test_lookalikes(self):
        id = await self.space.create(None, {"a": (1, 2), "b": bytearray(b"x"), "n": echodb.Text()})
        found = await self.space.get(id)
        self.assertEqual(found.fields, {"a": [1, 2], "b": b"x", "n": echodb.Text()})
        self.assertEqual(repr(found["n"]), "Text('')")
        self.assertEqual(found.get("absent", 7), 7)
        with self.assertRaises(KeyError):
            found["absent"]

    async def test_references(self):
        other = await self.space.create(None, {})
        found = await self.space.get(other)
        elsewhere = echodb.Ref(other, self.space.id)
        id = await self.space.create(None, {"here": found.ref, "there": elsewhere})
        holder = await self.space.get(id)
        self.assertEqual(holder["here"].id, other)
        self.assertEqual(holder["there"], elsewhere)
        self.assertEqual(echodb.Ref.parse(str(elsewhere)), elsewhere)
        with self.assertRaises(echodb.InvalidArgument):
            echodb.Ref.parse("nonsense")

    async def test_what_cannot_be_a_value(self):
        cyclic = []
        cyclic.append(cyclic)
        wrong = [
            (2**63, echodb.InvalidArgument),
            (echodb.Counter(2**64), echodb.InvalidArgument),
            (datetime(2026, 1, 1), echodb.InvalidArgument),
            ({"@text": "smuggled"}, echodb.InvalidArgument),
            ("\ud800", echodb.InvalidArgument),
            (echodb.Ref("not an id"), echodb.InvalidArgument),
            (cyclic, echodb.LimitExceeded),
            ({1: 2}, TypeError),
            ({1, 2}, TypeError),
            (object(), TypeError),
        ]
        for value, error in wrong:
            with self.subTest(value=repr(value)[:40]), self.assertRaises(error):
                await self.space.create(None, {"x": value})
        with self.assertRaises(TypeError):
            await self.space.create(None, [1])
        self.assertEqual(await self.space.query(), [])


if __name__ == "__main__":
    unittest.main()
