"""A notebook in memory."""

# README-BEGIN
import asyncio
import echodb


async def main() -> None:
    async with echodb.Client.open() as client:
        await client.create_identity("Ada")
        space = await client.create_space("Notes")
        id = await space.create("Note", {"text": echodb.Text("Buy milk"), "done": False})
        await space.create("Note", {"text": echodb.Text("Sleep"), "done": True})
        await space.splice_text(id, "text", 4, 0, "oat ")
        for note in await space.query(type="Note", where=echodb.field("done") == False):
            print(note["text"])


asyncio.run(main())
# README-END
