"""A grid that the workers of a Dask cluster ask, which are processes of their own."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from compare.clusters import cluster
from compare.test_run import Memory, grid, planned
from jan_jupyter import bridge, errors
from jan_jupyter.compare.running.run import run
from jan_jupyter.compare.values import Call, Contestant, Row
from jan_jupyter.workspace import Workspace
from support.jan import KEY, add_remote, write_json
from support.server import StreamingServer

pytestmark = pytest.mark.filterwarnings("default")

THEIR_KEY = "sk-canary-of-workers-0815"


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    made = Workspace()
    yield made
    bridge.wait(made.close())


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the workers: models and keys of their own."""
    return tmp_path_factory.mktemp("theirs")


@pytest.fixture(scope="module")
def client(theirs: Path) -> Iterator[Any]:
    with cluster(theirs, JAN_DATA_FOLDER=str(theirs), JAN_RUNTIME_FOLDER=str(theirs / "run")) as c:
        yield c


@pytest.fixture
def known(isolated: Path, theirs: Path, server: StreamingServer) -> Callable[..., None]:
    """Makes models known here and there, each with another key."""

    def known(**behaviours: str) -> None:
        for folder, key in ((isolated / "jan", KEY), (theirs, THEIR_KEY)):
            add_remote(folder, server, **behaviours)
            engine = {"base_url": server.base_url, "api_key": key}
            write_json(folder / "engines" / "openai" / "engine.json", engine)

    return known


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """All that client, scheduler and workers tell each other: tasks, and what comes of them."""
    tcp: Any = importlib.import_module("distributed.comm.tcp")
    seen: list[bytes] = []
    writing, reading = tcp.to_frames, tcp.from_frames

    async def to_frames(*args: Any, **options: Any) -> Any:
        frames = await writing(*args, **options)
        seen.extend(map(bytes, frames))
        return frames

    async def from_frames(frames: Any, *args: Any, **options: Any) -> Any:
        seen.extend(map(bytes, frames))
        return await reading(frames, *args, **options)

    monkeypatch.setattr(tcp, "to_frames", to_frames)
    monkeypatch.setattr(tcp, "from_frames", from_frames)
    return seen


def pids(client: Any) -> dict[str, int]:
    found: dict[str, int] = client.run(os.getpid)
    return found


def waiting(client: Any) -> dict[str, int]:
    """Who waits at the scheduler for a run to be stopped."""

    def counted(dask_scheduler: Any) -> dict[str, int]:
        events = dask_scheduler.extensions["events"]
        return {n: k for n, k in events._waiter_count.items() if k or n in events._events}

    found: dict[str, int] = client.run_on_scheduler(counted)
    return found


def test_workers_ask_with_keys_of_their_own_and_none_is_on_the_wire(
    known: Callable[..., None],
    workspace: Workspace,
    server: StreamingServer,
    wire: list[bytes],
    client: Any,
) -> None:
    known(echo="echo", leaks="error=invalid_api_key,leak", cut="echo,cut=1")
    kept = Memory()
    made = planned(grid(4, "echo", "leaks", "cut"), workspace, kept)
    found = {
        row.call: row for row in bridge.iterate(run(made, workspace, kept=kept, client=client))
    }
    assert [found[Call(n, 0)].text for n in range(4)] == [f'"question {n}"' for n in range(4)]
    assert {found[Call(n, 1)].error.split(":")[0] for n in range(4)} == {"AuthenticationFailed"}
    assert {e.headers["authorization"] for e in server.journal()} == {f"Bearer {THEIR_KEY}"}
    all_of_it = b"".join(wire)
    for seen in (b"question 1", b"AuthenticationFailed", b"StreamBroken"):
        assert seen in all_of_it  # what is asked and what comes of it can be read there
    for key in (KEY, THEIR_KEY):
        assert key.encode() not in all_of_it
    assert len(kept.rows) == 12
    again = planned(made.grid, workspace, kept)
    assert again.calls == 0
    rows = [*bridge.iterate(run(again, workspace, kept=kept, client=client))]
    assert all(row.reused for row in rows)
    assert waiting(client) == {}  # the scheduler remembers nothing of it


def test_a_model_of_this_machine_answers_there(workspace: Workspace, client: Any) -> None:
    mini = workspace.models.default().id
    kept = Memory()
    made = planned(grid(4, mini, repeats=2, max_tokens=8, temperature=0.0), workspace, kept)
    rows = [*bridge.iterate(run(made, workspace, kept=kept, client=client))]
    assert [row.error for row in rows] == [""] * 8
    assert len({row.text for row in rows}) == 4  # the same for the same prompt, wherever it is
    assert any(row.cold for row in rows)
    assert all(row.reply and row.reply.timings.decode_tokens for row in rows)
    assert planned(made.grid, workspace, kept).calls == 0

    def unloaded() -> list[str]:
        from jan_jupyter import bridge, router

        names = [each.model for each in bridge.wait(router.running())]
        for name in names:
            bridge.wait(router.unload(name))
        return names

    first, *_ = pids(client)
    (there,) = client.run(unloaded, workers=[first]).values()
    assert there == [mini]  # one machine: its workers share it
    assert bridge.wait(workspace.router.running()) == []


def test_a_stop_ends_what_is_under_way_there(
    known: Callable[..., None], workspace: Workspace, server: StreamingServer, client: Any
) -> None:
    known(quick="n=1", hangs="n=5,stall=2")
    kept = Memory()
    made = planned(grid(2, "quick", "hangs"), workspace, kept)
    rows = bridge.iterate(run(made, workspace, kept=kept, client=client))
    found = [next(rows), next(rows)]
    server.wait("first", count=4)
    rows.close()
    gone = server.wait("closed", count=2)
    assert {entry.body["model"] for entry in gone if entry.closed} == {"hangs"}
    assert {row.key for row in found} == kept.rows.keys()


def test_a_worker_that_dies_loses_nothing(
    known: Callable[..., None], workspace: Workspace, server: StreamingServer, client: Any
) -> None:
    known(slow="n=3,delay=0.1")
    kept = Memory()
    made = planned(grid(12, "slow"), workspace, kept)
    found: list[Row] = []
    for row in bridge.iterate(run(made, workspace, kept=kept, client=client)):
        assert sum(waiting(client).values()) <= 2  # once for each worker, not for each call
        if not found:
            os.kill(next(iter(pids(client).values())), signal.SIGKILL)
        found.append(row)
    assert sorted(row.call for row in found) == [Call(n, 0) for n in range(12)]
    assert all(row.ok for row in found)
    assert len(kept.rows) == 12
    assert len(server.journal()) <= 12 + 8  # only what was under way there


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"api_key": KEY}, "api_key"),
        ({"headers": {"X-Auth-Token": KEY}}, "X-Auth-Token"),
        ({"base_url": f"https://user:{KEY}@example.org/v1"}, "base_url"),
        ({"lists": [{"proxy": f"https://example.org/v1?key={KEY}"}]}, "proxy"),
    ],
)
def test_no_key_travels(
    isolated: Path,
    workspace: Workspace,
    server: StreamingServer,
    settings: dict[str, Any],
    name: str,
) -> None:
    add_remote(isolated / "jan", server, a="n=1")
    asked = grid(1, "a")
    asked = type(asked)(asked.cases, (Contestant("a", "a", {}, settings),))
    made = planned(asked, workspace)

    class Client:
        asynchronous = False

    with pytest.raises(errors.UsageError, match=f"{name} of a would travel") as caught:
        [*bridge.iterate(run(made, workspace, client=Client()))]
    assert KEY not in str(caught.value)
    Client.asynchronous = True
    with pytest.raises(errors.UsageError, match="without asynchronous=True"):
        [*bridge.iterate(run(planned(grid(1, "a"), workspace), workspace, client=Client()))]
