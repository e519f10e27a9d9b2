"""Checking what is stored of a space, making it again, and the bound of memory."""

import unittest

import echodb
from support import SpaceCase


class Checks(SpaceCase):
    async def test_a_sound_space_has_no_findings(self):
        id = await self.space.create("Note", {"n": 1})
        quick = await self.space.check()
        self.assertEqual((quick.findings, quick.more_findings, quick.objects), ((), 0, 0))
        full = await self.space.check(full=True)
        # The note, and the space's own properties.
        self.assertEqual((full.findings, full.objects, full.blobs), ((), 2, 0))
        self.assertGreater(full.entries, 0)
        repaired = await self.space.repair()
        self.assertEqual((repaired.entries, repaired.objects), (full.entries, 2))
        self.assertEqual((repaired.lost_entries, repaired.lost), (0, ()))
        self.assertEqual((repaired.damaged_blocks, repaired.incomplete_blobs), (0, ()))
        self.assertIsNone(repaired.kept_file)
        self.assertEqual((await self.space.get(id)).fields, {"n": 1})

    async def test_the_bound_of_memory(self):
        for wrong in (0, 1000, 1 << 50):
            with self.assertRaises(echodb.InvalidArgument):
                await echodb.Client.open(online=False, cache_bytes=wrong)
        async with echodb.Client.open(online=False, cache_bytes=4 << 20):
            pass


if __name__ == "__main__":
    unittest.main()
