"""Changes: iterated, called back, filtered, ended."""

import asyncio
import gc
import logging
import threading
import unittest
import weakref

import echodb
from echodb import ChangeKind, ChangeOrigin, field
from echodb import _changes, _native
from echodb._stream import Mailbox
from support import SpaceCase


class Changes(SpaceCase):
    async def test_iteration(self):
        async with self.space.changes() as changes:
            id = await self.space.create("Task", {"n": 1})
            batch = await self.soon(changes.__anext__())
            self.assertEqual(batch.space, self.space.id)
            self.assertEqual(
                batch.changes,
                (echodb.Change(id, "Task", ChangeKind.ADDED, ChangeOrigin.LOCAL),),
            )
            await self.space.update(id, {"n": 2})
            (change,) = (await self.soon(changes.__anext__())).changes
            self.assertIs(change.kind, ChangeKind.UPDATED)
            await self.space.delete(id)
            (change,) = (await self.soon(changes.__anext__())).changes
            self.assertIs(change.kind, ChangeKind.REMOVED)
        with self.assertRaises(StopAsyncIteration):
            await changes.__anext__()

    async def test_filter(self):
        async with self.space.changes(field("done") == True) as changes:
            id = await self.space.create("Task", {"done": False})
            other = await self.space.create("Task", {"done": True})
            (change,) = (await self.soon(changes.__anext__())).changes
            self.assertEqual(change.id, other)
            await self.space.update(id, {"done": True})
            (change,) = (await self.soon(changes.__anext__())).changes
            self.assertEqual((change.id, change.kind), (id, ChangeKind.ADDED))
        with self.assertRaises(echodb.InvalidArgument):
            async for _ in self.space.changes({"nonsense": 1}):
                pass

    async def test_closing_the_client_ends_iterations(self):
        async def read():
            return [batch async for batch in self.space.changes()]

        task = asyncio.ensure_future(read())
        await asyncio.sleep(0.2)
        await self.space.create("Task", {})
        seen = []
        await self.space.subscribe(seen.append)
        await self.client.close()
        batches = await self.soon(task)
        self.assertLessEqual(len(batches), 1)

        async def released():
            return not self.client._lifeline.subscriptions

        await self.until(released)
        async for _ in self.space.changes():
            self.fail("a closed client has no changes")

    async def test_leaving_the_loop_ends_the_subscription(self):
        stream = self.space.changes()
        gone = weakref.ref(stream)
        task = asyncio.ensure_future(stream.__anext__())
        await asyncio.sleep(0.1)
        mailbox = stream._mailbox
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        del stream, task
        gc.collect()
        self.assertIsNone(gone())
        listeners = _native._UniffiFfiConverterTypeChangeListener._handle_map

        async def released():
            return len(listeners) == 0

        await self.until(released)
        await self.space.create("Task", {})
        self.assertFalse(mailbox._items)

    async def test_callbacks(self):
        seen = asyncio.Queue()
        threads = set()

        def listen(batch):
            threads.add(threading.get_ident())
            seen.put_nowait(batch)

        async def listen_slowly(batch):
            await asyncio.sleep(0.01)
            seen.put_nowait(batch)

        for callback in (listen, listen_slowly):
            subscription = await self.space.subscribe(callback, type="Task")
            id = await self.space.create("Task", {})
            batch = await self.soon(seen.get())
            self.assertEqual([change.id for change in batch.changes], [id])
            subscription.cancel()
            subscription.cancel()
            await self.space.create("Task", {})
            await asyncio.sleep(0.1)
            self.assertTrue(seen.empty())
        self.assertEqual(threads, {threading.get_ident()})

    async def test_a_callback_that_raises_is_kept(self):
        seen = asyncio.Queue()

        def listen(batch):
            seen.put_nowait(batch)
            raise ZeroDivisionError("on purpose")

        subscription = await self.space.subscribe(listen)
        with self.assertLogs("echodb", logging.ERROR) as logs:
            for _ in range(2):
                await self.space.create("Task", {})
                await self.soon(seen.get())
            await asyncio.sleep(0)
        self.assertIn("on purpose", logs.output[0])
        subscription.cancel()

    async def test_cancelling_from_within(self):
        calls = []

        def listen(batch):
            calls.append(batch)
            subscription.cancel()

        subscription = await self.space.subscribe(listen)
        for _ in range(3):
            await self.space.create("Task", {})
            await asyncio.sleep(0.05)
        self.assertEqual(len(calls), 1)

    async def test_a_listener_that_raises_on_the_librarys_thread_is_kept(self):
        calls = asyncio.Queue()
        loop = asyncio.get_running_loop()

        class Listener(_native.ChangeListener):
            def changed(self, batch):
                loop.call_soon_threadsafe(calls.put_nowait, len(batch.changes))
                raise ZeroDivisionError("on purpose")

        subscription = await self.space._native.subscribe("{}", Listener())
        for _ in range(2):
            await self.space.create("Task", {})
            self.assertEqual(await self.soon(calls.get()), 1)
        subscription.cancel()


class Gathering(unittest.IsolatedAsyncioTestCase):
    def batch(self, **kinds):
        changes = (echodb.Change(id, "T", kind, ChangeOrigin.LOCAL) for id, kind in kinds.items())
        return echodb.ChangeBatch("s", tuple(changes))

    def test_two_batches_as_one(self):
        added, updated, removed = ChangeKind.ADDED, ChangeKind.UPDATED, ChangeKind.REMOVED
        table = [
            (added, updated, added),
            (added, removed, None),
            (updated, updated, updated),
            (updated, removed, removed),
            (removed, added, updated),
            (None, removed, removed),
        ]
        for old, new, expected in table:
            before = self.batch(b=old) if old else self.batch()
            gathered = _changes.gather(before, self.batch(b=new, a=added))
            kinds = {change.id: change.kind for change in gathered.changes}
            self.assertEqual(kinds.get("b"), expected)
            self.assertEqual([c.id for c in gathered.changes][0], "a")

    async def test_a_slow_reader_costs_bounded_memory(self):
        mailbox = Mailbox(4, _changes.gather)
        threads = [
            threading.Thread(
                target=lambda: [
                    mailbox.put(self.batch(**{f"o{n % 10}": ChangeKind.UPDATED}))
                    for n in range(1000)
                ]
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        mailbox.end()
        batches = []
        with self.assertRaises(StopAsyncIteration):
            while True:
                batches.append(await mailbox.get())
        self.assertEqual(len(batches), 4)
        self.assertEqual(len(batches[-1].changes), 10)


if __name__ == "__main__":
    unittest.main()
