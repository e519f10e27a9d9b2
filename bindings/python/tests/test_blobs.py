"""Blobs."""

import asyncio
import os
import tempfile
import unittest
from pathlib import Path

import echodb
from echodb import Blob, BlobFetchState
from support import Case, SpaceCase, server_or_skip

BYTES = bytes(range(256)) * 1000


def write(path, data):
    path.write_bytes(data)


def read(path):
    return path.read_bytes()


class Blobs(SpaceCase):
    async def test_in_and_out(self):
        photo = await self.space.put_blob(BYTES)
        self.assertEqual(photo.size, len(BYTES))
        self.assertEqual(await self.space.put_blob(BYTES), photo)
        self.assertEqual(await self.space.read_blob(photo), BYTES)
        self.assertEqual(await self.space.read_blob(photo.id, 256, 4), b"\0\1\2\3")
        id = await self.space.create("Photo", {"image": photo, "more": [photo]})
        found = await self.space.get(id)
        self.assertEqual(found["image"], photo)
        self.assertEqual(found["more"], [photo])
        queried = await self.space.query(where=echodb.field("image") == photo)
        self.assertEqual([each.id for each in queried], [id])
        info = await self.space.blob_info(photo)
        self.assertEqual((info.held, info.whole, info.referenced), (len(BYTES), True, True))
        self.assertEqual([each.id for each in await self.space.blobs()], [photo.id])
        self.assertEqual(info.blob, photo)

    async def test_streamed(self):
        async with self.space.blob_writer() as writer:
            for start in range(0, len(BYTES), 70_000):
                await writer.write(BYTES[start : start + 70_000])
            self.assertEqual(writer.size, len(BYTES))
        self.assertEqual(writer.blob, await self.space.put_blob(BYTES))
        pieces = [piece async for piece in self.space.read_blob_pieces(writer.blob)]
        self.assertEqual(b"".join(pieces), BYTES)
        with self.assertRaises(ZeroDivisionError):
            async with self.space.blob_writer() as writer:
                await writer.write(b"given up")
                raise ZeroDivisionError
        self.assertEqual(len(await self.space.blobs()), 1)

    async def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            source, copy = Path(folder, "source"), Path(folder, "copy")
            write(source, BYTES)
            blob = await self.space.put_blob_file(source)
            await self.space.blob_to_file(blob, copy)
            self.assertEqual(read(copy), BYTES)
            with self.assertRaises(echodb.EchoError):
                await self.space.put_blob_file(Path(folder, "missing"))

    async def test_collected(self):
        kept = await self.space.put_blob(b"kept" * 1000)
        await self.space.put_blob(b"lost" * 1000)
        await self.space.create(None, {"blob": kept})
        self.assertEqual((await self.space.collect_blobs()).blobs, 0)
        done = await self.space.collect_blobs(grace=0)
        self.assertEqual(done.blobs, 1)
        self.assertGreaterEqual(done.bytes, 4000)
        self.assertEqual([each.id for each in await self.space.blobs()], [kept.id])

    async def test_what_is_not_here(self):
        photo = await self.space.put_blob(BYTES)
        await self.space.collect_blobs(grace=0)
        self.assertIsNone(await self.space.blob_info(photo))
        with self.assertRaises(echodb.NotFound):
            await self.space.read_blob(photo)
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.read_blob("no id")
        fetch = await self.space.fetch_blob(photo)
        self.assertEqual(fetch.id, photo.id)
        self.assertIs(fetch.progress.state, BlobFetchState.FETCHING)
        with self.assertRaises(echodb.EchoError) as caught:
            await self.soon(fetch.wait(0.1))
        self.assertIsInstance(caught.exception, (echodb.Network, echodb.NotFound, echodb.TimedOut))
        fetch.cancel()
        with self.assertRaises(echodb.Cancelled):
            await self.soon(fetch.wait())
        states = [progress.state async for progress in fetch.updates()]
        self.assertEqual(states[-1], BlobFetchState.CANCELLED)


class Fetching(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = server_or_skip(cls)

    async def test_from_a_peer(self):
        clients = []
        for name in ("Ada", "Bob"):
            client = await echodb.Client.open(signaling=[self.server.url], bind=["127.0.0.1:0"])
            self.addAsyncCleanup(client.close)
            await client.create_identity(name)
            clients.append(client)
        ada, bob = clients
        here = await ada.create_space("Photos")
        host = await here.invite()
        guest = await bob.join(host.code)
        ready = echodb.InvitationState.READY_FOR_AUTHENTICATION
        code, _ = await self.soon(asyncio.gather(host.wait_auth_code(), guest.wait_until(ready)))
        await guest.authenticate(code)
        await self.soon(host.wait())
        there = await bob.space(await self.soon(guest.wait()))
        data = os.urandom(3_000_000)
        blob = await here.put_blob(data)
        id = await here.create("Photo", {"image": blob})

        async def arrived():
            return await there.get(id) is not None

        await self.until(arrived)
        named = (await there.get(id))["image"]
        self.assertEqual(named, Blob(blob.id, len(data)))
        fetch = await there.fetch_blob(named)
        states = [progress async for progress in fetch.updates()]
        self.assertIs(states[-1].state, BlobFetchState.DONE)
        done = await self.soon(fetch.wait())
        self.assertEqual((done.received, done.total), (len(data), len(data)))
        self.assertEqual(await there.read_blob(named), data)


if __name__ == "__main__":
    unittest.main()
