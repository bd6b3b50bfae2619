"""A grid that the workers of a Dask cluster ask, which are processes of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compare.test_run import Memory, grid, planned
from jan_jupyter import bridge, errors
from jan_jupyter.compare.running.run import run
from jan_jupyter.compare.values import Call, Contestant, Row
from jan_jupyter.workspace import Workspace
from support.jan import KEY, add_remote
from support.server import StreamingServer

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    made = Workspace()
    yield made
    bridge.wait(made.close())


@pytest.fixture
def client(isolated: Path) -> Iterator[Any]:
    import distributed

    cluster_of: Any = distributed.LocalCluster
    client_of: Any = distributed.Client
    with (
        cluster_of(
            n_workers=2,
            threads_per_worker=4,
            host="127.0.0.1",
            dashboard_address=None,
            local_directory=str(isolated / "dask"),
            silence_logs=50,
        ) as cluster,
        client_of(cluster, set_as_default=False) as client,
    ):
        yield client


def pids(client: Any) -> dict[str, int]:
    found: dict[str, int] = client.run(os.getpid)
    return found


def test_workers_ask_with_keys_of_their_own(
    isolated: Path, workspace: Workspace, server: StreamingServer, client: Any
) -> None:
    add_remote(isolated / "jan", server, echo="echo", bad="error=invalid_request")
    kept = Memory()
    made = planned(grid(4, "echo", "bad"), workspace, kept)
    found = {
        row.call: row for row in bridge.iterate(run(made, workspace, kept=kept, client=client))
    }
    assert [found[Call(n, 0)].text for n in range(4)] == [f'"question {n}"' for n in range(4)]
    assert {found[Call(n, 1)].error.split(":")[0] for n in range(4)} == {"BadRequest"}
    assert {e.headers["authorization"] for e in server.journal()} == {f"Bearer {KEY}"}
    assert len(kept.rows) == 8
    again = planned(made.grid, workspace, kept)
    assert again.calls == 0
    rows = [*bridge.iterate(run(again, workspace, kept=kept, client=client))]
    assert all(row.reused for row in rows)


def test_a_stop_ends_what_is_under_way_there(
    isolated: Path, workspace: Workspace, server: StreamingServer, client: Any
) -> None:
    add_remote(isolated / "jan", server, quick="n=1", hangs="n=5,stall=2")
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
    isolated: Path, workspace: Workspace, server: StreamingServer, client: Any
) -> None:
    add_remote(isolated / "jan", server, slow="n=3,delay=0.1")
    kept = Memory()
    made = planned(grid(12, "slow"), workspace, kept)
    found: list[Row] = []
    for row in bridge.iterate(run(made, workspace, kept=kept, client=client)):
        if not found:
            os.kill(next(iter(pids(client).values())), signal.SIGKILL)
        found.append(row)
    assert sorted(row.call for row in found) == [Call(n, 0) for n in range(12)]
    assert all(row.ok for row in found)
    assert len(kept.rows) == 12
    assert len(server.journal()) <= 12 + 8  # only what was under way there


def test_no_key_travels(isolated: Path, workspace: Workspace, server: StreamingServer) -> None:
    add_remote(isolated / "jan", server, a="n=1")
    asked = grid(1, "a")
    asked = type(asked)(asked.cases, (Contestant("a", "a", {}, {"api_key": KEY}),))
    made = planned(asked, workspace)

    class Client:
        asynchronous = False

    with pytest.raises(errors.UsageError, match="api_key of a would travel") as caught:
        [*bridge.iterate(run(made, workspace, client=Client()))]
    assert KEY not in str(caught.value)
    Client.asynchronous = True
    with pytest.raises(errors.UsageError, match="without asynchronous=True"):
        [*bridge.iterate(run(planned(grid(1, "a"), workspace), workspace, client=Client()))]
