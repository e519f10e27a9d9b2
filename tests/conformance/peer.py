"""A peer of the conformance test, in Python; those beside it do the same in others. Commands come on standard
input, words on a line, and each is answered by a line of JSON on standard output. A call of the
library that fails ends the program, except where the comment says that it may."""

import asyncio
import json
import random
import sys
from typing import Any, Dict, List, Optional

import echodb

#: Longer than any wait that goes well, on a slow machine too.
PATIENCE = 120

#: Between two edits, as if by someone who types fast: time for the other side's to come in.
PAUSE = 0.003

#: What is typed: characters of one to four bytes, some of which belong to their neighbours.
PIECES = [
    "b",
    "other ",
    "\u00e9",  # e with acute, one code point
    "e\u0301",  # the same in two
    "\u0308",  # a diaeresis by itself
    "\u05e9\u05dc\u05d5\u05dd",  # Hebrew, right to left
    "\u0645\u064e\u0631\u0652",  # Arabic with vowel marks
    "\u0928\u093f",  # Devanagari, vowel before
    "\u6f22",  # Chinese
    "\U0001f600",  # a smile
    "\U0001f469\u200d\U0001f467",  # a family: two joined to one
    "\U0001f1ea\U0001f1fa",  # a flag: two letters
    "\U0001f44d\U0001f3fd",  # a thumb with a skin tone
]


class Peer:
    """One method for each command; it takes the words and returns the answer."""

    client: echodb.Client
    space: echodb.Space
    invitation: echodb.Invitation
    name: str
    done = False

    async def open(self, profile: str, url: str, name: str) -> Dict[str, Any]:
        """Makes an identity if the profile has none."""
        self.name = name
        self.client = await echodb.Client.open(profile, signaling=[url], bind=["127.0.0.1:0"])
        if self.client.identity is None:
            await self.client.create_identity(name)
        return await self.identity()

    async def identity(self) -> Dict[str, Any]:
        info = self.client.identity
        assert info is not None
        return {"identity": vars(info)}

    async def create_space(self) -> Dict[str, Any]:
        self.space = await self.client.create_space("Shared")
        return {"space": self.space.id}

    async def use(self, space: str) -> Dict[str, Any]:
        """The commands that follow mean a space which the profile holds."""
        self.space = await self.client.space(space)
        return {"space": self.space.id}

    async def invite(self) -> Dict[str, Any]:
        self.invitation = await self.space.invite()
        return {"code": self.invitation.code}

    async def auth_code(self) -> Dict[str, Any]:
        """Waits for the guest, and shows what it is to enter."""
        return {"auth_code": await self.invitation.wait_auth_code()}

    async def join(self, code: str) -> Dict[str, Any]:
        """Waits until the host asks for its authorization code."""
        self.invitation = await self.client.join(code)
        await self.invitation.wait_until(echodb.InvitationState.READY_FOR_AUTHENTICATION)
        return {"done": True}

    async def auth(self, digits: str) -> Dict[str, Any]:
        """Enters the host's authorization code; ``joined`` tells what came of it."""
        await self.invitation.authenticate(digits)
        return {"done": True}

    async def joined(self) -> Dict[str, Any]:
        """Waits for the end of the invitation, on either side."""
        return {"space": await self.invitation.wait()}

    async def create(self, count: str) -> Dict[str, Any]:
        """As many objects, a transaction each."""
        for n in range(int(count)):
            fields = {"by": self.name, "n": n, "half": n + 0.5, "even": n % 2 == 0}
            await self.space.create("Item", {**fields, "note": PIECES[n % len(PIECES)]})
        return {"created": int(count)}

    async def hammer(self, count: str) -> Dict[str, Any]:
        """As many transactions of ten objects, told of one by one; meant to be killed."""
        for batch in range(int(count)):
            async with self.space.transaction() as tx:
                for n in range(10):
                    tx.create("Burst", {"batch": batch, "n": n})
            print(json.dumps({"committed": batch + 1}), flush=True)
        return {"done": True}

    async def create_text(self) -> Dict[str, Any]:
        """An object whose field ``body`` is a text."""
        body = echodb.Text("Begin: \u05d0 \U0001f600")
        return {"id": await self.space.create("Note", {"body": body})}

    async def type(self, id: str, count: str, seed: str) -> Dict[str, Any]:
        """As many edits in random places, counted in code points. Answers how often the text had
        changed in between by the other side's doing, and how many edits did not fit for that
        reason."""
        draw = random.Random(int(seed))
        typed = interrupted = refused = 0
        expected: Optional[str] = None
        while typed < int(count):
            text = await self.space.text(id, "body")
            interrupted += expected is not None and text != expected
            expected = None
            piece = draw.choice(PIECES)
            position = draw.randint(0, len(text))
            length = int(draw.randrange(4) == 0 and position < len(text))
            try:
                await self.space.splice_text(id, "body", position, length, piece)
            except echodb.InvalidArgument:
                refused += 1
                assert refused < int(count) * 10, "every edit is refused"
            else:
                expected = text[:position] + piece + text[position + length :]
                typed += 1
            await asyncio.sleep(PAUSE)
        return {"typed": typed, "interrupted": interrupted, "refused": refused}

    async def splice(self, id: str, position: str, length: str, piece: str = "") -> Dict[str, Any]:
        """One edit, counted in code points, that has to fit."""
        await self.space.splice_text(id, "body", int(position), int(length), piece)
        return {"done": True}

    async def text(self, id: str) -> Dict[str, Any]:
        """The text, and its length in the units of positions."""
        text = await self.space.text(id, "body")
        return {"length": len(text), "text": text}

    async def digest(self) -> Dict[str, Any]:
        return {"digest": await self.space.digest()}

    async def status(self) -> Dict[str, Any]:
        status = await self.space.status()
        peers = [vars(peer) for peer in status.peers]
        return {"status": {**vars(status), "state": status.state.name.lower(), "peers": peers}}

    async def members(self) -> Dict[str, Any]:
        fields = ("identity", "display_name", "role", "devices")
        members = await self.space.members()
        return {"members": [{f: getattr(m, f) for f in fields} for m in members]}

    async def export(self) -> Dict[str, Any]:
        return {"export": (await self.space.export_json()).decode()}

    async def online(self) -> Dict[str, Any]:
        await self.client.set_online(True)
        return {"done": True}

    async def offline(self) -> Dict[str, Any]:
        await self.client.set_online(False)
        return {"done": True}

    async def quit(self) -> Dict[str, Any]:
        """Everything is closed."""
        await self.client.close()
        self.done = True
        return {"done": True}


def next_words() -> List[str]:
    """The words of the next command."""
    line = sys.stdin.buffer.readline()
    if not line:
        raise EOFError("the commands end without a quit")
    return line.decode().rstrip("\n").split(" ")


async def main() -> None:
    peer = Peer()
    while not peer.done:
        # In a thread, so that the loop goes on meanwhile.
        command, *words = await asyncio.to_thread(next_words)
        if command.startswith("_"):
            raise ValueError(f"no command {command}")
        answer = await asyncio.wait_for(getattr(peer, command)(*words), PATIENCE)
        print(json.dumps(answer), flush=True)


asyncio.run(main())
