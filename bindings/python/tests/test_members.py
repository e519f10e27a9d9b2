"""Members: roles, removal, leaving, what is told of it, and what does not count any more."""

import unittest
from datetime import datetime, timezone

import echodb
from echodb import MemberEvent, MemberEventKind, _members
from echodb._stream import Mailbox
from support import PeersCase, SpaceCase


class Members(PeersCase):
    async def asyncSetUp(self):
        self.ada, self.bob = await self.open("Ada"), await self.open("Bob")
        self.a, self.b = self.ada.identity.identity, self.bob.identity.identity
        self.space = await self.ada.create_space("Notes")
        self.id = await self.space.create("Note", {"n": 1})

    async def role_there(self, space, role):
        async def check():
            return (await space.status()).role == role

        await self.until(check)

    async def test_roles_and_removal(self):
        async with self.space.member_events() as at_host:
            copy = await self.pair(self.space, self.bob)
            await self.same(self.space, copy)
            joined = await self.soon(at_host.__anext__())
        self.assertEqual((joined.kind, joined.identity), (MemberEventKind.JOINED, self.b))
        self.assertEqual((joined.role, joined.previous_role), ("editor", None))
        self.assertEqual((joined.space, joined.text), (self.space.id, "Bob joined as editor"))

        members = {member.identity: member for member in await self.space.members()}
        self.assertEqual([members[self.a].rank, members[self.b].rank], [1, 2])
        bob = members[self.b]
        self.assertGreater(bob.joined, datetime(2020, 9, 1, tzinfo=timezone.utc))
        self.assertEqual(bob.devices, (self.bob.identity.device,))
        (device,) = bob.device_details
        self.assertEqual((device.device, device.revoked), (self.bob.identity.device, False))

        (contact,) = await self.ada.contacts()
        self.assertEqual((contact.identity, contact.display_name), (self.b, "Bob"))
        (shared,) = contact.spaces
        self.assertEqual(
            (shared.space, shared.space_name, shared.display_name, shared.role),
            (self.space.id, "Notes", "Bob", "editor"),
        )

        # Whoever stands below decides nothing; the creator stays.
        with self.assertRaises(echodb.PermissionDenied):
            await copy.set_role(self.a, "reader")
        with self.assertRaises(echodb.PermissionDenied):
            await copy.remove_member(self.a)
        with self.assertRaises(echodb.PermissionDenied):
            await self.space.leave()
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.set_role(self.b, "king")
        with self.assertRaises(echodb.NotFound):
            await self.space.remove_member(self.bob.identity.device)

        async with copy.member_events() as at_guest:
            await self.space.set_role(self.b, "reader")
            event = await self.soon(at_guest.__anext__())
            self.assertEqual(event.text, "Bob was made reader by Ada")
            self.assertEqual((event.kind, event.by), (MemberEventKind.ROLE_CHANGED, self.a))
            self.assertEqual((event.by_name, event.role), ("Ada", "reader"))
            await self.role_there(copy, "reader")
            with self.assertRaises(echodb.PermissionDenied):
                await copy.update(self.id, {"n": 2})

            await self.space.remove_member(self.b)
            event = await self.event(at_guest, lambda e: e.kind is MemberEventKind.REMOVED)
            self.assertEqual((event.role, event.previous_role), (None, "reader"))
        status = await copy.status()
        self.assertEqual((status.removed, status.role), (True, None))
        self.assertEqual((await copy.get(self.id))["n"], 1)
        self.assertEqual([m.identity for m in await self.space.members()], [self.a])
        self.assertEqual(await self.ada.contacts(), [])
        status = await self.space.status()
        self.assertEqual((status.removed, status.role), (False, "owner"))

        why = await self.space.why(self.b, "read")
        self.assertFalse(why.allowed)
        self.assertIn("may not read", why.summary)
        self.assertIn(" removed Bob (", why.steps[-1].text)
        self.assertTrue(why.steps[-1].counts and why.steps[-1].entry)

    async def test_what_is_dropped_is_said(self):
        event = MemberEvent(
            "space", MemberEventKind.JOINED, "key", "Bob", "editor", None, None, None, None, "joined"
        )
        mailbox = Mailbox(2, _members._missed)
        for _ in range(5):
            mailbox.put(event)
        self.assertEqual(await mailbox.get(), event)
        missed = await mailbox.get()
        self.assertEqual((missed.space, missed.kind), ("space", MemberEventKind.MISSED))
        self.assertEqual((missed.identity, missed.role), ("", None))

    async def test_a_member_leaves(self):
        copy = await self.pair(self.space, self.bob)
        await self.same(self.space, copy)
        async with self.space.member_events() as events:
            await copy.leave()
            event = await self.event(events, lambda e: e.kind is MemberEventKind.LEFT)
        self.assertEqual(event.text, "Bob left")
        self.assertTrue((await copy.status()).removed)
        self.assertEqual(len(await copy.query()), 1)
        with self.assertRaises(echodb.PermissionDenied):
            await copy.create(None, {})
        with self.assertRaises(echodb.PermissionDenied):
            await copy.rotate_key()

    async def test_a_space_is_handed_over(self):
        copy = await self.pair(self.space, self.bob)
        await self.same(self.space, copy)
        with self.assertRaises(echodb.PermissionDenied):
            await copy.hand_over(self.b)
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.hand_over(self.a)
        with self.assertRaises(echodb.NotFound):
            await self.space.hand_over(self.bob.identity.device)
        async with copy.member_events() as events:
            await self.space.hand_over(self.b)
            event = await self.event(events, lambda e: e.kind is MemberEventKind.HANDED_OVER)
        self.assertEqual((event.identity, event.by), (self.b, self.a))
        self.assertEqual(event.text, "Bob is top owner of the space now, in place of Ada")
        members = {member.identity: member for member in await self.space.members()}
        self.assertEqual([members[self.b].rank, members[self.a].rank], [1, 2])
        await self.space.leave()
        self.assertTrue((await self.space.status()).removed)

    async def test_excluded_and_submitted_again(self):
        copy = await self.pair(self.space, self.bob)
        await self.same(self.space, copy)
        await self.bob.set_online(False)
        await self.space.set_role(self.b, "reader")
        lost = await copy.create("Note", {"lost": 1})
        await self.bob.set_online(True)

        async def excluded():
            counts = [(await each.status()).excluded for each in (self.space, copy)]
            return counts == [1, 1]

        await self.until(excluded)
        await self.same(self.space, copy)
        self.assertIsNone(await copy.get(lost))
        (entry,) = await self.space.excluded()
        self.assertEqual((entry.identity, entry.objects), (self.b, (lost,)))
        self.assertEqual(entry.device, self.bob.identity.device)
        self.assertTrue(entry.reason.startswith("denied: "), entry.reason)
        self.assertGreater(entry.time, datetime(2020, 9, 1, tzinfo=timezone.utc))

        with self.assertRaises(echodb.PermissionDenied):
            await copy.resubmit(entry.entry)
        done = await self.space.resubmit(entry.entry)
        self.assertEqual(done.skipped, ())
        self.assertEqual(list(done.committed.heads), [lost])
        await self.same(self.space, copy)
        self.assertEqual((await copy.get(lost))["lost"], 1)
        # It counts, and needs nothing.
        with self.assertRaises(echodb.InvalidState):
            await self.space.resubmit(done.committed.entry)
        newest = (await self.space.log(1))[0]
        self.assertEqual((newest.entry, newest.endorsed_by), (done.committed.entry, None))


class Alone(SpaceCase):
    async def test_why(self):
        me = self.client.identity
        for subject in (me.identity, me.device):
            why = await self.space.why(subject, "administer")
            self.assertTrue(why.allowed, why)
            self.assertTrue(why.steps, why)
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.why(me.identity, "fly")
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.why("nobody", "read")

    async def test_nothing_to_tell(self):
        self.assertEqual(await self.client.contacts(), [])
        self.assertEqual(await self.space.excluded(), [])
        await self.space.create(None, {})
        (newest,) = await self.space.log(1)
        with self.assertRaises(echodb.NotFound):
            await self.space.resubmit(newest.entry[:-8] + "aaaaaaaa")
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.resubmit("short")

    async def test_content_keys_are_made_anew(self):
        id = await self.space.create(None, {"n": 1})
        first = (await self.space.status()).key_generation
        await self.space.rotate_key()
        await self.space.update(id, {"n": 2})
        self.assertEqual((first, (await self.space.status()).key_generation), (1, 2))
        self.assertEqual((await self.space.get(id))["n"], 2)

    async def test_events_end_with_the_client(self):
        events = self.space.member_events()
        async with events, self.client.identity_changes() as changes:
            await self.client.close()
            self.assertEqual([event async for event in events], [])
            self.assertEqual([change async for change in changes], [])


if __name__ == "__main__":
    unittest.main()
