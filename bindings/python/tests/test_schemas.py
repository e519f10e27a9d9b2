"""Schemas and migrations."""

import unittest

import echodb
from echodb import Status
from support import SpaceCase

TASK = {"type": "object", "properties": {"n": {"type": "string"}}, "required": ["n"]}
COUNTED = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


class Schemas(SpaceCase):
    async def test_local_writes_are_checked(self):
        self.assertEqual(await self.space.register_schema("Task", TASK), 1)
        self.assertEqual(await self.space.register_schema("Task", TASK), 1)
        id = await self.space.create("Task", {"n": "tea"})
        self.assertEqual((await self.space.get(id)).schema_version, 1)
        with self.assertRaises(echodb.InvalidArgument) as caught:
            await self.space.create("Task", {"n": 5})
        self.assertEqual(caught.exception.status, Status.SCHEMA_VIOLATION)
        self.assertIn("/n", caught.exception.detail)
        self.assertEqual(len(await self.space.query()), 1)
        info = await self.space.schema("Task")
        self.assertEqual((info.type, info.version, info.withdrawn), ("Task", 1, False))
        self.assertIsNone(await self.space.schema("Other"))
        self.assertEqual(await self.space.schemas(), [info])
        with self.assertRaises(echodb.AlreadyExists):
            await self.space.register_schema("Task", COUNTED, version=1)
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.register_schema("Task", {"type": "nonsense"})
        self.assertEqual(
            (await self.space.violations(), (await self.space.status()).violations), ([], 0)
        )

    async def test_migration(self):
        await self.space.register_schema("Task", TASK)
        ids = [await self.space.create("Task", {"n": str(n)}) for n in range(3)]
        odd = await self.space.create("Task", {"n": "odd"})
        await self.space.register_schema("Task", COUNTED)

        def step(id, version, fields):
            self.assertEqual(version, 1)
            return {"n": int(fields["n"])}

        report = await self.space.migrate("Task", 2, step)
        self.assertEqual((report.migrated, report.left, report.failed), (3, 0, 1))
        self.assertEqual(report.failures[0].id, odd)
        found = await self.space.get(ids[2])
        self.assertEqual((found["n"], found.schema_version), (2, 2))

        def leave(id, version, fields):
            return None

        self.assertEqual((await self.space.migrate("Task", 2, leave)).left, 1)

        def stop(id, version, fields):
            raise echodb.Cancelled("enough")

        with self.assertRaises(echodb.Cancelled):
            await self.space.migrate("Task", 2, stop)


if __name__ == "__main__":
    unittest.main()
