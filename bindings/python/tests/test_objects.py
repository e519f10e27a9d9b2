"""Objects: made, read, changed, deleted; texts; history; export and import."""

import json
import unittest
from datetime import datetime, timedelta, timezone

import echodb
from support import SpaceCase


class Objects(SpaceCase):
    async def test_create_edit_delete_restore(self):
        before = datetime.now(timezone.utc) - timedelta(seconds=1)
        id = await self.space.create("Task", {"title": "Tea", "done": False})
        made = await self.space.get(id)
        self.assertEqual((made.id, made.type, made.parent), (id, "Task", None))
        self.assertFalse(made.deleted)
        self.assertLess(before, made.created)
        self.assertLessEqual(made.created, made.updated)
        self.assertEqual(len(made.heads[0]), 64)
        await self.space.update(id, {"done": True})
        changed = await self.space.get(id)
        self.assertEqual(changed.fields, {"title": "Tea", "done": True})
        self.assertNotEqual(changed.heads, made.heads)
        await self.space.delete(id)
        self.assertTrue((await self.space.get(id)).deleted)
        self.assertEqual(await self.space.query(), [])
        async with self.space.transaction() as tx:
            tx.restore(id)
        self.assertEqual([o.id for o in await self.space.query()], [id])
        self.assertIsNone(await self.space.get("0" * 26))

    async def test_text_positions_are_pythons(self):
        text = "a😀é日本"
        id = await self.space.create(None, {"t": echodb.Text(text)})
        at = text.index("é")
        await self.space.splice_text(id, "t", at, 1, "💡💡")
        text = text[:at] + "💡💡" + text[at + 1 :]
        self.assertEqual(await self.space.text(id, "t"), text)
        await self.space.splice_text(id, "t", len(text), insert="!")
        self.assertEqual(await self.space.text(id, "/t"), text + "!")
        self.assertEqual((await self.space.get(id))["t"], echodb.Text(text + "!"))
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.splice_text(id, "t", len(text) + 2, 0, "x")
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.splice_text(id, "t", -1, 0, "x")
        await self.space.flush()

    async def test_history(self):
        id = await self.space.create(None, {"n": 1})
        first = await self.space.get(id)
        async with self.space.transaction() as tx:
            tx.message("two")
            tx.update(id, {"n": 2})
        everything = await self.space.history(id)
        since = await self.space.history(id, first.heads)
        self.assertEqual(everything[-1:], since)
        self.assertEqual([change.message for change in since], ["two"])
        self.assertEqual(since[0].parents, first.heads)
        self.assertEqual(since[0].hash, (await self.space.get(id)).heads[0])
        self.assertEqual(since[0].time.tzinfo, timezone.utc)
        with self.assertRaises(TypeError):
            await self.space.history(id, first.heads[0])

    async def test_export_and_import(self):
        id = await self.space.create("Task", {"title": echodb.Text("Tea"), "raw": b"\0"})
        data = await self.space.export_json()
        lines = [json.loads(line) for line in data.decode().splitlines()]
        self.assertGreaterEqual(len(lines), 2)
        copy = await self.client.create_space("Copy")
        self.assertGreaterEqual(await copy.import_json(data), 1)
        original, copied = await self.space.get(id), await copy.get(id)
        self.assertEqual((copied.type, copied.fields), (original.type, original.fields))
        with self.assertRaises(echodb.EchoError):
            await copy.import_json(b"nonsense")

    async def test_space_and_its_state(self):
        info = await self.space.info()
        self.assertEqual((info.name, info.state), ("Notes", echodb.SpaceState.READY))
        await self.space.set_properties({"icon": "📓"})
        self.assertEqual(await self.space.properties(), {"name": "Notes", "icon": "📓"})
        await self.space.create(None, {})
        status = await self.space.status()
        self.assertEqual(status.state, echodb.SpaceState.READY)
        self.assertGreaterEqual(status.objects, 1)
        self.assertEqual((status.peers, status.quarantined), ((), 0))
        self.assertEqual(await self.space.quarantined(), [])
        (member,) = await self.space.members()
        self.assertEqual((member.display_name, member.role), ("Ada", "owner"))
        self.assertEqual(member.identity, self.client.identity.identity)
        digest = await self.space.digest()
        self.assertEqual(len(digest), 64)
        await self.space.create(None, {})
        self.assertNotEqual(await self.space.digest(), digest)
        await self.space.close()
        self.assertEqual((await self.space.info()).state, echodb.SpaceState.CLOSED)
        with self.assertRaises(echodb.InvalidState):
            await self.space.create(None, {})
        await self.space.open()
        self.assertEqual(len(await self.space.query()), 2)


if __name__ == "__main__":
    unittest.main()
