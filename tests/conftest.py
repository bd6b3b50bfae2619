"""What every test stands on: a clean place, a locked door, and nobody left behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from support.door import Door
from support.environment import personal_variables, private_folders, processes_of
from support.server import StreamingServer

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of what a shell starts in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)

with suppress(ModuleNotFoundError):  # some environments have none
    from hypothesis import settings

    # What takes how long is for benchmarks. The same is drawn each time, so that a change is what
    # makes a test fail; EXPLORE=1 draws something else, to find what nobody has thought of.
    settings.register_profile("ours", deadline=None, derandomize="EXPLORE" not in os.environ)
    settings.load_profile("ours")

if TYPE_CHECKING:
    from jan_jupyter.models.model import Model
    from support.kernel import Kernel


@pytest.fixture(scope="session", autouse=True)
def no_leftovers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """At the end no process that we started is alive: no kernel, no server, no worker."""
    yield
    found = {process.pid: process for process in processes_of(tmp_path_factory.getbasetemp())}
    found |= {process.pid: process for process in psutil.Process().children(recursive=True)}
    described = {}
    for process in found.values():
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        # Python's own helper, which ends with this process; zombies have no command line.
        if command and "multiprocessing.resource_tracker" not in command:
            described[process] = command
    # What was just told to end may do so.
    _, alive = psutil.wait_procs([*described], timeout=30)
    for process in alive:
        process.kill()
    assert not alive, f"left behind: {[described[process] for process in alive]}"


@pytest.fixture(autouse=True)
def isolated(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Folders of the test's own, no keys and no proxies; gives the folder that holds them."""
    folder = tmp_path_factory.mktemp("isolated")
    for name in personal_variables():
        monkeypatch.delenv(name)
    for name, value in private_folders(folder).items():
        monkeypatch.setenv(name, value)
    _forget_settings()
    yield folder
    _forget_settings()


def _forget_settings() -> None:
    module = sys.modules.get("jan_jupyter.settings")
    if module is not None:
        module.Jan.clear_instance()


@pytest.fixture(scope="session", autouse=True)
def _door() -> Iterator[Door]:
    door = Door()
    with pytest.MonkeyPatch.context() as patch:
        door.lock(patch)
        yield door


@pytest.fixture(autouse=True)
def locked_door(_door: Door) -> Iterator[Door]:
    """A test that would reach the open network fails, even if its code swallows the refusal."""
    _door.attempts.clear()
    yield _door
    assert not _door.attempts, f"the test tried to reach {_door.attempts}"


@pytest.fixture(scope="session")
def _streaming_server() -> Iterator[StreamingServer]:
    with StreamingServer() as server:
        yield server


@pytest.fixture
def server(_streaming_server: StreamingServer) -> StreamingServer:
    """The server that misbehaves on request, its journal empty."""
    _streaming_server.clear()
    return _streaming_server


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is asked again at once."""
    monkeypatch.setattr("jan_jupyter.wire.retry.backoff", lambda attempt, after: 0.0)
    monkeypatch.setattr("jan_jupyter.wire.retry.STARTING_PAUSE", 0.01)


@pytest.fixture
def never_waits(no_pauses: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that says that it is starting is not waited for either."""
    monkeypatch.setattr("jan_jupyter.wire.retry.STARTING_SECONDS", -1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Data folders of real Jan versions, which are kept next to the repository."""
    folder = Path(__file__).parents[2] / "shared" / "data" / "jan"
    if not folder.is_dir():
        pytest.skip(f"{os.path.relpath(folder)} is not there")
    return folder


@pytest.fixture(scope="session")
def real_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A real small LLM, for slow tests: fetched once, before anything personal is taken away."""
    from support.real_model import real_model

    return real_model(tmp_path_factory.mktemp("real-model"))


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A fresh kernel, shared by the tests of a module."""
    from support.kernel import Kernel

    with Kernel(folder=tmp_path_factory.mktemp("kernel")) as kernel:
        yield kernel
