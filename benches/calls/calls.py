"""What a call costs in Python. Prints one JSON object: for each measure the median of nanoseconds a
call takes, and how many samples that is of. calls.c and ../src/calls.rs measure the same."""

import asyncio
import json
import statistics
import time
from typing import Any, Awaitable, Callable, Dict, List

import echodb

WARM_UP_NS = 300_000_000
MEASURE_NS = 1_000_000_000
MAX_SAMPLES = 2000


async def measure(sample: Callable[[], Awaitable[float]]) -> Dict[str, Any]:
    """The median of samples, after a warm-up."""
    begun = time.perf_counter_ns()
    while time.perf_counter_ns() - begun < WARM_UP_NS:
        await sample()
    samples: List[float] = []
    begun = time.perf_counter_ns()
    while len(samples) < MAX_SAMPLES and (
        len(samples) < 5 or time.perf_counter_ns() - begun < MEASURE_NS
    ):
        samples.append(await sample())
    return {"ns": round(statistics.median(samples), 1), "runs": len(samples)}


async def main() -> None:
    async with echodb.Client.open(online=False) as client:
        await client.create_identity("Bench")
        space = await client.default_space()
        many = await client.create_space()
        record = await space.create("Item", {"text": "x" * 1024})
        text = await space.create("Item", {"body": echodb.Text("x" * 65536)})
        listened = await space.create("Item", {"n": -1})
        async with many.transaction() as transaction:
            for n in range(1000):
                transaction.create("Item", {"n": n})

        async def trivial() -> float:
            begun = time.perf_counter_ns()
            for _ in range(1000):
                space.id  # noqa: B018
            return (time.perf_counter_ns() - begun) / 1000

        def awaited(call: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[float]]:
            async def sample() -> float:
                begun = time.perf_counter_ns()
                await call()
                return time.perf_counter_ns() - begun

            return sample

        heard = asyncio.Event()
        heard_at = n = 0

        def listen(batch: echodb.ChangeBatch) -> None:
            nonlocal heard_at
            heard_at = time.perf_counter_ns()
            heard.set()

        async def callback() -> float:
            nonlocal n
            n += 1
            heard.clear()
            begun = time.perf_counter_ns()
            await space.update(listened, {"n": n})
            await heard.wait()
            return heard_at - begun

        results = {
            "call_trivial": await measure(trivial),
            "call_record_1k": await measure(awaited(lambda: space.get(record))),
            "call_list_1000": await measure(awaited(lambda: many.query(type="Item"))),
            "call_bytes_64k": await measure(awaited(lambda: space.text(text, "body"))),
        }
        subscription = await space.subscribe(listen)
        results["call_callback"] = await measure(callback)
        subscription.cancel()
        print(json.dumps(results))


asyncio.run(main())
