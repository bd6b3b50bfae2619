"""What a server shares with kernels: workers, and pulls."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from support.environment import processes_of
from support.hosts import HOSTS, Host
from support.kernel import Kernel

both = pytest.mark.parametrize("kind", [*HOSTS])


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
