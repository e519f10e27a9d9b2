"""Natural keys, tags, foreign keys, relations, trees, marks, cursors, moves and conflicts."""

import unittest

import echodb
from support import SpaceCase


class Model(SpaceCase):
    async def test_labels_and_relations(self) -> None:
        space = self.space
        async with space.transaction() as tx:
            ada = tx.create("Person", {"name": "Ada"})
            bob = tx.create("Person", {"name": "Bob"})
            knows = tx.create("Knows", {})
            tx.relate(knows, ada, bob)
            tx.tag(ada, "friend")
            tx.tag(ada, "gone")
            tx.untag(ada, "gone")
            tx.set_key(ada, "github", "42")
            with self.assertRaises(echodb.InvalidArgument):
                tx.tag(ada, "")
            with self.assertRaises(echodb.InvalidArgument):
                tx.set_key(ada, "@x", "1")
        found = await space.get(ada)
        assert found is not None
        self.assertEqual((found.tags, found.keys), (("friend",), {"github": "42"}))
        link = (await space.query(type="Knows"))[0]
        self.assertEqual((link.id, link.source, link.target), (knows, ada, bob))
        async with space.transaction() as tx:
            tx.set_key(ada, "github", None)
        self.assertEqual((await space.query(type="Person"))[0].keys, {})

    async def test_natural_keys(self) -> None:
        async with self.space.transaction() as tx:
            first = tx.create_with_key("Book", "isbn:1", {"title": "One", "pages": 1})
        async with self.space.transaction() as tx:
            second = tx.create_with_key("Book", "isbn:1", {"title": "Two"})
        self.assertEqual(first, second)
        (book,) = await self.space.query(type="Book")
        self.assertEqual(book.fields, {"title": "Two", "pages": 1})
        self.assertEqual(book.keys, {"natural": "isbn:1"})

    async def test_what_is_below_a_deleted_object_is_hidden(self) -> None:
        async with self.space.transaction() as tx:
            root = tx.create("Node", {})
            child = tx.create("Node", {})
            tx.set_parent(child, root)
        await self.space.delete(root)
        self.assertEqual(await self.space.query(type="Node"), [])
        below = await self.space.get(child)
        assert below is not None
        self.assertEqual((below.deleted, below.hidden), (False, True))

    async def test_texts_and_lists(self) -> None:
        space = self.space
        note = await space.create("Note", {"t": echodb.Text("a😀bc"), "l": [1, 2, 3]})
        async with space.transaction() as tx:
            tx.mark(note, "t", 1, 3, "bold")
            tx.mark(note, "t", 3, 4, "link", "https://example.org", echodb.MarkExpand.NONE)
            tx.move_item(note, "/l/0", 2)
        self.assertEqual(
            await space.marks(note, "t"),
            [
                echodb.TextMark(1, 3, "bold", True),
                echodb.TextMark(3, 4, "link", "https://example.org"),
            ],
        )
        cursor = await space.cursor(note, "t", 2)
        await space.splice_text(note, "t", 0, 0, "é")
        self.assertEqual(await space.cursor_position(note, "t", cursor), 3)
        with self.assertRaises(echodb.InvalidArgument):
            await space.cursor_position(note, "t", "nonsense")
        async with space.transaction() as tx:
            tx.mark(note, "t", 0, 5, "bold", None)
        self.assertEqual([mark.name for mark in await space.marks(note, "t")], ["link"])
        found = await space.get(note)
        assert found is not None
        self.assertEqual(found["l"], [2, 3, 1])

    async def test_conflicts(self) -> None:
        note = await self.space.create("Note", {"n": 1})
        before = await self.space.get(note)
        assert before is not None
        await self.space.update(note, {"n": 2})
        tx = self.space.transaction()
        tx.at(before.heads)
        tx.set(note, "n", 3)
        await tx.commit()
        values = await self.space.conflicts(note, "n")
        now = await self.space.get(note)
        assert now is not None
        self.assertEqual(sorted(values), [2, 3])
        self.assertEqual(values[-1], now["n"])
        with self.assertRaises(echodb.NotFound):
            await self.space.conflicts(note, "none")


if __name__ == "__main__":
    unittest.main()
