"""Many short requests at once, against raw httpx2 and the `openai` package on the same server.

Requests a second, each way in a process of its own, in turns; every answer is streamed and read
whole. Defaults on both sides: httpx2's own transport, ours as for any server on this machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from support.jan import KEY, add_remote
from support.server import StreamingServer

REQUESTS = 10_000
IN_FLIGHT = 200
ROUNDS = 3
"""Of ours and of raw httpx2; the `openai` package takes its time, and has one."""
MESSAGES = [{"role": "user", "content": "hi"}]

Ask = Callable[[], Awaitable[str]]


async def _all(ask: Ask) -> float:
    """Seconds for all requests, of which so many are always under way."""
    left = iter(range(REQUESTS))

    async def one_after_the_other() -> None:
        for _ in left:
            assert await ask()

    for _ in range(3):
        await ask()  # warm
    began = perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(IN_FLIGHT)))
    return perf_counter() - began


async def by_jan(base_url: str) -> float:
    import jan_jupyter as jan

    async def ask() -> str:
        return (await jan.achat("hi", "short")).text

    return await _all(ask)


async def by_httpx2(base_url: str) -> float:
    import httpx2

    limits = httpx2.Limits(max_connections=IN_FLIGHT)
    async with httpx2.AsyncClient(limits=limits, timeout=60) as client:

        async def ask() -> str:
            body = {"model": "short", "messages": MESSAGES, "stream": True}
            text = ""
            async with client.stream("POST", f"{base_url}/chat/completions", json=body) as response:
                async for line in response.aiter_lines():
                    if line.startswith("data: {"):
                        for choice in json.loads(line[6:])["choices"]:
                            text += choice["delta"].get("content") or ""
            return text

        return await _all(ask)


async def by_openai(base_url: str) -> float:
    import openai

    client = openai.AsyncOpenAI(base_url=base_url, api_key=KEY)

    async def ask() -> str:
        stream = await client.chat.completions.create(
            model="short", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

    return await _all(ask)


WAYS = {"jan": by_jan, "httpx2": by_httpx2, "openai": by_openai}


def measured(way: str, base_url: str) -> None:
    print(json.dumps(REQUESTS / asyncio.run(WAYS[way](base_url))))


def main() -> None:
    with StreamingServer() as server, tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "jan"
        add_remote(data, server, short="n=5")
        root = Path(__file__).parent.parent
        environment = {
            **os.environ,
            "JAN_DATA_FOLDER": str(data),
            "PYTHONPATH": os.pathsep.join([str(root), str(root / "tests")]),
        }
        speeds: dict[str, list[float]] = {way: [] for way in WAYS}
        code = "import sys; from benchmarks.many import measured as m; m(*sys.argv[1:])"
        for round_ in range(ROUNDS):
            for way in WAYS if not round_ else ("jan", "httpx2"):
                server.clear()
                server.behave("short", "n=5")
                done = subprocess.run(
                    [sys.executable, "-c", code, way, server.base_url],
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                    env=environment,
                )
                speeds[way].append(json.loads(done.stdout))
    for peer, bound in (("httpx2", "; bound 0.85"), ("openai", "")):
        ratio = median(a / b for a, b in zip(speeds["jan"], speeds[peer], strict=False))
        print(
            f"{REQUESTS:,} requests, {IN_FLIGHT} in flight: {median(speeds['jan']):,.0f} a second,"
            f" {ratio:.2f} × of {peer} ({median(speeds[peer]):,.0f}){bound}"
        )
