"""What a server shares with kernels and with the next server: workers, and threads."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from support.environment import processes_of
from support.hosts import HOSTS, Host
from support.jan import add_remote
from support.kernel import Kernel
from support.server import StreamingServer, tokens

from .test_talking import page

both = pytest.mark.parametrize("kind", [*HOSTS])


def _workers(folder: Path) -> set[int]:
    """The processes that have the bundled model."""

    def serves(process: psutil.Process) -> bool:
        return any("serve" in word and word.endswith(".py") for word in process.cmdline())

    return {process.pid for process in processes_of(folder) if serves(process)}


@both
def test_a_model_is_loaded_once(tmp_path: Path, kind: str) -> None:
    kept = {"JAN_KEEP_ALIVE": "60"}
    host: Host = HOSTS[kind](tmp_path, env=kept)
    body = host.chat("jan-mini", max_tokens=3)
    with host, Kernel(folder=tmp_path, env=kept) as kernel:
        assert kernel.execute("%load_ext jan_jupyter\n%jan Hello").status == "ok"
        (worker,) = _workers(tmp_path)
        assert host.ask("POST", "/chat/completions", body).status == 200
        assert _workers(tmp_path) == {worker}
        kernel.execute("%jan unload")
        psutil.wait_procs([psutil.Process(worker)] if psutil.pid_exists(worker) else [], 20)
        assert host.ask("POST", "/chat/completions", body).status == 200
        (other,) = _workers(tmp_path)
        assert kernel.execute("%jan Hello again").status == "ok"
        assert _workers(tmp_path) == {other}
        host.end(signal.SIGKILL)  # whom it has loaded it for is none of the worker's business
        assert kernel.execute("%jan Hello once more").status == "ok"
        assert _workers(tmp_path) == {other}
        kernel.execute("%jan unload")


@both
def test_killed_in_mid_stream_the_thread_goes_on_in_the_next_server(
    tmp_path: Path, kind: str, server: StreamingServer
) -> None:
    add_remote(tmp_path / "jan", server, long="n=100000,delay=0.005")
    host = HOSTS[kind](tmp_path)

    async def begin() -> str:
        async with page(host, "?model=long") as one:
            await one.do(type="send", text="Why?")
            await one.until(one.writing)
            await one.until(lambda: one.state["thread"])
            thread: str = one.state["thread"]["id"]
            host.process.send_signal(signal.SIGKILL)
            host.wait()
            return thread

    with host:
        thread = asyncio.run(begin())
    again = HOSTS[kind](tmp_path)

    async def see() -> None:
        async with page(again, f"?thread={thread}") as one:
            turns = {turn["role"]: turn for turn in one.turns.values()}
            assert turns["user"]["text"] == "Why?"
            server.behave("long", "n=3")
            await one.do(type="send", text="And then?")
            await one.until(lambda: one.answered("".join(tokens(3))))

    with again:
        asyncio.run(see())


def test_loading_the_extension_makes_nothing() -> None:
    code = """
import sys
from types import SimpleNamespace
from tornado.web import Application
import jupyter_server.base.handlers, jupyter_server.base.websocket
import jan_jupyter.server as extension
(point,) = extension._jupyter_server_extension_points()
assert point == {"module": "jan_jupyter.server"}
app = SimpleNamespace(web_app=Application(base_url="/user/ada/"))
extension._load_jupyter_server_extension(app)
ours = {name.split(".")[1] for name in sys.modules if name.startswith("jan_jupyter.")}
print(sorted(ours))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "['bridge', 'server']"
