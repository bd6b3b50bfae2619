"""What our extension adds to the start of Jupyter Server, against the same with it disabled.

From the start of the process to the first answer, in pairs; extensions of others are off. Beside
it what is imported of us, in a process that has all of Jupyter's.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from support.hosts import OTHERS, InJupyter
from support.streams import cpu_seconds

PAIRS = 25
IMPORT = """
import jupyter_server.base.websocket, jupyter_server.serverapp
from time import perf_counter
began = perf_counter()
import jan_jupyter.server.jupyter
print(perf_counter() - began)
"""


class WithUs(InJupyter):
    prefix = ""


class WithoutUs(WithUs):
    off = (*OTHERS, "jan_jupyter.server")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        with_us, without = (kind(Path(name) / kind.__name__) for kind in (WithUs, WithoutUs))
        pairs = []
        for number in range(PAIRS + 1):  # the first warms up
            if number % 2:
                pairs.append((started(with_us), started(without)))
            else:
                pairs.append((started(without), started(with_us))[::-1])
        del pairs[0]
    ours, alone = (median(pair[n][0] for pair in pairs) for n in (0, 1))
    wall, cpu = (median(1000 * (a[n] - b[n]) for a, b in pairs) for n in (0, 1))
    print(
        f"start of Jupyter Server: {1000 * ours:.0f} ms, without it {1000 * alone:.0f} ms;"
        f" {wall:+.0f} ms, {cpu:+.0f} ms of CPU (medians of {PAIRS} pairs; bound 50 ms);"
        f" of that our imports {1000 * median(imported() for _ in range(9)):.0f} ms"
    )


def imported() -> float:
    """Seconds for our modules that are there before the first request."""
    command = [sys.executable, "-c", IMPORT]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def started(host: WithUs) -> tuple[float, float]:
    """Seconds until the server answers, and of CPU; whether we are there is looked at."""
    host.log.clear()
    began = perf_counter()
    with host:
        assert host.ask("GET", "/api").status == 200
        took, spent = perf_counter() - began, cpu_seconds(host.process.pid)
        there = host.ask("GET", "/jan/v1/models").status == 200
        assert there != isinstance(host, WithoutUs)
        return took, spent
