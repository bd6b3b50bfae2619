"""What a server shares with kernels: workers, and pulls."""

from __future__ import annotations

import http.client
import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from support.environment import processes_of
from support.hosts import HOSTS, Host
from support.hub import Hub
from support.kernel import Kernel

both = pytest.mark.parametrize("kind", [*HOSTS])
SLOWLY = ["alone", pytest.param("jupyter", marks=pytest.mark.slow)]
"""Both, where it takes its time: whole in the slow tests."""


def workers(folder: Path) -> set[int]:
    """The processes that have models loaded."""

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
        (worker,) = workers(tmp_path)
        assert host.ask("POST", "/chat/completions", body).status == 200
        assert workers(tmp_path) == {worker}
        kernel.execute("%jan unload")
        psutil.wait_procs([psutil.Process(worker)] if psutil.pid_exists(worker) else [], 20)
        assert host.ask("POST", "/chat/completions", body).status == 200
        (other,) = workers(tmp_path)
        assert kernel.execute("%jan Hello again").status == "ok"
        assert workers(tmp_path) == {other}
        host.end(signal.SIGKILL)  # whom it has loaded it for is none of the worker's business
        assert kernel.execute("%jan Hello once more").status == "ok"
        assert workers(tmp_path) == {other}
        kernel.execute("%jan unload")


SLOW = "org/Slow-GGUF/Slow-Q4_K_M.gguf"
BODY = b"GGUF\3\0\0\0" + bytes(16) + random.Random(1).randbytes(6_000_000)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Hub]:
    """A hub with one model, which it gives away slowly at first."""
    with Hub(tmp_path) as hub:
        hub.add(SLOW, BODY)
        hub.behave(SLOW, rate=200_000)
        yield hub


@pytest.fixture
def both_at_work(
    request: pytest.FixtureRequest, tmp_path: Path, site: Hub
) -> Iterator[tuple[Host, Kernel]]:
    """A server of a kind, and a kernel, over one data folder."""
    soon = "from jan_jupyter.api import events; events.LOOK = 0.1"
    env = {"HF_ENDPOINT": site.url}
    host: Host = HOSTS[request.param](tmp_path, change=soon, env=env)
    with host, Kernel(folder=tmp_path, env=env) as kernel:
        assert kernel.execute("%load_ext jan_jupyter").status == "ok"
        yield host, kernel


def _told(response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """The events of a stream; as they are, without their names."""
    for line in iter(response.readline, b""):
        if line.startswith(b"data: {"):
            yield json.loads(line.removeprefix(b"data: "))


pulling = pytest.mark.parametrize("both_at_work", SLOWLY, indirect=True)


@pulling
def test_a_pull_of_a_cell_is_seen_by_the_server(
    both_at_work: tuple[Host, Kernel], site: Hub
) -> None:
    host, kernel = both_at_work
    cell = kernel.send("%jan pull org/Slow-GGUF")
    kernel.wait_text(cell, "B/s")
    name = "Slow-Q4_K_M"
    asked = {"model": "org/Slow-GGUF"}
    with host.asking("GET", "/events") as events, host.asking("POST", "/models/pull", asked) as own:
        told = _told(events)
        assert next(e for e in told if e["model"] == name)["state"] == "downloading"
        steps = _told(own)
        assert any("Another process is fetching it" in step["message"] for step in steps)
        assert host.ask("GET", f"/models/{name}").status == 404
        site.behave(SLOW)
        *_, last = steps
        assert last["model"]["state"] == "ready"
        assert any(e["model"] == name and e["state"] == "unloaded" for e in told)
    kernel.wait_idle(cell)
    assert kernel.result(cell).status == "ok"
    assert host.ask("GET", f"/models/{name}").json["state"] == "ready"
    assert site.sent(SLOW) < 1.5 * len(BODY)


@pulling
def test_a_pull_of_the_server_is_seen_by_a_cell(
    both_at_work: tuple[Host, Kernel], site: Hub
) -> None:
    host, kernel = both_at_work
    with host.asking("POST", "/models/pull", {"model": "org/Slow-GGUF"}) as response:
        steps = _told(response)
        assert any(step["done"] for step in steps)
        assert "Slow-Q4_K_M: " in kernel.execute("%jan status").data()[0]
        cell = kernel.send("%jan pull org/Slow-GGUF")
        kernel.wait_text(cell, "Another process is fetching it")
        site.behave(SLOW)
        *_, last = steps
        assert last["model"]["state"] == "ready"
    kernel.wait_idle(cell)
    assert kernel.result(cell).status == "ok"
    assert site.sent(SLOW) < 1.5 * len(BODY)


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
