"""Two clients over a real signalling server: paired, in step, offline and back."""

import asyncio
import unittest

import echodb
from echodb import InvitationState
from support import PeersCase


class Pairing(PeersCase):
    async def asyncSetUp(self):
        self.ada, self.bob = await asyncio.gather(self.open("Ada"), self.open("Bob"))
        self.space = await self.ada.create_space("Notes")

    async def meet(self):
        """Both sides up to where the authorization code is asked for."""
        host = await self.space.invite()
        guest = await self.bob.join(host.code)
        ready = InvitationState.READY_FOR_AUTHENTICATION
        auth_code, asked = await self.soon(
            asyncio.gather(host.wait_auth_code(), guest.wait_until(ready))
        )
        self.assertRegex(auth_code, r"^\d{6}$")
        self.assertEqual((host.auth_code, asked.peer_name), (auth_code, "Ada"))
        return host, guest, auth_code

    async def test_live_both_ways(self):
        id = await self.space.create("Note", {"t": echodb.Text("héllo")})
        copy = await self.pair(self.space, self.bob)
        await self.same(self.space, copy)
        self.assertEqual((await copy.get(id))["t"], "héllo")
        async with self.space.changes() as changes:
            await copy.splice_text(id, "t", 1, 1, "e😀")
            (change,) = (await self.soon(changes.__anext__())).changes
            self.assertEqual((change.id, change.origin), (id, echodb.ChangeOrigin.REMOTE))
            self.assertEqual(await self.space.text(id, "t"), "he😀llo")
        names = {member.display_name for member in await copy.members()}
        self.assertEqual(names, {"Ada", "Bob"})

        async def in_step():
            peers = (await self.space.status()).peers
            return [(peer.name, peer.in_sync) for peer in peers] == [("Bob", True)]

        await self.until(in_step)
        status = self.ada.status()
        self.assertEqual(status.peers, 1)
        self.assertGreater(status.bytes_sent, 0)
        self.assertTrue(status.signaling[0].connected)

    async def test_offline_edits_merge(self):
        id = await self.space.create(
            "Note", {"t": echodb.Text("ab"), "n": echodb.Counter(0), "who": "nobody"}
        )
        copy = await self.pair(self.space, self.bob)
        await self.same(self.space, copy)
        await self.bob.set_online(False)
        await self.space.splice_text(id, "t", 0, 0, "<")
        await copy.splice_text(id, "t", 2, 0, ">")
        for space, by in ((self.space, 2), (copy, 3)):
            async with space.transaction() as tx:
                tx.increment(id, "n", by)
        await copy.create("Note", {"t": "made offline"})
        await asyncio.gather(self.space.flush(), copy.flush())
        self.assertNotEqual(await copy.digest(), await self.space.digest())
        await self.bob.set_online(True)
        await self.same(self.space, copy)
        here, there = await self.space.get(id), await copy.get(id)
        self.assertEqual(here, there)
        self.assertEqual((here["t"], here["n"]), ("<ab>", 5))
        self.assertEqual(len(await self.space.query()), 2)

    async def test_wrong_codes(self):
        host, guest, auth_code = await self.meet()
        with self.assertRaises(echodb.InvalidArgument):
            await guest.authenticate("12")
        wrong = f"{(int(auth_code) + 1) % 1_000_000:06}"
        attempts = host.update().attempts_left
        await guest.authenticate(wrong)

        async def noticed():
            update = host.update()
            return update.attempts_left < attempts or update.state.is_final

        await self.until(noticed)
        self.assertEqual(len(await self.space.members()), 1)
        guest.cancel()
        host.cancel()
        with self.assertRaises(echodb.EchoError):
            await self.soon(guest.wait())

    async def test_cancelled_by_the_host(self):
        host = await self.space.invite(expires=60, include_signaling=False)
        self.assertTrue(host.url.startswith("echodb://join/"))
        self.assertIn(host.state, (InvitationState.INIT, InvitationState.CONNECTING), host.update())
        waiting = asyncio.ensure_future(host.wait())
        states = []

        async def follow():
            async for update in host.updates():
                states.append(update.state)

        following = asyncio.ensure_future(follow())
        await asyncio.sleep(0.1)
        host.cancel()
        with self.assertRaises(echodb.Cancelled):
            await self.soon(waiting)
        await self.soon(following)
        self.assertEqual(states[-1], InvitationState.CANCELLED)
        self.assertIsNone(host.auth_code)

    async def test_a_join_that_is_given_up_is_cancelled(self):
        host = await self.space.invite()
        waiting = asyncio.ensure_future(host.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await waiting
        self.assertFalse(host.state.is_final)
        joining = asyncio.ensure_future(self.bob.join(host.code))
        await asyncio.sleep(0)
        joining.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await joining
        await asyncio.sleep(0.5)
        self.assertEqual(len(await self.bob.spaces()), 1)
        updates = host.updates()
        await self.ada.close()
        states = [update.state async for update in updates]
        self.assertLessEqual(len(states), 2)


if __name__ == "__main__":
    unittest.main()
