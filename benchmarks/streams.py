"""The server: 200 streams for a minute, and the first token beside the engine's own.

Both hosts of the API, before the scripted server, all on this machine. Each text is compared as a
whole. The first token is timed at light load, one after the other, in turns with the engine itself.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from statistics import median

from support.hosts import HOSTS, Host
from support.jan import add_remote
from support.server import StreamingServer, tokens
from support.streams import Asked, Streamed, ask, cpu_seconds, watched

STREAMS = 200
PIECES, DELAY = 1200, 0.05
"""Of each stream: a minute, at the pace of a model that many share."""
PAIRS = 200


def main() -> None:
    with StreamingServer() as server, tempfile.TemporaryDirectory() as folder:
        for name, kind in HOSTS.items():
            with kind(Path(folder) / name) as host:
                add_remote(host.data_folder, server, quick="n=3", warm="n=3")
                add_remote(host.data_folder, server, many=f"n={PIECES},delay={DELAY}")
                asyncio.run(first_token(name, host, server))
                asyncio.run(at_once(name, host))


def through(host: Host, model: str) -> Asked:
    return Asked(host.port, f"{host.prefix}/chat/completions", model, host.headers)


async def first_token(name: str, host: Host, server: StreamingServer) -> None:
    directly = Asked(server.port, "/v1/chat/completions", "quick")
    for _ in range(10):
        await ask(through(host, "warm"))
    later, engine = [], []
    for _ in range(PAIRS):
        engine.append((await ask(directly)).first)
        later.append((await ask(through(host, "quick"))).first - engine[-1])
    later.sort()
    print(
        f"{name}: first token {1000 * median(later):.1f} ms later than from the engine itself"
        f" ({1000 * median(engine):.1f} ms), 95 of 100 within {1000 * later[-PAIRS // 20]:.1f} ms"
        f" (median of {PAIRS} pairs; bound 20 ms)",
        flush=True,
    )


async def at_once(name: str, host: Host) -> None:
    before = cpu_seconds(host.process.pid)
    answers, memory = await watched(through(host, "many"), STREAMS, host.process.pid)
    spent = cpu_seconds(host.process.pid) - before
    whole = "".join(tokens(PIECES))
    cut = sum(not is_whole(answer, whole) for answer in answers)
    print(
        f"{name}: {STREAMS} streams for {PIECES * DELAY:.0f} s: {cut} cut (bound 0); memory"
        f" {memory.early / 1e6:.0f} MB, later up to {100 * memory.strayed:.1f} % away from that"
        f" (bound 5 %); {1e6 * spent / STREAMS / PIECES:.0f} µs of CPU a token",
        flush=True,
    )


def is_whole(answer: Streamed, text: str) -> bool:
    with suppress(ValueError, LookupError):
        return answer.text == text
    return False
