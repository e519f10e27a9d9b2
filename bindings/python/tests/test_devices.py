"""Several devices of one identity, and its recovery by a phrase."""

import unittest
from datetime import datetime, timezone

import echodb
from echodb import IdentityChange
from support import PeersCase, SpaceCase

RECENT = datetime(2020, 9, 1, tzinfo=timezone.utc)


async def device(asked, of):
    """What one client says of another's device."""
    key = of.identity.device
    (found,) = [info for info in await asked.devices() if info.device == key]
    return found


class Devices(PeersCase):
    async def asyncSetUp(self):
        self.laptop, self.phone = await self.open("Ada"), await self.open()
        self.notes = await self.laptop.create_space("Notes")

    async def test_spaces_follow_and_names_too(self):
        note = await self.notes.create("Note", {"text": "old"})
        self.assertIsNone(self.phone.identity)
        await self.link(self.laptop, self.phone, "Phone")
        self.assertEqual(self.phone.identity.display_name, "Ada")
        copy = await self.arrived(self.phone, self.notes.id)

        async def there():
            return await copy.get(note) is not None

        await self.until(there)
        self.assertEqual(
            (await self.laptop.default_space()).id, (await self.phone.default_space()).id
        )
        self.assertEqual(len(await self.notes.members()), 1)

        async with self.laptop.identity_changes() as changes:
            made = await self.phone.create_space("Trip")
            await self.event(changes, lambda each: IdentityChange.SPACES in each)
        here = await self.arrived(self.laptop, made.id)
        await self.same(here, made)

        first, second = await self.laptop.devices()
        self.assertTrue(first.this_device and first.connected)
        self.assertEqual((first.device, first.revoked), (self.laptop.identity.device, False))
        self.assertEqual((second.name, second.this_device), ("Phone", False))
        self.assertEqual(second.recovered, False)
        self.assertGreater(second.added, RECENT)
        self.assertGreater(second.last_seen, RECENT)

        async with self.phone.identity_changes() as changes:
            await self.laptop.rename_device(second.device, "Old phone")
            await self.event(changes, lambda each: IdentityChange.DEVICES in each)
        self.assertEqual((await device(self.phone, self.phone)).name, "Old phone")
        async with self.laptop.identity_changes() as changes:
            await self.phone.set_profile("Ada L.")
            await self.event(changes, lambda each: IdentityChange.PROFILE in each)
        self.assertEqual(self.laptop.identity.display_name, "Ada L.")

    async def test_a_deleted_space_is_restored(self):
        note = await self.notes.create("Note", {"n": 1})
        await self.link(self.laptop, self.phone, "Phone")
        await self.arrived(self.phone, self.notes.id)
        with self.assertRaises(echodb.AlreadyExists):
            await self.phone.restore_space(self.notes.id)
        await self.phone.delete_space(self.notes.id)
        self.assertNotIn(self.notes.id, [info.id for info in await self.phone.spaces()])
        await self.phone.restore_space(self.notes.id)
        again = await self.arrived(self.phone, self.notes.id)

        async def back():
            return await again.get(note) is not None

        await self.until(back)

    async def test_a_revoked_device_writes_nothing_more(self):
        await self.link(self.laptop, self.phone, "Phone")
        copy = await self.arrived(self.phone, self.notes.id)
        kept = await copy.create("Note", {"kept": 1})
        await self.same(self.notes, copy)
        with self.assertRaises(echodb.PermissionDenied):
            await self.phone.revoke_device(self.laptop.identity.device)
        async with self.phone.identity_changes() as changes:
            await self.laptop.revoke_device(self.phone.identity.device)
            await self.event(changes, lambda each: IdentityChange.REVOKED in each)
        self.assertTrue((await device(self.laptop, self.phone)).revoked)

        async def refused():
            try:
                await copy.create("Note", {"stolen": 1})
            except echodb.PermissionDenied:
                return True
            return False

        await self.until(refused)
        self.assertEqual((await copy.get(kept))["kept"], 1)

    async def test_codes_of_the_other_kind(self):
        joins = await self.notes.invite()
        links = await self.laptop.create_device_invitation(expires=60)
        self.assertTrue(links.code.startswith("echodb-link-"))
        bob = await self.open("Bob")
        with self.assertRaises(echodb.InvitationRefused):
            await bob.join(links.code)
        with self.assertRaises(echodb.InvalidState):
            await bob.join_device(links.code)
        with self.assertRaises(echodb.InvitationRefused):
            await self.phone.join_device(joins.code)
        self.assertIsNone(self.phone.identity)
        with self.assertRaises(echodb.InvalidState):
            await self.phone.create_device_invitation()
        with self.assertRaises(echodb.InvalidArgument):
            await self.laptop.create_device_invitation(expires=0)

    async def test_an_invitation_is_listed_and_cancelled(self):
        links = await self.laptop.create_device_invitation(expires=60)
        (info,) = await self.laptop.invitations()
        self.assertEqual((info.id, info.code), (links.id, links.code))
        self.assertEqual(info.kind, echodb.InvitationKind.DEVICE)
        self.assertEqual((info.max_uses, info.uses, info.joining), (1, 0, False))
        self.assertIsNone(info.space)
        await self.laptop.cancel_invitation(info.id)
        with self.assertRaises(echodb.Cancelled):
            await self.soon(links.wait())
        self.assertEqual(await self.laptop.invitations(), [])
        with self.assertRaises(echodb.NotFound):
            await self.laptop.cancel_invitation(info.id)
        # The code that is worth nothing now is being used until its user gives up.
        joining = await self.phone.join_device(links.code)
        (theirs,) = await self.phone.invitations()
        self.assertEqual((theirs.id, theirs.joining), (links.id, True))
        await self.phone.cancel_invitation(theirs.id)
        with self.assertRaises(echodb.Cancelled):
            await self.soon(joining.wait())

    async def test_a_phrase_brings_the_identity_back(self):
        note = await self.notes.create("Note", {"n": 1})
        read = await self.laptop.create_recovery_phrase()
        phrase = await self.laptop.replace_recovery_phrase(read)
        self.assertEqual(len(phrase.split()), 24)
        self.assertNotEqual(phrase, read)
        with self.assertRaises(echodb.PermissionDenied):
            await self.laptop.replace_recovery_phrase(read)
        with self.assertRaises(echodb.InvalidArgument):
            await self.laptop.replace_recovery_phrase("zoo " + phrase)
        # One that the device made does not put the older one out of force.
        self.assertNotEqual(await self.laptop.create_recovery_phrase(), phrase)
        with self.assertRaises(echodb.InvalidArgument):
            await self.phone.recover_identity("zoo " + phrase)
        # Nobody waits where a foreign one leads.
        with self.assertRaises(echodb.TimedOut):
            await self.phone.recover_identity("abandon " * 23 + "art", timeout=2)
        self.assertIsNone(self.phone.identity)

        identity = await self.soon(
            self.phone.recover_identity(phrase, device_name="New", revoke_older=True, timeout=50)
        )
        self.assertEqual(identity, self.phone.identity)
        self.assertEqual(identity.identity, self.laptop.identity.identity)
        self.assertEqual(identity.display_name, "Ada")
        copy = await self.arrived(self.phone, self.notes.id)
        self.assertEqual((await copy.get(note))["n"], 1)
        new = await device(self.phone, self.phone)
        self.assertEqual((new.name, new.recovered, new.revoked), ("New", True, False))
        self.assertTrue((await device(self.phone, self.laptop)).revoked)
        with self.assertRaises(echodb.InvalidState):
            await self.phone.recover_identity(phrase)


class Alone(SpaceCase):
    async def test_one_device(self):
        (only,) = await self.client.devices()
        self.assertEqual(only.device, self.client.identity.device)
        self.assertTrue(only.this_device and only.connected and not only.revoked)
        await self.client.rename_device(only.device, "Desk")
        self.assertEqual((await self.client.devices())[0].name, "Desk")
        await self.client.set_profile("Ada L.")
        self.assertEqual(self.client.identity.display_name, "Ada L.")
        other = self.client.identity.identity
        for call in (self.client.rename_device(other, "x"), self.client.revoke_device(other)):
            with self.assertRaises(echodb.NotFound):
                await call
        with self.assertRaises(echodb.InvalidArgument):
            await self.client.revoke_device("short")
        with self.assertRaises(echodb.AlreadyExists):
            await self.client.restore_space(self.space.id)
        # A device code takes a network.
        with self.assertRaises(echodb.InvalidState):
            await self.client.create_device_invitation()

    async def test_without_identity(self):
        async with echodb.Client.open(online=False) as client:
            for call in (
                client.devices(),
                client.set_profile("Ada"),
                client.create_recovery_phrase(),
                client.replace_recovery_phrase("abandon " * 23 + "art"),
            ):
                with self.assertRaises(echodb.InvalidState):
                    await call


if __name__ == "__main__":
    unittest.main()
