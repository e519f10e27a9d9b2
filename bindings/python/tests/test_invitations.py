"""Invitations for several guests and through any member, the list of them, QR codes."""

import asyncio
import tempfile
import unittest
from datetime import datetime, timedelta, timezone

import echodb
from echodb import InvitationKind, InvitationState, InvitationType
from support import PeersCase

READY = InvitationState.READY_FOR_AUTHENTICATION


class Invitations(PeersCase):
    async def asyncSetUp(self):
        self.ada, self.bob = await self.open("Ada"), await self.open("Bob")
        self.space = await self.ada.create_space("Notes")

    async def names(self, space):
        return sorted(member.display_name for member in await space.members())

    async def let_in(self, hosting, joining, name):
        """Lets a guest in who is at the door, with the code that is shown for it."""
        await self.soon(joining.wait_until(READY))

        def codes(update):
            return [guest.auth_code for guest in update.guests if guest.name == name]

        async with hosting.updates() as updates:
            update = await self.event(updates, lambda each: any(codes(each)))
        await joining.authenticate(codes(update)[0])
        return await self.soon(joining.wait())

    async def test_one_code_for_several(self):
        hosting = await self.space.invite(max_uses=2, role="reader", expires=7_776_000)
        (info,) = await self.ada.invitations()
        self.assertEqual((info.id, info.space), (hosting.id, self.space.id))
        self.assertEqual((info.kind, info.joining), (InvitationKind.SPACE, False))
        self.assertEqual(info.invitation_type, InvitationType.MULTI_USE)
        self.assertEqual((info.max_uses, info.uses, info.role), (2, 0, "reader"))
        self.assertEqual((info.code, info.url), (hosting.code, hosting.url))
        now = datetime.now(timezone.utc)
        self.assertLess(abs(now - info.created), timedelta(minutes=5))
        self.assertEqual(info.expires - info.created, timedelta(seconds=7_776_000))

        cem = await self.open("Cem")
        joinings = [await guest.join(hosting.code) for guest in (self.bob, cem)]
        for joining, name in zip(joinings, ("Bob", "Cem")):
            self.assertEqual(await self.let_in(hosting, joining, name), self.space.id)
        self.assertEqual(await self.soon(hosting.wait()), self.space.id)
        self.assertEqual(hosting.update().uses, 2)
        self.assertEqual(await self.names(self.space), ["Ada", "Bob", "Cem"])
        roles = sorted(member.role for member in await self.space.members())
        self.assertEqual(roles, ["owner", "reader", "reader"])
        self.assertEqual(await self.ada.invitations(), [])

    async def test_any_member_lets_in_whoever_has_a_delegated_code(self):
        there = await self.pair(self.space, self.bob)
        hosting = await self.space.invite(delegated=True, max_uses=0)
        code = hosting.code

        # The one by which Bob came may not be known to be closed yet.
        async def known():
            types = [info.invitation_type for info in await self.bob.invitations()]
            return types == [InvitationType.DELEGATED]

        await self.until(known)
        (info,) = await self.bob.invitations()
        self.assertEqual((info.id, info.invitation_type), (hosting.id, InvitationType.DELEGATED))
        self.assertEqual((info.code, info.url, info.max_uses), (None, None, None))
        await self.ada.set_online(False)
        cem = await self.open("Cem")
        joining = await cem.join(code)
        theirs = await cem.space(await self.soon(joining.wait()))
        self.assertIsNone(joining.update().fingerprint)
        await there.create(None, {"by": "Bob"})
        await self.same(there, theirs)
        self.assertEqual(await self.names(theirs), ["Ada", "Bob", "Cem"])

        # An editor ends nobody's; the inviter ends it for all.
        with self.assertRaises(echodb.PermissionDenied):
            await self.bob.cancel_invitation(hosting.id)
        await self.ada.set_online(True)
        await self.ada.cancel_invitation(hosting.id)
        with self.assertRaises(echodb.Cancelled):
            await self.soon(hosting.wait())

        async def closed():
            return not await self.bob.invitations() and not await cem.invitations()

        await self.until(closed)

    async def test_without_the_history_guests_read_what_comes(self):
        old = await self.space.create(None, {"old": 1})
        hosting = await self.space.invite(delegated=True, history=False)
        joining = await self.bob.join(hosting.code)
        there = await self.bob.space(await self.soon(joining.wait()))
        new = await self.space.create(None, {"new": 1})

        async def came():
            return await there.get(new) is not None

        await self.until(came)
        self.assertIsNone(await there.get(old))
        status = await there.status()
        self.assertGreater(status.sealed_off, 0)
        self.assertEqual(status.waiting_for_key, 0)
        bob = self.bob.identity.identity
        with self.assertRaises(echodb.PermissionDenied):
            await there.share_history(bob)
        self.assertTrue(await self.space.share_history(bob))
        self.assertFalse(await self.space.share_history(bob))
        await self.same(self.space, there)
        self.assertEqual((await there.get(old))["old"], 1)
        self.assertEqual((await there.status()).sealed_off, 0)

    async def test_both_screens_show_the_same_four_words(self):
        hosting = await self.space.invite()
        joining = await self.bob.join(hosting.code)
        (info,) = await self.bob.invitations()
        self.assertEqual((info.id, info.joining, info.role), (joining.id, True, None))
        await self.let_in(hosting, joining, "Bob")
        await self.soon(hosting.wait())
        words = joining.update().fingerprint
        self.assertEqual(len(words.split(" ")), 4)
        self.assertEqual(hosting.update().fingerprint, words)

    async def test_pictures(self):
        hosting = await self.space.invite()
        svg = hosting.qr_svg()
        self.assertTrue("<svg" in svg and svg.rstrip().endswith("</svg>"), svg[:200])
        code = hosting.qr_modules()
        self.assertEqual(len(code.modules), code.width**2)
        self.assertEqual(set(code.modules), {0, 1})
        # The finder pattern in the corner.
        self.assertEqual(code.modules[:8], bytes([1] * 7 + [0]))

    async def test_bounds_and_unknown_ones(self):
        for options in (
            {"role": "boss"},
            {"role": "admin", "delegated": True},
            {"max_uses": 0},
            {"max_uses": 201},
            {"max_uses": -1},
            {"expires": 604_801},
            {"expires": 7_776_001, "max_uses": 2},
        ):
            with self.subTest(options), self.assertRaises(echodb.InvalidArgument):
                await self.space.invite(**options)
        with self.assertRaises(echodb.PermissionDenied):
            await self.space.invite(role="owner")
        self.assertEqual(await self.ada.invitations(), [])
        nobody = "00112233445566778899aabbccddeeff"
        for call in (self.ada.invitation, self.ada.cancel_invitation):
            with self.assertRaises(echodb.NotFound):
                await call(nobody)
            with self.assertRaises(echodb.InvalidArgument):
                await call("xy")

    async def test_it_goes_on_after_a_restart(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)

        def open():
            return echodb.Client.open(
                directory.name, signaling=[self.server.url], bind=["127.0.0.1:0"], log_level=30
            )

        async with open() as host:
            await host.create_identity("Cem")
            space = await host.create_space("Kept")
            hosting = await space.invite()
            id, code = hosting.id, hosting.code
            waiting = asyncio.ensure_future(hosting.wait())
        with self.assertRaises(echodb.Cancelled):
            await self.soon(waiting)
        async with open() as host:

            async def runs():
                try:
                    await host.invitation(id)
                except echodb.InvalidState:
                    return False
                return True

            await self.until(runs)
            hosting = await host.invitation(id)
            self.assertEqual((hosting.id, hosting.code), (id, code))
            joined = await self.let_in(hosting, await self.bob.join(code), "Bob")
            self.assertEqual(await self.soon(hosting.wait()), joined)


if __name__ == "__main__":
    unittest.main()
