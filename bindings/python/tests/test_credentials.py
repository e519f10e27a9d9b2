"""Credentials: what an identity shows, to whom, and how others verify it."""

import secrets
import unittest
from datetime import datetime, timedelta, timezone

import echodb
from echodb import CredentialKind, Status
from support import PeersCase

AUDIENCE = "https://notes.example"


class Credentials(PeersCase):
    async def asyncSetUp(self):
        self.ada, self.bob = await self.open("Ada"), await self.open("Bob")
        self.a, self.b = self.ada.identity, self.bob.identity

    async def refused(self, status, call):
        with self.assertRaises(echodb.CredentialRefused) as caught:
            await call
        self.assertEqual(caught.exception.status, status)

    async def test_a_role_is_presented_and_compared(self):
        space = await self.ada.create_space("Notes")
        copy = await self.pair(space, self.bob)
        await self.same(space, copy)
        found = {credential.id: credential for credential in await self.bob.credentials()}
        self.assertEqual(found["identity"].kind, CredentialKind.IDENTITY)
        self.assertEqual(found["identity"].device, self.b.device)
        role = found[space.id]
        self.assertEqual((role.kind, role.role), (CredentialKind.MEMBERSHIP, "editor"))
        self.assertEqual((role.issuer, role.issuer_name), (self.a.identity, "Ada"))
        self.assertTrue(role.checked_against_space and role.steps[0].entry)

        shown = await self.bob.export_credential(space.id)
        read = await echodb.read_credential(echodb.credential_code(shown))
        self.assertEqual((read.role, read.subject), ("editor", self.b.identity))
        self.assertFalse(read.checked_against_space)

        nonce = secrets.token_bytes(32)
        asked = {"nonce": nonce, "audience": AUDIENCE}
        shown = await self.bob.present_credentials(["identity", space.id], **asked)
        who = await echodb.verify_presentation(shown, **asked)
        self.assertEqual((who.identity, who.name, who.device), (self.b.identity, "Bob", self.b.device))
        self.assertEqual([c.id for c in who.credentials], ["identity", space.id])
        self.assertGreater(who.presented, datetime(2020, 9, 1, tzinfo=timezone.utc))
        self.assertFalse(who.device_checked)
        who = await self.ada.verify_presentation(shown, **asked)
        self.assertTrue(who.device_checked and who.credentials[1].checked_against_space)
        verify = echodb.verify_presentation
        other = {"nonce": secrets.token_bytes(16), "audience": AUDIENCE}
        await self.refused(Status.WRONG_NONCE, verify(shown, **other))
        await self.refused(Status.WRONG_AUDIENCE, verify(shown, nonce=nonce, audience="x"))
        await self.refused(Status.BAD_SIGNATURE, verify(shown[:-1] + b"\0", **asked))
        with self.assertRaises(echodb.InvalidArgument):
            await verify("nothing", **asked)
        with self.assertRaises(echodb.InvalidArgument):
            await self.bob.present_credentials([], nonce=b"short", audience=AUDIENCE)

        await space.remove_member(self.b.identity)
        await self.refused(Status.REVOKED, self.ada.verify_presentation(shown, **asked))

    async def test_statements(self):
        end = datetime.now(timezone.utc) + timedelta(hours=1)
        claims = {"course": "boats", "grade": 1}
        issued = await self.ada.issue_credential(self.b.identity, "diploma", claims, expires=end)
        self.assertEqual((issued.claims, issued.type), (claims, "diploma"))
        self.assertLess(abs(issued.expires - end), timedelta(seconds=1))
        shown = await self.ada.export_credential(issued.id)
        kept = await self.bob.import_credential(echodb.credential_code(shown))
        self.assertEqual(kept, issued)
        self.assertIn(issued, await self.bob.credentials())
        await self.refused(Status.EXPIRED, echodb.read_credential(shown, now=end))
        with self.assertRaises(echodb.InvalidArgument):
            await self.ada.import_credential(await self.bob.export_credential("identity"))
        with self.assertRaises(echodb.InvalidArgument):
            await self.ada.issue_credential(self.b.identity, "x", {"a": 1.5})
        with self.assertRaises(echodb.InvalidArgument):
            await self.ada.issue_credential(self.b.identity, "x", {"a": object()})
        await self.bob.remove_credential(issued.id)
        with self.assertRaises(echodb.NotFound):
            await self.bob.export_credential(issued.id)


if __name__ == "__main__":
    unittest.main()
