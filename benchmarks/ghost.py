"""Ghost text: the first text after a request while somebody types, and how soon an engine is free.

In a Jupyter Server, as JupyterLab asks it: a cell below sixty lines of others grows by a word each
time, with and without code behind the cursor; each request is left at its first text, as when
typing goes on. The engine is free when llama.cpp says so.
"""

from __future__ import annotations

import http.client
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from jan_jupyter.engines.local import supervisor
from jan_jupyter.engines.local.registry import Registry
from jan_jupyter.engines.local.worker import Worker
from support.hosts import Host, InJupyter
from support.real_model import NAME, real_model

EARLIER = "".join(
    f"def step_{n}(values):\n    total = sum(values) + {n}\n    return total\n\n\n"
    for n in range(12)
)
BEHIND = "\n    return result\n\n\nprint(collect([1, 2, 3]))\n" * 3
LINE = "    result = [value * 2 for value in values if value > 0 and value < 100 or value == 7]"
LEAVES = 15


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        host = InJupyter(Path(name) / "host")
        real_model(host.data_folder)
        with host:
            for model, shown, bound in (
                ("jan-mini", "jan-mini", "; bound 50 ms"),
                (NAME, "SmolLM2-135M", ""),
            ):
                typed(host, model, shown, bound)
                left(host, model, shown)


def typed(host: Host, model: str, shown: str, bound: str) -> None:
    for suffix, where in (("", "at the end"), (BEHIND, "with code behind")):
        first, times = None, []
        ends = [place for place, sign in enumerate(LINE + " ") if sign == " " and place > 4]
        for end in ends:
            prefix = EARLIER + "def collect(values):\n" + LINE[:end]
            with asked(host, model, prefix, suffix) as (took, _):
                if first is None:
                    first = took
                else:
                    times.append(took)
        times.sort()
        assert first is not None
        print(
            f"{shown}, {where}: first text {1000 * median(times):.1f} ms after the request, the"
            f" slowest {1000 * times[-1]:.1f} ms (of {len(times)} words{bound}); the first of all,"
            f" with its model to load or all to read, {1000 * first:.0f} ms",
            flush=True,
        )


def left(host: Host, model: str, shown: str) -> None:
    times = []
    for number in range(LEAVES):
        prefix = f"{EARLIER}# {number}\n"
        with asked(host, model, prefix, "", max_tokens=1500) as (_, connection):
            worker = of(host, model)
            connection.sock.close()
            connection.close()
            began = perf_counter()
        while works(worker):
            sleep(0.001)
        times.append(perf_counter() - began)
    times.sort()
    print(
        f"{shown}: the engine is free {1000 * median(times):.0f} ms after the request was left, at"
        f" most {1000 * times[-1]:.0f} ms (of {LEAVES}; bound 50 ms)",
        flush=True,
    )


@contextmanager
def asked(
    host: Host, model: str, prefix: str, suffix: str, **more: Any
) -> Iterator[tuple[float, http.client.HTTPConnection]]:
    """Seconds until the first text of a completion, which is left at the end."""
    asks = {"model": model, "prompt": prefix, "suffix": suffix, "stream": True, **more}
    asks |= {"priority": "completion", "key": "cell", "ignore_eos": True, "temperature": 0}
    body = json.dumps(asks)
    connection = http.client.HTTPConnection("127.0.0.1", host.port)
    connection.connect()
    try:
        began = perf_counter()
        connection.request("POST", f"{host.prefix}/completions", body, host.headers)
        answer = connection.getresponse()
        for line in iter(answer.readline, b""):
            if line.startswith(b"data: {") and json.loads(line[6:])["choices"][0]["text"]:
                break
        else:
            raise RuntimeError(f"{model} wrote nothing")
        yield perf_counter() - began, connection
    finally:
        connection.close()


def of(host: Host, model: str) -> Worker:
    workers = Registry(host.folder / "run" / "workers").all()
    (found,) = (worker for worker in workers if worker.model == model)
    return found


def works(worker: Worker) -> bool:
    slots = supervisor.slots(worker.port, worker.secret)
    return slots is not None and any(working for working, _ in slots)
