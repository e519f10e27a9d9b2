"""Clients, spaces and subscriptions in numbers: however they end, nothing of them stays."""

import asyncio
import gc
import itertools
import logging
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import echodb
from support import Case, Growth, Interruption, SpaceCase

CALLS = 100_000
SUBSCRIPTIONS = 10_000
CLIENTS = 1_000


class Cycle:
    """Refers to itself, so that what it holds is dropped by the garbage collector."""

    def __init__(self, *held):
        self.held = held
        self.me = self


class Lifetimes(SpaceCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        # Which records where each task began: too slow for numbers.
        asyncio.get_running_loop().set_debug(False)
        self.touches = 0
        self.object = await self.space.create("Note", {"n": 0, "body": echodb.Text("hello")})

    async def touch(self):
        """Changes the object; to set what is there already would change nothing."""
        self.touches += 1
        await self.space.update(self.object, {"n": self.touches})

    async def steady(self, work, count):
        """Does the work once to warm up, then again, after which nothing more may be held."""
        await work(count // 4 + 1)
        await Growth.settle()
        growth = Growth()
        await work(count)
        await self.check_growth(growth)

    async def test_calls(self):
        async def calls(count):
            for n in range(count):
                kind = n % 25
                if kind == 0:
                    await self.space.get(self.object)
                elif kind == 1:
                    self.assertEqual(await self.space.text(self.object, "body"), "hello")
                elif kind == 2:
                    with self.assertRaises(echodb.InvalidArgument):
                        await self.space.get("short")
                elif kind == 3:
                    await self.space.query(limit=1)
                elif kind == 4:
                    transaction = self.space.transaction()
                    transaction.create(None, {"never": True})
                elif kind == 5:
                    self.assertFalse(self.client.status().online)
                else:
                    self.assertEqual(len(self.space.id), 52)

        await self.steady(calls, CALLS)

    async def test_subscriptions(self):
        heard = []

        async def one(kind):
            if kind == 0:
                async with self.space.changes() as changes:
                    await self.touch()
                    await self.soon(changes.__anext__())
            elif kind == 1:
                subscription = await self.space.subscribe(heard.append)
                subscription.cancel()
            elif kind == 2:
                # Dropped in the middle of a loop.
                await self.space.changes().__aenter__()
            elif kind == 3:
                Cycle(await self.space.changes().__aenter__())
            elif kind == 4:
                await self.space.member_events().__aenter__()
            elif kind == 5:
                Cycle(await self.client.identity_changes().__aenter__())
            else:
                # Never begun.
                self.space.changes()

        async def subscriptions(count):
            for n in range(count):
                await one(n % 7)
                if n % 50 == 0:
                    await self.touch()
            heard.clear()

        await self.steady(subscriptions, SUBSCRIPTIONS)

    async def test_clients(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)

        async def with_everything(close):
            client = await echodb.Client.open(bind=["127.0.0.1:0"])
            await client.create_identity("Ada")
            space = await client.default_space()
            stream = await space.changes().__aenter__()
            transaction = space.transaction()
            transaction.create(None, {})
            invitation = await space.invite()
            updates = await invitation.updates().__aenter__()
            events = await space.member_events().__aenter__()
            identity = await client.identity_changes().__aenter__()
            if close:
                # This one lasts for as long as the client is open, whoever refers to it.
                await space.subscribe(lambda batch: None)
            await space.create(None, {})
            if close:
                await client.close()
            Cycle(client, stream, transaction, invitation, updates, events, identity)

        async def clients(count):
            for n in range(count):
                kind = n % 8
                if kind < 2:
                    await with_everything(close=kind == 0)
                elif kind == 2:
                    # The same profile again and again: it is released each time.
                    async with echodb.Client.open(directory.name, online=False):
                        pass
                elif kind == 3:
                    Cycle(await echodb.Client.open(online=False))
                elif kind < 6:
                    await echodb.Client.open(online=False)
                else:
                    client = await echodb.Client.open(online=False)
                    await client.close()
                if n % 20 == 0:
                    gc.collect()

        await self.steady(clients, CLIENTS)

    async def test_a_busy_garbage_collector(self):
        """It runs in the middle of everything, and drops what the library is calling."""
        busy = True

        async def write():
            while busy:
                await self.touch()

        thresholds = gc.get_threshold()
        self.addCleanup(gc.set_threshold, *thresholds)
        writing = asyncio.ensure_future(write())
        gc.set_threshold(1)
        for _ in range(300):
            Cycle(await self.space.changes().__aenter__())
            await asyncio.sleep(0)
        gc.set_threshold(*thresholds)
        busy = False
        await self.soon(writing)

    async def test_refused_text_holds_nothing(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)

        async def refuse():
            client = await echodb.Client.open(directory.name, online=False)
            await client.create_identity("Ada")
            space = await client.default_space()
            for call in (
                lambda: space.create("half of a pair: \ud83d", {}),
                lambda: space.create("Note", {"text": "\ud83d"}),
                lambda: space.text("\ud83d", "text"),
            ):
                with self.assertRaises(echodb.InvalidArgument):
                    await call()

        async def released():
            try:
                async with echodb.Client.open(directory.name, online=False):
                    return True
            except echodb.InvalidState:
                return False

        await refuse()
        await self.until(released)

    async def test_callbacks_that_raise(self):
        calls = 0

        def listen(batch):
            nonlocal calls
            calls += 1
            raise ZeroDivisionError("on purpose")

        async def listen_slowly(batch):
            await asyncio.sleep(0)
            listen(batch)

        async def called():
            return calls == 1

        async def callbacks(count):
            nonlocal calls
            for n in range(count):
                calls = 0
                subscription = await self.space.subscribe(listen_slowly if n % 2 else listen)
                await self.touch()
                await self.until(called)
                subscription.cancel()

        logging.getLogger("echodb").disabled = True
        self.addCleanup(setattr, logging.getLogger("echodb"), "disabled", False)
        await self.steady(callbacks, 300)

    async def test_callbacks_that_use_the_library(self):
        done = asyncio.Event()

        async def listen(batch):
            async with self.space.changes() as inner:
                await self.space.create("Other", {})
                await self.soon(inner.__anext__())
            async with echodb.Client.open(online=False) as client:
                await client.create_identity("Inner")
            subscription.cancel()
            done.set()

        for _ in range(50):
            subscription = await self.space.subscribe(listen, type="Note")
            await self.touch()
            await self.soon(done.wait())
            done.clear()

    async def test_subscriptions_that_outlive_their_client(self):
        async def outlive(count):
            for _ in range(count):
                client = await echodb.Client.open(online=False)
                await client.create_identity("Ada")
                space = await client.default_space()
                stream = await space.changes().__aenter__()
                subscription = await space.subscribe(lambda batch: None)
                await space.create("Note", {})
                await client.close()
                del client, space
                self.assertLessEqual(len([batch async for batch in stream]), 1)
                subscription.cancel()

        await self.steady(outlive, 50)

    async def test_several_threads(self):
        """Each with a loop of its own, on one space, dropping what another one made."""
        handed = [None] * 4
        failures = []

        async def work(me):
            asyncio.get_running_loop().set_debug(False)
            for n in range(50):
                id = await self.space.create("Note", {"by": me, "n": n})
                async with self.space.changes() as changes:
                    await self.space.update(id, {"n": -1})
                    await asyncio.wait_for(changes.__anext__(), 60)
                self.assertEqual((await self.space.get(id))["n"], -1)
                handed[(me + n) % 4] = (await self.space.changes().__aenter__(), Cycle(changes))

        def run(me):
            try:
                asyncio.run(work(me))
            except BaseException as error:
                failures.append(error)

        async def threads(count):
            for _ in range(count):
                running = [threading.Thread(target=run, args=(me,)) for me in range(4)]
                for thread in running:
                    thread.start()
                for thread in running:
                    await asyncio.to_thread(thread.join, 120)
                    self.assertFalse(thread.is_alive())
                handed[:] = [None] * 4
                self.assertEqual(failures, [])

        await self.steady(threads, 4)


class Cancellation(Case):
    """Every kind of call, its task cancelled at each point where it waits: while it does, and at
    the moment when what it waits for is there."""

    async def asyncSetUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.client = await echodb.Client.open(bind=["127.0.0.1:0"])
        self.addAsyncCleanup(self.client.close)
        await self.client.create_identity("Ada")
        self.space = await self.client.create_space("Notes")
        self.id = await self.space.create("Note", {"body": echodb.Text("hello")})

    async def interrupt(self, make, tidy=None):
        """Cancels what ``make`` gives at every point; the outcome of one that was not cancelled
        after all goes to ``tidy``. Gives the number of calls that were not cancelled."""
        finished = 0
        for completing in (False, True):
            for at in itertools.count():
                attempt = Interruption(await make(), at, completing)
                try:
                    outcome = await self.soon(asyncio.ensure_future(attempt.run()))
                except asyncio.CancelledError:
                    self.assertTrue(attempt.reached)
                else:
                    finished += 1
                    if tidy is not None:
                        await tidy(outcome)
                    del outcome
                if not attempt.reached:
                    break
        return finished

    async def interrupt_endless(self, make):
        """The same for a call that has no end by itself. At how many points it waits depends on
        what is there already; the last of them, where it stays, is cancelled after a while."""
        for at in itertools.count():
            attempt = Interruption(await make(), at, completing=False)
            task = asyncio.ensure_future(attempt.run())
            stuck = asyncio.get_running_loop().call_later(0.3, task.cancel)
            with self.assertRaises(asyncio.CancelledError):
                await self.soon(task)
            stuck.cancel()
            if not attempt.reached:
                return

    async def check_whole(self, growth):
        """The client works as before, and nothing stays of what was given up."""
        self.assertEqual((await self.space.get(self.id)).id, self.id)
        await self.space.flush()
        await self.check_growth(growth)

    async def test_reads(self):
        client, space, id = self.client, self.space, self.id
        archive = await space.export_json()
        reads = [
            client.spaces,
            lambda: client.space(space.id),
            client.default_space,
            space.info,
            space.properties,
            lambda: space.get(id),
            space.query,
            lambda: space.text(id, "body"),
            lambda: space.history(id),
            space.flush,
            space.digest,
            space.members,
            space.status,
            space.quarantined,
            space.export_json,
            lambda: space.import_json(archive),
        ]
        growth = Growth()
        for read in reads:

            async def make(read=read):
                return read()

            self.assertTrue(await self.interrupt(make))
        await self.check_whole(growth)

    async def test_writes(self):
        client, space, id = self.client, self.space, self.id

        async def commit():
            transaction = space.transaction()
            transaction.create("Pair", {"half": 1})
            transaction.create("Pair", {"half": 2})
            return transaction.commit()

        async def commit_block():
            async def block():
                async with space.transaction() as transaction:
                    transaction.create("Pair", {"half": 1})
                    transaction.create("Pair", {"half": 2})

            return block()

        async def delete():
            return space.delete(await space.create("Gone", {}))

        async def delete_space():
            return client.delete_space((await client.create_space("Gone")).id)

        async def close_space():
            await self.other.open()
            return self.other.close()

        async def open_space():
            await self.other.close()
            return self.other.open()

        def simply(call):
            async def make():
                return call()

            return make

        self.other = await client.create_space("Other")
        growth = Growth()
        for make in [
            commit,
            commit_block,
            delete,
            delete_space,
            close_space,
            open_space,
            simply(lambda: client.create_space("Made")),
            simply(lambda: client.set_online(True)),
            simply(lambda: space.set_properties({"color": "red"})),
            simply(lambda: space.create("Note", {})),
            simply(lambda: space.update(id, {"n": 1})),
            simply(lambda: space.splice_text(id, "body", 0, 0, "")),
        ]:
            self.assertTrue(await self.interrupt(make))
        await space.flush()
        self.assertEqual(len(await space.query(type="Pair")) % 2, 0)
        # Spaces stay, with what each needs; everything else is to go.
        growth.heap_kb += 20_000
        await self.check_whole(growth)

    async def test_clients(self):
        profile = self.directory / "profile"

        async def free():
            try:
                await (await echodb.Client.open(profile, online=False)).close()
            except echodb.InvalidState:
                return False
            return True

        async def open():
            # What was given up before may still be closing.
            await self.until(free)
            return echodb.Client.open(profile, online=False)._open()

        async def create_identity():
            client = await echodb.Client.open(online=False)
            return client.create_identity("Bob")

        async def close():
            client = await echodb.Client.open(profile, online=False)
            return client.close()

        async def close_and_wait():
            await self.until(free)
            return await close()

        growth = Growth()
        await self.interrupt(open, tidy=echodb.Client.close)
        await self.interrupt(create_identity)
        await self.interrupt(close_and_wait)
        await self.until(free)
        await self.check_whole(growth)

    async def test_subscriptions(self):
        async def subscribe():
            return self.space.subscribe(lambda batch: None)

        async def begin():
            return self.space.changes().__aenter__()

        async def next_batch():
            return self.space.changes().__anext__()

        async def loop():
            async def read():
                async with self.space.changes() as changes:
                    async for _ in changes:
                        pass

            return read()

        async def cancel(subscription):
            subscription.cancel()

        growth = Growth()
        await self.interrupt(subscribe, tidy=cancel)
        await self.interrupt(begin, tidy=echodb.ChangeStream.aclose)
        await self.interrupt_endless(next_batch)
        await self.interrupt_endless(loop)
        await self.check_whole(growth)

    async def test_invitations(self):
        guest = await echodb.Client.open(bind=["127.0.0.1:0"])
        self.addAsyncCleanup(guest.close)
        await guest.create_identity("Bob")
        invitation = await self.space.invite()

        async def invite():
            return self.space.invite()

        async def join():
            return guest.join(invitation.code)

        async def wait():
            return invitation.wait()

        async def wait_until():
            return invitation.wait_until(echodb.InvitationState.READY_FOR_AUTHENTICATION)

        async def wait_auth_code():
            return invitation.wait_auth_code()

        async def updates():
            async def read():
                async for _ in invitation.updates():
                    pass

            return read()

        async def cancel(invitation):
            invitation.cancel()

        await self.interrupt(invite, tidy=cancel)
        growth = Growth()
        await self.interrupt(join, tidy=cancel)
        await self.interrupt_endless(wait)
        for make in (wait_until, wait_auth_code, updates):
            await self.interrupt_endless(make)
        self.assertFalse(invitation.state.is_final)
        await self.check_whole(growth)


class Exit(unittest.TestCase):
    """The interpreter ends with everything open, again and again."""

    BEGIN = """
import asyncio, gc, sys, threading, echodb

async def everything():
    client = await echodb.Client.open(bind=["127.0.0.1:0"], log_level=5)
    await client.create_identity("Ada")
    space = await client.default_space()
    stream = await space.changes().__aenter__()
    subscription = await space.subscribe(lambda batch: None)
    transaction = space.transaction()
    transaction.create(None, {})
    invitation = await space.invite()
    updates = await invitation.updates().__aenter__()
    await space.create(None, {})
    return locals()
"""

    ENDS = {
        "held by a module": "kept = asyncio.run(everything())",
        "held by a cycle": "kept = asyncio.run(everything()); kept['kept'] = kept; del kept",
        "dropped": "asyncio.run(everything())",
        "in the middle of calls": """
async def main():
    global kept
    kept = await everything()
    space = kept["space"]
    for _ in range(20):
        asyncio.ensure_future(space.create(None, {}))
        asyncio.ensure_future(space.query())
    asyncio.ensure_future(kept["invitation"].wait())
    await asyncio.sleep(0)
asyncio.run(main())
""",
        "with the loop never closed": """
loop = asyncio.new_event_loop()
kept = loop.run_until_complete(everything())
for _ in range(20):
    loop.create_task(kept["space"].create(None, {}))
loop.run_until_complete(asyncio.sleep(0))
""",
        "in a thread that goes on": """
def run():
    async def main():
        kept = await everything()
        ready.set()
        try:
            while True:
                await kept["space"].create(None, {})
        except echodb.InvalidState:
            pass
    asyncio.run(main())
ready = threading.Event()
threading.Thread(target=run, daemon=True).start()
ready.wait()
""",
    }

    def test_with_everything_open(self):
        for name, end in self.ENDS.items():
            for mode in ([], ["-X", "dev"]):
                with self.subTest(name, mode=mode):
                    command = [sys.executable, "-I", *mode, "-c", self.BEGIN + end]
                    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertNotIn("Fatal", done.stderr)
                    self.assertNotIn("Traceback", done.stderr)


if __name__ == "__main__":
    unittest.main()
