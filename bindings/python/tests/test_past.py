"""Undo and redo, the log, earlier versions, branches, conditions of transactions."""

import unittest

import echodb
from echodb import Status
from support import SpaceCase


class Past(SpaceCase):
    async def test_undo_and_redo(self):
        self.assertIsNone(await self.space.redo())
        async with self.space.transaction() as tx:
            id = tx.create("Note", {"n": 1, "text": echodb.Text("hello")})
            tx.message("a note")
        await self.space.update(id, {"n": 2})
        await self.space.splice_text(id, "/text", 5, 0, " world")
        await self.space.flush()
        await self.space.undo()
        self.assertEqual((await self.space.get(id))["text"], "hello")
        undone = await self.space.undo()
        self.assertEqual((await self.space.get(id))["n"], 1)
        self.assertEqual((undone.label, undone.skipped), (None, ()))
        self.assertIn(id, undone.committed.heads)
        undone = await self.space.undo()
        self.assertEqual(undone.label, "a note")
        self.assertTrue((await self.space.get(id)).deleted)
        for _ in range(3):
            self.assertIsNotNone(await self.space.redo())
        found = await self.space.get(id)
        self.assertEqual((found["n"], found["text"], found.deleted), (2, "hello world", False))

    async def test_groups_are_undone_at_once(self):
        ids = []
        for n in range(3):
            async with self.space.transaction() as tx:
                tx.group("three")
                ids.append(tx.create(None, {"n": n}))
        await self.space.undo()
        self.assertEqual(await self.space.query(), [])

    async def test_only_if_unchanged(self):
        id = await self.space.create(None, {"n": 1})
        before = (await self.space.get(id)).heads
        await self.space.update(id, {"n": 2})
        with self.assertRaises(echodb.InvalidState) as caught:
            async with self.space.transaction() as tx:
                tx.only_if(id, before)
                tx.update(id, {"n": 3})
                tx.create(None, {"n": 4})
        self.assertEqual(caught.exception.status, Status.CONFLICT)
        self.assertEqual([each["n"] for each in await self.space.query()], [2])
        async with self.space.transaction() as tx:
            tx.only_if(id, (await self.space.get(id)).heads)
            tx.update(id, {"n": 3})
        self.assertEqual((await self.space.get(id))["n"], 3)

    async def test_versions(self):
        id = await self.space.create("Note", {"n": 1, "text": echodb.Text("ab")})
        first = (await self.space.get(id)).heads
        async with self.space.transaction() as tx:
            tx.set(id, "n", 2)
            tx.splice_text(id, "/text", 1, 1, "😀c")
        second = (await self.space.get(id)).heads
        self.assertEqual((await self.space.get_at(id, first))["n"], 1)
        changes = await self.space.diff(id, first, second)
        by_path = {change["path"]: change for change in changes}
        self.assertEqual(by_path["/n"]["value"], 2)
        self.assertIn("/text", by_path)
        done = await self.space.restore_version(id, first)
        self.assertIn(id, done.heads)
        found = await self.space.get(id)
        self.assertEqual((found["n"], found["text"]), (1, "ab"))
        with self.assertRaises(echodb.NotFound):
            await self.space.get_at(id, ["00" * 32])
        with self.assertRaises(TypeError):
            await self.space.get_at(id, "00" * 32)

    async def test_log(self):
        ids = [await self.space.create(None, {"n": n}) for n in range(5)]
        entries = await self.space.log()
        self.assertEqual([entry.objects for entry in entries[:5]], [(id,) for id in ids[::-1]])
        self.assertEqual(entries[0].device, self.client.identity.device)
        (made,) = await self.space.history(ids[4])
        self.assertEqual(entries[0].versions, {ids[4]: (made.hash,)})
        author = (self.client.identity.identity, self.client.identity.device)
        self.assertEqual((made.identity, made.device), author)
        past = await self.space.get_at(ids[4], entries[0].versions[ids[4]])
        self.assertEqual(past["n"], 4)
        more = await self.space.log(2, entries[1].entry)
        self.assertEqual(more, entries[2:4])

    async def test_branches(self):
        id = await self.space.create("Note", {"text": echodb.Text("one")})
        branch = await self.space.branch(id, "draft")
        await self.space.splice_text(branch, "/text", 3, 0, " two")
        await self.space.splice_text(id, "/text", 0, 0, "zero ")
        await self.space.flush()
        self.assertEqual((await self.space.get(id))["text"], "zero one")
        self.assertEqual((await self.space.get(branch)).branch_of, id)
        self.assertEqual([each.id for each in await self.space.query()], [id])
        (found,) = await self.space.branches(id)
        self.assertEqual((found.id, found.of, found.name), (branch, id, "draft"))
        await self.space.merge_branch(branch)
        self.assertEqual((await self.space.get(id))["text"], "zero one two")
        with self.assertRaises(echodb.AlreadyExists):
            await self.space.branch(id, "draft")
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.merge_branch(id)


if __name__ == "__main__":
    unittest.main()
