"""Links, steps, pages, aggregates and queries over several spaces."""

import unittest

import echodb
from echodb import ancestor, child, field, parent, referred_by, refers_to, related, tagged
from support import SpaceCase


class Links(SpaceCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        async with self.space.transaction() as tx:
            self.ada = tx.create("Person", {"n": "Ada"})
            self.bob = tx.create("Person", {"n": "Bob"})
            self.project = tx.create("Project", {"n": "Engine", "owner": echodb.Ref(self.ada)})
            self.task = tx.create("Task", {"n": "Gears", "by": echodb.Ref(self.bob), "cost": 3})
            self.part = tx.create("Task", {"n": "Teeth", "by": echodb.Ref(self.ada), "cost": 4.5})
            tx.set_parent(self.task, self.project)
            tx.set_parent(self.part, self.task)
            tx.tag(self.part, "small")
            self.knows = tx.create("Knows", {"n": "knows", "since": 1833})
            tx.relate(self.knows, self.ada, self.bob)

    async def found(self, where=None, **options):
        return sorted(each["n"] for each in await self.space.query(where=where, **options))

    async def test_filters_by_links(self):
        cases = [
            (refers_to().to(self.bob), ["Gears"]),
            (refers_to("/by").where(field("n") == "Ada").exists(), ["Teeth"]),
            (refers_to("/owner").exists(), ["Engine"]),
            (referred_by().where(tagged("small")).exists(), ["Ada"]),
            (parent.is_none() & echodb.of_type("Task", "Project"), ["Engine"]),
            (ancestor.to(self.project), ["Gears", "Teeth"]),
            (child.where(tagged("small")).exists(), ["Gears"]),
            (related("Knows", direction="out").exists(), ["Ada"]),
            (related("Knows", via=field("since") < 1800).exists(), []),
            (tagged("small", "large"), ["Teeth"]),
            (field("cost").between(3, 4), ["Gears"]),
            (field("cost").is_kind("number"), ["Gears", "Teeth"]),
        ]
        for where, expected in cases:
            with self.subTest(where=where):
                self.assertEqual(await self.found(where), expected)
        self.assertEqual(len(await self.space.query(where=echodb.relations())), 1)
        self.assertEqual(await self.found(echodb.branches()), [])
        self.assertEqual(await self.found(echodb.with_key("github")), [])

    async def test_steps(self):
        people = await self.found(
            type="Project", follow=[echodb.descendant, refers_to("/by").where(field("n") != "Ada")]
        )
        self.assertEqual(people, ["Bob"])
        self.assertEqual(
            await self.found(echodb.with_id(self.ada), follow=[{"related": {"direction": "out"}}]),
            ["Bob"],
        )

    async def test_pages(self):
        for n in range(25):
            await self.space.create("Row", {"k": n % 7, "n": str(n)})
        seen, after = [], None
        while True:
            page = await self.space.query_page(type="Row", order="k", limit=10, after=after)
            seen += [each.id for each in page.objects]
            after = page.next
            if after is None:
                break
        self.assertEqual(seen, [o.id for o in await self.space.query(type="Row", order="k")])
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.query_page(type="Row", after="nonsense")

    async def test_aggregates(self):
        rows = await self.space.aggregate(
            group=["type"], n="count", total={"sum": "/cost"}, order="-n"
        )
        by_type = {row.group[0]: dict(row.values) for row in rows}
        self.assertEqual(by_type["Task"], {"n": 2, "total": 7.5})
        self.assertEqual(by_type["Person"]["n"], 2)
        (all,) = await self.space.aggregate(type="Task", most={"max": "/cost"})
        self.assertEqual(all["most"], 4.5)
        with self.assertRaises(echodb.InvalidArgument):
            await self.space.aggregate(n="nonsense")

    async def test_several_spaces(self):
        other = await self.client.create_space("Other")
        await other.create("Person", {"n": "Cem"})
        found = await self.client.query(type="Person", order="n")
        self.assertEqual([each.object["n"] for each in found], ["Ada", "Bob", "Cem"])
        self.assertEqual([each.space for each in found][-1], other.id)
        only = await self.client.query([other.id], type="Person")
        self.assertEqual([each.object["n"] for each in only], ["Cem"])

    async def test_explanations(self):
        said = await self.space.explain(where=refers_to().to(self.bob))
        self.assertIn("SELECT", said.sql)
        self.assertTrue(said.plan and said.words)


if __name__ == "__main__":
    unittest.main()
