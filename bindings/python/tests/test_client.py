"""Clients: opened, closed, locked; errors; the log."""

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import echodb
from echodb import _log, _native
from support import Case


class Clients(Case):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.profile = Path(directory.name) / "profile"

    async def test_a_profile_lasts(self):
        async with echodb.Client.open(self.profile, online=False) as client:
            self.assertIsNone(client.identity)
            made = await client.create_identity("Ada")
            self.assertEqual(client.identity, made)
            self.assertEqual(made.display_name, "Ada")
            space = await client.create_space("Notes", {"icon": "📓"})
            id = await space.create("Note", {"t": "kept"})
            default = await client.default_space()
            self.assertNotEqual(default.id, space.id)
        with self.assertRaises(echodb.InvalidState):
            await space.create("Note", {})
        await client.close()
        client = await echodb.Client.open(str(self.profile), online=False)
        try:
            self.assertEqual(client.identity, made)
            infos = await client.spaces()
            self.assertEqual([info.is_default for info in infos], [True, False])
            self.assertEqual(infos[1].name, "Notes")
            again = await client.space(space.id)
            self.assertEqual((await again.get(id))["t"], "kept")
            self.assertIn(space.id, repr(again))
            await client.delete_space(space.id)
            self.assertEqual(len(await client.spaces()), 1)
            with self.assertRaises(echodb.NotFound):
                await client.space(space.id)
            with self.assertRaises(echodb.EchoError):
                await client.delete_space(default.id)
        finally:
            await client.close()

    async def test_a_profile_is_locked(self):
        async with echodb.Client.open(self.profile, online=False):
            with self.assertRaises(echodb.InvalidState) as caught:
                await echodb.Client.open(self.profile, online=False)
            self.assertEqual(caught.exception.status, echodb.Status.PROFILE_LOCKED)
            self.assertTrue(caught.exception.retryable)
        async with echodb.Client.open(self.profile, online=False):
            pass

    async def test_errors_are_typed(self):
        async with echodb.Client.open(online=False) as client:
            with self.assertRaises(echodb.InvalidState):
                await client.create_space("early")
            await client.create_identity("Ada")
            with self.assertRaises(echodb.AlreadyExists) as caught:
                await client.create_identity("Ada")
            error = caught.exception
            self.assertIsInstance(error, echodb.EchoError)
            self.assertEqual(error.status, echodb.Status.ALREADY_EXISTS)
            self.assertFalse(error.retryable)
            self.assertEqual(str(error), error.detail)
            self.assertGreater(len(str(error)), 10)
            self.assertIsNone(error.__cause__)
            space = await client.default_space()
            with self.assertRaisesRegex(echodb.InvalidArgument, "object id"):
                await space.get("short")
            with self.assertRaises(ValueError):
                await space.create("x" * 257, {})
            with self.assertRaises(LookupError):
                await space.update("0" * 26, {})
            with self.assertRaises(echodb.EchoError):
                await client.join("not a code")
            with self.assertRaises(TypeError):
                await echodb.Client.open(signaling="ws://one.string")
            with self.assertRaises(echodb.InvalidArgument):
                await echodb.Client.open(coalesce_ms=-1)

    async def test_status_and_going_offline(self):
        async with echodb.Client.open() as client:
            self.assertTrue(client.status().online)
            await client.set_online(False)
            status = client.status()
            self.assertFalse(status.online)
            self.assertEqual((status.peers, status.signaling), (0, ()))

    async def test_cancelled_calls_leave_the_client_whole(self):
        async with echodb.Client.open(self.profile, online=False) as client:
            await client.create_identity("Ada")
            space = await client.create_space("Notes")
            tasks = [
                asyncio.ensure_future(space.create("Note", {"n": n, "twice": n})) for n in range(50)
            ]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            kept = {each for each in outcomes if isinstance(each, str)}
            self.assertGreaterEqual(len(kept), 25)
            await space.flush()
            found = await space.query()
            self.assertLessEqual(kept, {note.id for note in found})
            for note in found:
                self.assertEqual(note["n"], note["twice"])
        opening = asyncio.ensure_future(echodb.Client.open(self.profile)._open())
        await asyncio.sleep(0)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)

        async def free():
            try:
                await (await echodb.Client.open(self.profile, online=False)).close()
            except echodb.InvalidState:
                return False
            return True

        await self.until(free)

    async def test_the_log(self):
        sink = _log.LogSink()
        for level, expected in ((1, logging.ERROR), (2, logging.WARNING), (5, _log.TRACE)):
            record = _native.LogRecord(
                level=_native.LogLevel(level), target="swarm", text="100% of 2", time_ms=0
            )
            with self.assertLogs("echodb", _log.TRACE) as logs:
                sink.log(record)
            (line,) = logs.records
            self.assertEqual((line.name, line.levelno), ("echodb.swarm", expected))
            self.assertEqual(line.getMessage(), "100% of 2")
        for level, expected in ((60, "OFF"), (30, "WARN"), (25, "WARN"), (1, "TRACE")):
            self.assertEqual(_log.native_level(level).name, expected)

    def test_a_program_that_forgets_to_close_ends_cleanly(self):
        program = (
            "import asyncio, echodb, sys\n"
            "async def main():\n"
            "    global client\n"
            "    client = await echodb.Client.open(sys.argv[1])\n"
            "    await client.create_identity('Ada')\n"
            "    space = await client.default_space()\n"
            "    await space.subscribe(print)\n"
            "    id = await space.create('Note', {'t': echodb.Text('')})\n"
            "    await space.splice_text(id, 't', 0, 0, 'typed')\n"
            "    open(sys.argv[2], 'w').write(id)\n"
            "asyncio.run(main())\n"
        )
        # What the listener prints may come after anything else.
        told = self.profile.with_name("id")
        command = [sys.executable, "-I", "-c", program, str(self.profile), str(told)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

        async def read():
            async with echodb.Client.open(self.profile, online=False) as client:
                return await (await client.default_space()).text(told.read_text(), "t")

        self.assertEqual(asyncio.run(read()), "typed")

    @unittest.skipIf(os.name == "nt", "no signals")
    async def test_damaged_profiles_are_refused_untouched(self):
        self.profile.mkdir()
        damaged = self.profile / "profile.sqlite"
        damaged.write_bytes(b"not a database, but long enough to have had a header once" * 9)
        before = damaged.read_bytes()
        with self.assertRaises(echodb.Storage) as caught:
            await echodb.Client.open(self.profile, online=False)
        self.assertEqual(caught.exception.status, echodb.Status.CORRUPT)
        self.assertEqual(damaged.read_bytes(), before)


if __name__ == "__main__":
    unittest.main()
