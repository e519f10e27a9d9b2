"""Import and export."""

import json
import tempfile
import unittest
from pathlib import Path

import echodb
from echodb import ColumnKind, ImportColumn, ImportFormat, ImportOptions, OnError
from support import SpaceCase

TABLE = (
    b"name,age,born,note\nAda,36,1815-12-10T00:00:00Z,first\nBob,x,1900-01-01T00:00:00Z,second\n"
)


class Transfer(SpaceCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    async def test_plain_data_with_a_key_converges(self):
        options = ImportOptions(
            ImportFormat.CSV,
            type="Person",
            key="name",
            columns=[
                ImportColumn("note", ColumnKind.TEXT),
                ImportColumn("age", ColumnKind.STRING, field="years"),
            ],
        )
        report = await self.space.import_data(TABLE, options)
        self.assertEqual((report.rows, report.created), (2, 2))
        people = await self.space.query(type="Person", order="name")
        self.assertEqual([each["name"] for each in people], ["Ada", "Bob"])
        self.assertIsInstance(people[0]["note"], echodb.Text)
        self.assertEqual(people[0]["years"], "36")
        path = self.folder / "people.csv"
        path.write_bytes(TABLE.replace(b"second", b"third"))
        report = await self.space.import_file(path, options)
        self.assertEqual((report.created, report.updated, report.unchanged), (0, 1, 1))

    async def test_rows_that_cannot_be_used(self):
        options = ImportOptions(ImportFormat.CSV, columns=[ImportColumn("age", ColumnKind.INTEGER)])
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.import_data(TABLE, options)
        self.assertEqual(await self.space.query(), [])
        options = ImportOptions(
            ImportFormat.CSV,
            columns=[ImportColumn("age", ColumnKind.INTEGER)],
            on_error=OnError.SKIP,
        )
        report = await self.space.import_data(TABLE, options)
        self.assertEqual((report.created, report.skipped), (1, 1))
        self.assertEqual(report.skips[0].line, 3)

    async def test_json_lines(self):
        lines = b'{"a": 1, "b": {"c": [true]}}\n{"a": 2}\n'
        report = await self.space.import_data(lines, ImportOptions(ImportFormat.NDJSON, type="T"))
        self.assertEqual(report.created, 2)
        found = await self.space.query(type="T", order="a")
        self.assertEqual(found[0].fields, {"a": 1, "b": {"c": [True]}})

    async def test_all_that_objects_carry(self):
        async with self.space.transaction() as tx:
            one = tx.create("Note", {"n": echodb.Text("one")})
            two = tx.create("Note", {"n": 2, "of": echodb.Ref(one)})
            tx.set_parent(two, one)
            tx.tag(two, "red")
        path = self.folder / "notes.ndjson"
        self.assertEqual(await self.space.export_json_file(path), 2)
        other = await self.client.create_space("Copy")
        self.assertEqual(await other.import_json_file(path), 2)
        copy = await other.get(two)
        self.assertEqual((copy.parent, copy.tags), (one, ("red",)))
        self.assertEqual(copy["of"], echodb.Ref(one))

    async def test_archives(self):
        id = await self.space.create("Note", {"n": 1})
        path = self.folder / "notes.archive"
        made = await self.space.export_archive(path)
        self.assertEqual(made.space, self.space.id)
        self.assertEqual(await echodb.verify_archive(path), made)
        before = await self.space.digest()
        await self.client.delete_space(self.space.id)
        again = await self.client.import_archive(path)
        self.assertEqual((await again.get(id))["n"], 1)
        self.assertEqual(await again.digest(), before)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        with self.assertRaises(echodb.Storage) as caught:
            await echodb.verify_archive(path)
        self.assertEqual(caught.exception.status, echodb.Status.CORRUPT)
        stranger = await echodb.Client.open(online=False)
        self.addAsyncCleanup(stranger.close)
        await stranger.create_identity("Eve")
        await again.export_archive(path)
        with self.assertRaises(echodb.PermissionDenied):
            await stranger.import_archive(path)

    async def test_one_object_as_an_automerge_file(self):
        id = await self.space.create("Note", {"n": 1, "text": echodb.Text("hello")})
        file = await self.space.export_object(id)
        other = await self.client.create_space("Copy")
        copy = await other.import_object(file)
        found = await other.get(copy)
        self.assertEqual((found["n"], found["text"]), (1, "hello"))
        with self.assertRaises(echodb.InvalidArgument):
            await other.import_object(b"no file")

    async def test_exported_lines_are_json(self):
        await self.space.create("Note", {"n": 1})
        lines = (await self.space.export_json()).splitlines()
        self.assertEqual(len([json.loads(line) for line in lines]), 2)


if __name__ == "__main__":
    unittest.main()
