"""What router and wire cost per token, against iterating the `openai` package on the same stream.

CPU seconds of this process; the server is a process of its own. Fresh processes, one for each way.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from statistics import median
from time import process_time

from support.jan import KEY, add_remote
from support.server import StreamingServer

STREAMS = {"as fast as it can": "n=8000", "1,000 tokens/s": "n=3000,delay=0.001"}


def by_router(model: str, base_url: str) -> int:
    import jan_jupyter as jan
    from jan_jupyter import bridge

    async def go() -> int:
        hi = jan.ChatRequest([jan.Message("user", "hi")])
        request, target = jan.router.prepare(hi, model)
        count = 0
        async with aclosing(jan.router.chat(request, target)) as deltas:
            async for delta in deltas:
                count += bool(delta.text)
        return count

    return bridge.wait(go())


def by_openai(model: str, base_url: str) -> int:
    import openai

    client = openai.OpenAI(base_url=base_url, api_key=KEY)
    stream = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "hi"}], stream=True
    )
    return sum(bool(chunk.choices and chunk.choices[0].delta.content) for chunk in stream)


def by_router_pooled(model: str, base_url: str) -> int:
    """Over the transport for servers elsewhere, which is httpx2's own."""
    from jan_jupyter.engines.http import client as http

    http._is_loopback = lambda url: False
    return by_router(model, base_url)


WAYS: dict[str, Callable[[str, str], int]] = {
    "router": by_router,
    "router, as to a server elsewhere": by_router_pooled,
    "openai": by_openai,
}


def measured(way: str, base_url: str) -> None:
    """In a process of its own: warm up, then print the CPU seconds per token."""
    WAYS[way]("warm", base_url)
    began = process_time()
    count = WAYS[way]("paced", base_url)
    print(json.dumps((process_time() - began) / count))


def main() -> None:
    with StreamingServer() as server, tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "jan"
        add_remote(data, server, paced="", warm="")
        root = Path(__file__).parent.parent
        environment = {
            **os.environ,
            "JAN_DATA_FOLDER": str(data),
            "PYTHONPATH": os.pathsep.join([str(root), str(root / "tests")]),
        }
        for name, pace in STREAMS.items():
            costs: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(5):
                for way in WAYS:
                    server.behave("warm", "n=50")
                    server.behave("paced", pace)
                    code = "import sys; from benchmarks.wire import measured as m; m(*sys.argv[1:])"
                    done = subprocess.run(
                        [sys.executable, "-c", code, way, server.base_url],
                        capture_output=True,
                        text=True,
                        check=True,
                        env=environment,
                    )
                    costs[way].append(json.loads(done.stdout))
            micro = {way: 1e6 * median(cost) for way, cost in costs.items()}
            print(f"{name}: openai {micro['openai']:.0f} µs of CPU a token")
            for way in [way for way in WAYS if way != "openai"]:
                ratio = micro[way] / micro["openai"]
                bound = 0.3 if way == "router" else 0.5
                print(f"  {way}: {micro[way]:.0f} µs, {ratio:.2f} × (bound {bound})")
