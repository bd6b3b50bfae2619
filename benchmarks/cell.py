"""A `%%jan` cell in a real kernel, against the raw HTTP client on the same stream."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter, sleep

import httpx2

from support.jan import add_remote
from support.kernel import Kernel
from support.server import StreamingServer

DELAY = 0.005


def raw_client(server: StreamingServer, model: str) -> float:
    """Seconds that the raw client takes for the whole stream, decoding every chunk."""
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    began = perf_counter()
    with httpx2.stream("POST", f"{server.base_url}/chat/completions", json=body) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                json.loads(line[6:])
    return perf_counter() - began


def main() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(StreamingServer())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kernel = stack.enter_context(Kernel(folder=folder))
        add_remote(kernel.data_folder, server, paced="n=500", slow="", silent="")
        kernel.execute("%load_ext jan_jupyter")
        kernel.execute("%%jan paced\nwarm up")
        stream(kernel, server)
        interrupt(kernel, server)
        alive(kernel, server)


def stream(kernel: Kernel, server: StreamingServer) -> None:
    print(f"{'tokens':>7} {'first text':>11} {'total':>8} {'messages':>9} {'KB':>7} {'B/token':>8}")
    for count in (500, 2000, 8000):
        pace = f"n={count},delay={DELAY}"
        server.behave("paced", pace)
        raw = raw_client(server, "paced")
        server.clear()  # forgets what it was told, too
        server.behave("paced", pace)
        message = kernel.send("%%jan paced\nhi")
        idle = kernel.wait_idle(message, timeout=120)
        result = kernel.result(message)
        (entry,) = server.journal()
        shown = [m for m in result.received if m.type in ("display_data", "update_display_data")]
        first = next(m for m in shown if m.content["data"].get("text/plain"))
        size = sum(m.size for m in shown)
        assert entry.first is not None
        total = (idle.at - entry.received) / raw
        print(
            f"{count:>7} {1000 * (first.at - entry.first):>8.0f} ms {total:>6.3f} ×"
            f" {len(shown):>9} {size / 1000:>7.0f} {size / count:>8.0f}"
        )
    print("bounds at 2,000: 50 ms, 1.03 ×, 250 messages, 1,200 KB; bytes about linear in length")


def interrupt(kernel: Kernel, server: StreamingServer) -> None:
    for name, behaviour, text in (
        ("slow", "n=5000,delay=0.02", "in mid-stream"),
        ("silent", "n=5,first=30", "before the first token"),
    ):
        waits, closes = [], []
        for _ in range(5):
            server.clear()
            server.behave(name, behaviour)
            message = kernel.send(f"%%jan {name}\nhi")
            server.wait("first" if name == "slow" else "received")
            sleep(0.3)
            at = kernel.interrupt()
            waits.append(kernel.wait_idle(message).at - at)
            (entry,) = server.wait("closed")
            assert entry.closed is not None
            closes.append(entry.closed - at)
        print(
            f"interrupt {text}: idle after {1000 * median(waits):.0f} ms (max"
            f" {1000 * max(waits):.0f}), server saw the close after {1000 * median(closes):.0f} ms"
            f" (max {1000 * max(closes):.0f}); bound 200 ms"
        )


def alive(kernel: Kernel, server: StreamingServer) -> None:
    server.behave("paced", "n=600,delay=0.005")
    kernel.execute(
        "import ipywidgets, time, asyncio\nat = []; ticks = []\n"
        "b = ipywidgets.Button()\nb.on_click(lambda _: at.append(time.monotonic()))\n"
        "async def tick():\n    while True:\n"
        "        ticks.append(time.monotonic()); await asyncio.sleep(0.02)\n"
        "task = asyncio.create_task(tick())\nb"
    )
    button = next(i for i, s in kernel.widgets().items() if s.get("_view_name") == "ButtonView")
    message = kernel.send("%%jan paced\nhi")
    kernel.wait_text(message, "kernel")
    sent = list(_clicks(kernel, button))
    kernel.wait_idle(message)
    found = json.loads(kernel.execute("import json; task.cancel(); print(json.dumps(at))").text)
    waits = [1000 * (then - now) for now, then in zip(sent, found, strict=True)]
    gaps = json.loads(
        kernel.execute("print(json.dumps([b - a for a, b in zip(ticks, ticks[1:])]))").text
    )
    print(
        f"while a cell streams: a button's callback runs after {median(waits):.1f} ms (max"
        f" {max(waits):.1f}; bound 50), a 20 ms task ticks every {1000 * median(gaps):.0f} ms"
        f" (max {1000 * max(gaps):.0f})"
    )


def _clicks(kernel: Kernel, button: str) -> Iterator[float]:
    for _ in range(10):
        yield monotonic()
        kernel.click(button)
        sleep(0.15)
