"""Transactions: all or nothing."""

import asyncio
import unittest

import echodb
from support import SpaceCase


class Transactions(SpaceCase):
    async def test_all_steps(self):
        async with self.space.transaction() as tx:
            parent = tx.create("List", {"items": [1, 3], "votes": echodb.Counter(1)})
            child = tx.create("Item", {"t": echodb.Text("abc"), "gone": 1, "map": {"a": 1}})
            tx.insert(parent, "/items/1", 2)
            tx.increment(parent, "votes", 4)
            tx.increment(parent, "votes")
            tx.set(parent, "/items/0", {"deep": [True]})
            tx.remove(child, "gone")
            tx.remove(child, "/map/a")
            tx.splice_text(child, "t", 1, 1, "éé")
            tx.update(child, {"new": None})
            tx.set_parent(child, parent)
            self.assertIsNone(await self.space.get(parent))
        self.assertEqual(
            (await self.space.get(parent)).fields,
            {"items": [{"deep": [True]}, 2, 3], "votes": echodb.Counter(6)},
        )
        found = await self.space.get(child)
        self.assertEqual(found.fields, {"t": "aééc", "map": {}, "new": None})
        self.assertEqual(found.parent, parent)
        self.assertIsNotNone(tx.committed.entry)
        self.assertEqual(tx.committed.heads[child], found.heads)
        async with self.space.transaction() as tx:
            tx.delete(parent)
        self.assertEqual(set(tx.committed.heads), {parent})

    async def test_exception_rolls_back(self):
        digest = await self.space.digest()
        with self.assertRaises(ZeroDivisionError):
            async with self.space.transaction() as tx:
                tx.create("Task", {})
                1 / 0
        self.assertEqual(await self.space.digest(), digest)
        with self.assertRaises(echodb.InvalidState):
            tx.create("Task", {})

    async def test_a_step_that_does_not_fit_fails_the_whole(self):
        id = await self.space.create(None, {"t": echodb.Text("abc")})
        digest = await self.space.digest()
        with self.assertRaises(echodb.InvalidArgument):
            async with self.space.transaction() as tx:
                tx.update(id, {"a": 1})
                tx.splice_text(id, "t", 99, 0, "x")
        with self.assertRaises(echodb.NotFound):
            async with self.space.transaction() as tx:
                tx.update(id, {"a": 1})
                tx.update("0" * 26, {"a": 1})
        self.assertEqual(await self.space.digest(), digest)

    async def test_own_id_version_and_explicit_ends(self):
        id = await self.space.create(None, {"n": 1})
        old = (await self.space.get(id)).heads
        await self.space.update(id, {"n": 2})
        async with self.space.transaction() as tx:
            tx.at(old)
            tx.update(id, {"m": 1})
        self.assertEqual((await self.space.get(id)).fields, {"n": 2, "m": 1})
        mine = "01" + "z" * 24
        async with self.space.transaction() as tx:
            self.assertEqual(tx.create("Own", {}, id=mine), mine)
            done = await tx.commit()
        self.assertIs(tx.committed, done)
        self.assertEqual((await self.space.get(mine)).type, "Own")
        async with self.space.transaction() as tx:
            tx.create("Never", {})
            tx.cancel()
        self.assertIsNone(tx.committed)
        self.assertEqual(await self.space.query(type="Never"), [])
        async with self.space.transaction() as tx:
            pass
        self.assertIsNone(tx.committed.entry)

    async def test_cancelled_tasks_commit_everything_or_nothing(self):
        sizes = set()
        for patience in range(12):

            async def work(mark):
                async with self.space.transaction() as tx:
                    for n in range(20):
                        tx.create("Bulk", {"mark": mark, "n": n})

            task = asyncio.ensure_future(work(patience))
            for _ in range(patience):
                await asyncio.sleep(0.0005)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self.space.flush()
        for patience in range(12):
            found = await self.space.query(where=echodb.field("mark") == patience)
            sizes.add(len(found))
        self.assertLessEqual(sizes, {0, 20})

    async def test_cancelled_block_rolls_back(self):
        entered = asyncio.Event()

        async def work():
            async with self.space.transaction() as tx:
                tx.create("Never", {})
                entered.set()
                await asyncio.sleep(3600)

        task = asyncio.ensure_future(work())
        await entered.wait()
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        self.assertEqual(await self.space.query(type="Never"), [])


if __name__ == "__main__":
    unittest.main()
