"""Full text and indexes."""

import unittest

import echodb
from echodb import field
from support import SpaceCase


class Search(SpaceCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.tea = await self.space.create("Note", {"text": echodb.Text("😀 green Tea, hot tea")})
        self.code = await self.space.create("Task", {"title": "write code", "n": 7})

    async def test_words_rank_and_snippets(self):
        (hit,) = await self.space.search("tea")
        self.assertEqual(hit.object.id, self.tea)
        self.assertIsInstance(hit.rank, float)
        found = [hit.snippet.text[start:end] for start, end in hit.snippet.ranges]
        self.assertEqual(found, ["Tea", "tea"])
        self.assertEqual((hit.snippet.path, hit.snippet.start), ("/text", 0))
        cases = [
            ("cod*", [self.code]),
            ('"hot tea"', [self.tea]),
            ('"green hot"', []),
            ("tea -green", []),
            ("tea OR code", [self.tea, self.code]),
            ('" ( NEAR', []),
        ]
        for words, expected in cases:
            with self.subTest(words=words):
                hits = await self.space.search(words)
                self.assertEqual({hit.object.id for hit in hits}, set(expected))
        self.assertEqual(await self.space.search("code", type="Note"), [])
        self.assertEqual(len(await self.space.search("code", paths=["title"])), 1)
        (plain,) = await self.space.search("code", field("n") > 1, snippet_chars=0)
        self.assertIsNone(plain.snippet)
        as_filter = await self.space.query(where={"search": "green"})
        self.assertEqual([each.id for each in as_filter], [self.tea])

    async def test_indexes(self):
        await self.space.create_index("Task", "n")
        await self.space.create_index("Task", "n")
        (index,) = await self.space.indexes()
        self.assertEqual((index.type, index.path), ("Task", "/n"))
        said = await self.space.explain(type="Task", where=field("n") == 7)
        self.assertFalse(said.scans)
        self.assertEqual(len(await self.space.query(type="Task", where=field("n") == 7)), 1)
        await self.space.drop_index("Task", "n")
        self.assertEqual(await self.space.indexes(), [])
        with self.assertRaises(echodb.NotFound):
            await self.space.drop_index("Task", "n")


if __name__ == "__main__":
    unittest.main()
