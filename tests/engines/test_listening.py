"""Whether somebody listens on this machine."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from jan_jupyter.addresses import is_this_machine
from jan_jupyter.engines.listening import LocalServers
from jan_jupyter.models import ModelStore
from support.jan import add_model, write_json


def test_who_listens_here_is_found_and_nobody_else_is_asked(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as open_,
        socket.create_server(("127.0.0.1", 0)) as closed,
    ):
        there = f"http://127.0.0.1:{open_.getsockname()[1]}/v1"
        gone = f"http://localhost:{closed.getsockname()[1]}/v1"
        closed.close()
        addresses = [there, gone, "https://api.openai.com/v1", "http://192.0.2.1/v1", ""]
        assert asyncio.run(LocalServers(ModelStore(tmp_path)).listening(addresses)) == {there}


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://localhost:1/v1", True),
        ("http://[::1]:1", True),
        ("http://127.9.9.9", True),
        ("http://192.168.1.1", False),
        ("https://localhost.example.com", False),
        ("nothing", False),
    ],
)
def test_what_is_this_machine(address: str, here: bool) -> None:
    assert is_this_machine(address) is here


def test_a_model_of_a_server_that_does_not_run_is_known(tmp_path: Path) -> None:
    """By the engine's address or its own; one that is not on this machine is left alone."""
    with (
        socket.create_server(("127.0.0.1", 0)) as open_,
        socket.create_server(("127.0.0.1", 0)) as closed,
    ):
        here, gone = (f"127.0.0.1:{one.getsockname()[1]}" for one in (open_, closed))
        closed.close()
        write_json(tmp_path / "engines/ollama/engine.json", {"base_url": f"http://{gone}/v1"})
        add_model(tmp_path, "by-engine", engine="ollama")
        add_model(tmp_path, "own", engine="ollama", settings={"base_url": f"http://{here}/v1"})
        elsewhere = {"base_url": "http://192.0.2.1/v1"}
        add_model(tmp_path, "elsewhere", engine="ollama", settings=elsewhere)
        store = ModelStore(tmp_path)
        found = asyncio.run(LocalServers(store).not_running(store.list()))
    assert found == {"by-engine": f"start it: nothing listens at {gone}"}


def test_a_server_that_takes_no_connection_is_waited_for_once(tmp_path: Path) -> None:
    """Its queue is full, so that nobody knows whether it runs; the loop goes on meanwhile."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        host = f"127.0.0.1:{full.getsockname()[1]}"
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        write_json(tmp_path / "engines/ollama/engine.json", {"base_url": f"http://{host}/v1"})
        for number in range(20):
            add_model(tmp_path, f"m{number}", engine="ollama")
        store = ModelStore(tmp_path)
        servers = LocalServers(store)

        async def twice() -> tuple[int, int]:
            turns = 0

            async def count() -> None:
                nonlocal turns
                while True:
                    await asyncio.sleep(0.01)
                    turns += 1

            counting = asyncio.create_task(count())
            assert len(await servers.not_running(store.list())) == 20
            first, turns = turns, 0
            assert len(await servers.not_running(store.list())) == 20
            counting.cancel()
            return first, turns

        first, second = asyncio.run(twice())
    assert first > second
