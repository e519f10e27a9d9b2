"""Live queries."""

import asyncio
import random
import unittest

import echodb
from echodb import LiveChangeKind, field
from support import PATIENCE, Growth, SpaceCase


class Live(SpaceCase):
    async def names(self, **query):
        return [each["n"] for each in await self.space.query(**query)]

    async def next(self, live):
        return await self.soon(live.__anext__())

    async def test_current_state_first_and_then_what_changes(self):
        first = await self.space.create("Task", {"n": "a", "due": 5})
        second = await self.space.create("Task", {"n": "b", "due": 7})
        await self.space.create("Note", {"n": "x", "due": 1})
        query = {"type": "Task", "order": "due", "limit": 2}
        async with self.space.live(**query, interval_ms=0) as live:
            batch = await self.next(live)
            self.assertTrue(batch.initial)
            self.assertEqual(batch.space, self.space.id)
            self.assertEqual([each.id for each in live.results], [first, second])

            third = await self.space.create("Task", {"n": "c", "due": 6})
            batch = await self.next(live)
            self.assertFalse(batch.initial)
            self.assertEqual(batch.total, 2)
            kinds = {change.id: change.kind for change in batch.changes}
            self.assertEqual(kinds, {second: LiveChangeKind.REMOVED, third: LiveChangeKind.ADDED})
            self.assertEqual([each["n"] for each in live.results], ["a", "c"])

            await self.space.update(first, {"due": 9, "n": "late"})
            await self.next(live)
            self.assertEqual([each["n"] for each in live.results], ["c", "b"])

            await self.space.update(third, {"n": "changed"})
            batch = await self.next(live)
            self.assertIs(batch.changes[0].kind, LiveChangeKind.CHANGED)
            self.assertEqual(batch.changes[0].index, 0)
            await self.space.delete(third)
            await self.next(live)
            self.assertEqual([each["n"] for each in live.results], ["b", "late"])

    async def test_a_follower_always_has_what_the_query_gives(self):
        dice = random.Random(11)
        query = {"where": field("n") > 3, "order": [field("n").descending()], "skip": 1, "limit": 5}
        ids = []
        async with self.space.live(**query, interval_ms=0) as live:
            for _ in range(60):
                what = dice.randrange(4)
                if what < 2 or not ids:
                    ids.append(await self.space.create(None, {"n": dice.randrange(12)}))
                elif what == 2:
                    await self.space.update(dice.choice(ids), {"n": dice.randrange(12)})
                else:
                    await self.space.delete(ids.pop(dice.randrange(len(ids))))
            expected = await self.space.query(**query)
            while [(o.id, o.heads) for o in live.results] != [(o.id, o.heads) for o in expected]:
                await self.next(live)

    async def test_a_wait_that_is_given_up_misses_nothing(self):
        async with self.space.live(type="Task") as live:
            await self.next(live)
            for _ in range(3):
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(live.__anext__(), 0.05)
            await self.space.create("Task", {"n": "late"})
            await self.next(live)
            self.assertEqual([each["n"] for each in live.results], ["late"])

    async def test_ends(self):
        live = self.space.live(type="Task")
        await self.next(live)
        waiting = asyncio.ensure_future(live.__anext__())
        await asyncio.sleep(0.05)
        live.cancel()
        with self.assertRaises(StopAsyncIteration):
            await self.soon(waiting)
        with self.assertRaises(StopAsyncIteration):
            await self.next(live)

        with_client = self.space.live()
        await self.next(with_client)
        waiting = asyncio.ensure_future(with_client.__anext__())
        await asyncio.sleep(0.05)
        await self.client.close()
        with self.assertRaises(StopAsyncIteration):
            await self.soon(waiting)
        with self.assertRaises(StopAsyncIteration):
            await self.next(self.space.live())

    async def test_bad_queries_and_options(self):
        with self.assertRaises(echodb.InvalidArgument):
            await self.next(self.space.live(where={"nonsense": 1}))
        with self.assertRaises(echodb.InvalidArgument):
            await self.next(self.space.live(interval_ms=60_001))
        await self.space.close()
        with self.assertRaises(echodb.InvalidState):
            await self.next(self.space.live())

    async def test_many_opened_and_dropped_leave_nothing(self):
        await self.space.create("Task", {"n": "a"})

        async def some(count):
            for _ in range(count):
                live = self.space.live(type="Task")
                await self.next(live)
                del live

        await some(200)
        await Growth.settle()
        growth = Growth()
        await asyncio.wait_for(some(500), PATIENCE)
        await Growth.settle()
        await self.check_growth(growth)


if __name__ == "__main__":
    unittest.main()
