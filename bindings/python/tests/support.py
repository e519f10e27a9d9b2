"""What several tests need."""

import asyncio
import ctypes
import gc
import os
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any, Awaitable, Callable, Dict, Generator, Optional

import echodb
from echodb import _exit

#: How long anything may take on a slow machine before a test calls it stuck.
PATIENCE = 60


class Case(unittest.IsolatedAsyncioTestCase):
    """A test on an event loop, none of whose waits may hang."""

    async def soon(self, awaitable):
        """Its outcome, or a failure when it takes too long."""
        return await asyncio.wait_for(awaitable, PATIENCE)

    async def until(self, check: Callable[[], Awaitable[bool]]) -> None:
        """Waits until ``check`` holds."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not await check():
            if asyncio.get_running_loop().time() > deadline:
                self.fail("it did not come about in time")
            await asyncio.sleep(0.05)

    async def check_growth(self, growth: "Growth") -> None:
        """Waits until the process holds no more than it did then."""

        async def none() -> bool:
            return not growth.since()

        try:
            await self.until(none)
        except self.failureException:
            self.fail(f"something stays: {growth.since()}")


class SpaceCase(Case):
    """A test with a client in memory, an identity and a space."""

    async def asyncSetUp(self) -> None:
        self.client = await echodb.Client.open(online=False)
        self.addAsyncCleanup(self.client.close)
        await self.client.create_identity("Ada")
        self.space = await self.client.create_space("Notes")


class SignalingServer:
    """A running ``echodb-signal``."""

    def __init__(self) -> None:
        program = os.environ["ECHODB_SIGNAL"]
        self._process = subprocess.Popen(
            [program, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("listening on "):
            self.stop()
            raise RuntimeError(f"the signalling server says {line!r}")
        self.url = line[len("listening on ") :].strip()

    def stop(self) -> None:
        """Ends the process."""
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()


def server_or_skip(test: type) -> Optional[SignalingServer]:
    """A server, unless the tests run without one having been built."""
    if "ECHODB_SIGNAL" not in os.environ:
        raise unittest.SkipTest("ECHODB_SIGNAL does not name the echodb-signal program")
    server = SignalingServer()
    test.addClassCleanup(server.stop)  # type: ignore[attr-defined]
    return server


class Growth:
    """What the process holds at one moment, to see later that it has come to hold no more. What
    the system does not tell counts as nothing."""

    #: How much more of what may be held: pages that allocators keep for each thread and give back
    #: when they like, threads that may have work in one moment and not in the other.
    SLACK = {"heap_kb": 3_000, "resident_kb": 24_000, "blocks": 10_000, "threads": 64}

    def __init__(self) -> None:
        gc.collect()
        #: The heaps of C and Rust.
        self.heap_kb = _heap_kb()
        self.resident_kb = _resident_kb()
        #: Python's own objects.
        self.blocks = sys.getallocatedblocks()
        self.threads = _entries("/proc/self/task")
        self.descriptors = _entries("/proc/self/fd")
        #: Python objects that the library may call.
        self.callbacks = sum(len(table) for table in _exit._CALLBACKS)

    @staticmethod
    async def settle() -> None:
        """Lets end what is about to end."""
        for _ in range(3):
            gc.collect()
            await asyncio.sleep(0.05)

    def since(self) -> Dict[str, str]:
        """What the process holds more of than then, apart from what is always in flux."""
        now = vars(Growth())
        return {
            name: f"{then} -> {now[name]}"
            for name, then in vars(self).items()
            if now[name] > then + self.SLACK.get(name, 0)
        }


class _MallInfo(ctypes.Structure):
    """What glibc's `mallinfo2` fills in."""

    _NAMES = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in _NAMES.split()]


def _heap_kb() -> int:
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return 0
    mallinfo2.restype = _MallInfo
    info = mallinfo2()
    return (info.uordblks + info.hblkhd) // 1024


def _resident_kb() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def _entries(folder: str) -> int:
    try:
        return len(os.listdir(folder))
    except OSError:
        return 0


class Interruption:
    """A call whose task is cancelled at the ``at``-th point where it waits: while it does, or at
    the moment when what it waits for is there."""

    def __init__(self, call: Awaitable[Any], at: int, completing: bool) -> None:
        self._call = call
        self._at = at
        self._completing = completing
        #: Whether the call came to that point.
        self.reached = False

    async def run(self) -> Any:
        """The call's outcome."""
        return await self

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._call.__await__()
        waits = 0
        raised: Optional[BaseException] = None
        while True:
            try:
                future = next(steps) if raised is None else steps.throw(raised)
            except StopIteration as end:
                return end.value
            if waits == self._at:
                self._cancel_task(future)
            waits += 1
            raised = None
            try:
                yield future
            except BaseException as error:
                raised = error

    def _cancel_task(self, future: Optional["asyncio.Future[Any]"]) -> None:
        self.reached = True
        task = asyncio.current_task()
        assert task is not None
        if self._completing and future is not None:
            # Runs before the task hears of it.
            future.add_done_callback(lambda _: task.cancel())
        else:
            asyncio.get_running_loop().call_soon(task.cancel)


class PeersCase(Case):
    """A test with several clients over a real signalling server."""

    server: SignalingServer

    @classmethod
    def setUpClass(cls) -> None:
        server = server_or_skip(cls)
        assert server is not None
        cls.server = server

    async def open(self, name: Optional[str] = None) -> echodb.Client:
        """A client in memory, with an identity if a name is given."""
        client = await echodb.Client.open(
            signaling=[self.server.url], bind=["127.0.0.1:0"], log_level=30
        )
        self.addAsyncCleanup(client.close)
        if name is not None:
            await client.create_identity(name)
        return client

    async def pair(self, space: echodb.Space, guest: echodb.Client) -> echodb.Space:
        """Makes a client a member, and gives its handle on the space."""
        host = await space.invite()
        joining = await guest.join(host.code)
        id = await self.authenticate(host, joining)
        self.assertEqual(id, space.id)
        return await guest.space(id)

    async def link(self, host: echodb.Client, guest: echodb.Client, name: str) -> None:
        """Makes a client a device of another's identity."""
        hosting = await host.create_device_invitation()
        joining = await guest.join_device(hosting.code, device_name=name)
        identity = await self.authenticate(hosting, joining)
        for client in (host, guest):
            assert client.identity is not None
            self.assertEqual(client.identity.identity, identity)

    async def authenticate(self, host: echodb.Invitation, guest: echodb.Invitation) -> str:
        """Brings both sides to their end, and gives what they have it that it led to."""
        ready = echodb.InvitationState.READY_FOR_AUTHENTICATION
        auth_code, _ = await self.soon(
            asyncio.gather(host.wait_auth_code(), guest.wait_until(ready))
        )
        await guest.authenticate(auth_code)
        here, there = await self.soon(asyncio.gather(host.wait(), guest.wait()))
        self.assertEqual(here, there)
        return str(here)

    async def same(self, here: echodb.Space, there: echodb.Space) -> None:
        """Waits until two replicas hold the same."""

        async def check() -> bool:
            return await here.digest() == await there.digest()

        await self.until(check)

    async def arrived(self, client: echodb.Client, id: str) -> echodb.Space:
        """Waits until a space is with a device that may write in it."""

        async def writes() -> bool:
            if all(info.id != id for info in await client.spaces()):
                return False
            return (await (await client.space(id)).status()).role is not None

        await self.until(writes)
        return await client.space(id)

    async def event(self, stream: Any, test: Callable[[Any], bool]) -> Any:
        """The first item of a stream that fits."""
        while True:
            item = await self.soon(stream.__anext__())
            if test(item):
                return item
