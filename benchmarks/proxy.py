"""What our server costs per token, against LiteLLM's proxy before the same stream.

CPU seconds (user and system) of the server's process and all that it started, in turns. LiteLLM
with its defaults; both ask the scripted server, both are asked by the same light client.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

from peers.litellm import LiteLLM
from peers.process import HOST, Unready
from support.hosts import Alone, Host, InJupyter
from support.jan import KEY, add_remote
from support.server import StreamingServer, tokens
from support.streams import Asked, ask_all, cpu_seconds

STREAMS = {
    "as fast as it can": ("fast", 4000, "n=4000"),
    "50 tokens/s": ("paced", 400, "n=400,delay=0.02"),
}
AT_ONCE = 4
ROUNDS = 3
ELSEWHERE = "from jan_jupyter.engines.http import client as c; c._is_loopback = lambda url: False"
"""Has the engine asked over the transport for servers elsewhere, which is httpx2's own."""
PEER = "LiteLLM's proxy"


class Scripted(StreamingServer):
    key = KEY


def main() -> None:
    with tempfile.TemporaryDirectory() as name, Scripted() as server:
        folder = Path(name)
        hosts: Mapping[str, Host] = {
            "jan-jupyter serve": Alone(folder / "alone"),
            "the same, engine elsewhere": Alone(folder / "elsewhere", change=ELSEWHERE),
            "in Jupyter Server": InJupyter(folder / "jupyter"),
        }
        models = {"warm": "n=3", **{model: says for model, _, says in STREAMS.values()}}
        for host in hosts.values():
            add_remote(host.data_folder, server, **models)
        try:
            measure(LiteLLM(folder / "peer", dict.fromkeys(models, server)), hosts)
        except Unready as error:
            print(error)


def measure(peer: LiteLLM, hosts: Mapping[str, Host]) -> None:
    with ExitStack() as stack:
        ways = {}
        for way, host in hosts.items():
            stack.enter_context(host)
            path = f"{host.prefix}/chat/completions"
            ways[way] = Asked(host.port, path, "warm", host.headers), host.process.pid
        stack.enter_context(peer)
        asked = Asked(peer.port, "/v1/chat/completions", "warm", peer.authorization, HOST)
        ways[PEER] = asked, peer.pid
        for whom, _ in ways.values():
            for _ in range(3):
                asyncio.run(ask_all(whom, AT_ONCE))
        for name, (model, count, _) in STREAMS.items():
            show(name, costs(ways, model, count))


def costs(ways: Mapping[str, tuple[Asked, int]], model: str, count: int) -> dict[str, float]:
    """Microseconds of CPU a token, each way."""
    whole = "".join(tokens(count))
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, (whom, pid) in ways.items():
            before = cpu_seconds(pid)
            answers = asyncio.run(ask_all(replace(whom, model=model), AT_ONCE))
            found[way].append(1e6 * (cpu_seconds(pid) - before) / count / AT_ONCE)
            assert all(answer.text == whole for answer in answers)
    return {way: median(each) for way, each in found.items()}


def show(name: str, found: dict[str, float]) -> None:
    peer = found.pop(PEER)
    print(f"{AT_ONCE} streams, {name}: {PEER} {peer:.0f} µs of CPU a token")
    for way, cost in found.items():
        print(f"  {way}: {cost:.0f} µs, {cost / peer:.2f} × (bound 0.5)", flush=True)
